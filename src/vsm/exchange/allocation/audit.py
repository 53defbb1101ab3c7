"""Is a published outcome right? Checked from the frozen bytes alone, sharing no code with the solver.

One pass over the applications collects, for each offering, the priorities admitted and those of everybody who wanted a
seat and has none; the cut-off between the two shows every injustice (`claims`). In a problem without limits, timetables
and optimisation a last step over the offerings looks for a circle of students who could all move to seats they like
better without harming anybody's priority. If there is none, the outcome is the student-optimal stable one, and there is
only one of those: it has been proved right without being computed again. docs/allocation.md gives the argument.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from vsm.exchange.allocation.claims import Application, Market, Seats, circles, excess, injustices
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

PROVED = (
    "digests",
    "individual-rationality",
    "capacity",
    "no-justified-envy",
    "non-wastefulness",
    "student-optimality",
)

Json = Any  # what json.loads gives; a wrong shape raises while it is read, and is reported as unreadable


@dataclass(frozen=True)
class Audit:
    """The digests of the bytes that were read, how much was looked at, and every violation with its facts.

    `seed` is the problem's, empty where it has none to be read. `promised` are the properties that problems of this kind have; `proved` those that this outcome has.
    """

    problem: str
    outcome: str
    applications: int
    violations: tuple[Reason, ...]
    promised: tuple[str, ...] = PROVED
    seed: str = ""

    @property
    def ok(self) -> bool:
        return not self.violations

    @property
    def proved(self) -> tuple[str, ...]:
        """The properties certified: all or none, for one fault spoils the ground on which the others are read."""
        return self.promised if self.ok else ()


def check(problem_bytes: bytes, outcome_bytes: bytes) -> Audit:
    """Audit an outcome against the frozen problem it claims to solve. Unreadable bytes are a violation, not an error.

    The problem is taken as the valid one that was published: compare the digests in the answer with the published ones
    (`Problem.from_bytes` validates).
    """
    digest = hashlib.sha256(problem_bytes).hexdigest()
    applications, seed, violations = 0, "", []
    promised: tuple[str, ...] = PROVED
    try:
        problem = json.loads(problem_bytes)
        seed = str(problem["seed"])
        outcome = json.loads(outcome_bytes)
        applications = sum(len(student["choices"]) for student in problem["students"])
        run = _Run.read(problem, outcome)
        promised = _promised(problem, run.market)
        expected = run.document(outcome, digest)
        violations = [*_unknown_rules(problem), *run.violations, *excess(run.market)]
        violations += [*injustices(run.market, promised), *_misstatements(outcome, expected)]
        if not violations:
            violations = [
                *(circles(run.market) if "student-optimality" in promised else ()),
                *_rewritten("problem", problem, problem_bytes),
                *_rewritten("outcome", expected, outcome_bytes),
            ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        text = N_("The files cannot be read as a frozen problem and its outcome (%(error)s).")
        violations.append(Reason("unreadable", text, {"error": f"{type(error).__name__}: {error}"}))
    return Audit(digest, hashlib.sha256(outcome_bytes).hexdigest(), applications, tuple(violations), promised, seed)


@dataclass(frozen=True)
class Placed:
    """What an audit of placements alone finds: the violations, and everything else as it follows from the placements."""

    applications: int
    violations: tuple[Reason, ...]
    promised: tuple[str, ...]
    document: dict[str, Json]


def check_placements(problem_bytes: bytes, placements: Sequence[tuple[str, str, int]], pledged: Sequence[tuple[str, str]] = ()) -> Placed:
    """The same for placements (student, offering, rank) that came without the rest of an outcome, from files."""
    problem = json.loads(problem_bytes)
    run = _Run.read(problem, {"placements": placements, "pledged": pledged})
    promised = _promised(problem, run.market)
    violations = [*run.violations, *excess(run.market), *injustices(run.market, promised)]
    if not violations and "student-optimality" in promised:
        violations = [*circles(run.market)]
    applications = sum(len(student["choices"]) for student in problem["students"])
    document = run.document({"pledged": pledged}, hashlib.sha256(problem_bytes).hexdigest())
    return Placed(applications, tuple(violations), promised, document)


def _promised(problem: Json, market: Market) -> tuple[str, ...]:
    """What docs/allocation.md promises of a problem of this kind."""
    always = ("digests", "individual-rationality", "capacity")
    limited = ("limits",) if market.limits else ()
    timetabled = ("timetables",) if market.timetabled else ()
    if problem["mechanism"] == "utilitarian":
        return (*always, *limited, *timetabled, "non-wastefulness")
    if timetabled:
        exact = problem["timetable"] == "exact"
        return (*always, *limited, *timetabled, *(() if exact else ("non-wastefulness",)))
    if limited:
        return (*always, *limited, "no-justified-envy", "non-wastefulness")
    return PROVED


@dataclass
class _Run:
    """What one pass over the applications finds."""

    problem: Json
    market: Market
    placements: list[list[Json]] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)
    violations: list[Reason] = field(default_factory=list)

    @classmethod
    def read(cls, problem: Json, outcome: Json) -> "_Run":
        run = cls(problem, Market.of(problem))
        pledged = {(student, offering) for student, offering in outcome.get("pledged", ())}
        stated: dict[str, set[str]] = {}
        for student_id, offering, _ in outcome["placements"]:
            held = stated.setdefault(student_id, set())
            if offering in held:
                text = N_("%(student)s is placed twice in %(offering)s.")
                run.violations.append(Reason("placed-twice", text, {"student": student_id, "offering": offering}))
            held.add(offering)
        for student in problem["students"]:
            mine = {offering for owner, offering in pledged if owner == student["id"]} if pledged else set()
            run.follow(student, stated.pop(student["id"], set()), mine)
        for seats in run.market.seats.values():
            seats.sort()
        for student_id in stated:
            text = N_("%(student)s is placed, but did not apply.")
            run.violations.append(Reason("student-unknown", text, {"student": student_id}))
        placed = {(student, offering) for student, offering, _ in run.placements}
        for student_id, offering in sorted(pledged):
            application = run.market.admitted(student_id, offering)
            if (student_id, offering) not in placed or application is None or not run.market.owed(application):
                text = N_("%(student)s is placed in %(offering)s before all others, but no hard minimum asks for it.")
                facts = {"student": student_id, "offering": offering}
                run.violations.append(Reason("pledge-without-minimum", text, facts))
        return run

    def follow(self, student: Json, held: set[str], pledged: set[str]) -> None:
        """Go down one student's list: what she holds is admitted, what she passes while a seat is missing is wanted."""
        market, chosen, better = self.market, set(), sorted(pledged & held)
        draw = _lottery(self.problem["seed"], student["id"])
        last: Application | None = None
        room = student["seats_wanted"] - len(better)
        for rank, offering, band in sorted(student["choices"]):
            chosen.add(offering)
            number = draw
            if self.problem["lottery"] == "per_offering" and not market.by_lottery_alone:
                number = _lottery(self.problem["seed"], f"{offering}\n{student['id']}")
            key, seats = (0 if market.by_lottery_alone else band, number, student["id"]), market.seats[offering]
            if offering in held:
                application = market.application(student, offering, key, fixed=offering in pledged)
                last = last if application.fixed else application
                room -= not application.fixed
                seats.admitted.append(application)
                market.holding.setdefault(student["id"], []).append(application)
                self.placements.append([student["id"], offering, rank])
                if not application.fixed:
                    better.append(offering)
            elif room > 0 and not market.hindered(student, offering, better):
                application = market.application(student, offering, key, fixed=offering in pledged)
                application.better = tuple(better)
                seats.wanting.append(application)
        if room <= 0 and last is not None:
            market.replaceable[student["id"]] = last
        self._count(student, held, chosen)

    def _count(self, student: Json, held: set[str], chosen: set[str]) -> None:
        if not held:
            self.unplaced.append(student["id"])
        for offering in sorted(held - chosen):
            text = N_("%(student)s is placed in %(offering)s, without having chosen it.")
            self.violations.append(Reason("not-chosen", text, {"student": student["id"], "offering": offering}))
        if len(held) > student["seats_wanted"]:
            text = N_("%(student)s has %(held)s seats, but wanted %(wanted)s.")
            facts = {"student": student["id"], "held": len(held), "wanted": student["seats_wanted"]}
            self.violations.append(Reason("too-many-seats", text, facts))
        if not self.market.compatible(student, held & chosen):
            text = N_("%(student)s has seats that clash or exceed her credits.")
            self.violations.append(Reason("timetable-broken", text, {"student": student["id"]}))

    def document(self, stated: Json, digest: str) -> dict[str, Json]:
        """The outcome as it ought to be written, given who is placed where."""
        second = self.problem["format"] == "vsm-allocation-problem-2"
        return {
            "admissions": [
                {
                    "last_admitted": self._cut_off(seats),
                    "offering": offering,
                    "placed": len(seats.admitted),
                    "waiting": [each.student for each in seats.wanting],
                }
                for offering, seats in sorted(self.market.seats.items())
            ],
            "format": f"vsm-allocation-outcome-{2 if second else 1}",
            "mechanism": self.problem["mechanism"],
            "placements": sorted(self.placements, key=lambda row: (row[0], row[2])),
            "problem": digest,
            "unplaced": sorted(self.unplaced),
        } | ({"pledged": sorted(map(list, stated["pledged"]))} if second else {})

    def _cut_off(self, seats: Seats) -> Json:
        if not seats.admitted or self.problem["mechanism"] == "utilitarian":
            return None
        band, lottery, _ = seats.admitted[-1].key
        return {"band": None if self.market.by_lottery_alone else band, "lottery": lottery}


def _lottery(seed: str, message: str) -> int:
    return int.from_bytes(hmac.digest(seed.encode(), message.encode(), "sha256"), "big") >> (256 - 53)


def _unknown_rules(problem: Json) -> Iterator[Reason]:
    second = problem["format"] == "vsm-allocation-problem-2"
    known = {
        "format": ("vsm-allocation-problem-1", "vsm-allocation-problem-2"),
        "lottery": ("single", "per_offering") if second else ("single",),
        "mechanism": ("deferred_acceptance", "serial_dictatorship", *(("utilitarian",) if second else ())),
    } | ({"timetable": ("fast", "exact")} if second else {})
    for name, values in known.items():
        if problem[name] not in values:
            text = N_("This audit does not know the %(name)s “%(value)s”.")
            yield Reason("unknown-rule", text, {"name": name, "value": problem[name]})


def _misstatements(stated: Json, expected: dict[str, Json]) -> Iterator[Reason]:
    """Where the outcome says something else than its own placements imply."""
    admissions = {row["offering"]: row for row in stated["admissions"]}
    yield from _differences(
        "",
        stated | {"admissions": list(admissions)},
        expected | {"admissions": [row["offering"] for row in expected["admissions"]]},
    )
    if len(admissions) != len(stated["admissions"]):
        yield Reason("wrong-admissions", N_("An offering stands twice in the outcome."))
    for row in expected["admissions"]:
        yield from _differences(row["offering"], admissions.get(row["offering"], row), row)


def _differences(offering: str, stated: dict[str, Json], expected: dict[str, Json]) -> Iterator[Reason]:
    for name in sorted(stated.keys() | expected.keys()):
        said, follows = stated.get(name), expected.get(name)
        if said == follows:
            continue
        if isinstance(said, list) and isinstance(follows, list) and sorted(map(str, said)) != sorted(map(str, follows)):
            said, follows = _only_in(said, follows), _only_in(follows, said)
        text = N_("%(name)s %(offering)s: stated is %(stated)s, but %(expected)s follows from the placements.")
        facts = {"name": name, "offering": offering, "stated": said, "expected": follows}
        yield Reason(f"wrong-{name.replace('_', '-')}", text, facts)


def _only_in(some: list[Json], others: list[Json]) -> list[Json]:
    known = set(map(str, others))
    return [each for each in some if str(each) not in known]


def _rewritten(which: str, value: Json, content: bytes) -> Iterator[Reason]:
    # 1.0 and true equal 1 wherever values are compared, but only 1 is written as 1.
    if json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() != content:
        yield Reason("not-canonical", N_("The %(which)s is not written in canonical form."), {"which": which})
