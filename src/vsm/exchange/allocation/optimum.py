"""What an optimiser finds (HiGHS through SciPy, loaded when first used): for comparison, for minima, for small timetables.

One variable for each application: granted or not. Hard rules are rows: capacity, seats wanted, hard limits, clashes, most
credits. A seat is worth (longest list + 1 − its place on the student's list), so that every seat counts and better ranks
count more; between equal sums the better priorities win, by a term too small to matter otherwise. The same version of HiGHS
gives the same answer to the same problem.

Source: Huangfu and Hall (2018), "Parallelizing the dual revised simplex method", Mathematical Programming Computation 10.
The corners of a transportation problem: Hoffman and Kruskal (1956), "Integral boundary points of convex polyhedra".
The rows for fairness: Baïou and Balinski (2000), "The stable admissions polytope", Mathematical Programming 87.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vsm.exchange.allocation.bounds import Limits
from vsm.exchange.allocation.problem import Problem
from vsm.exchange.allocation.tables import Tables, owners
from vsm.kit.errors import Invalid, Unavailable
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

# The rows for fairness grow with the square of an offering's applications.
MOST_EXACT = 5_000


@dataclass
class _Rows:
    """Rows low ≤ Σ coefficient · variable ≤ high, collected column-wise for a sparse matrix."""

    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    at: list[tuple[int, int, float]] = field(default_factory=list)

    def add(self, terms: Iterable[tuple[int, float]], low: float = float("-inf"), high: float = float("inf")) -> None:
        self.at += [(len(self.low), variable, factor) for variable, factor in terms if factor]
        self.low.append(low)
        self.high.append(high)


class Programme:
    """The hard rules of one problem as an integer programme, to be solved for different aims."""

    def __init__(self, problem: Problem, flat: Tables, limits: Limits) -> None:
        self.flat, self.limits, self.diary = flat, limits, problem.diary
        self.owner, self.size = owners(flat), len(flat.targets)
        self.spans = [problem.student(each).credits_range for each in flat.students]
        self.variables = self.size
        self.rows = _Rows()
        self.by_offering: list[list[int]] = [[] for _ in flat.capacities]
        for application, target in enumerate(flat.targets):
            self.by_offering[target].append(application)
        self.by_limit: list[list[int]] = [[] for _ in limits.limits]
        for application, counted in enumerate(limits.counting):
            for each in counted:
                self.by_limit[each].append(application)
        self._hard_rules()

    def utilitarian(self) -> list[int]:
        """The applications granted where the sum of all seats' worth is highest; priorities and reserves are ignored.

        `Invalid` when the hard minima cannot be met.
        """
        self._minima()
        # With capacities and seats wanted alone this is a transportation problem: its corners are whole numbers, and the
        # linear programme, which stops at one, takes a thirtieth of the time.
        is_transportation = len(self.rows.low) == len(self.flat.capacities) + len(self.flat.seats_wanted)
        found = self._solve(self.worth(), whole=not is_transportation)
        if found is None:
            from vsm.exchange.allocation.bounds import infeasible

            raise Invalid(*infeasible(self.limits, self.shortfall()))
        return self._granted(found)

    def nearest(self, granted: Sequence[int]) -> list[int] | None:
        """Seats that meet the hard minima, keeping as many of the granted as possible, then of highest worth; or None."""
        self._minima()
        kept = {application: 1.0 for application in range(self.size) if granted[application]}
        found = self._solve(kept)
        if found is None:
            return None
        self.rows.add(kept.items(), low=sum(found[each] for each in kept) - 0.5)
        best = self._solve(self.worth())
        return self._granted(found if best is None else best)

    def shortfall(self) -> list[int]:
        """How many seats each hard minimum is short of at least, all together; the minima are rows of the programme."""
        relaxed = Programme.__new__(Programme)
        relaxed.__dict__.update(self.__dict__)
        relaxed.variables, relaxed.rows = self.size, _Rows()
        relaxed._hard_rules()
        short = {}
        for position, limit in enumerate(self.limits.limits):
            if limit.hard and limit.minimum:
                short[position] = relaxed.variable()
                terms = [(each, 1.0) for each in self.by_limit[position]]
                relaxed.rows.add([*terms, (short[position], 1.0)], low=limit.minimum)
        found = relaxed._solve(dict.fromkeys(short.values(), -1.0), most=float("inf"))
        return [
            round(found[short[position]]) if found is not None and position in short else 0
            for position in range(len(self.limits.limits))
        ]

    def exact(self) -> list[int]:
        """The fairest set of seats that fit into everybody's timetable: see `timetable` in docs/allocation.md.

        First as few claims as possible stay open (somebody wants a seat, it fits, and worse priority or nobody has it),
        then as many students as possible have their least credits, then ranks are as good as possible. `Invalid` when
        the problem is too large.
        """
        if self.size > MOST_EXACT:
            text = N_("The exact timetable is for at most %(most)s choices in all; here are %(choices)s. Use the fast one.")
            raise Invalid(Reason("too-large-for-exact", text, {"most": MOST_EXACT, "choices": self.size}, field="timetable"))
        self._minima()
        open_claims = self._claims()
        content = self._contented()
        found = self._solve(dict.fromkeys(open_claims, -1.0))
        if found is None:
            from vsm.exchange.allocation.bounds import infeasible

            raise Invalid(*infeasible(self.limits, self.shortfall()))
        self.rows.add([(each, 1.0) for each in open_claims], high=round(sum(found[each] for each in open_claims)) + 0.5)
        if content:
            found = self._known(self._solve(dict.fromkeys(content, 1.0)))
            self.rows.add([(each, 1.0) for each in content], low=round(sum(found[each] for each in content)) - 0.5)
        return self._granted(self._known(self._solve(self.worth())))

    def variable(self) -> int:
        self.variables += 1
        return self.variables - 1

    def worth(self) -> dict[int, float]:
        """What each application is worth: rank first, priority where ranks are equal."""
        flat = self.flat
        lengths = [flat.starts[s + 1] - flat.starts[s] for s in range(len(flat.students))]
        longest = max(lengths, default=0)
        small = 0.5 / (sum(flat.seats_wanted) + 1)
        place = {each: order for order, each in enumerate(sorted(range(self.size), key=lambda a: (-flat.keys[a], a)))}
        return {
            a: longest + 1 - (a - flat.starts[self.owner[a]]) + small * (place[a] + 1) / (self.size + 1)
            for a in range(self.size)
        }

    def _hard_rules(self) -> None:
        flat, rows = self.flat, self.rows
        for offering, seats in enumerate(flat.capacities):
            rows.add([(each, 1.0) for each in self.by_offering[offering]], high=seats)
        for position, limit in enumerate(self.limits.limits):
            if limit.hard and limit.maximum is not None:
                rows.add([(each, 1.0) for each in self.by_limit[position]], high=limit.maximum)
        for student, wanted in enumerate(flat.seats_wanted):
            mine = range(flat.starts[student], flat.starts[student + 1])
            rows.add([(each, 1.0) for each in mine], high=wanted)
            span = self.spans[student]
            if span is not None and span[1] is not None:
                rows.add([(each, float(self.diary.credits[flat.targets[each]])) for each in mine], high=span[1])
            for one in mine:
                for other in range(one + 1, flat.starts[student + 1]):
                    if flat.targets[other] in self.diary.clashes[flat.targets[one]]:
                        rows.add([(one, 1.0), (other, 1.0)], high=1)

    def _minima(self) -> None:
        for position, limit in enumerate(self.limits.limits):
            if limit.hard and limit.minimum:
                self.rows.add([(each, 1.0) for each in self.by_limit[position]], low=limit.minimum)

    def _claims(self) -> list[int]:
        """One variable for each application that is 1 when its claim stays open."""
        flat, found = self.flat, []
        ahead = self._ahead()
        for application in range(self.size):
            student, target = self.owner[application], flat.targets[application]
            better = range(flat.starts[student], application)
            excuses = [(1.0, [(each, 1.0) for each in ahead[application]], float(flat.capacities[target]))]
            excuses += [
                (1.0, [(each, 1.0) for each in self._ahead_in(limit, application)], float(maximum))
                for limit in self.limits.counting[application]
                if (maximum := self.limits.limits[limit].maximum) is not None
            ]
            excuses.append((1.0, [(each, 1.0) for each in better], float(flat.seats_wanted[student])))
            clashing = [each for each in better if flat.targets[each] in self.diary.clashes[target]]
            excuses.append((1.0, [(each, 1.0) for each in clashing], 1.0))
            span = self.spans[student]
            if span is not None and span[1] is not None:
                over = span[1] - self.diary.credits[target] + 1
                excuses.append((1.0, [(each, float(self.diary.credits[flat.targets[each]])) for each in better], float(over)))
            if any(needed <= 0 for _, _, needed in excuses):
                continue
            claim = self.variable()
            row = [(application, 1.0), (claim, 1.0)]
            for _, terms, needed in excuses:
                if sum(factor for _, factor in terms) >= needed:
                    excuse = self.variable()
                    self.rows.add([*terms, (excuse, -needed)], low=0)
                    row.append((excuse, 1.0))
            self.rows.add(row, low=1)
            found.append(claim)
        return found

    def _ahead(self) -> Mapping[int, list[int]]:
        """For each application those of the same offering with better priority."""
        ahead: dict[int, list[int]] = {}
        for mine in self.by_offering:
            order = sorted(mine, key=lambda each: self.flat.keys[each])
            ahead |= {each: order[:place] for place, each in enumerate(order)}
        return ahead

    def _ahead_in(self, limit: int, application: int) -> list[int]:
        keys = self.flat.keys
        return [each for each in self.by_limit[limit] if (keys[each], each) < (keys[application], application)]

    def _contented(self) -> list[int]:
        """One variable for each student with least credits that is 1 only when she has them."""
        found = []
        for student, span in enumerate(self.spans):
            if span is not None and span[0]:
                enough = self.variable()
                mine = range(self.flat.starts[student], self.flat.starts[student + 1])
                terms = [(each, float(self.diary.credits[self.flat.targets[each]])) for each in mine]
                self.rows.add([*terms, (enough, -float(span[0]))], low=0)
                found.append(enough)
        return found

    def _granted(self, found: Sequence[float]) -> list[int]:
        return [application for application in range(self.size) if found[application] > 0.5]

    def _known(self, found: Any) -> Any:
        if found is None:
            raise Unavailable(Reason("no-optimum", N_("The optimiser found no answer, though there is one.")))
        return found

    def _solve(self, worth: Mapping[int, float], most: float = 1.0, *, whole: bool = True) -> Any:
        """The variables' values where Σ worth · variable is highest; None when no values satisfy the rows.

        They are whole numbers: `whole` says that this has to be asked for.
        """
        if not self.variables:
            return None if any(low > 0 for low in self.rows.low) else []
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        aim = np.zeros(self.variables)
        for variable, value in worth.items():
            aim[variable] = -value
        rows, columns, factors = zip(*self.rows.at, strict=True) if self.rows.at else ((), (), ())
        matrix = csr_array((factors, (rows, columns)), shape=(len(self.rows.low), self.variables), dtype=float)
        upper = np.ones(self.variables)
        upper[self.size :] = most
        answer = milp(
            aim,
            integrality=np.full(self.variables, int(whole)),
            bounds=Bounds(0, upper),
            constraints=[LinearConstraint(matrix, self.rows.low, self.rows.high)],
            options={"mip_rel_gap": 0.0},
        )
        if answer.status == 2:  # infeasible
            return None
        if answer.x is None:
            raise Unavailable(Reason("no-optimum", N_("The optimiser found no answer, though there is one.")))
        return answer.x
