"""What operators do: look after the parts, the outbox and the first account."""

import argparse
import secrets
from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from vsm.cli.saying import speak, table
from vsm.config import settings
from vsm.exchange.catalogue import indexing
from vsm.exchange.catalogue.index import Condition
from vsm.exchange.people.models import Person
from vsm.kit import audit, clock, health, jobs
from vsm.kit.errors import Invalid
from vsm.kit.health import Check, Outcome
from vsm.kit.i18n import N_
from vsm.kit.models import Job, JobState, Message
from vsm.kit.saying import shown
from vsm.kit.verdict import Reason


def doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", default="", metavar="NAME,…", help="only these checks")


def doctor(args: argparse.Namespace) -> int:
    """One line for each part; 1 when a part fails."""
    wanted = {name.strip() for name in args.only.split(",") if name.strip()}
    worst = 0
    for check in examination(clock.now()):
        if wanted and check.name not in wanted:
            continue
        print(f"{check.outcome:4}  {check.name:12} {check.found}" + (f"\n      {'':12} → {check.advice}" if check.advice else ""))
        worst = max(worst, int(check.outcome is Outcome.FAIL))
    return worst


def examination(now: datetime) -> Iterator[Check]:
    """The kit's checks and the search index."""
    yield from health.examine(settings().data, now)
    state = indexing.index().state()
    if state.condition is Condition.READY:
        yield Check("search index", Outcome.OK, f"{state.documents} offerings")
    else:
        yield Check("search index", Outcome.FAIL, f"{state.condition} {state.detail}".strip(), "Run `vsm migrate`: it builds the index again.")


def outbox_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--revive", action="store_true", help="give every parked job another round of attempts")


def outbox(args: argparse.Namespace) -> int:
    """Letters that have not left, and jobs that were given up."""
    speak("en")
    if args.revive:
        revived = [jobs.revive(job_id) for job_id in Job.objects.filter(state=JobState.DEAD).values_list("pk", flat=True)]
        print(f"{sum(revived)} jobs wait for a worker again.")
    unsent = Message.objects.exclude(state=Message.State.SENT).order_by("created_at")
    if unsent:
        print(table([(shown(m.created_at), m.state, m.to, m.subject) for m in unsent[:200]], ("written", "state", "to", "subject")) + "\n")
    dead = Job.objects.filter(state=JobState.DEAD).order_by("finished_at")
    if dead:
        print(table([(str(job.pk), job.path, str(job.attempts), (job.error.strip().splitlines() or [""])[-1][:120]) for job in dead[:200]], ("parked job", "task", "attempts", "last error")) + "\n")
    print(f"{Message.objects.filter(state=Message.State.SENT).count()} letters sent, {len(unsent)} not; {len(dead)} jobs parked, {Job.objects.filter(state=JobState.READY).count()} waiting.")
    return 0


def add_operator_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email")
    parser.add_argument("--name", required=True)
    parser.add_argument("--language", default="en", choices=("es", "pt-br", "en", "fr"))


def add_operator(args: argparse.Namespace) -> int:
    """Make the account with a random password, printed this once; a second factor is asked for at the first sign-in."""
    speak("en")
    try:
        validate_email(args.email)
    except ValidationError as cause:
        raise Invalid(Reason("email", N_("“%(email)s” is not an email address."), {"email": args.email}, "email")) from cause
    if Person.objects.filter(email=args.email.lower()).exists():
        raise Invalid(Reason("email-taken", N_("Somebody here has the address %(email)s already."), {"email": args.email}, "email"))
    password = secrets.token_urlsafe(18)
    now = clock.now()
    with transaction.atomic():
        person = Person(email=args.email.lower(), name=args.name, language=args.language, is_operator=True)
        validate_password(password, person)
        person.set_password(password)
        person.save()
        audit.append([audit.Entry(now, None, "operator of this computer", "cli", "add_operator", person.noun, person.pk)])
    print(f"{person.email}\n{password}")
    return 0
