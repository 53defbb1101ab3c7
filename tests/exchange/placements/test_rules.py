"""The rules of placements, on plain values."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import combinations
from uuid import UUID

import pytest
from django.utils.translation import override

from vsm import rulebook
from vsm.exchange.placements.rules import agreement, running, vacancies, vetting
from vsm.exchange.placements.rules.agreement import Content
from vsm.exchange.placements.rules.running import Day, Standing, Terms
from vsm.exchange.placements.rules.vacancies import Slot, Work
from vsm.exchange.placements.rules.vetting import Checked
from vsm.kit.saying import say_reason, say_reasons
from vsm.rulebook.placements import criteria, days_for, hours_limit, instrument, vetting_months

ON = date(2026, 9, 7)
FAR = date(2030, 1, 1)
NOW = datetime(2026, 8, 3, 15, tzinfo=UTC)
LIMIT = hours_limit(["UY", "PE"], ON)
MET = {each.slug: Checked(each.slug, "met", FAR if each.expires else None) for each in criteria()}
TERMS = Terms(first=ON, last=date(2026, 9, 30), per_week=Decimal(20), limit=LIMIT, rested=frozenset({date(2026, 9, 10)}))


def codes(reasons: object) -> list[str]:
    return [reason.code for reason in reasons]  # type: ignore[attr-defined]


# Vetting --------------------------------------------------------------------------------------------------------------


def test_the_checklist_has_what_hosts_are_vetted_for() -> None:
    assert [each.slug for each in criteria()] == [
        "identity", "purpose", "age-and-size", "insurance", "emergency-plan", "data-protection", "working-conditions", "safeguarding",
    ]  # fmt: skip


def test_a_host_is_vetted_only_when_every_point_is_met_with_evidence_that_holds() -> None:
    assert list(vetting.why_not_vetted(criteria(), MET, ON)) == []
    assert codes(vetting.why_not_vetted(criteria(), {}, ON)) == ["not-checked"] * 8
    spoiled = {**MET, "insurance": Checked("insurance", "met", ON - timedelta(days=1)), "purpose": Checked("purpose", "not-met"), "identity": Checked("identity", "given")}
    assert sorted(codes(vetting.why_not_vetted(criteria(), spoiled, ON))) == ["evidence-expired", "not-checked", "not-met"]


@pytest.mark.parametrize(("insured_until", "ends"), [(FAR, date(2028, 9, 7)), (date(2027, 3, 1), date(2027, 3, 1))])
def test_a_vetting_ends_with_its_term_or_with_the_first_document(insured_until: date, ends: date) -> None:
    held = {**MET, "insurance": Checked("insurance", "met", insured_until)}
    assert vetting.valid_until(criteria(), held, ON, vetting_months(ON)) == ends


def test_a_document_that_expires_needs_its_last_day_and_one_in_the_future() -> None:
    point = next(each for each in criteria() if each.expires)
    assert codes(vetting.check_problems(point, "met", "seen", None, ON)) == ["expiry-missing"]
    assert codes(vetting.check_problems(point, "met", "seen", ON - timedelta(days=1), ON)) == ["expired-already"]
    assert codes(vetting.check_problems(point, "missing", " ", None, ON)) == ["evidence-missing"]
    assert codes(vetting.check_problems(None, "met", "seen", None, ON)) == ["criterion-unknown"]


# The law --------------------------------------------------------------------------------------------------------------


def test_the_stricter_of_both_countries_laws_holds() -> None:
    assert (LIMIT.day, LIMIT.week, LIMIT.week_from[0]) == (6, 30, "PE")
    assert hours_limit(["BR", "AR"], ON).week == 20
    assert (hours_limit(["AR", "BR"], ON).day, hours_limit(["AR", "BR"], ON).day_from[0]) == (6, "BR")
    assert (hours_limit(["UY"], ON).week, hours_limit(["UY"], ON).week_from[0]) == (48, "*")


def test_a_law_counts_from_its_first_day() -> None:
    assert hours_limit(["PE"], date(2000, 1, 1)).week == 48


def test_each_limit_has_its_source() -> None:
    assert "Ley 28518" in str(LIMIT.week_from[1])
    assert not LIMIT.is_verified
    assert hours_limit(["BR"], ON).is_verified


# Vacancies ------------------------------------------------------------------------------------------------------------


def work(**facts: object) -> Work:
    plain = {
        "hours_per_week": Decimal(20), "core_from": time(10), "core_to": time(14), "pay": None, "currency": "", "pay_period": "none",
        "apply_by": NOW + timedelta(days=10), "starts_on": ON, "ends_on": date(2027, 1, 1), "places": 1, "respond_hours": 48, "supervisor_email": "m@x.example",
    }  # fmt: skip
    return Work(**{**plain, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, []), ({"hours_per_week": Decimal(31)}, ["hours-above-law"]), ({"hours_per_week": Decimal(0)}, ["hours"]), ({"core_to": None}, ["core-half"]),
        ({"core_to": time(9)}, ["core-order"]), ({"pay": Decimal(5)}, ["pay-without-period"]), ({"pay_period": "month"}, ["pay-missing", "currency"]),
        ({"ends_on": ON - timedelta(days=1)}, ["dates-order"]), ({"apply_by": NOW}, ["apply-by-past"]), ({"places": 0}, ["places"]),
        ({"apply_by": datetime(2027, 1, 1, tzinfo=UTC)}, ["apply-by-late"]), ({"ends_on": FAR}, ["dates-far"]),
        ({"starts_on": date(9999, 12, 1), "ends_on": date(9999, 12, 31)}, ["dates-far"]), ({"respond_hours": 1, "supervisor_email": "x"}, ["respond-hours", "email"]),
    ],
)  # fmt: skip
def test_a_vacancy_tells_every_problem(facts: dict[str, object], expected: list[str]) -> None:
    assert codes(vacancies.vacancy_problems(work(**facts), NOW, LIMIT)) == expected


def test_overlap_follows_both_clocks() -> None:
    assert vacancies.overlap_minutes(time(10), time(14), "America/Montevideo", "America/Lima", ON) == 240
    assert vacancies.overlap_minutes(time(10), time(14), "America/Montevideo", "Asia/Manila", ON) == 60  # 21:00 to 01:00 in Manila
    madrid = [vacancies.overlap_minutes(time(17), time(20), "America/Montevideo", "Europe/Madrid", day) for day in (date(2026, 10, 20), date(2026, 10, 27))]
    assert madrid == [0, 60]  # 22:00 to 01:00 in summer, 21:00 to 00:00 in winter


def test_nobody_is_in_two_conversations_at_once() -> None:
    def slot(hour: int, who: str = "Mario") -> Slot:
        at = datetime(2026, 9, 1, hour, tzinfo=UTC)
        return Slot(at, at + timedelta(minutes=60), who)

    assert list(vacancies.slot_problems([slot(10), slot(11), slot(10, "Elena")], [slot(9)], NOW)) == []
    assert codes(vacancies.slot_problems([slot(10)], [slot(10, "MARIO")], NOW)) == ["slots-overlap"]
    long = Slot(NOW - timedelta(hours=9), NOW, "Mario")
    assert codes(vacancies.slot_problems([long], [], NOW)) == ["slot-past", "slot-length"]


def test_places_go_by_the_hosts_order_and_never_by_who_was_first() -> None:
    ranking = [UUID(int=number) for number in range(4)]
    for waiting in (set(combination) for size in range(5) for combination in combinations(ranking, size)):
        for held in range(4):
            chosen = vacancies.next_offers(ranking, waiting, 3, held)
            assert chosen == tuple(pk for pk in ranking if pk in waiting)[: max(0, 3 - held)]


# Starting -------------------------------------------------------------------------------------------------------------


READY = Standing(
    signed_version=2, vetted_until=FAR, is_vetted=True, insured_from=ON, insured_until=FAR, starts_on=ON, ends_on=date(2026, 12, 1), has_officer=True
)  # fmt: skip
SPOILED = {
    "unsigned": {"signed_version": 0}, "host-not-vetted": {"vetted_until": ON - timedelta(days=1)}, "uninsured": {"insured_until": None},
    "officer-missing": {"has_officer": False}, "too-early": {"starts_on": ON + timedelta(days=1)},
}  # fmt: skip


def test_everything_in_order_starts() -> None:
    assert list(running.why_not_start(READY, ON)) == []


@pytest.mark.parametrize("spoiled", [each for size in range(1, 6) for each in combinations(SPOILED, size)])
def test_whatever_is_missing_keeps_it_from_starting_and_all_of_it_is_told(spoiled: tuple[str, ...]) -> None:
    facts = {name: value for code in spoiled for name, value in SPOILED[code].items()}
    assert codes(running.why_not_start(replace(READY, **facts), ON)) == list(spoiled)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"is_vetted": False}, "host-not-vetted"), ({"insured_from": ON + timedelta(days=1)}, "insurance-not-now"),
        ({"insured_until": date(2026, 11, 30)}, "insurance-too-short"), ({"ends_on": ON - timedelta(days=1)}, "too-late"),
    ],
)  # fmt: skip
def test_vetting_insurance_and_days_must_hold_on_the_day(facts: dict[str, object], code: str) -> None:
    assert codes(running.why_not_start(replace(READY, **facts), ON)) == [code]  # type: ignore[arg-type]


# Hours ----------------------------------------------------------------------------------------------------------------


def day(number: int, hours: str = "4", what: str = "Worked") -> Day:
    return Day(date(2026, 9, number), Decimal(hours), what)


def test_hours_within_the_terms_are_fine_and_the_same_again_too() -> None:
    rows = [day(7), day(8), day(9), day(11), day(12)]
    assert list(running.hours_problems(rows, {}, TERMS)) == []
    assert list(running.hours_problems(rows, {row.day: row for row in rows}, TERMS)) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([day(6)], ["day-outside"]), ([day(10)], ["day-rested"]), ([day(7, "0")], ["hours-impossible"]), ([day(7, "25")], ["hours-impossible", "week-above-agreement"]),
        ([day(7, "6.5")], ["day-above-law"]), ([day(7, "4", " ")], ["what-missing"]), ([day(7), day(7)], ["day-twice"]),
        ([day(7, "5"), day(8, "5"), day(9, "5"), day(11, "5.5")], ["week-above-agreement"]),
        ([day(number, "6") for number in (7, 8, 9, 11, 12, 13)], ["week-above-law"]),
    ],
)  # fmt: skip
def test_hours_outside_of_the_terms_are_told(rows: list[Day], expected: list[str]) -> None:
    assert codes(running.hours_problems(rows, {}, TERMS)) == expected


def test_weeks_begin_on_monday_and_count_what_is_held_already() -> None:
    held = {row.day: row for row in (day(12, "6"), day(13, "6"), day(11, "6"))}
    assert codes(running.hours_problems([day(9, "3")], held, TERMS)) == ["week-above-agreement"]
    assert list(running.hours_problems([day(14, "6")], held, TERMS)) == []


def test_hours_are_told_without_zeros_at_the_end() -> None:
    terms = replace(TERMS, per_week=Decimal("20.0"))
    found, = running.hours_problems([day(7, "6.00"), day(8, "6.00"), day(9, "5"), day(11, "4.50")], {}, terms)
    assert say_reason(found).startswith("The week of 7 Sep 2026 comes to 21.5 hours: more than the 20 that were agreed.")


def test_a_day_written_down_differently_is_no_new_day() -> None:
    assert codes(running.hours_problems([day(7, "5")], {day(7).day: day(7)}, TERMS)) == ["day-taken"]


def test_a_correction_counts_instead_of_what_stood_before() -> None:
    others = {row.day: row for row in (day(8, "6"), day(9, "6"))}
    assert list(running.correction_problems(day(7, "6"), others, TERMS)) == []
    assert codes(running.correction_problems(day(7, "9"), others, TERMS)) == ["day-above-law", "week-above-agreement"]


def test_hours_become_credits_by_the_hours_of_one_credit() -> None:
    value = rulebook.credit_system("ects").at(ON)
    found = running.credits_for(Decimal(240), value, rulebook.rounding().step)
    assert (value.hours_low, value.hours_high) == (25, 30)
    assert (found.low, found.high) == (Decimal("8.00"), Decimal("9.60"))
    assert found.low <= found.value <= found.high


# Evaluations ----------------------------------------------------------------------------------------------------------


def test_each_side_answers_its_own_lines_on_the_scale() -> None:
    asked = [each.slug for each in instrument(ON).asked_of("host")]
    assert "initiative" in asked
    assert "respect" not in asked
    assert list(running.answer_problems(dict.fromkeys(asked, "5"), asked, 1, 5)) == []
    assert codes(running.answer_problems({**dict.fromkeys(asked[1:], "9"), "respect": "3"}, asked, 1, 5)) == ["unanswered", *["off-scale"] * (len(asked) - 1), "question-unknown"]


def test_evaluations_open_shortly_before_they_are_due() -> None:
    days = {"starts_on": ON, "ends_on": ON + timedelta(days=80)}
    assert running.due_on("mid", **days) == ON + timedelta(days=40)
    assert [running.is_open("mid", **days, on=ON + timedelta(days=n), is_over=False) for n in (32, 33)] == [False, True]
    assert [running.is_open("final", **days, on=ON + timedelta(days=n), is_over=False) for n in (65, 66)] == [False, True]
    assert running.is_open("final", **days, on=ON + timedelta(days=3), is_over=True)


def test_deadlines_stand_in_the_rulebook() -> None:
    assert {slug: days_for(slug, ON) for slug in ("concern-acknowledged", "evaluation-in", "certificate-issued", "vetting-reminder")} == {
        "concern-acknowledged": 2, "evaluation-in": 7, "certificate-issued": 35, "vetting-reminder": 45,
    }  # fmt: skip


# The agreement's text -------------------------------------------------------------------------------------------------


TEXT = Content(
    agreement="a", number=1, follows="", title={"en": "Data"}, student={"id": "s", "name": "Ana", "number": "1", "programme": "P"},
    home={"id": "h", "name": {"en": "Home"}, "country": "PE"}, host={"id": "o", "name": "Host", "country": "UY", "registration": ""}, tasks="t", outcomes="o",
    hours_per_week="20", most_hours_per_week="30", limit_source="PE", starts_on="2026-09-07", ends_on="2026-11-27", zone="America/Montevideo", core_hours="", language="es",
    mentor={"name": "Mario", "email": "m@x.example"}, tutor={"id": "t", "name": "Tito", "email": "t@x.example"}, pay="", currency="", pay_period="none", equipment="e",
    insurance="i", data_and_ip="d", confidentiality="c", officer={"name": "Tito", "email": "t@x.example"}, complaints="c",
)  # fmt: skip


def test_the_same_text_has_the_same_digest_and_any_other_has_another() -> None:
    assert agreement.digest_of(agreement.from_json(agreement.as_json(TEXT))) == agreement.digest_of(TEXT)
    others = [replace(TEXT, **{name: "x"}) for name in ("tasks", "insurance", "pay", "ends_on", "complaints")]  # type: ignore[arg-type]
    assert len({agreement.digest_of(text) for text in (TEXT, *others)}) == 6


def test_a_complete_text_may_be_signed() -> None:
    assert list(agreement.why_incomplete(TEXT, LIMIT)) == []


@pytest.mark.parametrize("name", agreement.NEEDED)
def test_each_part_must_be_agreed(name: str) -> None:
    assert codes(agreement.why_incomplete(replace(TEXT, **{name: " "}), LIMIT)) == ["part-missing"]  # type: ignore[arg-type]


def test_people_hours_and_days_must_be_settled() -> None:
    text = replace(TEXT, hours_per_week="31", mentor={}, tutor={}, officer={}, ends_on="2026-09-01")
    assert codes(agreement.why_incomplete(text, LIMIT)) == ["hours-above-law", "dates-order", "mentor-missing", "tutor-missing", "officer-missing"]


def test_a_reader_is_told_every_difference() -> None:
    after = replace(TEXT, number=2, ends_on="2026-12-18", mentor={"name": "Elena", "email": "e@x.example"}, title={**TEXT.title, "es": "Otra cosa"}, language="fr", pay_period="hour")
    with override("es"):
        said = say_reasons(agreement.told(change) for change in agreement.differences(replace(TEXT, language="es", pay_period="none"), after))
    assert said == [
        "Título: antes “Data”, ahora “Otra cosa”.",
        "Último día: antes “27 de noviembre de 2026”, ahora “18 de diciembre de 2026”.",
        "Idioma de trabajo: antes “español”, ahora “francés”.",
        "Mentor en la organización: antes “Mario · m@x.example”, ahora “Elena · e@x.example”.",
        "Se paga: antes “no se paga nada”, ahora “por hora”.",
    ]


def test_nobody_signs_for_two_sides_nor_twice() -> None:
    bia = UUID(int=1)
    assert codes(agreement.why_not_sign("host", sides=("home", "host"), signed=("host",), earlier={bia: "home"}, person=bia)) == ["already-signed", "one-side-each"]
    assert codes(agreement.why_not_sign("student", sides=(), signed=(), earlier={}, person=bia)) == ["not-your-side"]
