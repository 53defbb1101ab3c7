"""Vacancies, applications and interviews as doors read them, with times on the host's and on the reader's clock."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from vsm.exchange.applications.models import Document
from vsm.exchange.applications.queries import document_choices
from vsm.exchange.catalogue import labels
from vsm.exchange.catalogue.queries import bandwidth_choices, language_choices, offering_ref
from vsm.exchange.institutions.queries import country_choices, organisation_ref
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import person_ref
from vsm.exchange.placements.models import HAS_PLACE, Interview, PlacementApplication, Vacancy
from vsm.exchange.placements.rules.vacancies import law_of, overlap_minutes
from vsm.exchange.placements.states import ApplicationState, InterviewState, VacancyState
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.kit.saying import hours_text, shown
from vsm.rulebook.placements import Limit, hours_limit

VACANCY_STATES = {
    "draft": (_("Draft"), "neutral"), "published": (pgettext_lazy("vacancy", "Published"), "good"), "closed": (_("Selection over"), "neutral"), "withdrawn": (_("Withdrawn"), "bad"),
}  # fmt: skip
APPLICATION_STATES = {
    "draft": (_("Draft"), "neutral"), "submitted": (_("Submitted"), "info"), "shortlisted": (_("Shortlisted"), "info"),
    "offered": (_("Place offered"), "warn"), "accepted": (_("Accepted"), "good"), "declined": (_("Declined by the student"), "neutral"),
    "expired": (_("Offer expired"), "bad"), "not-selected": (_("Not selected"), "bad"), "withdrawn": (_("Withdrawn"), "neutral"),
}  # fmt: skip
INTERVIEW_STATES = {
    "open": (_("Free slot"), "info"), "booked": (pgettext_lazy("interview", "Booked"), "good"), "held": (_("Held"), "neutral"), "missed": (_("Missed"), "bad"), "cancelled": (_("Cancelled"), "bad"),
}  # fmt: skip
PAY_PERIODS = {"none": _("nothing is paid"), "hour": _("an hour"), "month": _("a month"), "total": _("in all")}


def vacancy_title(vacancy: Any) -> str:
    return text_in(vacancy.offering.opportunity.title, get_language() or "en")


def vacancy_ref(vacancy: Any) -> Ref:
    return Ref("vacancy", vacancy.pk, vacancy_title(vacancy))


def pay_told(pay: Any, currency: str, period: str) -> str:
    """`12,000 UYU a month`, or plainly that nothing is paid."""
    if period == "none" or not pay:
        return _now("Not paid")
    return f"{number_format(pay.normalize() if pay == pay.to_integral_value() else pay, use_l10n=True, force_grouping=True, decimal_pos=0 if pay == pay.to_integral_value() else 2)} {currency} {PAY_PERIODS[period]}"


def core_told(vacancy: Any, zone: str, on: date) -> str:
    """The core hours on this clock, as they are on this day; empty when there are none."""
    if vacancy.core_from is None or vacancy.core_to is None:
        return ""
    first, last = (datetime.combine(on, wall, ZoneInfo(vacancy.offering.zone)).astimezone(ZoneInfo(zone)) for wall in (vacancy.core_from, vacancy.core_to))
    return f"{first:%H:%M}–{last:%H:%M}"


def overlap_hours(vacancy: Any, zone: str, on: date) -> float | None:
    """How many of the core hours are daytime (07:00 to 22:00) for a reader in this zone; None without core hours."""
    if vacancy.core_from is None or vacancy.core_to is None:
        return None
    return overlap_minutes(vacancy.core_from, vacancy.core_to, vacancy.offering.zone, zone, on) / 60


def limit_for(*countries: str, on: date) -> Limit:
    """The most hours that the laws of these countries allow."""
    return hours_limit(countries, on)


def law_told(kept: str) -> str:
    """`PE: Title, part <address>`, as an agreement keeps the source of a limit, in words: the country by its name."""
    place, _colon, source = kept.partition(": ")
    title, _bracket, address = source.partition(" <")
    return " · ".join(filter(None, (f"{shown(law_of(place))}: {title}", address.removesuffix(">"))))


def own_application(vacancy: Vacancy, actor: Actor) -> PlacementApplication | None:
    if actor.person_id is None:
        return None
    return PlacementApplication.objects.filter(vacancy=vacancy, student_id=actor.person_id).exclude(state=ApplicationState.WITHDRAWN).first()


def shortlisted(vacancy: Any) -> list[PlacementApplication]:
    found = PlacementApplication.objects.filter(vacancy=vacancy, state=ApplicationState.SHORTLISTED)
    return list(found.select_related("student", "home").order_by("submitted_at", "pk"))


def candidate_choices(vacancy: Any, _actor: Actor) -> list[tuple[str, str]]:
    return [(str(each.pk), f"{each.student.name} · {each.home}") for each in shortlisted(vacancy)]


def open_slots(vacancy: Any, now: datetime) -> list[Interview]:
    return list(Interview.objects.filter(vacancy=vacancy, state=InterviewState.OPEN, starts_at__gt=now).order_by("starts_at", "pk"))


def slot_told(slot: Any) -> str:
    """A slot on the reader's clock, then on the host's: `Tue 3 Mar 2026, 10:00–10:30 (America/Lima) · 12:00 America/Montevideo`."""
    starts, ends = timezone.localtime(slot.starts_at), timezone.localtime(slot.ends_at)
    host = slot.starts_at.astimezone(ZoneInfo(slot.vacancy.offering.zone))
    here = timezone.get_current_timezone_name()
    told = f"{labels.weekday_text(starts)}, {hours_text(starts, ends)} ({here})"
    return told if str(host.tzinfo) == here else f"{told} · {host:%H:%M} {host.tzinfo}"


def slot_choices(application: Any, _actor: Actor) -> list[tuple[str, str]]:
    found = Interview.objects.filter(vacancy=application.vacancy_id, state=InterviewState.OPEN).select_related("vacancy__offering").order_by("starts_at", "pk")
    return [(str(slot.pk), f"{slot_told(slot)} · {slot.with_whom}") for slot in found]


def earlier_documents(application: Any, _actor: Actor) -> list[tuple[str, str]]:
    """What the student has handed in before, for a call or another vacancy: one of each kind, the newest."""
    kinds = dict(document_choices())
    newest: dict[str, str] = {}
    for kind, digest in Document.objects.filter(application__student=application.student_id).order_by("-at").values_list("kind", "digest"):
        newest.setdefault(kind, digest)
    return [(f"{kind}:{digest}", kinds.get(kind, kind)) for kind, digest in sorted(newest.items())]


def mentors_of(organisation_id: Any) -> list[Person]:
    """Everybody with a role at the host."""
    return list(Person.objects.filter(memberships__organisation_id=organisation_id, memberships__ends_on=None, is_active=True).distinct())


VACANCY = resource(
    Resource(
        "vacancy", "vacancies", Vacancy, _("Vacancy"), _("Vacancies"), vacancy_title,
        fields=(
            Shown("name", _("Title"), lambda v: v.offering.opportunity.title, "localized", listed=True, detail=False),
            Shown("host", _("Host organisation"), lambda v: Ref("host", v.host_id, v.host.name), "ref", listed=True, sort="host__name"),
            Shown("country", _("Country"), lambda v: v.host.country, "country", sort="host__country"),
            Shown("state", _("State"), lambda v: v.state, "state", listed=True, sort="state"),
            Shown("starts_on", _("First day"), lambda v: v.offering.starts_on, "date", listed=True, sort="offering__starts_on", detail=False),
            Shown("ends_on", _("Last day"), lambda v: v.offering.ends_on, "date", sort="offering__ends_on", detail=False),
            Shown("hours_per_week", _("Hours a week"), lambda v: v.hours_per_week, "number", sort="hours_per_week", detail=False),
            Shown("remuneration", _("Remuneration"), lambda v: pay_told(v.pay, v.currency, v.pay_period), listed=True, sort="pay", detail=False),
            Shown("language", _("Language of work"), lambda v: v.offering.opportunity.language, "language", sort="offering__opportunity__language", detail=False),
            Shown("cefr", _("Least level of that language (CEFR)"), lambda v: v.offering.opportunity.cefr, detail=False),
            Shown("apply_by", _("Apply until"), lambda v: v.apply_by, "moment", listed=True, sort="apply_by", detail=False),
            Shown("places", _("Places"), lambda v: v.offering.seats, "integer", sort="offering__seats", detail=False),
            Shown("places_free", _("Places still free"), lambda v: v.places_free, "integer", listed=True, detail=False),
            Shown("zone", _("Time zone of the host"), lambda v: v.offering.zone, "zone"),
            Shown("core_hours", _("Core hours, on the host’s clock"), lambda v: core_told(v, v.offering.zone, v.offering.starts_on), detail=False),
            Shown("tasks", _("Tasks"), lambda v: v.offering.opportunity.description, "localized", detail=False),
            Shown("learning_outcomes", _("Learning outcomes"), lambda v: v.offering.opportunity.learning_outcomes, "localized", detail=False),
            Shown("accessibility", _("Accessibility"), lambda v: v.offering.opportunity.accessibility, "localized", detail=False),
            Shown("equipment", _("Equipment"), lambda v: v.equipment, "long_text"),
            Shown("bandwidth", _("Connection"), lambda v: v.offering.bandwidth, words=labels.BANDWIDTH_LABELS),
            Shown("supervisor", _("Supervisor"), lambda v: v.supervisor_name),
            Shown("isced_f", _("Field of study (ISCED-F)"), lambda v: v.offering.opportunity.isced_f, words=labels.field_label),
            Shown("respond_hours", _("Hours to answer an offer"), lambda v: v.respond_hours, "integer"),
            Shown("offering", _("In the catalogue"), lambda v: offering_ref(v.offering), "ref"),
        ),
        filters=(
            state_filter(VACANCY_STATES),
            Filter("country", _("Country"), lambda found, value: found.filter(host__country=value), choices=country_choices),
            Filter("language", _("Language of work"), lambda found, value: found.filter(offering__opportunity__language=value), choices=lambda _actor: language_choices()),
            Filter(
                "paid", _("Remuneration"), lambda found, value: found.exclude(pay_period="none") if value == "yes" else found.filter(pay_period="none"),
                choices=lambda _actor: [("yes", _now("Paid")), ("no", _now("Not paid"))],
            ),
            Filter("bandwidth", _("Connection"), lambda found, value: found.filter(offering__bandwidth=value), choices=lambda _actor: bandwidth_choices()),
        ),
        order="-apply_by", related=("host", "organisation", "offering__opportunity__organisation"), prefetch=("applications__placement",), states=VACANCY_STATES, starts=(("host", "add_vacancy"),),
        sections=(
            Section(_("Applications"), "placement_application", lambda v: {"vacancy": v}),
            Section(_("Interviews"), "interview", lambda v: {"vacancy": v}),
        ),
        empty=_("No vacancy here. Host organisations add them once they are vetted."),
    )
)  # fmt: skip

PLACEMENT_APPLICATION = resource(
    Resource(
        "placement_application", "placement-applications", PlacementApplication, _("Placement application"), _("Placement applications"),
        lambda a: f"{a.student.name} · {vacancy_title(a.vacancy)}",
        fields=(
            Shown("student", _("Student"), lambda a: person_ref(a.student), "ref", listed=True, sort="student__folded"),
            Shown("vacancy", _("Vacancy"), lambda a: vacancy_ref(a.vacancy), "ref", listed=True, sort="vacancy__offering__opportunity__code"),
            Shown("host", _("Host organisation"), lambda a: Ref("host", a.vacancy.host_id, a.vacancy.host.name), "ref", listed=True, sort="vacancy__host__name"),
            Shown("home", _("Home institution"), lambda a: organisation_ref(a.home), "ref", listed=True, sort="home__schac"),
            Shown("state", _("State"), lambda a: a.state, "state", listed=True, sort="state"),
            Shown("submitted_at", _("Submitted"), lambda a: a.submitted_at, "moment", listed=True, sort="submitted_at"),
            Shown("respond_by", _("Answer until"), lambda a: a.respond_by if a.state == "offered" else None, "moment"),
            Shown("motivation", _("Motivation"), lambda a: a.motivation, "long_text"),
            Shown("needs", _("What I need to take part"), lambda a: a.needs, "long_text"),
            Shown("documents", _("Documents"), lambda a: [f"{d.name}" for d in a.documents.all()], "list"),
            Shown("interview", _("Interview"), lambda a: a.interview.starts_at if hasattr(a, "interview") else None, "moment"),
            Shown("because", _("Why"), lambda a: a.because, "long_text"),
        ),
        filters=(
            state_filter(APPLICATION_STATES),
            Filter("country", _("Country of the host"), lambda found, value: found.filter(vacancy__host__country=value), choices=country_choices),
        ),
        related=("student", "home", "vacancy__host", "vacancy__offering__opportunity", "interview"), prefetch=("documents",), states=APPLICATION_STATES,
        empty=_("No application for a placement yet. Open a vacancy to apply."),
    )
)  # fmt: skip

INTERVIEW = resource(
    Resource(
        "interview", "interviews", Interview, _("Interview"), _("Interviews"), lambda i: f"{slot_told(i)}",
        fields=(
            Shown("starts_at", _("Starts"), lambda i: i.starts_at, "moment", listed=True, sort="starts_at"),
            Shown("ends_at", _("Ends"), lambda i: i.ends_at, "moment", listed=True),
            Shown("vacancy", _("Vacancy"), lambda i: vacancy_ref(i.vacancy), "ref", listed=True),
            Shown("with_whom", _("With"), lambda i: i.with_whom, listed=True, sort="with_whom"),
            Shown("state", _("State"), lambda i: i.state, "state", listed=True, sort="state"),
            Shown("student", _("Student"), lambda i: person_ref(i.application.student) if i.application else None, "ref", listed=True),
            Shown("zone", _("Time zone of the host"), lambda i: i.vacancy.offering.zone, "zone"),
            Shown("join_url", _("Where to join"), lambda i: i.join_url if i.application else ""),
        ),
        filters=(state_filter(INTERVIEW_STATES),),
        order="starts_at", related=("vacancy__offering__opportunity", "application__student"), states=INTERVIEW_STATES,
        empty=_("No interview slot yet."),
    )
)  # fmt: skip


def offerings_open(now: datetime) -> Any:
    """The offerings whose vacancy takes applications now and has a place left: the catalogue marks them as open.

    As one question inside the catalogue's own, which is asked with every search.
    """
    held = PlacementApplication.objects.filter(HAS_PLACE, vacancy=OuterRef("pk")).order_by().values("vacancy").annotate(number=Count("pk")).values("number")
    taking = Vacancy.objects.filter(state=VacancyState.PUBLISHED, apply_by__gt=now).alias(held=Coalesce(Subquery(held), 0))
    return taking.filter(offering__seats__gt=F("held")).values_list("offering_id", flat=True)
