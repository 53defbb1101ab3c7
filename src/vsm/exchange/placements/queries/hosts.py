"""Hosts as doors read them: the checklist, the choices of the vetting, whom a student can be sent to."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import country_choices, name_of, organisation_ref
from vsm.exchange.placements.models import Host, VettingCheck
from vsm.exchange.placements.rules.vetting import Checked
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.resources import Filter, Resource, Section, Shown, resource, state_filter
from vsm.rulebook.placements import Criterion, criteria

HOST_STATES = {
    "unconfirmed": (_("Address not confirmed"), "neutral"),
    "applied": (_("Asks to be vetted"), "warn"),
    "vetting": (_("Being vetted"), "info"),
    "vetted": (_("Vetted"), "good"),
    "refused": (_("Refused"), "bad"),
    "suspended": (pgettext_lazy("host", "Suspended"), "bad"),
    "expired": (_("Vetting expired"), "warn"),
}
OUTCOMES = {"given": (_("Handed in, to be looked at"), "info"), "met": (_("Met"), "good"), "not-met": (_("Not met"), "bad"), "missing": (_("Evidence missing"), "warn"), "": (_("Not looked at"), "neutral")}


@dataclass(frozen=True)
class Point:
    """One line of the checklist: the criterion and the latest look at it, if any."""

    criterion: Criterion
    check: VettingCheck | None
    is_expired: bool

    @property
    def outcome(self) -> str:
        return self.check.outcome if self.check else ""


def latest_checks(host: Host) -> dict[str, VettingCheck]:
    """Criterion → the last look at it."""
    found: dict[str, VettingCheck] = {}
    for check in host.checks.select_related("by"):
        found.setdefault(check.criterion, check)
    return found


def checked(host: Host) -> dict[str, Checked]:
    """The same for the rules."""
    return {slug: Checked(slug, check.outcome, check.expires_on) for slug, check in latest_checks(host).items()}


def checklist(host: Host, on: date) -> list[Point]:
    """Every point in the order of the rulebook."""
    held = latest_checks(host)
    return [
        Point(each, check, bool(check and check.outcome == "met" and check.expires_on and check.expires_on < on))
        for each in criteria()
        for check in [held.get(each.slug)]
    ]


def is_inside(host: Host, actor: Actor) -> bool:
    """Whether this reader works on the vetting: who vets, and who is vetted."""
    return (
        actor.is_operator or actor.is_system or host.vetter_id in actor.organisations("coordinator", "registrar")
        or host.organisation_id in actor.organisations("coordinator", "instructor")
    )  # fmt: skip


def criterion_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(each.slug, text_in(each.name, get_language() or "en")) for each in criteria()]


def outcome_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(slug, str(label)) for slug, (label, _tone) in OUTCOMES.items() if slug not in {"", "given"}]


def vetters() -> list[Organisation]:
    """Institutions and networks that a host can ask: those with a coordinator."""
    found = Organisation.objects.filter(kind__in=["university", "network"], memberships__role="coordinator", memberships__ends_on=None).distinct()
    return sorted(found, key=name_of)


HOST = resource(
    Resource(
        "host", "hosts", Host, _("Host organisation"), _("Host organisations"), lambda host: host.name,
        fields=(
            Shown("name", _("Name"), lambda h: h.name, listed=True, sort="name"),
            Shown("state", _("Vetting"), lambda h: h.state, "state", listed=True, sort="state"),
            Shown("country", _("Country"), lambda h: h.country, "country", listed=True, sort="country"),
            Shown("city", _("City"), lambda h: h.city, listed=True, sort="city"),
            Shown("valid_until", _("Vetted until"), lambda h: h.valid_until, "date", listed=True, sort="valid_until"),
            Shown("vetter", _("Vetted by"), lambda h: organisation_ref(h.vetter), "ref", listed=True, sort="vetter__schac"),
            Shown("zone", _("Time zone"), lambda h: h.zone, "zone"),
            Shown("registration", _("Registration number"), lambda h: h.registration),
            Shown("founded", _("Since"), lambda h: str(h.founded) if h.founded else ""),
            Shown("employees", _("People who work there"), lambda h: h.employees, "integer"),
            Shown("website", _("Website"), lambda h: h.website),
            Shown("purpose", _("What it does"), lambda h: h.purpose, "long_text"),
            Shown("organisation", _("Organisation"), lambda h: organisation_ref(h.organisation) if h.organisation else None, "ref"),
        ),
        filters=(
            state_filter(HOST_STATES),
            Filter("country", _("Country"), lambda found, value: found.filter(country=value), choices=country_choices),
        ),
        order="name", related=("vetter", "organisation"), states=HOST_STATES, starts=(("organisation", "invite_host"),),
        sections=(Section(_("Vacancies"), "vacancy", lambda h: {"host": h}), Section(_("Placements"), "placement", lambda h: {"host": h})),
        empty=_("No host organisation yet. Invite one, or wait until one asks to be vetted."),
    )
)  # fmt: skip
