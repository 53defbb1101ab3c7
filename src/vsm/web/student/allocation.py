"""A student's result with the reason for each choice, and the page of a seat: what accepting and declining will mean."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from vsm.exchange.allocation.appeals import APPEAL_STATES, appeals_of, appeals_until
from vsm.exchange.allocation.models import Appeal, Seat
from vsm.exchange.allocation.policies import asked_of, declared, group_name
from vsm.exchange.allocation.queries import (
    DRAWN,
    SEAT_STATES,
    Answer,
    answers_for,
    given_back,
    published_run,
    waiting_numbers,
)
from vsm.exchange.allocation.rules import opaque
from vsm.exchange.allocation.states import HOLDING, OPEN_APPEALS, SeatState
from vsm.exchange.applications.models import Application
from vsm.exchange.applications.queries import title_of
from vsm.exchange.institutions.queries import name_of
from vsm.kit import clock
from vsm.kit.actions import available
from vsm.kit.actors import Actor
from vsm.kit.saying import say, say_reason
from vsm.web.objects import EXTRAS, Extra
from vsm.web.public.calls import credits_of, language_and_level, meeting_times
from vsm.web.templatetags.look import period


def result_for(application: Application, actor: Actor) -> dict[str, Any]:
    """What student/allocation/result.html shows on the page of an application; empty answers before the result.

    The office and the home see the same as the student, told of her and not to her.
    """
    is_own = application.student_id == actor.person_id
    answers = answers_for(application, discreet=not is_own)
    return {
        "result": [_told(answer) for answer in answers],
        "result_is_own": is_own,
        "result_name": opaque(application.pk) if answers else "",
        "result_rules_url": f"/calls/{application.call_id}/rules/",
        **(_appeals(application, actor) if answers else {}),
    }


def offers_to_answer(application: Application, actor: Actor) -> list[dict[str, str]]:
    """Buttons to the seats that wait for the student's answer: they go before what she may do besides."""
    if application.student_id != actor.person_id:
        return []
    offered = Seat.objects.filter(application=application, state=SeatState.OFFERED).select_related("offering__opportunity").order_by("rank")
    return [_to_answer(seat) for seat in offered]


def _to_answer(seat: Seat) -> dict[str, str]:
    return {"url": f"/seats/{seat.pk}/", "label": f"{_('Accept or decline')} · {title_of(seat.offering)}", "tone": "primary", "note": ""}


def standing_of(answer: Answer) -> dict[str, Any] | None:
    """Where she stood in one choice, as components/standing.html draws it; None where there is nothing to draw.

    The strip is the line of everybody who wanted a seat: first as many as there are seats, then those who wait. Where she
    stands among those with a seat is nobody's business, so that mark stands in their middle.
    """
    facts = answer.reason.params
    seats, position = facts.get("seats"), facts.get("position")
    is_in = answer.reason.code.startswith("placed")
    if is_in:
        return {"is_in": True, "seats_share": "62", "mark": "30", "seats_text": _("Students with a seat"), "waiting_text": _("Students without"), "you_text": _("You: among those with a seat")}
    if not isinstance(seats, int) or not isinstance(position, int):
        return None
    # At least a sixth of the strip for either side, so that a phone shows both.
    share = min(max(100 * seats / (seats + position + 1), 16), 84) if seats else 0
    mark = share + (100 - share) * position / (position + 1)
    return {
        "is_in": False,
        "seats_share": f"{share:.1f}",
        "mark": f"{min(mark, 98):.1f}",
        "seats_text": ngettext("%(seats)d seat", "%(seats)d seats", seats) % {"seats": seats},
        "waiting_text": _("Waiting list"),
        "you_text": _("You: number %(position)d of the waiting list on that day") % {"position": position},
        "facts": _numbers(facts),
    }


def _numbers(facts: Any) -> list[dict[str, Any]]:
    labels = (
        ("seats", _("Seats")), ("last_band", _("Priority band of the last one admitted")), ("band", _("Your priority band")),
        ("last_lottery", _("Lottery number of the last one admitted")), ("lottery", _("Your lottery number")), ("position", _("Your place on the waiting list")),
    )  # fmt: skip
    return [{"label": label, "value": Decimal(facts[name]) if name in DRAWN else facts[name]} for name, label in labels if name in facts]


def _appeals(application: Application, actor: Actor) -> dict[str, Any]:
    """Her appeals and until when she can file one; nobody but she and the office of the call sees them."""
    is_own = application.student_id == actor.person_id
    if not (is_own or actor.is_operator or actor.holds("coordinator", application.call.organisation_id)):
        return {}
    until = appeals_until(application.call)
    able = any(act.verb == "appeal" for act in available(application, actor))
    return {
        "appeals": [_appeal(each) for each in appeals_of(application)],
        "appeal_until": until,
        "appeal_url": f"/applications/{application.pk}/appeal/" if is_own and able else "",
    }


def _appeal(appeal: Appeal) -> dict[str, Any]:
    label, tone = APPEAL_STATES[appeal.state]
    return {
        "url": f"/appeals/{appeal.pk}/",
        "about": title_of(appeal.offering) if appeal.offering_id else _("The result as a whole"),
        "state": {"label": say(label), "tone": tone},
        "at": appeal.created_at,
        "answer": appeal.answer,
    }


def declaration_for(application: Application, actor: Actor) -> dict[str, Any]:
    """What student/allocation/declaration.html shows on her own application: what is asked, and what she has said."""
    asked = asked_of(application) if application.student_id == actor.person_id else []
    if not asked:
        return {"declaration_asked": []}
    made = getattr(application, "declaration", None)
    return {
        "declaration_asked": [group_name(slug) for slug in asked],
        "declaration": made,
        "declaration_groups": [group_name(slug) for slug in declared(application)],
        "declare_url": f"/applications/{application.pk}/declare/" if any(act.verb == "declare" for act in available(application, actor)) else "",
        "take_back_url": f"/declarations/{made.pk}/take_back/" if made else "",
    }


def appeal_context(appeal: Appeal, actor: Actor) -> dict[str, Any]:
    """The page of one appeal: the result that it is about, in the reasons that the student was given."""
    answers = [answer for answer in answers_for(appeal.application, discreet=appeal.application.student_id != actor.person_id) if appeal.offering_id in (None, answer.offering.pk)]
    return {
        "appeal": appeal,
        "is_own": appeal.application.student_id == actor.person_id,
        "is_open": appeal.state in OPEN_APPEALS,
        "appealed": [_told(answer) for answer in answers],
        "application_url": f"/applications/{appeal.application_id}/",
        "rules_url": f"/calls/{appeal.application.call_id}/rules/",
    }


def seat_context(seat: Seat, actor: Actor) -> dict[str, Any]:
    """The page of one seat."""
    offering, opportunity = seat.offering, seat.offering.opportunity
    is_open = seat.state == SeatState.OFFERED and clock.now() <= seat.respond_by
    is_own = seat.application.student_id == actor.person_id
    return {
        "seat": seat,
        "is_own": is_own,
        "is_open": is_open,
        "is_late": seat.state == SeatState.OFFERED and not is_open,
        "is_accepted": seat.state == SeatState.ACCEPTED,
        "course": [
            {"label": _("Course"), "kind": "link", "value": {"url": f"/offerings/{offering.pk}/", "label": title_of(offering)}},
            {"label": _("Institution"), "kind": "text", "value": name_of(opportunity.organisation)},
            {"label": _("Dates"), "kind": "text", "value": period(offering.starts_on, offering.ends_on)},
            {"label": _("Live meetings in your time zone"), "kind": "list", "value": meeting_times(offering) or [_("None: at your own pace")]},
            {"label": _("Language"), "kind": "text", "value": language_and_level(opportunity)},
            {"label": _("Credits"), "kind": "text", "value": credits_of(opportunity)},
        ],
        "consequences": _consequences(seat) if is_open and is_own else None,
        **result_for(seat.application, actor),
    }


def _told(answer: Answer) -> dict[str, Any]:
    return {
        "rank": answer.rank,
        "url": f"/offerings/{answer.offering.pk}/",
        "title": title_of(answer.offering),
        "host": name_of(answer.offering.opportunity.organisation),
        "reason": say_reason(answer.reason),
        "standing": standing_of(answer),
        "state": _standing(answer),
        "seat_url": f"/seats/{answer.seat.pk}/" if answer.seat else "",
        "asks": bool(answer.seat and answer.seat.state == SeatState.OFFERED),
        "respond_by": answer.seat.respond_by if answer.seat and answer.seat.state == SeatState.OFFERED else None,
    }


def _standing(answer: Answer) -> dict[str, str]:
    """How the choice stands now, which may be better or later than the reason of the run."""
    if answer.waiting_number and not (answer.seat and answer.seat.state in HOLDING):  # a seat of before may be gone and the place in line given back
        return {"label": _("Waiting, now number %(number)d") % {"number": answer.waiting_number}, "tone": "info"}
    if answer.seat:
        label, tone = SEAT_STATES[answer.seat.state]
        return {"label": say(label), "tone": tone}
    return {"label": _("Not given"), "tone": "neutral"}


def _consequences(seat: Seat) -> dict[str, list[str]]:
    """What follows from accepting and from declining, in sentences."""
    run = published_run(seat.application.call)
    others = list(Seat.objects.holding().filter(application=seat.application).exclude(pk=seat.pk).select_related("offering__opportunity"))
    back = {other.pk for other in given_back(run, seat)} if run else set()
    waits = waiting_numbers(seat.application).keys() - {str(seat.offering_id)}
    accept = [_("Your learning agreement opens, with this course in it.")]
    accept += [_("You give back: %(course)s. It goes to the next student at once.") % {"course": title_of(o.offering)} for o in others if o.pk in back]
    accept += [_("You keep: %(course)s.") % {"course": title_of(o.offering)} for o in others if o.pk not in back]
    decline = [_("The seat goes to the next student at once, and you leave its waiting list. This cannot be undone.")]
    decline += [_("You keep: %(course)s.") % {"course": title_of(o.offering)} for o in others]
    if waits:
        accept.append(_("You stay on your other waiting lists, and are offered a seat there if you ranked it higher."))
        decline.append(_("You stay on your other waiting lists."))
    if not others:
        decline.append(_("You then hold no seat in this call. Choices below this one are not looked at again."))
    return {"accept": accept, "decline": decline}


EXTRAS["appeal"] = Extra("student/allocation/appeal.html", appeal_context)
EXTRAS["seat"] = Extra("student/allocation/seat.html", seat_context)
