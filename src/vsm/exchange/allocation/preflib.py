"""Students' lists in the formats of PrefLib (preflib.org), and problems made from them.

Read are strict and tied orders, complete or not (.soc, .soi, .toc, .toi) of the modern form: lines of metadata that begin
with `#`, then `count: 3,1,{2,4}`. Alternatives are offerings; each of `count` voters is a student. A PrefLib file says
what students want, and nothing about seats or priorities: those are asked for. An indifference between offerings (braces)
is broken in the order of the file, for our lists are strict.

Written is .soi: every list of a problem, equal lists counted together. Seats, bands and groups are left out by the format.

Source: Mattei and Walsh (2013), "PrefLib: a library for preferences", Algorithmic Decision Theory; format description at
https://preflib.github.io/PrefLib-Jekyll/format.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vsm.exchange.allocation.problem import Mechanism, Offering, Problem, Student
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

META = re.compile(r"#\s*([A-Z ]+?)\s*(\d+)?\s*:\s*(.*)\Z")
ORDER = re.compile(r"(\d+)\s*:\s*(.*)\Z")
PLACE = re.compile(r"\{([^{}]*)\}|([^,{}]+)")


@dataclass(frozen=True, slots=True)
class Lists:
    """Names of the alternatives by number, and (how many voters, numbers in order of preference)."""

    names: Mapping[int, str]
    orders: tuple[tuple[int, tuple[int, ...]], ...]


def read(text: str) -> Lists:
    """The lists in a PrefLib file. `Invalid` names every line that cannot be read."""
    names: dict[int, str] = {}
    orders: list[tuple[int, tuple[int, ...]]] = []
    faults: list[Reason] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            meta = META.match(line.strip())
            if meta and meta[1] == "ALTERNATIVE NAME" and meta[2]:
                names[int(meta[2])] = meta[3]
        elif line.strip():
            order = _order(line.strip(), names)
            if order is None:
                text_ = N_("Line %(line)s is not an order of known alternatives: a count, a colon, different numbers.")
                faults.append(Reason("preflib-line", text_, {"line": number}))
            else:
                orders.append(order)
    if not faults and not orders:
        faults.append(Reason("preflib-empty", N_("There is no order of preference in this file.")))
    if faults:
        raise Invalid(*faults)
    return Lists(names, tuple(orders))


def _order(line: str, names: Mapping[int, str]) -> tuple[int, tuple[int, ...]] | None:
    found = ORDER.match(line)
    if not found or not 0 < len(found[1]) < 8:
        return None
    places = [tied or single for tied, single in PLACE.findall(found[2].replace(" ", ""))]
    numbers = [each for place in places for each in place.split(",") if each]
    if not all(each.isascii() and each.isdigit() and len(each) < 10 for each in numbers):
        return None
    order = tuple(map(int, numbers))
    if len({*order}) != len(order) or any(each not in names for each in order):
        return None
    return int(found[1]), order


def problem_of(
    lists: Lists,
    *,
    seats: int | Mapping[str, int],
    seed: str,
    mechanism: str = Mechanism.DEFERRED_ACCEPTANCE,
) -> Problem:
    """The problem in which these voters want one seat each, all of equal priority; `seats` for each, or by name."""
    labels = _unique(lists.names)
    offerings = [
        Offering(label, seats if isinstance(seats, int) else seats.get(label, 0)) for label in labels.values()
    ]
    return Problem.of(offerings=offerings, students=_students(lists, labels), seed=seed, mechanism=mechanism)


def _unique(names: Mapping[int, str]) -> dict[int, str]:
    """The names as ids: with their number where two are the same or one is empty."""
    times = Counter(name.strip() for name in names.values())
    return {
        number: name.strip() if name.strip() and times[name.strip()] == 1 else f"{name.strip()} {number}".strip()
        for number, name in names.items()
    }


def _students(lists: Lists, labels: Mapping[int, str]) -> Iterator[Student]:
    width = len(str(sum(count for count, _ in lists.orders)))
    voter = 0
    for count, order in lists.orders:
        for _ in range(count):
            voter += 1
            yield Student.ranking(f"voter {voter:0{width}d}", [(labels[each], 1) for each in order])


def written(problem: Problem, title: str) -> str:
    """The lists of a problem as .soi; students who chose nothing are left out."""
    number = {offering.id: position for position, offering in enumerate(problem.offerings, start=1)}
    orders = Counter(
        tuple(number[choice.offering] for choice in student.choices) for student in problem.students if student.choices
    )
    head = {
        "FILE NAME": "lists.soi",
        "TITLE": title,
        "DESCRIPTION": "Students' ranked wishes; seats, priorities and groups are not part of this format.",
        "DATA TYPE": "soi",
        "MODIFICATION TYPE": "original",
        "RELATES TO": "",
        "RELATED FILES": "",
        "PUBLICATION DATE": "",
        "MODIFICATION DATE": "",
        "NUMBER ALTERNATIVES": len(number),
        "NUMBER VOTERS": sum(orders.values()),
        "NUMBER UNIQUE ORDERS": len(orders),
    }
    lines = [f"# {name}: {value}".rstrip() for name, value in head.items()]
    lines += [f"# ALTERNATIVE NAME {position}: {offering}" for offering, position in number.items()]
    most_first = sorted(orders.items(), key=lambda each: (-each[1], each[0]))
    lines += [f"{count}: {','.join(map(str, order))}" for order, count in most_first]
    return "\n".join(lines) + "\n"
