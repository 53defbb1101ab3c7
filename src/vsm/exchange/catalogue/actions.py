"""What a host's office does with its catalogue: opportunities, their dated offerings, and the import of a file."""

from collections.abc import Iterable
from collections.abc import Mapping as Table
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django_tasks import task
from pydantic import BaseModel, Field

from vsm.config import ROOT
from vsm.exchange.catalogue import importing, indexing
from vsm.exchange.catalogue.mapping import Mapping
from vsm.exchange.catalogue.models import Import, Meeting, Offering, Opportunity
from vsm.exchange.catalogue.queries import (
    bandwidth_choices,
    category_choices,
    cefr_choices,
    credit_system_choices,
    instructor_choices,
    language_choices,
    level_choices,
    mode_choices,
    term_choices,
    unit_choices,
    weekday_choices,
)
from vsm.exchange.catalogue.rules import (
    Weekly,
    credit_problems,
    date_problems,
    isced_f_problems,
    meeting_problems,
    offering_gaps,
    opportunity_gaps,
    text_problems,
)
from vsm.exchange.catalogue.states import IMPORT_STEPS, STEPS, ImportState, State
from vsm.exchange.catalogue.vocabulary import BANDWIDTHS, CEFR, LEVELS, MODES
from vsm.exchange.catalogue.weekly import Meeting as WrittenMeeting
from vsm.exchange.catalogue.weekly import written
from vsm.exchange.institutions.models import Organisation, Term
from vsm.exchange.institutions.rules import teaches
from vsm.exchange.people.models import Person, is_zone
from vsm.exchange.people.queries import actor_of
from vsm.kit import clock, files
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused, VsmError
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.jobs import enqueue_unless_waiting
from vsm.kit.uploads import Upload
from vsm.kit.verdict import Reason
from vsm.rulebook import book

Localized = dict[str, str]
OFFICE = ("coordinator@id", "registrar@id")
OF_OPPORTUNITY = ("coordinator@organisation", "registrar@organisation")
OF_OFFERING = ("coordinator@opportunity.organisation", "registrar@opportunity.organisation")
MAPPINGS = ROOT / "examples" / "mappings"

Title = Annotated[Localized, Ask(_("Title"), _("In each language in which it is offered; one is enough."), kind="localized")]
Description = Annotated[Localized, Ask(_("Description"), kind="localized")]
Outcomes = Annotated[Localized, Ask(_("Learning outcomes"), _("What a student can do afterwards."), kind="localized")]
Prerequisites = Annotated[Localized, Ask(_("Prerequisites"), kind="localized")]
Assessment = Annotated[Localized, Ask(_("Assessment"), kind="localized")]
Accessibility = Annotated[Localized, Ask(_("Accessibility"), _("Captions, screen readers, breaks, recordings…"), kind="localized")]
IscedF = Annotated[str, Ask(_("Field of study (ISCED-F)"), _("Two to four digits, for example 0311 for economics."), limit=4)]
Level = Annotated[str, Ask(_("Level"), choices=level_choices)]
Credits = Annotated[Decimal, Ask(_("Credits"), _("The least, if a student can choose."))]
CreditsHigh = Annotated[Decimal | None, Ask(_("Most credits"), _("Only if a student can choose."))]
CreditSystem = Annotated[
    str, Ask(_("Credit system"), choices=credit_system_choices, start=lambda record, _actor: record.credit_system)
]
Workload = Annotated[Decimal | None, Ask(_("Hours of work in all"), _("Meetings, reading, exercises and exams."))]
Language = Annotated[str, Ask(_("Language of teaching"), choices=language_choices)]
Cefr = Annotated[str, Ask(_("Least level of that language (CEFR)"), choices=cefr_choices)]
UnitChoice = Annotated[
    UUID | None, Ask(_("Unit"), choices=unit_choices, start=lambda record, _actor: getattr(record, "unit_id", None))
]
Seats = Annotated[int, Ask(_("Seats"), _("For students of other institutions."))]
Mode = Annotated[str, Ask(_("How it meets"), choices=mode_choices)]
Bandwidth = Annotated[str, Ask(_("Connection"), _("The most that a student needs."), choices=bandwidth_choices)]
Zone = Annotated[str, Ask(_("Time zone"), _("Of the weekly meetings; empty means the institution's own."), limit=64)]
DropBy = Annotated[date | None, Ask(_("Drop without trace until"))]
WithdrawBy = Annotated[date | None, Ask(_("Withdraw until"))]
JoinUrl = Annotated[str, Ask(_("Address of the meetings"), _("Shown to those who take part, to nobody else."), limit=200)]
DialIn = Annotated[str, Ask(_("Telephone number of the meetings"), limit=120)]


class MeetingRow(BaseModel):
    """A weekly meeting on the host's clock, Monday = 0."""

    weekday: Annotated[int, Ask(_("Weekday"), choices=weekday_choices)] = Field(ge=0, le=6, description="0 is Monday, 6 is Sunday.")
    starts: Annotated[time, Ask(_("Starts"))]
    ends: Annotated[time, Ask(_("Ends"))]
    label: Annotated[str, Ask(_("What it is"), limit=64)] = Field(default="", max_length=64)


def _meetings_now(offering: Any, _actor: Actor) -> list[MeetingRow]:
    if not isinstance(offering, Offering):
        return []
    return [MeetingRow(weekday=m.weekday, starts=m.starts, ends=m.ends, label=m.label) for m in offering.meetings.all()]


def _term_now(record: Any, _actor: Actor) -> UUID | None:
    return getattr(record, "term_id", None)


def _instructors_now(offering: Any, _actor: Actor) -> list[str]:
    return [str(pk) for pk in offering.instructors.values_list("pk", flat=True)]


TermChoice = Annotated[UUID | None, Ask(_("Term"), _("Gives the dates, unless you give others."), choices=term_choices, start=_term_now)]
Meetings = Annotated[list[MeetingRow], Ask(_("Weekly meetings"), start=_meetings_now)]


# Opportunities --------------------------------------------------------------------------------------------------------


@action("add_opportunity", on=Organisation, label=_("Add an opportunity"), allow=OFFICE, when=teaches)
def add_opportunity(
    organisation: Organisation, *, by: Actor, now: datetime,
    code: Annotated[str, Ask(_("Code"), _("As in your own catalogue, for example EST-210."), limit=64)],
    title: Title, credits: Credits, language: Language,  # noqa: A002 -- the word of the field
    category: Annotated[str, Ask(_("Category"), choices=category_choices, start=lambda _r, _a: "course")] = "course",
    level: Level = "bachelor",
    isced_f: IscedF = "", credits_high: CreditsHigh = None, credit_system: CreditSystem = "", workload_hours: Workload = None,
    cefr: Cefr = "", unit: UnitChoice = None, description: Description = {}, learning_outcomes: Outcomes = {},  # noqa: B006 -- never changed
    prerequisites: Prerequisites = {}, assessment: Assessment = {}, accessibility: Accessibility = {},  # noqa: B006 -- never changed
) -> Opportunity:  # fmt: skip
    """Enter something that can be studied, as a draft. Without a credit system the institution's own counts."""
    opportunity = Opportunity(organisation=organisation, code=code.strip(), category=category)
    problems = list(_known("category", category, book().categories))
    if not opportunity.code:
        problems.append(Reason("code-missing", N_("Give the code."), {}, "code"))
    if organisation.opportunities.filter(code=opportunity.code).exists():
        problems.append(Reason("code-taken", N_("An opportunity with this code is already here."), {}, "code"))
    problems += _set_opportunity(
        opportunity, title=title, description=description, learning_outcomes=learning_outcomes, prerequisites=prerequisites,
        assessment=assessment, accessibility=accessibility, isced_f=isced_f, level=level, credits=credits, credits_high=credits_high,
        credit_system=credit_system or organisation.credit_system, workload_hours=workload_hours, language=language, cefr=cefr, unit=unit,
    )  # fmt: skip
    Invalid.because(problems)
    opportunity.save()
    return opportunity


@action("edit", on=Opportunity, label=_("Edit"), allow=OF_OPPORTUNITY, step=STEPS["edit"])
def edit_opportunity(
    opportunity: Opportunity, *, by: Actor, now: datetime,
    title: Title, credits: Credits, language: Language, level: Level,  # noqa: A002 -- the word of the field
    isced_f: IscedF = "", credits_high: CreditsHigh = None, credit_system: CreditSystem = "", workload_hours: Workload = None,
    cefr: Cefr = "", unit: UnitChoice = None, description: Description = {}, learning_outcomes: Outcomes = {},  # noqa: B006 -- never changed
    prerequisites: Prerequisites = {}, assessment: Assessment = {}, accessibility: Accessibility = {},  # noqa: B006 -- never changed
) -> Opportunity:  # fmt: skip
    """Give the whole opportunity anew: what is left out becomes empty. A published one must stay complete."""
    problems = _set_opportunity(
        opportunity, title=title, description=description, learning_outcomes=learning_outcomes, prerequisites=prerequisites,
        assessment=assessment, accessibility=accessibility, isced_f=isced_f, level=level, credits=credits, credits_high=credits_high,
        credit_system=credit_system or opportunity.credit_system, workload_hours=workload_hours, language=language, cefr=cefr, unit=unit,
    )  # fmt: skip
    if opportunity.state == State.PUBLISHED:
        problems += opportunity_gaps(opportunity)
    Invalid.because(problems)
    opportunity.save()
    _changed(opportunity.refold_offerings(), now)
    return opportunity


@action("publish", on=Opportunity, label=_("Publish"), allow=OF_OPPORTUNITY, step=STEPS["publish"], tone="primary")
def publish_opportunity(opportunity: Opportunity, *, by: Actor, now: datetime) -> Opportunity:
    """Show it to everybody. Refused with everything that is still missing. Its published offerings can be found from now on."""
    Refused.because(opportunity_gaps(opportunity))
    _changed(_offering_ids(opportunity), now)
    return opportunity


@action("withdraw", on=Opportunity, label=_("Withdraw"), allow=OF_OPPORTUNITY, step=STEPS["withdraw"], tone="warning")
def withdraw_opportunity(opportunity: Opportunity, *, by: Actor, now: datetime, because: str) -> Opportunity:
    """Take it out of the search with all its offerings. Whoever is enrolled stays enrolled."""
    _changed(_offering_ids(opportunity), now)
    return opportunity


# Offerings ------------------------------------------------------------------------------------------------------------


@action("add_offering", on=Opportunity, label=_("Add an offering"), allow=OF_OPPORTUNITY, step=STEPS["add_offering"])
def add_offering(
    opportunity: Opportunity, *, by: Actor, now: datetime,
    code: Annotated[str, Ask(_("Code"), _("Tells the runs of one course apart, for example 2027-1."), limit=64)],
    seats: Seats,
    term: TermChoice = None,
    starts_on: Annotated[date | None, Ask(_("Starts"))] = None,
    ends_on: Annotated[date | None, Ask(_("Ends"))] = None,
    mode: Mode = "mixed", bandwidth: Bandwidth = "video", zone: Zone = "", drop_by: DropBy = None, withdraw_by: WithdrawBy = None,
    join_url: JoinUrl = "", dial_in: DialIn = "", meetings: Meetings = [],  # noqa: B006 -- never changed
) -> Offering:  # fmt: skip
    """Say when it runs and for how many, as a draft. Dates come from the term unless given."""
    offering = Offering(opportunity=opportunity, code=code.strip(), zone=opportunity.organisation.zone)
    problems = []
    if not offering.code:
        problems.append(Reason("code-missing", N_("Give the code."), {}, "code"))
    if opportunity.offerings.filter(code=offering.code).exists():
        problems.append(Reason("code-taken", N_("An offering with this code is already here."), {}, "code"))
    problems += _set_offering(
        offering, term=term, starts_on=starts_on, ends_on=ends_on, seats=seats, mode=mode, bandwidth=bandwidth, zone=zone,
        drop_by=drop_by, withdraw_by=withdraw_by, join_url=join_url, dial_in=dial_in, meetings=meetings,
    )  # fmt: skip
    Invalid.because(problems)
    offering.save()
    _set_meetings(offering, meetings)
    _changed([offering.pk], now)
    return offering


@action("edit", on=Offering, label=_("Edit"), allow=OF_OFFERING, step=STEPS["edit"])
def edit_offering(
    offering: Offering, *, by: Actor, now: datetime,
    seats: Seats,
    starts_on: Annotated[date, Ask(_("Starts"))],
    ends_on: Annotated[date, Ask(_("Ends"))],
    mode: Mode, bandwidth: Bandwidth,
    term: TermChoice = None, zone: Zone = "", drop_by: DropBy = None, withdraw_by: WithdrawBy = None,
    join_url: JoinUrl = "", dial_in: DialIn = "", meetings: Meetings = [],  # noqa: B006 -- never changed
) -> Offering:  # fmt: skip
    """Give the whole offering anew: what is left out becomes empty. A published one must stay complete.

    Who takes part hears of other meetings through their timetable (`offering.changed`).
    """
    problems = _set_offering(
        offering, term=term, starts_on=starts_on, ends_on=ends_on, seats=seats, mode=mode, bandwidth=bandwidth, zone=zone,
        drop_by=drop_by, withdraw_by=withdraw_by, join_url=join_url, dial_in=dial_in, meetings=meetings,
    )  # fmt: skip
    if offering.state == State.PUBLISHED:
        problems += _gaps(offering, len(meetings))
    Invalid.because(problems)
    before = _weekly(offering)
    _set_meetings(offering, meetings)
    offering.save()
    if before != (after := _weekly(offering)):
        note(offering, "edit", by=by, now=now, changes={"meetings": [before, after]})
    _changed([offering.pk], now)
    return offering


@action("publish", on=Offering, label=_("Publish"), allow=OF_OFFERING, step=STEPS["publish"], tone="primary")
def publish_offering(offering: Offering, *, by: Actor, now: datetime) -> Offering:
    """Let everybody find it. Refused with everything that is still missing."""
    Refused.because(_gaps(offering, offering.meetings.count()))
    _changed([offering.pk], now)
    return offering


@action("withdraw", on=Offering, label=_("Withdraw"), allow=OF_OFFERING, step=STEPS["withdraw"], tone="warning")
def withdraw_offering(offering: Offering, *, by: Actor, now: datetime, because: str) -> Offering:
    """Take it out of the search and out of later calls. Whoever is enrolled stays enrolled."""
    _changed([offering.pk], now)
    return offering


@action("assign_instructors", on=Offering, label=_("Assign instructors"), allow=OF_OFFERING, step=STEPS["assign_instructors"])
def assign_instructors(
    offering: Offering, *, by: Actor, now: datetime,
    people: Annotated[list[UUID], Ask(_("Instructors"), _("Of those who have this role at the institution."), choices=instructor_choices, start=_instructors_now)] = [],  # noqa: B006 -- never changed
) -> Offering:  # fmt: skip
    """Say who teaches it: they may take attendance, move meetings and enter results."""
    known = {value for value, _name in instructor_choices(offering, by)}
    if strangers := [pk for pk in people if str(pk) not in known]:
        text = N_("%(count)s of these people do not have the role of instructor at the institution. Invite them first.")
        raise Invalid(Reason("not-an-instructor", text, {"count": len(strangers)}, "people"))
    before = [person.name for person in offering.instructors.all()]
    offering.instructors.set(Person.objects.filter(pk__in=people))
    offering.save()
    after = [person.name for person in offering.instructors.all()]
    note(offering, "assign_instructors", by=by, now=now, changes={"instructors": [before, after]})
    _changed([offering.pk], now)
    return offering


# Imports --------------------------------------------------------------------------------------------------------------


def mapping_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    """The mappings that come with OpenVSM, our own format first."""
    names = sorted((path.stem for path in MAPPINGS.glob("*.yaml")), key=lambda name: (name != "openvsm", name))
    return [(name, Mapping.read(MAPPINGS / f"{name}.yaml").name) for name in names]


@action("import_catalogue", on=Organisation, label=_("Import a catalogue"), allow=OFFICE, when=teaches)
def import_catalogue(
    organisation: Organisation, *, by: Actor, now: datetime,
    file: Annotated[Upload, Ask(_("File"), _("CSV, at most 5 MB; larger files go through the command line."))],
    mapping: Annotated[str, Ask(_("Mapping"), _("Says which column is what."), choices=mapping_choices)] = "openvsm",
    own_mapping: Annotated[str, Ask(_("Or your own mapping"), _("The text of a mapping file (YAML); it counts instead of the one above."), kind="long_text", limit=100_000)] = "",
    dry_run: Annotated[bool, Ask(_("Trial only: report, change nothing"), start=lambda _r, _a: True)] = False,
    withdraw_gone: Annotated[bool, Ask(_("Withdraw offerings that the file no longer has"))] = False,
) -> Import:  # fmt: skip
    """Take a catalogue file over. It is read by the worker; the import's page shows how far it is, then the report."""
    text = own_mapping.strip() or _shipped(mapping)
    read = Mapping.parse(text)
    record = Import(
        organisation=organisation, file_name=file.name[-255:], file_digest=files.put(file.data), source=read.name[:200], mapping=text,
        dry_run=dry_run, withdraw_gone=withdraw_gone, total=max(0, file.data.count(b"\n") - 1), person_id=by.person_id,
    )  # fmt: skip
    record.save()
    run_import.enqueue(import_id=str(record.pk))
    return record


@action(
    "apply", on=Import, label=_("Now import it"), allow=OF_OPPORTUNITY, step=IMPORT_STEPS["apply"], tone="primary",
    when=lambda record: record.dry_run,
)  # fmt: skip
def apply_import(record: Import, *, by: Actor, now: datetime) -> Import:
    """After a trial: import the same file by the same mapping, in earnest."""
    made = Import(
        organisation=record.organisation, file_name=record.file_name, file_digest=record.file_digest, source=record.source,
        mapping=record.mapping, dry_run=False, withdraw_gone=record.withdraw_gone, total=record.total, person_id=by.person_id,
    )  # fmt: skip
    made.save()
    run_import.enqueue(import_id=str(made.pk))
    return made


@task(queue_name="long")
def run_import(import_id: str) -> dict[str, Any]:
    """Do what an Import asks for, as the person who asked. Repeatable: a worker that dies leaves it to the next."""
    record = Import.objects.select_related("organisation").get(pk=import_id)
    if record.state in {ImportState.DONE, ImportState.FAILED}:
        return {}
    now = clock.now()
    try:
        report = importing.run(
            files.get(record.file_digest), record.organisation, Mapping.parse(record.mapping), dry_run=record.dry_run,
            by=_asker(record, now), now=now, withdraw_gone=record.withdraw_gone, record=record,
        )  # fmt: skip
    except VsmError as refusal:
        importing.fail(record, refusal.reasons, now)
        return {}
    return report.counts


def _asker(record: Import, now: datetime) -> Actor:
    """Who asked, with the roles of today; the system itself asks for the demo world."""
    person = Person.objects.filter(pk=record.person_id).first() if record.person_id else None
    return actor_of(person, now).delivering(via="worker") if person else SYSTEM


def _shipped(name: str) -> str:
    known = [value for value, _label in mapping_choices()]
    if name not in known:
        text = N_("There is no mapping “%(name)s”. Known: %(known)s. Or give the text of your own.")
        raise Invalid(Reason("mapping-unknown", text, {"name": name, "known": ", ".join(known)}, "mapping"))
    return (MAPPINGS / f"{name}.yaml").read_text("utf-8")


# What the inputs become -----------------------------------------------------------------------------------------------


def _set_opportunity(opportunity: Opportunity, *, unit: UUID | None, credits_high: Decimal | None, **facts: Any) -> list[Reason]:
    """Set every fact; returns all problems at once. Other credits than before end a choice among single amounts."""
    low = facts.pop("credits")
    texts = {name: _clean(value) for name, value in facts.items() if isinstance(value, dict)}
    for name, value in {**facts, **texts}.items():
        setattr(opportunity, name, value)
    high = None if credits_high == low else credits_high
    if (opportunity.credits, opportunity.credits_high) != (low, high):
        opportunity.credits, opportunity.credits_high, opportunity.credit_values = low, high, []
    opportunity.isced_f = facts["isced_f"].strip()
    problems = [*text_problems(**texts), *isced_f_problems(opportunity.isced_f), *credit_problems(low, high, facts["credit_system"])]
    if not texts["title"]:
        problems.append(Reason("title-missing", N_("Give the title in at least one language."), {}, "title"))
    problems += [*_known("level", facts["level"], LEVELS), *_known("cefr", facts["cefr"], ("", *CEFR))]
    if not facts["language"].strip():
        problems.append(Reason("language-missing", N_("Give the language of teaching."), {}, "language"))
    hours = facts["workload_hours"]
    if hours is not None and not 0 < hours < 10_000:
        problems.append(Reason("workload", N_("“%(value)s” is no number of hours."), {"value": hours}, "workload_hours"))
    opportunity.unit = opportunity.organisation.units.filter(pk=unit).first() if unit else None
    if unit and opportunity.unit is None:
        problems.append(Reason("unit-unknown", N_("This unit is not one of the institution."), {}, "unit"))
    return problems


def _set_offering(
    offering: Offering, *, term: UUID | None, starts_on: date | None, ends_on: date | None, zone: str, meetings: list[MeetingRow], **facts: Any
) -> list[Reason]:
    """Set every fact but the meetings; returns all problems at once."""
    problems: list[Reason] = []
    host = offering.opportunity.organisation
    chosen: Any = Term.objects.filter(pk=term, organisation=host).first() if term else None
    if term and chosen is None:
        problems.append(Reason("term-unknown", N_("This term is not one of the institution."), {}, "term"))
    if chosen is not None or offering.term_id is not None:  # a host's word without an entry in the calendar stays
        offering.term, offering.term_code = chosen, chosen.code if chosen else ""
    first, last = starts_on or (chosen and chosen.starts_on), ends_on or (chosen and chosen.ends_on)
    if first is None or last is None:
        problems.append(Reason("dates-missing", N_("Choose a term, or give both dates."), {}, "starts_on"))
    else:
        offering.starts_on, offering.ends_on = first, last
        problems += date_problems(first, last, facts["drop_by"], facts["withdraw_by"])
    offering.zone = zone.strip() or host.zone
    if not is_zone(offering.zone):
        problems.append(Reason("zone", N_("“%(zone)s” is not a time zone of the IANA database (example: America/Lima)."), {"zone": zone}, "zone"))
    for name, value in facts.items():
        setattr(offering, name, value)
    if not 0 <= facts["seats"] <= 1_000_000:
        problems.append(Reason("seats", N_("“%(value)s” is no number of seats."), {"value": facts["seats"]}, "seats"))
    if facts["join_url"] and not facts["join_url"].startswith(("https://", "http://")):
        problems.append(Reason("join-url", N_("Write the whole address, beginning with https://."), {}, "join_url"))
    problems += [*_known("mode", facts["mode"], MODES), *_known("bandwidth", facts["bandwidth"], BANDWIDTHS)]
    problems += meeting_problems([Weekly(row.weekday, row.starts, row.ends) for row in meetings])
    return problems


def _set_meetings(offering: Offering, rows: Iterable[MeetingRow]) -> None:
    offering.meetings.all().delete()
    Meeting.objects.bulk_create(
        Meeting(offering=offering, weekday=row.weekday, starts=row.starts, ends=row.ends, label=row.label.strip()) for row in rows
    )


def _weekly(offering: Offering) -> str:
    """The meetings in the notation of our CSV: history speaks no reader's language."""
    return written(WrittenMeeting(m.weekday, f"{m.starts:%H:%M}", f"{m.ends:%H:%M}", m.label) for m in offering.meetings.all())


def _gaps(offering: Offering, meetings: int) -> list[Reason]:
    published = offering.opportunity.state == State.PUBLISHED
    return offering_gaps(seats=offering.seats, mode=offering.mode, meetings=meetings, opportunity_published=published)


def _changed(offering_ids: list[UUID], now: datetime) -> None:
    """Enter the change log, have this node's index follow, and tell whoever subscribed."""
    indexing.announce(offering_ids, now)
    for pk in offering_ids:
        emit("offering.changed", offering_id=str(pk))
    if offering_ids:
        enqueue_unless_waiting(indexing.index_changes)


def _offering_ids(opportunity: Opportunity) -> list[UUID]:
    return list(opportunity.offerings.values_list("pk", flat=True))


def _known(name: str, value: str, options: Iterable[str]) -> list[Reason]:
    if value in options:
        return []
    params = {"value": value, "known": ", ".join(filter(None, options))}
    return [Reason("value-unknown", N_("“%(value)s” is not one of: %(known)s."), params, name)]


def _clean(texts: Table[str, str]) -> Localized:
    """Without empty texts, spaces around and the line ends of Windows: what the export writes and the import reads back."""
    cleaned = {language: "\n".join(text.splitlines()).strip() for language, text in texts.items()}
    return {language: text for language, text in cleaned.items() if text}
