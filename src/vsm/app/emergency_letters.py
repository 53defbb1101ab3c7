"""Letters of an emergency: to students by the hundred, to offices one by one.

A job writes the letters of one batch in one transaction, together with its own "done": however often a worker is killed,
each student has each letter once. Drills never come here: their runs emit no events for letters.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.template.loader import get_template
from django.utils import timezone, translation
from django_tasks import task

from vsm.app.letters import write
from vsm.config import settings
from vsm.exchange.emergencies.links import token_of
from vsm.exchange.emergencies.models import Case, Emergency, Notice, Run
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import is_zone
from vsm.exchange.people.queries import holders
from vsm.exchange.people.rules import Role
from vsm.kit import bulk, clock
from vsm.kit.localized import text_in
from vsm.kit.outbox import Letter, post_many


@task()
def found(case_ids: str) -> None:
    """Is everybody safe? Asked first, before any course."""
    _to_students("emergency_found", case_ids)


@task()
def proposed(case_ids: str) -> None:
    _to_students("emergency_proposed", case_ids)


@task()
def reminded(case_ids: str) -> None:
    _to_students("emergency_reminded", case_ids)


@task()
def switched(case_ids: str) -> None:
    _to_students("emergency_switched", case_ids)


@task()
def outdated(case_ids: str) -> None:
    _to_students("emergency_outdated", case_ids)


@task()
def lifted(case_ids: str) -> None:
    _to_students("emergency_lifted", case_ids)


@task()
def returned(case_ids: str) -> None:
    _to_students("emergency_returned", case_ids)


@task()
def released(case_ids: str) -> None:
    _to_students("emergency_released", case_ids)


@task()
def help_needed(case_id: str) -> None:
    """A call for help goes to both offices at once; what was said stays on the page behind the sign-in."""
    case = Case.objects.select_related("student", "home", "host", "emergency").get(pk=case_id)
    for side in (case.home, case.host):
        _tell_office(side, "emergency_help", f"/emergency-cases/{case.pk}/", case.emergency, student=case.student.name)


@task()
def deferred(case_id: str) -> None:
    case = Case.objects.select_related("student", "home", "emergency").get(pk=case_id)
    if not case.emergency.is_drill:
        _tell_office(case.home, "emergency_deferred", f"/mobilities/{case.mobility_id}/", case.emergency, student=case.student.name, because=case.because)


@task()
def partner_told(notice_id: str) -> None:
    """One letter to an institution about all that is new to it."""
    notice = Notice.objects.select_related("emergency", "organisation").get(pk=notice_id)
    path = f"/emergencies/{notice.emergency_id}/"
    _tell_office(notice.organisation, f"emergency_partner_{notice.kind}", path, notice.emergency, students=notice.students, courses=notice.courses)


@task()
def run_done(run_id: str) -> None:
    """When the search after a declaration is done, the offices concerned are told what it found."""
    run = Run.objects.select_related("emergency").get(pk=run_id)
    first = run.kind == "find" and not Run.objects.filter(emergency=run.emergency, kind="find", created_at__lt=run.created_at).exists()
    if first and not run.emergency.is_drill:
        for office in _concerned(run.emergency):
            students = Case.objects.filter(emergency=run.emergency, home=office).count()
            guests = Case.objects.filter(emergency=run.emergency, host=office).count()
            _tell_office(office, "emergency_declared", f"/emergencies/{run.emergency_id}/", run.emergency, students=students, guests=guests)


@task()
def lifted_for_offices(emergency_id: str) -> None:
    emergency = Emergency.objects.get(pk=emergency_id)
    if not emergency.is_drill:
        for office in _concerned(emergency):
            _tell_office(office, "emergency_lifted_office", f"/emergencies/{emergency.pk}/", emergency, lifted_on=emergency.lifted_on, return_on=emergency.return_on)


def _to_students(kind: str, case_ids: str) -> None:
    """The same letter to each student of these cases, in their language and zone."""
    with bulk.uncollected():
        post_many(_letters(kind, [UUID(each) for each in case_ids.split()]))


def _letters(kind: str, ids: list[UUID]) -> Iterator[Letter]:
    """What differs from one reader to the next is put into a text that is rendered once for all who read the same."""
    template, rendered = get_template(f"letters/{kind}.txt"), dict[Any, str]()
    cases = Case.objects.filter(pk__in=ids, emergency__is_drill=False)
    columns = ("pk", "student", "student__name", "student__email", "emergency", "home", "host", "respond_by", "student__language", "student__zone")
    for pk, student, name, email, *shared in cases.values_list(*columns):
        if tuple(shared) not in rendered:
            rendered[tuple(shared)] = _rendered(template, *shared)
        own = {"name": name, "link": f"/emergency-cases/{pk}/", "safe_link": f"/safe/{token_of(pk)}/"}
        text = rendered[tuple(shared)]
        for mark, value in own.items():
            text = text.replace(_MARKS[mark], value)
        subject, _, body = text.strip().partition("\n")
        yield Letter(to=email, language=shared[4], kind=kind, subject=subject, body=body.strip() + "\n", person_id=student, organisation_id=shared[1])


# Control characters stand around the marks, so that nobody's name or title is mistaken for one.
_MARKS = {name: f"\x02{name}\x03" for name in ("name", "link", "safe_link")}


def _rendered(template: Any, emergency_id: UUID, home_id: UUID, host_id: UUID, respond_by: datetime | None, language: str, zone_name: str) -> str:
    emergency, base = Emergency.objects.get(pk=emergency_id), settings().base_url
    institutions = Organisation.objects.in_bulk([home_id, host_id])
    zone = ZoneInfo(zone_name if is_zone(zone_name) else "UTC")
    with translation.override(language), timezone.override(zone):
        return str(
            template.render(
                {
                    "person": {"name": _MARKS["name"]}, "emergency": str(emergency), "home": str(institutions[home_id]),
                    "host": str(institutions[host_id]), "respond_by": respond_by, "safety": text_in(emergency.safety, language), "link": base + _MARKS["link"],
                    "safe_link": base + _MARKS["safe_link"], "zone_name": str(zone), "lifted_on": emergency.lifted_on, "return_on": emergency.return_on,
                }
            )
        )  # fmt: skip


def _concerned(emergency: Emergency) -> list[Organisation]:
    ids = {side for pair in Case.objects.filter(emergency=emergency).values_list("home", "host").distinct() for side in pair}
    return list(Organisation.objects.filter(pk__in=ids))


def _tell_office(office: Organisation, kind: str, path: str, emergency: Emergency, **context: Any) -> None:
    for person in holders(Role.COORDINATOR, office.pk, clock.now()):
        write(kind, person, path, organisation_id=office.pk, emergency=emergency.title, **context)
