"""Converting a grade from one scale to another. Pure.

Who has failed stays failed and who has passed stays passed, by construction: the two sides of the passing mark are
mapped apart. Three ways, in this order: unchanged within one scale; by the grading tables of both institutions when
both are given; else linearly on the passing range, which is a proposal for the home institution and is labelled so.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, localcontext

from vsm import rulebook
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook.entries import GradeValue, Letter, Method, Reference

PRECISION = Context(prec=28)

# How often each passing grade was given: numbers of students or percentages, in any order.
Distribution = Mapping[str, Decimal]


@dataclass(frozen=True)
class Mark:
    """A grade read on a scale. `points` is None for a mark without rank (pass, not passed)."""

    text: str
    points: Decimal | None
    passed: bool
    finer_than_scale: bool = False


@dataclass(frozen=True, kw_only=True)
class GradeConversion:
    """What a grade becomes, and why. `steps` tell the calculation in words, `cautions` what to keep in mind."""

    given: str
    source: str
    target: str
    on: date
    value: str
    passed: bool
    method: Method
    citations: tuple[Reference, ...]
    steps: tuple[Reason, ...]
    cautions: tuple[Reason, ...]
    rulebook_version: str


def convert(
    grade: str,
    source: str,
    target: str,
    on: date,
    distribution_source: Distribution | None = None,
    distribution_target: Distribution | None = None,
) -> GradeConversion:
    """Convert `grade` of scale `source` to `target` by the rules in force on a day.

    A distribution maps each passing grade to how often it was given; it is used when both are there. Raises Invalid
    for a grade that is not on its scale, for a table that cannot be used, and for a mark without rank that the target
    does not have; UnknownEntry and NoValueYet as the rulebook does.
    """
    was, becomes = rulebook.grade_scale(source).at(on), rulebook.grade_scale(target).at(on)
    mark = read(grade, source, was)
    with localcontext(PRECISION):
        if source == target:
            method, value, steps = _unchanged(mark)
        elif mark.points is None:
            method, value, steps = _without_rank(mark, becomes, target)
        elif mark.passed and distribution_source is not None and distribution_target is not None:
            tables = (_table(distribution_source, source, was), _table(distribution_target, target, becomes))
            method, value, steps = _by_tables(mark.points, *tables, was, becomes)
        else:
            method, value, steps = _linear(mark.points, mark.passed, was, becomes)
    used = (was,) if source == target else (was, becomes)
    return GradeConversion(
        given=mark.text,
        source=source,
        target=target,
        on=on,
        value=value,
        passed=mark.passed,
        method=method,
        citations=(*(each.reference for each in used), *((method.reference,) if method.reference.url else ())),
        steps=steps,
        cautions=tuple(
            _cautions(
                mark, method, dict(zip((source, target), used, strict=False)), distribution_source, distribution_target
            )
        ),
        rulebook_version=rulebook.version(),
    )


def read(grade: str, scale: str, on: GradeValue | date) -> Mark:
    """Read a grade as written on a transcript: `5.5`, `5,5`, `B+`, `b−`. Raises Invalid when it is not on the scale."""
    value = on if isinstance(on, GradeValue) else rulebook.grade_scale(scale).at(on)
    text = _tidy(grade)
    for letter in (*value.letters, *value.unranked):
        if letter.answers_to(text):
            return Mark(letter.grade, letter.points, letter.passed)
    number = _number(text)
    if value.step is None or number is None or not _between(number, value.worst, value.best):
        raise Invalid(_not_on_scale(grade, scale, value))
    return Mark(text, number, value.passes(number), finer_than_scale=bool((number - value.worst) % value.step))


def _tidy(grade: str) -> str:
    """Capitals, one kind of minus, a point for the decimal comma, single spaces."""
    return " ".join(str(grade).upper().replace("−", "-").replace("–", "-").replace(",", ".").split())


def _number(text: str) -> Decimal | None:
    # Narrower than Decimal, which would also read 1e3, 1_0 and NaN; no institution grades to more than four decimals.
    return Decimal(text) if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", text) else None


def _between(number: Decimal, one: Decimal, other: Decimal) -> bool:
    return min(one, other) <= number <= max(one, other)


def _not_on_scale(grade: str, scale: str, value: GradeValue) -> Reason:
    letters = [letter.grade for letter in (*value.letters, *value.unranked)]
    if value.step is None:
        text = N_("%(grade)s is not a grade of the scale “%(scale)s”. Its grades are %(grades)s.")
        return Reason(
            "grade-not-on-scale", text, {"grade": grade, "scale": rulebook.grade_scale(scale).name, "grades": ", ".join(letters)}, "grade"
        )
    text = N_("%(grade)s is not a grade of the scale “%(scale)s”, which goes from %(worst)s to %(best)s.")
    params = {"grade": grade, "scale": rulebook.grade_scale(scale).name, "worst": value.worst, "best": value.best}
    return Reason("grade-not-on-scale", text, params, "grade")


Outcome = tuple[Method, str, tuple[Reason, ...]]


def _unchanged(mark: Mark) -> Outcome:
    step = Reason("same-scale", N_("Both sides use the same scale: nothing is converted."))
    return rulebook.method("identity"), mark.text, (step,)


def _without_rank(mark: Mark, becomes: GradeValue, target: str) -> Outcome:
    for letter in becomes.unranked:
        if letter.passed == mark.passed:
            step = Reason(
                "pass-for-pass",
                N_("%(grade)s says only whether the course was passed; so does %(value)s."),
                {"grade": mark.text, "value": letter.grade},
            )
            return rulebook.method("pass"), letter.grade, (step,)
    text = N_(
        "%(grade)s has no rank, and the scale %(scale)s has no mark without rank: recognise the credit without a grade."
    )
    raise Invalid(Reason("no-rank", text, {"grade": mark.text, "scale": rulebook.grade_scale(target).name}, "grade"))


@dataclass(frozen=True)
class _Table:
    """A grading table: passing grades from best to worst with the share of those who pass, summing to 1."""

    rows: tuple[tuple[str, Decimal, Decimal], ...]

    def above(self, points: Decimal, direction: int) -> tuple[Decimal, Decimal]:
        """The share that did strictly better, and the share that did better or just as well."""
        better = sum((share for _, at, share in self.rows if direction * (at - points) > 0), Decimal(0))
        equal = sum((share for _, at, share in self.rows if at == points), Decimal(0))
        return better, better + equal

    def at(self, position: Decimal) -> tuple[str, Decimal, Decimal]:
        """The grade in whose band a position from the top (0 to 1) lies, with the band; on a border the better one."""
        given = [row for row in self.rows if row[2] > 0]
        reached = Decimal(0)
        for grade, _, share in given:
            start, reached = reached, reached + share
            if position <= reached:
                return grade, start, reached
        # The shares were divided to 28 digits; their sum may miss 1 by the last of them.
        return given[-1][0], reached - given[-1][2], reached


def _table(distribution: Distribution, scale: str, value: GradeValue) -> _Table:
    marks = {}
    faults = []
    for grade, count in distribution.items():
        mark = read(grade, scale, value)
        if mark.points is None or not mark.passed:
            text = N_("The grading table of %(scale)s holds %(grade)s: it may hold only passing grades with a rank.")
            faults.append(Reason("table-not-passing", text, {"scale": rulebook.grade_scale(scale).name, "grade": grade}))
        elif mark.text in marks:
            text = N_("The grading table of %(scale)s holds %(grade)s twice.")
            faults.append(Reason("table-twice", text, {"scale": rulebook.grade_scale(scale).name, "grade": grade}))
        elif not count.is_finite() or count < 0:
            text = N_("In the grading table of %(scale)s the share of %(grade)s is %(count)s: it must be zero or more.")
            faults.append(Reason("table-bad-share", text, {"scale": rulebook.grade_scale(scale).name, "grade": grade, "count": str(count)}))
        else:
            marks[mark.text] = (mark.points, count)
    total = sum((count for _, count in marks.values()), Decimal(0))
    if not faults and total <= 0:
        faults.append(Reason("table-empty", N_("The grading table of %(scale)s is empty."), {"scale": rulebook.grade_scale(scale).name}))
    Invalid.because(faults)
    ranked = sorted(marks.items(), key=lambda item: item[1][0] * value.direction, reverse=True)
    return _Table(tuple((grade, points, count / total) for grade, (points, count) in ranked))


def _by_tables(points: Decimal, ours: _Table, theirs: _Table, was: GradeValue, becomes: GradeValue) -> Outcome:
    better, reached = ours.above(points, was.direction)
    middle = (better + reached) / 2
    value, start, end = theirs.at(middle)
    steps = (
        Reason(
            "band-at-source",
            N_("Of those who pass there, %(better)s %% do better and %(reached)s %% do as well or better."),
            {"better": _percent(better), "reached": _percent(reached)},
        ),
        Reason(
            "band-at-target",
            N_(
                "The middle of this band is %(middle)s %%; here that is %(value)s, which spans %(start)s to %(end)s %%."
            ),
            {"middle": _percent(middle), "value": value, "start": _percent(start), "end": _percent(end)},
        ),
    )
    return rulebook.method("grading-table"), _written_by_scale(value, becomes), steps


def _linear(points: Decimal, passed: bool, was: GradeValue, becomes: GradeValue) -> Outcome:
    """Passing range to passing range, failing range to failing range, each in proportion."""
    if passed:
        share = (points - was.pass_mark) / (was.best - was.pass_mark)
        exact = becomes.pass_mark + share * (becomes.best - becomes.pass_mark)
        text = N_("%(grade)s lies at %(share)s %% of the way from the passing mark %(pass)s to the best grade %(end)s.")
        end = was.best
    else:
        share = (points - was.worst) / (was.pass_mark - was.worst)
        exact = becomes.worst + share * (becomes.pass_mark - becomes.worst)
        text = N_(
            "%(grade)s lies at %(share)s %% of the way from the worst grade %(end)s to the passing mark %(pass)s."
        )
        end = was.worst
    value = _nearest_letter(exact, passed, becomes) if becomes.step is None else _on_grid(exact, passed, becomes)
    steps = (
        Reason(
            "position-at-source", text, {"grade": points, "share": _percent(share), "pass": was.pass_mark, "end": end}
        ),
        Reason(
            "position-at-target",
            N_("The same place here is %(exact)s, written %(value)s."),
            {"exact": exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP), "value": value},
        ),
    )
    return rulebook.method("linear"), value, steps


def _on_grid(exact: Decimal, passed: bool, becomes: GradeValue) -> str:
    """To the scale's step. A failing grade is rounded towards the worst, so that it cannot reach the passing mark."""
    step = becomes.step or Decimal(1)
    # Measured upwards from the worst grade, so that "better" is "more" on every scale.
    height = becomes.direction * (exact - becomes.worst) / step
    steps = height.quantize(Decimal(1), rounding=ROUND_HALF_UP if passed else ROUND_FLOOR)
    return _written(becomes.worst + becomes.direction * steps * step, step)


def _nearest_letter(exact: Decimal, passed: bool, becomes: GradeValue) -> str:
    """The nearest letter on the same side of the passing mark; half way between two the better one."""
    letters = [letter for letter in becomes.letters if letter.passed == passed]
    # Letters stand best first and min() keeps the first of equals.
    return min(letters, key=lambda letter: _distance(letter, exact)).grade


def _distance(letter: Letter, exact: Decimal) -> Decimal:
    return abs((letter.points or Decimal(0)) - exact)


def _written_by_scale(grade: str, scale: GradeValue) -> str:
    return grade if scale.step is None else _written(Decimal(grade), scale.step)


def _written(number: Decimal, step: Decimal) -> str:
    """With as many decimals as the step has, or more where the number has more."""
    places = min(step.as_tuple().exponent, number.normalize().as_tuple().exponent, key=int)
    return str(number.quantize(Decimal(1).scaleb(min(int(places), 0))))


def _percent(share: Decimal) -> str:
    return str((share * 100).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))


def _cautions(
    mark: Mark,
    method: Method,
    scales: Mapping[str, GradeValue],
    distribution_source: Distribution | None,
    distribution_target: Distribution | None,
) -> Iterator[Reason]:
    if method.is_proposal:
        yield Reason(
            "proposal", N_("This is a proposal: it assumes that grades are given alike on both sides. Home decides.")
        )
    if mark.finer_than_scale:
        text = N_("%(grade)s is finer than its scale, whose institutions round before they decide who passes.")
        yield Reason("finer-than-scale", text, {"grade": mark.text})
    if (distribution_source is None) != (distribution_target is None):
        yield Reason("one-table-only", N_("Only one grading table is known, so the tables could not be used."))
    for slug, value in scales.items():
        if not value.verified:
            text = N_("The source for %(system)s has not been checked in full: %(note)s")
            yield Reason("unverified-source", text, {"system": dict(rulebook.grade_scale(slug).name), "note": value.note})
