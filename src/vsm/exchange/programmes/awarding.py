"""When a programme can be awarded, with which average, and when home may recognise the award less than fully. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from vsm.exchange.programmes.progress import Progress
from vsm.exchange.recognition.grades import read
from vsm.kit.errors import VsmError
from vsm.kit.i18n import N_
from vsm.kit.localized import LANGUAGES
from vsm.kit.verdict import Reason

FINDINGS = ("no-difference", "difference", "substantial", "not-assessed")


@dataclass(frozen=True)
class Finding:
    """What an evaluation says about one criterion: one of FINDINGS, and in words what differs and why it matters."""

    criterion: str
    finding: str
    text: str = ""


def why_not_award(progress: Progress, *, taking: int, award_title: Mapping[str, str], missing_facts: Sequence[str]) -> Iterator[Reason]:
    """Everything that is missing before the award. `missing_facts` are the supplement's facts that nobody has stated."""
    if not progress.is_complete:
        text = N_("%(earned)s of %(total)s credits are earned. The page of the studies says what is missing.")
        yield Reason("credits-missing", text, {"earned": progress.earned, "total": progress.total})
    if taking:
        yield Reason("results-missing", N_("Modules that have no result yet: %(count)s."), {"count": taking})
    if not any(award_title.get(language) for language in (*LANGUAGES, *award_title)):
        yield Reason("award-title", N_("Say what the award is called (the programme’s page, “Describe the award”)."))
    for fact in missing_facts:
        text = N_("The diploma supplement needs: %(fact)s. State it on the programme’s page (“Describe the award”).")
        yield Reason("supplement-missing", text, {"fact": fact})


def average(results: Sequence[tuple[str, Decimal]], scale: str, on: date) -> str:
    """The mean of (grade, amount of credit), weighted by credits, to a hundredth; empty where grades have no rank or none counts."""
    total = weight = Decimal(0)
    for grade, amount in results:
        try:
            mark = read(grade, scale, on)
        except VsmError:
            return ""
        if mark.points is None:
            continue
        total, weight = total + mark.points * amount, weight + amount
    return str((total / weight).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)) if weight else ""


def evaluation_problems(findings: Sequence[Finding], criteria: Sequence[str]) -> Iterator[Reason]:
    """What is wrong with an evaluation as entered."""
    named = [each.criterion for each in findings]
    for criterion in sorted({each for each in named if each not in criteria or named.count(each) > 1}):
        yield Reason("criterion", N_("“%(criterion)s” is not a criterion, or stands twice."), {"criterion": criterion}, "findings")
    for each in findings:
        if each.finding in {"difference", "substantial"} and not each.text.strip():
            text = N_("Say for “%(criterion)s” what differs and why it matters.")
            yield Reason("difference-unnamed", text, {"criterion": each.criterion}, "findings")


def why_not_decide(outcome: str, findings: Sequence[Finding], *, convention: bool, advice: str = "") -> Iterator[Reason]:
    """Whether an outcome (full, partial, refused) may be given on these findings.

    Less than full needs a substantial difference that is named, a reason and advice on what can still be done; full
    recognition is impossible while a substantial difference stands (Lisbon Recognition Convention, III.5 and VI.1).
    """
    open_ones = [each.criterion for each in findings if each.finding == "not-assessed"]
    if not findings or open_ones:
        yield Reason("not-evaluated", N_("Evaluate every criterion first."))
    substantial = [each for each in findings if each.finding == "substantial"]
    if outcome == "full" and substantial:
        text = N_("A substantial difference is named (%(criteria)s). Recognise in part, refuse, or correct the evaluation.")
        yield Reason("substantial-named", text, {"criteria": ", ".join(each.criterion for each in substantial)})
    if outcome != "full":
        if not substantial:
            text = N_("Less than full recognition needs a substantial difference: whoever decides has to show it.")
            yield Reason("no-substantial-difference", text)
        if not advice.strip():
            text = N_("Say what the student can do to obtain recognition later: courses, an exam, a further proof.")
            yield Reason("advice", text, {}, "advice")
    if not convention:
        yield Reason("convention", N_("Name the convention or rule that the decision rests on."), {}, "convention")
