"""Hard and soft limits on how many seats go where: quotas of flows, minima and maxima of groups in one offering.

A *limit* counts applications: those of a quota's origins in a quota's offerings, those of a group in one offering. Maxima
may cross (a host's, a partner's, a field's …). Minima are hard or only reported; `pledges` finds seats that meet them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vsm.exchange.allocation.problem import Offering, Problem, Student
from vsm.exchange.allocation.tables import Tables
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason


@dataclass(frozen=True, slots=True)
class Limit:
    """`id` is the quota's, or "group in offering"; `offering` and `group` are "" for a quota. `maximum` None: none."""

    id: str
    minimum: int
    maximum: int | None
    hard: bool
    offering: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit of a problem, in order of id, and for each application the positions of those that count it."""

    limits: Sequence[Limit]
    counting: Sequence[tuple[int, ...]]

    def load(self, granted: Sequence[int]) -> list[int]:
        """How many granted applications each limit counts."""
        load = [0] * len(self.limits)
        for application, counted in enumerate(self.counting):
            if granted[application]:
                for each in counted:
                    load[each] += 1
        return load

    def missed(self, granted: Sequence[int]) -> list[Limit]:
        """The hard minima that are not met."""
        return [
            limit
            for limit, load in zip(self.limits, self.load(granted), strict=True)
            if limit.hard and load < limit.minimum
        ]


class Counting:
    """Every limit of a problem, in order, and which of them count a seat of a student in an offering."""

    def __init__(self, problem: Problem) -> None:
        self.limits = sorted(_limits(problem), key=lambda each: (each.offering, each.group, each.id))
        self._quotas = {quota.id: quota for quota in problem.quotas}
        self._known: dict[tuple[str, tuple[str, ...], str], tuple[int, ...]] = {}

    def of(self, student: Student, offering: Offering) -> tuple[int, ...]:
        kind = (student.origin, student.groups, offering.id)
        if kind not in self._known:
            self._known[kind] = tuple(
                each for each, limit in enumerate(self.limits) if self._counts(limit, student, offering)
            )
        return self._known[kind]

    def _counts(self, limit: Limit, student: Student, offering: Offering) -> bool:
        if limit.offering:
            return limit.offering == offering.id and limit.group in student.groups
        return self._quotas[limit.id].counts(student, offering)


def limits_of(problem: Problem, flat: Tables) -> Limits:
    """Quotas and bounds of the problem over its applications."""
    counting = Counting(problem)
    counted = [
        counting.of(student, problem.offerings[flat.targets[application]])
        for position, student in enumerate(map(problem.student, flat.students))
        for application in range(flat.starts[position], flat.starts[position + 1])
    ]
    return Limits(counting.limits, counted)


def _limits(problem: Problem) -> Iterator[Limit]:
    for quota in problem.quotas:
        yield Limit(quota.id, quota.minimum, quota.maximum, quota.hard)
    for offering in problem.offerings:
        for group, minimum, maximum in offering.bounds:
            yield Limit(f"{group} in {offering.id}", minimum, maximum, True, offering.id, group)


def pledges(problem: Problem, flat: Tables, limits: Limits, granted: Sequence[int]) -> frozenset[int]:
    """Applications to grant before all others so that every hard minimum is met, though the mechanism alone missed some.

    Found by one integer programme over everything that is hard: as many as possible of the seats that the mechanism
    `granted` stay, then ranks are as good as possible. Of the seats that count for a minimum the best by priority are
    pledged, no more than it demands. `Invalid` when no choice of seats can meet them, naming what falls short.
    """
    from vsm.exchange.allocation.optimum import Programme

    programme = Programme(problem, flat, limits)
    chosen = programme.nearest(granted)
    if chosen is None:
        raise Invalid(*infeasible(limits, programme.shortfall()))
    pledged: set[int] = set()
    for position, limit in enumerate(limits.limits):
        if limit.hard and limit.minimum:
            counted = [each for each in chosen if position in limits.counting[each]]
            pledged |= set(sorted(counted, key=lambda each: (flat.keys[each], each))[: limit.minimum])
    return frozenset(pledged)


def infeasible(limits: Limits, missing: Sequence[int]) -> Iterator[Reason]:
    """One reason for each hard minimum that is short of seats."""
    for limit, short in zip(limits.limits, missing, strict=True):
        if not short:
            continue
        about = {"quota": limit.id, "offering": limit.offering, "group": limit.group, "minimum": limit.minimum}
        about["short"] = short
        if limit.offering:
            yield Reason(
                "minimum-infeasible",
                N_(
                    "Offering %(offering)s must give at least %(minimum)s seats to group %(group)s, but with what the students "
                    "chose and the other bounds %(short)s of them cannot be filled. Lower this minimum, or add seats or raise the bound that stands in its way."
                ),
                about,
                field="bounds",
            )
        else:
            yield Reason(
                "minimum-infeasible",
                N_(
                    "Quota %(quota)s demands at least %(minimum)s seats, but with what the students chose and the other bounds "
                    "%(short)s of them cannot be filled. Lower this minimum, or add seats or raise the bound that stands in its way."
                ),
                about,
                field="quotas",
            )
