"""Transcripts of records: frozen when issued, replaced by a new edition, never changed."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from vsm import rulebook
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.recognition import queries
from vsm.exchange.recognition.models import Result, Transcript
from vsm.exchange.recognition.states import (
    TRANSCRIPT_STEPS,
    TranscriptState,
)
from vsm.exchange.recognition.transcript import (
    FORMAT,
    Component,
    Content,
    digest_of,
    explained_scale,
    explained_system,
    legend,
    typeset,
)
from vsm.exchange.recognition.why import Because
from vsm.exchange.sessions.models import Enrolment
from vsm.exchange.sessions.states import State as EnrolmentState
from vsm.kit import files
from vsm.kit.actions import action, note
from vsm.kit.actors import Actor
from vsm.kit.errors import Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason


@action(
    "issue_transcript", on=LearningAgreement, label=_("Issue the transcript"), allow=("registrar@host", "coordinator@host"),
    tone="primary", when=lambda agreement: agreement.signed_version > 0 and queries.is_transcript_due(agreement),
)  # fmt: skip
def issue_transcript(agreement: LearningAgreement, *, by: Actor, now: datetime) -> Transcript:
    """Certify every course taken under this agreement, as the records say today.

    Content and PDF are frozen: a later change of a course, a name or the rulebook does not reach them. Home is told and
    gets a proposal for each course. Refused with every result that is still missing.
    """
    enrolments = queries.enrolments_of(agreement)
    finals = queries.final_results(enrolments)
    reasons = list(queries.why_no_transcript(enrolments, finals))
    if queries.transcript_in_force(agreement) is not None:
        text = N_("A transcript is already in force. Issue a new edition of it, saying why.")
        reasons.append(Reason("already-issued", text))
    Refused.because(reasons)
    number = _next_number(agreement.host_id, now)
    return _issue(agreement, enrolments, finals, number=number, edition=1, by=by, now=now)


@action(
    "reissue", on=Transcript, label=_("Issue a new edition"), allow=("registrar@host", "coordinator@host"),
    step=TRANSCRIPT_STEPS["reissue"], tone="warning",
)  # fmt: skip
def reissue(transcript: Transcript, *, by: Actor, now: datetime, because: Because) -> Transcript:
    """Put a new edition under the same number in the place of this one, which stays readable and is marked as replaced."""
    agreement = transcript.agreement
    enrolments = queries.enrolments_of(agreement)
    finals = queries.final_results(enrolments)
    Refused.because(queries.why_no_transcript(enrolments, finals))
    # Before the new one is written: the database lets only one transcript of an agreement be in force.
    transcript.state = TranscriptState.SUPERSEDED
    transcript.save()
    note(transcript, "supersede", by=by, now=now, because=because, changes={"state": ["issued", "superseded"]})
    return _issue(
        agreement,
        enrolments,
        finals,
        number=transcript.number,
        edition=transcript.edition + 1,
        by=by,
        now=now,
        because=because,
    )


def _issue(
    agreement: LearningAgreement, enrolments: list[Enrolment], finals: dict[UUID, Result], *,
    number: str, edition: int, by: Actor, now: datetime, because: str = "",
) -> Transcript:  # fmt: skip
    told = [each for each in enrolments if each.state != EnrolmentState.DROPPED]
    components = [queries.component_of(each, finals.get(each.pk)) for each in told]
    content = _content(agreement, components, number=number, edition=edition, by=by, now=now, because=because)
    digest = digest_of(content)
    transcript = Transcript(
        agreement=agreement, student=agreement.student, home=agreement.home, host=agreement.host, number=number, edition=edition,
        content=content, digest=digest, pdf_digest=files.put(typeset(content, digest)), language=content["language"],
        issued_at=now, because=because,
    )  # fmt: skip
    transcript.save()
    emit("transcript.issued", transcript_id=str(transcript.pk))
    return transcript


def _content(
    agreement: LearningAgreement,
    components: list[Component],
    *,
    number: str,
    edition: int,
    by: Actor,
    now: datetime,
    because: str,
) -> Content:
    student, host = agreement.student, agreement.host
    record = getattr(student, "student_record", None)
    version = agreement.version_in_force
    today = now.astimezone(ZoneInfo(host.zone)).date()
    earned: dict[str, Decimal] = {}
    for each in components:
        if each["credits_earned"]:
            earned[each["credit_system"]] = earned.get(each["credit_system"], Decimal(0)) + Decimal(
                each["credits_earned"]
            )
    scales = sorted({each["scale"] for each in components if each["scale"]})
    systems = sorted({each["credit_system"] for each in components})
    return {
        "format": FORMAT,
        "number": number,
        "edition": edition,
        "replaces": because,
        "language": student.language,
        "issued_at": now.isoformat(timespec="seconds"),
        "zone": host.zone,
        "issued_by": by.label,
        "student": {
            "name": student.name,
            "student_number": record.student_number if record else "",
            "programme": record.programme if record else "",
        },
        "home": queries.institution_of(agreement.home),
        "host": queries.institution_of(host),
        "learning_agreement": {
            "id": str(agreement.pk), "version": str(agreement.signed_version), "digest": version.digest if version else "",
        },
        "starts_on": min(each["starts_on"] for each in components),
        "ends_on": max(each["ends_on"] for each in components),
        "components": components,
        "credits_earned": {system: str(amount) for system, amount in sorted(earned.items())},
        "grade_scales": [explained_scale(rulebook.grade_scale(slug), today) for slug in scales],
        "credit_systems": [explained_system(rulebook.credit_system(slug), today) for slug in systems],
        "legend": legend({each["outcome"] for each in components}),
        "rulebook_version": rulebook.version(),
    }  # fmt: skip


def _next_number(host_id: UUID, now: datetime) -> str:
    """The next number of this host in this year. The host's row is locked: two at once would take the same number."""
    host = Organisation._base_manager.select_for_update(of=("self",)).get(pk=host_id)
    year = now.astimezone(ZoneInfo(host.zone)).year
    issued = Transcript.objects.filter(host=host, edition=1, number__startswith=f"{year}-").count()
    return f"{year}-{issued + 1:04d}"
