"""A running exchange: check-ins, work of teams and students, who may need a word, the end, certificates."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange.collaborations.given import NOW, World, actor, at, fresh, of_code
from vsm.exchange.collaborations import actions
from vsm.exchange.collaborations.models import CheckIn, Exchange, Participant, Submission
from vsm.exchange.collaborations.queries import asks_check_in, watched
from vsm.exchange.credentials.models import Credential
from vsm.kit import clock
from vsm.kit.actions import available
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.models import Job
from vsm.kit.uploads import Upload

pytestmark = pytest.mark.django_db
START = date(2027, 2, 15)


def begin(world: World) -> Exchange:
    return world.running(at(START))


def check(participant: Participant, day: date, team: str = "4", load: str = "4", **facts: Any) -> CheckIn:
    return actions.check_in(participant, by=actor(participant.person), now=at(day), team_works=team, keeps_up=load, **facts)  # type: ignore[arg-type]


def hand(exchange: Exchange, key: str, who: Participant, day: date, **facts: Any) -> Submission:
    return actions.hand_in(exchange.tasks.get(key=key), by=actor(who.person), now=at(day), **{"text": "Here it is.", **facts})


def told(exchange: Exchange, day: date) -> dict[str, tuple[str, list[str]]]:
    return {each.participant.code: (each.standing.level.value, [reason.code for reason in each.standing.reasons]) for each in watched(exchange, at(day))}


def test_it_does_not_start_with_an_empty_class_or_somebody_without_a_team_or_too_early(world: World) -> None:
    with pytest.raises(Refused) as refused:
        actions.start(world.agreed(), by=actor(world.pilar), now=at(START))
    assert [reason.code for reason in refused.value.reasons] == ["class-empty", "class-empty"]


def test_a_task_is_offered_to_those_who_take_part_alone(world: World) -> None:
    exchange = begin(world)
    task, participant = exchange.tasks.get(key="T1"), exchange.participants.filter(state="active").first()
    assert participant is not None
    assert ["hand_in" in [entry.verb for entry in available(task, actor(who))] for who in (participant.person, world.pilar)] == [True, False]


def test_it_does_not_start_long_before_its_plan(world: World) -> None:
    with pytest.raises(Refused) as refused:
        actions.start(world.gathered(2, 2), by=actor(world.pilar), now=NOW)
    assert [reason.code for reason in refused.value.reasons] == ["without-team", "too-early"]


def test_a_check_in_is_asked_once_a_week_and_answered_anew_in_the_same_week(world: World) -> None:
    ana = of_code(begin(world), "CO-01")
    assert asks_check_in(ana, at(date(2027, 2, 18))) == START
    check(ana, date(2027, 2, 18))
    check(ana, date(2027, 2, 20), team="1")
    assert list(ana.check_ins.values_list("week", "team_works")) == [(START, 1)]
    assert (asks_check_in(ana, at(date(2027, 2, 21))), asks_check_in(ana, at(date(2027, 2, 22)))) == (None, date(2027, 2, 22))
    with pytest.raises(NotAllowed):
        actions.check_in(ana, by=actor(world.pilar), now=at(START), team_works="4", keeps_up="4")


def test_the_words_of_a_check_in_are_for_the_own_teacher_alone(world: World) -> None:
    ana = of_code(begin(world), "CO-01")
    check(ana, START, words="I feel lost.")
    assert [CheckIn.objects.visible_to(actor(who)).count() for who in (ana.person, world.pilar, world.remy, world.office, world.dora)] == [1, 1, 0, 0, 0]


def test_who_goes_silent_is_seen_after_one_week_and_urgent_after_two(world: World) -> None:
    exchange = begin(world)
    for each in exchange.participants.exclude(code="CO-01"):
        check(each, START)
        check(each, date(2027, 2, 22))
    check(of_code(exchange, "CO-02"), date(2027, 2, 22), wants_help=True)
    assert told(exchange, date(2027, 2, 21))["CO-01"] == ("fine", [])
    week = told(exchange, date(2027, 2, 22))
    assert (week["CO-01"], week["FR-01"]) == (("watch", ["check-ins-missed"]), ("fine", []))
    later = told(exchange, date(2027, 3, 1))
    assert later["CO-01"] == ("act", ["check-ins-missed", "tasks-missed"])
    assert later["CO-02"] == ("act", ["tasks-missed", "wants-help"])
    assert next(iter(later)) == "CO-01"


def test_a_contact_is_waited_for_and_answers_a_wish_for_help(world: World) -> None:
    exchange = begin(world)
    ana = of_code(exchange, "CO-01")
    check(ana, START, wants_help=True)
    assert told(exchange, date(2027, 2, 16))["CO-01"] == ("act", ["wants-help"])
    actions.note_contact(ana, by=actor(world.remy), now=at(date(2027, 2, 17)), how="Wrote; she is moving house.")
    assert told(exchange, date(2027, 2, 18))["CO-01"] == ("fine", [])
    with pytest.raises(NotAllowed):
        actions.note_contact(ana, by=actor(world.office), now=NOW, how="x")


def test_a_teams_work_counts_for_whoever_was_in_the_team_then(world: World) -> None:
    exchange = begin(world)
    mate, moved = of_code(exchange, "CO-01"), of_code(exchange, "CO-03")
    assert mate.team_id == moved.team_id
    made = hand(exchange, "T2", mate, date(2027, 3, 10), link="https://board.example/rivers")
    assert (made.team_name, sorted(made.members.values_list("code", flat=True)), made.is_late) == ("Team 1", ["CO-01", "CO-03", "CO-05", "FR-01", "FR-03", "FR-05"], False)
    actions.assign_team(moved, by=actor(world.pilar), now=at(date(2027, 3, 11)), team=str(exchange.teams.get(number=2).pk))
    missed = {each.participant.code: [str(r.params.get("tasks")) for r in each.standing.reasons if r.code == "tasks-missed"] for each in watched(exchange, at(date(2027, 3, 16)))}
    assert (missed["CO-03"], missed["CO-02"]) == (["['Introduce yourself']"], ["['Introduce yourself', 'Compare two rivers']"])


def test_late_work_is_taken_and_marked_and_nothing_is_overwritten(world: World) -> None:
    exchange = begin(world)
    ana = of_code(exchange, "CO-01")
    hand(exchange, "T1", ana, date(2027, 2, 20))
    late = hand(exchange, "T1", ana, date(2027, 2, 24), text="Better.")
    assert (late.is_late, Submission.objects.count()) == (True, 2)


@pytest.mark.parametrize(("facts", "code"), [({"text": ""}, "nothing"), ({"link": "javascript:alert(1)"}, "link"), ({"link": "ftp://x.example/a"}, "link")])
def test_what_cannot_be_handed_in_is_refused(world: World, facts: dict[str, Any], code: str) -> None:
    exchange = begin(world)
    with pytest.raises(Invalid) as refused:
        hand(exchange, "T1", of_code(exchange, "CO-01"), START, **facts)
    assert [reason.code for reason in refused.value.reasons] == [code]


def test_work_is_seen_by_the_team_and_the_two_teachers(world: World) -> None:
    exchange = begin(world)
    mate, other = of_code(exchange, "CO-01"), of_code(exchange, "CO-02")
    hand(exchange, "T2", mate, START, file=Upload.of("map.png", "image/png", b"png"))
    people = (mate.person, of_code(exchange, "FR-01").person, world.pilar, world.remy, other.person, world.office, world.dora)
    assert [Submission.objects.visible_to(actor(who)).count() for who in people] == [1, 1, 1, 1, 0, 0, 0]
    with pytest.raises(NotAllowed):
        actions.hand_in(exchange.tasks.get(key="T1"), by=actor(world.dora), now=at(START), text="x")


def test_the_weekly_reminder_goes_once_to_whoever_has_not_answered(world: World) -> None:
    exchange = begin(world)
    check(of_code(exchange, "CO-01"), START)

    def reminders(day: date) -> int:
        before = Job.objects.filter(path__endswith="check_in_due").count()
        with clock.stopped_at(at(day)):
            actions.remind_of_check_ins.call()
        return Job.objects.filter(path__endswith="check_in_due").count() - before

    assert [reminders(date(2027, 2, day)) for day in (17, 18, 18, 21, 25)] == [0, 10, 0, 0, 11]


def carried_through(world: World) -> Exchange:
    """Everybody of the first team does everything; the second hands in one task; one student leaves."""
    exchange = begin(world)
    people = {each.code: each for each in exchange.participants.all()}
    for week in range(9):
        for code, each in people.items():
            if each.team.number == 1 or (week < 2 and code != "CO-02"):
                check(each, START + timedelta(weeks=week))
    for key, day in (("T1", START), ("T4", date(2027, 4, 10))):
        for each in people.values():
            if each.team.number == 1:
                hand(exchange, key, each, day)
    for key, day in (("T2", date(2027, 3, 10)), ("T3", date(2027, 4, 1))):
        hand(exchange, key, people["CO-01"], day)
    hand(exchange, "T2", people["FR-02"], date(2027, 3, 10))
    actions.leave(people["CO-04"], by=actor(people["CO-04"].person), now=at(date(2027, 3, 20)))
    return actions.finish(exchange, by=actor(world.remy), now=at(date(2027, 4, 19)))


def test_it_does_not_finish_before_its_plan_ends(world: World) -> None:
    exchange = begin(world)
    with pytest.raises(Refused):
        actions.finish(exchange, by=actor(world.pilar), now=at(date(2027, 4, 17)))


def test_certificates_go_to_the_own_class_and_its_teacher_once_and_credit_only_where_home_gives_it(world: World) -> None:
    exchange = carried_through(world)
    states = dict(exchange.participants.values_list("code", "state"))
    assert states == {
        "CO-01": "completed", "CO-03": "completed", "CO-05": "completed", "FR-01": "completed", "FR-03": "completed", "FR-05": "completed",
        "CO-02": "incomplete", "CO-06": "incomplete", "FR-02": "incomplete", "FR-04": "incomplete", "CO-04": "left",
    }  # fmt: skip
    for _time in range(2):
        actions.certify(exchange, by=actor(world.pilar), now=at(date(2027, 4, 20)), staff_hours=Decimal(40))
    issued = {credential.person.name: credential for credential in Credential.objects.select_related("person")}
    assert sorted(issued) == ["Pilar", "Student CO 1", "Student CO 3", "Student CO 5"]
    award = issued["Student CO 1"].award
    assert (award["kind"], award["credits"], award["credit_system"], award["hours"], award["results"][0][1], award["results"][1][1]) == ("Badge", "1", "colombia", "30", "4 / 4", "9 / 9")
    assert award["title"]["es"].endswith("Ciudades y agua")
    assert (issued["Pilar"].award["kind"], issued["Pilar"].award["hours"], issued["Pilar"].award["credits"]) == ("Certificate", "40", "")
    actions.certify(exchange, by=actor(world.remy), now=at(date(2027, 4, 20)))
    assert {c.award["credits"] for c in Credential.objects.filter(organisation=world.lyon, award__kind="Badge")} == {""}
    assert Credential.objects.count() == 8


def test_credit_at_home_is_the_homes_own_decision(world: World) -> None:
    exchange = carried_through(world)
    ana = of_code(exchange, "CO-01")
    for who in (world.pilar, world.remy, world.office):
        with pytest.raises(NotAllowed):
            actions.recognise(ana, by=actor(who), now=NOW, home_credits=Decimal(1))
    done = actions.recognise(ana, by=actor(world.registrar), now=NOW, home_credits=Decimal("1.5"), home_code="ENV-1")
    assert (fresh(done).home_credits, done.home_code) == (Decimal("1.50"), "ENV-1")
    with pytest.raises(Refused):
        actions.recognise(of_code(exchange, "CO-02"), by=actor(world.registrar), now=NOW, home_credits=Decimal(1))
