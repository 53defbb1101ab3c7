"""Telling when one can meet and finding a time: the pages, who may ask about whom, and the answer in words."""

import re
from datetime import date, time
from html import unescape

import pytest
from django.test import Client
from django.utils import translation

from tests.exchange.sessions import given
from tests.exchange.sessions.given import NOW, World, actor, person
from vsm.exchange.people.models import Person
from vsm.exchange.sessions.actions import each_week, lead, make_series, member, tell_availability
from vsm.exchange.sessions.finding import (
    Answer,
    find,
    groups_for,
    hour_in_words,
    persons_of,
    rotation_in_words,
    who_can,
    why_nothing,
)
from vsm.exchange.sessions.models import Availability, Participant, Series
from vsm.exchange.sessions.queries import hour_choices, hours_of, hours_told
from vsm.exchange.sessions.slots import Rotation, Who, Wish
from vsm.kit import clock
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Invalid, NotAllowed
from vsm.kit.saying import say_reason

pytestmark = pytest.mark.django_db
TERM = Wish(date(2026, 8, 10), date(2026, 11, 29), "America/Santiago")


def client_of(who: Person) -> Client:
    client = Client()
    client.force_login(who, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def get(who: Person, path: str, **query: str) -> tuple[int, str]:
    with clock.stopped_at(NOW):
        answer = client_of(who).get(path, query)
    return answer.status_code, unescape(" ".join(answer.content.decode().split()))


# Telling when one can meet --------------------------------------------------------------------------------------------


def test_hours_are_told_by_ticking_and_shown_again(world: World) -> None:
    with clock.stopped_at(NOW):
        answer = client_of(world.ana).post("/availability/", {"hours": ["0-08", "0-09", "6-22"], "zone": "Asia/Calcutta", "delivery_key": "a"}, follow=True)
    told = Availability.objects.get(person=world.ana)
    assert (answer.status_code, told.zone, hours_of(world.ana)) == (200, "Asia/Kolkata", ["0-08", "0-09", "6-22"])
    assert hours_told(told.hours) == ["Monday 08:00–10:00", "Sunday 22:00–23:00"]
    assert answer.content.decode().count(" checked") == 3


def test_the_same_form_delivered_twice_counts_once_and_the_later_word_stands(world: World) -> None:
    client = client_of(world.ana)
    with clock.stopped_at(NOW):
        for hours, key in ((["0-08"], "a"), (["1-09"], "b"), (["0-08"], "a")):
            client.post("/availability/", {"hours": hours, "zone": "America/Lima", "delivery_key": key})
    assert hours_of(world.ana) == ["1-09"]


@pytest.mark.parametrize(("zone", "hours", "codes"), [("Nowhere", ["0-08"], ["no-such-zone"]), ("America/Lima", ["0-03", "7-08", "x"], ["no-such-hour"] * 3)])
def test_what_is_no_hour_or_zone_is_refused(world: World, zone: str, hours: list[str], codes: list[str]) -> None:
    with pytest.raises(Invalid) as refusal:
        tell_availability(world.ana, by=actor(world.ana), now=NOW, hours=hours, zone=zone)
    assert [reason.code for reason in refusal.value.reasons] == codes
    assert all("0-08 is Monday 08:00 to 09:00" in reason.text for reason in refusal.value.reasons if reason.code == "no-such-hour")
    status, shown = get(world.ana, "/availability/")
    assert (status, shown.count(" checked")) == (200, 60)


def test_nobody_tells_for_somebody_else_or_reads_their_hours(world: World) -> None:
    with pytest.raises(NotAllowed):
        tell_availability(world.ana, by=actor(world.bia), now=NOW, hours=[])
    tell_availability(world.ana, by=actor(world.ana), now=NOW, hours=["0-08"])
    assert [list(Availability.objects.visible_to(actor(who))) != [] for who in (world.ana, world.bia, world.teacher)] == [True, False, False]


# For whom -------------------------------------------------------------------------------------------------------------


def test_a_teacher_may_look_for_a_time_for_their_students_and_nobody_elses(world: World) -> None:
    mine, other = world.offering("Mine"), world.offering("Other")
    other.instructors.clear()
    given.enrolled(world, mine)
    asked = [f"offering:{mine.pk}", f"offering:{other.pk}", "offering:nonsense"]
    found = [persons_of(actor(who), asked, NOW.date()) for who in (world.teacher, world.dora, world.ana)]
    assert found == [[world.ana], [], []]


def test_a_series_is_offered_under_its_title_in_the_language_of_the_page(world: World) -> None:
    make_series(
        world.host, by=SYSTEM, now=NOW, title={"en": "Rivers", "es": "Ríos"}, zone="America/Lima",
        meetings=each_week(date(2026, 8, 11), date(2026, 8, 25), weekday=1, starts=time(13)), people=[lead(world.teacher)],
    )  # fmt: skip
    with translation.override("es"):
        assert [label for value, label in groups_for(actor(world.teacher), NOW.date()) if value.startswith("series:")] == ["Ríos"]


def test_what_is_told_and_what_is_in_the_timetable_both_count(world: World) -> None:
    given.enrolled(world, world.offering())
    tell_availability(world.ana, by=actor(world.ana), now=NOW, hours=[value for value, _label in hour_choices(world.ana, SYSTEM)], zone="America/Bogota")
    (ana,) = who_can([world.ana], TERM)
    assert (ana.zone, ana.can.count("1"), len(ana.busy)) == ("America/Bogota", 7 * 17, 16)


# The answer -----------------------------------------------------------------------------------------------------------


def test_an_hour_is_said_in_one_sentence_with_the_day_on_which_it_changes() -> None:
    people = [Who("l", "America/Lima"), Who("m", "Europe/Madrid"), Who("p", "Asia/Manila")]
    answer = Answer(people, Wish(date(2026, 3, 2), date(2026, 4, 26), "America/Lima"), [], None)
    assert hour_in_words(answer, 14) == "Monday: Lima 07:00, Madrid 13:00, Manila 20:00; from 30 March: Madrid 14:00"
    assert hour_in_words(answer, 40).startswith("Monday: Lima 20:00, Madrid Tuesday 02:00, Manila Tuesday 09:00")


def test_turns_are_told_week_by_week() -> None:
    people = [Who("l", "America/Lima"), Who("f", "Europe/Paris"), Who("m", "Asia/Manila")]
    answer = find(people, Wish(date(2026, 11, 2), date(2026, 11, 29), "Europe/Paris", 90, frozenset({date(2026, 11, 9)})))
    lines = rotation_in_words(answer)
    assert answer.rotation is not None
    assert answer.rotation.worst < answer.fixed[0].worst
    assert lines[0]["words"] == "Monday: Lima 07:00, Paris 13:00, Manila 20:00"
    assert len({line["words"].partition(":")[2] for line in lines}) > 1


def test_a_turn_tells_the_day_of_the_city_whose_weekday_it_names() -> None:
    people = [Who("a", "America/Los_Angeles"), Who("f", "Europe/Paris")]
    wish = Wish(date(2027, 3, 1), date(2027, 3, 7), "Europe/Paris")
    answer = Answer(people, wish, [], Rotation((60,), (0, 0), 0, 0, True))
    with translation.override("fr"):
        (line,) = rotation_in_words(answer)
    assert (line["day"], line["words"]) == (date(2027, 3, 1), "Lundi\u00a0: Los Angeles 21:00, Paris Mardi 06:00")


@pytest.mark.parametrize(
    ("zones", "minutes", "words"),
    [
        (["America/Lima", "Asia/Manila", "Africa/Nairobi", "Pacific/Honolulu"], 240, "for all of these places at once: Honolulu, Lima, Nairobi, Manila."),
        (["America/Lima", "Europe/Madrid", "Pacific/Honolulu"], 420, "these places have no hour in common: Madrid – Honolulu."),
    ],
)
def test_places_without_an_hour_in_common_are_named(zones: list[str], minutes: int, words: str) -> None:
    answer = find([Who(zone, zone) for zone in zones], Wish(date(2026, 8, 3), date(2026, 8, 30), "UTC", minutes))
    assert (answer.fixed, answer.rotation) == ([], None)
    assert words in say_reason(why_nothing(answer))


def test_the_page_answers_and_makes_the_series_with_its_invitations(world: World) -> None:
    given.enrolled(world, world.offering())
    offering = f"offering:{world.teacher.teaches.get().pk}"
    query = {"group": offering, "zones": "Europe/Madrid 2", "minutes": "60", "starts_on": "2026-08-10", "ends_on": "2026-10-04", "zone": "America/Santiago", "me": "1"}
    status, shown = get(world.teacher, "/find-a-time/", **query)
    assert status == 200
    assert "For 4 people: Lima 2 · Madrid 2" in shown.replace('<span class="number">', "").replace("</span>", "")
    key = shown.partition("choose=")[2].partition("#")[0]
    status, shown = get(world.teacher, "/find-a-time/", **query, choose=key)
    assert "Plan, and invite 2 people" in shown
    sent = {**query, "choose": key, "at": re.findall(r'name="at" value="([^"]+)"', shown), "title": "Seminar", "organisation": str(world.host.pk), "delivery_key": "k"}
    with clock.stopped_at(NOW):
        made, again = (client_of(world.teacher).post("/find-a-time/", sent) for _time in range(2))
    series = Series.objects.get()
    assert (made.status_code, again["Location"]) == (302, made["Location"])
    assert (series.sessions.count(), series.zone) == (8, "America/Santiago")
    assert set(Participant.objects.filter(series=series).values_list("person__name", "part")) == {("Ana", "member"), ("Tomás", "lead")}


def test_a_student_finds_hours_but_plans_for_nobody(world: World) -> None:
    query = {"zones": "Europe/Madrid 2", "starts_on": "2026-08-10", "ends_on": "2026-10-04"}
    _status, shown = get(world.ana, "/find-a-time/", **query)
    key = shown.partition("choose=")[2].partition("#")[0]
    assert "planned by instructors and coordinators" in get(world.ana, "/find-a-time/", **query, choose=key)[1]
    with clock.stopped_at(NOW):
        answer = client_of(world.ana).post("/find-a-time/", {**query, "choose": key, "title": "x", "organisation": str(world.host.pk)})
    assert (answer.status_code, Series.objects.count()) == (404, 0)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"zones": "Mars/Base 3"}, "“Mars/Base” is no time zone"),
        ({"zones": "America/Lima", "zone": "America/Limma"}, "Perhaps: America/Lima"),
        ({"zones": "America/Lima", "starts_on": "2026-09-01", "ends_on": "2026-08-01"}, "The last day is before the first."),
        ({"zones": "America/Lima", "starts_on": "2026-09-01", "ends_on": "2029-08-01"}, "a year or less"),
        ({"zones": "America/Lima 500"}, "500 people are too many"),
        ({"zones": "America/Lima", "minutes": "5"}, "between 15 minutes and 8 hours"),
        ({"group": "offering:nothing"}, "nobody is meant yet"),
    ],
)
def test_a_question_that_cannot_be_asked_is_told_why(world: World, query: dict[str, str], words: str) -> None:
    status, shown = get(world.teacher, "/find-a-time/", **query)
    assert status == 422
    assert words in shown


@pytest.mark.parametrize("query", [{"starts_on": "x", "zones": "America/Lima"}, {"zones": "America/Lima \x00"}, {"minutes": "²", "zones": "America/Lima"}, {"choose": "fixed-99999", "zones": "America/Lima"}])
def test_nonsense_breaks_nothing(world: World, query: dict[str, str]) -> None:
    assert get(world.teacher, "/find-a-time/", **query)[0] in {200, 422}


# The page of a meeting ------------------------------------------------------------------------------------------------


def test_a_meetings_page_tells_the_ways_in_from_the_lightest_on(world: World) -> None:
    series = make_series(
        world.host, by=SYSTEM, now=NOW, title={"en": "Team"}, zone="Europe/Paris", bandwidth="audio", dial_in="+33 1 23 45", join_url="https://meet.example/t",
        meetings=each_week(date(2026, 8, 11), date(2026, 8, 25), weekday=1, starts=time(13)), people=[lead(world.teacher), member(world.ana), member(person("Ben", zone="Asia/Manila"))],
    )  # fmt: skip
    session = series.sessions.order_by("number")[0]
    _status, shown = get(world.ana, f"/sessions/{session.pk}/")
    ways = shown[shown.index("Ways to take part") :]
    assert [ways.index(words) for words in ("tel:+3312345", "In text", "Join, camera off", "If the connection breaks", "On everybody’s wall")] == sorted(
        ways.index(words) for words in ("tel:+3312345", "In text", "Join, camera off", "If the connection breaks", "On everybody’s wall")
    )
    assert "With video" not in shown
    assert "Tuesday 19:00–20:00" in shown
    assert get(world.dora, f"/sessions/{session.pk}/")[0] == 404
