"""What the pages of results, transcripts and decisions show beyond their facts; and the stored bytes of transcripts."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm import rulebook
from vsm.exchange.institutions.queries import name_of
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.learning_agreements.queries import LEARNING_AGREEMENT
from vsm.exchange.recognition.models import Decision, Result, Transcript
from vsm.exchange.recognition.proposals import reasons
from vsm.exchange.recognition.queries import (
    DECISION_STATES,
    RESULT,
    TRANSCRIPT,
    content_of,
    course_title,
    precedents,
    scale_name,
    system_name,
    transcript_in_force,
)
from vsm.exchange.recognition.states import DecisionState, TranscriptState
from vsm.exchange.recognition.transcript import OUTCOMES, canonical, digest_of
from vsm.kit import files
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.requests import Request
from vsm.kit.saying import say, say_reasons
from vsm.web.listing import address
from vsm.web.objects import EXTRAS, Extra

OUTCOME_TONES = {"passed": "good", "failed": "bad", "withdrawn": "neutral"}


def transcript_pdf(request: Request, pk: UUID) -> HttpResponse:
    """The bytes that were stored when it was issued; they are never typeset again."""
    transcript: Transcript = TRANSCRIPT.seen_by(request.actor, pk)
    return _download(files.get(transcript.pdf_digest), "application/pdf", f"{_file_name(transcript)}.pdf")


def transcript_json(request: Request, pk: UUID) -> HttpResponse:
    """The content in its canonical form (RFC 8785): its SHA-256 is the fingerprint on the page and on the PDF."""
    transcript: Transcript = TRANSCRIPT.seen_by(request.actor, pk)
    return _download(canonical(transcript.content), "application/json", f"{_file_name(transcript)}.json")


def transcript_context(transcript: Transcript, actor: Actor) -> dict[str, Any]:
    """The courses as a table, the files, and whether this is the edition that counts."""
    here = address(TRANSCRIPT, transcript)
    content = content_of(transcript)
    in_force = transcript_in_force(transcript.agreement)
    return {
        "transcript": transcript,
        "files": [
            {"url": f"{here}pdf/", "name": _("Transcript"), "type": "pdf", "size": len(files.get(transcript.pdf_digest))},
            {"url": f"{here}json/", "name": _("Content"), "type": "json", "size": len(canonical(transcript.content))},
        ],
        "is_whole": digest_of(transcript.content) == transcript.digest,
        "is_superseded": transcript.state == TranscriptState.SUPERSEDED,
        "newer_url": address(TRANSCRIPT, in_force) if in_force and in_force.pk != transcript.pk else "",
        "rows": [
            {
                **component,
                "title": text_in(component["title"], get_language() or "en"),
                **{name: date.fromisoformat(component[name]) for name in ("starts_on", "ends_on")},
                "outcome_label": say(OUTCOMES[component["outcome"]]),
                "tone": OUTCOME_TONES[component["outcome"]],
            }
            for component in content["components"]
        ],
        "scales": [text_in(scale["name"], get_language() or "en") for scale in content["grade_scales"]],
    }  # fmt: skip


def result_context(result: Result, actor: Actor) -> dict[str, Any]:
    """The agreement that the result counts under, where its transcript is issued, and whether one has to be issued anew."""
    agreement = LearningAgreement.objects.visible_to(actor).filter(pk=result.enrolment.learning_agreement_id).first()
    told = Transcript.objects.visible_to(actor).filter(
        agreement=result.enrolment.learning_agreement_id, state=TranscriptState.ISSUED, outdated_since__isnull=False
    )
    outdated = told.first() if result.enrolment.learning_agreement_id else None
    return {
        "agreement_url": address(LEARNING_AGREEMENT, agreement) if agreement else "",
        "outdated_url": address(TRANSCRIPT, outdated) if outdated else "",
        "outdated": outdated,
    }


def decision_context(decision: Decision, actor: Actor) -> dict[str, Any]:
    """The evidence in words, what the same home decided before (for its own staff), and what the student can do."""
    home = decision.enrolment.home
    decides = any(actor.holds(role, home.pk) for role in ("registrar", "coordinator", "observer"))
    evidence: Mapping[str, Any] = decision.proposal
    label, tone = DECISION_STATES[str(decision.state)]
    return {
        "decision": decision,
        "state_label": say(label),
        "tone": tone,
        "is_open": decision.state == DecisionState.PROPOSED,
        "is_student": actor.person_id == decision.enrolment.student_id,
        "home_name": name_of(home),
        "home_contact": home.contact,
        "course": course_title(decision.enrolment),
        "promise": evidence.get("promise"),
        "obstacles": _said(evidence.get("obstacles")),
        "cautions": _said(evidence.get("cautions")),
        "credits": _conversion(evidence.get("credits"), system_name),
        "grade": _conversion(evidence.get("grade"), scale_name),
        "rulebook_version": evidence.get("rulebook_version", ""),
        "precedents": precedents(decision, actor) if decides else [],
        "decides": decides,
        "result_url": address(RESULT, decision.result),
    }


def _conversion(kept: Mapping[str, Any] | None, name: Any) -> dict[str, Any] | None:
    """A kept conversion in the reader's language: from, to, the way, the range, the steps and the sources."""
    if kept is None:
        return None
    return {
        **kept,
        "given": kept.get("given") or kept.get("amount"),
        "source_name": name(kept["source"]),
        "target_name": name(kept["target"]),
        "method_name": text_in(rulebook.method(str(kept["method"])).name, get_language() or "en"),
        "steps": _said(kept["steps"]),
    }


def _said(told: Iterable[Mapping[str, Any]] | None) -> list[str]:
    return say_reasons(reasons(told or ()))


def _file_name(transcript: Transcript) -> str:
    return f"transcript-{transcript.host.schac}-{transcript.number}-{transcript.edition}"


def _download(data: bytes, media_type: str, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


EXTRAS["result"] = Extra("registrar/recognition/result.html", result_context)
EXTRAS["transcript"] = Extra("registrar/recognition/transcript.html", transcript_context)
EXTRAS["decision"] = Extra("registrar/recognition/decision.html", decision_context)

urlpatterns = [
    path("transcripts/<uuid:pk>/pdf/", transcript_pdf, name="transcript_pdf"),
    path("transcripts/<uuid:pk>/json/", transcript_json, name="transcript_json"),
]
