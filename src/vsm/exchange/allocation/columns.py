"""The same files for millions of rows: read, solved and written by columns (Arrow, NumPy, compiled kernels).

What is unusual is left to `files`, which is slower and right: when a file does not fit the expected types, when an id is
unknown or repeated, `read` answers None, and the plain way then names the fault by file and line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsm.exchange.allocation.faults import LARGEST, MOST_GROUPS
from vsm.exchange.allocation.files import COLUMNS, LIMITS, MEETINGS, OPTIONAL, QUOTAS, WRITTEN
from vsm.exchange.allocation.kernels import cells, machine_code, tight
from vsm.exchange.allocation.problem import Mechanism

Array = Any  # a NumPy array
Column = Any  # an Arrow array


@dataclass(frozen=True, slots=True)
class Columns:
    """A problem by columns. Students and offerings stand as in their files; applications by student, most wanted first.

    `groups` are bits (in the order of `group_names`); `reserves` has a row for each offering, a column for each group.
    """

    students: Column
    wanted: Array
    groups: Array
    group_names: tuple[str, ...]
    offerings: Column
    capacities: Array
    reserves: Array
    starts: Array
    targets: Array
    ranks: Array
    bands: Array


def read(files: Mapping[str, Any]) -> Columns | None:
    """The problem in these files (name → bytes or Arrow buffer), or None when they must be read the plain way."""
    import pyarrow as pa

    try:
        return _read(files)
    except (pa.ArrowException, KeyError, _Unusual):
        return None


class _Unusual(Exception):
    pass


def _read(files: Mapping[str, Any]) -> Columns:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    _plain(not {*files} & {LIMITS, QUOTAS, MEETINGS})
    text, whole = pa.string(), pa.int64()
    offerings = _table(files, "offerings.csv", {"offering_id": text, "capacity": whole})
    students = _table(files, "students.csv", {"student_id": text, "seats_wanted": whole, "groups": pa.dictionary(pa.int32(), text)})
    _ids(offerings["offering_id"])
    _ids(students["student_id"])
    capacities, wanted = _numbers(offerings["capacity"], 0), _numbers(students["seats_wanted"], 1)
    names, groups = _groups(students["groups"])
    reserves, names, groups = _reserves(files, offerings["offering_id"], capacities, names, groups)
    types = {"student_id": text, "rank": whole, "offering_id": text, "priority": pa.float64()}
    choices = _table(files, "choices.csv", types)
    whose = pc.index_in(choices["student_id"], value_set=students["student_id"].combine_chunks())
    target = pc.index_in(choices["offering_id"], value_set=offerings["offering_id"].combine_chunks())
    _plain(not whose.null_count and not target.null_count)
    # Copied: of what Arrow holds nothing may be changed, and for such arrays every mechanism would be compiled a second time.
    owner, targets = whose.to_numpy().astype(np.int32, copy=False), np.array(target.to_numpy(), np.int32)
    ranks, bands = _numbers(choices["rank"], 1), _bands(choices["priority"])
    del choices, whose, target
    if not _in_order(owner, ranks):
        order = np.lexsort((ranks, owner))
        owner, targets, ranks, bands = owner[order], targets[order], ranks[order], bands[order]
    same = owner[1:] == owner[:-1]
    _plain(not np.any(same & (ranks[1:] == ranks[:-1])))
    starts = np.zeros(len(students) + 1, np.int64)
    np.cumsum(np.bincount(owner, minlength=len(students)), out=starts[1:])
    _plain(not machine_code().chosen_twice(starts, targets, len(offerings)))
    return Columns(
        students=students["student_id"].combine_chunks(),
        wanted=wanted,
        groups=groups,
        group_names=names,
        offerings=offerings["offering_id"].combine_chunks(),
        capacities=capacities,
        reserves=reserves,
        starts=starts,
        targets=targets,
        ranks=ranks,
        bands=bands,
    )


def _table(files: Mapping[str, Any], name: str, types: Mapping[str, Any]) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    table = csv.read_csv(
        pa.BufferReader(files[name]),
        read_options=csv.ReadOptions(block_size=1 << 24),
        parse_options=csv.ParseOptions(newlines_in_values=False),
        convert_options=csv.ConvertOptions(column_types=dict(types), include_columns=list(COLUMNS[name]), null_values=[""]),
    )
    head = bytes(files[name][: 1 << 16]).removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].decode().strip().split(",")
    _plain(not any(column.startswith("credits_") for column in head))
    _plain(table.num_rows > 0 and len(set(head)) == len(head) and not any(table[each].null_count for each in types))
    return table.unify_dictionaries()


def _plain(expected: bool) -> None:
    if not expected:
        raise _Unusual


def _ids(column: Column) -> None:
    """Printable, trimmed, not empty, all different."""
    import pyarrow.compute as pc

    usual = pc.and_(pc.utf8_is_printable(column), pc.equal(pc.utf8_trim_whitespace(column), column))
    _plain(pc.all(usual).as_py() and pc.min(pc.utf8_length(column)).as_py() > 0)
    _plain(pc.count_distinct(column).as_py() == len(column))


def _numbers(column: Column, least: int) -> Array:
    import numpy as np

    values = column.to_numpy()
    _plain(values.min() >= least and values.max() <= LARGEST)
    return values.astype(np.int32)


def _bands(column: Column) -> Array:
    import numpy as np
    import pyarrow.compute as pc

    values = column.to_numpy()
    _plain(bool(np.isfinite(values).all()))
    whole = values.astype(np.int64)
    if np.array_equal(whole, values) and np.abs(whole).max() <= LARGEST:
        return whole
    coded = pc.dictionary_encode(column).combine_chunks()
    different = coded.dictionary.to_numpy()
    place = np.empty(len(different), np.int64)
    place[np.argsort(different)] = np.arange(1, len(different) + 1)
    return place[coded.indices.to_numpy()]


def _groups(column: Column) -> tuple[tuple[str, ...], Array]:
    """The names of all groups in order, and each student's as bits."""
    import numpy as np

    combined = column.combine_chunks()
    kinds = [kind.split("|") if kind else [] for kind in combined.dictionary.to_pylist()]
    for kind in kinds:
        _plain(len({*kind}) == len(kind) and all(each and each == each.strip() and each.isprintable() for each in kind))
    names = tuple(sorted({each for kind in kinds for each in kind}))
    _plain(len(names) < 60)
    bits = np.array([sum(1 << names.index(each) for each in kind) for kind in kinds] or [0], np.int64)
    return names, bits[combined.indices.to_numpy()]


def _reserves(
    files: Mapping[str, Any], offerings: Column, capacities: Array, names: tuple[str, ...], groups: Array
) -> tuple[Array, tuple[str, ...], Array]:
    """Reserved seats by offering and group. Groups without reserves are dropped: they decide nothing."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if OPTIONAL not in files:
        return np.zeros((len(offerings), 0), np.int32), (), np.zeros(len(groups), np.int64)
    table = _table(files, OPTIONAL, {"offering_id": pa.string(), "group": pa.string(), "seats": pa.int64()})
    position = pc.index_in(table["offering_id"], value_set=offerings.combine_chunks())
    _plain(not position.null_count)
    seats, of = _numbers(table["seats"], 0), table["group"].to_pylist()
    kept = tuple(sorted({*of}))
    _plain(len(kept) <= MOST_GROUPS and all(each and each == each.strip() and each.isprintable() for each in kept))
    reserves = np.full((len(offerings), len(kept)), -1, np.int64)
    index = np.array([kept.index(each) for each in of])
    places = position.to_numpy()
    reserves[places, index] = seats
    _plain(int((reserves >= 0).sum()) == len(seats))
    reserves = np.maximum(reserves, 0).astype(np.int32)
    _plain(bool((reserves.sum(axis=1) <= capacities).all()))
    mine = np.zeros(len(groups), np.int64)
    for bit, name in enumerate(kept):
        if name in names:
            mine |= (groups >> names.index(name) & 1) << bit
    return reserves, kept, mine


def _in_order(owner: Array, ranks: Array) -> bool:
    step = owner[1:].astype("int64") - owner[:-1]
    return bool(((step > 0) | ((step == 0) & (ranks[1:] > ranks[:-1]))).all())


@dataclass(frozen=True, slots=True)
class Priorities:
    """What follows from the seed: each student's place in the lottery, each application's key; students by id."""

    place: Array
    keys: Array
    by_id: Array


def priorities(columns: Columns, *, seed: str, mechanism: str) -> Priorities:
    """The published lottery for these students; serial dictatorship sees every band as equal."""
    import numpy as np
    import pyarrow.compute as pc

    ids = columns.students
    numbers = lottery_numbers(seed, ids)
    sorted_already = pc.all(pc.less(ids[:-1], ids[1:])).as_py() if len(ids) > 1 else True
    by_id = np.arange(len(ids)) if sorted_already else pc.sort_indices(ids).to_numpy().astype(np.int64)
    order = by_id[np.argsort(numbers[by_id], kind="stable")]
    place = np.empty(len(ids), np.int64)
    place[order] = np.arange(len(ids))
    keys = np.repeat(place, np.diff(columns.starts))
    if mechanism != Mechanism.SERIAL_DICTATORSHIP:
        keys += (columns.bands - columns.bands.min()) * len(ids)
    return Priorities(place, tight(keys), by_id)


def lottery_numbers(seed: str, ids: Column) -> Array:
    """`lottery.number` of each id of an Arrow column of text."""
    import numpy as np

    machine_code()
    from vsm.exchange.allocation import compiled_lottery

    _, offsets, data = ids.buffers()
    begins = np.frombuffer(offsets, np.int32)[ids.offset : ids.offset + len(ids) + 1]
    return compiled_lottery.numbers(seed, np.frombuffer(data, np.uint8), begins)


def grant(columns: Columns, drawn: Priorities, mechanism: str) -> Array:
    """Which applications are granted (0 or 1)."""
    import numpy as np

    code = machine_code()
    starts, targets, capacities, wanted = columns.starts, columns.targets, columns.capacities, columns.wanted
    if columns.reserves.any():
        first, needs = cells(columns.reserves)
        classes = np.repeat(columns.groups.astype(np.uint8), np.diff(starts))
        return code.reserved(starts, targets, drawn.keys, classes, capacities, wanted, first, needs)
    if mechanism == Mechanism.SERIAL_DICTATORSHIP:
        return code.in_turn(starts, targets, capacities, wanted, np.argsort(drawn.place))
    return code.plain(starts, targets, drawn.keys, capacities, wanted)


def tables(columns: Columns, drawn: Priorities, granted: Array) -> dict[str, Any]:
    """placements.csv, unplaced.csv and waiting.csv as Arrow tables, in the order in which `files` writes them."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    count = len(columns.students)
    by_id = np.empty(count, np.int64)
    by_id[drawn.by_id] = np.arange(count)
    owner = np.repeat(np.arange(count, dtype=np.int32), np.diff(columns.starts))
    held = np.flatnonzero(granted)
    held = held[np.argsort(by_id[owner[held]], kind="stable")]
    waiting = np.flatnonzero(machine_code().waiting(columns.starts, granted, columns.wanted))
    offering_order = pc.sort_indices(columns.offerings).to_numpy().astype(np.int64)
    offering_place = np.empty(len(offering_order), np.int64)
    offering_place[offering_order] = np.arange(len(offering_order))
    waiting = waiting[np.lexsort((drawn.keys[waiting], offering_place[columns.targets[waiting]]))]
    at = columns.targets[waiting]
    begins = np.flatnonzero(np.r_[True, at[1:] != at[:-1]]) if len(at) else np.zeros(0, np.int64)
    lengths = np.diff(np.r_[begins, len(at)])
    position = np.arange(1, len(at) + 1) - np.repeat(begins, lengths)
    without = np.flatnonzero(np.bincount(owner[held], minlength=count) == 0)
    without = without[np.argsort(by_id[without])]

    def taken(column: Column, where: Array) -> Column:
        return column.take(pa.array(where))

    made = {
        "placements.csv": (
            taken(columns.students, owner[held]),
            taken(columns.offerings, columns.targets[held]),
            pa.array(columns.ranks[held]),
        ),
        "unplaced.csv": (taken(columns.students, without),),
        "waiting.csv": (taken(columns.offerings, at), pa.array(position), taken(columns.students, owner[waiting])),
    }
    return {name: pa.table(dict(zip(WRITTEN[name], each, strict=True))) for name, each in made.items()}


def content(name: str, table: Any) -> Any:
    """The CSV of a table as an Arrow buffer: the bytes that `files.written` gives."""
    import pyarrow as pa
    from pyarrow import csv

    from vsm.exchange.allocation.files import written

    sink = pa.BufferOutputStream()
    sink.write((",".join(table.column_names) + "\n").encode())
    try:
        csv.write_csv(table, sink, csv.WriteOptions(include_header=False, quoting_style="none", batch_size=1 << 16))
    except pa.ArrowInvalid:  # an id holds a comma or a quotation mark
        return pa.py_buffer(written(name, zip(*(column.to_pylist() for column in table.columns), strict=True)))
    return sink.getvalue()
