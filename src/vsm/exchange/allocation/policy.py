"""What the rules of a call must hold, when they may still change, and what each of them does, in plain words: pure.

Every choice of an office is told with its effect and its price side by side; both stand in `EFFECTS`, so that the form, the
public page and the manual say the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from vsm.exchange.applications.states import CallState
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

MOST_APPEAL_DAYS = 60
SMALLEST_CELL = 5


@dataclass(frozen=True)
class Effect:
    """One choice: its value, its name, what it does, what it costs."""

    value: str
    label: str
    does: str
    price: str


MECHANISM_EFFECTS = (
    Effect(
        "deferred_acceptance", N_("Priorities, then lottery (deferred acceptance)"),
        N_("Nobody misses a seat that somebody with worse priority got. With one seat each, nobody can gain by hiding her true wishes."),
        N_("Two students may both prefer the seat of the other, and neither can swap, because a third goes before one of them."),
    ),
    Effect(
        "serial_dictatorship", N_("Lottery alone (serial dictatorship)"),
        N_("Students choose one after the other in the order of the lottery. No two of them would like to swap, and true wishes always pay."),
        N_("Priority bands count for nothing: a student in band 1 may miss a seat that one in band 3 got."),
    ),
    Effect(
        "", N_("Compare first, choose afterwards"),
        N_("The office compares the results of both and publishes one of them, with its reason."),
        N_("Students apply without knowing which one will be used. Fix it before applications close if you can."),
    ),
)  # fmt: skip
LOTTERY_EFFECTS = (
    Effect(
        "single", N_("One number for each student, the same for every course"),
        N_("Easy to explain and to check. Fewer students would like to swap seats afterwards."),
        N_("Who draws a bad number has it everywhere."),
    ),
    Effect(
        "per_offering", N_("Another number for each course"),
        N_("Nobody has bad luck everywhere."),
        N_("More pairs of students would like to swap their seats afterwards, and cannot."),
    ),
)  # fmt: skip
RECIPROCITY_EFFECTS = (
    Effect("", N_("No bound"), N_("The balance with each partner is shown and decides nothing."), N_("A partner can receive far more than it gives.")),
    Effect(
        "soft", N_("A bound that gives way"),
        N_("Beyond the bound, students of the partner get only seats that would otherwise stay empty. A preview that passes the bound says so."),
        N_("A student of that partner may be passed over for somebody with worse priority, for a reason that is not her own."),
    ),
    Effect(
        "hard", N_("A bound that holds"),
        N_("A partner gets no more seats here than keep its balance within the bound."),
        N_("Seats can stay empty although somebody of that partner wanted them, and a student may miss one for a reason that is not her own."),
    ),
)  # fmt: skip
CLASH_EFFECTS = (
    Effect("allow", N_("Do not look at the timetable"), N_("Students see to it themselves that their meetings do not clash."), N_("Somebody may get two seats that she cannot use together.")),
    Effect(
        "fast", N_("No two seats that clash, the fast way"),
        N_("Going down her list, a student skips what clashes with a seat that she ranked higher and holds. Ready in seconds for any number of students."),
        N_("Somebody may be passed over for a student with worse priority, where her own better seat clashed at that moment."),
    ),
    Effect(
        "exact", N_("No two seats that clash, the exact way"),
        N_("Looks for the result in which as few students as possible are passed over."),
        N_("For small calls only: at most 5,000 choices in all. Honesty is no longer sure to pay."),
    ),
)  # fmt: skip
RESERVE_EFFECT = Effect(
    "reserves", N_("Reserved seats"),
    N_("So many seats of a course go first to students of the group, in the order of priority. What they leave over goes to everybody. A student counts for one reserve."),
    N_("Somebody outside the groups may miss a seat that a student with worse priority got, up to the number reserved."),
)  # fmt: skip
LIMIT_EFFECT = Effect(
    "limits", N_("Least and most seats"),
    N_("An agreement can demand that a group or an institution gets at least, or at most, so many seats of a course."),
    N_("Seats can stay empty although somebody wanted them; if the demands contradict each other there is no result, and the preview says which."),
)  # fmt: skip
AGREEMENT_EFFECT = Effect(
    "agreements", N_("Seats promised in agreements"),
    N_("Students of a partner get at most the seats that the signed agreements promise it, in the term and the fields that they name."),
    N_("A seat can stay empty although somebody wanted it, because her institution has used what was promised."),
)  # fmt: skip
CREDIT_EFFECT = Effect(
    "credits", N_("Credits of one student"),
    N_("A student gets no more seats than fit under the most credits. The least is an aim: a preview counts who misses it."),
    N_("Somebody may get a lower choice instead of a higher one that does not fit, and honesty is no longer sure to pay."),
)  # fmt: skip


@dataclass(frozen=True)
class Bound:
    """What a call gives in one offering, as the rules of a call see it."""

    title: Any
    seats: int


def rules_obstacles(*, state: str, closes_at: datetime, now: datetime) -> Iterator[Reason]:
    """Why the rules of a call can no longer be changed."""
    if state in (CallState.ALLOCATED, CallState.CLOSED):
        yield Reason("rules-used", N_("The seats of this call were given by these rules, or it is closed. Set others in the next call."))
    elif now >= closes_at:
        yield Reason(
            "rules-fixed",
            N_(
                "Applications closed on %(closes)s: students applied under the rules as they stood, and who changes them now knows whom "
                "it helps. See in a trial what other rules would do, and set them in the next call."
            ),
            {"closes": closes_at},
        )


def rules_problems(facts: Mapping[str, Any], *, given: Mapping[str, Bound], groups: Iterable[str], homes: Iterable[str]) -> Iterator[Reason]:
    """What is wrong with rules before they are kept. `given` are the offerings of the call by id."""
    known = {name: [effect.value for effect in effects] for name, effects in (
        ("mechanism", MECHANISM_EFFECTS), ("lottery", LOTTERY_EFFECTS), ("reciprocity", RECIPROCITY_EFFECTS), ("clashes", CLASH_EFFECTS),
    )}  # fmt: skip
    for name, values in known.items():
        if facts[name] not in values:
            yield Reason("choice-unknown", N_("“%(value)s” is not one of: %(known)s."), {"value": facts[name], "known": ", ".join(filter(None, values))}, name)
    yield from _reserve_problems(facts["reserves"], given, set(groups))
    yield from _limit_problems(facts["limits"], given, set(groups), set(homes))
    least, most = facts["credits_least"], facts["credits_most"]
    if any(value is not None and not Decimal(0) <= value <= 1000 for value in (least, most)):
        yield Reason("credits-range", N_("Credits of one student lie between 0 and 1000."), {}, "credits_most")
    elif least is not None and most is not None and least > most:
        yield Reason("credits-order", N_("The least credits (%(least)s) are more than the most (%(most)s)."), {"least": least, "most": most}, "credits_least")
    if not 0 <= facts["balance"] <= 10_000:
        yield Reason("balance-range", N_("The bound of the balance is a number of seats from 0 to 10,000."), {}, "balance")
    if not 1 <= facts["appeal_days"] <= MOST_APPEAL_DAYS:
        yield Reason("appeal-days", N_("Students have 1 to %(most)s days to appeal."), {"most": MOST_APPEAL_DAYS}, "appeal_days")


def _reserve_problems(reserves: Sequence[Mapping[str, Any]], given: Mapping[str, Bound], groups: set[str]) -> Iterator[Reason]:
    held: Counter[str] = Counter()
    seen = set()
    for line, row in enumerate(reserves, start=1):
        offering, group, seats = row["offering"], row["group"], row["seats"]
        if group not in groups:
            yield Reason("group-unknown", N_("Line %(line)s: “%(group)s” is not a group that can be asked about here."), {"line": line, "group": group}, "reserves")
        if offering and offering not in given:
            yield Reason("not-in-call", N_("Line %(line)s: this offering is not part of the call."), {"line": line}, "reserves")
        if seats < 1:
            yield Reason("reserve-empty", N_("Line %(line)s: reserve at least one seat, or leave the line out."), {"line": line}, "reserves")
        if (offering, group) in seen:
            yield Reason("reserve-twice", N_("Line %(line)s: seats for this group are reserved there already. Write them in one line."), {"line": line}, "reserves")
        seen.add((offering, group))
        for each in [offering] if offering else given:
            held[each] += max(0, seats)
    for offering, seats in held.items():
        bound = given.get(offering)
        if bound and seats > bound.seats:
            yield Reason(
                "reserve-too-many", N_("%(offering)s: %(reserved)s seats are reserved, but the call gives %(seats)s there."),
                {"offering": bound.title, "reserved": seats, "seats": bound.seats}, "reserves",
            )  # fmt: skip


def _limit_problems(limits: Sequence[Mapping[str, Any]], given: Mapping[str, Bound], groups: set[str], homes: set[str]) -> Iterator[Reason]:
    for line, row in enumerate(limits, start=1):
        if bool(row["group"]) == bool(row["home"]):
            yield Reason("limit-whom", N_("Line %(line)s: say either a group or an institution."), {"line": line}, "limits")
        if row["group"] and row["group"] not in groups:
            yield Reason("group-unknown", N_("Line %(line)s: “%(group)s” is not a group that can be asked about here."), {"line": line, "group": row["group"]}, "limits")
        if row["home"] and row["home"] not in homes:
            yield Reason("home-unknown", N_("Line %(line)s: this institution has no signed agreement with the host."), {"line": line}, "limits")
        if row["offering"] and row["offering"] not in given:
            yield Reason("not-in-call", N_("Line %(line)s: this offering is not part of the call."), {"line": line}, "limits")
        least, most = row["least"], row["most"]
        if least is None and most is None:
            yield Reason("limit-empty", N_("Line %(line)s: give a least or a most number of seats."), {"line": line}, "limits")
        elif least is not None and most is not None and least > most:
            yield Reason("limit-order", N_("Line %(line)s: the least (%(least)s) is more than the most (%(most)s)."), {"line": line, "least": least, "most": most}, "limits")


def lowered(limits: Sequence[Mapping[str, Any]], missed: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The limits with each least that cannot be reached lowered by the seats that it is short of, and by no more.

    `missed` are the facts of the reasons `minimum-infeasible` (see `bounds.infeasible`). A least for every course is lowered in
    the one course that misses it: a line of its own goes before the line for all.
    """
    found = [dict(row) for row in limits]
    of_homes = [row for row in found if row["home"]]
    for facts in missed:
        short = int(facts["short"])
        if not facts["offering"]:
            row = of_homes[int(str(facts["quota"]).partition(":")[2]) - 1]
            row["least"] -= short
            continue
        of_group = [row for row in found if row["group"] == facts["group"] and row["offering"] in ("", facts["offering"])]
        row = max(of_group, key=lambda row: bool(row["offering"]))
        if row["offering"]:
            row["least"] -= short
        else:
            found.append({**row, "offering": facts["offering"], "least": row["least"] - short})
    return found


def is_changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return any(before.get(name) != value for name, value in after.items())


def appeal_obstacles(*, published_at: datetime | None, until: datetime | None, now: datetime, has_open: bool) -> Iterator[Reason]:
    """Why an appeal cannot be filed."""
    if published_at is None or until is None:
        yield Reason("no-result", N_("This call has no published result."))
        return
    if now > until:
        yield Reason("appeal-too-late", N_("Appeals could be filed until %(until)s. Write to the office of the call if something new has come up."), {"until": until})
    if has_open:
        yield Reason("appeal-open", N_("You have an appeal about this already that is not answered yet."))


def suppressed(counts: Sequence[tuple[str, int, int]], least: int = SMALLEST_CELL) -> list[tuple[str, int | None, int | None]]:
    """(name, all, part) with what could point at a person taken out (None): pairs in which all, part or the rest is 1 … least − 1.

    Where exactly one row would be taken out, its numbers could be found by subtracting the others from a published sum, so the
    smallest of the rest goes with it. Groups overlap, and their sums tell little; the rule is kept all the same.
    """
    hidden = {name for name, every, part in counts if _is_small(every, least) or _is_small(part, least) or _is_small(every - part, least)}
    shown = [row for row in counts if row[0] not in hidden and row[1]]
    if len(hidden) == 1 and shown:
        hidden.add(min(shown, key=lambda row: (row[1], row[0]))[0])
    return [(name, None, None) if name in hidden else (name, every, part) for name, every, part in counts]


def _is_small(number: int, least: int) -> bool:
    return 0 < number < least
