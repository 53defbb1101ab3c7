"""What a teacher enters for one student → what is recorded, or why it cannot be. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from vsm.exchange.recognition.grades import read
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason


@dataclass(frozen=True, kw_only=True)
class Course:
    """How the host grades a course, and the credits it carries (`most` where the catalogue names a range)."""

    scale: str
    credits: Decimal
    most: Decimal


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where the student stands: the enrolment's state, and the grade, credits and remark that are final already."""

    state: str
    final: tuple[str, Decimal, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A grade in the scale's own writing, and the credits it earns: none when it does not pass."""

    grade: str
    passed: bool
    credits: Decimal
    remark: str


def recorded(
    course: Course, standing: Standing, *, grade: str, credited: Decimal | None, remark: str, on: date
) -> Recorded:
    """Read one entry. `credited` None means those of the course. Raises Invalid with every fault."""
    faults = [*_faults_of_standing(standing), *_faults_of_credits(course, credited)]
    try:
        mark = read(grade, course.scale, on)
    except Invalid as refusal:
        raise Invalid(*faults, *refusal.reasons) from refusal
    Invalid.because(faults)
    earned = (course.credits if credited is None else credited) if mark.passed else Decimal(0)
    told = Recorded(grade=mark.text, passed=mark.passed, credits=earned, remark=remark.strip())
    if standing.final is not None and standing.final != (told.grade, told.credits, told.remark):
        text = N_("The result %(grade)s is final. Correct it on its own page, with the reason.")
        raise Invalid(Reason("already-final", text, {"grade": standing.final[0]}))
    return told


def _faults_of_standing(standing: Standing) -> Iterator[Reason]:
    if standing.state == "withdrawn":
        yield Reason("withdrawn", N_("The student withdrew: the transcript will say W, without a grade."))
    if standing.state == "dropped":
        yield Reason("dropped", N_("The student dropped the course: it leaves no trace."))


def _faults_of_credits(course: Course, credited: Decimal | None) -> Iterator[Reason]:
    if credited is None:
        return
    if not credited.is_finite() or not 0 <= credited <= course.most:
        text = N_("%(given)s credits cannot be given: the course carries at most %(most)s.")
        yield Reason("credits-out-of-range", text, {"given": str(credited), "most": course.most}, "credits")
