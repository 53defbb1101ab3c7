"""Credentials as signed bytes, their shares, the published history of issuer keys, and status lists."""

from datetime import timedelta

from django.db import models

from vsm.exchange.credentials.states import State
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.exchange.recognition.models import Result, Transcript
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of


class Credentials(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Credentials":
        """Whose it is, and the offices of the issuer and of home."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar")
        return self.filter(
            models.Q(person_id=actor.person_id)
            | models.Q(organisation_id__in=staffed)
            | models.Q(home_id__in=staffed)
        )


class IssuerKey(models.Model):
    """A public key of an issuer and when it was in use. Retired keys stay, or old credentials could not be read."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="issuer_keys")
    kid = models.CharField(max_length=64, unique=True)
    public_jwk = models.JSONField()
    valid_from = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)
    distrusted = models.BooleanField(default=False)

    class Meta:
        ordering = ["valid_from", "kid"]


RENEW_AFTER = timedelta(hours=23)  # a status list is signed anew once a day


class StatusList(models.Model):
    """A bitstring status list of one issuer; `token` is its signed form as last published.

    `issuer` and `url` are the addresses that stand in the credentials on it: they stay when this site moves.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="status_lists")
    number = models.PositiveIntegerField()
    issuer = models.CharField(max_length=255, db_index=True)
    url = models.CharField(max_length=255, unique=True)
    token = models.TextField(default="")
    signed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["organisation", "number"], name="one_status_list_per_number")]


class Credential(Record):
    """An Open Badges 3.0 credential: once signed, the bytes are what every door serves, never a re-rendering.

    It certifies either a passed course (`transcript` and `result`) or an `award` (`credentials.awards.Award` as JSON),
    whose `source_noun` and `source_id` name the record that it was earned by. `home` is the institution that the person
    comes from, whose offices see it too.
    """

    noun = "credential"

    person = models.ForeignKey(Person, models.PROTECT, related_name="credentials")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="credentials")
    home = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    transcript = models.ForeignKey(Transcript, models.PROTECT, null=True, blank=True, related_name="credentials")
    result = models.ForeignKey(Result, models.PROTECT, null=True, blank=True, related_name="credentials")
    award = models.JSONField(default=dict, blank=True)
    source_noun = models.CharField(max_length=40, default="", blank=True)
    source_id = models.UUIDField(null=True, blank=True)
    title = models.CharField(max_length=255)
    kid = models.CharField(max_length=64, default="", blank=True)
    token = models.TextField(default="", blank=True)
    digest = models.CharField(max_length=64, default="", blank=True)
    status_list = models.ForeignKey(StatusList, models.PROTECT, null=True, blank=True)
    status_index = models.PositiveIntegerField(null=True, blank=True)
    issued_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=10, default=State.REQUESTED, choices=choices_of(State))

    objects = Credentials.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["result"], condition=~models.Q(state=State.REVOKED), name="one_credential_per_result"
            ),
            models.UniqueConstraint(
                fields=["person", "source_noun", "source_id"],
                condition=~models.Q(state=State.REVOKED) & models.Q(source_id__isnull=False),
                name="one_credential_per_source",
            ),
            models.CheckConstraint(
                condition=models.Q(result__isnull=False, transcript__isnull=False, source_id__isnull=True)
                | models.Q(result__isnull=True, transcript__isnull=True, source_id__isnull=False),
                name="certifies_a_course_or_an_award",
            ),
            models.UniqueConstraint(fields=["status_list", "status_index"], name="one_status_index_each"),
            models.CheckConstraint(
                condition=~models.Q(state=State.ISSUED)
                | (~models.Q(token="") & models.Q(issued_at__isnull=False, status_index__isnull=False)),
                name="issued_credential_is_signed",
            ),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.title, self.person.name

    @property
    def was_issued(self) -> bool:
        """Whether there is a signed text, in force or revoked."""
        return bool(self.token)

    @property
    def open_share(self) -> "Share | None":
        """The link that works now, out of those already loaded when a page prefetched them."""
        return next((each for each in self.shares.all() if each.ended_at is None), None)


class Share(models.Model):
    """A link by which whoever has it sees one credential, from when the student made it until they ended it."""

    credential = models.ForeignKey(Credential, models.CASCADE, related_name="shares")
    token = models.CharField(max_length=43, unique=True)
    shared_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-shared_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["credential"], condition=models.Q(ended_at__isnull=True), name="one_open_share_each"
            )
        ]
