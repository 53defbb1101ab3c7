"""The audit of outcomes with millions of rows: thresholds from who is in, then one pass over the applications.

The same rules as `claims`, by columns and without the solver: what an offering's admitted imply for everybody who waits
(`compiled_audit.thresholds`), who has a claim (`compiled_audit.claims`), and the circles that a better outcome would need.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vsm.exchange.allocation import columns
from vsm.exchange.allocation.columns import Columns
from vsm.exchange.allocation.files import WRITTEN
from vsm.exchange.allocation.kernels import audit_code, cells, claims, tight
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

MOST_NAMED = 20  # violations of one kind; the rest is counted

Array = Any


def violations(read: Columns, outcome: Mapping[str, Any], *, seed: str, mechanism: str, lottery: str) -> list[Reason]:
    """What is wrong with the outcome's files; the problem's were read into `read`."""
    del lottery
    import numpy as np

    stated = _table(outcome, "placements.csv")
    granted, found = _granted(read, stated)
    if found:
        return found
    code = audit_code()
    keys = _keys(read, seed, mechanism)
    classes = np.repeat(read.groups.astype(np.uint8), np.diff(read.starts))
    first, needs = cells(read.reserves)
    limit = code.thresholds(read.targets, keys, classes, granted, read.capacities, first, needs)
    claimed = claims(read.starts, read.targets, keys, classes, granted, first, limit, read.wanted)
    found = [*_over(read, first, limit), *_claims(read, claimed)]
    if not found:
        found = [*_circles(read, keys, classes, granted, first, needs)]
    if not found:
        found = [*_misread(read, keys, granted, outcome)]
    return found


def _keys(read: Columns, seed: str, mechanism: str) -> Array:
    """Each application's priority, by what is published: band, then lottery number, then id."""
    import numpy as np
    import pyarrow.compute as pc

    numbers = columns.lottery_numbers(seed, read.students)
    by_id = pc.rank(read.students, sort_keys="ascending", tiebreaker="first").to_numpy()
    place = np.empty(len(numbers), np.int64)
    place[np.lexsort((by_id, numbers))] = np.arange(len(numbers))
    bands = np.zeros(len(read.bands), np.int64) if mechanism == "serial_dictatorship" else read.bands - read.bands.min()
    return tight(bands * len(numbers) + np.repeat(place, np.diff(read.starts)))


def _misread(read: Columns, keys: Array, granted: Array, outcome: Mapping[str, Any]) -> Iterator[Reason]:
    """Files that are not written as they follow from the placements."""
    import numpy as np
    import pyarrow.compute as pc

    by_id = pc.sort_indices(read.students).to_numpy().astype(np.int64)
    drawn = columns.Priorities(by_id, keys, by_id)  # the first is what the solver draws: nothing is written from it
    for name, table in columns.tables(read, drawn, granted).items():
        if columns.content(name, table) != _buffer(outcome[name]):
            text = N_("%(file)s says something else than follows from the placements.")
            yield Reason("wrong-file", text, {"file": name})


def counts(read: Columns, outcome: Mapping[str, Any]) -> tuple[dict[str, int], dict[int, int]]:
    """The numbers of summary.json, counted from the files."""
    rows, unplaced = _table(outcome, "placements.csv"), len(_table(outcome, "unplaced.csv"))
    counted = {
        "applications": len(read.targets),
        "offerings": len(read.offerings),
        "placed": len(read.students) - unplaced,
        "placements": len(rows),
        "seats": int(read.capacities.sum(dtype="int64")),
        "students": len(read.students),
        "unplaced": unplaced,
        "waiting": len(_table(outcome, "waiting.csv")),
    }
    return counted, {each["values"]: each["counts"] for each in rows["rank"].value_counts().to_pylist()}


def _granted(read: Columns, stated: Any) -> tuple[Array, list[Reason]]:
    """Which applications the placements name; and those that name none, or one twice."""
    import numpy as np
    import pyarrow.compute as pc

    whose = pc.index_in(stated["student_id"], value_set=read.students)
    where = pc.index_in(stated["offering_id"], value_set=read.offerings)
    whose, where = (pc.fill_null(each, -1).to_numpy().astype(np.int32) for each in (whose, where))
    ranks = stated["rank"].to_numpy()
    granted = np.zeros(len(read.targets), np.uint8)
    wrong = audit_code().mark(read.starts, read.targets, read.ranks, whose, where, ranks, granted)
    found = [
        Reason(
            "placement-wrong",
            N_("placements.csv, line %(line)s: this student did not rank this offering so, or stands here twice."),
            {"line": int(row) + 2},
        )
        for row in np.flatnonzero(wrong)[:MOST_NAMED]
    ]
    return granted, found


def _over(read: Columns, first: Array, limit: Array) -> Iterator[Reason]:
    import numpy as np

    for offering in np.flatnonzero(limit[first[:-1]] == -2)[:MOST_NAMED]:
        text = N_("%(offering)s has more students than seats (%(capacity)s).")
        facts = {"offering": read.offerings[int(offering)].as_py(), "capacity": int(read.capacities[offering])}
        yield Reason("over-capacity", text, facts)


def _claims(read: Columns, claimed: Array) -> Iterator[Reason]:
    import numpy as np

    kinds = (
        (1, "claim", N_("%(student)s wanted a seat that is empty or held by somebody who goes after her.")),
        (2, "too-many-seats", N_("%(student)s has more seats than she wanted.")),
    )
    for value, code, text in kinds:
        students = np.flatnonzero(claimed == value)
        for student in students[:MOST_NAMED]:
            yield Reason(code, text, {"student": read.students[int(student)].as_py()})


def _circles(read: Columns, keys: Array, classes: Array, granted: Array, first: Array, needs: Array) -> Iterator[Reason]:
    """Whether the outcome is the best for students: see docs/allocation.md. Pointers between (offering, class) pairs."""
    import numpy as np

    following, coming = audit_code().pointers(
        read.starts, read.targets, keys, classes, granted, read.wanted, first, needs
    )
    seen = np.zeros(len(following), np.int64)
    for start in np.flatnonzero(following >= 0):
        at = int(start)
        while at >= 0 and not seen[at]:
            seen[at] = start + 1
            at = int(following[at])
        if at >= 0 and seen[at] == start + 1:
            text = N_("%(students)s and others could all have a better seat without harm to anybody's priority.")
            yield Reason("not-student-optimal", text, {"students": read.students[int(coming[at])].as_py()})
            return


def _table(outcome: Mapping[str, Any], name: str) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    types = {each: pa.int64() if each in ("rank", "position") else pa.string() for each in WRITTEN[name]}
    if bytes(outcome[name]).partition(b"\n")[0] != ",".join(WRITTEN[name]).encode():
        raise ValueError(name)
    options = csv.ConvertOptions(column_types=types, null_values=[])
    return csv.read_csv(_buffer(outcome[name]), convert_options=options)


def _buffer(content: Any) -> Any:
    import pyarrow as pa

    return pa.py_buffer(content)
