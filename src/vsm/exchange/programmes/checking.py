"""Documents and conditions: handed in, made sure of by somebody in a stated way, asked about, refused, met, waived."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any

from django.utils.translation import gettext_lazy as _

from vsm.exchange.credentials.queries import verdict_on
from vsm.exchange.programmes.admitting import Because, admit_if_settled, lapse
from vsm.exchange.programmes.facts import day_at
from vsm.exchange.programmes.models import Admission, AdmissionDocument, Condition
from vsm.exchange.programmes.queries import choices
from vsm.exchange.programmes.rules import DOCUMENT_KINDS, DOCUMENT_WORDS, WAY_WORDS, WAYS
from vsm.exchange.programmes.states import ADMISSION_STEPS, CONDITION_STEPS, DOCUMENT_STEPS
from vsm.kit import files
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.folding import fold
from vsm.kit.i18n import N_
from vsm.kit.signing import Outcome
from vsm.kit.uploads import LIMIT, Upload, document_name, media_type_of
from vsm.kit.verdict import Reason
from vsm.standards.open_badges.verify import Standing, Verification

HOST_OFFICE = ("coordinator@admission.intake.programme.organisation", "registrar@admission.intake.programme.organisation")
# Of these one may hand in several; of the others a new file takes the place of one that was not verified.
SEVERAL = frozenset({"reference", "other"})


@action("attach", on=Admission, label=_("Attach a document"), allow=("self@student",), step=ADMISSION_STEPS["attach"])
def attach(
    admission: Admission, *, by: Actor, now: datetime,
    kind: Annotated[str, Ask(_("What it is"), choices=lambda _r, _a: choices(DOCUMENT_WORDS))],
    file: Annotated[Upload, Ask(_("File"), _("A PDF, a JPEG or PNG, or a signed credential (.jwt, .json); at most 5 MB."))],
) -> AdmissionDocument:  # fmt: skip
    """Hand in a document. A signed credential is verified at once: its signature, its status, and that it was given to you."""
    if kind not in DOCUMENT_KINDS:
        raise Invalid(Reason("document", N_("“%(value)s” is not one of: %(known)s."), {"value": kind, "known": ", ".join(DOCUMENT_KINDS)}, "kind"))
    if not file.data or len(file.data) > LIMIT:
        raise Invalid(Reason("file-size", N_("The file is empty, or larger than %(limit)s MB."), {"limit": LIMIT // 2**20}, "file"))
    media_type = media_type_of(file.data)
    name = document_name(file.name, media_type)
    if not media_type:
        raise Invalid(Reason("document-type", N_("“%(name)s” is not a PDF, JPEG, PNG or plain text file, whatever its name says. Save it as PDF."), {"name": name}, "file"))
    if kind not in SEVERAL:
        for earlier in admission.documents.filter(kind=kind, state__in=DOCUMENT_STEPS["replace"].before):
            replace(earlier, by=SYSTEM, now=now)
    document = AdmissionDocument(
        admission=admission, kind=kind, name=name, media_type=media_type, size=len(file.data), digest=files.put(file.data),
        signed=_signed(file.data, admission, now),
    )  # fmt: skip
    document.save()
    return document


@action("replace", on=AdmissionDocument, label=_("Replace"), allow=(), step=DOCUMENT_STEPS["replace"])
def replace(document: AdmissionDocument, *, by: Actor, now: datetime) -> AdmissionDocument:
    """A later file of the same kind has taken its place; this one is kept for the record."""
    return document


@action("verify", on=AdmissionDocument, label=_("Mark as verified"), allow=HOST_OFFICE, step=DOCUMENT_STEPS["verify"], tone="primary")
def verify_document(
    document: AdmissionDocument, *, by: Actor, now: datetime,
    way: Annotated[str, Ask(_("How was it checked?"), choices=lambda _r, _a: choices(WAY_WORDS))],
    because: Annotated[str, Ask(_("Remark"), kind="long_text", limit=2000)] = "",
) -> AdmissionDocument:  # fmt: skip
    """Say that it is genuine and how that was established. “Verifiable credential” only where our verifier finds it valid now."""
    if way not in WAYS:
        raise Invalid(Reason("way", N_("“%(value)s” is not one of: %(known)s."), {"value": way, "known": ", ".join(WAYS)}, "way"))
    problems = list(_not_own(document, by))
    if way == "credential":
        document.signed = _signed(files.get(document.digest), document.admission, now)
        problems += _why_not_by_signature(document.signed)
    Refused.because(problems)
    document.way = way
    _checked(document, by, now, because)
    return document


@action("query", on=AdmissionDocument, label=_("Ask about it"), allow=HOST_OFFICE, step=DOCUMENT_STEPS["query"])
def query_document(document: AdmissionDocument, *, by: Actor, now: datetime, because: Because) -> AdmissionDocument:
    """Ask the applicant for something better: a legible scan, a translation, a certified copy."""
    Refused.because(_not_own(document, by))
    document.way = ""
    _checked(document, by, now, because)
    emit("admission.document_queried", document_id=str(document.pk))
    return document


@action("refuse", on=AdmissionDocument, label=_("Refuse it"), allow=HOST_OFFICE, step=DOCUMENT_STEPS["refuse"], tone="warning")
def refuse_document(document: AdmissionDocument, *, by: Actor, now: datetime, because: Because) -> AdmissionDocument:
    """Say that it proves nothing here, and why. The applicant can attach another."""
    Refused.because(_not_own(document, by))
    document.way = ""
    _checked(document, by, now, because)
    emit("admission.document_queried", document_id=str(document.pk))
    return document


# Conditions -----------------------------------------------------------------------------------------------------------


@action("meet", on=Condition, label=_("The condition is met"), allow=HOST_OFFICE, step=CONDITION_STEPS["meet"], tone="primary")
def meet_condition(
    condition: Condition, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("By which evidence?"), kind="long_text", limit=2000)]
) -> Condition:
    """Say by which evidence it is met. With the last condition of an accepted offer the student is admitted."""
    return _settle(condition, by, now, because, "met")


@action("waive", on=Condition, label=_("Waive the condition"), allow=HOST_OFFICE, step=CONDITION_STEPS["waive"])
def waive_condition(condition: Condition, *, by: Actor, now: datetime, because: Because) -> Condition:
    """Do without it, and say why."""
    return _settle(condition, by, now, because, "waived")


@action("fail", on=Condition, label=_("The condition is not met"), allow=HOST_OFFICE, step=CONDITION_STEPS["fail"], tone="warning")
def fail_condition(condition: Condition, *, by: Actor, now: datetime, because: Because) -> Condition:
    """The offer lapses, and the place goes to the next. Not before the condition's day has passed."""
    admission = condition.admission
    today = day_at(admission.intake.zone, now)
    problems = list(_about_oneself(admission, by))
    if today <= condition.due_on:
        text = N_("The condition can be met until %(day)s: wait until that day has passed.")
        problems.append(Reason("not-due", text, {"day": condition.due_on}))
    Refused.because(problems)
    _settled(condition, by, now, because)
    lapse(admission, by=SYSTEM, now=now, because=because)
    return condition


@action("extend", on=Condition, label=_("Give more time"), allow=HOST_OFFICE, step=CONDITION_STEPS["extend"])
def extend_condition(
    condition: Condition, *, by: Actor, now: datetime,
    due_on: Annotated[date, Ask(_("Until"))],
    because: Because,
) -> Condition:  # fmt: skip
    """Move the day until which it can be met."""
    Refused.because(_about_oneself(condition.admission, by))
    if due_on <= condition.due_on:
        raise Invalid(Reason("due-earlier", N_("The new day must lie after %(day)s."), {"day": condition.due_on}, "due_on"))
    condition.due_on, condition.because = due_on, because.strip()
    condition.save()
    return condition


# Smaller parts --------------------------------------------------------------------------------------------------------


def _signed(data: bytes, admission: Admission, now: datetime) -> dict[str, Any]:
    """What our verifier finds in a file; empty when it is no signed credential."""
    found = verdict_on(data, now=now)
    if found.outcome_of("form") is Outcome.FAILED:
        return {}
    told = found.credential
    return {
        "standing": found.standing.value,
        "title": told.name or told.achievement.name if told else "",
        "type": told.achievement.type if told else "",
        "issuer": told.issuer.name if told else "",
        "is_own": _is_of(found, admission),
        "checked_at": now.isoformat(),
        "checks": [[check.name, check.outcome.value] for check in found.checks],
    }


def _is_of(found: Verification, admission: Admission) -> bool:
    """Whether the credential names this person: by a (concealed) address, or else by the name as written."""
    if found.credential is None:
        return False
    person, named = admission.student, found.credential.learner.identities
    addresses = [each for each in named if each.type == "emailAddress"]
    if addresses:
        return any(each.matches(person.email) for each in addresses)
    return any(fold(each.value) == fold(person.name) for each in named if not each.hashed)


def _why_not_by_signature(signed: dict[str, Any]) -> Iterator[Reason]:
    if not signed:
        yield Reason("not-signed", N_("The file is no signed credential. Choose how else it was checked."), {}, "way")
        return
    if signed["standing"] != Standing.VALID:
        text = N_("Our verifier does not find the credential valid (%(standing)s). Choose how else it was checked, or ask about it.")
        yield Reason("not-valid", text, {"standing": signed["standing"]}, "way")
    if not signed["is_own"]:
        yield Reason("not-own", N_("The credential was not given to this applicant."), {}, "way")


def _settle(condition: Condition, by: Actor, now: datetime, because: str, state: str) -> Condition:
    Refused.because(_about_oneself(condition.admission, by))
    condition.state = state
    _settled(condition, by, now, because)
    condition.save()
    admit_if_settled(condition.admission, now=now)
    return condition


def _settled(condition: Condition, by: Actor, now: datetime, because: str) -> None:
    condition.decided_by_id, condition.decided_at, condition.because = by.person_id, now, because.strip()
    emit("admission.condition_decided", condition_id=str(condition.pk))


def _checked(document: AdmissionDocument, by: Actor, now: datetime, because: str) -> None:
    document.checked_by_id, document.checked_at, document.because = by.person_id, now, because.strip()


def _not_own(document: AdmissionDocument, by: Actor) -> Iterator[Reason]:
    yield from _about_oneself(document.admission, by)


def _about_oneself(admission: Admission, by: Actor) -> Iterator[Reason]:
    if by.person_id is not None and admission.student_id == by.person_id:
        yield Reason("own-application", N_("Nobody decides on an application of their own: somebody else of the office has to."))
