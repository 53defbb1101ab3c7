"""A programme for whoever studies it: the application with its obstacles, progress term by term, the award, its recognition."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from vsm.exchange.catalogue import labels
from vsm.exchange.institutions.queries import name_of
from vsm.exchange.programmes.admitting import obstacles_of
from vsm.exchange.programmes.facts import day_at, last_day_of, limits_of, pauses_of, progress
from vsm.exchange.programmes.models import Admission, AwardRecognition, Conferral, Study
from vsm.exchange.programmes.paper import is_intact, pdf_of, sections_of
from vsm.exchange.programmes.progress import Progress
from vsm.exchange.programmes.queries import (
    ADMISSION_DOCUMENT,
    ADMISSION_STATES,
    CONDITION_STATES,
    CONFERRAL,
    DOCUMENT_STATES,
    FINDINGS,
    RECOGNITION_STATES,
    criterion_label,
    title_of,
)
from vsm.exchange.programmes.recognising import is_late
from vsm.exchange.programmes.rules import DOCUMENT_WORDS, WAY_WORDS, as_requirements
from vsm.exchange.programmes.states import AdmissionState, ConditionState, RecognitionState, StudyState
from vsm.exchange.programmes.studying import stuck_in
from vsm.exchange.recognition.credits import convert
from vsm.kit import clock, files
from vsm.kit.actors import Actor
from vsm.kit.errors import VsmError
from vsm.kit.localized import LANGUAGES
from vsm.kit.requests import Request
from vsm.kit.saying import day_text, say_reasons
from vsm.rulebook.programmes import convention, criteria
from vsm.web import desk, objects

SIGNED = {"valid": "good", "revoked": "bad", "invalid": "bad", "expired": "warn"}


# The application ------------------------------------------------------------------------------------------------------


def admission_part(admission: Admission, actor: Actor) -> dict[str, Any]:
    """What the application's page shows above its facts: whose turn, every obstacle, the documents, the conditions."""
    now = clock.now()
    label, tone = ADMISSION_STATES[admission.state]
    obstacles = say_reasons(obstacles_of(admission, now)) if admission.state == AdmissionState.DRAFT else []
    wanted = as_requirements(admission.intake.programme.requirements).documents
    return {
        "is_student": actor.person_id == admission.student_id,
        "standing": str(label),
        "tone": tone,
        "obstacles": obstacles,
        "is_ready": admission.state == AdmissionState.DRAFT and not obstacles,
        "stages": _stages(admission),
        "documents": [_document(each) for each in admission.documents.all() if each.state != "replaced"],
        "wanted": [_(DOCUMENT_WORDS[kind]) for kind in wanted],
        "conditions": [_condition(each) for each in admission.conditions.all()],
        "study_url": f"/studies/{admission.study.pk}/" if hasattr(admission, "study") else "",
    }  # fmt: skip


def _stages(admission: Admission) -> list[dict[str, Any]]:
    intake = admission.intake
    now_at = {"draft": 0, "submitted": 2, "waiting": 2, "offered": 3, "accepted": 3, "admitted": 5}.get(admission.state)
    if now_at is None:
        return []
    steps = [
        (_("Prepare"), None),
        (_("Handed in"), admission.submitted_at),
        (_("Decision"), admission.decided_at or intake.decide_by),
        # Until when it is asked for; once it is given, that day would read as the day of the answer.
        (_("Your answer, and conditions"), _next_condition(admission) or admission.respond_by if now_at <= 3 else None),
        (_("Admitted"), None),
        (_("Starts"), intake.starts_on),
    ]
    return [{"label": label, "state": "done" if number < now_at else "now" if number == now_at else "next", "at": at} for number, (label, at) in enumerate(steps)]


def _next_condition(admission: Admission) -> date | None:
    """The day until which the next open condition of an accepted offer has to be met."""
    if admission.state != AdmissionState.ACCEPTED:
        return None
    return min((each.due_on for each in admission.conditions.all() if each.state == ConditionState.OPEN), default=None)


def _document(document: Any) -> dict[str, Any]:
    label, tone = DOCUMENT_STATES[document.state]
    return {
        "kind": _(DOCUMENT_WORDS[document.kind]),
        "url": f"/admission-documents/{document.pk}/",
        "file": {"url": f"/admission-documents/{document.pk}/file/", "name": document.name, "size": document.size},
        "label": str(label),
        "tone": tone,
        "way": _(WAY_WORDS[document.way]) if document.way else "",
        "because": document.because,
        "signed": signed_words(document.signed),
    }


def signed_words(signed: dict[str, Any]) -> dict[str, str]:
    """What our verifier found in a signed credential, in words; empty for an ordinary file."""
    if not signed:
        return {}
    holder = _("given to this applicant") if signed["is_own"] else _("not given to this applicant")
    words = {
        "valid": _("The signature holds"),
        "revoked": _("Revoked by its issuer"),
        "expired": _("Expired"),
        "invalid": _("The signature does not hold"),
        "not-checked": _("Could not be checked in full: the issuer is not known here"),
    }
    said = words.get(signed["standing"], signed["standing"])
    return {"text": f"{said}; {holder}. {signed['title']} · {signed['issuer']}", "tone": SIGNED.get(signed["standing"], "warn") if signed["is_own"] else "bad"}


def _condition(condition: Any) -> dict[str, Any]:
    label, tone = CONDITION_STATES[condition.state]
    return {
        "text": condition.text, "evidence": condition.evidence, "due_on": condition.due_on, "label": str(label), "tone": tone,
        "because": condition.because, "url": f"/conditions/{condition.pk}/",
    }  # fmt: skip


# Studies --------------------------------------------------------------------------------------------------------------


def study_part(study: Study, actor: Actor) -> dict[str, Any]:
    """Progress as a picture with its table, what is missing and by when, the clocks, and what stands in the way."""
    today = day_at(study.programme.organisation.zone, clock.now())
    found = progress(study, today)
    limits, pauses = limits_of(study.programme), pauses_of(study)
    paused = sum(max(0, (min(pause.ends_on, today) - pause.starts_on).days) for pause in pauses)
    return {
        "is_student": actor.person_id == study.student_id,
        "progress": found,
        "rows": progress_rows(found),
        "missing": [
            {
                "what": f"{each.code} {labels.in_reader(each.title)}" if each.code else _("Modules of your choice from “%(group)s”") % {"group": labels.in_reader(each.group)},
                "credits": each.credits.normalize(), "term": each.term, "attempts": each.attempts, "left": max(0, limits.attempts + (each.code in study.granted) - each.attempts),
            }
            for each in found.missing
        ],
        "is_behind": found.is_behind and study.state == StudyState.ACTIVE,
        "last_day": last_day_of(study),
        "is_over": today > last_day_of(study) and study.state in {StudyState.ACTIVE, StudyState.INTERRUPTED},
        "paused": paused,
        "pause_most": limits.pause_months,
        "stuck": [f"{code} {labels.in_reader(each.title)}" for code in stuck_in(study) if (each := study.programme.structure.module(code))],
        "pause": study.interruptions.filter(state__in=["asked", "approved"]).first(),
        "system": labels.credit_system_label(study.programme.opportunity.credit_system),
    }  # fmt: skip


def progress_rows(found: Progress) -> list[dict[str, Any]]:
    """The whole, then each group, as a bar of 100 units: earned, being taken, missing."""
    whole = _row(_("The whole programme"), found.total, found.earned, found.taking)
    return [whole, *(_row(labels.in_reader(group.title), group.needed, group.earned, group.taking) for group in found.groups)]


def _row(title: str, needed: Decimal, earned: Decimal, taking: Decimal) -> dict[str, Any]:
    return {
        "title": title, "needed": needed.normalize(), "earned": earned.normalize(), "taking": taking.normalize(), "missing": (needed - earned - taking).normalize(),
        "done": _share(earned, needed), "under_way": _share(taking, needed),
    }  # fmt: skip


def _share(part: Decimal, whole: Decimal) -> str:
    """Per cent for an SVG attribute: a point in every language."""
    return f"{100 * float(part) / float(whole):.1f}" if whole else "0"


# The award ------------------------------------------------------------------------------------------------------------


def conferral_part(conferral: Conferral, actor: Actor) -> dict[str, Any]:
    """The diploma supplement in the reader's language, with its files."""
    here = f"/awards/{conferral.pk}/supplement.pdf"
    return {
        "sections_said": sections_of(conferral),
        "is_intact": is_intact(conferral),
        "pdfs": [{"url": f"{here}?language={code}", "label": labels.language_label(code), "is_original": code == conferral.language} for code in LANGUAGES],
        "is_withdrawn": conferral.state == "withdrawn",
    }


def supplement(request: Request, pk: UUID) -> HttpResponse:
    """The supplement as PDF: the very bytes of the award in its own language, a translation of the labels in another."""
    conferral = CONFERRAL.seen_by(request.actor, pk)
    asked = request.GET.get("language", "")
    language = asked if asked in LANGUAGES else conferral.language
    data = files.get(conferral.pdf_digest) if language == conferral.language else pdf_of(conferral, language)
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="diploma-supplement-{conferral.number}-{language}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


def document_file(request: Request, pk: UUID) -> HttpResponse:
    """A document as it was handed in. Never shown in the page itself: what strangers upload must not run here."""
    document = ADMISSION_DOCUMENT.seen_by(request.actor, pk)
    response = HttpResponse(files.get(document.digest), content_type="application/octet-stream")
    name = "".join(char if char.isalnum() or char in "._- " else "_" for char in document.name)
    response["Content-Disposition"] = f'attachment; filename="{name.encode("ascii", "replace").decode().replace("?", "_")}"'
    response["Cache-Control"] = "private, no-store"
    return response


def document_part(document: Any, actor: Actor) -> dict[str, Any]:
    return {"document": _document(document), "is_student": actor.person_id == document.admission.student_id}


# Recognition ----------------------------------------------------------------------------------------------------------


def recognition_part(recognition: AwardRecognition, actor: Actor) -> dict[str, Any]:
    """The evaluation criterion by criterion, what the credits come to, the rule it rests on, and the way to appeal."""
    label, tone = RECOGNITION_STATES[recognition.state]
    today = day_at(recognition.home.zone, clock.now())
    basis = convention(recognition.convention)
    return {
        "is_student": actor.person_id == recognition.conferral.study.student_id,
        "is_open": recognition.state in {RecognitionState.ASKED, RecognitionState.MORE_ASKED},
        "is_late": is_late(recognition, clock.now()),
        "standing": str(label), "tone": tone, "home_name": name_of(recognition.home), "home_contact": recognition.home.contact,
        "evaluation": [_finding(each, recognition.findings.get(each.slug, {})) for each in criteria()],
        "basis": {"name": labels.in_reader(basis.name), "value": basis.at(today)} if basis else None,
        "credit": _credit(recognition, today),
        "award_url": f"/awards/{recognition.conferral_id}/",
    }  # fmt: skip


def _finding(criterion: Any, kept: dict[str, str]) -> dict[str, str]:
    finding = kept.get("finding", "not-assessed")
    tones = {"not-assessed": "neutral", "no-difference": "good", "difference": "info", "substantial": "bad"}
    return {"name": criterion_label(criterion.slug), "help": labels.in_reader(criterion.help), "label": str(FINDINGS[finding]), "tone": tones[finding], "text": kept.get("text", "")}


def _credit(recognition: AwardRecognition, today: Any) -> dict[str, Any]:
    """The award's credits in home's system, by the rulebook."""
    opportunity = recognition.conferral.study.programme.opportunity
    try:
        found = convert(opportunity.credits, opportunity.credit_system, recognition.home.credit_system, today, opportunity.workload_hours)
    except VsmError as refusal:
        return {"problems": say_reasons(refusal.reasons)}
    return {
        "given": opportunity.credits.normalize(), "system": labels.credit_system_label(opportunity.credit_system), "value": found.value,
        "home_system": labels.credit_system_label(recognition.home.credit_system), "steps": say_reasons(found.steps), "cautions": say_reasons(found.cautions),
        "citations": [str(each) for each in found.citations],
    }  # fmt: skip


# The desk -------------------------------------------------------------------------------------------------------------


_OPEN = (AdmissionState.DRAFT, AdmissionState.SUBMITTED, AdmissionState.WAITING, AdmissionState.OFFERED, AdmissionState.ACCEPTED)
_DECIDED_FOR_THEM = (AdmissionState.EXPIRED, AdmissionState.REFUSED, AdmissionState.LAPSED)
"""Ends that an applicant has not brought about and would otherwise look for in vain."""


def steps(actor: Actor, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a person in a programme has to do, or waits for."""
    mine = Admission.objects.filter(student_id=actor.person_id, state__in=[*_OPEN, *_DECIDED_FOR_THEM])
    for admission in mine.select_related("intake__programme__opportunity", "intake__programme__organisation"):
        yield desk.AFTER if admission.state in _DECIDED_FOR_THEM else desk.BEFORE, _admission_step(admission, now)
    for study in Study.objects.filter(student_id=actor.person_id, state__in=["active", "interrupted"]).select_related("programme__opportunity", "programme__organisation"):
        yield desk.DURING, _study_step(study, now)
    for recognition in AwardRecognition.objects.filter(conferral__study__student_id=actor.person_id).select_related("home", "conferral"):
        title = _("Recognition of your award: %(award)s") % {"award": labels.in_reader(recognition.conferral.title)}
        state = desk.YOURS if recognition.state == RecognitionState.MORE_ASKED else desk.WAITING if recognition.state == RecognitionState.ASKED else desk.DONE
        owner = _("You") if state == desk.YOURS else name_of(recognition.home)
        yield desk.AFTER, desk.item(title, owner, state=state, deadline=recognition.decide_by if state == desk.WAITING else None, url=f"/award-recognitions/{recognition.pk}/", action=_("See"))


def _admission_step(admission: Admission, now: datetime) -> dict[str, Any]:
    intake, host = admission.intake, name_of(admission.intake.programme.organisation)
    title, url = title_of(intake.programme), f"/admissions/{admission.pk}/"
    if admission.state == AdmissionState.DRAFT:
        return desk.item(_("Hand in your application: %(programme)s") % {"programme": title}, _("You"), state=desk.YOURS, deadline=intake.closes_at, url=url, action=_("Continue"), now=now)
    if admission.state == AdmissionState.OFFERED:
        return desk.item(_("A place is offered: %(programme)s") % {"programme": title}, _("You"), state=desk.YOURS, deadline=admission.respond_by, url=url, action=pgettext("act", "Answer"), now=now)
    if admission.state == AdmissionState.ACCEPTED:
        return desk.item(_("Meet the conditions: %(programme)s") % {"programme": title}, _("You"), state=desk.YOURS, deadline=_next_condition(admission), url=url, action=_("See the conditions"), now=now)
    if admission.state in _DECIDED_FOR_THEM:
        return desk.item(_("Application for admission: %(programme)s") % {"programme": title}, f"{host} · {ADMISSION_STATES[admission.state][0]}", state=desk.DONE, url=url, action=_("See"))
    return desk.item(_("Application for admission: %(programme)s") % {"programme": title}, host, deadline=intake.decide_by, url=url, action=_("See"), now=now)


def _study_step(study: Study, now: datetime) -> dict[str, Any]:
    title, url = title_of(study.programme), f"/studies/{study.pk}/"
    if study.state == StudyState.INTERRUPTED:
        pause = study.interruptions.filter(state="approved").first()
        return desk.item(_("Come back to: %(programme)s") % {"programme": title}, _("You"), state=desk.YOURS, deadline=pause.returns_on if pause else None, url=url, action=_("See"), now=now)
    running = study.terms.filter(state="enrolled").order_by("term__starts_on").first()
    if running and running.term.starts_on > now.date():
        coming = _("Term %(term)s begins on %(day)s: %(programme)s") % {"term": running.term.code, "day": day_text(running.term.starts_on), "programme": title}
        return desk.item(coming, name_of(study.programme.organisation), url=url, action=_("See your progress"), now=now)
    if running:
        return desk.item(_("Term %(term)s: %(programme)s") % {"term": running.term.code, "programme": title}, name_of(study.programme.organisation), deadline=running.term.ends_on, url=url, action=_("See your progress"), now=now)
    return desk.item(_("Enrol in the next term: %(programme)s") % {"programme": title}, _("You"), state=desk.YOURS, url=url, action=_("Choose modules"), now=now)


objects.EXTRAS["admission"] = objects.Extra("student/programmes/admission.html", admission_part)
objects.EXTRAS["admission_document"] = objects.Extra("student/programmes/document.html", document_part)
objects.EXTRAS["study"] = objects.Extra("student/programmes/study.html", study_part)
objects.EXTRAS["conferral"] = objects.Extra("student/programmes/conferral.html", conferral_part)
objects.EXTRAS["award_recognition"] = objects.Extra("registrar/programmes/recognition.html", recognition_part)
desk.STEPS.append(steps)

urlpatterns = [
    path("awards/<uuid:pk>/supplement.pdf", supplement, name="diploma_supplement"),
    path("admission-documents/<uuid:pk>/file/", document_file, name="admission_document_file"),
]

