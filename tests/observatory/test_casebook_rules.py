"""What an entry needs before others read it, and who reads it; the entries that ship keep to the same rules."""

from uuid import UUID

import pytest
from django.utils import translation

from vsm import rulebook
from vsm.kit.localized import LANGUAGES
from vsm.kit.saying import say_reason
from vsm.observatory.casebook.rules import (
    CASE_LISTS,
    CONSENTS,
    LISTS,
    Entry,
    evidence,
    is_enough,
    why_not_review,
    why_not_submit,
)
from vsm.observatory.casebook.seeds import definitions, seeded_cases, seeded_models, vocabulary
from vsm.observatory.geography import countries, regions

ANA, BIA, CARLOS = (UUID(int=number) for number in (1, 2, 3))
TEXT = dict.fromkeys(LANGUAGES, "Words.")
SOURCE = {"id": "page", "title": "A page"}


def claim(**changed: object) -> dict[str, object]:
    return {"what": dict.fromkeys(LANGUAGES, "Places"), "value": 3.0, "grade": "reported", "source": "page", **changed}


@pytest.mark.parametrize(
    ("entry", "codes"),
    [
        (Entry({"summary": TEXT}, [SOURCE], [claim()]), []),
        (Entry({"summary": {**TEXT, "fr": ""}}, []), ["text-missing", "source-missing"]),
        (Entry({"summary": {**TEXT, "es": "Hubo 7 plazas."}}, [SOURCE]), ["number-in-text"]),
        (Entry({"summary": TEXT}, [SOURCE], [claim(grade="rumour", source="elsewhere"), claim(what={"en": ""})]), ["claim-grade", "claim-source", "text-missing", "claim-what"]),
        (Entry({"summary": TEXT}, [SOURCE], [claim(what={"en": "Places"})]), ["text-missing"]),
        (Entry({"summary": TEXT}, [SOURCE], [claim(about="luck", basis="hearsay")]), ["value", "value"]),
        (Entry({"summary": TEXT}, [SOURCE], (), None, {"A university": "https://ror.org/02mhbdp94"}), []),
        (Entry({"summary": TEXT}, [SOURCE], (), None, {"A university": "ror:1"}), ["ror"]),
        (Entry({"summary": TEXT}, [SOURCE], (), {"credit": (["perhaps"], ("always", "no"))}), ["value"]),
        (Entry({"summary": TEXT}, [SOURCE], (), {"countries": (["PER", "Peru"], tuple(countries()))}), ["country"]),
    ],
)  # fmt: skip
def test_everything_that_is_missing_is_told_at_once(entry: Entry, codes: list[str]) -> None:
    assert [reason.code for reason in why_not_submit(entry)] == codes


def test_what_is_missing_is_called_as_on_the_form() -> None:
    [reason] = why_not_submit(Entry({"summary": TEXT, "lessons": {**TEXT, "fr": ""}}, [SOURCE]))
    with translation.override("fr"):
        assert say_reason(reason) == "Ce que l’on peut en apprendre\u00a0: il manque le texte en fr."


def test_two_different_people_review_and_neither_is_the_author() -> None:
    def codes(reviewer: UUID | None, *earlier: UUID) -> list[str]:
        return [reason.code for reason in why_not_review(reviewer=reviewer, author=ANA, earlier=earlier)]

    assert (codes(ANA), codes(BIA), codes(BIA, BIA), codes(CARLOS, BIA), codes(None)) == (["own-entry"], [], ["reviewed-already"], [], ["reviewer-unknown"])
    assert (is_enough(1), is_enough(2)) == (False, True)


def test_the_entries_that_ship_keep_to_the_rules() -> None:
    models, cases = seeded_models(), seeded_cases()
    assert (len(models) >= 12, len(cases) >= 15) == (True, True)
    slugs = {each.slug for each in rulebook.categories()}
    for model in models:
        entry = Entry({"name": model["name"], "summary": model["summary"]}, model["sources"], (), {name: (model["details"].get(name, ()), list(vocabulary()[name])) for name in LISTS})
        assert (model["slug"], list(why_not_submit(entry)), set(model["categories"]) - slugs) == (model["slug"], [], set())
        assert set(model["details"]) == set(LISTS)
    known = {model["slug"] for model in models}
    for case in cases:
        entry = Entry({name: case[name] for name in ("summary", "lessons", "unknown")}, case["sources"], case["claims"])
        assert (case["slug"], list(why_not_submit(entry))) == (case["slug"], [])
        assert (case["consent"] in CONSENTS, all(set(case[name]) <= set(vocabulary()[name]) for name in CASE_LISTS)) == (True, True)
        assert (case.get("model", "coil-course") in known, set(case["countries"]) - set(countries()), set(case.get("regions", ())) - set(regions()), set(case["categories"]) - slugs) == (True, set(), set(), set())
        assert all(set(each["what"]) == set(LANGUAGES) for each in case["claims"])
    assert {slug for model in models for slug in model["categories"]} == slugs


def test_an_entry_is_as_well_known_as_the_weakest_of_its_numbers() -> None:
    assert [evidence([claim(grade=grade) for grade in grades]) for grades in (("audited",), ("audited", "reported"), ("self-claimed", "audited"), ())] == ["audited", "reported", "self-claimed", ""]


def test_every_wording_of_the_definition_is_told_in_each_language_the_newest_first() -> None:
    told = definitions()
    assert ([each["since"].year for each in told], {tuple(sorted(each["text"])) for each in told}) == ([2022, 2021], {tuple(sorted(LANGUAGES))})


def test_where_sources_disagree_both_stand() -> None:
    study = next(case for case in seeded_cases() if case["slug"] == "moving-minds")
    told = [(each["value"], each["source"]) for each in study["claims"] if each["what"]["en"] == "Institutions taking part"]
    assert told == [(78.0, "iesalc-vsm"), (73.0, "campus-ib")]
