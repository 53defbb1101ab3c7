"""The mail outbox: a letter is a row, written with the act that causes it, delivered by the worker."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_tasks import task

from vsm.kit import bulk, clock
from vsm.kit.folding import fold
from vsm.kit.ids import new_id
from vsm.kit.models import Job, JobState, Message
from vsm.kit.resources import Filter, Resource, Shown, resource


def post(*, to: str, language: str, kind: str, subject: str, body: str, person_id: UUID | None = None, organisation_id: UUID | None = None, calendar: str = "") -> Message:
    """Put a letter into the outbox; it leaves when the surrounding transaction has committed."""
    message = Message(to=to, language=language, kind=kind, subject=" ".join(subject.split())[:255], body=body, person_id=person_id, organisation_id=organisation_id, calendar=calendar)
    message.save()
    deliver.enqueue(message_id=str(message.pk))
    return message


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One letter of many, as `post` takes it."""

    to: str
    language: str
    kind: str
    subject: str
    body: str
    person_id: UUID | None = None
    organisation_id: UUID | None = None


def post_many(letters: Iterable[Letter]) -> int:
    """Put many letters into the outbox in few statements, each with a job of its own that delivers it. Returns how many."""
    now, rows, jobs = clock.now(), [], []
    folded = lru_cache(maxsize=256)(fold)  # many letters share their subject
    for each in letters:
        pk, subject = new_id(), " ".join(each.subject.split())[:255]
        words = f"{fold(each.to)} {folded(subject)} {folded(each.kind)}"[:2000]
        rows.append((pk, 1, now, now, words, each.person_id, each.organisation_id, each.to, each.language, each.kind, subject, each.body, "", Message.State.WAITING.value))
        jobs.append((new_id(), deliver.queue_name, deliver.module_path, {"args": [], "kwargs": {"message_id": str(pk)}}, JobState.READY.value, now, 0, "", "", now))
    columns = ("id", "version", "created_at", "updated_at", "folded", "person_id", "organisation_id", "to", "language", "kind", "subject", "body", "calendar", "state")
    bulk.insert_rows(Message, columns, rows)
    bulk.insert_rows(Job, ("id", "queue", "path", "arguments", "state", "run_at", "attempts", "token", "error", "enqueued_at"), jobs)
    return len(rows)


@task()
def deliver(message_id: str) -> None:
    """Send one letter. Its Message-ID is its own id: a receiver recognises the rare duplicate by it."""
    message = Message.objects.get(pk=message_id)
    if message.state == Message.State.SENT:
        return
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    mail = EmailMultiAlternatives(
        message.subject, message.body, to=[message.to],
        headers={"Message-ID": f"<{message.pk}@{domain}>", "Content-Language": message.language},
    )  # fmt: skip
    if message.calendar:
        # As an alternative of the text, with its method in the type (RFC 6047 §2.4): so calendars offer it at once.
        method = re.search(r"^METHOD:(\w+)", message.calendar, re.MULTILINE)
        mail.attach_alternative(message.calendar, f"text/calendar; method={method[1] if method else 'PUBLISH'}")
    mail.send()
    message.state, message.sent_at = Message.State.SENT, clock.now()
    message.save()


MESSAGE = resource(
    Resource(
        "message", "messages", Message, _("Letter"), _("Outbox"), lambda message: message.subject,
        fields=(
            Shown("subject", _("Subject"), lambda m: m.subject, listed=True, sort="subject"),
            Shown("to", _("To"), lambda m: m.to, listed=True, sort="to"),
            Shown("language", _("Language"), lambda m: m.language, "language", listed=True, sort="language"),
            Shown("state", _("State"), lambda m: m.state, "state", listed=True, sort="state"),
            Shown("created_at", _("Written"), lambda m: m.created_at, "moment", listed=True, sort="created_at"),
            Shown("sent_at", _("Sent"), lambda m: m.sent_at, "moment"),
            Shown("body", _("Text"), lambda m: m.body, "long_text"),
        ),
        filters=(
            Filter(
                "state", _("State"), lambda found, value: found.filter(state=value),
                choices=lambda _actor: [("waiting", str(_("Waiting"))), ("sent", str(_("Sent"))), ("failed", str(_("Failed")))],
            ),
        ),
        states={"waiting": (_("Waiting"), "info"), "sent": (pgettext_lazy("message", "Sent"), "good"), "failed": (_("Failed"), "bad")},
        empty=_("No letter has been written yet."),
    )
)  # fmt: skip
