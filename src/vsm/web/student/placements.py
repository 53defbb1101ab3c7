"""Placements for everybody who takes part: the vacancy on the reader's clock, the application, the agreement, the hours, evaluations."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm.exchange.applications.queries import document_choices
from vsm.exchange.catalogue.labels import credit_system_label
from vsm.exchange.credentials.models import Credential
from vsm.exchange.placements.models import (
    Concern,
    Evaluation,
    Placement,
    PlacementAgreement,
    PlacementApplication,
    PlacementCredit,
    Vacancy,
)
from vsm.exchange.placements.paper import paper_of, pdf_of, standing_of
from vsm.exchange.placements.queries.conduct import (
    CONCERN_KINDS,
    CONCERN_STATES,
    HOURS_STATES,
    answers_told,
    entry_told,
)
from vsm.exchange.placements.queries.placements import (
    PLACEMENT_AGREEMENT,
    agreed_hours,
    changes_to_sign,
    evaluations_standing,
    hours_by_state,
    in_reader,
    limit_of,
    officer_of,
    side_choices,
    side_of,
    sides_of,
    signed_sides,
)
from vsm.exchange.placements.queries.placements import standing_of as start_standing
from vsm.exchange.placements.queries.vacancies import (
    PLACEMENT_APPLICATION,
    core_told,
    law_told,
    open_slots,
    overlap_hours,
    own_application,
    pay_told,
    slot_told,
)
from vsm.exchange.placements.rules.running import monday_of, why_not_start
from vsm.exchange.placements.states import (
    OVER,
    AgreementState,
    ApplicationState,
    CreditState,
    HoursState,
    PlacementState,
)
from vsm.kit import clock
from vsm.kit.actions import TABLE
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.saying import day_text, say_reasons
from vsm.web import objects
from vsm.web.host.placements import file_response
from vsm.web.public import course_page
from vsm.web.signing import Signing, as_pdf, turn, version_asked

WEEKS_SHOWN = 16
LATEST = 8
WAITING_FIRST = ("returned", "logged", "confirmed")


def vacancy_part(vacancy: Vacancy, actor: Actor) -> dict[str, Any]:
    """The decisive facts at a glance, in the reader's zone, and what the reader can do."""
    offering, opportunity, now = vacancy.offering, vacancy.offering.opportunity, clock.now()
    zone, first = timezone.get_current_timezone_name(), vacancy.offering.starts_on
    own = own_application(vacancy, actor)
    texts = [
        (_("Tasks"), opportunity.description), (_("Learning outcomes"), opportunity.learning_outcomes), (_("Accessibility"), opportunity.accessibility),
    ]  # fmt: skip
    return {
        "vacancy": vacancy, "offering": offering, "opportunity": opportunity,
        "pay": pay_told(vacancy.pay, vacancy.currency, vacancy.pay_period),
        "core_here": core_told(vacancy, zone, first), "core_there": core_told(vacancy, offering.zone, first), "zone": zone, "is_same_zone": zone == offering.zone,
        "overlap": overlap_hours(vacancy, zone, first), "core_length": _core_length(vacancy),
        "texts": [{"label": label, "text": text_in(text, get_language() or "en")} for label, text in texts if any(text.values())],
        "own": own, "is_open": vacancy.takes_applications(now), "is_filled": vacancy.is_filled, "is_vetted": vacancy.host.is_vetted_on(now.date()), "valid_until": vacancy.host.valid_until,
        "is_staff": actor.holds("coordinator", vacancy.organisation_id), "is_anonymous": actor.is_anonymous,
    }  # fmt: skip


def application_part(application: PlacementApplication, actor: Actor) -> dict[str, Any]:
    """Documents to open, and the interview: the slot, or those to choose from."""
    now, labels = clock.now(), dict(document_choices())
    interview = getattr(application, "interview", None)
    is_mine = actor.person_id == application.student_id
    slots = open_slots(application.vacancy, now) if is_mine and application.state == ApplicationState.SHORTLISTED else []
    placement = Placement.objects.filter(application=application).first()
    return {
        "documents": [{"url": f"/placement-applications/{application.pk}/documents/{each.kind}/", "name": labels.get(each.kind, each.kind), "size": each.size, "type": each.media_type.rpartition("/")[2]} for each in application.documents.all()],
        "interview": interview, "interview_told": slot_told(interview) if interview else "", "interview_url": f"/interviews/{interview.pk}/" if interview else "",
        "notes": interview.outcome if interview and actor.holds("coordinator", application.vacancy.organisation_id) else "",
        "slots": [slot_told(each) for each in slots], "book_url": f"/placement-applications/{application.pk}/book/", "is_mine": is_mine,
        "placement_url": f"/placements/{placement.pk}/" if placement else "", "respond_by": application.respond_by if application.state == ApplicationState.OFFERED else None,
        "vacancy_url": f"/vacancies/{application.vacancy_id}/",
    }  # fmt: skip


def document(request: Request, pk: UUID, kind: str) -> HttpResponse:
    """A document of an application, for who may see the application."""
    application = PLACEMENT_APPLICATION.seen_by(request.actor, pk)
    held = application.documents.filter(kind=kind).first()
    if held is None:
        raise not_found()
    return file_response(held.digest, held.name, held.media_type)


# The placement ----------------------------------------------------------------------------------------------------------


def placement_part(placement: Placement, actor: Actor) -> dict[str, Any]:
    """Where it stands, what is next, the hours, the evaluations, and whom to turn to."""
    now = clock.now()
    agreement, hours = placement.agreement, hours_by_state(placement)
    agreed = agreed_hours(placement)
    credential = Credential.objects.visible_to(actor).filter(source_noun="placement", source_id=placement.pk).exclude(state="revoked").first()
    return {
        "placement": placement, "stages": _stages(placement), "side": side_of(placement, actor),
        "obstacles": say_reasons(why_not_start(start_standing(placement), placement.today(now))) if placement.state == PlacementState.READY else [],
        "agreement": agreement, "agreement_url": f"/placement-agreements/{agreement.pk}/", "turn": _turn(agreement, actor),
        "hours": hours, "agreed": agreed, "share": min(hours["confirmed"], agreed), "hours_told": _("%(confirmed)s of about %(agreed)s hours confirmed") % {"confirmed": _number(hours["confirmed"]), "agreed": _number(agreed)},
        "chart": _chart(placement), "limit": limit_of(placement, now.date()), "limit_sources": _sources(placement, now.date()),
        "to_confirm": placement.hours.filter(state=HoursState.LOGGED).count() if side_of(placement, actor) == "host" else 0,
        "to_correct": placement.hours.filter(state=HoursState.RETURNED).count() if side_of(placement, actor) == "student" else 0,
        "evaluations": evaluations_standing(placement, now) if placement.started_on else [], "officer": officer_of(placement.home_id),
        "entries": _entries(placement), "all_hours": f"/hours/?placement={placement.pk}", "pauses": list(placement.pauses.all()), "concern_url": f"/placements/{placement.pk}/raise_concern/",
        "concerns": _concerns(placement, actor), "credit": _credit(placement), "is_over": placement.state in OVER, "credential": credential,
    }  # fmt: skip


def evaluation_part(evaluation: Evaluation, _actor: Actor) -> dict[str, Any]:
    return {"answers": answers_told(evaluation)}


# The agreement ----------------------------------------------------------------------------------------------------------


def agreement_part(agreement: PlacementAgreement, actor: Actor) -> dict[str, Any]:
    """What the agreement's page shows above its facts."""
    current, in_force = agreement.current_version, agreement.version_in_force
    if current is None:
        return {}
    return {
        "paper": paper_of(current), "standing": standing_of(agreement, current),
        "in_force": paper_of(in_force) if in_force and in_force.number != current.number else None,
        "changes": say_reasons(changes_to_sign(agreement)), "turn": _turn(agreement, actor), "pdf_url": f"/placement-agreements/{agreement.pk}/pdf/",
        "versions": [paper_of(each) for each in agreement.versions.all()], "signed_version": agreement.signed_version,
    }  # fmt: skip


def agreement_pdf(request: Request, pk: UUID) -> HttpResponse:
    """One version as PDF: the current one, or `?version=2`."""
    agreement = PLACEMENT_AGREEMENT.seen_by(request.actor, pk)
    version = version_asked(request, agreement)
    return as_pdf(pdf_of(agreement, version, get_language() or "en"), f"placement-agreement-{agreement.pk}-v{version.number}")


def _to_sign(agreement: PlacementAgreement, actor: Actor) -> dict[str, Any]:
    current = agreement.current_version
    return {"paper": paper_of(current) if current else None, "changes": say_reasons(changes_to_sign(agreement)), "turn": _turn(agreement, actor)}


def _turn(agreement: PlacementAgreement, actor: Actor) -> str:
    """yours, signed (by your side; others are to come), or nothing."""
    current = agreement.current_version
    if agreement.state != AgreementState.SIGNING or current is None:
        return ""
    return turn(sides_of(agreement, actor), signed_sides(current), actor.person_id)


# What the placement's page tells ------------------------------------------------------------------------------------------


def _stages(placement: Placement) -> list[dict[str, Any]]:
    """Where it stands in its life."""
    signed, insured = bool(placement.agreement.signed_version), placement.insured_until is not None
    begun, over = placement.started_on is not None, placement.state in OVER
    steps = [
        (_("Agreement signed by all three"), signed, None), (_("Insured"), insured, None), (_("Started"), begun, placement.started_on),
        (_("Work, hours, evaluations"), over, placement.ended_on or placement.ends_on), (_("Certificate"), placement.certified_at is not None, placement.certified_at),
    ]  # fmt: skip
    now = next((number for number, (_label, done, _at) in enumerate(steps) if not done), len(steps))
    return [{"label": label, "at": at, "state": "done" if done else "now" if number == now else "next"} for number, (label, done, at) in enumerate(steps)]


def _chart(placement: Placement) -> dict[str, Any] | None:
    """Hours a week, withdrawn ones left out."""
    weeks: dict[date, Any] = defaultdict(int)
    for day, amount in placement.hours.exclude(state=HoursState.WITHDRAWN).values_list("day", "hours"):
        weeks[monday_of(day)] += amount
    if not weeks:
        return None
    last = max(weeks)
    shown = [last - timedelta(weeks=number) for number in reversed(range(min(WEEKS_SHOWN, (last - min(weeks)).days // 7 + 1)))]
    return {"title": _("Hours written down, by week"), "rows": [{"label": _("Week of %(day)s") % {"day": day_text(week, year=False)}, "value": weeks[week].normalize() if weeks.get(week) else 0} for week in shown]}


def _entries(placement: Placement) -> list[dict[str, Any]]:
    """What waits for somebody first, then the latest days."""
    found = sorted(placement.hours.exclude(state=HoursState.WITHDRAWN).order_by("-day")[:LATEST], key=lambda entry: WAITING_FIRST.index(entry.state))
    return [{"url": f"/hours/{entry.pk}/", "told": entry_told(entry), "state": {"label": str(HOURS_STATES[entry.state][0]), "tone": HOURS_STATES[entry.state][1]}, "because": entry.because} for entry in found]


def _credit(placement: Placement) -> dict[str, Any] | None:
    """What home has decided, in a sentence, with its reason."""
    decided = PlacementCredit.objects.filter(placement=placement).first()
    if decided is None:
        return None
    facts = {
        "home": in_reader(placement.home.name), "credits": _number(decided.credits.normalize()), "system": credit_system_label(decided.credit_system),
        "course": " ".join(filter(None, (decided.home_code, decided.home_title))),
    }  # fmt: skip
    is_recognised = decided.state == CreditState.RECOGNISED
    text = _("%(home)s recognises %(credits)s credits (%(system)s) as: %(course)s") if is_recognised else _("%(home)s does not recognise it for credit")
    return {"told": text % facts, "tone": "good" if is_recognised else "info", "because": decided.because, "url": f"/placement-credits/{decided.pk}/"}


def _concerns(placement: Placement, actor: Actor) -> list[dict[str, Any]]:
    """What this reader raised about it, or hears as the officer: the way back to the answers."""
    found = Concern.objects.visible_to(actor).filter(about=placement)
    states = {slug: {"label": str(label), "tone": tone} for slug, (label, tone) in CONCERN_STATES.items()}
    return [{"url": f"/concerns/{each.pk}/", "told": f"{CONCERN_KINDS[each.kind]} · {day_text(each.created_at)}", "state": states[each.state]} for each in found]


def _sources(placement: Placement, on: date) -> list[str]:
    limit = limit_of(placement, on)
    return sorted({law_told(f"{place}: {source}") for place, source in (limit.day_from, limit.week_from)})


def _number(value: Any) -> str:
    return str(number_format(value, use_l10n=True, force_grouping=True))


def _core_length(vacancy: Vacancy) -> float | None:
    if vacancy.core_from is None or vacancy.core_to is None:
        return None
    return (vacancy.core_to.hour * 60 + vacancy.core_to.minute - vacancy.core_from.hour * 60 - vacancy.core_from.minute) / 60


def _own_page(offering: Any) -> str:
    """In the catalogue a vacancy is found like a course; its page is this one."""
    pk = Vacancy.objects.filter(offering=offering).values_list("pk", flat=True).first()
    return f"/vacancies/{pk}/" if pk else ""


course_page.OWN_PAGES.append(_own_page)
objects.EXTRAS["vacancy"] = objects.Extra("placements/vacancy.html", vacancy_part)
objects.EXTRAS["placement_application"] = objects.Extra("placements/application.html", application_part)
objects.EXTRAS["placement"] = objects.Extra("placements/placement.html", placement_part)
objects.EXTRAS["placement_evaluation"] = objects.Extra("placements/evaluation.html", evaluation_part)
objects.EXTRAS["placement_agreement"] = objects.Extra("placements/agreement.html", agreement_part)

SIGNING = Signing(PLACEMENT_AGREEMENT, TABLE["placement_agreement", "sign"], "placements/sign.html", _to_sign, side_choices)

urlpatterns = [
    path("placement-applications/<uuid:pk>/documents/<str:kind>/", document, name="placement_document"),
    path("placement-agreements/<uuid:pk>/sign/", SIGNING.sign, name="sign_placement_agreement"),
    path("placement-agreements/<uuid:pk>/pdf/", agreement_pdf, name="placement_agreement_pdf"),
]
