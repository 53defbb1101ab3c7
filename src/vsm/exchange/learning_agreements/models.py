"""Learning agreements, their immutable versions, and the three signatures bound to a version's digest."""


from django.db import models

from vsm.exchange.applications.models import Application
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.learning_agreements.rules import Content, Party, digest_of, from_json
from vsm.exchange.learning_agreements.states import State
from vsm.exchange.people.models import Person
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.signed_texts import SignedText, TextSignature, TextVersion
from vsm.kit.states import choices_of


class LearningAgreements(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "LearningAgreements":
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar", "observer")
        return self.filter(models.Q(student_id=actor.person_id) | models.Q(home_id__in=staffed) | models.Q(host_id__in=staffed))


class LearningAgreement(SignedText, Record):
    """What one student will study at one host and what home promises to recognise.

    All three sides sign its text; `waiting_for` names them in the order student, home, host.

    It comes from an application (courses by accepted seats) or from a physical mobility, `mobility_id` (courses in
    person, whichever form they take later).
    """

    noun = "learning_agreement"

    application = models.ForeignKey(Application, models.PROTECT, null=True, blank=True, related_name="learning_agreements")
    mobility_id = models.UUIDField(null=True, blank=True, unique=True)
    student = models.ForeignKey(Person, models.PROTECT)
    home = models.ForeignKey(Organisation, models.PROTECT, related_name="learning_agreements_out")
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="learning_agreements_in")
    state = models.CharField(max_length=10, default=State.DRAFT, choices=choices_of(State))

    objects = LearningAgreements.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["application", "host"], name="one_learning_agreement_per_host"),
            models.CheckConstraint(
                condition=models.Q(application__isnull=False) ^ models.Q(mobility_id__isnull=False),
                name="learning_agreement_has_one_origin",
            ),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.student.name, *self.home.name.values(), *self.host.name.values()


class LearningAgreementVersion(TextVersion):
    """One version of the agreement's text."""

    agreement = models.ForeignKey(LearningAgreement, models.CASCADE, related_name="versions")

    class Meta(TextVersion.Meta):
        constraints = [models.UniqueConstraint(fields=["agreement", "number"], name="one_version_per_number")]

    @property
    def text(self) -> Content:
        """What it says."""
        return from_json(self.content)

    @property
    def is_intact(self) -> bool:
        return digest_of(self.text) == self.digest


class Signature(TextSignature):
    """A signature of one party under one version: the digest says under which text."""

    version = models.ForeignKey(LearningAgreementVersion, models.CASCADE, related_name="signatures")
    party = models.CharField(max_length=8, choices=choices_of(Party))
    person = models.ForeignKey(Person, models.PROTECT)

    class Meta(TextSignature.Meta):
        constraints = [models.UniqueConstraint(fields=["version", "party"], name="one_signature_per_side")]
