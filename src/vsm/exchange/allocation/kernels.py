"""The mechanisms compiled: the same answers as `reference`, some hundred times sooner, for workers and the command line.

Numba is imported when a kernel is first called, so a web process that never solves never loads it. Compiled code is
kept in the user's cache folder (`~/.cache/vsm/kernels`): the first call after an update takes some seconds, once.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

from vsm.exchange.allocation.solver import Granted, Kernel
from vsm.exchange.allocation.tables import Tables


def machine_code() -> ModuleType:
    """The compiled module, loaded on first use."""
    import numba

    settings: Any = numba.config  # its names are made from the environment when it is imported
    if not settings.CACHE_DIR:
        settings.CACHE_DIR = str(Path.home() / ".cache" / "vsm" / "kernels")
    from vsm.exchange.allocation import compiled

    return compiled


def audit_code() -> ModuleType:
    """The compiled audit, which shares nothing with the compiled mechanisms but where it is kept."""
    machine_code()
    from vsm.exchange.allocation import compiled_audit

    return compiled_audit


MANY = 50_000  # students; for fewer a second thread is not worth its start


def claims(starts: Any, targets: Any, keys: Any, classes: Any, granted: Any, first: Any, limit: Any, wanted: Any) -> Any:
    """`compiled_audit.claims` of the first half of the students beside that of the others: each hangs on nobody else."""
    import numpy as np

    code, half = audit_code(), len(wanted) // 2

    def part(students: slice) -> Any:
        return code.claims(starts[students.start : students.stop + 1], targets, keys, classes, granted, first, limit, wanted[students])

    if len(wanted) < MANY:
        return part(slice(0, len(wanted)))
    with ThreadPoolExecutor(1) as other:
        told = other.submit(part, slice(half, len(wanted)))
        return np.concatenate([part(slice(0, half)), told.result()])


def deferred_acceptance(flat: Tables) -> Granted:
    starts, targets, keys, capacities, wanted = _arrays(flat)
    granted: Granted = machine_code().plain(starts, targets, keys, capacities, wanted)
    return granted


def with_reserves(flat: Tables) -> Granted:
    import numpy as np

    starts, targets, keys, capacities, wanted = _arrays(flat)
    classes = np.asarray(flat.classes, np.uint8)
    first, needs = cells(flat.reserves)
    granted: Granted = machine_code().reserved(starts, targets, keys, classes, capacities, wanted, first, needs)
    return granted


def serial_dictatorship(flat: Tables) -> Granted:
    import numpy as np

    starts, targets, _, capacities, wanted = _arrays(flat)
    granted: Granted = machine_code().in_turn(starts, targets, capacities, wanted, np.arange(len(wanted)))
    return granted


COMPILED: Mapping[str, Kernel] = {
    "deferred_acceptance": deferred_acceptance,
    "with_reserves": with_reserves,
    "serial_dictatorship": serial_dictatorship,
}


def cells(reserves: Any) -> tuple[Any, Any]:
    """Where the classes of each offering begin, and the seats reserved for each set of its groups (int64 arrays).

    `reserves` holds the reserved seats of each offering, by bit.
    """
    import numpy as np

    if isinstance(reserves, np.ndarray):  # as many groups everywhere: one product
        sets = np.arange(1 << reserves.shape[1])
        bits = sets[None, :] >> np.arange(reserves.shape[1])[:, None] & 1
        return np.arange(len(reserves) + 1) << reserves.shape[1], (reserves.astype(np.int64) @ bits).ravel()
    first = np.zeros(len(reserves) + 1, np.int64)
    np.cumsum([1 << len(seats) for seats in reserves], out=first[1:])
    needs = np.zeros(first[-1], np.int64)
    for offering, seats in enumerate(reserves):
        for bit, each in enumerate(seats):
            sets = np.arange(1 << len(seats))
            needs[first[offering] : first[offering + 1]] += np.where(sets >> bit & 1, each, 0)
    return first, needs


def tight(keys: Any) -> Any:
    """The same keys in 32 bits where they fit, the largest number apart: it stands for "nobody was refused"."""
    import numpy as np

    return keys.astype(np.int32) if keys.size and keys.max() < np.iinfo(np.int32).max else keys


def _arrays(flat: Tables) -> tuple[Any, ...]:
    import numpy as np

    return (
        np.asarray(flat.starts, np.int64),
        np.asarray(flat.targets, np.int32),
        tight(np.asarray(flat.keys, np.int64)),
        np.asarray(flat.capacities, np.int32),
        np.asarray(flat.seats_wanted, np.int32),
    )
