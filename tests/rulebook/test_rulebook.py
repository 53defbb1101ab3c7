"""The rulebook that we ship: complete, cited, dated, and quick to say what it does not know."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from vsm import rulebook
from vsm.kit.localized import LANGUAGES, text_in
from vsm.rulebook.entries import Credit, Dated, Scope
from vsm.rulebook.errors import NoValueYet, UnknownEntry


def _dated_values() -> list[tuple[str, Dated]]:
    entries = (*rulebook.credit_systems(), *rulebook.grade_scales(), *rulebook.book().thresholds.values())
    values = [(entry.slug, value) for entry in entries for value in entry.values]
    return [*values, *(("definition", value) for value in rulebook.definitions())]


def test_the_credit_systems_of_the_region_and_its_partners_are_there():
    assert [system.slug for system in rulebook.credit_systems()] == [
        "brazil", "clar", "colombia", "ects", "peru", "sacau-argentina", "satca-mexico", "sct-chile", "ucts", "uk-cats",
        "us-credit",
    ]  # fmt: skip


def test_the_grade_scales_are_there():
    assert [scale.slug for scale in rulebook.grade_scales()] == [
        "ar", "ar-6", "br", "br-6", "br-7", "br-letters", "cl", "co", "cr", "de", "ects", "es", "fr", "mx", "mx-100",
        "mx-70", "pe", "pt", "us", "uy",
    ]  # fmt: skip


@pytest.mark.parametrize(("slug", "value"), _dated_values())
def test_every_value_names_its_source_and_says_why_when_it_could_not_be_checked(slug, value):
    assert value.reference.title
    assert value.reference.part
    assert value.verified or len(text_in(value.note, "en")) > 20


def test_what_readers_are_told_of_a_source_stands_in_every_language():
    """A part that is in English alone has no word in it but "art."; a note is told where the source was not checked."""
    values = [value for entry in (*rulebook.credit_systems(), *rulebook.grade_scales()) for value in entry.values]
    assert [value.reference.part for value in values if not value.reference.parts] == ["art. 2.5.3.2.4.1"]
    assert {frozenset(value.note) for value in values if not value.verified} == {frozenset(LANGUAGES)}


def test_a_source_that_a_record_keeps_is_told_in_the_readers_language():
    kept = str(rulebook.credit_system("peru").at(date(2026, 1, 1)).reference)
    assert [rulebook.cited(kept, language).partition(" <")[0] for language in ("en", "es", "fr")] == [
        "Ley N.º 30220, Ley Universitaria, art. 39: at least 16 hours of theory or twice as many of practice",
        "Ley N.º 30220, Ley Universitaria, art. 39: al menos 16 horas de teoría o el doble de práctica",
        "Ley N.º 30220, Ley Universitaria, art. 39\u00a0: au moins 16 heures de théorie ou le double de pratique",
    ]
    note = rulebook.credit_system("peru").at(date(2026, 1, 1)).note
    assert (rulebook.noted(note["en"])["es"], rulebook.noted("Another note.")) == (note["es"], "Another note.")
    assert rulebook.cited("A law that was repealed, article 1", "es") == "A law that was repealed, article 1"


@pytest.mark.parametrize("entry", [*rulebook.credit_systems(), *rulebook.grade_scales(), *rulebook.categories()])
def test_every_name_is_given_in_every_language(entry):
    assert set(entry.name) == set(LANGUAGES)
    assert all(entry.name.values())


@pytest.mark.parametrize(
    ("slug", "low", "high", "year"),
    [
        ("ects", "25", "30", "60"),
        ("sct-chile", "24", "31", "60"),
        ("clar", "24", "33", "60"),
        ("ucts", "38", "48", None),
        ("colombia", "48", "48", None),
        ("us-credit", "45", "45", "30"),
        ("uk-cats", "10", "10", "120"),
    ],
)
def test_a_credit_is_worth_the_hours_its_source_states(slug, low, high, year):
    value = rulebook.credit_system(slug).at(date(2026, 3, 1))
    assert (value.hours_low, value.hours_high, value.year) == (Decimal(low), Decimal(high), year and Decimal(year))


def test_brazil_says_that_its_credit_is_institutional_and_that_its_own_work_is_assumed():
    brazil = rulebook.credit_system("brazil")
    value = brazil.at(date(2026, 3, 1))
    assert brazil.scope is Scope.INSTITUTIONAL
    assert value.contact_low == value.contact_high == Decimal(15)
    assert not value.verified


@pytest.mark.parametrize(
    ("slug", "worst", "best", "pass_mark"),
    [
        ("cl", "1.0", "7.0", "4.0"),
        ("br", "0.0", "10.0", "5.0"),
        ("br-7", "0.0", "10.0", "7.0"),
        ("mx", "0.0", "10.0", "6.0"),
        ("co", "0.0", "5.0", "3.0"),
        ("pe", "0", "20", "11"),
        ("ar", "0", "10", "4"),
        ("fr", "0.0", "20.0", "10.0"),
        ("es", "0.0", "10.0", "5.0"),
        ("pt", "0", "20", "10"),
        ("de", "5.0", "1.0", "4.0"),
        ("us", "0.0", "4.0", "0.7"),
    ],
)
def test_a_scale_knows_its_ends_and_its_passing_mark(slug, worst, best, pass_mark):
    value = rulebook.grade_scale(slug).at(date(2026, 3, 1))
    assert (value.worst, value.best, value.pass_mark) == (Decimal(worst), Decimal(best), Decimal(pass_mark))


def test_a_scale_that_changed_is_read_by_the_day():
    uruguay = rulebook.grade_scale("uy")
    assert uruguay.at(date(2025, 1, 26)).step == Decimal(1)
    assert uruguay.at(date(2025, 1, 27)).letters[0].grade == "EXCELENTE"


@pytest.mark.parametrize("system", [*rulebook.credit_systems(), *rulebook.grade_scales()])
def test_the_day_before_the_first_value_is_refused_with_file_and_earliest_day(system):
    first = system.values[0].since
    with pytest.raises(NoValueYet) as refusal:
        system.at(first - timedelta(days=1))
    (reason,) = refusal.value.reasons
    assert f"{system.slug}.yaml" in reason.params["place"]
    assert reason.params["earliest"] == first.isoformat()
    assert system.at(first) == system.values[0]


def test_an_unknown_slug_is_refused_with_those_that_exist():
    with pytest.raises(UnknownEntry, match=r"There is no credit system klingon. Known: brazil, clar, colombia"):
        rulebook.credit_system("klingon")
    with pytest.raises(UnknownEntry, match="There is no grade scale xx"):
        rulebook.grade_scale("xx")


def test_the_six_categories_carry_the_facts_of_the_definition():
    assert [(c.number, c.slug, c.credit, sorted(c.scope)) for c in rulebook.categories()] == [
        (1, "course", Credit.USUALLY, ["cross-border", "inter-institutional"]),
        (2, "programme", Credit.ALWAYS, ["cross-border"]),
        (3, "placement", Credit.SOMETIMES, ["cross-border"]),
        (4, "collaboration", Credit.MAY_BE, ["cross-border", "inter-institutional"]),
        (5, "preparation", Credit.MAY_BE, ["cross-border"]),
        (6, "switch", Credit.ALWAYS, ["cross-border"]),
    ]
    assert rulebook.category("placement").host == "organisation"


def test_thresholds_have_defaults_with_a_source():
    today = date(2026, 3, 1)
    assert rulebook.threshold("max-seats-per-student").at(today).value == 3
    assert rulebook.threshold("minimum-share-of-degree-passed").at(today).value == Decimal("0.20")
    assert rulebook.threshold("recognition-within-days").at(today).value == 35


def test_the_rulebook_is_read_once_and_has_a_version():
    assert rulebook.book() is rulebook.book()
    assert len(rulebook.version()) == 16
    assert int(rulebook.version(), 16) > 0
