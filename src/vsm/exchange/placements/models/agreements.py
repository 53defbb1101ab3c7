"""The tripartite agreement: immutable versions, signatures bound to a version's digest, and links to sign by."""


from django.db import models

from vsm.exchange.people.models import Person
from vsm.exchange.placements.models.placements import OfPlacement, Placement
from vsm.exchange.placements.rules.agreement import Content, Party, digest_of, from_json
from vsm.exchange.placements.states import AgreementState, LinkState
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.signed_texts import SignedText, TextSignature, TextVersion
from vsm.kit.states import choices_of


class PlacementAgreement(SignedText, Record):
    """What student, host and home promise each other, in versions that all three sign."""

    noun = "placement_agreement"

    placement = models.OneToOneField(Placement, models.PROTECT, related_name="agreement")
    state = models.CharField(max_length=10, default=AgreementState.DRAFT, choices=choices_of(AgreementState))

    objects = OfPlacement.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def searchable(self) -> tuple[str, ...]:
        return self.placement.student.name, self.placement.host.name


class AgreementVersion(TextVersion):
    """One version of the agreement's text."""

    agreement = models.ForeignKey(PlacementAgreement, models.CASCADE, related_name="versions")

    class Meta(TextVersion.Meta):
        constraints = [models.UniqueConstraint(fields=["agreement", "number"], name="one_placement_version_per_number")]

    @property
    def text(self) -> Content:
        return from_json(self.content)

    @property
    def is_intact(self) -> bool:
        return digest_of(self.text) == self.digest


class Signature(TextSignature):
    """One side's signature under one version. By an account (`person`), or by a link (`link`) with a confirmed address."""

    version = models.ForeignKey(AgreementVersion, models.CASCADE, related_name="signatures")
    party = models.CharField(max_length=8, choices=choices_of(Party))
    person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254)
    function = models.CharField(max_length=200, default="", blank=True)
    link = models.ForeignKey("SigningLink", models.PROTECT, null=True, blank=True, related_name="signatures")
    zone = models.CharField(max_length=64, default="UTC")

    class Meta(TextSignature.Meta):
        constraints = [
            models.UniqueConstraint(fields=["version", "party"], name="one_placement_signature_per_side"),
            models.CheckConstraint(condition=models.Q(person__isnull=False) | models.Q(link__isnull=False), name="signature_has_a_hand"),
        ]


class SigningLinks(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "SigningLinks":
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator")
        return self.filter(models.Q(agreement__placement__home_id__in=staffed) | models.Q(agreement__placement__host__organisation_id__in=staffed))


class SigningLink(Record):
    """A way to sign one text for the host without an account. Only hashes are kept of the link and of the code.

    It works for this agreement and the text with this `digest` only, until `expires_at`, once. The code is mailed to the
    same address at the moment of signing: a link that was passed on is not enough.
    """

    noun = "signing_link"

    agreement = models.ForeignKey(PlacementAgreement, models.CASCADE, related_name="links")
    digest = models.CharField(max_length=64)
    email = models.EmailField()
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=8, default="es")
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    code_hash = models.CharField(max_length=64, default="", blank=True)
    code_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    codes_sent = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, default=LinkState.SENT, choices=choices_of(LinkState))

    objects = SigningLinks.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def searchable(self) -> tuple[str, ...]:
        return self.email, self.name
