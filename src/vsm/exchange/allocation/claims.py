"""Who has a claim on a seat, as the audit sees it: the rules of docs/allocation.md written once more, apart from the solver.

*Standing* of an application: the offering's reserved groups that the student belongs to, and the limits with a maximum
that count her there. She stands no worse than another if she has all groups of the other and is counted by no other limit.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from operator import attrgetter
from typing import Any

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

Key = tuple[int, int, str]  # band (0 where the lottery alone decides), lottery number, student: lower goes first
Json = Any
WEEK = 10_080
BY_KEY = attrgetter("key")


@dataclass(eq=False, slots=True)
class Application:
    """One wish: `groups` are the reserved groups she fills there, `counted` the limits that count it.

    `better` are the seats she keeps beside it (those she ranked higher, and fixed ones).
    """

    offering: str
    key: Key
    groups: frozenset[str]
    counted: frozenset[str]
    fixed: bool = False
    better: tuple[str, ...] = ()

    @property
    def student(self) -> str:
        return self.key[-1]


@dataclass
class Seats:
    """One offering: its capacity and reserved seats, who is in, and who would rather be in."""

    capacity: int
    reserved: dict[str, int]
    admitted: list[Application] = field(default_factory=list)
    wanting: list[Application] = field(default_factory=list)
    counts: Counter[frozenset[str]] = field(default_factory=Counter)  # groups → people inside
    sets: list[frozenset[str]] = field(default_factory=list)  # every set of reserved groups

    def sort(self) -> None:
        """Best priority first, both, and what `filled` needs: done once, after everything was read."""
        self.admitted.sort(key=BY_KEY)
        self.wanting.sort(key=BY_KEY)
        self.counts = Counter(each.groups for each in self.admitted)
        groups = list(self.reserved)
        self.sets = [frozenset(some) for size in range(len(groups) + 1) for some in combinations(groups, size)]

    def filled(self, change: Mapping[frozenset[str], int]) -> int:
        """How many reserved seats those inside can fill, one each, if so many more (or fewer) of each kind were in.

        König: the least number of groups' seats and people that together touch every way of seating somebody.
        """
        counts = [*self.counts.items(), *change.items()]
        return min(
            sum(self.reserved[group] for group in some) + sum(count for groups, count in counts if not groups <= some)
            for some in self.sets
        )


@dataclass
class Market:
    """The frozen problem in the form in which claims are looked up."""

    problem: Json
    seats: dict[str, Seats]
    offerings: dict[str, Json]
    students: dict[str, Json]
    limits: dict[str, Json]
    by_lottery_alone: bool
    clashing: frozenset[tuple[str, str]]
    timetabled: bool
    # What somebody of an origin and groups fills in an offering, and the limits that count her there.
    known: dict[tuple[str, tuple[str, ...], str], tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    holding: dict[str, list[Application]] = field(default_factory=dict)  # student → her seats
    replaceable: dict[str, Application] = field(default_factory=dict)  # who has all she wanted → her worst seat

    @classmethod
    def of(cls, problem: Json) -> "Market":
        offerings = {row["id"]: row for row in problem["offerings"]}
        limits = {f"quota {row['id']}": row for row in problem.get("quotas", ())}
        for row in problem["offerings"]:
            for group, minimum, maximum in row.get("bounds", ()):
                bound = {"offering": row["id"], "group": group, "minimum": minimum, "maximum": maximum, "hard": True}
                limits[f"group {group} in {row['id']}"] = bound
        clashing = _clashing(problem["offerings"])
        several = any(student["seats_wanted"] > 1 for student in problem["students"])
        spans = [student["credits_range"] for student in problem["students"] if "credits_range" in student]
        return cls(
            problem=problem,
            seats={name: Seats(row["capacity"], dict(row.get("reserves", ()))) for name, row in offerings.items()},
            offerings=offerings,
            students={student["id"]: student for student in problem["students"]},
            limits=limits,
            by_lottery_alone=problem["mechanism"] == "serial_dictatorship",
            clashing=clashing,
            timetabled=(several and bool(clashing)) or any(most is not None for _, most in spans),
        )

    def application(self, student: Json, offering: str, key: Key, *, fixed: bool) -> Application:
        kind = (student.get("origin", ""), tuple(student.get("groups", ())), offering)
        if kind not in self.known:
            groups = frozenset(kind[1]).intersection(self.seats[offering].reserved)
            self.known[kind] = groups, frozenset(name for name in self.limits if self._counts(name, student, offering))
        return Application(offering, key, *self.known[kind], fixed)

    def _counts(self, name: str, student: Json, offering: str) -> bool:
        limit = self.limits[name]
        if "group" in limit:
            return bool(limit["offering"] == offering) and limit["group"] in student.get("groups", ())
        origins, labels = limit.get("origins", ()), limit.get("labels", ())
        here = self.offerings[offering].get("labels", ())
        return (not origins or student.get("origin", "") in origins) and all(label in here for label in labels)

    def bounded(self, application: Application) -> frozenset[str]:
        """The limits with a maximum that count it."""
        return frozenset(name for name in application.counted if self.limits[name].get("maximum") is not None)

    def owed(self, application: Application) -> bool:
        """Whether a hard minimum counts it."""
        return any(self.limits[name]["hard"] and self.limits[name].get("minimum", 0) for name in application.counted)

    def admitted(self, student: str, offering: str) -> Application | None:
        inside = self.seats[offering].admitted if offering in self.seats else []
        return next((each for each in inside if each.student == student), None)

    def load(self) -> dict[str, int]:
        load = dict.fromkeys(self.limits, 0)
        for seats in self.seats.values():
            for application in seats.admitted:
                for name in application.counted:
                    load[name] += 1
        return load

    def hindered(self, student: Json, offering: str, better: Sequence[str]) -> bool:
        """Whether the seats that she keeps leave no room for this one in her timetable or credits."""
        return self.timetabled and not self.compatible(student, [*better, offering])

    def compatible(self, student: Json, held: Iterable[str]) -> bool:
        """Whether these seats neither clash nor exceed her credits."""
        together = list(held)
        _, most = student.get("credits_range") or (0, None)
        total = sum(self.offerings[each].get("credits", 0) for each in together)
        return (most is None or total <= most) and not any(pair in self.clashing for pair in product(together, together))

    def gives_back(self, application: Application) -> list[Application]:
        """The seats that the student would lose by taking this one: those that do not fit beside it any more."""
        student = self.students[application.student]
        mine = self.holding.get(application.student, [])
        rank = {offering: rank for rank, offering, _ in student["choices"]}
        kept = [*application.better, application.offering]
        lost = []
        for seat in sorted(mine, key=lambda each: rank[each.offering]):
            if seat.offering in application.better:
                continue
            if len(kept) < student["seats_wanted"] and self.compatible(student, [*kept, seat.offering]):
                kept.append(seat.offering)
            else:
                lost.append(seat)
        return lost


def excess(market: Market) -> Iterator[Reason]:
    """Capacities and hard limits that are not kept."""
    for offering, seats in market.seats.items():
        if len(seats.admitted) > seats.capacity:
            text = N_("%(offering)s has %(capacity)s seats, but %(placed)s students are placed in it.")
            facts = {"offering": offering, "capacity": seats.capacity, "placed": len(seats.admitted)}
            yield Reason("over-capacity", text, facts)
    for name, load in market.load().items():
        limit = market.limits[name]
        least, most = limit.get("minimum", 0), limit.get("maximum")
        if limit["hard"] and (load < least or (most is not None and load > most)):
            text = N_("The limit “%(limit)s” is not kept: %(load)s seats, from %(minimum)s to %(maximum)s are allowed.")
            yield Reason("limit-broken", text, {"limit": name, "load": load, "minimum": least, "maximum": most})


def injustices(market: Market, promised: Sequence[str]) -> Iterator[Reason]:
    """Everybody who wanted a seat that is empty, or held by somebody who goes after her."""
    waste, envy = "non-wastefulness" in promised, "no-justified-envy" in promised
    load = market.load() if market.limits else {}
    for offering, seats in market.seats.items():
        if waste and len(seats.admitted) < seats.capacity:
            for application in _wasted(market, seats, load):
                text = N_("%(student)s wanted %(offering)s, and a seat there stays empty.")
                yield Reason("wasted-seat", text, {"student": application.student, "offering": offering})
        if envy:
            yield from _envy(market, seats, load)


def _wasted(market: Market, seats: Seats, load: dict[str, int]) -> Iterator[Application]:
    """Who could have the empty seat: whom no limit stops, and nobody that it stops stands no worse and goes before her."""
    stopped: set[tuple[frozenset[str], frozenset[str]]] = set()
    for application in seats.wanting:
        mine = market.bounded(application)
        if any(application.groups <= groups and limits <= mine for groups, limits in stopped):
            continue
        if _stopped_by(market, load, application) is None:
            yield application
        else:
            stopped.add((application.groups, mine))


def _envy(market: Market, seats: Seats, load: dict[str, int]) -> Iterator[Reason]:
    text = N_("%(student)s wanted %(offering)s and goes before %(instead)s, who has a seat there.")
    last: dict[frozenset[str], tuple[Application | None, bool]] = {}
    for application in seats.wanting:
        if market.limits:
            instead, needed = _worse_standing(market, seats, load, application), False
        else:
            if application.groups not in last:
                last[application.groups] = _last_competing(seats, application)
            instead, needed = last[application.groups]
        if instead is not None and (needed or application.key < instead.key):
            facts = {"student": application.student, "offering": application.offering, "instead": instead.student}
            yield Reason("justified-envy", text, facts)


def _last_competing(seats: Seats, application: Application) -> tuple[Application | None, bool]:
    """The last of those who could go if somebody with these groups came, and whether she comes whatever her priority.

    She does when one more reserved seat can be filled with her. Those could go without whom as many are filled.
    """
    if not seats.reserved or not seats.admitted:
        return (seats.admitted[-1] if seats.admitted else None), False
    mine = application.groups
    filled = seats.filled({mine: 1})
    kinds = {each.groups for each in seats.admitted}
    spare = {kind for kind in kinds if seats.filled({mine: 1, kind: -1} if kind != mine else {}) == filled}
    last = next((each for each in reversed(seats.admitted) if each.groups in spare), None)
    return last, filled > seats.filled({}) and len(seats.admitted) >= seats.capacity


def _worse_standing(
    market: Market, seats: Seats, load: dict[str, int], application: Application
) -> Application | None:
    """The last admitted of those who stand no better, and whose seat could be hers without breaking a hard minimum."""
    mine = market.bounded(application)
    lost = market.gives_back(application) if any(market.limits[name].get("minimum") for name in load) else []
    possible = []
    for other in seats.admitted:
        if other.fixed or not other.groups <= application.groups or not mine <= market.bounded(other):
            continue
        change = _change(application, [*lost, other])
        if not any(step < 0 and _missed(market, load, name, step) for name, step in change.items()):
            possible.append(other)
    return max(possible, default=None, key=BY_KEY)


def _stopped_by(market: Market, load: dict[str, int], application: Application) -> str | None:
    """The hard limit that would be broken if she took a free seat; None when there is none."""
    if not market.limits:
        return None
    for name, step in _change(application, market.gives_back(application)).items():
        most = market.limits[name].get("maximum")
        if step > 0 and market.limits[name]["hard"] and most is not None and load[name] + step > most:
            return name
        if step < 0 and _missed(market, load, name, step):
            return name
    return None


def _change(gained: Application, lost: Sequence[Application]) -> dict[str, int]:
    change = dict.fromkeys(gained.counted, 1)
    for application in lost:
        for name in application.counted:
            change[name] = change.get(name, 0) - 1
    return change


def _missed(market: Market, load: dict[str, int], name: str, step: int) -> bool:
    return bool(market.limits[name]["hard"] and load[name] + step < market.limits[name].get("minimum", 0))


def circles(market: Market) -> Iterator[Reason]:
    """Circles of students, each the one to be admitted if the one before her gave up her seat for a better one.

    Who would be admitted depends on the offering and on the groups of whoever leaves it, so these pairs point to each
    other: a function, whose every circle is met by following each pointer once.
    """
    following = {
        (offering, leaver): _next_in(seats, leaver)
        for offering, seats in market.seats.items()
        if seats.wanting
        for leaver in {each.groups for each in seats.admitted}
    }
    seen: dict[tuple[str, frozenset[str]], tuple[str, frozenset[str]]] = {}  # where the walk that met it first began
    for start in following:
        path = []
        at: tuple[str, frozenset[str]] | None = start
        while at is not None and at in following and at not in seen:
            seen[at] = start
            path.append(at)
            coming = following[at]
            leaves = market.replaceable.get(coming.student) if coming else None
            at = (leaves.offering, leaves.groups) if leaves else None
        if at is None or at not in following or seen[at] != start or at not in path:
            continue
        circle = path[path.index(at) :]
        students = [coming.student for each in circle if (coming := following[each])]
        text = N_("%(students)s could all have a better seat (in %(offerings)s) without harm to anybody's priority.")
        facts = {"students": students, "offerings": [offering for offering, _ in circle]}
        yield Reason("not-student-optimal", text, facts)


def _next_in(seats: Seats, leaver: frozenset[str]) -> Application | None:
    """Who is admitted from the waiting list when somebody with these groups goes.

    The first who fills one more reserved seat then, or the first of all.
    """
    if not seats.reserved:
        return seats.wanting[0]
    left = seats.filled({leaver: -1})
    firsts = {each.groups: each for each in reversed(seats.wanting)}
    filling = [
        each
        for groups, each in firsts.items()
        if groups and seats.filled({leaver: -1, groups: 1} if groups != leaver else {}) > left
    ]
    return min(filling, key=BY_KEY) if filling else seats.wanting[0]


def _clashing(offerings: Iterable[Json]) -> frozenset[tuple[str, str]]:
    """All pairs whose weekly meetings overlap, each in both orders: minute by minute of a week."""
    minutes: dict[int, set[str]] = {}
    for row in offerings:
        for start, end in row.get("meetings", ()):
            for minute in range(start, end):
                minutes.setdefault(minute % WEEK, set()).add(row["id"])
    return frozenset((one, other) for met in minutes.values() if len(met) > 1 for one in met for other in met if one != other)
