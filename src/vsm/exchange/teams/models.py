"""Formations with their frozen inputs, the teams they made, and who was in which team from when to when."""

from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import models

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.exchange.teams.states import FormationState, TeamState
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of

STAFF = ("coordinator", "registrar", "observer")


def led_by(actor: Actor, prefix: str = "") -> models.Q:
    """Formations of the actor's office, and those that the actor leads as a teacher."""
    of_office = models.Q(**{f"{prefix}organisation_id__in": actor.organisations(*STAFF)})
    if actor.person_id is None:
        return of_office
    led = TeamFormation.objects.filter(leaders=actor.person_id).values("pk")
    return of_office | models.Q(**{f"{prefix}pk__in": led})


class TeamFormations(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "TeamFormations":
        """The office that answers for it, and its leaders; members see their team only."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(led_by(actor))


class TeamFormation(Record):
    """One cut of a class into teams, or one re-balancing of it (`previous`): a preview, then published or discarded.

    `owner_noun` and `owner_id` name what the class belongs to (an offering, a collaboration); its slice knows, this one
    does not. `asked` is what the office asked for, `told` what it must know: rules that cannot be kept, and how it went.
    """

    noun = "team_formation"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="team_formations")
    owner_noun = models.CharField(max_length=32)
    owner_id = models.UUIDField()
    previous = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="rebalancings")
    title = models.JSONField(default=dict)
    leaders = models.ManyToManyField(Person, blank=True, related_name="leads_teams")
    size = models.PositiveSmallIntegerField()
    seed = models.CharField(max_length=64)
    asked = models.JSONField(default=dict)
    people = models.PositiveIntegerField(default=0)
    problem_digest = models.CharField(max_length=64, default="", blank=True)
    rules_missed = models.PositiveIntegerField(default=0)
    wishes_missed = models.PositiveIntegerField(default=0)
    is_proved = models.BooleanField(default=False)
    moved = models.PositiveIntegerField(default=0)
    progress = models.PositiveSmallIntegerField(default=0)
    because = models.TextField(default="", blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, default=FormationState.COMPUTING, choices=choices_of(FormationState))

    objects = TeamFormations.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["owner_noun", "owner_id"], name="formation_of_owner")]

    def searchable(self) -> tuple[str, ...]:
        return tuple(self.title.values())

    @cached_property
    def leader_ids(self) -> frozenset[UUID]:
        """Teachers who may act on it, beside the office."""
        return frozenset(leader.pk for leader in self.leaders.all())

    @property
    def root(self) -> "TeamFormation":
        """The formation whose teams these are: a re-balancing has none of its own."""
        return self.previous or self


class Frozen(models.Model):
    """What a formation was computed from and what came out: canonical bytes of the problem, rows of person identifiers.

    Apart from the formation and without a door, because the problem holds what people declared about themselves.
    """

    formation = models.OneToOneField(TeamFormation, models.CASCADE, primary_key=True, related_name="frozen")
    problem = models.BinaryField()
    teams = models.JSONField(default=list)
    moved = models.JSONField(default=list)


class Teams(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Teams":
        """Its members of today, and whoever sees the formation."""
        if actor.is_system or actor.is_operator:
            return self
        mine = TeamMembership.objects.filter(person_id=actor.person_id, left_at=None).values("team_id") if actor.person_id else []
        return self.filter(led_by(actor, "formation__") | models.Q(pk__in=mine))


class Team(Record):
    """One team. `told` are the sentences about why it is a team, `windows` the hours of the UTC week at which all can meet
    (as [first, last] runs); both describe the members of the last computation."""

    noun = "team"

    formation = models.ForeignKey(TeamFormation, models.PROTECT, related_name="teams")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    told = models.JSONField(default=list, blank=True)
    windows = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=10, default=TeamState.ACTIVE, choices=choices_of(TeamState))

    objects = Teams.as_manager()

    class Meta:
        ordering = ["formation_id", "number"]
        constraints = [models.UniqueConstraint(fields=["formation", "number"], name="one_team_per_number")]

    def searchable(self) -> tuple[str, ...]:
        return self.name, *self.formation.title.values()

    @cached_property
    def member_ids(self) -> frozenset[UUID]:
        return frozenset(each.person_id for each in self.memberships.all() if each.left_at is None)


class TeamMemberships(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "TeamMemberships":
        """One's own, always; team mates of today; all for whoever sees the formation."""
        if actor.is_system or actor.is_operator:
            return self
        mine: Any = TeamMembership.objects.filter(person_id=actor.person_id, left_at=None).values("team_id") if actor.person_id else []
        return self.filter(
            led_by(actor, "formation__") | models.Q(person_id=actor.person_id, person__isnull=False) | models.Q(team_id__in=mine, left_at=None)
        )


class TeamMembership(Record):
    """A person in a team from a moment to a moment, and why each came. The database lets nobody be in two at once."""

    noun = "team_membership"

    formation = models.ForeignKey(TeamFormation, models.PROTECT, related_name="memberships")
    team = models.ForeignKey(Team, models.PROTECT, related_name="memberships")
    person = models.ForeignKey(Person, models.PROTECT, related_name="team_memberships")
    role = models.CharField(max_length=60, default="", blank=True)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    why_joined = models.TextField(default="", blank=True)
    why_left = models.TextField(default="", blank=True)

    objects = TeamMemberships.as_manager()

    class Meta:
        ordering = ["team_id", "joined_at"]
        constraints = [
            models.UniqueConstraint(fields=["formation", "person"], condition=models.Q(left_at=None), name="one_team_at_a_time"),
            models.CheckConstraint(condition=models.Q(left_at=None) | models.Q(left_at__gte=models.F("joined_at")), name="membership_of_team_in_order"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.person.name, self.team.name


