"""What happens to teams: formed as a preview, published, joined, left, re-balanced; who leaves a team never vanishes.

For a higher slice: `begin` makes a preview for any list of participants (`facts.participants`), `rebalance_for` one that
keeps teams; both belong inside an action of that slice. Publishing and everything after is the same for all owners.
"""

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django_tasks import task
from pydantic import BaseModel

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.exchange.sessions.models import Enrolment
from vsm.exchange.teams.explain import told
from vsm.exchange.teams.facts import EXPERIENCE, enrolled, participants, people_of
from vsm.exchange.teams.models import Frozen, Team, TeamFormation, TeamMembership
from vsm.exchange.teams.problem import Participant, Problem
from vsm.exchange.teams.queries import current_rows, newcomers, team_choices, why_impossible, with_names
from vsm.exchange.teams.rules import (
    Asked,
    Weight,
    half_pairs,
    rules_of,
    why_not_form,
    why_not_join,
    why_not_publish,
)
from vsm.exchange.teams.scoring import common_blocks, cost_of_team
from vsm.exchange.teams.states import FORMATION_STEPS, TEAM_STEPS, FormationState, TeamState
from vsm.kit import clock
from vsm.kit.actions import NOTED, Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

TEACHERS = ("instructor@opportunity.organisation", "coordinator@opportunity.organisation")
LEADS = ("self@leader_ids", "coordinator@organisation")
LEADS_OF = ("self@formation.leader_ids", "coordinator@formation.organisation")
AT_ONCE = 60
"""A class up to this size is computed while the office waits; a larger one by the worker, with its progress shown."""
NOTED[Team.noun, "form"] = _("Team formed")

Because = Annotated[str, Ask(_("Why? (shown in the history)"), kind="long_text", limit=2000)]


def _weights(_record: Any, _actor: Actor) -> list[tuple[str, str]]:
    return [("must", str(_("must hold"))), ("wish", str(_("a wish"))), ("no", str(_("does not matter")))]


def _students(record: Any, _actor: Actor) -> list[tuple[str, str]]:
    offering_id = record.pk if isinstance(record, Offering) else record.owner_id
    return sorted(((str(each.pk), each.name) for each in enrolled(offering_id)), key=lambda pair: pair[1])


class PairRow(BaseModel):
    """Two people and whether they work together or apart."""

    first: Annotated[str, Ask(_("First person"), choices=_students)] = ""
    second: Annotated[str, Ask(_("Second person"), choices=_students)] = ""
    how: Annotated[Literal["together", "apart"], Ask(_("How"), choices=lambda _r, _a: [("together", str(_("together"))), ("apart", str(_("apart")))])] = "together"


# Forming --------------------------------------------------------------------------------------------------------------


@action("form_teams", on=Offering, label=_("Form teams"), allow=TEACHERS)
def form_teams(
    offering: Offering, *, by: Actor, now: datetime,
    size: Annotated[int, Ask(_("People in a team"), _("Teams differ by one at most. Four to six work best across time zones."))] = 4,
    language: Annotated[Weight, Ask(_("A language that everybody speaks"), _("Known from level B1, or one’s own."), choices=_weights)] = "must",
    countries: Annotated[int, Ask(_("Different countries in each team, at least"), _("1 means that it does not matter."))] = 2,
    institutions: Annotated[int, Ask(_("Different institutions in each team, at least"), _("1 means that it does not matter."))] = 1,
    hours: Annotated[int, Ask(_("Hours of the week at which all can meet, at least"), _("By the hours that people declared; 0 means that it does not matter."))] = 0,
    hours_weight: Annotated[Weight, Ask(_("The hours to meet"), choices=_weights)] = "wish",
    zones: Annotated[int, Ask(_("Clocks at most so many hours apart (a wish)"), _("0 means that it does not matter."))] = 8,
    protect_language: Annotated[bool, Ask(_("Nobody alone with their own language"), _("Each has somebody in the team with the same first language."))] = False,
    balance: Annotated[bool, Ask(_("Balance how far people are in their studies"))] = True,
    pairs: Annotated[list[PairRow], Ask(_("Together or apart"), _("Only where people asked for it, or where it is needed."))] = [],  # noqa: B006 -- read, never changed
    seed: Annotated[str, Ask(_("Seed of the draw (optional)"), _("The same seed and the same people give the same teams."), limit=64)] = "",
) -> TeamFormation:  # fmt: skip
    """Form a preview of teams from those who are enrolled. Nobody is told before it is published.

    Refused, with what to loosen, when a rule that must hold cannot be kept by any teams.
    """
    _require_teacher(offering, by)
    Invalid.because(half_pairs([(row.first, row.second) for row in pairs]))
    asked = Asked(
        size, language, countries, institutions, hours, hours_weight, zones,
        ("first_language",) if protect_language else (), (EXPERIENCE,) if balance else (),
    )  # fmt: skip
    return begin(
        offering.opportunity.organisation, by=by, now=now, owner_noun="offering", owner_id=offering.pk, title=offering.opportunity.title,
        people=participants(enrolled(offering.pk), now=now), asked=asked, leaders=list(offering.instructors.all()), seed=seed,
        together=[(row.first, row.second) for row in pairs if row.how == "together"],
        apart=[(row.first, row.second) for row in pairs if row.how == "apart"],
    )  # fmt: skip


def begin(
    organisation: Organisation, *, by: Actor, now: datetime, owner_noun: str, owner_id: UUID, title: dict[str, str],
    people: Sequence[Participant], asked: Asked, leaders: Sequence[Person] = (), seed: str = "",
    together: Sequence[tuple[str, str]] = (), apart: Sequence[tuple[str, str]] = (),
) -> TeamFormation:  # fmt: skip
    """A preview of teams for any owner and any participants (identifiers of persons). Belongs inside an action.

    `organisation` is the office that answers for the teams, `leaders` the teachers who may act on them beside it.
    """
    Invalid.because(why_not_form(len(people), asked.size))
    seed = seed.strip() or secrets.token_hex(8)
    try:
        problem = Problem.of(people, rules_of(asked), size=asked.size, seed=seed, together=together, apart=apart)
    except Invalid as cause:
        raise Invalid(*with_names(cause.reasons, [each.id for each in people])) from cause
    Refused.because(why_impossible(problem))
    made = TeamFormation(
        organisation=organisation, owner_noun=owner_noun, owner_id=owner_id, title=title, size=asked.size, seed=seed,
        asked=asdict(asked), people=len(people), problem_digest=problem.digest,
    )  # fmt: skip
    return _computed(made, problem, list(leaders))


@action("rebalance", on=TeamFormation, label=_("Re-balance"), allow=LEADS, step=FORMATION_STEPS["rebalance"], when=lambda f: f.previous_id is None)
def rebalance(formation: TeamFormation, *, by: Actor, now: datetime, because: Because) -> TeamFormation:
    """Preview how the teams would be with who takes part now, moving as few people as possible."""
    people = people_of(formation.owner_noun, formation.owner_id)
    if people is None:  # of another owner, who is in a team takes part
        people = list(Person.objects.filter(pk__in=formation.memberships.filter(left_at=None).values("person_id")))
    before = Problem.from_bytes(bytes(formation.frozen.problem))
    told_before = {each.id: each for each in before.participants}
    fresh = participants(people, now=now)
    # What a higher slice told about people at the beginning still stands.
    kept = [_with(each, told_before.get(each.id)) for each in fresh]
    return rebalance_for(formation, by=by, now=now, people=kept, because=because)


def rebalance_for(formation: TeamFormation, *, by: Actor, now: datetime, people: Sequence[Participant], because: str) -> TeamFormation:
    """A preview that keeps the teams of a published formation for those who take part now. Belongs inside an action."""
    Invalid.because(why_not_form(len(people), formation.size))
    before = Problem.from_bytes(bytes(formation.frozen.problem))
    known = {each.id for each in people}
    pairs = {
        name: [pair for pair in getattr(before, name) if set(pair) <= known] for name in ("together", "apart")
    }  # fmt: skip
    problem = Problem.of(
        people, before.rules, size=before.size, smallest=before.smallest, largest=before.largest, seed=before.seed,
        together=pairs["together"], apart=pairs["apart"],
    )  # fmt: skip
    made = TeamFormation(
        organisation=formation.organisation, owner_noun=formation.owner_noun, owner_id=formation.owner_id, previous=formation,
        title=formation.title, size=formation.size, seed=formation.seed, asked=formation.asked, people=len(people),
        problem_digest=problem.digest, because=because,
    )  # fmt: skip
    return _computed(made, problem, list(formation.leaders.all()))


@action("discard", on=TeamFormation, label=_("Discard this preview"), allow=LEADS, step=FORMATION_STEPS["discard"], tone="warning")
def discard(formation: TeamFormation, *, by: Actor, now: datetime, because: str = "") -> TeamFormation:
    """Put a preview aside; nobody was told."""
    return formation


@action("publish", on=TeamFormation, label=_("Publish the teams"), allow=LEADS, step=FORMATION_STEPS["publish"], tone="primary")
def publish(
    formation: TeamFormation, *, by: Actor, now: datetime,
    accept_missed: Annotated[bool, Ask(_("I accept that some rules are not kept"), _("Needed only where the preview says so."))] = False,
) -> TeamFormation:  # fmt: skip
    """Make the teams (or the changes of a re-balancing) real and tell those concerned."""
    Refused.because(why_not_publish(formation.rules_missed, accept_missed, _is_fresh(formation)))
    problem = Problem.from_bytes(bytes(formation.frozen.problem))
    formation.published_at = now
    if formation.previous is None:
        _replace_older(formation, by=by, now=now)
        for number, row in enumerate(formation.frozen.teams, start=1):
            team = _team(formation, number)
            _describe(team, problem, row)
            for person in row:
                _join(team, UUID(person), now=now, because="")
            note(team, "form", by=by, now=now)
    else:
        _apply(formation, problem, by=by, now=now)
    emit("teams.published", formation_id=str(formation.pk))
    return formation


# Afterwards -----------------------------------------------------------------------------------------------------------


@action("join_late", on=TeamFormation, label=_("Add somebody late"), allow=LEADS, step=FORMATION_STEPS["join_late"], when=lambda f: f.previous_id is None and bool(newcomers(f)))
def join_late(
    formation: TeamFormation, *, by: Actor, now: datetime,
    person: Annotated[UUID, Ask(_("Person"), choices=lambda formation, _actor: newcomers(formation))],
    team: Annotated[UUID | None, Ask(_("Team"), _("Empty: the team whose rules it suits best. Nobody else moves."), choices=team_choices)] = None,
    because: str = "",
) -> TeamFormation:  # fmt: skip
    """Put one who came late into a team."""
    inside = {str(pk) for pk in formation.memberships.filter(left_at=None).values_list("person_id", flat=True)}
    people = people_of(formation.owner_noun, formation.owner_id)
    known = {str(each.pk) for each in people} if people is not None else {str(person)}
    Invalid.because(why_not_join(str(person), inside, known))
    rows = current_rows(formation)
    chosen = next((each for each, _row in rows if each.pk == team), None)
    if team is not None and chosen is None:
        raise Invalid(Reason("no-such-team", N_("This is no team of this formation."), {}, "team"))
    if chosen is None:
        chosen = _best_for(formation, person, rows, now)
    _join(chosen, person, now=now, because=because)
    note(chosen, "join_late", by=by, now=now, because=because)
    emit("team.changed", team_id=str(chosen.pk), person_id=str(person))
    return formation


@action("leave", on=TeamMembership, label=_("Leave the team"), allow=("self@person", *LEADS_OF), tone="warning", when=lambda m: m.left_at is None)
def leave(membership: TeamMembership, *, by: Actor, now: datetime, because: Because) -> TeamMembership:
    """End a membership. The others stay; the teacher can re-balance."""
    _require_current(membership)
    membership.left_at, membership.why_left = now, because
    membership.save()
    emit("team.left", team_id=str(membership.team_id), person_id=str(membership.person_id))
    return membership


@action("move", on=TeamMembership, label=_("Move to another team"), allow=LEADS_OF, when=lambda m: m.left_at is None)
def move(
    membership: TeamMembership, *, by: Actor, now: datetime,
    team: Annotated[UUID, Ask(_("Team"), choices=team_choices)], because: Because,
) -> TeamMembership:  # fmt: skip
    """Move one person by hand. The rules are not asked; the reason is kept on both memberships."""
    _require_current(membership)
    target = membership.formation.teams.filter(pk=team, state=TeamState.ACTIVE).exclude(pk=membership.team_id).first()
    if target is None:
        raise Invalid(Reason("no-such-team", N_("This is no team of this formation."), {}, "team"))
    membership.left_at, membership.why_left = now, because
    membership.save()
    _join(target, membership.person_id, now=now, because=because)
    note(target, "move", by=by, now=now, because=because)
    emit("team.changed", team_id=str(target.pk), person_id=str(membership.person_id))
    return membership


@action("give_role", on=TeamMembership, label=_("Give a role"), allow=("self@team.member_ids", *LEADS_OF), when=lambda m: m.left_at is None)
def give_role(
    membership: TeamMembership, *, by: Actor, now: datetime,
    role: Annotated[str, Ask(_("Role in the team"), _("For example: keeps time, writes, speaks for the team."), limit=60)],
) -> TeamMembership:  # fmt: skip
    """Say what somebody does for the team."""
    _require_current(membership)
    membership.role = role.strip()
    membership.save()
    return membership


@action("rename", on=Team, label=_("Rename"), allow=("self@member_ids", *LEADS_OF), step=TEAM_STEPS["rename"])
def rename(team: Team, *, by: Actor, now: datetime, name: Annotated[str, Ask(_("Name"), limit=120)]) -> Team:
    """Give the team a name of its own choice."""
    if not name.strip():
        raise Invalid(Reason("empty", N_("A team needs a name."), {}, "name"))
    if team.formation.teams.filter(name=name.strip(), state=TeamState.ACTIVE).exclude(pk=team.pk).exists():
        raise Invalid(Reason("name-taken", N_("Another team has this name. Choose one of your own."), {}, "name"))
    team.name = name.strip()
    team.save()
    return team


@action("dissolve", on=Team, label=_("Dissolve"), allow=(), step=TEAM_STEPS["dissolve"])
def dissolve(team: Team, *, by: Actor, now: datetime, because: str = "") -> Team:
    """End a team that a re-balancing has emptied."""
    return team


# What happens by itself -----------------------------------------------------------------------------------------------


@task(queue_name="long")
def compute(formation_id: str) -> None:
    """Compute a large class; may be repeated, as the same inputs give the same teams."""
    formation = TeamFormation.objects.get(pk=formation_id)
    if formation.state != FormationState.COMPUTING:
        return

    def progress(done: int, total: int) -> None:
        TeamFormation.objects.filter(pk=formation.pk).update(progress=min(99, 100 * done // total))

    found = _solve(formation, Problem.from_bytes(bytes(formation.frozen.problem)), progress)
    fresh = TeamFormation.objects.get(pk=formation_id)
    if fresh.state == FormationState.COMPUTING:
        _note_result(fresh, *found)
        fresh.save()


@task()
def leave_with_enrolment(enrolment_id: str) -> None:
    """On enrolment.left: whoever leaves a course leaves its team."""
    enrolment = Enrolment.objects.get(pk=enrolment_id)
    found = TeamMembership.objects.filter(
        person=enrolment.student, left_at=None, formation__owner_noun="offering", formation__owner_id=enrolment.offering_id
    )
    for membership in found:
        leave(membership, by=SYSTEM, now=clock.now(), because=str(_("The course was left.")))


# How ------------------------------------------------------------------------------------------------------------------


def _require_teacher(offering: Offering, by: Actor) -> None:
    """The role of instructor is held at an institution; a course has its own instructors."""
    if by.is_system or by.is_operator or by.holds("coordinator", offering.opportunity.organisation_id):
        return
    if not offering.instructors.filter(pk=by.person_id).exists():
        text = N_("This belongs to the instructors of the course and to the host's coordinators. Ask one of them.")
        raise NotAllowed(Reason("not-teaching", text))


def _require_current(membership: TeamMembership) -> None:
    if membership.left_at is not None:
        raise Refused(Reason("has-left", N_("This person has left the team already.")))


def _with(fresh: Participant, before: Participant | None) -> Participant:
    if before is None:
        return fresh
    return Participant(
        fresh.id, fresh.country, fresh.institution, fresh.languages, fresh.utc_offset, fresh.available,
        {**before.skills, **fresh.skills}, {**before.groups, **fresh.groups},
    )  # fmt: skip


def _computed(made: TeamFormation, problem: Problem, leaders: list[Person]) -> TeamFormation:
    """Store a formation with its frozen problem; a small class is computed at once."""
    made.save()
    made.leaders.set(leaders)
    frozen = Frozen(formation=made, problem=problem.canonical)
    frozen.save()
    if len(problem.participants) > AT_ONCE:
        compute.enqueue(formation_id=str(made.pk))
        return made
    _note_result(made, *_solve(made, problem, None))
    made.save()
    return made


def _solve(formation: TeamFormation, problem: Problem, progress: Any) -> tuple[list[list[str]], list[str], Any, bool]:
    """(rows, moved, cost, proved)."""
    from vsm.exchange.teams import solver

    if formation.previous is None:
        found = solver.form(problem, progress=progress)
    else:
        found = solver.rebalance(problem, [row for _team, row in current_rows(formation.previous)], progress=progress)
    return [list(row) for row in found.teams], list(found.moved), found.cost, found.proved


def _note_result(formation: TeamFormation, rows: list[list[str]], moved: list[str], cost: Any, proved: bool) -> None:
    formation.rules_missed, formation.wishes_missed, formation.is_proved = cost.hard, cost.soft, proved
    formation.moved, formation.progress, formation.state = len(moved), 100, FormationState.PREVIEW
    frozen = formation.frozen
    frozen.teams, frozen.moved = rows, moved
    frozen.save()


def _is_fresh(formation: TeamFormation) -> bool:
    """Whether the same people take part as when the preview was made, and the teams it starts from are as they were."""
    people = people_of(formation.owner_noun, formation.owner_id)
    inside = {name for row in formation.frozen.teams for name in row}
    if people is not None and {str(each.pk) for each in people} != inside:
        return False
    if formation.previous is None:
        return True
    homes = {name: place for place, (_team, row) in enumerate(current_rows(formation.previous)) for name in row}
    moved = set(formation.frozen.moved)
    placed = ((name, place) for place, row in enumerate(formation.frozen.teams) for name in row)
    return all((homes.get(name, place) != place) == (name in moved) for name, place in placed)


def _replace_older(formation: TeamFormation, *, by: Actor, now: datetime) -> None:
    """Teams of an earlier formation of the same owner end with it; other previews are discarded."""
    same = TeamFormation.objects.filter(owner_noun=formation.owner_noun, owner_id=formation.owner_id).exclude(pk=formation.pk)
    for other in same.filter(state=FormationState.PREVIEW):
        discard(other, by=SYSTEM, now=now, because=str(_("Other teams were published.")))
    for team in Team.objects.filter(formation__in=same, state=TeamState.ACTIVE):
        for membership in team.memberships.filter(left_at=None):
            membership.left_at, membership.why_left = now, str(_("Other teams were published."))
            membership.save()
        dissolve(team, by=SYSTEM, now=now, because=str(_("Other teams were published.")))


def _team(root: TeamFormation, number: int) -> Team:
    team = Team(formation=root, number=number, name=str(_("Team %(number)s") % {"number": number}))
    team.save()
    return team


def _join(team: Team, person_id: UUID, *, now: datetime, because: str) -> None:
    TeamMembership(formation_id=team.formation_id, team=team, person_id=person_id, joined_at=now, why_joined=because).save()


def _describe(team: Team, problem: Problem, row: Sequence[str]) -> None:
    members = [problem.by_id[name] for name in row if name in problem.by_id]
    blocks = common_blocks(members) if members else None
    team.told = [[reason.code, reason.text, dict(reason.params)] for reason in told(problem, [each.id for each in members])]
    team.windows = sorted(blocks) if blocks else []
    team.save()


def _apply(formation: TeamFormation, problem: Problem, *, by: Actor, now: datetime) -> None:
    """The changes of a re-balancing: who goes, who comes, which teams open and which end."""
    root = formation.root
    teams = [team for team, _row in current_rows(root)]
    number = root.teams.count()
    target = {name: place for place, row in enumerate(formation.frozen.teams) for name in row}
    for membership in root.memberships.filter(left_at=None).select_related("team"):
        place = target.get(str(membership.person_id))
        if place is None or place >= len(teams) or teams[place].pk != membership.team_id:
            membership.left_at, membership.why_left = now, formation.because
            membership.save()
        else:
            target.pop(str(membership.person_id))
    for place, row in enumerate(formation.frozen.teams):
        if place >= len(teams):
            number += 1
            teams.append(_team(root, number))
        if not row:
            dissolve(teams[place], by=SYSTEM, now=now, because=formation.because)
            continue
        for name in row:
            if name in target:
                _join(teams[place], UUID(name), now=now, because=formation.because)
        _describe(teams[place], problem, row)
        note(teams[place], "rebalance", by=by, now=now, because=formation.because)


def _best_for(formation: TeamFormation, person: UUID, rows: Sequence[tuple[Team, list[str]]], now: datetime) -> Team:
    """The team whose cost grows least; of equals the smallest, then the first."""
    before = Problem.from_bytes(bytes(formation.frozen.problem))
    ids = [name for _team, row in rows for name in row]
    people = participants(Person.objects.filter(pk__in=[*ids, person]), now=now)
    told_before = {each.id: each for each in before.participants}
    problem = Problem.of(
        [_with(each, told_before.get(each.id)) for each in people], before.rules, size=before.size, smallest=1, largest=60, seed=before.seed
    )

    def growth(pair: tuple[Team, list[str]]) -> tuple[int, int, int, int]:
        was, then = cost_of_team(problem, pair[1]), cost_of_team(problem, [*pair[1], str(person)])
        over = max(0, len(pair[1]) + 1 - before.largest)
        return then.hard - was.hard + over, then.soft - was.soft, len(pair[1]), pair[0].number

    if not rows:
        raise Refused(Reason("no-teams", N_("No team is at work here. Form new ones.")))
    return min(rows, key=growth)[0]
