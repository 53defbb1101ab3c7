"""What doors and higher slices read about formations, teams and who is in them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from vsm.exchange.institutions.queries import organisation_ref
from vsm.exchange.people.models import Person
from vsm.exchange.teams.explain import impossible, missed, told
from vsm.exchange.teams.facts import people_of
from vsm.exchange.teams.models import Team, TeamFormation, TeamMembership
from vsm.exchange.teams.problem import Kind, Problem
from vsm.exchange.teams.scoring import shortfalls
from vsm.exchange.teams.states import FormationState, TeamState
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.names import language_name
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.kit.saying import say_reason
from vsm.kit.verdict import Reason

FORMATION_STATES = {
    FormationState.COMPUTING.value: (_("Being computed"), "info"),
    FormationState.PREVIEW.value: (_("Preview"), "warn"),
    FormationState.PUBLISHED.value: (pgettext_lazy("team_formation", "Published"), "good"),
    FormationState.DISCARDED.value: (_("Discarded"), "neutral"),
}
TEAM_STATES = {TeamState.ACTIVE.value: (_("At work"), "good"), TeamState.DISSOLVED.value: (_("Dissolved"), "neutral")}


@dataclass(frozen=True)
class Proposed:
    """One team of a preview: its number, members by name, who of them comes from another team, and what is told."""

    number: int
    name: str
    members: Sequence[str]
    arrived: Sequence[str]
    told: Sequence[str]
    is_missed: bool


def teams_of(owner_noun: str, owner_id: UUID) -> QuerySet[Team]:
    """The teams at work of an owner, in order."""
    return Team.objects.filter(formation__owner_noun=owner_noun, formation__owner_id=owner_id, state=TeamState.ACTIVE).order_by("number")


def published_formation(owner_noun: str, owner_id: UUID) -> TeamFormation | None:
    """The published formation of an owner whose teams are at work."""
    found = TeamFormation.objects.filter(owner_noun=owner_noun, owner_id=owner_id, previous=None, state=FormationState.PUBLISHED)
    return found.order_by("-published_at", "-id").first()


def members_of(team: Team) -> list[TeamMembership]:
    """Who is in a team now, by name."""
    return list(team.memberships.filter(left_at=None).select_related("person").order_by("person__name", "person_id"))


def current_rows(formation: TeamFormation) -> list[tuple[Team, list[str]]]:
    """The teams at work of a root formation with the identifiers of their members, in order of number."""
    teams = list(formation.teams.filter(state=TeamState.ACTIVE).order_by("number"))
    rows: dict[UUID, list[str]] = {team.pk: [] for team in teams}
    for team_id, person_id in formation.memberships.filter(left_at=None, team__in=teams).values_list("team_id", "person_id"):
        rows[team_id].append(str(person_id))
    return [(team, sorted(rows[team.pk])) for team in teams]


def proposed(formation: TeamFormation) -> list[Proposed]:
    """A preview's teams, for the office."""
    problem = Problem.from_bytes(bytes(formation.frozen.problem))
    names = names_of(problem)
    labels = {place: team.name for place, (team, _row) in enumerate(current_rows(formation.previous))} if formation.previous else {}
    moved = set(formation.frozen.moved)
    return [
        Proposed(
            place + 1, labels.get(place, str(_("Team %(number)s") % {"number": place + 1})), [names[each] for each in row],
            [names[each] for each in row if each in moved], say_told(told(problem, row)),
            any(miss.rule is None or miss.rule.is_hard for miss in shortfalls(problem, row)),
        )
        for place, row in enumerate(formation.frozen.teams) if row
    ]  # fmt: skip


def why_missed(formation: TeamFormation) -> list[Reason]:
    """What the office must know before it publishes: rules that cannot be kept, those that are not, what to loosen."""
    if not formation.rules_missed:
        return []
    problem = Problem.from_bytes(bytes(formation.frozen.problem))
    return with_names([*impossible(problem), *missed(problem, formation.frozen.teams)], [each.id for each in problem.participants])


def why_impossible(problem: Problem) -> list[Reason]:
    """Rules that must hold and that no teams of these people can keep, with people's names and what to loosen."""
    return with_names(impossible(problem), [each.id for each in problem.participants])


def with_names(reasons: Sequence[Reason], people: Iterable[str]) -> list[Reason]:
    """The reasons with the names of these people in the place of their identifiers."""
    names = _names(people) if reasons else {}

    def named(value: object) -> object:
        return [names.get(each, each) for each in value] if isinstance(value, list) else names.get(str(value), value)

    keys = ("id", "whom", "first", "second")
    return [replace(each, params={name: named(value) if name in keys else value for name, value in each.params.items()}) for each in reasons]


def names_of(problem: Problem) -> dict[str, str]:
    """Identifier → name of everybody in a problem."""
    return _names(each.id for each in problem.participants)


def _names(people: Iterable[str]) -> dict[str, str]:
    return {str(pk): name for pk, name in Person.objects.filter(pk__in=list(people)).values_list("pk", "name")}


def say_told(reasons: Sequence[Reason]) -> list[str]:
    """Sentences of a team, languages by name."""
    return [say_reason(replace(each, params={name: _shown(name, value) for name, value in each.params.items()})) for each in reasons]


def _shown(name: str, value: object) -> object:
    if name == "languages" and isinstance(value, list):
        return [language_name(str(tag), get_language() or "en") for tag in value]
    return value


def kept_reasons(rows: Sequence[Sequence[Any]]) -> list[Reason]:
    """Reasons as they were stored: [code, text, facts]."""
    return [Reason(code, text, facts) for code, text, facts in rows]


def balance_of(formation: TeamFormation) -> list[tuple[str, list[tuple[int, int]], int]]:
    """For each balanced skill: its name, (team number, sum) of each team, and what an average team has."""
    problem = Problem.from_bytes(bytes(formation.frozen.problem))
    found = []
    for rule in problem.rules:
        if rule.kind is Kind.BALANCE:
            sums = [
                (number, sum(problem.skill_of(problem.by_id[each], rule.of) for each in row))
                for number, row in enumerate(formation.frozen.teams, start=1) if row
            ]  # fmt: skip
            found.append((rule.of, sums, problem.target(rule.of, formation.size)))
    return found


def team_choices(record: Any, _actor: Actor) -> list[tuple[str, str]]:
    """The teams at work of the formation that a record belongs to."""
    root = record.root if isinstance(record, TeamFormation) else record.formation
    own = record.team_id if isinstance(record, TeamMembership) else None
    found = Team.objects.filter(formation=root, state=TeamState.ACTIVE).exclude(pk=own).annotate(count=Count("memberships", filter=Q(memberships__left_at=None)))
    return [(str(team.pk), f"{team.name} ({team.count})") for team in found.order_by("number")]


def newcomers(formation: TeamFormation) -> list[tuple[str, str]]:
    """Who takes part and is in no team, by name. Empty where only a higher slice knows."""
    inside = set(formation.root.memberships.filter(left_at=None).values_list("person_id", flat=True))
    people = people_of(formation.owner_noun, formation.owner_id) or ()
    return sorted(((str(each.pk), each.name) for each in people if each.pk not in inside), key=lambda pair: pair[1])


def title_of(formation: Any) -> str:
    return text_in(formation.title, get_language() or "en")


def formation_ref(formation: Any) -> Ref:
    return Ref("team_formation", formation.pk, title_of(formation))


def _owner(found: QuerySet[Any], value: str) -> QuerySet[Any]:
    return found.filter(owner_id=UUID(value))


def _members(team: Any) -> Iterator[str]:
    """Names of today's members, from memberships that were fetched with the list."""
    present = [each for each in team.memberships.all() if each.left_at is None]
    for each in sorted(present, key=lambda member: (member.person.name, str(member.person_id))):
        yield f"{each.person.name} ({each.role})" if each.role else each.person.name


FORMATION = resource(
    Resource(
        "team_formation", "team-formations", TeamFormation, _("Team formation"), _("Team formations"), title_of,
        fields=(
            Shown("title", _("For"), lambda f: f.title, "localized", listed=True),
            Shown("organisation", _("Organisation"), lambda f: organisation_ref(f.organisation), "ref"),
            Shown("people", _("People"), lambda f: f.people, "integer", listed=True, sort="people"),
            Shown("size", _("Size of a team"), lambda f: f.size, "integer", listed=True, sort="size"),
            Shown("rules_missed", _("Rules missed"), lambda f: f.rules_missed, "integer", listed=True),
            Shown("wishes_missed", _("Wishes missed (points)"), lambda f: f.wishes_missed, "integer"),
            Shown("is_proved", _("Proved to be the best"), lambda f: f.is_proved, "bool"),
            Shown("moved", _("People moved"), lambda f: f.moved, "integer"),
            Shown("because", _("Reason"), lambda f: f.because, "long_text"),
            Shown("seed", _("Seed of the draw"), lambda f: f.seed),
            Shown("problem_digest", _("Fingerprint of the inputs"), lambda f: f.problem_digest, "digest"),
            Shown("published_at", _("Published"), lambda f: f.published_at, "moment", listed=True, sort="published_at"),
            Shown("state", _("State"), lambda f: f.state, "state", listed=True, sort="state"),
            Shown("owner_noun", _("Belongs to (noun)"), lambda f: f.owner_noun, detail=False),
            Shown("owner_id", _("Belongs to (identifier)"), lambda f: str(f.owner_id), detail=False),
        ),
        filters=(state_filter(FORMATION_STATES), Filter("owner", _("Belongs to (identifier)"), _owner, kind="identifier")),
        related=("organisation", "previous"), prefetch=("leaders",), states=FORMATION_STATES,
        sections=(
            Section(_("Teams"), "team", lambda f: {"formation": f.root, "state": TeamState.ACTIVE}),
            Section(_("Re-balancings"), "team_formation", lambda f: {"previous": f}),
            Section(_("Who was where"), "team_membership", lambda f: {"formation": f.root}),
        ),
        empty=_("Teams are formed from the page of a course or of a collaboration."),
    )
)  # fmt: skip

TEAM = resource(
    Resource(
        "team", "teams", Team, _("Team"), _("Teams"), lambda t: t.name,
        fields=(
            Shown("name", _("Name"), lambda t: t.name, listed=True, sort="name"),
            Shown("title", _("For"), lambda t: t.formation.title, "localized", listed=True),
            Shown("members", _("Members"), lambda t: list(_members(t)), "list", listed=True, detail=False),
            Shown("told", _("Why this team"), lambda t: say_told(kept_reasons(t.told)), "list", detail=False),
            Shown("state", _("State"), lambda t: t.state, "state", listed=True, sort="state"),
            Shown("formation_id", _("Formation (identifier)"), lambda t: str(t.formation_id), detail=False),
        ),
        filters=(state_filter(TEAM_STATES), Filter("owner", _("Belongs to (identifier)"), lambda found, value: found.filter(formation__owner_id=UUID(value)), kind="identifier")),
        order="number", related=("formation__organisation",), prefetch=("memberships__person", "formation__leaders"), states=TEAM_STATES,
        empty=_("Your teams stand here once they are published."),
    )
)  # fmt: skip

MEMBERSHIP = resource(
    Resource(
        "team_membership", "team-memberships", TeamMembership, _("Membership of a team"), _("Memberships of teams"),
        lambda m: f"{m.person.name} · {m.team.name}",
        fields=(
            Shown("person", _("Person"), lambda m: m.person.name, listed=True, sort="person__folded"),
            Shown("team", _("Team"), lambda m: Ref("team", m.team_id, m.team.name), "ref", listed=True, sort="team__number"),
            Shown("role", _("Role in the team"), lambda m: m.role),
            Shown("joined_at", _("From"), lambda m: m.joined_at, "moment", listed=True, sort="joined_at"),
            Shown("left_at", _("Until"), lambda m: m.left_at, "moment", listed=True, sort="left_at"),
            Shown("why_joined", _("Why joined"), lambda m: m.why_joined, "long_text"),
            Shown("why_left", _("Why left"), lambda m: m.why_left, "long_text"),
        ),
        filters=(Filter("team", _("Team (identifier)"), lambda found, value: found.filter(team_id=UUID(value)), kind="identifier"),),
        order="-joined_at", related=("person", "team", "formation"), prefetch=("team__memberships", "formation__leaders"),
        empty=_("Who was in which team stands here."),
    )
)  # fmt: skip
