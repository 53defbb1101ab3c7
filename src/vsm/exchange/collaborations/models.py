"""Partner wishes, invitations, fairs; exchanges with signed plans; participants, their tasks, check-ins and submissions."""

from datetime import date, time

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language

from vsm.exchange.collaborations.matching import Window, Wish
from vsm.exchange.collaborations.rules import Plan, digest_of, from_json
from vsm.exchange.collaborations.states import (
    ExchangeState,
    FairState,
    InvitationState,
    ParticipantState,
    RosterState,
    WishState,
)
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.signed_texts import SignedText, TextSignature, TextVersion
from vsm.kit.states import choices_of

STAFF = ("coordinator", "registrar", "instructor", "observer")
OFFICE = ("coordinator", "registrar", "observer")
SIDES = [("first", "first"), ("second", "second")]


class Wishes(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Wishes":
        """What is published is for those who teach or work at an institution; a draft only for its teacher and office.

        A teacher who was matched is no longer looking: their wish stays with them, their office, and their partner.
        """
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "observer")
        mine = Q(teacher_id=actor.person_id) | Q(organisation_id__in=staffed)
        invited = Q(pk__in=PartnerInvitation.objects.filter(Q(wish__teacher_id=actor.person_id) | Q(wish__organisation_id__in=staffed)).values("partner_id"))
        inviting = Q(pk__in=PartnerInvitation.objects.filter(Q(partner__teacher_id=actor.person_id) | Q(partner__organisation_id__in=staffed)).values("wish_id"))
        if not actor.organisations(*STAFF):
            return self.filter(mine) if actor.person_id else self.none()
        return self.filter(Q(state=WishState.PUBLISHED) | mine | invited | inviting)


class PartnerWish(Record):
    """What a teacher looks for: with whom, about what, when, at which hours, in which language.

    `languages`: code → CEFR level of the class or `native`; `weeks_off`: ISO Mondays without teaching; `windows`: weekly
    hours on the wall of `zone` as [weekday, "HH:MM", "HH:MM"], none for a class that only works in its own time.
    """

    noun = "partner_wish"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="partner_wishes")
    teacher = models.ForeignKey(Person, models.PROTECT, related_name="partner_wishes")
    title = models.JSONField(default=dict)
    topic = models.JSONField(default=dict, blank=True)
    isced_f = models.CharField(max_length=4)
    level = models.CharField(max_length=16, default="bachelor")
    languages = models.JSONField(default=dict)
    starts_on = models.DateField()
    ends_on = models.DateField()
    weeks = models.PositiveSmallIntegerField()
    weeks_off = models.JSONField(default=list, blank=True)
    calendar = models.TextField(default="", blank=True)
    class_size = models.PositiveSmallIntegerField()
    hours = models.PositiveSmallIntegerField()
    zone = models.CharField(max_length=64)
    windows = models.JSONField(default=list, blank=True)
    tools = models.JSONField(default=list, blank=True)
    bandwidth = models.CharField(max_length=8, default="video")
    published_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, default=WishState.DRAFT, choices=choices_of(WishState))

    objects = Wishes.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gt=models.F("starts_on")), name="wish_ends_after_start"),
            models.CheckConstraint(condition=Q(class_size__gte=1) & Q(weeks__gte=1), name="wish_has_a_class_and_weeks"),
        ]

    def __str__(self) -> str:
        return text_in(self.title, get_language() or "en")

    def searchable(self) -> tuple[str, ...]:
        return *self.title.values(), *self.topic.values(), self.teacher.name, *self.organisation.name.values(), self.organisation.city

    @property
    def facts(self) -> Wish:
        """The wish as the matching rule reads it."""
        return Wish(
            key=str(self.pk), organisation=str(self.organisation_id), field=self.isced_f, languages=self.languages, starts_on=self.starts_on,
            ends_on=self.ends_on, weeks=self.weeks, class_size=self.class_size, hours=self.hours, zone=self.zone,
            windows=tuple(Window(day, time.fromisoformat(starts), time.fromisoformat(ends)) for day, starts, ends in self.windows),
            weeks_off=frozenset(map(date.fromisoformat, self.weeks_off)), bandwidth=self.bandwidth, tools=frozenset(self.tools),
        )  # fmt: skip


class Invitations(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Invitations":
        """The two teachers and their offices."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "observer")
        return self.filter(
            Q(wish__teacher_id=actor.person_id) | Q(partner__teacher_id=actor.person_id)
            | Q(wish__organisation_id__in=staffed) | Q(partner__organisation_id__in=staffed)
        )  # fmt: skip


class PartnerInvitation(Record):
    """One wish asks another. `score` and `parts` are what the matching rule said on the day it was sent."""

    noun = "partner_invitation"

    wish = models.ForeignKey(PartnerWish, models.CASCADE, related_name="sent")
    partner = models.ForeignKey(PartnerWish, models.CASCADE, related_name="received")
    message = models.TextField(default="", blank=True)
    score = models.PositiveSmallIntegerField()
    parts = models.JSONField(default=dict)
    respond_by = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=10, default=InvitationState.SENT, choices=choices_of(InvitationState))

    objects = Invitations.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["wish", "partner"], condition=Q(state=InvitationState.SENT), name="one_open_invitation"),
            models.CheckConstraint(condition=~Q(wish=models.F("partner")), name="nobody_invites_themselves"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return *self.wish.title.values(), *self.partner.title.values(), self.wish.teacher.name, self.partner.teacher.name


class Fairs(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Fairs":
        """Everybody who teaches or works at an institution."""
        if actor.is_system or actor.is_operator:
            return self
        return self if actor.organisations(*STAFF) else self.none()


class PartnerFair(Record):
    """A network's day of finding partners. `outcome` is the proposal: pairs, who is alone, whether it is stable, blocking pairs."""

    noun = "partner_fair"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="partner_fairs")
    title = models.JSONField(default=dict)
    closes_at = models.DateTimeField()
    seed = models.CharField(max_length=64, default="", blank=True)
    outcome = models.JSONField(default=dict, blank=True)
    proposed_at = models.DateTimeField(null=True, blank=True)
    announced_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, default=FairState.OPEN, choices=choices_of(FairState))

    objects = Fairs.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def searchable(self) -> tuple[str, ...]:
        return *self.title.values(), *self.organisation.name.values()


class Entries(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Entries":
        """The teacher, their office, and the office that holds the fair: what somebody ranked is nobody else's business."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(
            Q(wish__teacher_id=actor.person_id) | Q(wish__organisation_id__in=actor.organisations("coordinator"))
            | Q(fair__organisation_id__in=actor.organisations("coordinator"))
        )  # fmt: skip


class FairEntry(Record):
    """A wish at a fair, with the wishes that its teacher would like most, best first."""

    noun = "fair_entry"

    fair = models.ForeignKey(PartnerFair, models.CASCADE, related_name="entries")
    wish = models.ForeignKey(PartnerWish, models.CASCADE, related_name="entries")
    ranked = models.JSONField(default=list, blank=True)

    objects = Entries.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["fair", "wish"], name="one_entry_per_wish")]

    def searchable(self) -> tuple[str, ...]:
        return *self.wish.title.values(), self.wish.teacher.name


class Exchanges(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Exchanges":
        """The two teachers, both offices, and whoever takes part."""
        if actor.is_system or actor.is_operator:
            return self
        if actor.person_id is None:
            return self.none()
        staffed = actor.organisations(*OFFICE)
        taking_part = Participant.objects.filter(person_id=actor.person_id).exclude(state=ParticipantState.LEFT).values("exchange_id")
        return self.filter(
            Q(first_teacher_id=actor.person_id) | Q(second_teacher_id=actor.person_id) | Q(first_id__in=staffed) | Q(second_id__in=staffed)
            | Q(pk__in=taking_part)
        )  # fmt: skip

    def facilitated_by(self, actor: Actor) -> "Exchanges":
        """Those that this person teaches, whatever office they hold besides."""
        if actor.person_id is None:
            return self.none()
        return self.filter(Q(first_teacher_id=actor.person_id) | Q(second_teacher_id=actor.person_id))


class Exchange(SignedText, Record):
    """Two classes that work together: from the accepted invitation to the certificates.

    The plan is its signed text. `starts_on`, `ends_on` and `zone` follow the version in force. `moved` is how many
    students got another team when the teams were last balanced again.
    """

    noun = "exchange"

    title = models.JSONField(default=dict)
    first = models.ForeignKey(Organisation, models.PROTECT, related_name="exchanges_as_first")
    second = models.ForeignKey(Organisation, models.PROTECT, related_name="exchanges_as_second")
    first_teacher = models.ForeignKey(Person, models.PROTECT, related_name="exchanges_as_first")
    second_teacher = models.ForeignKey(Person, models.PROTECT, related_name="exchanges_as_second")
    invitation = models.OneToOneField(PartnerInvitation, models.PROTECT, related_name="exchange")
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    zone = models.CharField(max_length=64, default="UTC")
    started_at = models.DateTimeField(null=True, blank=True)
    balanced_at = models.DateTimeField(null=True, blank=True)
    moved = models.PositiveSmallIntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, default=ExchangeState.PLANNING, choices=choices_of(ExchangeState))

    objects = Exchanges.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return text_in(self.title, get_language() or "en")

    def searchable(self) -> tuple[str, ...]:
        return (
            *self.title.values(), *self.first.name.values(), *self.second.name.values(), self.first_teacher.name, self.second_teacher.name
        )  # fmt: skip


class PlanVersion(TextVersion):
    """One version of an exchange plan."""

    exchange = models.ForeignKey(Exchange, models.CASCADE, related_name="versions")

    class Meta(TextVersion.Meta):
        constraints = [models.UniqueConstraint(fields=["exchange", "number"], name="one_plan_per_number")]

    @property
    def text(self) -> Plan:
        """What it says."""
        return from_json(self.content)

    @property
    def is_intact(self) -> bool:
        return digest_of(self.text) == self.digest


class PlanSignature(TextSignature):
    """One teacher's signature under one version; the digest says under which text."""

    version = models.ForeignKey(PlanVersion, models.CASCADE, related_name="signatures")
    side = models.CharField(max_length=8, choices=SIDES)
    person = models.ForeignKey(Person, models.PROTECT)

    class Meta(TextSignature.Meta):
        constraints = [
            models.UniqueConstraint(fields=["version", "side"], name="one_plan_signature_per_side"),
            models.UniqueConstraint(fields=["version", "person"], name="one_plan_signature_per_person"),
        ]


class RosterFiles(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "RosterFiles":
        """The class's own teacher and office."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar")
        first = Q(side="first") & (Q(exchange__first_teacher_id=actor.person_id) | Q(exchange__first_id__in=staffed))
        second = Q(side="second") & (Q(exchange__second_teacher_id=actor.person_id) | Q(exchange__second_id__in=staffed))
        return self.filter(first | second)


class RosterFile(Record):
    """One reading of a class list: checked first, then applied. `lines` are emptied when applied: the people are kept then.

    `problems` are [line, code, sentence in the language of whoever sent it].
    """

    noun = "roster_file"

    exchange = models.ForeignKey(Exchange, models.CASCADE, related_name="roster_files")
    side = models.CharField(max_length=8, choices=SIDES)
    by = models.ForeignKey(Person, models.PROTECT, null=True)
    name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    lines = models.JSONField(default=list, blank=True)
    problems = models.JSONField(default=list, blank=True)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=choices_of(RosterState))

    objects = RosterFiles.as_manager()

    class Meta:
        ordering = ["-created_at"]


class Teams(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Teams":
        """The teachers and offices of both classes, and its own members."""
        if actor.is_system or actor.is_operator:
            return self
        if actor.person_id is None:
            return self.none()
        staffed = actor.organisations("coordinator")
        return self.filter(
            Q(exchange__first_teacher_id=actor.person_id) | Q(exchange__second_teacher_id=actor.person_id)
            | Q(exchange__first_id__in=staffed) | Q(exchange__second_id__in=staffed)
            | Q(pk__in=Participant.objects.filter(person_id=actor.person_id, state=ParticipantState.ACTIVE).values("team_id"))
        )  # fmt: skip


class ExchangeTeam(Record):
    """A mixed team of an exchange. `told` is why it is as it is, as the engine explained it when it was formed."""

    noun = "exchange_team"

    exchange = models.ForeignKey(Exchange, models.CASCADE, related_name="teams")
    number = models.PositiveSmallIntegerField()
    told = models.JSONField(default=list, blank=True)
    formed_at = models.DateTimeField()

    objects = Teams.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["exchange", "number"], name="one_exchange_team_per_number")]


class TakingPart(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "TakingPart":
        """Oneself; one's own class for its teacher and office; of the partner class only those who share their name."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar")
        teaching = Q(exchange__first_teacher_id=actor.person_id) | Q(exchange__second_teacher_id=actor.person_id)
        own = (
            (Q(side="first") & (Q(exchange__first_teacher_id=actor.person_id) | Q(exchange__first_id__in=staffed)))
            | (Q(side="second") & (Q(exchange__second_teacher_id=actor.person_id) | Q(exchange__second_id__in=staffed)))
        )  # fmt: skip
        return self.filter(Q(person_id=actor.person_id) | own | (teaching & Q(shares_name=True)))


class Participant(Record):
    """A student of one class in an exchange. `code` is what the partner class sees until the student shares the name.

    `home_credits` is what home has recognised, by its own decision; nothing else makes credit of taking part.
    """

    noun = "participant"

    exchange = models.ForeignKey(Exchange, models.PROTECT, related_name="participants")
    side = models.CharField(max_length=8, choices=SIDES)
    person = models.ForeignKey(Person, models.PROTECT, related_name="participations")
    code = models.CharField(max_length=16)
    team = models.ForeignKey(ExchangeTeam, models.SET_NULL, null=True, blank=True, related_name="members")
    student_number = models.CharField(max_length=64, default="", blank=True)
    zone = models.CharField(max_length=64)
    languages = models.JSONField(default=dict, blank=True)
    gender = models.CharField(max_length=16, default="", blank=True)
    skills = models.JSONField(default=list, blank=True)
    shares_name = models.BooleanField(default=False)
    answered_sharing_at = models.DateTimeField(null=True, blank=True)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    home_credits = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    home_code = models.CharField(max_length=64, default="", blank=True)
    recognised_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, default=ParticipantState.ACTIVE, choices=choices_of(ParticipantState))

    objects = TakingPart.as_manager()

    class Meta:
        ordering = ["side", "code"]
        constraints = [
            models.UniqueConstraint(fields=["exchange", "person"], name="one_participation_each"),
            models.UniqueConstraint(fields=["exchange", "code"], name="one_code_each"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.person.name, self.person.email, self.student_number, self.code

    @property
    def organisation(self) -> Organisation:
        """The home of this class."""
        home: Organisation = self.exchange.first if self.side == "first" else self.exchange.second
        return home

    @property
    def teacher(self) -> Person:
        """The teacher of this class."""
        who: Person = self.exchange.first_teacher if self.side == "first" else self.exchange.second_teacher
        return who


class Tasks(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Tasks":
        """Whoever sees the exchange."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(exchange_id__in=Exchange.objects.visible_to(actor).values("pk"))


class ExchangeTask(Record):
    """A task of the plan in force. `wall_due` is the wall time of the plan's zone from which `due_at` follows."""

    noun = "exchange_task"

    exchange = models.ForeignKey(Exchange, models.CASCADE, related_name="tasks")
    key = models.CharField(max_length=32)
    title = models.CharField(max_length=200)
    phase = models.CharField(max_length=16)
    kind = models.CharField(max_length=10)
    wall_due = models.CharField(max_length=16)
    due_at = models.DateTimeField()
    hours = models.CharField(max_length=8, default="", blank=True)
    instructions = models.TextField(default="", blank=True)
    is_planned = models.BooleanField(default=True)

    objects = Tasks.as_manager()

    class Meta:
        ordering = ["due_at", "key"]
        constraints = [models.UniqueConstraint(fields=["exchange", "key"], name="one_task_per_key")]

    def searchable(self) -> tuple[str, ...]:
        return (self.title,)


class Submissions(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Submissions":
        """Who handed it in, their team, and the two teachers."""
        if actor.is_system or actor.is_operator:
            return self
        if actor.person_id is None:
            return self.none()
        teaching = Q(task__exchange__first_teacher_id=actor.person_id) | Q(task__exchange__second_teacher_id=actor.person_id)
        mine = Participant.objects.filter(person_id=actor.person_id).exclude(state=ParticipantState.LEFT)
        return self.filter(teaching | Q(participant__person_id=actor.person_id) | Q(members__in=mine)).distinct()


class Submission(Record):
    """What was handed in for a task: words, a link, or a file. The latest of a team (or student) counts; none is overwritten.

    `members` are those who were in the team then: a team's work counts for them, whatever becomes of the team.
    """

    noun = "submission"

    task = models.ForeignKey(ExchangeTask, models.PROTECT, related_name="submissions")
    participant = models.ForeignKey(Participant, models.PROTECT, related_name="submissions")
    members = models.ManyToManyField(Participant, related_name="shared_submissions", blank=True)
    team_name = models.CharField(max_length=64, default="", blank=True)
    text = models.TextField(default="", blank=True)
    link = models.URLField(default="", blank=True)
    file_name = models.CharField(max_length=255, default="", blank=True)
    file_type = models.CharField(max_length=100, default="", blank=True)
    file_digest = models.CharField(max_length=64, default="", blank=True)
    at = models.DateTimeField()
    is_late = models.BooleanField(default=False)

    objects = Submissions.as_manager()

    class Meta:
        ordering = ["-at"]

    def searchable(self) -> tuple[str, ...]:
        return self.task.title, self.team_name


class CheckIns(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "CheckIns":
        """The student, and the teacher of their class. The partner's teacher sees the warning, not the words."""
        if actor.is_system:
            return self
        first = Q(participant__side="first", participant__exchange__first_teacher_id=actor.person_id)
        second = Q(participant__side="second", participant__exchange__second_teacher_id=actor.person_id)
        return self.filter(Q(participant__person_id=actor.person_id) | first | second) if actor.person_id else self.none()


class CheckIn(Record):
    """Two questions once a week: how the team works (1–5), and whether one can keep up (1–5)."""

    noun = "check_in"

    participant = models.ForeignKey(Participant, models.CASCADE, related_name="check_ins")
    week = models.DateField()
    team_works = models.PositiveSmallIntegerField()
    keeps_up = models.PositiveSmallIntegerField()
    wants_help = models.BooleanField(default=False)
    words = models.TextField(default="", blank=True)
    at = models.DateTimeField()

    objects = CheckIns.as_manager()

    class Meta:
        ordering = ["-week"]
        constraints = [
            models.UniqueConstraint(fields=["participant", "week"], name="one_check_in_a_week"),
            models.CheckConstraint(condition=Q(team_works__range=(1, 5)) & Q(keeps_up__range=(1, 5)), name="check_in_answers_1_to_5"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return (self.participant.code,)


class Contact(models.Model):
    """That a facilitator got in touch with somebody, and what came of it. Told to facilitators only."""

    participant = models.ForeignKey(Participant, models.CASCADE, related_name="contacts")
    by = models.ForeignKey(Person, models.PROTECT)
    at = models.DateTimeField()
    how = models.CharField(max_length=500)

    class Meta:
        ordering = ["-at"]


class CheckInReminder(models.Model):
    """That the weekly reminder went out: once for each participant and week, whatever restarts in between."""

    participant = models.ForeignKey(Participant, models.CASCADE, related_name="reminders")
    week = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["participant", "week"], name="one_check_in_reminder")]
