"""Companions are paired as well as is possible; joining, assessing, completing and requiring follow their rules."""

import random
from datetime import UTC, date, datetime
from itertools import permutations
from types import SimpleNamespace
from uuid import uuid4

import pytest

from vsm.exchange.preparations.matching import Companion, Pair, Traveller, judge, pair_up
from vsm.exchange.preparations.rules import (
    Done,
    gaps,
    module_problems,
    moment_of,
    preparation_problems,
    requirement_problems,
    why_not_assess,
    why_not_complete,
    why_not_join,
)
from vsm.kit.actions import TABLE
from vsm.kit.actors import Actor

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def codes(reasons: object) -> list[str]:
    return [reason.code for reason in reasons]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("who", "student_agreed", "companion_agreed", "offered"), [
    ("ana", None, None, True), ("ana", NOW, None, False), ("ines", NOW, None, True), ("ines", None, NOW, False), ("ana", None, NOW, True), ("bia", NOW, None, True),
])  # fmt: skip
def test_whoever_has_said_yes_is_not_asked_again(who: str, student_agreed: datetime | None, companion_agreed: datetime | None, offered: bool) -> None:
    ids = {"ana": uuid4(), "ines": uuid4(), "bia": uuid4()}
    pairing = SimpleNamespace(
        participation=SimpleNamespace(student_id=ids["ana"]), companion=SimpleNamespace(person_id=ids["ines"]), student_agreed_at=student_agreed, companion_agreed_at=companion_agreed,
    )  # fmt: skip
    waits = TABLE["pairing", "agree"].waits_for
    assert waits is not None
    assert waits(pairing, Actor(person_id=ids[who], label=who)) is offered  # type: ignore[arg-type]


def traveller(name: str, *languages: str, field: str = "0311", zone: str = "America/Lima") -> Traveller:
    return Traveller(name, frozenset(languages), field, zone)


def companion(name: str, *languages: str, field: str = "0311", zone: str = "Europe/Lisbon", kind: str = "peer", places: int = 1) -> Companion:
    return Companion(name, frozenset(languages), field, zone, kind, places)


def paired(students: list[Traveller], companions: list[Companion], never: set[tuple[str, str]] | None = None) -> list[Pair]:
    return pair_up(students, companions, host_language="pt", now=NOW, never=never or set())


def test_reasons_and_points_belong_together() -> None:
    points, why = judge(traveller("s", "es", "pt"), companion("c", "pt", kind="alumni", zone="America/Bogota"), host_language="pt", now=NOW)
    assert (points, [each.code for each in why]) == (11, ["language", "host-language", "field", "zone", "alumni"])


def test_without_a_common_language_nobody_is_paired() -> None:
    assert paired([traveller("s", "es")], [companion("c", "pt")]) == []


def test_a_companion_gets_no_more_students_than_they_offered_places() -> None:
    found = paired([traveller(f"s{each}", "pt") for each in range(5)], [companion("c", "pt", places=2), companion("d", "pt", field="0911")])
    assert sorted(each.companion for each in found) == ["c", "c", "d"]


def test_those_who_declined_each_other_are_not_proposed_again() -> None:
    students, companions = [traveller("s", "pt")], [companion("c", "pt"), companion("d", "pt", field="0911")]
    assert [(each.student, each.companion) for each in paired(students, companions)] == [("s", "c")]
    assert [(each.student, each.companion) for each in paired(students, companions, {("s", "c")})] == [("s", "d")]


@pytest.mark.parametrize("seed", range(25))
def test_the_pairing_is_the_best_of_all(seed: int) -> None:
    rng = random.Random(seed)
    some = lambda: [code for code in ("es", "pt", "en", "fr") if rng.random() < 0.5] or ["en"]  # noqa: E731 -- one line of the generator
    students = [traveller(f"s{each}", *some(), field=rng.choice(["0311", "0421"]), zone=rng.choice(["America/Lima", "Europe/Paris"])) for each in range(rng.randint(1, 5))]
    companions = [companion(f"c{each}", *some(), field=rng.choice(["0311", "0421"]), kind=rng.choice(["peer", "alumni"])) for each in range(rng.randint(1, 5))]
    found = paired(students, companions)
    values = {(one.id, other.id): judge(one, other, host_language="pt", now=NOW)[0] for one in students for other in companions}
    columns: list[Companion | None] = [*companions, *([None] * len(students))]
    best = max(sum(values[one.id, other.id] if other else 0 for one, other in zip(students, chosen, strict=True)) for chosen in set(permutations(columns, len(students))))
    assert sum(each.points for each in found) == best, f"seed {seed}"
    shuffled = students[::-1], companions[::-1]
    assert paired(list(shuffled[0]), list(shuffled[1])) == found


def test_a_preparation_is_stated_sensibly_and_has_something_to_do_before_it_opens() -> None:
    assert codes(preparation_problems(starts_on=date(2027, 3, 1), ends_on=date(2027, 5, 1), chosen=["language"], meetings_needed=2, title=True)) == []
    assert codes(preparation_problems(starts_on=date(2027, 3, 1), ends_on=date(2027, 3, 1), chosen=["astrology"], meetings_needed=-1, title=False)) == [
        "title-missing", "dates-order", "instrument", "meetings-needed",
    ]  # fmt: skip
    assert codes(gaps(modules=0, meetings=0, chosen=[], meetings_needed=1)) == ["nothing-to-do", "no-instrument", "too-few-meetings"]
    assert codes(gaps(modules=1, meetings=0, chosen=["language"], meetings_needed=0)) == []


def test_one_prepares_for_a_stay_to_come_at_the_same_host() -> None:
    today = date(2027, 3, 1)
    assert codes(why_not_join(starts_on=date(2027, 3, 2), cancelled=False, today=today, host_matches=True)) == []
    assert codes(why_not_join(starts_on=today, cancelled=True, today=today, host_matches=False)) == ["mobility-cancelled", "mobility-begun", "another-host"]


def test_there_is_one_assessment_before_and_one_after_with_some_days_between() -> None:
    assert [moment_of(taken) for taken in ([], ["before"], ["before", "after"])] == ["before", "after", ""]
    first = date(2027, 3, 1)
    assert codes(why_not_assess("before", first_on=None, today=first, days=7)) == []
    assert codes(why_not_assess("after", first_on=first, today=date(2027, 3, 7), days=7)) == ["too-soon"]
    assert codes(why_not_assess("after", first_on=first, today=date(2027, 3, 8), days=7)) == []
    assert codes(why_not_assess("", first_on=first, today=date(2027, 9, 1), days=7)) == ["both-taken"]


def test_everything_that_is_missing_for_completion_is_told_at_once() -> None:
    needed = [("m1", {"en": "Housing"}), ("m2", {"en": "Health"})]
    both = {("language", "before"), ("language", "after")}
    assert codes(why_not_complete(Done({"m1", "m2"}, needed, both, ["language"], 2, 2))) == []
    assert codes(why_not_complete(Done({"m1"}, needed, {("language", "before")}, ["language", "confidence"], 1, 2))) == [
        "module-open", "assessment-after", "assessment-before", "assessment-after", "meetings-missing",
    ]  # fmt: skip


def test_home_asks_with_a_reason_and_a_day_before_the_stay_begins() -> None:
    facts = {"starts_on": date(2027, 9, 1), "today": date(2027, 3, 1)}
    assert codes(requirement_problems(kind="condition", due_on=date(2027, 9, 1), **facts)) == []
    assert codes(requirement_problems(kind="order", due_on=date(2027, 9, 2), **facts)) == ["kind", "due"]


def test_a_link_says_how_heavy_it_is_and_a_page_has_a_text() -> None:
    assert codes(module_problems(kind="page", url="", has_body=True, has_title=True, kilobytes=None, minutes=20)) == []
    assert codes(module_problems(kind="page", url="", has_body=False, has_title=False, kilobytes=None, minutes=0)) == ["title-missing", "body-missing", "minutes"]
    assert codes(module_problems(kind="link", url="www.example.org", has_body=False, has_title=True, kilobytes=None, minutes=5)) == ["url", "size-missing"]
    assert codes(module_problems(kind="link", url="https://example.org", has_body=False, has_title=True, kilobytes=-1, minutes=5)) == ["size"]
