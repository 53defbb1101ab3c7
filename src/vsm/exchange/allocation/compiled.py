# mypy: allow-untyped-decorators
"""The machine code of `kernels`: loops over arrays, compiled by Numba when first called and kept on disk afterwards.

Importing this module imports Numba (half a second): `kernels` alone does, when something is to be solved.

Students' applications stand in a row (CSR): those of student s from starts[s] up to starts[s + 1], most wanted first.
Lower keys go first and are unique in each offering. A mechanism is reduced to what decides in the end: for each offering
(and class) the best key refused; a student has the first applications of her list whose keys are better, as many as she
wants. Each offering keeps heaps with the worst on top, in one block of memory. Keys are int32 where they fit (`kernels.tight`):
a large problem waits for memory more than it computes, and halves of numbers are fetched in half the time.
"""

from typing import Any

import numpy as np
from numba import njit

Array = Any  # a NumPy array; Numba infers element types


@njit(cache=True, inline="always")
def _sift_up(keys: Array, whose: Array, base: int, at: int) -> None:
    key, owner = keys[base + at], whose[base + at]
    while at > 0:
        parent = (at - 1) >> 1
        if keys[base + parent] >= key:
            break
        keys[base + at], whose[base + at] = keys[base + parent], whose[base + parent]
        at = parent
    keys[base + at], whose[base + at] = key, owner


@njit(cache=True, inline="always")
def _sift_down(keys: Array, whose: Array, base: int, size: int) -> None:
    key, owner, at = keys[base], whose[base], 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and keys[base + child + 1] > keys[base + child]:
            child += 1
        if keys[base + child] <= key:
            break
        keys[base + at], whose[base + at] = keys[base + child], whose[base + child]
        at = child
    keys[base + at], whose[base + at] = key, owner


@njit(cache=True)
def plain(  # noqa: C901, PLR0915 -- one loop over one state
    starts: Array, targets: Array, keys: Array, capacities: Array, wanted: Array
) -> Array:
    """Deferred acceptance with capacities alone; which applications are granted (0 or 1)."""
    students, offerings = len(starts) - 1, len(capacities)
    base = np.zeros(offerings + 1, np.int64)
    for offering in range(offerings):
        base[offering + 1] = base[offering] + capacities[offering]
    heap, whose = np.empty(base[offerings], keys.dtype), np.empty(base[offerings], np.int32)
    size, refused = np.zeros(offerings, np.int32), np.full(offerings, np.iinfo(keys.dtype).max, keys.dtype)
    for offering in range(offerings):
        if capacities[offering] == 0:
            refused[offering] = -1
    following, room = starts[:-1].copy(), wanted.copy()
    stack = np.empty(students + 1, np.int32)
    for newcomer in range(students):
        stack[0], asking = newcomer, 1
        while asking > 0:
            asking -= 1
            student = stack[asking]
            while room[student] > 0 and following[student] < starts[student + 1]:
                application = following[student]
                following[student] += 1
                offering, key = targets[application], keys[application]
                if key >= refused[offering]:
                    continue
                first, here = base[offering], size[offering]
                if here < capacities[offering]:
                    heap[first + here], whose[first + here] = key, student
                    _sift_up(heap, whose, first, here)
                    size[offering] = here + 1
                    room[student] -= 1
                    if here + 1 == capacities[offering]:
                        refused[offering] = heap[first] + 1  # full: only who goes before the last is looked at
                else:
                    displaced = whose[first]
                    heap[first], whose[first] = key, student
                    _sift_down(heap, whose, first, here)
                    refused[offering] = heap[first] + 1
                    room[student] -= 1
                    room[displaced] += 1
                    if room[student] > 0 and following[student] < starts[student + 1]:
                        stack[asking] = student
                        asking += 1
                    stack[asking] = displaced
                    asking += 1
                    break
    return _granted(starts, targets, keys, refused, wanted)


@njit(cache=True)
def _granted(starts: Array, targets: Array, keys: Array, refused: Array, wanted: Array) -> Array:
    granted = np.zeros(len(targets), np.uint8)
    for student in range(len(starts) - 1):
        room = wanted[student]
        for application in range(starts[student], starts[student + 1]):
            if room == 0:
                break
            if keys[application] < refused[targets[application]]:
                granted[application] = 1
                room -= 1
    return granted


@njit(cache=True)
def reserved(  # noqa: C901, PLR0915 -- one loop over one state; split further it would pass a dozen arrays around
    starts: Array, targets: Array, keys: Array, classes: Array, capacities: Array, wanted: Array, first: Array, needs: Array
) -> Array:
    """Deferred acceptance with reserved seats; which applications are granted.

    The classes of offering o are first[o] … first[o + 1] − 1 (a power of two of them); needs[first[o] + X] are the seats
    that o reserves for the groups X. See `reserves` for who is refused: to find her, `spare` holds for each X the reserved
    seats less the people inside X, and `worst` the worst key of each class, a few numbers side by side for each offering.
    """
    students, offerings, cells = len(starts) - 1, len(capacities), first[len(capacities)]
    base = _cells(starts, targets, classes, capacities, first)
    heap, whose = np.empty(base[cells], keys.dtype), np.empty(base[cells], np.int32)
    size, refused = np.zeros(cells, np.int32), np.full(cells, np.iinfo(keys.dtype).max, keys.dtype)
    worst, spare = np.full(cells, -1, keys.dtype), needs.astype(np.int32)
    left = capacities.copy()
    for offering in range(offerings):
        if capacities[offering] == 0:
            refused[first[offering] : first[offering + 1]] = -1
    following, room = starts[:-1].copy(), wanted.copy()
    stack = np.empty(students + 1, np.int32)
    for newcomer in range(students):
        stack[0], asking = newcomer, 1
        while asking > 0:
            asking -= 1
            student = stack[asking]
            while room[student] > 0 and following[student] < starts[student + 1]:
                application = following[student]
                following[student] += 1
                offering, key, mine = targets[application], keys[application], np.int64(classes[application])
                start, end = first[offering], first[offering + 1]
                cell = start + mine
                if key >= refused[cell]:
                    continue
                _count(spare, start, end, mine, -1)
                if left[offering] > 0:
                    left[offering] -= 1
                    room[student] -= 1
                    _join(heap, whose, base, size, worst, cell, key, student)
                    continue
                inside = _smallest(spare, start, end)
                out = _last(worst, start, inside)
                if mine | inside == inside and key > worst[start + out]:  # it is she who is one too many
                    _count(spare, start, end, mine, 1)
                    refused[cell] = key
                    continue
                _count(spare, start, end, out, 1)
                out += start
                displaced, refused[out] = whose[base[out]], worst[out]
                room[student] -= 1
                room[displaced] += 1
                if out == cell:
                    heap[base[cell]], whose[base[cell]] = key, student
                    _sift_down(heap, whose, base[cell], size[cell])
                    worst[cell] = heap[base[cell]]
                else:
                    _join(heap, whose, base, size, worst, cell, key, student)
                    _leave(heap, whose, base, size, worst, out)
                if room[student] > 0 and following[student] < starts[student + 1]:
                    stack[asking] = student
                    asking += 1
                stack[asking] = displaced
                asking += 1
                break
    return _granted_by_class(starts, targets, keys, classes, first, refused, wanted)


@njit(cache=True)
def _cells(starts: Array, targets: Array, classes: Array, capacities: Array, first: Array) -> Array:
    """Where the heap of each (offering, class) begins: room for one more than can stay in it."""
    cells = first[len(capacities)]
    room = np.zeros(cells, np.int32)
    for application in range(len(targets)):
        room[first[targets[application]] + classes[application]] += 1
    base = np.zeros(cells + 1, np.int64)
    for offering in range(len(capacities)):
        for cell in range(first[offering], first[offering + 1]):
            base[cell + 1] = base[cell] + min(room[cell], capacities[offering] + 1)
    return base


@njit(cache=True, inline="always")
def _join(heap: Array, whose: Array, base: Array, size: Array, worst: Array, cell: int, key: int, student: int) -> None:
    here = size[cell]
    heap[base[cell] + here], whose[base[cell] + here] = key, student
    _sift_up(heap, whose, base[cell], here)
    size[cell], worst[cell] = here + 1, heap[base[cell]]


@njit(cache=True, inline="always")
def _leave(heap: Array, whose: Array, base: Array, size: Array, worst: Array, cell: int) -> None:
    """The worst of a cell goes."""
    at, left = base[cell], size[cell] - 1
    size[cell] = left
    if left == 0:
        worst[cell] = -1
        return
    heap[at], whose[at] = heap[at + left], whose[at + left]
    _sift_down(heap, whose, at, left)
    worst[cell] = heap[at]


@njit(cache=True, inline="always")
def _count(spare: Array, start: int, end: int, mine: Any, change: int) -> None:
    """Add to every set of groups that holds the class `mine`."""
    each = mine
    while start + each < end:
        spare[start + each] += change
        each = (each + 1) | mine


@njit(cache=True, inline="always")
def _smallest(spare: Array, start: int, end: int) -> Any:
    """The smallest set of groups whose people exceed its reserved seats by most (`reserves.surplus`)."""
    least, smallest = spare[start], np.int64(0)
    for each in range(1, end - start):
        if spare[start + each] < least:
            least, smallest = spare[start + each], np.int64(each)
        elif spare[start + each] == least:
            smallest &= each
    return smallest


@njit(cache=True, inline="always")
def _last(worst: Array, start: int, inside: int) -> Any:
    """The class, of those inside this set of groups, that has the worst key."""
    out, each = np.int64(0), np.int64(0)
    while each != inside:
        each = (each - inside) & inside  # the next subset
        if worst[start + each] > worst[start + out]:
            out = each
    return out


@njit(cache=True)
def _granted_by_class(
    starts: Array, targets: Array, keys: Array, classes: Array, first: Array, refused: Array, wanted: Array
) -> Array:
    granted = np.zeros(len(targets), np.uint8)
    for student in range(len(starts) - 1):
        room = wanted[student]
        for application in range(starts[student], starts[student + 1]):
            if room == 0:
                break
            if keys[application] < refused[first[targets[application]] + classes[application]]:
                granted[application] = 1
                room -= 1
    return granted


@njit(cache=True)
def in_turn(starts: Array, targets: Array, capacities: Array, wanted: Array, order: Array) -> Array:
    """Serial dictatorship of the students in this order; which applications are granted."""
    left, granted = capacities.copy(), np.zeros(len(targets), np.uint8)
    for student in order:
        room = wanted[student]
        for application in range(starts[student], starts[student + 1]):
            if room == 0:
                break
            if left[targets[application]] > 0:
                left[targets[application]] -= 1
                granted[application] = 1
                room -= 1
    return granted


@njit(cache=True)
def waiting(starts: Array, granted: Array, wanted: Array) -> Array:
    """Which applications wait: ranked above the worst seat of the student, or she has fewer seats than she wanted."""
    found = np.zeros(len(granted), np.uint8)
    for student in range(len(starts) - 1):
        room = wanted[student]
        for application in range(starts[student], starts[student + 1]):
            if room == 0:
                break
            if granted[application]:
                room -= 1
            else:
                found[application] = 1
    return found


@njit(cache=True)
def chosen_twice(starts: Array, targets: Array, offerings: int) -> bool:
    """Whether somebody ranks an offering twice."""
    seen = np.full(offerings, -1, np.int32)
    for student in range(len(starts) - 1):
        for application in range(starts[student], starts[student + 1]):
            if seen[targets[application]] == student:
                return True
            seen[targets[application]] = student
    return False
