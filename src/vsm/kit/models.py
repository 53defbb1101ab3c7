"""The kit's own tables: the audit chain, idempotency keys, jobs and the mail outbox."""

from django.db import models

from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.ids import new_id
from vsm.kit.records import Record, VisibleQuerySet


class AuditEvent(models.Model):
    """One link of the append-only chain. The personal part stands in `AuditDetail`, so it can be erased; the link
    keeps only a salted commitment to it, and the chain stays whole."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    via = models.CharField(max_length=16)
    verb = models.CharField(max_length=64)
    noun = models.CharField(max_length=64)
    object_id = models.UUIDField()
    commitment = models.CharField(max_length=64)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["noun", "object_id", "seq"], name="audit_of_object")]


class AuditDetail(models.Model):
    """Who (by name), why and what changed: erasable without breaking the chain."""

    event = models.OneToOneField(AuditEvent, models.CASCADE, primary_key=True, related_name="detail")
    salt = models.CharField(max_length=32)
    body = models.TextField()


class AuditHead(models.Model):
    """The end of the chain: the row whose lock puts appends in order, and which shows a cut tail."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="")


class IdempotencyKey(models.Model):
    """The first answer to a key, kept in the same transaction as its effect."""

    actor_id = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    noun = models.CharField(max_length=64, default="")
    object_id = models.UUIDField(null=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor_id", "key"], name="one_answer_per_key")]


class JobState(models.TextChoices):
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Job(models.Model):
    """A piece of work leased by one worker at a time; `token` fences off a worker that lost its lease."""

    id = models.UUIDField(primary_key=True, default=new_id)
    queue = models.CharField(max_length=32)
    path = models.CharField(max_length=255)
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=JobState.choices, default=JobState.READY)
    run_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    token = models.CharField(max_length=32, default="")
    unique_key = models.CharField(max_length=200, null=True, unique=True)
    error = models.TextField(default="")
    enqueued_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "run_at", "id"], name="job_next")]


class Heartbeat(models.Model):
    """When each worker was last seen; the office's pages warn when nobody is."""

    worker = models.CharField(max_length=64, primary_key=True)
    at = models.DateTimeField()


class Messages(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Messages":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(models.Q(person_id=actor.person_id) | models.Q(organisation_id__in=actor.organisations("coordinator", "registrar")))


class Message(Record):
    """A mail in the outbox: rendered once in the reader's language, delivered by the worker.

    `calendar` is an invitation (text/calendar with a METHOD) that calendars read from the mail.
    """

    noun = "message"

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed"

    person_id = models.UUIDField(null=True)
    organisation_id = models.UUIDField(null=True)
    to = models.EmailField()
    language = models.CharField(max_length=8)
    kind = models.CharField(max_length=64)
    subject = models.CharField(max_length=255)
    body = models.TextField()
    calendar = models.TextField(default="", blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    sent_at = models.DateTimeField(null=True)

    objects = Messages.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def searchable(self) -> tuple[str, ...]:
        return self.to, self.subject, self.kind
