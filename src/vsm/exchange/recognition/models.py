"""Results, frozen transcripts of records, and what home decided about each component."""

from django.db import models

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.people.models import Person
from vsm.exchange.recognition.states import DecisionState, ResultState, TranscriptState
from vsm.exchange.sessions.models import Enrolment
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of


class Results(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Results":
        """The student and home see what was once final; the host's teacher and offices see the provisional ones too."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar", "observer")
        # Not by state: a provisional grade that was replaced before anybody confirmed it was never told to anyone.
        told = models.Q(confirmed_at__isnull=False)
        return self.filter(
            (models.Q(enrolment__student_id=actor.person_id) & told)
            | (models.Q(enrolment__home_id__in=staffed) & told)
            | models.Q(enrolment__offering__opportunity__organisation_id__in=staffed)
            | models.Q(enrolment__offering__in=Offering.objects.filter(instructors=actor.person_id).values("pk"))
        )


class Result(Record):
    """A grade as the host gave it, on the host's scale, with the credits that it earned.

    Never edited: a correction is a new row that `corrects` the old one and says `because`. `confirmed_at` is when the
    host stood by it; it is None as long as the result is provisional.
    """

    noun = "result"

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="results")
    grade = models.CharField(max_length=16)
    scale = models.CharField(max_length=32)
    passed = models.BooleanField()
    credits = models.DecimalField(max_digits=6, decimal_places=2)
    credit_system = models.CharField(max_length=32)
    remark = models.TextField(default="", blank=True)
    corrects = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="corrected_by")
    because = models.TextField(default="", blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(
        max_length=12, default=ResultState.PROVISIONAL, choices=choices_of(ResultState)
    )

    objects = Results.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment"], condition=~models.Q(state=ResultState.SUPERSEDED), name="one_current_result"
            ),
            models.CheckConstraint(condition=models.Q(credits__gte=0), name="result_credits_not_negative"),
            models.CheckConstraint(
                condition=~models.Q(state=ResultState.FINAL) | models.Q(confirmed_at__isnull=False),
                name="final_result_was_confirmed",
            ),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.enrolment.student.name, self.grade, self.enrolment.offering.code


class Transcripts(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Transcripts":
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar")
        return self.filter(
            models.Q(student_id=actor.person_id) | models.Q(home_id__in=staffed) | models.Q(host_id__in=staffed)
        )


class Transcript(Record):
    """A transcript of records, frozen: content, digest and PDF are what they were when issued. A correction supersedes.

    `content` has the shape of `recognition.transcript.Content`; `digest` is the SHA-256 of its canonical bytes.
    `language` is the one it was typeset in, with English beside. `outdated_since` is set when a result on it was
    corrected: from then on the host owes a new edition.
    """

    noun = "transcript"

    agreement = models.ForeignKey(LearningAgreement, models.PROTECT, related_name="transcripts")
    student = models.ForeignKey(Person, models.PROTECT, related_name="transcripts")
    home = models.ForeignKey(Organisation, models.PROTECT, related_name="transcripts_in")
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="transcripts_out")
    number = models.CharField(max_length=64)
    edition = models.PositiveIntegerField(default=1)
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    pdf_digest = models.CharField(max_length=64, default="", blank=True)
    language = models.CharField(max_length=8, default="en")
    issued_at = models.DateTimeField()
    outdated_since = models.DateTimeField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(
        max_length=10, default=TranscriptState.ISSUED, choices=choices_of(TranscriptState)
    )

    objects = Transcripts.as_manager()

    class Meta:
        ordering = ["-issued_at"]
        constraints = [
            models.UniqueConstraint(fields=["host", "number", "edition"], name="one_transcript_per_edition"),
            models.UniqueConstraint(
                fields=["agreement"], condition=models.Q(state=TranscriptState.ISSUED), name="one_transcript_in_force"
            ),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.student.name, self.number


class Decisions(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Decisions":
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar", "observer")
        return self.filter(
            models.Q(enrolment__student_id=actor.person_id)
            | models.Q(enrolment__home_id__in=staffed)
            | models.Q(transcript__host_id__in=actor.organisations("registrar"))
        )


class Decision(Record):
    """What home recognises for one completed component: credits and grade at home, by which table, why.

    `proposal` is the evidence that the person who decides has before them, in the shape of
    `recognition.proposals.Evidence`. `question` is what a student asks when they want it reconsidered.
    """

    noun = "decision"

    enrolment = models.OneToOneField(Enrolment, models.PROTECT, related_name="decision")
    result = models.ForeignKey(Result, models.PROTECT)
    transcript = models.ForeignKey(Transcript, models.PROTECT)
    home_code = models.CharField(max_length=64, default="", blank=True)
    home_title = models.CharField(max_length=255, default="", blank=True)
    home_credits = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    home_grade = models.CharField(max_length=16, default="", blank=True)
    proposal = models.JSONField(default=dict)
    because = models.TextField(default="", blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="decisions_made")
    question = models.TextField(default="", blank=True)
    questioned_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(
        max_length=12, default=DecisionState.PROPOSED, choices=choices_of(DecisionState)
    )

    objects = Decisions.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state=DecisionState.PROPOSED) | models.Q(decided_at__isnull=False),
                name="decision_has_its_moment",
            ),
            models.CheckConstraint(
                condition=models.Q(home_credits__isnull=True) | models.Q(home_credits__gte=0),
                name="home_credits_not_negative",
            ),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.enrolment.student.name, self.home_code, self.home_title, self.enrolment.offering.opportunity.code
