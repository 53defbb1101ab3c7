# mypy: allow-untyped-decorators
"""The least that a machine has to do: deferred acceptance of the textbook, compiled, one heap an offering, and nothing around it.

Its time says how fast the machine is today; ours divided by it holds on any machine.
"""

from typing import Any

import numpy as np
from numba import njit


@njit
def _push(heap: Any, at: int, asking: int, keys: Any) -> None:  # pragma: no cover -- compiled
    while at and keys[heap[(at - 1) >> 1]] < keys[asking]:
        heap[at] = heap[(at - 1) >> 1]
        at = (at - 1) >> 1
    heap[at] = asking


@njit
def _replace(heap: Any, size: int, asking: int, keys: Any) -> None:  # pragma: no cover -- compiled
    at = 0
    while 2 * at + 1 < size:
        worse = 2 * at + 1
        if worse + 1 < size and keys[heap[worse + 1]] > keys[heap[worse]]:
            worse += 1
        if keys[heap[worse]] <= keys[asking]:
            break
        heap[at] = heap[worse]
        at = worse
    heap[at] = asking


@njit
def granted(starts: Any, targets: Any, owners: Any, keys: Any, capacities: Any, wanted: Any) -> Any:  # pragma: no cover -- compiled
    """Which applications hold a seat (0 or 1 each). The heaps have the worst of each offering at their root."""
    bases = np.zeros(len(capacities) + 1, np.int64)
    bases[1:] = np.cumsum(capacities)
    heaps, sizes = np.empty(bases[-1], np.int32), np.zeros(len(capacities), np.int32)
    following, room, waiting = starts[:-1].copy(), wanted.copy(), np.empty(len(targets) + 1, np.int32)
    for newcomer in range(len(starts) - 1):
        waiting[0], left = newcomer, 1
        while left:
            left -= 1
            student = waiting[left]
            while room[student] and following[student] < starts[student + 1]:
                asking = following[student]
                following[student] += 1
                offering = targets[asking]
                heap, size = heaps[bases[offering] : bases[offering + 1]], sizes[offering]
                if size < len(heap):
                    _push(heap, size, asking, keys)
                    sizes[offering] += 1
                    room[student] -= 1
                elif size and keys[asking] < keys[heap[0]]:
                    out = owners[heap[0]]
                    _replace(heap, size, asking, keys)
                    room[student] -= 1
                    room[out] += 1
                    waiting[left] = out
                    left += 1
    held = np.zeros(len(targets), np.uint8)
    for offering in range(len(capacities)):
        for place in range(sizes[offering]):
            held[heaps[bases[offering] + place]] = 1
    return held
