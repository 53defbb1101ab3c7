"""Records and acts on the command line: drawn from the tables, with the rights of the person named."""

import base64
import csv
import io
import json
import re
from datetime import date
from pathlib import Path

import pytest
from django.utils import translation

from vsm.cli.acts import _kind
from vsm.cli.commands import main
from vsm.exchange.institutions.models import Hub, Organisation, Term, Unit
from vsm.exchange.people.models import Membership, Person
from vsm.kit import audit
from vsm.kit.actions import TABLE
from vsm.kit.cells import flat
from vsm.kit.resources import RESOURCES

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _language() -> object:
    with translation.override("en"):
        yield


@pytest.fixture
def lima(db: None) -> Organisation:
    organisation = Organisation(name={"es": "Universidad de Lima"}, schac="lima.example", country="PE", city="Lima", zone="America/Lima")
    organisation.save()
    return organisation


@pytest.fixture
def bia(lima: Organisation) -> Person:
    person = Person.objects.create_user("bia@example.edu", None, name="Bia", language="en", zone="America/Lima")
    Membership(person=person, organisation=lima, role="coordinator", starts_on=date(2020, 1, 1)).save()
    return person


@pytest.fixture
def dora(db: None) -> Person:
    return Person.objects.create_user("dora@example.edu", None, name="Dora", language="en")


def said(capsys: Captured, *words: str, code: int = 0) -> str:
    assert main(words) == code, capsys.readouterr()
    return capsys.readouterr().out


def refused(capsys: Captured, *words: str, code: int = 1) -> list[str]:
    assert main(words) == code
    return capsys.readouterr().err.splitlines()


def test_list_shows_columns_and_json_shows_every_field(lima: Organisation, capsys: Captured) -> None:
    assert "Universidad de Lima  University  Peru     Lima  America/Lima" in said(capsys, "list", "organisation")
    [one] = json.loads(said(capsys, "list", "organisations", "--json"))
    assert (one["id"], one["title"], one["schac"], one["version"]) == (str(lima.pk), "Universidad de Lima", "lima.example", 1)


def test_list_filters_and_sorts_like_every_other_door(lima: Organisation, capsys: Captured) -> None:
    Organisation(name={"en": "Porto Alegre"}, schac="poa.example", country="BR", zone="America/Sao_Paulo").save()
    countries = [one["country"] for one in json.loads(said(capsys, "list", "organisation", "--sort=-country", "--json"))]
    assert countries == ["PE", "BR"]
    assert [one["country"] for one in json.loads(said(capsys, "list", "organisation", "--filter", "q=lima", "--json"))] == ["PE"]
    assert [one["country"] for one in json.loads(said(capsys, "list", "organisation", "--filter", "country=BR", "--json"))] == ["BR"]
    assert "country" in refused(capsys, "list", "organisation", "--filter", "colour=red")[1]


def test_csv_cannot_run_as_a_formula(lima: Organisation, capsys: Captured) -> None:
    Organisation.objects.update(city='=HYPERLINK("x")', website="-1+1")
    [row] = list(csv.DictReader(io.StringIO(said(capsys, "list", "organisation", "--csv"))))
    assert (row["city"], row["website"]) == ("'=HYPERLINK(\"x\")", "'-1+1")


def test_list_shows_only_what_the_named_person_may_see(lima: Organisation, bia: Person, dora: Person, capsys: Captured) -> None:
    emails = [one["email"] for one in json.loads(said(capsys, "list", "person", "--json", "--as", "dora@example.edu"))]
    assert emails == ["dora@example.edu"]
    assert len(json.loads(said(capsys, "list", "person", "--json"))) == 2


def test_show_tells_facts_verbs_and_history(lima: Organisation, bia: Person, capsys: Captured) -> None:
    said(capsys, "do", "organisation", "add_unit", str(lima.pk), "--set", "code=F1", "--set", "name.es=Letras", "--as", "bia@example.edu")
    shown = said(capsys, "show", "organisation", str(lima.pk), "--as", "bia@example.edu")
    assert "lima.example" in shown
    assert "./vsm do organisation add_term" in shown
    unit = Unit.objects.get()
    assert "Bia  add_unit" in said(capsys, "show", "unit", str(unit.pk))


def test_a_foreign_and_an_absent_record_look_the_same(bia: Person, dora: Person, capsys: Captured) -> None:
    foreign = refused(capsys, "show", "person", str(bia.pk), "--as", "dora@example.edu")
    absent = refused(capsys, "show", "person", "01890000-0000-7000-8000-000000000000", "--as", "dora@example.edu")
    assert foreign == absent


def test_do_acts_as_the_person_and_answers_in_one_line_of_json(lima: Organisation, bia: Person, capsys: Captured) -> None:
    words = ["do", "organisation", "add_term", str(lima.pk), "--set", "code=2027-1", "--set", "name.es=Primero", "--set", "starts_on=2027-03-01", "--set", "ends_on=2027-07-01"]
    answer = json.loads(said(capsys, *words, "--as", "bia@example.edu", "--key", "k1"))
    term = Term.objects.get()
    assert answer == {"noun": "term", "id": str(term.pk), "version": 1, "state": ""}
    assert (term.starts_on, term.name) == (date(2027, 3, 1), {"es": "Primero"})
    [told] = audit.history([("term", term.pk)])
    assert (told.who, told.via) == ("Bia", "cli")
    assert json.loads(said(capsys, *words, "--as", "bia@example.edu", "--key", "k1")) == answer
    assert Term.objects.count() == 1


def test_options_may_stand_before_the_record_and_times_are_told_in_the_zone_of_whoever_reads(lima: Organisation, bia: Person, capsys: Captured) -> None:
    del bia
    did = json.loads(said(capsys, "do", "organisation", "add_unit", "--as", "bia@example.edu", "--set", "code=F2", "--set", "name.es=Letras", str(lima.pk)))
    assert re.search(r"\d\d:\d\d \(America/Lima\) +Bia +add_unit", said(capsys, "show", "unit", did["id"], "--as", "bia@example.edu"))


def test_a_row_of_a_table_is_shown_as_it_is_given() -> None:
    assert flat([{"offering": "01890000", "seats": 4}, {"offering": "01890001", "seats": 1}], "en") == "offering=01890000, seats=4 | offering=01890001, seats=1"
    assert flat([{"code": "EST-2", "title": {"es": "Optativa", "en": "Elective"}}, {"code": "EST-3", "title": "Taller"}], "en") == "code=EST-2, title=Elective | code=EST-3, title=Taller"


def test_do_takes_all_inputs_as_json(lima: Organisation, bia: Person, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"code": "F1", "name": {"en": "Faculty"}}
    file = tmp_path / "unit.json"
    file.write_text(json.dumps(given))
    said(capsys, "do", "organisation", "add_unit", str(lima.pk), "--json", str(file), "--as", "bia@example.edu")
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({**given, "code": "F2"})))
    said(capsys, "do", "organisation", "add_unit", str(lima.pk), "--json", "-", "--as", "bia@example.edu")
    assert sorted(Unit.objects.values_list("code", flat=True)) == ["F1", "F2"]


def test_do_tells_every_problem_at_once(lima: Organisation, bia: Person, capsys: Captured) -> None:
    lines = refused(capsys, "do", "organisation", "add_term", str(lima.pk), "--set", "starts_on=never", "--set", "colour=red", "--as", "bia@example.edu")
    assert [line.split(":")[0].strip("- ") for line in lines[1:]] == ["code", "name", "starts_on", "ends_on", "colour"]


def test_do_tells_a_missing_input_in_the_language_of_the_person(lima: Organisation, bia: Person, capsys: Captured) -> None:
    Person.objects.filter(pk=bia.pk).update(language="es")
    lines = refused(capsys, "do", "organisation", "add_term", str(lima.pk), "--set", "starts_on=2027-03-01", "--set", "ends_on=2027-07-01", "--set", "name.es=2027-I", "--as", "bia@example.edu")
    assert lines == ["Revisa lo que ingresaste:", "  - code: Este dato es necesario."]


def test_a_moment_needs_its_offset(capsys: Captured, lima: Organisation, bia: Person) -> None:
    words = ["do", "organisation", "announce_event", str(lima.pk), "--set", "title.es=Charla", "--set", "description.es=Una charla.", "--set", "zone=America/Lima",
             "--set", "languages=es", "--set", "ends_at=2027-04-04T01:00:00-05:00", "--as", "bia@example.edu"]  # fmt: skip
    lines = refused(capsys, *words, "--set", "starts_at=2027-04-03T23:30:00")
    assert lines[1:] == ["  - starts_at: This must be a date and time with its zone, like 2027-03-01T18:30:00-05:00."]
    said(capsys, *words, "--set", "starts_at=2027-04-03T23:30:00-05:00")


def test_do_refuses_what_the_person_may_not(lima: Organisation, dora: Person, capsys: Captured) -> None:
    lines = refused(capsys, "do", "organisation", "add_unit", str(lima.pk), "--set", "code=F1", "--set", "name.en=Faculty", "--as", "dora@example.edu")
    assert "Coordinator, Operator" in lines[1]
    assert Unit.objects.count() == 0


def test_do_speaks_the_language_of_the_person(lima: Organisation, dora: Person, capsys: Captured) -> None:
    Person.objects.filter(pk=dora.pk).update(language="fr")
    refused(capsys, "do", "organisation", "add_unit", str(lima.pk), "--set", "code=F1", "--set", "name.en=Faculty", "--as", "dora@example.edu")
    assert translation.get_language() == "fr"


def test_do_refuses_a_passed_version(lima: Organisation, bia: Person, capsys: Captured) -> None:
    words = ["do", "organisation", "edit", str(lima.pk), "--set", "name.es=Nueva", "--set", "about.es=Algo", "--expect", "1", "--as", "bia@example.edu"]
    said(capsys, *words)
    assert "changed" in refused(capsys, *words)[0]


def test_do_without_a_person_is_wrong_use_and_without_an_id_shows_the_inputs(lima: Organisation, capsys: Captured) -> None:
    assert refused(capsys, "do", "organisation", "add_unit", str(lima.pk), code=2) == ["Say who does it: --as EMAIL"]
    assert "code" in said(capsys, "do", "organisation", "add_unit")


def test_do_leads_from_the_nouns_to_what_can_be_done_with_one(db: None, capsys: Captured) -> None:
    assert "organisation" in [line.split()[0] for line in said(capsys, "do").splitlines()]
    verbs = [line.split()[0] for line in said(capsys, "do", "trial").splitlines()]
    assert {"vary", "discard"} <= set(verbs)
    assert "note_ready" not in verbs  # the worker's own


def test_what_a_verb_asks_for_is_told_in_words_and_a_table_with_its_columns(capsys: Captured) -> None:
    lines = [line.split() for line in said(capsys, "do", "organisation", "register_student").splitlines()]
    assert ["languages", "table", "optional", "Languages"] in lines
    assert [".level", "A1|A2|B1|B2|C1|C2|native", "needed", "Level", "(CEFR)"] in lines
    for action in filter(lambda action: action.allow, TABLE.values()):  # what nobody is allowed, the system tells itself
        kinds = [_kind(info.annotation) for info in action.parameters.model_fields.values()]
        assert "value" not in kinds, f"{action.name}: {kinds}"


def test_a_token_is_shown_once(bia: Person, capsys: Captured) -> None:
    answer = json.loads(said(capsys, "do", "person", "make_token", str(bia.pk), "--set", "label=script", "--as", "bia@example.edu"))
    assert len(answer["secret"]) > 30


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["show", "orgnisation", "x"], "organisation"),
        (["do", "organisation", "fly"], "add_unit"),
        (["list", "person", "--as", "nobody@example.edu"], "nobody@example.edu"),
    ],
)
def test_a_wrong_name_is_told_with_what_there_is(db: None, words: list[str], hint: str, capsys: Captured) -> None:
    assert hint in "\n".join(refused(capsys, *words))


def test_a_file_is_an_input_too(lima: Organisation, bia: Person, tmp_path: Path) -> None:
    from vsm.cli.acts import _upload

    path = tmp_path / "transcript.pdf"
    path.write_bytes(b"%PDF-1.7")
    upload = _upload("file", path)
    assert (upload.name, upload.media_type, upload.data) == ("transcript.pdf", "application/pdf", b"%PDF-1.7")
    assert base64.b64decode(upload.model_dump(mode="json")["data"]) == b"%PDF-1.7"


def test_the_role_matrix_has_every_verb_with_its_grants(capsys: Captured) -> None:
    lines = said(capsys, "roles").splitlines()
    heads = lines[0].split()
    rows = {line.split()[0]: line.split()[1 : len(heads)] for line in lines[2:] if "." in line.split(" ")[0]}
    for action in TABLE.values():
        marked = {role for role, mark in zip(heads[1:], rows[action.name], strict=True) if mark == "●"}
        assert marked == {grant.partition("@")[0] for grant in action.allow}, action.name


def test_every_noun_can_be_listed(db: None, capsys: Captured) -> None:
    Hub(name="OpenVSM", contact="hub@example.edu").save()
    for noun in RESOURCES:
        assert json.loads(said(capsys, "list", noun, "--json")) is not None
