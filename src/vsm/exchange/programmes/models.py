"""Programmes with their intakes, admissions, studies by term, awards, and what home recognises of them."""


from django.db import models

from vsm.exchange.catalogue.models import Offering, Opportunity
from vsm.exchange.institutions.models import Organisation, Term
from vsm.exchange.people.models import Person
from vsm.exchange.programmes import structure
from vsm.exchange.programmes.states import (
    AdmissionState,
    AttemptState,
    ConditionState,
    ConferralState,
    DocumentState,
    IntakeState,
    InterruptionState,
    ProgrammeState,
    RecognitionState,
    StudyState,
    TermState,
)
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of

OFFICE = ("coordinator", "registrar")
READERS = ("coordinator", "registrar", "observer")


class Programmes(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Programmes":
        """What is published is public; drafts belong to the institution."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(~models.Q(state=ProgrammeState.DRAFT) | models.Q(organisation_id__in=actor.organisations(*OFFICE)))


class Programme(Record):
    """An entire programme: its structure, its rules and what its award means.

    Title, credits, level, language and field are the opportunity's, where the catalogue finds it. `requirements` is
    `rules.Requirements` as JSON. `months` is the planned duration, `longest_months` the most, interruptions aside.
    `supplement` holds the facts of a diploma supplement that belong to the programme and not to a person (localized).
    """

    noun = "programme"

    opportunity = models.OneToOneField(Opportunity, models.PROTECT, related_name="programme")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="programmes")
    award_title = models.JSONField(default=dict)
    supplement = models.JSONField(default=dict, blank=True)
    requirements = models.JSONField(default=dict, blank=True)
    months = models.PositiveSmallIntegerField()
    longest_months = models.PositiveSmallIntegerField()
    term_credits_low = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    term_credits_high = models.DecimalField(max_digits=6, decimal_places=2)
    late_days = models.PositiveSmallIntegerField()
    attempts = models.PositiveSmallIntegerField()
    pause_months = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, default=ProgrammeState.DRAFT, choices=choices_of(ProgrammeState))

    objects = Programmes.as_manager()

    class Meta:
        ordering = ["opportunity__code"]
        constraints = [
            models.CheckConstraint(condition=models.Q(longest_months__gte=models.F("months")), name="longest_is_longer"),
            models.CheckConstraint(condition=models.Q(term_credits_high__gte=models.F("term_credits_low")), name="term_credits_in_order"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.opportunity.code, *self.opportunity.title.values(), *self.award_title.values()

    @property
    def structure(self) -> structure.Structure:
        """Groups and modules as the pure rules take them; prefetch both for a list."""
        groups, modules = list(self.groups.all()), list(self.modules.all())
        codes = {each.pk: each.code for each in groups}
        return structure.Structure(
            tuple(structure.Group(each.code, each.title, each.kind, each.credits) for each in groups),
            tuple(
                structure.Module(each.code, each.title, each.credits, codes[each.group_id], each.term, tuple(each.prerequisites))
                for each in modules
            ),
            self.opportunity.credits,
        )


class ModuleGroup(models.Model):
    """A part of a programme: compulsory, or so many credits out of it."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="groups")
    code = models.CharField(max_length=16)
    title = models.JSONField(default=dict)
    kind = models.CharField(max_length=12, choices=[(s, s) for s in (structure.COMPULSORY, structure.ELECTIVE)])
    credits = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["programme", "code"], name="one_group_per_code")]


class Module(models.Model):
    """A module. One that somebody has taken is never removed: its results point here."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="modules")
    group = models.ForeignKey(ModuleGroup, models.PROTECT, related_name="modules")
    code = models.CharField(max_length=32)
    title = models.JSONField(default=dict)
    credits = models.DecimalField(max_digits=6, decimal_places=2)
    term = models.PositiveSmallIntegerField(default=1)
    prerequisites = models.JSONField(default=list, blank=True)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["term", "position"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "code"], name="one_module_per_code"),
            models.CheckConstraint(condition=models.Q(credits__gt=0), name="module_has_credits"),
        ]


class Intakes(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Intakes":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(~models.Q(state=IntakeState.PLANNED) | models.Q(programme__organisation_id__in=actor.organisations(*OFFICE)))


class Intake(Record):
    """One start of a programme. `zone` is where its dates are meant; `offering` is how the catalogue shows it."""

    noun = "intake"

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="intakes")
    offering = models.OneToOneField(Offering, models.PROTECT, related_name="intake")
    code = models.CharField(max_length=64)
    zone = models.CharField(max_length=64)
    starts_on = models.DateField()
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    decide_by = models.DateTimeField()
    respond_days = models.PositiveSmallIntegerField(default=21)
    places = models.PositiveIntegerField()
    state = models.CharField(max_length=12, default=IntakeState.PLANNED, choices=choices_of(IntakeState))

    objects = Intakes.as_manager()

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "code"], name="one_intake_per_code"),
            models.CheckConstraint(condition=models.Q(closes_at__gt=models.F("opens_at")), name="intake_closes_after_opening"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.code, self.programme.opportunity.code, *self.programme.opportunity.title.values()


class Admissions(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Admissions":
        """Whose it is; the host's office once it is handed in."""
        if actor.is_system or actor.is_operator:
            return self
        hosted = models.Q(intake__programme__organisation_id__in=actor.organisations(*READERS)) & ~models.Q(state=AdmissionState.DRAFT)
        return self.filter(models.Q(student_id=actor.person_id) | hosted)


class Admission(Record):
    """One person's application to an intake, with what they state about their studies so far.

    `rank` is the office's place for it among those of the intake, with its reason; `home` is where the person is
    registered, if anywhere here. `because` is the reason of the last decision, `respond_by` when an offer expires.
    """

    noun = "admission"

    intake = models.ForeignKey(Intake, models.PROTECT, related_name="admissions")
    student = models.ForeignKey(Person, models.PROTECT, related_name="admissions")
    home = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="admissions_out")
    prior_level = models.CharField(max_length=16, default="", blank=True)
    prior_isced_f = models.CharField(max_length=4, default="", blank=True)
    prior_title = models.CharField(max_length=200, default="", blank=True)
    prior_institution = models.CharField(max_length=200, default="", blank=True)
    prior_country = models.CharField(max_length=2, default="", blank=True)
    prior_completed_on = models.DateField(null=True, blank=True)
    prior_grade = models.CharField(max_length=16, default="", blank=True)
    prior_grade_scale = models.CharField(max_length=32, default="", blank=True)
    languages = models.JSONField(default=dict, blank=True)
    motivation = models.TextField(default="", blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    rank = models.PositiveIntegerField(null=True, blank=True)
    rank_because = models.CharField(max_length=500, default="", blank=True)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="admissions_decided")
    decided_at = models.DateTimeField(null=True, blank=True)
    respond_by = models.DateTimeField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=12, default=AdmissionState.DRAFT, choices=choices_of(AdmissionState))

    objects = Admissions.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["intake", "student"], name="one_admission_per_intake")]
        indexes = [models.Index(fields=["state", "respond_by"], name="admission_offers")]

    def searchable(self) -> tuple[str, ...]:
        return self.student.name, self.intake.code, *self.intake.programme.opportunity.title.values()


class OfAdmission(VisibleQuerySet):
    """What belongs to an admission is seen by whoever sees the admission."""

    def visible_to(self, actor: Actor) -> "OfAdmission":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(admission__in=Admission.objects.visible_to(actor).values("pk"))


class AdmissionDocument(Record):
    """A file that an applicant handed in, and who made sure of it and how.

    `signed` is what our own verifier found when the file is a signed credential: its standing, issuer, title, and whether
    it was given to this person. `way` is one of `rules.WAYS` once verified.
    """

    noun = "admission_document"

    admission = models.ForeignKey(Admission, models.CASCADE, related_name="documents")
    kind = models.CharField(max_length=16)
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=100, default="application/octet-stream")
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    signed = models.JSONField(default=dict, blank=True)
    way = models.CharField(max_length=16, default="", blank=True)
    checked_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="documents_checked")
    checked_at = models.DateTimeField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=12, default=DocumentState.RECEIVED, choices=choices_of(DocumentState))

    objects = OfAdmission.as_manager()

    class Meta:
        ordering = ["kind", "-created_at"]

    def searchable(self) -> tuple[str, ...]:
        return self.name, self.kind, self.admission.student.name


class Condition(Record):
    """What an offer still depends on: what, by which evidence, until when. `document` names a kind that it covers."""

    noun = "condition"

    admission = models.ForeignKey(Admission, models.CASCADE, related_name="conditions")
    text = models.CharField(max_length=500)
    evidence = models.CharField(max_length=500)
    document = models.CharField(max_length=16, default="", blank=True)
    due_on = models.DateField()
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="conditions_decided")
    decided_at = models.DateTimeField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=12, default=ConditionState.OPEN, choices=choices_of(ConditionState))

    objects = OfAdmission.as_manager()

    class Meta:
        ordering = ["due_on", "created_at"]

    def searchable(self) -> tuple[str, ...]:
        return self.text, self.admission.student.name


class Studies(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Studies":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(models.Q(student_id=actor.person_id) | models.Q(programme__organisation_id__in=actor.organisations(*READERS)))


class Study(Record):
    """One person's studies in a programme, from admission to award. `extra_months` is what the host added to the longest
    duration, `granted` the modules that may be tried once more than the limit."""

    noun = "study"

    admission = models.OneToOneField(Admission, models.PROTECT, related_name="study")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="studies")
    student = models.ForeignKey(Person, models.PROTECT, related_name="studies")
    home = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="studies_out")
    number = models.CharField(max_length=40)
    started_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True)
    extra_months = models.PositiveSmallIntegerField(default=0)
    granted = models.JSONField(default=list, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=12, default=StudyState.ACTIVE, choices=choices_of(StudyState))

    objects = Studies.as_manager()

    class Meta:
        ordering = ["-started_on"]
        constraints = [models.UniqueConstraint(fields=["programme", "number"], name="one_study_per_number")]

    def searchable(self) -> tuple[str, ...]:
        return self.student.name, self.number, *self.programme.opportunity.title.values()


class OfStudy(VisibleQuerySet):
    """What belongs to studies is seen by whoever sees them."""

    def visible_to(self, actor: Actor) -> "OfStudy":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(study__in=Study.objects.visible_to(actor).values("pk"))


class TermEnrolment(Record):
    """A student enrolled in one term. `late_because` says why, when it was after the term had begun."""

    noun = "term_enrolment"

    study = models.ForeignKey(Study, models.PROTECT, related_name="terms")
    term = models.ForeignKey(Term, models.PROTECT, related_name="programme_enrolments")
    number = models.PositiveSmallIntegerField()
    enrolled_at = models.DateTimeField()
    late_because = models.TextField(default="", blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=12, default=TermState.ENROLLED, choices=choices_of(TermState))

    objects = OfStudy.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "term"], condition=~models.Q(state=TermState.CANCELLED), name="one_enrolment_per_term"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.study.student.name, self.term.code


class ModuleAttempts(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "ModuleAttempts":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(enrolment__study__in=Study.objects.visible_to(actor).values("pk"))


class ModuleAttempt(Record):
    """A module taken in one term, with its result on the host's grade scale."""

    noun = "module_attempt"

    enrolment = models.ForeignKey(TermEnrolment, models.PROTECT, related_name="attempts")
    module = models.ForeignKey(Module, models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField(default=1)
    grade = models.CharField(max_length=16, default="", blank=True)
    recorded_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="module_results")
    recorded_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=12, default=AttemptState.TAKING, choices=choices_of(AttemptState))

    objects = ModuleAttempts.as_manager()

    class Meta:
        ordering = ["enrolment__number", "module__term", "module__position"]
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "module"], condition=~models.Q(state=AttemptState.DROPPED), name="one_attempt_per_term"),
            models.CheckConstraint(
                condition=~models.Q(state__in=[AttemptState.PASSED, AttemptState.FAILED]) | ~models.Q(grade=""), name="result_has_a_grade"
            ),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.module.code, *self.module.title.values(), self.enrolment.study.student.name


class Interruption(Record):
    """A rest from studies, from a day until a return; the clock of the longest duration stops meanwhile."""

    noun = "interruption"

    study = models.ForeignKey(Study, models.PROTECT, related_name="interruptions")
    starts_on = models.DateField()
    returns_on = models.DateField()
    returned_on = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=12)
    because = models.TextField(default="", blank=True)
    answer = models.TextField(default="", blank=True)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="interruptions_decided")
    decided_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=12, default=InterruptionState.ASKED, choices=choices_of(InterruptionState))

    objects = OfStudy.as_manager()

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.CheckConstraint(condition=models.Q(returns_on__gt=models.F("starts_on")), name="return_after_interruption"),
            models.UniqueConstraint(fields=["study"], condition=models.Q(state__in=[InterruptionState.ASKED, InterruptionState.APPROVED]), name="one_interruption_at_once"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return (self.study.student.name,)


class Conferrals(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Conferrals":
        """Whose it is, who conferred it, and a home that was asked to recognise it."""
        if actor.is_system or actor.is_operator:
            return self
        asked = AwardRecognition.objects.filter(home_id__in=actor.organisations(*READERS)).values("conferral_id")
        return self.filter(
            models.Q(study__student_id=actor.person_id) | models.Q(study__programme__organisation_id__in=actor.organisations(*READERS)) | models.Q(pk__in=asked)
        )


class Conferral(Record):
    """The award of a programme. `supplement` is the frozen diploma supplement (`supplement.Supplement` as JSON), `digest`
    its fingerprint, `pdf_digest` the bytes of its PDF in `language`."""

    noun = "conferral"

    study = models.ForeignKey(Study, models.PROTECT, related_name="conferrals")
    number = models.CharField(max_length=64, unique=True)
    title = models.JSONField(default=dict)
    conferred_on = models.DateField()
    average = models.CharField(max_length=16, default="", blank=True)
    distinction = models.CharField(max_length=100, default="", blank=True)
    supplement = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    pdf_digest = models.CharField(max_length=64, default="", blank=True)
    language = models.CharField(max_length=8)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=12, default=ConferralState.CONFERRED, choices=choices_of(ConferralState))

    objects = Conferrals.as_manager()

    class Meta:
        ordering = ["-conferred_on"]
        constraints = [models.UniqueConstraint(fields=["study"], condition=models.Q(state=ConferralState.CONFERRED), name="one_award_in_force")]

    def searchable(self) -> tuple[str, ...]:
        return self.study.student.name, self.number, *self.title.values()


class AwardRecognitions(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "AwardRecognitions":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(models.Q(conferral__study__student_id=actor.person_id) | models.Q(home_id__in=actor.organisations(*READERS)))


class AwardRecognition(Record):
    """Home's decision about a whole award. `findings` is criterion → `{finding, text}`; `decide_by` moves while home waits
    for information that it asked for (`question`, `answer`)."""

    noun = "award_recognition"

    conferral = models.ForeignKey(Conferral, models.PROTECT, related_name="recognitions")
    home = models.ForeignKey(Organisation, models.PROTECT, related_name="award_recognitions")
    purpose = models.CharField(max_length=16)
    asked_at = models.DateTimeField()
    decide_by = models.DateField()
    findings = models.JSONField(default=dict, blank=True)
    convention = models.CharField(max_length=32, default="", blank=True)
    home_title = models.CharField(max_length=200, default="", blank=True)
    question = models.TextField(default="", blank=True)
    questioned_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(default="", blank=True)
    because = models.TextField(default="", blank=True)
    advice = models.TextField(default="", blank=True)
    appeal_text = models.TextField(default="", blank=True)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="awards_recognised")
    decided_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=12, default=RecognitionState.ASKED, choices=choices_of(RecognitionState))

    objects = AwardRecognitions.as_manager()

    class Meta:
        ordering = ["-asked_at"]
        constraints = [models.UniqueConstraint(fields=["conferral", "home", "purpose"], name="one_recognition_per_purpose")]

    def searchable(self) -> tuple[str, ...]:
        return self.conferral.study.student.name, *self.home.name.values(), self.home_title


