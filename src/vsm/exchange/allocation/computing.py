"""Making a run: read and freeze, solve, audit and explain, keep. In the act itself while it is quick, else in the worker.

Nothing of a run is written before all of it is computed, and then in one transaction: a run is whole or only begun.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vsm.exchange.allocation import audit
from vsm.exchange.allocation.counting import counts_of
from vsm.exchange.allocation.explain import Explainer
from vsm.exchange.allocation.freezing import Assembled, problem_of, rules_of
from vsm.exchange.allocation.models import CutOff, Explanation, Frozen, Run, SealedSeed
from vsm.exchange.allocation.problem import Problem
from vsm.exchange.allocation.solver import REFERENCE, Kernel, Outcome
from vsm.exchange.allocation.solver import allocate as solve
from vsm.exchange.applications.models import Application, Call
from vsm.exchange.applications.states import State
from vsm.kit import bulk
from vsm.kit.i18n import N_
from vsm.rulebook import version as rulebook_version

# What is computed in the request itself; beyond, the worker does it and the page shows how far it is.
QUICK = 300
WORTH_COMPILING = 20_000  # choices
STAGES = (N_("Reading and freezing"), N_("Giving the seats"), N_("Writing a reason for each choice"), N_("Keeping the result"))

Told = Callable[[int], None]


@dataclass(frozen=True)
class Computed:
    """All that a run will keep."""

    assembled: Assembled
    outcome: Outcome
    counts: dict[str, Any]
    reasons: list[tuple[str, Any]]  # application, its reasons as they are stored
    cut_offs: list[tuple[int, str, int, int | None, int | None]]  # as they are stored


def is_quick(call: Call) -> bool:
    """Whether a run of this call can be made while somebody waits for the answer: few applications, and nothing to optimise."""
    rules = rules_of(call)
    needs_optimum = rules.clashes == "exact" or any(row["least"] for row in rules.limits)
    return not needs_optimum and Application.objects.filter(call=call, state=State.NOMINATED).count() <= QUICK


def sealed_seed(call: Call) -> str:
    return SealedSeed.objects.get(call=call).seed


def kernels(problem: Problem) -> Mapping[str, Kernel]:
    """The compiled kernels where they are worth their loading; they give the same bytes. For the worker only: a web
    process never loads them."""
    if sum(len(student.choices) for student in problem.students) < WORTH_COMPILING:
        return REFERENCE
    from vsm.exchange.allocation.kernels import COMPILED

    return COMPILED


@bulk.uncollected()
def compute(run: Run, told: Told = lambda _stage: None, *, in_worker: bool = False) -> Computed:
    """Read, solve and explain; writes nothing. `told` hears of each stage of `STAGES` that begins, by its number."""
    told(0)
    assembled = problem_of(run.call, mechanism=run.mechanism, seed=sealed_seed(run.call))
    told(1)
    outcome = solve(assembled.problem, kernels(assembled.problem)) if in_worker else solve(assembled.problem)
    told(2)
    reasons = list(_reasons(assembled, outcome))
    counts = counts_of(assembled, outcome)
    told(3)
    return Computed(assembled, outcome, counts, reasons, _cut_offs(assembled.problem, outcome) if assembled.problem.plain else [])


@bulk.uncollected()
@bulk.roomy()
def keep(run: Run, computed: Computed) -> None:
    """Write everything that was computed, in the caller's transaction."""
    problem, outcome = computed.assembled.problem, computed.outcome
    run.problem_digest, run.outcome_digest = problem.digest, outcome.digest
    run.counts, run.rulebook, run.progress = computed.counts, rulebook_version(), len(STAGES)
    run.save()
    Frozen(run=run, problem=problem.canonical, outcome=outcome.canonical).save()
    bulk.insert_rows(CutOff, ["number", "offering_id", "seats", "band", "lottery"], computed.cut_offs, run_id=run.pk)
    bulk.insert_rows(Explanation, ["application_id", "reasons"], computed.reasons, run_id=run.pk)


def audited(run: Run) -> audit.Audit:
    """The independent check of the run's own bytes."""
    return audit.check(bytes(run.frozen.problem), bytes(run.frozen.outcome))


def _reasons(assembled: Assembled, outcome: Outcome) -> Iterator[tuple[str, Any]]:
    """As `Explanation` stores them: in a run without policies by her places, which the cut-offs explain; else reason by reason."""
    problem, wishes, explainer = assembled.problem, assembled.wishes, Explainer(assembled.problem, outcome)
    numbers = problem.positions
    for student in problem.students:
        if problem.plain:
            places = explainer.places(student)
            choices = [(rank, numbers[offering], band, place) for (rank, offering, band), place in zip(student.choices, places, strict=True)]
            yield wishes[student.id].application_id, {"wanted": student.seats_wanted, "choices": choices}
        else:
            yield wishes[student.id].application_id, [[reason.code, dict(reason.params)] for reason in explainer.reasons(student.id)]


def _cut_offs(problem: Problem, outcome: Outcome) -> list[tuple[int, str, int, int | None, int | None]]:
    lasts = [admission.last_admitted for admission in outcome.admissions]
    return [
        (number, offering.id, offering.capacity, *((last.band, last.lottery) if last else (None, None)))
        for number, (offering, last) in enumerate(zip(problem.offerings, lasts, strict=True))
    ]
