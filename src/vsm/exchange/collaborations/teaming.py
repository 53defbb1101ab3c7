"""Mixed-country teams of an exchange: formed by the teams engine, balanced again with as few moves as possible, explained."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from vsm.exchange.collaborations.exchange_queries import local_day, monday_of, team_name
from vsm.exchange.collaborations.models import Exchange, ExchangeTeam, Participant
from vsm.exchange.collaborations.rules import Side
from vsm.exchange.collaborations.states import EXCHANGE_STEPS, PARTICIPANT_STEPS, ExchangeState, ParticipantState
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

TEACHERS = ("self@first_teacher", "self@second_teacher")
MOST_SKILLS = 6
NEW = "new"


@dataclass(frozen=True)
class TeamFacts:
    """A team as other modules need it: its name and who is in it today."""

    name: str
    members: tuple[Participant, ...]


def team_of(participant: Participant) -> TeamFacts | None:
    """The team that this participant is in today."""
    if participant.team is None:
        return None
    members = participant.team.members.filter(state=ParticipantState.ACTIVE).select_related("person")
    return TeamFacts(team_name(participant.team.number), tuple(members))


def without_team(exchange: Exchange) -> list[Participant]:
    """Who takes part and is in no team yet."""
    return list(exchange.participants.filter(state=ParticipantState.ACTIVE, team=None))


def _waits_for_teams(exchange: Exchange) -> bool:
    """Whether both classes are here and nobody has formed teams yet."""
    sides = set(exchange.participants.filter(state=ParticipantState.ACTIVE).values_list("side", flat=True))
    return len(sides) == len(Side) and not exchange.teams.exists()


def team_choices(participant: Any, _actor: Actor) -> list[tuple[str, str]]:
    return [*((str(team.pk), team_name(team.number)) for team in participant.exchange.teams.all()), (NEW, _now("A new team"))]


@action("form_teams", on=Exchange, label=_("Form teams"), allow=TEACHERS, step=EXCHANGE_STEPS["form_teams"], tone="primary", due=_waits_for_teams)
def form_teams(
    exchange: Exchange, *, by: Actor, now: datetime,
    size: Annotated[int, Ask(_("Students in a team"), _("Four to six work best: small enough to meet, large enough to lose one."))] = 5,
    nobody_alone: Annotated[bool, Ask(_("Nobody is the only one of their gender in a team"), _("Only as far as students stated one."))] = False,
    seed: Annotated[str, Ask(_("Seed of the draw"), _("Any words; the same words give the same teams again."), limit=64)] = "",
) -> Exchange:  # fmt: skip
    """Form mixed-country teams: both classes in each, one language for all, an hour at which all can meet.

    Refused, with what to loosen, when the rules cannot be met. Once work is handed in, teams are balanced again instead.
    """
    people = _active(exchange)
    if exchange.state == ExchangeState.RUNNING and any(task.submissions.exists() for task in exchange.tasks.filter(kind="team")):
        raise Refused(Reason("work-begun", N_("Teams have handed in work. Balance the teams again instead: it moves as few as possible.")))
    problem = _problem(exchange, people, size=size, nobody_alone=nobody_alone, seed=seed or str(exchange.pk), now=now)
    from vsm.exchange.teams import explain
    from vsm.exchange.teams.solver import form

    Refused.because(explain.impossible(problem))
    formation = form(problem, effort=_effort(len(people)))
    _require_kept(problem, formation)
    exchange.teams.all().delete()
    _write(exchange, people, formation.teams, problem, by=by, now=now)
    exchange.save()
    return exchange


@action("rebalance", on=Exchange, label=_("Balance the teams again"), allow=TEACHERS, step=EXCHANGE_STEPS["rebalance"], tone="primary", due=lambda exchange: bool(without_team(exchange)))
def rebalance(
    exchange: Exchange, *, by: Actor, now: datetime,
    size: Annotated[int, Ask(_("Students in a team"), start=lambda e, _a: _usual_size(e))] = 5,
    because: Annotated[str, Ask(_("Why? (shown in the history)"), kind="long_text", limit=1000)] = "",
) -> Exchange:  # fmt: skip
    """After some left or came: keep the teams and move as few people as possible. Only those who move are written to.

    How many moved stands on the exchange.
    """
    people = _active(exchange)
    problem = _problem(exchange, people, size=size, nobody_alone=False, seed=str(exchange.pk), now=now)
    from vsm.exchange.teams.solver import rebalance as keep_and_move

    held: dict[UUID, list[str]] = {team.pk: [] for team in exchange.teams.order_by("number")}
    for each in people:
        if each.team_id is not None:
            held[each.team_id].append(str(each.pk))
    current = list(held.values())
    formation = keep_and_move(problem, current, effort=_effort(len(people)))
    _require_kept(problem, formation)
    held_by = {each.pk: each.team_id for each in people}
    _keep_teams(exchange, people, formation.teams, problem, by=by, now=now)
    exchange.balanced_at, exchange.moved = now, sum(held_by[each.pk] not in (None, each.team_id) for each in people)
    exchange.save()
    return exchange


@action("assign_team", on=Participant, label=_("Choose the team by hand"), allow=("self@exchange.first_teacher", "self@exchange.second_teacher"), step=PARTICIPANT_STEPS["note_contact"], when=lambda p: p.exchange.state in ("agreed", "running"))
def assign_team(
    participant: Participant, *, by: Actor, now: datetime,
    team: Annotated[str, Ask(_("Team"), choices=team_choices, limit=36)],
    because: Annotated[str, Ask(_("Why? (shown in the history)"), kind="long_text", limit=1000)] = "",
) -> Participant:  # fmt: skip
    """Put one person into a team, or into a new one. The reason stands in the history; a team left empty ends."""
    exchange = participant.exchange
    if exchange.state not in (ExchangeState.AGREED, ExchangeState.RUNNING):
        raise Refused(Reason("not-running", N_("Teams change only while an exchange is prepared or runs.")))
    found = _named(exchange, team, now)
    left, participant.team = participant.team, found
    participant.save()
    if left is not None and left != found and not left.members.filter(state=ParticipantState.ACTIVE).exists():
        left.delete()
    _retell(exchange, now)
    if exchange.state == ExchangeState.RUNNING:
        emit("participant.team_changed", participant_id=str(participant.pk))
    return participant


def _named(exchange: Exchange, team: str, now: datetime) -> ExchangeTeam:
    if team == NEW:
        last = exchange.teams.order_by("-number").first()
        made = ExchangeTeam(exchange=exchange, number=last.number + 1 if last else 1, formed_at=now)
        made.save()
        return made
    found: ExchangeTeam | None = next((each for each in exchange.teams.all() if str(each.pk) == team), None)
    if found is None:
        raise Invalid(Reason("team", N_("This is not a team of this exchange."), {}, "team"))
    return found


def _retell(exchange: Exchange, now: datetime) -> None:
    """Say anew why each team is as it is, after somebody was put by hand. With one class alone there is nothing to say."""
    people = _active(exchange)
    if len({each.side for each in people}) < 2:
        return
    problem = _problem(exchange, people, size=5, nobody_alone=False, seed="told", now=now, any_size=True)
    for team in exchange.teams.all():
        told = _told(problem, [str(each.pk) for each in people if each.team_id == team.pk])
        if told != team.told:
            team.told = told
            team.save()


def _active(exchange: Exchange) -> list[Participant]:
    return list(exchange.participants.filter(state=ParticipantState.ACTIVE).select_related("person", "team", "exchange__first", "exchange__second").order_by("code"))


def _problem(exchange: Exchange, people: Sequence[Participant], *, size: int, nobody_alone: bool, seed: str, now: datetime, any_size: bool = False) -> Any:
    from vsm.exchange.teams.problem import Kind, Problem, Rule
    from vsm.exchange.teams.problem import Participant as Member

    sides = {each.side for each in people}
    if len(sides) < 2:
        raise Refused(Reason("one-class", N_("Both classes must have students before mixed teams can be formed.")))
    week = monday_of(exchange.starts_on or local_day(exchange, now))
    free = {side.value: _blocks(exchange, side, week) for side in Side}
    skills = sorted({word for each in people for word in each.skills})[:MOST_SKILLS]
    members = [
        Member(
            id=str(each.pk), country=each.organisation.country, institution=str(each.organisation.pk), languages=frozenset(each.languages),
            utc_offset=_offset(each.zone, week), available=free[each.side], skills={word: int(word in each.skills) for word in skills},
            groups={"gender": each.gender} if each.gender else {},
        )
        for each in people
    ]  # fmt: skip
    both = Kind.COUNTRIES if exchange.first.country != exchange.second.country else Kind.INSTITUTIONS
    rules = [Rule(both, 2), Rule(Kind.SAME_INSTITUTION, -(-size // 2), weight=4), Rule(Kind.ZONES, 12, weight=1)]
    if all(each.languages for each in people):
        rules.append(Rule(Kind.LANGUAGE, 1, weight=0 if _shared(people) else 8))
    if all(blocks is not None for blocks in free.values()):
        rules.append(Rule(Kind.WINDOW, 1, weight=0 if (free["first"] or frozenset()) & (free["second"] or frozenset()) else 8))
    if nobody_alone:
        rules.append(Rule(Kind.NOT_ALONE, 1, of="gender"))
    rules += [Rule(Kind.BALANCE, 1, of=word, weight=1) for word in skills]
    if any_size:
        return Problem.of(members, rules, size=size, seed=seed, smallest=1, largest=60)
    return Problem.of(members, rules, size=size, seed=seed)


def _shared(people: Sequence[Participant]) -> bool:
    """Whether some language is spoken by everybody: only then can it be a rule that must hold."""
    return bool(frozenset.intersection(*(frozenset(each.languages) for each in people)))


def _blocks(exchange: Exchange, side: Side, week: date) -> frozenset[int] | None:
    """The hours of the UTC week (0–167) at which the class could begin an hour's meeting, by its teacher's wish."""
    wish = exchange.invitation.wish if side is Side.FIRST else exchange.invitation.partner
    if not wish.windows:
        return None
    start = datetime.combine(week, time(), UTC)
    found = set()
    for weekday, starts, ends in wish.windows:
        day = week + timedelta(days=weekday)
        place = ZoneInfo(wish.zone)
        begin, end = (datetime.combine(day, time.fromisoformat(at), place).astimezone(UTC) for at in (starts, ends))
        first = -(-(begin - start) // timedelta(hours=1))
        while start + timedelta(hours=first + 1) <= end:
            found.add(first % 168)
            first += 1
    return frozenset(found)


def _offset(zone: str, week: date) -> int:
    away = datetime.combine(week, time(12), ZoneInfo(zone)).utcoffset() or timedelta()
    return int(away.total_seconds() // 60)


def _effort(people: int) -> Any:
    """Two classes are small: a few thousand proposals a head find what longer searches find."""
    from vsm.exchange.teams.solver import Effort

    return Effort(min(2_000_000, 4_000 * people), 2)


def _require_kept(problem: Any, formation: Any) -> None:
    if formation.is_kept:
        return
    from vsm.exchange.teams import explain

    raise Refused(*explain.missed(problem, formation.teams))


def _write(exchange: Exchange, people: Sequence[Participant], teams: Sequence[Sequence[str]], problem: Any, *, by: Actor, now: datetime) -> None:
    by_id = {str(each.pk): each for each in people}
    for number, ids in enumerate(teams, start=1):
        team = ExchangeTeam(exchange=exchange, number=number, formed_at=now, told=_told(problem, ids))
        team.save()
        for pk in ids:
            _put(by_id[pk], team, by=by, now=now)


def _keep_teams(exchange: Exchange, people: Sequence[Participant], teams: Sequence[Sequence[str]], problem: Any, *, by: Actor, now: datetime) -> None:
    """The engine gives the teams back in their order: emptied ones end, new ones take the next numbers."""
    by_id = {str(each.pk): each for each in people}
    held = list(exchange.teams.order_by("number"))
    last = max((team.number for team in held), default=0)
    for place, ids in enumerate(teams):
        if not ids:
            continue
        team = held[place] if place < len(held) else ExchangeTeam(exchange=exchange, number=last + 1 + place - len(held))
        team.told, team.formed_at = _told(problem, ids), now
        team.save()
        for pk in ids:
            _put(by_id[pk], team, by=by, now=now)
    for place, team in enumerate(held):
        if place >= len(teams) or not teams[place]:
            team.delete()


def _put(participant: Participant, team: ExchangeTeam, *, by: Actor, now: datetime) -> None:
    if participant.team_id == team.pk:
        return
    participant.team = team
    participant.save()
    note(participant, "assign_team", by=by, now=now)
    if participant.exchange.state == ExchangeState.RUNNING:  # before the start, the letter of the start tells the team
        emit("participant.team_changed", participant_id=str(participant.pk))


def _told(problem: Any, ids: Sequence[str]) -> list[Any]:
    """Why the team is as it is: [sentence with places, facts], kept as data so that every reader reads it in their language."""
    from vsm.exchange.teams import explain

    return [[reason.text, _plain(reason.params)] for reason in explain.told(problem, tuple(ids))]


def _plain(facts: Any) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, list | tuple | set | frozenset) else value for name, value in facts.items()}


def _usual_size(exchange: Any) -> int:
    count = exchange.teams.count()
    active = exchange.participants.filter(state=ParticipantState.ACTIVE).count()
    return max(2, round(active / count)) if count else 5
