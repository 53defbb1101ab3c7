"""What is done with a physical mobility: recorded or imported, corrected, arrived, come back, cancelled."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from vsm.exchange.catalogue.models import Opportunity
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import credit_system_choices, every_country, university_choices
from vsm.exchange.institutions.rules import teaches
from vsm.exchange.learning_agreements import actions as learning_agreements
from vsm.exchange.mobilities.models import Course, Mobility
from vsm.exchange.mobilities.queries import agreement_of, open_conditions
from vsm.exchange.mobilities.rules import (
    EARLIEST_ARRIVAL,
    Planned,
    unexplained_arrival,
    why_no_courses,
    why_no_stay,
    why_not_again,
)
from vsm.exchange.mobilities.sheet import CourseLine, StayLines, read_sheet
from vsm.exchange.mobilities.states import STEPS, State
from vsm.exchange.people.models import StudentRecord
from vsm.kit import clock
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.localized import text_in
from vsm.kit.sheets import at_line
from vsm.kit.uploads import Upload
from vsm.kit.verdict import Reason

OFFICE_HERE = ("coordinator@id", "registrar@id")
HOME_OFFICE = ("coordinator@home", "registrar@home")
Nationalities = Annotated[list[str], Ask(_("Nationalities"), _("Countries, one a line. They decide whom closed borders meet."), kind="countries")]


class CourseRow(BaseModel):
    """One course that will be taken in person, and what home counts it as."""

    code: Annotated[str, Field(max_length=64), Ask(_("Code"), limit=64)]
    title: Annotated[str, Field(max_length=255), Ask(_("Title"), limit=255)]
    credits: Annotated[Decimal, Field(max_digits=6, decimal_places=2), Ask(_("Credits at the host"))]
    credit_system: Annotated[str, Field(max_length=32), Ask(_("Credit system"), choices=credit_system_choices)] = ""
    language: Annotated[str, Field(max_length=8), Ask(_("Language"), limit=8)] = ""
    home_code: Annotated[str, Field(max_length=64), Ask(_("Code at home"), limit=64)] = ""
    home_title: Annotated[str, Field(max_length=255), Ask(_("Title at home"), limit=255)] = ""
    home_credits: Annotated[Decimal | None, Field(max_digits=6, decimal_places=2), Ask(_("Credits at home"))] = None


def _course_rows(mobility: Mobility, _actor: Actor) -> list[CourseRow]:
    return [
        CourseRow(
            code=c.code, title=text_in(c.title, c.language), credits=c.credits, credit_system=c.credit_system, language=c.language,
            home_code=c.home_code, home_title=c.home_title, home_credits=c.home_credits,
        )
        for c in mobility.courses.all()
    ]  # fmt: skip


@action("record_mobility", on=Organisation, label=_("Record a physical mobility"), allow=OFFICE_HERE, tone="primary", when=teaches)
def record_mobility(
    organisation: Organisation, *, by: Actor, now: datetime,
    student: Annotated[str, Ask(_("Student"), _("Student number or email."), limit=254)],
    host: Annotated[UUID, Ask(_("Host institution"), choices=university_choices)],
    starts_on: Annotated[date, Ask(_("First day there"))],
    ends_on: Annotated[date, Ask(_("Last day there"))],
    country: Annotated[str, Ask(_("Country"), _("Empty: where the host is."), choices=every_country, limit=2)] = "",
    region: Annotated[str, Ask(_("Region"), limit=120)] = "",
    city: Annotated[str, Ask(_("City"), _("Empty: where the host is."), limit=120)] = "",
    nationalities: Nationalities = [],  # noqa: B006 -- never changed; pydantic copies it
    residence: Annotated[str, Ask(_("Country of residence"), _("Empty: where the home institution is."), choices=every_country, limit=2)] = "",
    phone: Annotated[str, Ask(_("Telephone there"), limit=40)] = "",
    contact_name: Annotated[str, Ask(_("Emergency contact"), limit=200)] = "",
    contact_phone: Annotated[str, Ask(_("Telephone of the emergency contact"), limit=40)] = "",
    courses: Annotated[list[CourseRow], Ask(_("Courses in person"))] = [],  # noqa: B006 -- never changed; pydantic copies it
) -> Mobility:  # fmt: skip
    """Record who goes where and when. With courses, their learning agreement opens as a draft."""
    found = StudentRecord.objects.filter(home=organisation, student_number=student).first() or _by_email(organisation, student)
    at = Organisation.objects.filter(pk=host).first()
    problems = []
    if found is None:
        problems.append(Reason("no-such-student", N_("No student of yours has this number or address. Register the student first."), {}, "student"))
    if at is None or at.kind != "university" or at.pk == organisation.pk:
        problems.append(Reason("no-such-host", N_("Choose another institution as the host."), {}, "host"))
    if found is None or at is None or problems:
        raise Invalid(*problems)
    mobility = _new(found, at, country=country, region=region, city=city, starts_on=starts_on, ends_on=ends_on, nationalities=nationalities, residence=residence)
    mobility.phone, mobility.contact_name, mobility.contact_phone = phone.strip(), contact_name.strip(), contact_phone.strip()
    made = [_course(mobility, row) for row in courses]
    Invalid.because([*_why_not(mobility), *why_no_courses(map(_planned, made))])
    _save(mobility, made, by=by, now=now)
    return mobility


@action("import_mobilities", on=Organisation, label=_("Import physical mobilities from a file"), allow=OFFICE_HERE, when=teaches)
def import_mobilities(
    organisation: Organisation, *, by: Actor, now: datetime,
    file: Annotated[Upload, Ask(_("File (CSV)"), _("One line for each course. Columns: student_number or email, host (SCHAC code), starts_on, ends_on; if you like country, region, city, nationalities, residence, phone, contact_name, contact_phone, course_code, course_title, credits, credit_system, language, home_code, home_title, home_credits."))],
) -> Organisation:  # fmt: skip
    """Read a whole file of stays, or nothing of it and every line that is in the way. A stay that is recorded is passed over."""
    stays, problems = read_sheet(file.data)
    students = {record.student_number: record for record in StudentRecord.objects.filter(home=organisation).select_related("person", "home")}
    by_email = {record.person.email: record for record in students.values()}
    hosts = {each.schac: each for each in Organisation.objects.filter(schac__in={stay.host for stay in stays})}
    known = set(Mobility.objects.filter(home=organisation).exclude(state=State.CANCELLED).values_list("student_id", "host_id", "starts_on"))
    made: list[tuple[Mobility, list[Course]]] = []
    for stay in stays:
        record, host = students.get(stay.student_number) or by_email.get(stay.email), hosts.get(stay.host)
        problems += [at_line(stay.line, problem) for problem in _unmatched(stay, record, host, organisation)]
        if record is None or host is None or (record.person_id, host.pk, stay.starts_on) in known:
            continue
        mobility = _from_sheet(record, host, stay)
        courses = [_course(mobility, line) for line in stay.courses]
        earlier = [other.stay for other, _courses in made if other.student_id == mobility.student_id]
        found = [*_why_not(mobility), *why_not_again(mobility.stay, earlier), *why_no_courses(map(_planned, courses))]
        problems += [at_line(stay.line, problem) for problem in found]
        made.append((mobility, courses))
    Invalid.because(problems)
    for mobility, courses in made:
        _save(mobility, courses, by=by, now=now)
        note(mobility, "record_mobility", by=by, now=now)
    return organisation


@action("edit", on=Mobility, label=_("Correct place or days"), allow=HOME_OFFICE, step=STEPS["edit"], tone="primary")
def edit(
    mobility: Mobility, *, by: Actor, now: datetime,
    country: Annotated[str, Ask(_("Country"), choices=every_country, limit=2)],
    starts_on: Annotated[date, Ask(_("First day there"))],
    ends_on: Annotated[date, Ask(_("Last day there"))],
    region: Annotated[str, Ask(_("Region"), limit=120)] = "",
    city: Annotated[str, Ask(_("City"), limit=120)] = "",
    nationalities: Nationalities = [],  # noqa: B006 -- never changed; pydantic copies it
    residence: Annotated[str, Ask(_("Country of residence"), choices=every_country, limit=2)] = "",
    because: str = "",
) -> Mobility:  # fmt: skip
    """Correct where and when; a deferred stay gets its new days here."""
    mobility.country, mobility.region, mobility.city = country.upper(), region.strip(), city.strip()
    mobility.starts_on, mobility.ends_on = starts_on, ends_on
    mobility.nationalities, mobility.residence = [code.upper() for code in nationalities], residence.upper()
    Invalid.because(_why_not(mobility))
    mobility.save()
    emit("mobility.changed", mobility_id=str(mobility.pk))
    return mobility


@action("edit_contacts", on=Mobility, label=_("Update contacts"), allow=("self@student", *HOME_OFFICE), step=STEPS["edit_contacts"])
def edit_contacts(
    mobility: Mobility, *, by: Actor, now: datetime,
    phone: Annotated[str, Ask(_("Telephone there"), limit=40)] = "",
    contact_name: Annotated[str, Ask(_("Emergency contact"), limit=200)] = "",
    contact_phone: Annotated[str, Ask(_("Telephone of the emergency contact"), limit=40)] = "",
) -> Mobility:  # fmt: skip
    """Keep up to date how the student and somebody close can be reached."""
    mobility.phone, mobility.contact_name, mobility.contact_phone = phone.strip(), contact_name.strip(), contact_phone.strip()
    mobility.save()
    return mobility


@action("change_courses", on=Mobility, label=_("Change the courses in person"), allow=HOME_OFFICE, step=STEPS["change_courses"])
def change_courses(
    mobility: Mobility, *, by: Actor, now: datetime,
    courses: Annotated[list[CourseRow], Ask(_("Courses in person"), start=_course_rows)],
    because: str = "",
) -> Mobility:  # fmt: skip
    """Replace the list. The learning agreement gets a new version, which all three sign; courses of the same code keep their identity."""
    held = {course.code: course for course in mobility.courses.all()}
    made = [_course(mobility, row) for row in courses]
    Invalid.because(why_no_courses(map(_planned, made)))
    for course in made:
        kept = held.pop(course.code, None)
        if kept is not None:
            course.pk, course.starts_on, course.ends_on = kept.pk, kept.starts_on, kept.ends_on
            course._state.adding = False
        course.save()
    for gone in held.values():
        gone.delete()
    agreement = agreement_of(mobility)
    if agreement is not None:
        learning_agreements.draft_version(agreement, by=SYSTEM, now=now, components=[], because=because)
    elif made:
        _open_agreement(mobility, by=by, now=now)
    return mobility


@action("arrive", on=Mobility, label=_("Confirm the arrival"), allow=("self@student", *HOME_OFFICE, "coordinator@host"), step=STEPS["arrive"], when=lambda mobility: mobility.starts_on - EARLIEST_ARRIVAL <= clock.now().date())
def arrive(
    mobility: Mobility, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("If something that was asked for is open: why does the stay begin all the same?"), kind="long_text", limit=2000, when=lambda mobility, _actor: bool(open_conditions(mobility)))] = "",
) -> Mobility:  # fmt: skip
    """The student is there. With a condition of home still open, somebody says why."""
    Invalid.because(unexplained_arrival(open_conditions(mobility), because))
    mobility.state = State.ABROAD
    return mobility


@action("come_back", on=Mobility, label=_("Confirm the return"), allow=("self@student", *HOME_OFFICE, "coordinator@host"), step=STEPS["come_back"])
def come_back(mobility: Mobility, *, by: Actor, now: datetime) -> Mobility:
    """The student has left the host for good."""
    mobility.state = State.OVER
    return mobility


@action("cancel", on=Mobility, label=_("Cancel the mobility"), allow=HOME_OFFICE, step=STEPS["cancel"], tone="warning")
def cancel(
    mobility: Mobility, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why? (the student reads this)"), kind="long_text", limit=2000)],
) -> Mobility:  # fmt: skip
    """The student does not go. The learning agreement of the courses in person ends with it."""
    agreement = agreement_of(mobility)
    if agreement is not None and agreement.state != "cancelled":
        # The right to cancel was checked above; ending the agreement only follows from it.
        learning_agreements.cancel(agreement, by=SYSTEM, now=now, because=because)
    emit("mobility.cancelled", mobility_id=str(mobility.pk))
    return mobility


def _by_email(organisation: Organisation, text: str) -> StudentRecord | None:
    return StudentRecord.objects.filter(home=organisation, person__email=text.strip().lower()).first()


def _new(record: StudentRecord, host: Organisation, **facts: Any) -> Mobility:
    """A stay at the host, with the host's and home's own places where nothing else is said."""
    return Mobility(
        student=record.person, home=record.home, host=host, country=facts["country"].upper() or host.country,
        region=facts["region"].strip(), city=facts["city"].strip() or ("" if facts["country"] and facts["country"].upper() != host.country else host.city),
        starts_on=facts["starts_on"], ends_on=facts["ends_on"], nationalities=[code.upper() for code in facts["nationalities"]],
        residence=facts["residence"].upper() or record.home.country,
    )  # fmt: skip


def _from_sheet(record: StudentRecord, host: Organisation, stay: StayLines) -> Mobility:
    mobility = _new(
        record, host, country=stay.country, region=stay.region, city=stay.city, starts_on=stay.starts_on, ends_on=stay.ends_on,
        nationalities=stay.nationalities, residence=stay.residence,
    )  # fmt: skip
    mobility.phone, mobility.contact_name, mobility.contact_phone = stay.phone, stay.contact_name, stay.contact_phone
    return mobility


def _course(mobility: Mobility, said: CourseRow | CourseLine) -> Course:
    """A course in person; what the host's catalogue knows under this code fills what was left empty."""
    known = Opportunity.objects.filter(organisation=mobility.host, code=said.code).first()
    language = said.language or (known.language if known else (mobility.host.languages or ["en"])[0])
    title: Mapping[str, str] = {language: said.title} if said.title else {}
    return Course(
        mobility=mobility, opportunity=known, code=said.code.strip(), title=known.title if known and not said.title else title,
        credits=said.credits, credit_system=said.credit_system or mobility.host.credit_system, language=language,
        starts_on=mobility.starts_on, ends_on=mobility.ends_on, home_code=said.home_code.strip(), home_title=said.home_title.strip(),
        home_credits=said.home_credits,
    )  # fmt: skip


def _planned(course: Course) -> Planned:
    return Planned(
        code=course.code, title=text_in(course.title, course.language), credits=course.credits, credit_system=course.credit_system,
        language=course.language,
    )  # fmt: skip


def _why_not(mobility: Mobility) -> Iterable[Reason]:
    others = Mobility.objects.filter(student=mobility.student_id).exclude(state=State.CANCELLED).exclude(pk=mobility.pk)
    yield from why_no_stay(mobility.stay, nationalities=mobility.nationalities, residence=mobility.residence)
    yield from why_not_again(mobility.stay, [other.stay for other in others])


def _unmatched(stay: StayLines, record: StudentRecord | None, host: Organisation | None, home: Organisation) -> Iterable[Reason]:
    if record is None:
        yield Reason("no-such-student", N_("No student of yours has this number or address. Register the student first."))
    if host is None or host.kind != "university" or host.pk == home.pk:
        yield Reason("unknown-host", N_("“%(host)s” is not the SCHAC code of another institution here."), {"host": stay.host})


def _save(mobility: Mobility, courses: Sequence[Course], *, by: Actor, now: datetime) -> None:
    mobility.save()
    Course.objects.bulk_create(courses)
    if courses:
        _open_agreement(mobility, by=by, now=now)
    emit("mobility.recorded", mobility_id=str(mobility.pk))


def _open_agreement(mobility: Mobility, *, by: Actor, now: datetime) -> None:
    learning_agreements.open_for_mobility(
        mobility.pk, student=mobility.student, home=mobility.home, host=mobility.host, by=by, now=now
    )
