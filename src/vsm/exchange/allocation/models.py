"""Rules of a call, what students say of themselves, runs, seats, waiting lists and reasons; trials; appeals."""

from django.db import models

from vsm.exchange.allocation.problem import Lottery, Timetable
from vsm.exchange.allocation.states import HOLDING, AppealState, RunState, SeatState, TrialState
from vsm.exchange.applications.models import Application, Call
from vsm.exchange.applications.states import CallState
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of

STAFF = ("coordinator", "registrar", "observer")


class SealedSeed(models.Model):
    """The seed of a call's lottery between its commitment and its publication.

    It is no Record on purpose: it has no page, no history and no door; only the actions of this slice read it.
    """

    call = models.OneToOneField(Call, models.CASCADE, primary_key=True, related_name="+")
    seed = models.CharField(max_length=64)
    committed_at = models.DateTimeField()


class Policies(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Policies":
        """Everybody who may see the call: rules are public with it."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(~models.Q(call__state=CallState.DRAFT) | models.Q(call__organisation_id__in=actor.organisations("coordinator")))


class Policy(Record):
    """By which rules a call gives its seats: fixed by its office before applications close, then unchangeable.

    `mechanism` is empty where the office compares first and chooses afterwards. `reserves` are `{offering, group, seats}`, `limits`
    `{offering, group, home, least, most}`; an empty offering means every one. `balance` is how many more seats than it has
    given an institution may take in exchange with the host. `credits_least` and `credits_most` bound one student's sum.
    """

    noun = "policy"

    call = models.OneToOneField(Call, models.CASCADE, related_name="policy")
    mechanism = models.CharField(max_length=40, default="", blank=True)
    lottery = models.CharField(max_length=20, default="single")
    reserves = models.JSONField(default=list, blank=True)
    limits = models.JSONField(default=list, blank=True)
    use_agreements = models.BooleanField(default=False)
    reciprocity = models.CharField(max_length=8, default="", blank=True)
    balance = models.PositiveSmallIntegerField(default=0)
    clashes = models.CharField(max_length=8, default="allow")
    credits_least = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    credits_most = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    appeal_days = models.PositiveSmallIntegerField(default=10)

    objects = Policies.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def searchable(self) -> tuple[str, ...]:
        return self.call.code, *self.call.title.values()


class GroupsAsked(models.Model):
    """Where an institution asks its students about fewer groups than the rulebook lists."""

    organisation = models.OneToOneField(Organisation, models.CASCADE, primary_key=True, related_name="groups_asked")
    groups = models.JSONField(default=list)


class Declarations(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Declarations":
        """The student, and nobody else: neither her institution nor the office of the call, nor who runs the installation."""
        return self if actor.is_system else self.filter(application__student_id=actor.person_id)


class Declaration(Record):
    """A student's consent to use what she says of herself, for one application and for each purpose apart."""

    noun = "declaration"

    application = models.OneToOneField(Application, models.CASCADE, related_name="declaration")
    for_seats = models.BooleanField(default=False)
    for_statistics = models.BooleanField(default=False)
    declared_at = models.DateTimeField()

    objects = Declarations.as_manager()

    class Meta:
        ordering = ["-declared_at"]


class DeclaredGroup(models.Model):
    """A group that she says she belongs to. Apart from the declaration, so that no history keeps what she takes back."""

    declaration = models.ForeignKey(Declaration, models.CASCADE, related_name="groups")
    group = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["declaration", "group"], name="declared_once")]


class Runs(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Runs":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(call__organisation_id__in=actor.organisations("coordinator"))


class Run(Record):
    """One computation of the allocation. `seed` stays empty until publishing, which is a second act.

    `progress` counts the stages (`computing.STAGES`) that the worker has done; `error` are the reasons why it gave up;
    `because` is why the office chose this result, for everybody to read.
    """

    noun = "run"

    call = models.ForeignKey(Call, models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    mechanism = models.CharField(max_length=40)
    seed = models.CharField(max_length=64, default="", blank=True)
    rulebook = models.CharField(max_length=64, default="", blank=True)
    problem_digest = models.CharField(max_length=64, default="", blank=True)
    outcome_digest = models.CharField(max_length=64, default="", blank=True)
    counts = models.JSONField(default=dict)
    progress = models.PositiveSmallIntegerField(default=0)
    error = models.JSONField(default=list, blank=True)
    publish_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=10, default=RunState.PREVIEW, choices=choices_of(RunState))

    objects = Runs.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["call", "number"], name="one_run_per_number"),
            models.UniqueConstraint(fields=["call"], condition=models.Q(state=RunState.PUBLISHED), name="one_published_run_per_call"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.call.code, str(self.number)


class Frozen(models.Model):
    """The canonical bytes of a run. Apart from the run, because the problem holds the seed: neither a list of runs
    nor the history of one may carry it before it is published."""

    run = models.OneToOneField(Run, models.CASCADE, primary_key=True, related_name="frozen")
    problem = models.BinaryField()
    outcome = models.BinaryField()


class CutOff(models.Model):
    """Who was the last to get into an offering, in a run without policies: what all who wait for it are told.

    `number` is the offering's place in the frozen problem. No band where the lottery alone decided; no lottery number
    where nobody was admitted.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="cut_offs", db_index=False)
    number = models.PositiveIntegerField()
    offering = models.ForeignKey(Offering, models.PROTECT, related_name="+", db_index=False)
    seats = models.PositiveIntegerField()
    band = models.IntegerField(null=True)
    lottery = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_cut_off_per_offering")]


class Explanation(models.Model):
    """What one student is told: a reason for each choice, in the order of her list.

    In a run without policies the reasons follow from her places and the cut-offs: `{wanted, choices}`, a choice being (rank,
    number of the offering's cut-off, band, place), and the place 0 for a seat, n in line, none when she does not wait. With
    policies each reason is kept as `[code, facts]`.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="explanations", db_index=False)
    application = models.ForeignKey(Application, models.CASCADE, related_name="explanations")
    reasons = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "application"], name="explained_once_per_run")]


class Seats(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Seats":
        """The student, her home, the institution that teaches, the office of the call."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations(*STAFF)
        return self.filter(
            models.Q(application__student_id=actor.person_id)
            | models.Q(application__home_id__in=staffed)
            | models.Q(offering__opportunity__organisation_id__in=staffed)
            | models.Q(application__call__organisation_id__in=actor.organisations("coordinator"))
        )

    def holding(self) -> "Seats":
        """Seats that nobody else can have now: offered or accepted."""
        return self.filter(state__in=HOLDING)


class Seat(Record):
    """A seat in one offering held for one student: offered, then accepted or freed for the next on the list."""

    noun = "seat"

    run = models.ForeignKey(Run, models.PROTECT, related_name="seats")
    application = models.ForeignKey(Application, models.PROTECT, related_name="seats")
    offering = models.ForeignKey(Offering, models.PROTECT, related_name="seats_given")
    rank = models.PositiveSmallIntegerField()
    offered_at = models.DateTimeField()
    respond_by = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    from_waiting_list = models.BooleanField(default=False)
    state = models.CharField(max_length=10, default=SeatState.OFFERED, choices=choices_of(SeatState))

    objects = Seats.as_manager()

    class Meta:
        ordering = ["-offered_at"]
        constraints = [
            models.UniqueConstraint(fields=["application", "offering"], condition=models.Q(state__in=[s.value for s in HOLDING]), name="one_seat_per_offering"),
            models.CheckConstraint(condition=models.Q(respond_by__gt=models.F("offered_at")), name="time_to_answer"),
        ]
        indexes = [models.Index(fields=["state", "respond_by"], name="seat_to_expire")]

    def searchable(self) -> tuple[str, ...]:
        return self.application.student.name, self.offering.code, *self.offering.opportunity.title.values()


class WaitingPlaces(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "WaitingPlaces":
        """The student, her home, the office of the call."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(
            models.Q(application__student_id=actor.person_id)
            | models.Q(application__home_id__in=actor.organisations(*STAFF))
            | models.Q(run__call__organisation_id__in=actor.organisations("coordinator"))
        )

    def waiting(self) -> "WaitingPlaces":
        """Those without an open offer of this very offering."""
        return self.exclude(_has_offer())

    def offered(self) -> "WaitingPlaces":
        """Those who have such an offer: they keep their place until they answer it."""
        return self.filter(_has_offer())


class WaitingPlace(Record):
    """A student's place on an offering's waiting list: by band, then lottery number, as in the run.

    The place is lost by accepting or declining a seat in that offering, or by leaving; nobody else's answer moves it
    but upwards.
    """

    noun = "waiting_place"

    # A popular call has some hundred thousand of these: the constraints below are the indexes that are asked.
    run = models.ForeignKey(Run, models.CASCADE, related_name="waiting", db_index=False)
    offering = models.ForeignKey(Offering, models.PROTECT, related_name="+", db_index=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="waiting", db_index=False)
    position = models.PositiveIntegerField()
    rank = models.PositiveSmallIntegerField()
    band = models.IntegerField()
    lottery = models.BigIntegerField()
    folded = None  # type: ignore[assignment]  # -- no column: found by the words of the application and of the course

    objects = WaitingPlaces.as_manager()

    class Meta:
        ordering = ["offering_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["application", "offering", "run"], name="once_per_waiting_list"),
            models.UniqueConstraint(fields=["run", "offering", "position"], name="one_student_per_place"),
        ]


def _has_offer() -> models.Exists:
    return models.Exists(Seat.objects.filter(application=models.OuterRef("application"), offering=models.OuterRef("offering"), state=SeatState.OFFERED))


class Trials(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Trials":
        """The offices of the institution that tries."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(organisation_id__in=actor.organisations("coordinator"))


class Trial(Record):
    """What would be if: all mechanisms on one problem, with a lottery of its own, so that nobody can try until somebody wins.

    Of a call (`changes` says what is asked to be different) or of files handed in, which are solved by the `mechanism`,
    `lottery` and `timetable` asked for; a call has its own rules. Nothing here can be published.
    `columns` are the results side by side as `counting.side_by_side` makes them.
    """

    noun = "trial"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    call = models.ForeignKey(Call, models.CASCADE, null=True, blank=True, related_name="trials")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200, default="", blank=True)
    mechanism = models.CharField(max_length=40, default="", blank=True)
    lottery = models.CharField(max_length=20, default=Lottery.SINGLE.value)
    timetable = models.CharField(max_length=10, default=Timetable.FAST.value)
    seed = models.CharField(max_length=200, default="", blank=True)
    changes = models.JSONField(default=dict, blank=True)
    columns = models.JSONField(default=list, blank=True)
    error = models.JSONField(default=list, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, default=TrialState.WAITING, choices=choices_of(TrialState))

    objects = Trials.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["organisation", "number"], name="one_trial_per_number")]

    def searchable(self) -> tuple[str, ...]:
        return self.title, str(self.number)


class TrialFiles(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "TrialFiles":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(trial__organisation_id__in=actor.organisations("coordinator"))


class TrialFile(Record):
    """A file of a trial: handed in, or the answer. `content` is the file's text."""

    noun = "trial_file"

    trial = models.ForeignKey(Trial, models.CASCADE, related_name="files")
    name = models.CharField(max_length=40)
    is_answer = models.BooleanField(default=False)
    content = models.TextField()

    objects = TrialFiles.as_manager()

    class Meta:
        ordering = ["is_answer", "name"]
        constraints = [models.UniqueConstraint(fields=["trial", "name"], name="one_file_per_name")]

    def searchable(self) -> tuple[str, ...]:
        return (self.name,)


class Appeals(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Appeals":
        """The student who appeals and the office that answers; her words are for nobody else."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(
            models.Q(application__student_id=actor.person_id)
            | models.Q(application__call__organisation_id__in=actor.organisations("coordinator"))
        )


class Appeal(Record):
    """A student asks to look at her result again, about one choice or as a whole, and is answered with reasons.

    `remedy` says what a granted appeal led to: a seat given by hand (`seat`), her place in line given back (`place`) or
    nothing but the answer.
    """

    noun = "appeal"

    application = models.ForeignKey(Application, models.PROTECT, related_name="appeals")
    offering = models.ForeignKey(Offering, models.PROTECT, null=True, blank=True, related_name="+")
    words = models.TextField()
    answer = models.TextField(default="", blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    remedy = models.CharField(max_length=8, default="", blank=True)
    seat = models.ForeignKey(Seat, models.SET_NULL, null=True, blank=True, related_name="appeals")
    state = models.CharField(max_length=10, default=AppealState.FILED, choices=choices_of(AppealState))

    objects = Appeals.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["application", "offering"], condition=models.Q(state__in=["filed", "taken-up"], offering__isnull=False), name="one_open_appeal_per_choice"),
            models.UniqueConstraint(fields=["application"], condition=models.Q(state__in=["filed", "taken-up"], offering=None), name="one_open_appeal_about_all"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.application.student.name, self.application.call.code


class ChangeByHand(models.Model):
    """What the office changed after the result, in the words that everybody may read: they name nobody."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="changes")
    offering = models.ForeignKey(Offering, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    kind = models.CharField(max_length=12)
    seats = models.PositiveIntegerField(default=0)
    because = models.TextField()

    class Meta:
        ordering = ["at", "id"]
