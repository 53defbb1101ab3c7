"""Why a student got each of her choices or did not, in words addressed to her.

Only her own facts and the published cut-offs are told: nothing here names, counts or describes another student.
The reasons follow from problem and outcome alone; no other account of the run is kept or needed.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

from vsm.exchange.allocation import lottery
from vsm.exchange.allocation.problem import Choice, Lottery, Mechanism, Problem, Student
from vsm.exchange.allocation.reserves import threshold
from vsm.exchange.allocation.solver import CutOff, Outcome, Run
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

PLACED = N_("You have a seat in %(offering)s, your choice number %(rank)s.")
ENOUGH_SEATS = N_(
    "%(offering)s, your choice number %(rank)s, was not considered: you have all the seats you asked for (%(wanted)s), "
    "in choices you ranked higher."
)
NO_SEATS = N_(
    "%(offering)s, your choice number %(rank)s, has no seats. You are number %(position)s on the waiting list."
)
FULL_BAND = N_(
    "%(offering)s, your choice number %(rank)s, is full. Seats: %(seats)s. The last person admitted was in priority "
    "band %(last_band)s, you are in band %(band)s; a lower band goes first (your lottery number: %(lottery)s). "
    "You are number %(position)s on the waiting list."
)
FULL_LOTTERY = N_(
    "%(offering)s, your choice number %(rank)s, is full. Seats: %(seats)s. In your priority band (%(band)s) the "
    "lottery decided, lower numbers first: the last number admitted was %(last_lottery)s, yours is %(lottery)s. "
    "You are number %(position)s on the waiting list."
)
FULL_TURN = N_(
    "%(offering)s, your choice number %(rank)s, was full when it was your turn. Seats: %(seats)s. Turns followed the "
    "lottery, lower numbers first: the last number admitted was %(last_lottery)s, yours is %(lottery)s. "
    "You are number %(position)s on the waiting list."
)


PLEDGED = N_(
    "You have a seat in %(offering)s, your choice number %(rank)s. It was given before all others, because an agreement "
    "demands a minimum of seats there that could not be reached otherwise."
)
CLASH = N_(
    "%(offering)s, your choice number %(rank)s, was not considered: it meets at the same time as %(clashes)s, which you "
    "ranked higher and have."
)
CREDITS = N_(
    "%(offering)s, your choice number %(rank)s, was not considered: beside the seats that you ranked higher and have it would "
    "exceed your %(most)s credits."
)
RESERVED_BAND = N_(
    "%(offering)s, your choice number %(rank)s, is full. Seats: %(seats)s; for %(reserved)s of them members of certain groups "
    "go first. Of those who competed for the same seats as you, the last admitted was in priority band %(last_band)s, you are "
    "in band %(band)s; a lower band goes first (your lottery number: %(lottery)s). You are number %(position)s on the waiting list."
)
RESERVED_LOTTERY = N_(
    "%(offering)s, your choice number %(rank)s, is full. Seats: %(seats)s; for %(reserved)s of them members of certain groups "
    "go first. Among those who competed for the same seats as you in your priority band (%(band)s) the lottery decided, lower "
    "numbers first: the last number admitted was %(last_lottery)s, yours is %(lottery)s. You are number %(position)s on the "
    "waiting list."
)
RESERVED_TURN = N_(
    "%(offering)s, your choice number %(rank)s, is full. Seats: %(seats)s; for %(reserved)s of them members of certain groups "
    "go first. Among those who competed for the same seats as you the lottery decided, lower numbers first: the last number "
    "admitted was %(last_lottery)s, yours is %(lottery)s. You are number %(position)s on the waiting list."
)
RESERVED_FILLED = N_(
    "%(offering)s, your choice number %(rank)s, is full. Seats: %(seats)s; members of certain groups go first for %(reserved)s of "
    "them, and they filled all that you could compete for. You are number %(position)s on the waiting list."
)
QUOTA_FULL = N_(
    "%(offering)s, your choice number %(rank)s: the quota “%(quota)s” allows %(maximum)s seats, and all of them are given. "
    "Your priority band: %(band)s, your lottery number: %(lottery)s. You are number "
    "%(position)s on the waiting list."
)
GROUP_FULL = N_(
    "%(offering)s, your choice number %(rank)s: at most %(maximum)s seats may go to the group “%(group)s”, and they are given. Your "
    "priority band: %(band)s, your lottery number: %(lottery)s. You are number %(position)s on the waiting list."
)
MINIMUM_KEPT = N_(
    "%(offering)s, your choice number %(rank)s, could not be given to you without breaking a minimum of seats that an agreement "
    "demands. You are number %(position)s on the waiting list."
)
BEST_SUM = N_(
    "%(offering)s, your choice number %(rank)s, was not given to you: this run looked for the best ranks of all students "
    "together, not at priorities. You are number %(position)s on the waiting list."
)
TIMETABLES = N_(
    "%(offering)s, your choice number %(rank)s, could not be given to you: seats were fitted into the timetables of all students "
    "together. You are number %(position)s on the waiting list."
)
FEW_CREDITS = N_("Your seats give %(credits)s credits; you asked for at least %(least)s.")

# Reasons are stored as codes with their facts: this is how they are told in the reader's language.
TEXTS: Mapping[str, str] = {
    "placed": PLACED,
    "pledged": PLEDGED,
    "enough-seats": ENOUGH_SEATS,
    "clash": CLASH,
    "credits": CREDITS,
    "no-seats": NO_SEATS,
    "full-band": FULL_BAND,
    "full-lottery": FULL_LOTTERY,
    "full-turn": FULL_TURN,
    "reserved-band": RESERVED_BAND,
    "reserved-lottery": RESERVED_LOTTERY,
    "reserved-turn": RESERVED_TURN,
    "reserved-filled": RESERVED_FILLED,
    "quota-full": QUOTA_FULL,
    "group-full": GROUP_FULL,
    "minimum-kept": MINIMUM_KEPT,
    "best-sum": BEST_SUM,
    "timetables": TIMETABLES,
    "few-credits": FEW_CREDITS,
}


def reasons(problem: Problem, outcome: Outcome, student_id: str) -> tuple[Reason, ...]:
    """One reason for each of the student's choices, in the order of her list; KeyError for an unknown student.

    ValueError when the outcome belongs to another problem. For many students use an `Explainer`: it indexes once.
    The lists and cut-offs are those of the run; what happened to the waiting list since then is not known here.
    """
    return Explainer(problem, outcome).reasons(student_id)


def by_cut_off(choice: Choice, place: int | None, *, wanted: int, seats: int, last: CutOff | None, number: int) -> Reason:
    """The reason in a run without policies, where it follows from the last person admitted.

    `place` as `Explainer.places` gives it, `number` is her lottery number.
    """
    facts: dict[str, object] = {"offering": choice.offering, "rank": choice.rank}
    if place == 0:
        return Reason("placed", PLACED, facts)
    if place is None:
        return Reason("enough-seats", ENOUGH_SEATS, facts | {"wanted": wanted})
    facts["position"] = place
    if last is None:  # nobody was admitted, and yet somebody waits
        return Reason("no-seats", NO_SEATS, facts)
    return _full(facts | {"seats": seats}, last, choice.band, number)


class Explainer:
    """Explains one outcome to any number of its students; building it takes one pass over the outcome."""

    def __init__(self, problem: Problem, outcome: Outcome) -> None:
        if outcome.problem != problem.digest:
            raise ValueError("This outcome belongs to another problem.")
        self._problem, self._outcome = problem, outcome
        self._drawn = ("", 0)  # the student explained last, and her number
        self._held: dict[str, set[str]] = {}
        for placement in outcome.placements:
            self._held.setdefault(placement.student, set()).add(placement.offering)
        self._pledged = set(outcome.pledged)
        self._cut_offs = {admission.offering: admission.last_admitted for admission in outcome.admissions}
        self._positions: dict[str, dict[str, int]] = {student.id: {} for student in problem.students}
        for admission in outcome.admissions:
            for position, student in enumerate(admission.waiting, start=1):
                self._positions[student][admission.offering] = position

    def reasons(self, student_id: str) -> tuple[Reason, ...]:
        """One reason for each of the student's choices, in the order of her list; KeyError for an unknown student."""
        student = self._problem.student(student_id)
        return tuple(self._reason(student, choice) for choice in student.choices)

    def everybody(self) -> Iterator[tuple[str, tuple[Reason, ...]]]:
        """(student id, reasons) for all students, in order of id."""
        for student in self._problem.students:
            yield student.id, self.reasons(student.id)

    def places(self, student: Student) -> list[int | None]:
        """For each choice: 0 when she has the seat, her number on the waiting list, None when she does not wait."""
        held, waits = self._held.get(student.id, ()), self._positions[student.id]
        return [0 if offering in held else waits.get(offering) for _rank, offering, _band in student.choices]

    def few_credits(self, student_id: str) -> Reason | None:
        """Says so when the student has seats that give less than her least credits."""
        student = self._problem.student(student_id)
        held = self._held.get(student_id, set())
        got = sum(self._problem.offering(each).credits for each in held)
        if not held or student.credits_range is None or got >= student.credits_range[0]:
            return None
        return Reason("few-credits", FEW_CREDITS, {"credits": _credits(got), "least": _credits(student.credits_range[0])})

    def _reason(self, student: Student, choice: Choice) -> Reason:
        place = 0 if choice.offering in self._held.get(student.id, ()) else self._positions[student.id].get(choice.offering)
        seats, last = self._problem.offering(choice.offering).capacity, self._cut_offs[choice.offering]
        number = self._number(student, choice) if place else 0
        if self._problem.plain:
            return by_cut_off(choice, place, wanted=student.seats_wanted, seats=seats, last=last, number=number)
        facts: dict[str, object] = {"offering": choice.offering, "rank": choice.rank}
        if place == 0:
            code = "pledged" if (student.id, choice.offering) in self._pledged else "placed"
            return Reason(code, TEXTS[code], facts)
        if place is None:
            return self._not_wanted(student, choice, facts)
        facts["position"] = place
        if not seats:
            return Reason("no-seats", NO_SEATS, facts)
        if self._problem.mechanism is Mechanism.UTILITARIAN:
            return Reason("best-sum", BEST_SUM, facts)
        return self._sight.reason(student, choice, CutOff(choice.band, number), facts)

    def _not_wanted(self, student: Student, choice: Choice, facts: dict[str, object]) -> Reason:
        """Why she does not wait for it: she has all she asked for, or it does not fit beside what she has."""
        held = self._held.get(student.id, set())
        better = [c.offering for c in student.choices if c.offering in held and (c.rank < choice.rank or self._fixed(student, c))]
        if len(better) < student.seats_wanted:
            run = self._sight.run
            index = self._problem.positions
            clashing = [each for each in better if index[each] in run.diary.clashes[index[choice.offering]]]
            if clashing:
                return Reason("clash", CLASH, facts | {"clashes": ", ".join(clashing)})
            if student.credits_range is not None and student.credits_range[1] is not None:
                return Reason("credits", CREDITS, facts | {"most": _credits(student.credits_range[1])})
        return Reason("enough-seats", ENOUGH_SEATS, facts | {"wanted": student.seats_wanted})

    def _fixed(self, student: Student, choice: Choice) -> bool:
        return (student.id, choice.offering) in self._pledged

    def _number(self, student: Student, choice: Choice) -> int:
        each_draws = self._problem.lottery is Lottery.PER_OFFERING
        if each_draws and self._problem.mechanism is not Mechanism.SERIAL_DICTATORSHIP:
            return lottery.number_at(self._problem.seed, student.id, choice.offering)
        if self._drawn[0] != student.id:
            self._drawn = student.id, lottery.number(self._problem.seed, student.id)
        return self._drawn[1]

    @cached_property
    def _sight(self) -> "_Sight":
        return _Sight(self._problem, self._outcome)


class _Sight:
    """An outcome under policies: who is where by priority and standing, and how full every limit is."""

    def __init__(self, problem: Problem, outcome: Outcome) -> None:
        self.problem, self.run = problem, Run(problem)
        flat, index = self.run.flat, problem.positions
        placed = {(placement.student, index[placement.offering]) for placement in outcome.placements}
        self.application: dict[tuple[str, str], int] = {}
        self.known: dict[tuple[int, int], tuple[int | None, Mapping[int, int]]] = {}
        self.inside: list[list[int]] = [[] for _ in flat.capacities]
        granted = bytearray(len(flat.targets))
        for position, student in enumerate(flat.students):
            for each in range(flat.starts[position], flat.starts[position + 1]):
                self.application[student, problem.offerings[flat.targets[each]].id] = each
                if (student, flat.targets[each]) in placed:
                    granted[each] = 1
                    self.inside[flat.targets[each]].append(each)
        self.load = self.run.limits.load(granted)

    def reason(self, student: Student, choice: Choice, mine: CutOff, facts: dict[str, object]) -> Reason:
        """Why she waits for it."""
        flat, offering = self.run.flat, self.problem.offering(choice.offering)
        application = self.application[student.id, choice.offering]
        inside = self.inside[flat.targets[application]]
        facts = facts | {"seats": offering.capacity}
        if len(inside) >= offering.capacity:
            last, by_key = self._last(flat.targets[application], flat.classes[application])
            reserved = sum(seats for _, seats in offering.reserves)
            if last is not None and last not in by_key:
                return Reason("reserved-filled", RESERVED_FILLED, facts | {"reserved": reserved})
            if last is not None and last < flat.keys[application]:
                in_turn = self.problem.mechanism is Mechanism.SERIAL_DICTATORSHIP
                cut_off = CutOff(None if in_turn else flat.bands[by_key[last]], flat.drawn[by_key[last]])
                return _full(facts, cut_off, choice.band, mine.lottery, reserved)
        return self._limited(application, mine, facts)

    def _last(self, target: int, of: int) -> tuple[int | None, Mapping[int, int]]:
        """The priority to beat for somebody of this class in a full offering; who is in, by priority."""
        if (target, of) not in self.known:
            flat = self.run.flat
            by_key = {flat.keys[each]: each for each in self.inside[target]}
            admitted = [(key, flat.classes[each]) for key, each in by_key.items()]
            self.known[target, of] = threshold(admitted, of, flat.reserves[target]), by_key
        return self.known[target, of]

    def _limited(self, application: int, mine: CutOff, facts: dict[str, object]) -> Reason:
        hard: dict[str, object] = {}
        for each in self.run.limits.counting[application]:
            limit = self.run.limits.limits[each]
            hard |= {"minimum": limit.minimum} if limit.minimum else {}
            if limit.maximum is not None and self.load[each] >= limit.maximum:
                drawn = {"band": mine.band, "lottery": lottery.shown(mine.lottery), "maximum": limit.maximum}
                if limit.offering:
                    return Reason("group-full", GROUP_FULL, facts | drawn | {"group": limit.group})
                return Reason("quota-full", QUOTA_FULL, facts | drawn | {"quota": limit.id})
        if self.run.timetabled:
            return Reason("timetables", TIMETABLES, facts)
        return Reason("minimum-kept", MINIMUM_KEPT, facts)


def _full(facts: dict[str, object], last: CutOff, band: int | None, number: int, reserved: int = 0) -> Reason:
    kind, facts = ("reserved", facts | {"reserved": reserved}) if reserved else ("full", facts)
    if last.band not in (None, band):
        # The lottery number of the last admitted decided nothing here, so it is not told.
        bands = {"band": band, "last_band": last.band, "lottery": lottery.shown(number)}
        return Reason(f"{kind}-band", TEXTS[f"{kind}-band"], facts | bands)
    drawn = {"lottery": lottery.shown(number, last.lottery), "last_lottery": lottery.shown(last.lottery, number)}
    if last.band is None:
        return Reason(f"{kind}-turn", TEXTS[f"{kind}-turn"], facts | drawn)
    return Reason(f"{kind}-lottery", TEXTS[f"{kind}-lottery"], facts | drawn | {"band": band})


def _credits(hundredths: int) -> str:
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".")
