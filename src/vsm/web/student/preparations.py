"""A preparation for whoever prepares: what to do, how one saw oneself before and after, who accompanies; and on the mobility's page
what home asks for. The office sees the change of the group, never of one person."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from vsm.exchange.catalogue import labels
from vsm.exchange.credentials.models import Credential
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.preparations.facts import done_of, group_changes, meetings_of, own_changes, requirements_of
from vsm.exchange.preparations.measuring import METHOD, GroupChange, told, told_of_one
from vsm.exchange.preparations.models import Companion, Pairing, Participation, Preparation, PreparationModule
from vsm.exchange.preparations.queries import KIND_LABELS, MODULE_KINDS, PAIRING_STATES, REQUIREMENT_STATES, title_of
from vsm.exchange.preparations.rules import BEFORE, why_not_complete
from vsm.exchange.preparations.taking_part import mobility_choices
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.saying import labelled, say_reason, say_reasons, shown
from vsm.rulebook.instruments import CAN_DO, Instrument, instrument, limit
from vsm.web import desk, objects


def preparation_part(preparation: Preparation, actor: Actor) -> dict[str, Any]:
    """What it is, what there is to do and how heavy it is, when it meets, what is asked about oneself; the group's change for the office."""
    mine = preparation.participations.filter(student_id=actor.person_id).first() if actor.person_id else None
    is_office = actor.is_operator or preparation.organisation_id in actor.organisations("coordinator", "registrar", "observer")
    return {
        "summary": labels.in_reader(preparation.about),
        "modules": [_module(each) for each in preparation.modules.all() if each.state == "current"],
        "meetings": list(meetings_of(preparation).order_by("starts_at")[:30]),
        "instruments_said": [_instrument(instrument(slug)) for slug in preparation.instruments],
        "mine_url": f"/participations/{mine.pk}/" if mine else "",
        "is_open": preparation.state == "open" and not is_office, "is_anonymous": actor.is_anonymous, "host": name_of(preparation.host),
        "can_join": mine is None and preparation.state == "open" and bool(mobility_choices(preparation, actor)),
        "group": _group(preparation) if is_office else None,
    }  # fmt: skip


def module_part(module: PreparationModule, actor: Actor) -> dict[str, Any]:
    """The page itself, as text alone, or the link with its weight."""
    mine = module.preparation.participations.filter(student_id=actor.person_id, state="active").first() if actor.person_id else None
    return {
        "module": _module(module), "text": labels.in_reader(module.body), "preparation_url": f"/preparations/{module.preparation_id}/",
        "done_url": f"/participations/{mine.pk}/finish_module/?module={module.pk}" if mine and not mine.done.filter(module=module).exists() else "",
    }  # fmt: skip


def participation_part(participation: Participation, actor: Actor) -> dict[str, Any]:
    """For the student everything, with their own change; for offices only how far it is."""
    is_student = actor.person_id == participation.student_id
    done = done_of(participation)
    preparation = participation.preparation
    return {
        "is_student": is_student,
        "certificate": Credential.objects.visible_to(actor).filter(source_noun=Participation.noun, source_id=participation.pk).exclude(state="revoked").values_list("pk", flat=True).first(),
        "missing": say_reasons(why_not_complete(done)) if participation.state == "active" else [],
        "modules": [{**_module(each), "done": str(each.pk) in done.modules} for each in preparation.modules.all() if each.state == "current"],
        "meetings": list(meetings_of(preparation).filter(ends_at__gte=clock.now()).order_by("starts_at")[:5]),
        "attended": done.meetings,
        "meetings_needed": preparation.meetings_needed,
        "changes": [_own(participation, slug) for slug in preparation.instruments] if is_student else [],
        "pairings": [_pairing(each, actor) for each in participation.pairings.exclude(state="ended").select_related("companion__person", "companion__organisation", "participation__student")],
        "preparation_url": f"/preparations/{preparation.pk}/",
        "asked": [_asked(each) for each in requirements_of(participation.mobility)],
    }  # fmt: skip


def pairing_part(pairing: Pairing, actor: Actor) -> dict[str, Any]:
    return {"pairing": _pairing(pairing, actor)}


def _module(module: PreparationModule) -> dict[str, Any]:
    weight = f"{module.kilobytes} kB" if module.kilobytes is not None else _("text alone")
    return {
        "url": f"/preparation-modules/{module.pk}/", "title": labels.in_reader(module.title), "kind": str(MODULE_KINDS[module.kind]), "link": module.url if module.kind == "link" else "",
        "weight": weight, "minutes": module.minutes, "required": module.required,
    }  # fmt: skip


def _instrument(told_of: Instrument) -> dict[str, Any]:
    return {
        "name": labels.in_reader(told_of.name), "about": labels.in_reader(told_of.about), "limits": labels.in_reader(told_of.limits), "validated": told_of.validated,
        "items": len(told_of.items), "reference": told_of.reference,
    }  # fmt: skip


def _own(participation: Participation, slug: str) -> dict[str, Any]:
    """One's own change on each scale, as two marks on a line and as a table; the bare numbers with what is not known."""
    of = instrument(slug)
    found = own_changes(participation, slug)
    taken = participation.assessments.filter(instrument=slug)
    first = taken.filter(moment=BEFORE).first()
    names = {scale.slug: labels.in_reader(scale.name) for scale in of.scales}
    return {
        **_instrument(of),
        "rows": [
            {"title": names[each.scale], "sentence": say_reason(told_of_one(each, of)), "before": _place(of, each.before), "after": _place(of, each.after), **_span(of, each.before, each.after)}
            for each in found
        ],
        "taken": "both" if found else "before" if first else "",
        "first": [labelled(names[scale], _said(of, score)) for scale, score in first.scores.items()] if first and not found else [],
    }  # fmt: skip


def _said(of: Instrument, score: float) -> str:
    if of.kind == CAN_DO:
        return of.scales[0].items[int(score) - 1].slug if score else _("below A1")
    return shown(f"{score:.1f}")


def _place(of: Instrument, score: float) -> str:
    """Where a score stands on a line of 100 units, with room for its mark at both ends."""
    lowest, highest = (0, len(of.scales[0].items)) if of.kind == CAN_DO else (1, 5)
    return f"{4 + 92 * (score - lowest) / (highest - lowest):.1f}"


def _span(of: Instrument, before: float, after: float) -> dict[str, str]:
    low, high = sorted((float(_place(of, before)), float(_place(of, after))))
    return {"from": f"{low:.1f}", "width": f"{high - low:.1f}"}


def _group(preparation: Preparation) -> dict[str, Any]:
    today = clock.now().date()
    found = group_changes(preparation, today)
    return {
        "method": _(METHOD),
        "smallest": int(limit("smallest-group", today)),
        "instruments": [
            {**_instrument(instrument(slug)), "rows": [_group_row(instrument(slug), scale, change) for scale, change in rows]} for slug, rows in found.items()
        ],
        "joined": preparation.participations.exclude(state="left").count(),
        "completed": preparation.participations.filter(state="completed").count(),
    }  # fmt: skip


def _group_row(of: Instrument, scale: str, change: GroupChange | None) -> dict[str, Any]:
    title = next(labels.in_reader(each.name) for each in of.scales if each.slug == scale)
    if change is None:
        return {"title": title, "change": None}
    # The interval on a line from −2 to +2 (steps of a scale or levels); zero lies in the middle.
    at = [f"{min(98.0, max(2.0, 50 + 24 * value)):.1f}" for value in (change.low, change.mean, change.high)]
    return {
        "title": title, "change": change, "sentence": say_reason(told(change)), "low": at[0], "mean": at[1], "high": at[2], "width": f"{float(at[2]) - float(at[0]):.1f}",
        "before": shown(f"{change.before:.2f}"), "after": shown(f"{change.after:.2f}"), "difference": shown(f"{change.mean:+.2f}"),
        "interval": f"{shown(f'{change.low:+.2f}')} … {shown(f'{change.high:+.2f}')}", "alpha": shown(f"{change.alpha:.2f}") if change.alpha is not None else "",
    }  # fmt: skip


def _pairing(pairing: Pairing, actor: Actor) -> dict[str, Any]:
    label, tone = PAIRING_STATES[pairing.state]
    is_student = actor.person_id == pairing.participation.student_id
    other = pairing.companion.person if is_student else pairing.participation.student
    agreed = pairing.student_agreed_at if is_student else pairing.companion_agreed_at
    return {
        "url": f"/pairings/{pairing.pk}/", "name": other.name, "label": str(label), "tone": tone, "about": pairing.companion.about if is_student else "",
        "address": other.email if pairing.state == "agreed" and actor.person_id in {pairing.companion.person_id, pairing.participation.student_id} else "",
        "is_waiting": pairing.state == "proposed" and agreed is not None,
        "is_yours": pairing.state == "proposed" and agreed is None and actor.person_id in {pairing.companion.person_id, pairing.participation.student_id},
    }  # fmt: skip


def _asked(requirement: Any) -> dict[str, Any]:
    label, tone = REQUIREMENT_STATES[requirement.state]
    return {
        "url": f"/preparation-requirements/{requirement.pk}/", "title": title_of(requirement.preparation), "kind": str(KIND_LABELS[requirement.kind]), "due_on": requirement.due_on,
        "label": str(label), "tone": tone, "because": requirement.because, "answer": requirement.answer, "preparation_url": f"/preparations/{requirement.preparation_id}/",
    }  # fmt: skip


def mobility_asked(mobility: Mobility) -> list[dict[str, Any]]:
    """What home asks for before this mobility."""
    return [_asked(each) for each in requirements_of(mobility)]


# The desk -------------------------------------------------------------------------------------------------------------


def steps(actor: Actor, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a student does before a stay abroad, and companions who are asked."""
    joined = Participation.objects.filter(student_id=actor.person_id, state="active").select_related("preparation", "mobility")
    for each in joined:
        asked = each.mobility.preparation_requirements.filter(preparation_id=each.preparation_id, state="open").first()
        due_on = asked.due_on if asked else each.mobility.starts_on
        yield desk.BEFORE, desk.item(_("Prepare: %(title)s") % {"title": title_of(each.preparation)}, _("You"), state=desk.YOURS, deadline=due_on, url=f"/participations/{each.pk}/", action=_("Continue"), now=now)
    stays = Mobility.objects.filter(student_id=actor.person_id, state="planned", preparation_requirements__state="open")
    for stay in stays.distinct():
        for requirement in requirements_of(stay):
            if requirement.state == "open" and not stay.preparations.filter(preparation_id=requirement.preparation_id).exclude(state="left").exists():
                title = _("Join the preparation: %(title)s") % {"title": title_of(requirement.preparation)}
                yield desk.BEFORE, desk.item(title, _("You"), state=desk.YOURS, deadline=requirement.due_on, url=f"/preparations/{requirement.preparation_id}/", action=_("Join the preparation"), now=now)
    for pairing in Pairing.objects.filter(companion__person_id=actor.person, state="proposed", companion_agreed_at=None).select_related("participation__student"):
        yield desk.DURING, desk.item(_("Accompany %(name)s?") % {"name": pairing.participation.student.name}, _("You"), state=desk.YOURS, url=f"/pairings/{pairing.pk}/", action=pgettext("act", "Answer"), now=now)


def buckets(organisation: Organisation, now: datetime) -> list[dict[str, Any]]:
    """What waits for the office that prepares students or hosts companions; nothing where there is none."""
    found = []
    if organisation.preparations.exists():
        found.append(desk.bucket(_("Preparing to travel"), Participation.objects.filter(preparation__organisation=organisation, state="active").count(), "/participations/?state=active", "good"))
    if offered := Companion.objects.filter(organisation=organisation, state="offered").count():
        found.append(desk.bucket(_("Companions to accept"), offered, "/companions/?state=offered", "warn"))
    return found


def _with_preparations(mobility: Mobility, actor: Actor) -> dict[str, Any]:
    own = _FIRST.context(mobility, actor) if _FIRST else {}
    return {**own, "asked": mobility_asked(mobility), "part_before": _FIRST.template if _FIRST else "", "home_name": name_of(mobility.home)}


_FIRST = objects.EXTRAS.get("mobility")
objects.EXTRAS["mobility"] = objects.Extra("student/preparations/mobility.html", _with_preparations)
objects.EXTRAS["preparation"] = objects.Extra("public/preparations/preparation.html", preparation_part)
objects.EXTRAS["preparation_module"] = objects.Extra("public/preparations/module.html", module_part)
objects.EXTRAS["participation"] = objects.Extra("student/preparations/participation.html", participation_part)
objects.EXTRAS["pairing"] = objects.Extra("student/preparations/pairing.html", pairing_part)
desk.STEPS.append(steps)
desk.BUCKETS["coordinator"].append(buckets)
