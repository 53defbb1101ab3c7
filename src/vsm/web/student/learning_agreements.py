"""The learning agreement for all three sides: its text, what changed, who signs, the signing itself, the PDF."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import get_language

from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.learning_agreements.paper import paper_of, pdf_of
from vsm.exchange.learning_agreements.queries import (
    LEARNING_AGREEMENT,
    changes_to_sign,
    side_choices,
    sides_of,
    signed_sides,
)
from vsm.exchange.learning_agreements.rules import told
from vsm.exchange.learning_agreements.states import State
from vsm.kit import clock
from vsm.kit.actions import TABLE
from vsm.kit.actors import Actor
from vsm.kit.requests import Request
from vsm.kit.saying import say_reasons
from vsm.web import objects
from vsm.web.coordinator.learning_agreements import proposals
from vsm.web.signing import Signing, as_pdf, turn, version_asked


def part(agreement: LearningAgreement, actor: Actor) -> dict[str, Any]:
    """What the agreement's page shows above its facts."""
    current, in_force = agreement.current_version, agreement.version_in_force
    if current is None:
        return {}
    is_open = agreement.state in {State.DRAFT, State.SIGNING}
    paper = paper_of(current)
    if is_open:
        proposed = proposals(current.text, clock.now().date())
        paper["lines"] = [{**line, "proposal": proposed.get(line["offering"])} for line in paper["lines"]]
    return {
        "paper": paper,
        "in_force": paper_of(in_force) if in_force and in_force.number != current.number else None,
        "changes": _changes(agreement),
        "turn": _turn(agreement, actor),
        "pdf_url": f"/learning-agreements/{agreement.pk}/pdf/",
        "versions": [paper_of(each) for each in agreement.versions.all()],
        "signed_version": agreement.signed_version,
    }


def document(request: Request, pk: UUID) -> HttpResponse:
    """One version as PDF: the current one, or `?version=2`."""
    agreement = LEARNING_AGREEMENT.seen_by(request.actor, pk)
    version = version_asked(request, agreement)
    return as_pdf(pdf_of(agreement, version, get_language() or "en"), f"learning-agreement-{agreement.pk}-v{version.number}")


def _told(agreement: LearningAgreement, actor: Actor) -> dict[str, Any]:
    current = agreement.current_version
    return {"paper": paper_of(current) if current else None, "changes": _changes(agreement), "turn": _turn(agreement, actor)}


def _changes(agreement: LearningAgreement) -> list[str]:
    return say_reasons(told(change) for change in changes_to_sign(agreement))


def _turn(agreement: LearningAgreement, actor: Actor) -> str:
    """yours, signed (by your side; others are to come), or nothing."""
    current = agreement.current_version
    if agreement.state != State.SIGNING or current is None:
        return ""
    return turn(sides_of(agreement, actor), signed_sides(current), actor.person_id)


SIGNING = Signing(LEARNING_AGREEMENT, TABLE["learning_agreement", "sign"], "student/learning_agreements/sign.html", _told, side_choices)
objects.EXTRAS["learning_agreement"] = objects.Extra("student/learning_agreements/part.html", part)

urlpatterns = [
    path("learning-agreements/<uuid:pk>/sign/", SIGNING.sign, name="sign_learning_agreement"),
    path("learning-agreements/<uuid:pk>/pdf/", document, name="learning_agreement_pdf"),
]
