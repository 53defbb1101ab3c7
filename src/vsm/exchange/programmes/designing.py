"""What the host's office does before anybody applies: describe the programme, arrange its modules, open intakes."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from vsm.exchange.catalogue import actions as catalogue
from vsm.exchange.catalogue.categories import category
from vsm.exchange.catalogue.models import Opportunity
from vsm.exchange.catalogue.queries import bandwidth_choices, cefr_choices, mode_choices, spoken_choices
from vsm.exchange.catalogue.rules import isced_f_problems
from vsm.exchange.catalogue.states import State as CatalogueState
from vsm.exchange.institutions.queries import grade_scale_choices
from vsm.exchange.people.models import is_zone
from vsm.exchange.programmes.facts import SUPPLEMENT_FACTS, day_at
from vsm.exchange.programmes.models import Intake, Module, ModuleGroup, Programme
from vsm.exchange.programmes.progress import months_later
from vsm.exchange.programmes.queries import choices
from vsm.exchange.programmes.rules import (
    DOCUMENT_KINDS,
    DOCUMENT_WORDS,
    LEVEL_WORDS,
    PRIOR_LEVELS,
    Requirements,
    as_requirements,
    intake_problems,
)
from vsm.exchange.programmes.states import INTAKE_STEPS, PROGRAMME_STEPS, AdmissionState, ProgrammeState
from vsm.exchange.programmes.structure import COMPULSORY, ELECTIVE, Group, Structure, structure_gaps, structure_problems
from vsm.exchange.programmes.structure import Module as PlannedModule
from vsm.exchange.recognition.grades import read as read_grade
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused, VsmError
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook.programmes import limit

OF_OPPORTUNITY = ("coordinator@organisation", "registrar@organisation")
OF_PROGRAMME = ("coordinator@organisation", "registrar@organisation")
OF_INTAKE = ("coordinator@programme.organisation", "registrar@programme.organisation")

Localized = dict[str, str]
AwardTitle = Annotated[Localized, Ask(_("What the award is called"), _("As it stands on the degree certificate, for example “Master in Public Health”."), kind="localized")]
Months = Annotated[int, Ask(_("Planned duration in months"))]
LongestMonths = Annotated[int | None, Ask(_("Longest duration in months"), _("Without interruptions. Empty: the rulebook’s multiple of the planned duration."))]
TermLow = Annotated[Decimal, Ask(_("Least credits in a term"))]
TermHigh = Annotated[Decimal, Ask(_("Most credits in a term"))]
LateDays = Annotated[int | None, Ask(_("Days for late enrolment"), _("After the start of a term. Empty: the rulebook’s default."))]
Attempts = Annotated[int | None, Ask(_("Most attempts at one module"), _("Empty: the rulebook’s default."))]
PauseMonths = Annotated[int | None, Ask(_("Longest interruption in all, in months"), _("Empty: the rulebook’s default."))]


class ModuleGroupRow(BaseModel):
    """A part of the programme."""

    code: Annotated[str, Ask(_("Code"), limit=16)] = Field(min_length=1, max_length=16)
    title: Annotated[str, Ask(_("Title"), limit=200)] = Field(min_length=1, max_length=200)
    kind: Annotated[Literal["compulsory", "elective"], Ask(_("Kind"), choices=lambda _r, _a: [(COMPULSORY, _now("Every module")), (ELECTIVE, _now("So many credits"))])] = "compulsory"
    credits: Annotated[Decimal, Ask(_("Credits asked for"), _("Of an elective group."))] = Field(default=Decimal(0), ge=0, le=9999)


class ModuleRow(BaseModel):
    """A module: `prerequisites` are codes with blanks or commas between."""

    code: Annotated[str, Ask(_("Code"), limit=32)] = Field(min_length=1, max_length=32)
    title: Annotated[str, Ask(_("Title"), limit=200)] = Field(min_length=1, max_length=200)
    credits: Annotated[Decimal, Ask(_("Credits"))] = Field(ge=0, le=9999)
    group: Annotated[str, Ask(_("Group"), limit=16)] = Field(min_length=1, max_length=16)
    term: Annotated[int, Ask(_("Recommended term"))] = Field(default=1, ge=0, le=99)
    prerequisites: Annotated[str, Ask(_("Builds on (codes)"), limit=200)] = Field(default="", max_length=200)


class LanguageWanted(BaseModel):
    """A language that applicants need."""

    language: Annotated[str, Ask(_("Language"), choices=spoken_choices)]
    level: Annotated[Literal["A1", "A2", "B1", "B2", "C1", "C2"], Ask(_("Least level (CEFR)"), choices=cefr_choices)]


def _group_rows(programme: Any, _actor: Actor) -> list[ModuleGroupRow]:
    language = programme.opportunity.language
    return [ModuleGroupRow(code=each.code, title=_own(each.title, language), kind=each.kind, credits=each.credits) for each in programme.groups.all()]


def _module_rows(programme: Any, _actor: Actor) -> list[ModuleRow]:
    language, codes = programme.opportunity.language, {each.pk: each.code for each in programme.groups.all()}
    return [
        ModuleRow(
            code=each.code, title=_own(each.title, language), credits=each.credits, group=codes[each.group_id], term=each.term,
            prerequisites=" ".join(each.prerequisites),
        )
        for each in programme.modules.all()
    ]  # fmt: skip


def _language_rows(programme: Any, _actor: Actor) -> list[LanguageWanted]:
    return [LanguageWanted.model_validate({"language": code, "level": level}) for code, level in as_requirements(programme.requirements).languages.items()]


def _required(name: str) -> Any:
    def start(programme: Any, _actor: Actor) -> Any:
        value = getattr(as_requirements(programme.requirements), name)
        return " ".join(value) if name == "fields" else list(value) if isinstance(value, tuple) else value

    return start


def _fact(name: str) -> Any:
    return lambda programme, _actor: programme.supplement.get(name, {})


@action(
    "describe_programme", on=Opportunity, label=_("Describe the programme"), allow=OF_OPPORTUNITY, tone="primary",
    when=lambda opportunity: category(opportunity.category).uses("terms") and not Programme.objects.filter(opportunity=opportunity).exists(),
)  # fmt: skip
def describe_programme(
    opportunity: Opportunity, *, by: Actor, now: datetime,
    award_title: AwardTitle, months: Months, term_credits_high: TermHigh, term_credits_low: TermLow = Decimal(0),
    longest_months: LongestMonths = None, late_days: LateDays = None, attempts: Attempts = None, pause_months: PauseMonths = None,
) -> Programme:  # fmt: skip
    """Make an opportunity of this category a programme: its award, its duration and its limits. Modules and requirements follow."""
    if not category(opportunity.category).uses("terms"):
        raise Refused(Reason("no-programme", N_("This is not an entire programme: its category has no terms.")))
    if Programme.objects.filter(opportunity=opportunity).exists():
        raise Refused(Reason("described", N_("The programme is already described: edit it instead.")))
    programme = Programme(opportunity=opportunity, organisation=opportunity.organisation)
    Invalid.because(
        _set_limits(programme, now, award_title=award_title, months=months, longest_months=longest_months, term_credits_low=term_credits_low,
                    term_credits_high=term_credits_high, late_days=late_days, attempts=attempts, pause_months=pause_months)
    )  # fmt: skip
    programme.save()
    return programme


@action("edit", on=Programme, label=_("Edit"), allow=OF_PROGRAMME, step=PROGRAMME_STEPS["edit"])
def edit_programme(
    programme: Programme, *, by: Actor, now: datetime,
    award_title: AwardTitle, months: Months, term_credits_high: TermHigh, term_credits_low: TermLow = Decimal(0),
    longest_months: LongestMonths = None, late_days: LateDays = None, attempts: Attempts = None, pause_months: PauseMonths = None,
) -> Programme:  # fmt: skip
    """Give the award’s title, the duration and the limits anew. They hold for everybody who studies now."""
    Invalid.because(
        _set_limits(programme, now, award_title=award_title, months=months, longest_months=longest_months, term_credits_low=term_credits_low,
                    term_credits_high=term_credits_high, late_days=late_days, attempts=attempts, pause_months=pause_months)
    )  # fmt: skip
    programme.save()
    return programme


@action("arrange", on=Programme, label=_("Arrange the modules"), allow=OF_PROGRAMME, step=PROGRAMME_STEPS["arrange"], tone="primary")
def arrange(
    programme: Programme, *, by: Actor, now: datetime,
    groups: Annotated[list[ModuleGroupRow], Ask(_("Groups"), _("A group is either compulsory, every module of it, or asks for so many credits."), start=_group_rows)],
    modules: Annotated[list[ModuleRow], Ask(_("Modules"), _("Titles in the language of teaching, as they will stand on the diploma supplement."), start=_module_rows)],
) -> Programme:  # fmt: skip
    """Say which modules there are, in which group, in which term, and what each builds on. A module that somebody has taken stays."""
    planned = _planned(programme, groups, modules)
    problems = list(structure_problems(planned))
    taken = set(programme.modules.filter(attempts__isnull=False).values_list("code", flat=True))
    problems += [
        Reason("module-taken", N_("Module %(code)s has been taken by students and cannot be removed."), {"code": code}, "modules")
        for code in sorted(taken - {each.code for each in planned.modules})
    ]
    if programme.state == ProgrammeState.PUBLISHED:
        problems += structure_gaps(planned)
    Invalid.because(problems)
    before = [each.code for each in programme.modules.all()]
    _store(programme, planned)
    note(programme, "arrange", by=by, now=now, changes={"modules": [before, [each.code for each in planned.modules]]})
    programme.save()
    return programme


@action("require", on=Programme, label=_("Say what is asked for"), allow=OF_PROGRAMME, step=PROGRAMME_STEPS["require"])
def require(
    programme: Programme, *, by: Actor, now: datetime,
    level: Annotated[str, Ask(_("Least prior qualification"), choices=lambda _r, _a: choices(LEVEL_WORDS), start=_required("level"), limit=16)] = "",
    fields: Annotated[str, Ask(_("Fields of it (ISCED-F)"), _("Codes of two to four digits with blanks between, for example 03 041; empty: any field."), start=_required("fields"), limit=200)] = "",
    grade: Annotated[str, Ask(_("Least average"), start=_required("grade"), limit=16)] = "",
    grade_scale: Annotated[str, Ask(_("On the scale"), _("Grades of other scales are converted by the rulebook’s tables."), choices=grade_scale_choices, start=_required("grade_scale"))] = "",
    languages: Annotated[list[LanguageWanted], Ask(_("Languages"), start=_language_rows)] = [],  # noqa: B006 -- never changed
    documents: Annotated[list[str], Ask(_("Documents"), choices=lambda _r, _a: choices(DOCUMENT_WORDS), start=_required("documents"))] = [],  # noqa: B006 -- never changed
) -> Programme:  # fmt: skip
    """State the entry requirements. Applicants see each that they do not meet, all at once, before they hand in."""
    wanted = Requirements(
        level=level, fields=tuple(fields.replace(",", " ").split()), grade=grade.strip(), grade_scale=grade_scale,
        languages={row.language: row.level for row in languages}, documents=tuple(dict.fromkeys(documents)),
    )  # fmt: skip
    Invalid.because(_requirement_problems(wanted, now))
    programme.requirements = {
        "level": wanted.level, "fields": list(wanted.fields), "grade": wanted.grade, "grade_scale": wanted.grade_scale,
        "languages": dict(wanted.languages), "documents": list(wanted.documents),
    }  # fmt: skip
    programme.save()
    return programme


@action("describe_award", on=Programme, label=_("Describe the award"), allow=OF_PROGRAMME, step=PROGRAMME_STEPS["describe_award"])
def describe_award(
    programme: Programme, *, by: Actor, now: datetime,
    status: Annotated[Localized, Ask(_("Status of the institution and accreditation"), _("Diploma supplement 2.3 and 2.4."), kind="localized", start=_fact("status"))],
    access: Annotated[Localized, Ask(_("Access requirements in words"), _("Diploma supplement 3.3."), kind="localized", start=_fact("access"))],
    outcomes: Annotated[Localized, Ask(_("Learning outcomes of the programme"), _("Diploma supplement 4.2."), kind="localized", start=_fact("outcomes"))],
    further_study: Annotated[Localized, Ask(_("Access to further study"), _("Diploma supplement 5.1."), kind="localized", start=_fact("further_study"))],
    professional: Annotated[Localized, Ask(_("Access to a regulated profession"), _("Diploma supplement 5.2; say so when there is none."), kind="localized", start=_fact("professional"))],
    national_system: Annotated[Localized, Ask(_("The national higher education system"), _("Diploma supplement 8."), kind="localized", start=_fact("national_system"))],
    further_information: Annotated[Localized, Ask(_("Further information"), _("Diploma supplement 6."), kind="localized", start=_fact("further_information"))] = {},  # noqa: B006 -- never changed
) -> Programme:  # fmt: skip
    """State what the diploma supplement says about the programme; it is frozen into each award when it is conferred."""
    programme.supplement = {
        "status": status, "access": access, "outcomes": outcomes, "further_study": further_study, "professional": professional,
        "national_system": national_system, "further_information": further_information,
    }  # fmt: skip
    problems = [
        Reason("text-missing", N_("Write it in at least one language."), {}, name) for name in SUPPLEMENT_FACTS if not any(programme.supplement[name].values())
    ]
    Invalid.because(problems)
    programme.save()
    return programme


@action("publish", on=Programme, label=_("Publish"), allow=OF_PROGRAMME, step=PROGRAMME_STEPS["publish"], tone="primary")
def publish_programme(programme: Programme, *, by: Actor, now: datetime) -> Programme:
    """Let everybody read it, in the catalogue too. Refused with everything that is missing."""
    gaps = list(structure_gaps(programme.structure))
    if not programme.requirements:
        gaps.append(Reason("requirements-missing", N_("Say what is asked for, even if it is little: applicants want to know."), {}, ""))
    Refused.because(gaps)
    if programme.opportunity.state != CatalogueState.PUBLISHED:
        catalogue.publish_opportunity(programme.opportunity, by=SYSTEM, now=now)
    return programme


@action("close", on=Programme, label=_("Close to new students"), allow=OF_PROGRAMME, step=PROGRAMME_STEPS["close"], tone="warning")
def close_programme(programme: Programme, *, by: Actor, now: datetime, because: str) -> Programme:
    """Take no new students. Whoever studies goes on to the award."""
    if programme.intakes.filter(admissions__state__in=[AdmissionState.SUBMITTED, AdmissionState.WAITING, AdmissionState.OFFERED]).exists():
        raise Refused(Reason("undecided", N_("There are applications without a decision or answer. Decide them, or cancel the intake, first.")))
    return programme


# Intakes --------------------------------------------------------------------------------------------------------------

StartsOn = Annotated[date, Ask(_("The programme starts"))]
OpensAt = Annotated[datetime, Ask(_("Applications open"))]
ClosesAt = Annotated[datetime, Ask(_("Applications close"), _("Nobody gains by being early: places are given afterwards."))]
DecideBy = Annotated[datetime, Ask(_("Decisions until"))]
Places = Annotated[int, Ask(_("Places"))]
RespondDays = Annotated[int, Ask(_("Days to answer an offer"))]
Zone = Annotated[str, Ask(_("Time zone of these dates"), _("Empty: the institution’s own."), limit=64)]


@action("open_intake", on=Programme, label=_("Add an intake"), allow=OF_PROGRAMME, step=PROGRAMME_STEPS["open_intake"], tone="primary")
def open_intake(
    programme: Programme, *, by: Actor, now: datetime,
    code: Annotated[str, Ask(_("Code"), _("For example 2027-I."), limit=64)],
    starts_on: StartsOn, opens_at: OpensAt, closes_at: ClosesAt, decide_by: DecideBy, places: Places, respond_days: RespondDays = 21, zone: Zone = "",
    mode: Annotated[str, Ask(_("How it is studied"), choices=mode_choices)] = "mixed",
    bandwidth: Annotated[str, Ask(_("Connection"), _("The most that a student needs."), choices=bandwidth_choices)] = "video",
) -> Intake:  # fmt: skip
    """Plan a start of the programme. The catalogue shows it once it is published."""
    intake = Intake(programme=programme, code=code.strip(), zone=zone.strip() or programme.organisation.zone)
    problems = _set_intake(intake, starts_on=starts_on, opens_at=opens_at, closes_at=closes_at, decide_by=decide_by, places=places, respond_days=respond_days)
    if not intake.code:
        problems.append(Reason("code-missing", N_("Give the code."), {}, "code"))
    if programme.intakes.filter(code=intake.code).exists():
        problems.append(Reason("code-taken", N_("An intake with this code is already here."), {}, "code"))
    Invalid.because(problems)
    intake.offering = catalogue.add_offering(
        programme.opportunity, by=SYSTEM, now=now, code=intake.code, starts_on=starts_on, ends_on=_planned_end(programme, starts_on), seats=places,
        mode=mode, bandwidth=bandwidth, zone=intake.zone,
    )  # fmt: skip
    intake.save()
    return intake


@action("edit", on=Intake, label=_("Edit"), allow=OF_INTAKE, step=INTAKE_STEPS["edit"])
def edit_intake(
    intake: Intake, *, by: Actor, now: datetime,
    starts_on: StartsOn, opens_at: OpensAt, closes_at: ClosesAt, decide_by: DecideBy, places: Places, respond_days: RespondDays = 21, zone: Zone = "",
) -> Intake:  # fmt: skip
    """Give the dates and places anew. Offers already made keep the day until which they can be answered."""
    intake.zone = zone.strip() or intake.programme.organisation.zone
    problems = _set_intake(intake, starts_on=starts_on, opens_at=opens_at, closes_at=closes_at, decide_by=decide_by, places=places, respond_days=respond_days)
    Invalid.because(problems)
    offering = intake.offering
    catalogue.edit_offering(
        offering, by=SYSTEM, now=now, seats=places, starts_on=starts_on, ends_on=_planned_end(intake.programme, starts_on), mode=offering.mode,
        bandwidth=offering.bandwidth, zone=intake.zone,
    )  # fmt: skip
    intake.save()
    return intake


@action("publish", on=Intake, label=_("Publish"), allow=OF_INTAKE, step=INTAKE_STEPS["publish"], tone="primary")
def publish_intake(intake: Intake, *, by: Actor, now: datetime) -> Intake:
    """Let people find it in the catalogue, and apply between its dates."""
    problems = []
    if intake.programme.state != ProgrammeState.PUBLISHED:
        problems.append(Reason("programme-not-published", N_("Publish the programme first.")))
    if intake.closes_at <= now:
        problems.append(Reason("closed-already", N_("Applications would be closed already: give later dates.")))
    Refused.because(problems)
    catalogue.publish_offering(intake.offering, by=SYSTEM, now=now)
    return intake


@action("cancel", on=Intake, label=_("Cancel the intake"), allow=OF_INTAKE, step=INTAKE_STEPS["cancel"], tone="warning")
def cancel_intake(
    intake: Intake, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Why? (applicants read this)"), kind="long_text", limit=2000)]
) -> Intake:
    """Call it off. Every open application is refused with this reason; somebody who was admitted stands against it."""
    if intake.admissions.filter(state=AdmissionState.ADMITTED).exists():
        raise Refused(Reason("admitted", N_("Students are admitted already. Agree with each of them first: let them withdraw or move.")))
    for admission in intake.admissions.exclude(state__in=["declined", "expired", "refused", "lapsed", "withdrawn", "admitted"]):
        admission.state, admission.because, admission.decided_at = AdmissionState.REFUSED, because, now
        admission.save()
        note(admission, "refuse", by=by, now=now, because=because, changes={"state": ["", "refused"]})
        emit("admission.decided", admission_id=str(admission.pk))
    if intake.offering.state == CatalogueState.PUBLISHED:
        catalogue.withdraw_offering(intake.offering, by=SYSTEM, now=now, because=because)
    return intake


# What the inputs become -----------------------------------------------------------------------------------------------


def _own(title: Localized, language: str) -> str:
    return title.get(language) or next(iter(title.values()), "")


def _set_limits(
    programme: Programme, now: datetime, *, longest_months: int | None, late_days: int | None, attempts: int | None, pause_months: int | None, **facts: Any
) -> list[Reason]:  # fmt: skip
    """Set every fact, the rulebook's default where none is given; returns all problems."""
    today = day_at(programme.organisation.zone, now)
    programme.award_title = {language: text.strip() for language, text in facts["award_title"].items() if text.strip()}
    programme.months = facts["months"]
    programme.term_credits_low, programme.term_credits_high = facts["term_credits_low"], facts["term_credits_high"]
    multiple = limit("longest-duration", today)
    programme.longest_months = int(facts["months"] * multiple) if longest_months is None else longest_months
    programme.late_days = int(limit("late-enrolment", today)) if late_days is None else late_days
    programme.attempts = int(limit("attempts-per-module", today)) if attempts is None else attempts
    programme.pause_months = int(limit("interruption-longest", today)) if pause_months is None else pause_months
    return list(_limit_problems(programme))


def _limit_problems(programme: Programme) -> Iterator[Reason]:
    if not programme.award_title:
        yield Reason("award-title", N_("Give the title of the award in at least one language."), {}, "award_title")
    if not 1 <= programme.months <= 120:
        yield Reason("months", N_("Give a duration of 1 to 120 months."), {}, "months")
    if not programme.months <= programme.longest_months <= 360:
        yield Reason("longest", N_("The longest duration is at least the planned one, and at most 360 months."), {}, "longest_months")
    if not 0 <= programme.term_credits_low <= programme.term_credits_high <= 9999 or not programme.term_credits_high:
        yield Reason("term-credits", N_("Give the least and the most credits of a term, in this order."), {}, "term_credits_high")
    for name, most in (("late_days", 180), ("pause_months", 120)):
        if not 0 <= getattr(programme, name) <= most:
            yield Reason(name, N_("Give a number from 0 to %(most)s."), {"most": most}, name)
    if not 1 <= programme.attempts <= 20:
        yield Reason("attempts", N_("Give at least one attempt, and at most 20."), {}, "attempts")


def _planned(programme: Programme, groups: list[ModuleGroupRow], modules: list[ModuleRow]) -> Structure:
    language = programme.opportunity.language
    # A title in a further language is kept while the one in the language of teaching stays the same.
    titles = [*programme.groups.values_list("title", flat=True), *programme.modules.values_list("title", flat=True)]
    kept = {_own(title, language): title for title in titles}
    return Structure(
        tuple(Group(row.code.strip(), kept.get(row.title.strip(), {language: row.title.strip()}), row.kind, row.credits if row.kind == ELECTIVE else Decimal(0)) for row in groups),
        tuple(
            PlannedModule(
                row.code.strip(), kept.get(row.title.strip(), {language: row.title.strip()}), row.credits, row.group.strip(), row.term,
                tuple(row.prerequisites.replace(",", " ").split()),
            )
            for row in modules
        ),
        programme.opportunity.credits,
    )  # fmt: skip


def _store(programme: Programme, planned: Structure) -> None:
    """Write groups and modules, keeping the rows of those that stay: results point to modules."""
    groups = {each.code: each for each in programme.groups.all()}
    for position, group in enumerate(planned.groups):
        held = groups.get(group.code) or ModuleGroup(programme=programme, code=group.code)
        held.title, held.kind, held.credits, held.position = dict(group.title), group.kind, group.credits, position
        held.save()
        groups[group.code] = held
    modules = {each.code: each for each in programme.modules.all()}
    for position, module in enumerate(planned.modules):
        kept = modules.pop(module.code, None) or Module(programme=programme, code=module.code)
        kept.title, kept.credits, kept.group = dict(module.title), module.credits, groups[module.group]
        kept.term, kept.prerequisites, kept.position = module.term, list(module.prerequisites), position
        kept.save()
    Module.objects.filter(pk__in=[each.pk for each in modules.values()]).delete()
    programme.groups.exclude(code__in=[each.code for each in planned.groups]).delete()


def _requirement_problems(wanted: Requirements, now: datetime) -> Iterator[Reason]:
    if wanted.level and wanted.level not in PRIOR_LEVELS:
        yield Reason("level", N_("“%(value)s” is not one of: %(known)s."), {"value": wanted.level, "known": ", ".join(PRIOR_LEVELS)}, "level")
    for code in wanted.fields:
        yield from (Reason(each.code, each.text, each.params, "fields") for each in isced_f_problems(code))
    if unknown := [kind for kind in wanted.documents if kind not in DOCUMENT_KINDS]:
        yield Reason("document", N_("“%(value)s” is not one of: %(known)s."), {"value": ", ".join(unknown), "known": ", ".join(DOCUMENT_KINDS)}, "documents")
    if bool(wanted.grade) != bool(wanted.grade_scale):
        yield Reason("grade-scale", N_("A least average needs its scale, and a scale its average."), {}, "grade")
    elif wanted.grade:
        try:
            read_grade(wanted.grade, wanted.grade_scale, now.date())
        except VsmError as refusal:
            yield from (Reason(each.code, each.text, each.params, "grade") for each in refusal.reasons)


def _set_intake(intake: Intake, **facts: Any) -> list[Reason]:
    for name, value in facts.items():
        setattr(intake, name, value)
    problems = list(intake_problems(**facts))
    if not is_zone(intake.zone):
        problems.append(Reason("zone", N_("“%(zone)s” is not a time zone of the IANA database (example: America/Lima)."), {"zone": intake.zone}, "zone"))
    return problems


def _planned_end(programme: Programme, starts_on: date) -> date:
    return months_later(starts_on, programme.months)
