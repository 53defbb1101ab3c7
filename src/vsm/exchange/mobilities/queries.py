"""What doors and higher slices read about physical mobilities."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue.labels import credits_text
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import country_choices, name_of, organisation_ref, university_choices
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.learning_agreements.queries import courses_in_person
from vsm.exchange.learning_agreements.rules import Component, amount
from vsm.exchange.mobilities.models import Course, Mobility
from vsm.exchange.mobilities.states import LIVE, State
from vsm.exchange.people.queries import person_ref
from vsm.kit.localized import text_in
from vsm.kit.names import country_name
from vsm.kit.resources import Filter, Ref, Resource, Shown, resource, state_filter

MOBILITY_STATES = {
    State.PLANNED.value: (_("Planned"), "info"),
    State.ABROAD.value: (_("Abroad"), "good"),
    State.OVER.value: (_("Over"), "neutral"),
    State.CANCELLED.value: (pgettext_lazy("mobility", "Cancelled"), "bad"),
}


def title_of(mobility: Any) -> str:
    return f"{mobility.student.name} · {name_of(mobility.host)}"


def mobility_ref(mobility: Any) -> Ref:
    return Ref("mobility", mobility.pk, title_of(mobility))


def place_of(mobility: Any) -> str:
    """City, region and country in the reader's language."""
    return ", ".join(filter(None, [mobility.city, mobility.region, country_name(mobility.country, get_language() or "en")]))


def agreement_of(mobility: Any) -> LearningAgreement | None:
    """The learning agreement of the courses in person, if it was opened."""
    return LearningAgreement.objects.filter(mobility_id=mobility.pk).first()


def live_stays(between: tuple[date, date]) -> QuerySet[Mobility]:
    """Stays that are not cancelled or over by report, and that have a day within `between` (both days included)."""
    starts_on, ends_on = between
    return Mobility.objects.filter(state__in=LIVE, starts_on__lte=ends_on, ends_on__gte=starts_on)


def known_places(country: str) -> list[str]:
    """Regions and cities where somebody's stay or an institution is recorded, for whoever mistypes one."""
    found: set[str] = set()
    for pair in Mobility.objects.filter(country=country).values_list("region", "city").distinct():
        found.update(filter(None, pair))
    found.update(filter(None, Organisation.objects.filter(country=country).values_list("city", flat=True)))
    return sorted(found)


def component_of(course: Course) -> Component:
    """A course in person as a line of the learning agreement."""
    return Component(
        offering=str(course.pk), code=course.code, title=course.title, credits=amount(course.credits), credit_system=course.credit_system,
        language=course.language, starts_on=course.starts_on.isoformat(), ends_on=course.ends_on.isoformat(), is_virtual=False,
        home_code=course.home_code, home_title=course.home_title,
        home_credits=amount(course.home_credits) if course.home_credits is not None else "",
    )  # fmt: skip


def _components(mobility_id: UUID) -> list[Component]:
    return [component_of(course) for course in Course.objects.filter(mobility_id=mobility_id).order_by("code")]


courses_in_person.append(_components)

# What must be done before a stay begins, told by the slices that know: the titles of what is still open.
conditions_open: list[Callable[[Mobility], Iterable[Mapping[str, str]]]] = []


def open_conditions(mobility: Mobility) -> list[Mapping[str, str]]:
    return [title for tell in conditions_open for title in tell(mobility)]


def course_line(course: Any) -> str:
    return f"{course.code} {text_in(course.title, get_language() or 'en')} · {credits_text(course.credits, None, [], course.credit_system)}"


def _agreement_ref(mobility: Any) -> Ref | None:
    found = agreement_of(mobility)
    return Ref("learning_agreement", found.pk, title_of(mobility)) if found else None


def _courses_json(mobility: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": str(c.pk), "code": c.code, "title": c.title, "credits": amount(c.credits), "credit_system": c.credit_system,
            "language": c.language, "starts_on": c.starts_on.isoformat(), "ends_on": c.ends_on.isoformat(), "home_code": c.home_code,
            "home_title": c.home_title, "home_credits": amount(c.home_credits) if c.home_credits is not None else "",
        }
        for c in mobility.courses.all()
    ]  # fmt: skip


def there_on(found: QuerySet[Any], day: str) -> QuerySet[Any]:
    """Stays that have this day (ISO)."""
    on = date.fromisoformat(day)
    return found.filter(starts_on__lte=on, ends_on__gte=on)


MOBILITY = resource(
    Resource(
        "mobility", "mobilities", Mobility, _("Physical mobility"), _("Physical mobilities"), title_of,
        fields=(
            Shown("student", _("Student"), lambda m: person_ref(m.student), "ref", listed=True, sort="student__folded"),
            Shown("home", _("Home institution"), lambda m: organisation_ref(m.home), "ref", listed=True, sort="home__schac"),
            Shown("host", _("Host institution"), lambda m: organisation_ref(m.host), "ref", listed=True, sort="host__schac"),
            Shown("country", _("Country"), lambda m: m.country, "country", listed=True, sort="country"),
            Shown("region", _("Region"), lambda m: m.region),
            Shown("city", _("City"), lambda m: m.city, listed=True, sort="city"),
            Shown("starts_on", _("From"), lambda m: m.starts_on, "date", listed=True, sort="starts_on"),
            Shown("ends_on", _("Until"), lambda m: m.ends_on, "date", listed=True, sort="ends_on"),
            Shown("state", _("State"), lambda m: m.state, "state", listed=True, sort="state"),
            Shown("courses", _("Courses in person"), lambda m: [course_line(c) for c in m.courses.all()], "list"),
            Shown("course_records", _("Courses in person, as records"), _courses_json, "json", detail=False),
            Shown("learning_agreement", _("Learning agreement"), _agreement_ref, "ref"),
            Shown("nationalities", _("Nationalities"), lambda m: m.nationalities, "countries"),
            Shown("residence", _("Country of residence"), lambda m: m.residence, "country"),
            Shown("phone", _("Telephone there"), lambda m: m.phone),
            Shown("contact_name", _("Emergency contact"), lambda m: m.contact_name),
            Shown("contact_phone", _("Telephone of the emergency contact"), lambda m: m.contact_phone),
        ),
        filters=(
            state_filter(MOBILITY_STATES),
            Filter("country", _("Country"), lambda found, value: found.filter(country=value), choices=country_choices),
            Filter("host", _("Host institution"), lambda found, value: found.filter(host=value), choices=lambda actor: university_choices(None, actor)),
            Filter("on", _("There on"), there_on, kind="date"),
        ),
        order="-starts_on", related=("student", "home", "host"), prefetch=("courses",), states=MOBILITY_STATES,
        starts=(("organisation", "record_mobility"), ("organisation", "import_mobilities")),
        empty=_("No physical mobility is recorded. Record one, or import your list as a CSV file."),
    )
)  # fmt: skip
