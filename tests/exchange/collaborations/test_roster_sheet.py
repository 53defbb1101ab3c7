"""Class lists: what is read, and that every bad line is named."""

import pytest

from vsm.exchange.collaborations.roster_sheet import read_roster
from vsm.kit.errors import Invalid

ZONES = frozenset(["America/Bogota", "Europe/Paris"])


def problems(text: str) -> list[tuple[int, str]]:
    return [(line, reason.code) for line, reason in read_roster(text.encode(), ZONES)[1]]


def refusal(data: bytes) -> list[str]:
    with pytest.raises(Invalid) as refused:
        read_roster(data, ZONES)
    return [reason.code for reason in refused.value.reasons]


def test_a_list_in_any_of_our_languages_is_read() -> None:
    lines, bad = read_roster("Correo;Nombre;Zona horaria;Idiomas\nA@B.edu ; Ana Ruiz ;America/Bogota;es:native en:B2\n\n".encode("utf-8-sig"), ZONES)
    assert bad == []
    assert [(each.email, each.name, each.zone, each.languages) for each in lines] == [("a@b.edu", "Ana Ruiz", "America/Bogota", (("en", "B2"), ("es", "native")))]


def test_every_bad_line_is_named_with_all_its_problems() -> None:
    text = "email,name,zone,languages\nno-address,Ana,,\na@b.edu,,Mars/Base,en:Z9\nc@d.edu,Cy,,\nc@d.edu,Cy,,\ne@f.edu,Eve\n"
    assert problems(text) == [(2, "bad-email"), (3, "bad-name"), (3, "zone"), (3, "bad-language"), (5, "twice"), (6, "cell-count")]


def test_a_column_that_nobody_needs_is_refused_by_name() -> None:
    assert refusal(b"email,name,income\na@b.edu,Ana,10\n") == ["column-unknown"]
    assert refusal(b"mail,student_number\na@b.edu,7\n") == ["column-missing"]


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "file-empty"), (b"PK\x03\x04", "not-csv"), ("email,name\n\xf1".encode("latin-1"), "not-csv"), (b"email,name\x00\n", "not-csv"), (b'email,name\n"a,b\n', "quoting"), (b"email,name\n", "no-lines")],
)
def test_what_is_no_list_at_all_is_refused_as_a_whole(data: bytes, code: str) -> None:
    assert refusal(data) == [code]


def test_more_lines_than_a_class_has_are_too_many() -> None:
    assert refusal(b"email,name\n" + b"".join(b"s%d@b.edu,S\n" % n for n in range(501))) == ["too-many-lines"]
