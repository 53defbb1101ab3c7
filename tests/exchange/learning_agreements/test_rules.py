"""The text of a version, its digest, its completeness, who signs, and how versions differ."""

import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest
import rfc8785
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from vsm.exchange.learning_agreements.rules import (
    Component,
    Content,
    amount,
    as_json,
    as_read,
    canonical,
    differences,
    digest_of,
    from_json,
    told,
    why_incomplete,
    why_not_sign,
)
from vsm.kit.saying import say_reasons

LINE = Component(
    offering="o1", code="EST1", title={"en": "Statistics"}, credits="6", credit_system="sct-chile", language="es",
    starts_on="2026-08-10", ends_on="2026-12-04", home_code="ECO-301", home_title="Econometrics", home_credits="4",
)  # fmt: skip
TEXT = Content(
    agreement="a", number=1, follows="", call="C", student={"id": "s", "name": "Ana"}, home={"id": "h", "name": {"en": "Lima"}},
    host={"id": "g", "name": {"en": "Santiago"}}, components=(LINE,),
)  # fmt: skip


def test_the_digest_is_that_of_the_sorted_compact_json() -> None:
    # Sorted keys without blanks is what RFC 8785 gives for text without numbers beyond integers and without exotic keys.
    written = json.dumps(as_json(TEXT), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert digest_of(TEXT) == hashlib.sha256(written).hexdigest()


@given(
    st.text(max_size=20), st.decimals(min_value=0, max_value=999, places=2),
    st.dictionaries(st.sampled_from(["es", "en", "fr"]), st.text(max_size=9)),
)  # fmt: skip
def test_a_text_survives_being_kept_as_json(title: str, number: Decimal, titles: dict[str, str]) -> None:
    content = replace(TEXT, components=(replace(LINE, home_title=title, credits=amount(number), title=titles),))
    kept = json.loads(json.dumps(as_json(content)))
    assert from_json(kept) == content
    assert digest_of(from_json(kept)) == digest_of(content)


@pytest.mark.parametrize("changed", [
    replace(TEXT, number=2),
    replace(TEXT, follows="x"),
    replace(TEXT, components=()),
    replace(TEXT, components=(replace(LINE, home_credits="4.5"),)),
    replace(TEXT, student={"id": "s", "name": "Ana María"}),
])  # fmt: skip
def test_any_change_of_the_text_changes_the_digest(changed: Content) -> None:
    assert digest_of(changed) != digest_of(TEXT)


@pytest.mark.parametrize(("number", "text"), [("6", "6"), ("6.00", "6"), ("4.50", "4.5"), ("0.00", "0"), ("120", "120"), ("1E+2", "100")])
def test_one_amount_has_one_text(number: str, text: str) -> None:
    assert amount(Decimal(number)) == text


def test_a_complete_text_has_nothing_against_it() -> None:
    assert list(why_incomplete(TEXT, {"o1"})) == []


def test_an_incomplete_text_is_told_everything_at_once() -> None:
    text = replace(
        TEXT,
        components=(
            replace(LINE, home_code="", home_title=" ", home_credits="0"),
            replace(LINE, offering="o2", recognised=False, because=" "),
            replace(LINE, offering="o3"),
        ),
    )
    codes = [reason.code for reason in why_incomplete(text, {"o1", "o2", "o4"})]
    assert codes == ["course-missing", "home-course-missing", "home-credits-missing", "refusal-unexplained", "seat-gone"]


def test_without_courses_there_is_nothing_to_sign() -> None:
    assert [reason.code for reason in why_incomplete(replace(TEXT, components=()), set())] == ["no-component"]


def test_not_recognised_needs_a_reason_and_no_credits() -> None:
    text = replace(TEXT, components=(replace(LINE, recognised=False, home_credits="", because="Too close to a course passed."),))
    assert list(why_incomplete(text, {"o1"})) == []


ANA, BIA = uuid4(), uuid4()


@pytest.mark.parametrize(("party", "sides", "signed", "earlier", "person", "codes"), [
    ("student", ("student",), {}, {}, ANA, []),
    ("home", ("student",), {}, {}, ANA, ["not-your-side"]),
    ("home", ("home", "host"), {}, {BIA: "host"}, BIA, ["one-side-each"]),
    ("home", ("home", "host"), {}, {BIA: "home"}, BIA, []),
    ("home", ("home",), {"home": ANA}, {ANA: "home"}, BIA, ["already-signed"]),
    ("host", ("home",), {"host": ANA}, {BIA: "home"}, BIA, ["not-your-side", "already-signed", "one-side-each"]),
])  # fmt: skip
def test_a_side_is_signed_once_by_its_own_people_and_nobody_signs_two(
    party: str, sides: tuple[str, ...], signed: dict, earlier: dict, person: object, codes: list[str]  # type: ignore[type-arg]
) -> None:  # fmt: skip
    assert [r.code for r in why_not_sign(party, sides=sides, signed=signed, earlier=earlier, person=person)] == codes  # type: ignore[arg-type]


def test_differences_name_what_was_added_removed_and_changed() -> None:
    other = replace(LINE, offering="o2", title={"en": "Algebra"})
    third = replace(LINE, offering="o3", title={"en": "Logic"})
    before = replace(TEXT, components=(LINE, other))
    after = replace(
        TEXT, number=2, student={"id": "s", "name": "Ana María"},
        components=(replace(LINE, home_credits="5", recognised=False), third),
    )  # fmt: skip
    said = [told(change) for change in differences(before, after)]
    assert [reason.code for reason in said] == ["text-changed", "text-removed", "text-changed", "text-changed", "text-added"]
    assert [(r.params["label"], r.params["before"], r.params["after"]) for r in said if r.code == "text-changed"] == [
        ("Student", "Ana", "Ana María"), ("Recognised at home", "yes", "no"), ("Credits at home", "4", "5"),
    ]  # fmt: skip
    assert [r.params["title"] for r in said if r.code != "text-changed"] == [{"en": "Algebra"}, {"en": "Logic"}]


def test_days_and_codes_are_told_as_a_reader_knows_them() -> None:
    before = replace(TEXT, home={"id": "h", "name": {"en": "Lima"}, "country": "PE", "credit_system": "ects"})
    after = replace(
        before, home={**before.home, "id": "other", "country": "CL"},
        components=(replace(LINE, starts_on="2026-08-17", language="fr", credit_system="ects"),),
    )  # fmt: skip
    with override("es"):
        assert say_reasons(map(told, differences(before, after))) == [
            "Lima — Institución de origen: antes “Perú”, ahora “Chile”.",
            "Statistics — Sistema de créditos: antes “Sistema de Créditos Transferibles SCT-Chile”, ahora “Sistema Europeo de Transferencia y Acumulación de Créditos (ECTS)”.",
            "Statistics — Idioma: antes “español”, ahora “francés”.",
            "Statistics — Inicio: antes “10 de agosto de 2026”, ahora “17 de agosto de 2026”.",
        ]


def test_the_same_text_differs_in_nothing() -> None:
    assert differences(TEXT, replace(TEXT, number=2, follows="x")) == ()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), PLAIN, max_size=5))
def test_the_canonical_bytes_are_those_of_rfc_8785(plain: dict[str, object]) -> None:
    assert canonical(plain) == rfc8785.dumps(plain)  # type: ignore[arg-type]


def test_a_text_that_is_signed_has_no_binary_fractions() -> None:
    with pytest.raises(TypeError):
        canonical({"credits": Decimal("4.5")})


def test_a_title_that_changed_in_another_language_is_no_difference_to_this_reader() -> None:
    before = replace(TEXT, components=(replace(TEXT.components[0], title={"en": "Statistics", "es": "Estadística"}),))
    after = replace(TEXT, components=(replace(TEXT.components[0], title={"en": "Statistics", "es": "Estadística I"}),))
    changes = differences(before, after)
    assert (len(changes), as_read(changes, "en"), as_read(changes, "es")) == (1, (), changes)
