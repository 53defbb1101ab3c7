"""Results: entered by those who teach, confirmed by the office, corrected by a new row and never by an edit."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.recognition import queries
from vsm.exchange.recognition.grade_sheet import Entry, read_sheet
from vsm.exchange.recognition.marking import Recorded, recorded
from vsm.exchange.recognition.models import Result, Transcript
from vsm.exchange.recognition.states import (
    RESULT_STEPS,
    ResultState,
    TranscriptState,
)
from vsm.exchange.recognition.why import Because
from vsm.exchange.sessions.actions import complete
from vsm.exchange.sessions.models import Enrolment
from vsm.exchange.sessions.states import State as EnrolmentState
from vsm.kit.actions import NOTED, Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.sheets import at_line
from vsm.kit.uploads import Upload
from vsm.kit.verdict import Reason

HOST = "enrolment.offering.opportunity.organisation"
TEACHING = (
    "coordinator@opportunity.organisation",
    "registrar@opportunity.organisation",
    "instructor@opportunity.organisation",
)
OFFICE = (f"registrar@{HOST}", f"coordinator@{HOST}")
NOTED[Transcript.noun, "outdate"] = _("Outdated by a correction")


class ResultRow(BaseModel):
    """One student's line in the table of results. A line without a grade is left as it is."""

    enrolment_id: Annotated[UUID, Ask(_("Enrolment"), kind="hidden")]
    student: Annotated[str, Ask(_("Student"), kind="read_only")] = ""
    grade: Annotated[str, Ask(_("Grade"), limit=16)] = ""
    credits: Annotated[Decimal | None, Ask(_("Credits"))] = None
    remark: Annotated[str, Ask(_("Remark on the transcript"), limit=500)] = ""


def rows_to_grade(offering: Offering, actor: Actor) -> list[ResultRow]:
    """What the table begins with: everybody who can be graded, with what stands there now."""
    results = queries.current_results(offering)
    rows = []
    for each in queries.graded_enrolments(offering, actor):
        result = results.get(each.pk)
        rows.append(
            ResultRow(
                enrolment_id=each.pk,
                student=each.student.name,
                grade=result.grade if result else "",
                credits=result.credits if result and result.passed else offering.opportunity.credits,
                remark=result.remark if result else "",
            )
        )
    return rows


@dataclass(frozen=True, kw_only=True)
class _Given:
    """One grade as entered: by which line of which input, for whom."""

    line: int
    enrolment: Enrolment
    grade: str
    credits: Decimal | None
    remark: str


@action("enter_results", on=Offering, label=_("Enter results"), allow=TEACHING, tone="primary")
def enter_results(
    offering: Offering, *, by: Actor, now: datetime,
    rows: Annotated[list[ResultRow], Ask(_("Results"), _("Leave the grade empty where there is none yet."), start=rows_to_grade)],
) -> Offering:  # fmt: skip
    """Record grades on the host's scale, all or none; they are provisional until the office confirms them.

    A grade entered anew replaces the provisional one; a final one is corrected on its own page. The students and home
    see nothing before the confirmation.
    """
    _require_teacher(offering, by)
    known = {each.pk: each for each in queries.graded_enrolments(offering, SYSTEM)}
    given, problems, seen = [], [], set()
    for line, row in enumerate(rows, start=1):
        enrolment = known.get(row.enrolment_id)
        if enrolment is None:
            text = N_("This enrolment cannot be graded here: it belongs to another course, or the student left.")
            problems.append(at_line(line, Reason("not-enrolled", text), "rows"))
        elif row.enrolment_id in seen:
            problems.append(at_line(line, Reason("student-twice", N_("The same student stands here twice.")), "rows"))
        elif row.grade.strip():
            given.append(
                _Given(line=line, enrolment=enrolment, grade=row.grade, credits=row.credits, remark=row.remark)
            )
        elif row.remark.strip():
            problems.append(at_line(line, Reason("no-grade", N_("There is a remark but no grade.")), "rows"))
        seen.add(row.enrolment_id)
    _record(offering, given, problems, field="rows", by=by, now=now)
    return offering


@action("import_results", on=Offering, label=_("Import results from a file"), allow=TEACHING)
def import_results(
    offering: Offering, *, by: Actor, now: datetime,
    file: Annotated[Upload, Ask(_("File (CSV)"), _("Columns: student_number or email, grade, and if you like credits and remark."))],
) -> Offering:  # fmt: skip
    """Read a whole file of grades, or nothing of it and every line that is in the way."""
    _require_teacher(offering, by)
    entries, unread = read_sheet(file.data)
    given, unmatched = _matched(offering, entries)
    _record(offering, given, [*unread, *unmatched], field="file", by=by, now=now)
    return offering


@action("confirm_results", on=Offering, label=_("Confirm all provisional results"), allow=TEACHING[:2])
def confirm_results(offering: Offering, *, by: Actor, now: datetime) -> Offering:
    """Make every provisional result of the course final; the students and their homes are told."""
    waiting = [r for r in queries.current_results(offering).values() if r.state == ResultState.PROVISIONAL]
    if not waiting:
        raise Refused(Reason("nothing-provisional", N_("No result is waiting for confirmation. Enter results first.")))
    refused: list[Reason] = []
    for result in waiting:
        try:
            confirm(result, by=by, now=now)
        except Refused as refusal:
            refused += refusal.reasons
    Refused.because(refused)
    return offering


@action("confirm", on=Result, label=_("Confirm"), allow=OFFICE, step=RESULT_STEPS["confirm"], tone="primary")
def confirm(result: Result, *, by: Actor, now: datetime) -> Result:
    """The host stands by the result: it is final, the enrolment is completed, the student and home can read it."""
    enrolment = result.enrolment
    if enrolment.state not in (EnrolmentState.ENROLLED, EnrolmentState.COMPLETED):
        text = N_("%(name)s left the course after this grade was entered: it cannot become final.")
        raise Refused(Reason("left", text, {"name": enrolment.student.name}))
    result.confirmed_at = now
    if enrolment.state == EnrolmentState.ENROLLED:
        complete(enrolment, by=SYSTEM, now=now)
    emit("result.final", result_id=str(result.pk))
    return result


@action("correct", on=Result, label=_("Correct"), allow=OFFICE, step=RESULT_STEPS["correct"], tone="warning")
def correct(
    result: Result, *, by: Actor, now: datetime,
    grade: Annotated[str, Ask(_("Grade"), limit=16)],
    because: Because,
    credits: Annotated[Decimal | None, Ask(_("Credits"), _("Leave empty for those of the course."))] = None,  # noqa: A002 -- the word of the field
    remark: Annotated[str, Ask(_("Remark on the transcript"), limit=500)] = "",
) -> Result:  # fmt: skip
    """Put a new result in the place of this one, which stays readable. Where a transcript has told of it, it is marked
    as outdated: a new edition is due."""
    offering = result.enrolment.offering
    standing = queries.standing_of(result.enrolment, None)
    problems: list[Reason] = []
    told = None
    try:
        told = recorded(
            queries.course_of(offering),
            standing,
            grade=grade,
            credited=credits,
            remark=remark,
            on=_today(offering, now),
        )
    except Invalid as refusal:
        problems += refusal.reasons
    Invalid.because(problems)
    if told is None or (told.grade, told.credits, told.remark) == (result.grade, result.credits, result.remark):
        raise Invalid(
            Reason("same-result", N_("This is what stands there already: nothing would be corrected."), {}, "grade")
        )
    was_final = result.confirmed_at is not None
    corrected = _replace(result, told, offering, by=by, now=now, because=because)
    if was_final:
        corrected.state, corrected.confirmed_at = ResultState.FINAL, now
    corrected.save()
    if was_final:
        _outdate(result.enrolment, by=by, now=now, because=because)
        emit("result.final", result_id=str(corrected.pk))
    return corrected


def _require_teacher(offering: Offering, by: Actor) -> None:
    if not queries.teaches(by, offering):
        text = N_("Only those who teach this course, and the offices of its institution, enter its results.")
        raise NotAllowed(Reason("not-teaching", text))


def _matched(offering: Offering, entries: list[Entry]) -> tuple[list[_Given], list[Reason]]:
    """Which enrolment each line of a file is about. Those who left are matched too, so that the line can say so."""
    found = Enrolment.objects.filter(offering=offering).select_related("student__student_record")
    everybody = list(found)
    given: list[_Given] = []
    problems: list[Reason] = []
    first: dict[UUID, int] = {}
    for entry in entries:
        fitting = [each for each in everybody if _is_about(entry, each)]
        if len(fitting) != 1:
            problems.append(at_line(entry.line, _not_one(entry, len(fitting))))
        elif fitting[0].pk in first:
            text = N_("The same student already stands in line %(first)s.")
            problems.append(at_line(entry.line, Reason("student-twice", text, {"first": first[fitting[0].pk]})))
        else:
            first[fitting[0].pk] = entry.line
            given.append(
                _Given(
                    line=entry.line, enrolment=fitting[0], grade=entry.grade, credits=entry.credits, remark=entry.remark
                )
            )
    return given, problems


def _is_about(entry: Entry, enrolment: Enrolment) -> bool:
    """Number and address must both fit when both are given: a slip in one of them must not grade somebody else."""
    student = enrolment.student
    record = getattr(student, "student_record", None)
    number = record.student_number if record else ""
    by_number = not entry.student_number or entry.student_number == number
    return by_number and (not entry.email or entry.email == student.email.lower())


def _not_one(entry: Entry, count: int) -> Reason:
    who = {"who": " ".join(filter(None, (entry.student_number, entry.email)))}
    if count:
        text = N_("%(who)s is the number of students of several institutions here: give the email.")
        return Reason("student-ambiguous", text, who)
    return Reason("student-unknown", N_("%(who)s is not enrolled in this course."), who)


def _record(
    offering: Offering, given: list[_Given], problems: list[Reason], *, field: str, by: Actor, now: datetime
) -> None:
    """All or nothing: one unreadable line keeps every grade out, and every such line is told."""
    course, results, on = queries.course_of(offering), queries.current_results(offering), _today(offering, now)
    read: list[tuple[_Given, Recorded]] = []
    for each in given:
        standing = queries.standing_of(each.enrolment, results.get(each.enrolment.pk))
        try:
            told = recorded(course, standing, grade=each.grade, credited=each.credits, remark=each.remark, on=on)
        except Invalid as refusal:
            problems += [at_line(each.line, _about(each, reason), field) for reason in refusal.reasons]
        else:
            read.append((each, told))
    Invalid.because(sorted(problems, key=lambda reason: int(str(reason.params.get("line", 0)))))
    if not read:
        raise Invalid(Reason("no-grades", N_("No grade was entered: nothing would change."), {}, field))
    for each, told in read:
        old = results.get(each.enrolment.pk)
        if old is None:
            _new(each.enrolment, told, offering, by=by, now=now)
        elif (old.grade, old.credits, old.remark) != (told.grade, told.credits, told.remark):
            _replace(old, told, offering, by=by, now=now, because="").save()


def _about(given: _Given, reason: Reason) -> Reason:
    return Reason(reason.code, N_("%(name)s: %(problem)s"), {"name": given.enrolment.student.name, "problem": reason})


def _new(enrolment: Enrolment, told: Recorded, offering: Offering, *, by: Actor, now: datetime) -> None:
    result = _result(enrolment, told, offering)
    result.save()
    note(
        result,
        "enter_results",
        by=by,
        now=now,
        changes={"grade": [None, told.grade], "credits": [None, str(told.credits)]},
    )


def _replace(old: Result, told: Recorded, offering: Offering, *, by: Actor, now: datetime, because: str) -> Result:
    """The old row steps back first: the database lets only one result of an enrolment count. The new one is returned
    unsaved, for the caller to say whether it is final."""
    before = str(old.state)
    old.state = ResultState.SUPERSEDED
    old.save()
    changes = {
        "state": [before, str(old.state)],
        "grade": [old.grade, told.grade],
        "credits": [str(old.credits), str(told.credits)],
    }
    note(old, "supersede", by=by, now=now, because=because, changes=changes)
    result = _result(old.enrolment, told, offering)
    result.corrects, result.because = old, because
    return result


def _result(enrolment: Enrolment, told: Recorded, offering: Offering) -> Result:
    opportunity = offering.opportunity
    return Result(
        enrolment=enrolment, grade=told.grade, scale=opportunity.organisation.grade_scale, passed=told.passed,
        credits=told.credits, credit_system=opportunity.credit_system, remark=told.remark,
    )  # fmt: skip


def _outdate(enrolment: Enrolment, *, by: Actor, now: datetime, because: str) -> None:
    """A transcript in force that tells of this enrolment no longer says what the host stands by."""
    if enrolment.learning_agreement_id is None:
        return
    transcript = Transcript.objects.filter(
        agreement=enrolment.learning_agreement_id, state=TranscriptState.ISSUED
    ).first()
    if transcript is None or transcript.outdated_since is not None:
        return
    transcript.outdated_since = now
    transcript.save()
    note(transcript, "outdate", by=by, now=now, because=because, changes={"outdated_since": [None, now.isoformat()]})


def _today(offering: Offering, now: datetime) -> Any:
    """The day on the wall of the host, whose scale is in force there."""
    return now.astimezone(ZoneInfo(offering.opportunity.organisation.zone)).date()
