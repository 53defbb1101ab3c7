# mypy: allow-untyped-decorators
"""The machine code of `certificate`: an outcome checked in one pass, without a line of the solver's.

Applications stand as in `compiled`. A *cell* is an offering with a class (the set of its reserved groups that a student
belongs to); first[o] … first[o + 1] − 1 are the cells of offering o, needs[first[o] + X] the seats it reserves for groups X.
"""

from typing import Any

import numpy as np
from numba import njit

Array = Any  # a NumPy array; Numba infers element types
LARGEST = np.int64(2**62)


@njit(cache=True)
def thresholds(targets: Array, keys: Array, classes: Array, granted: Array, capacities: Array, first: Array, needs: Array) -> Array:
    """For each cell the key that somebody must go before to have a claim: the largest number (of the keys' type) where a seat is free,
    −1 for nobody.

    And −2 in the first cell of an offering with more students than seats. In a full offering somebody has a claim when one
    more reserved seat can be filled with her, or when she goes before one of those who could then leave: those without
    whom as many reserved seats are filled.
    """
    cells, offerings = first[len(capacities)], len(capacities)
    size, worst = np.zeros(cells, np.int32), np.full(cells, -1, keys.dtype)
    limit, most = np.full(cells, -1, keys.dtype), np.int64(1)
    for application in range(len(targets)):
        if granted[application]:
            cell = first[targets[application]] + classes[application]
            size[cell] += 1
            worst[cell] = max(worst[cell], keys[application])
    for offering in range(offerings):
        most = max(most, first[offering + 1] - first[offering])
    outside = np.empty(most, np.int64)
    for offering in range(offerings):
        start, end = first[offering], first[offering + 1]
        held = size[start:end].sum()
        if held < capacities[offering]:
            limit[start:end] = np.iinfo(keys.dtype).max
        elif capacities[offering] > 0:
            _limits(start, end, needs, size, worst, limit, outside)
        if held > capacities[offering]:
            limit[start] = -2
    return limit


@njit(cache=True)
def _limits(start: int, end: int, needs: Array, size: Array, worst: Array, limit: Array, outside: Array) -> None:
    """The limits of one full offering; `outside` is room for a number for each set of groups.

    How many reserved seats are filled is the least, over all sets X, of those reserved for X and the people whose class
    is not inside X (König). One person more or less changes that for the sets that do not hold her class, so she can be
    spared just when every set with the least holds it.
    """
    count = end - start
    _people_outside(start, count, needs, size, outside)
    without = outside[0]
    for sets in range(1, count):
        without = min(without, outside[sets])
    for mine in range(count):
        filled = LARGEST
        for sets in range(count):
            filled = min(filled, outside[sets] + (mine | sets != sets))
        if filled > without:
            limit[start + mine] = np.iinfo(limit.dtype).max
            continue
        needed = count - 1
        for sets in range(count):
            if outside[sets] + (mine | sets != sets) == filled:
                needed &= sets
        for each in range(count):
            if each | needed == needed and worst[start + each] > limit[start + mine]:
                limit[start + mine] = worst[start + each]


@njit(cache=True)
def _people_outside(start: int, count: int, needs: Array, size: Array, outside: Array) -> None:
    """For each set of groups: the seats reserved for it, and the people of these cells whose class is not inside it."""
    everybody = np.int64(0)
    for each in range(count):
        outside[each] = -size[start + each]
        everybody += size[start + each]
    bit = 1
    while bit < count:
        for each in range(count):
            if each & bit:
                outside[each] += outside[each ^ bit]
        bit <<= 1
    for sets in range(count):
        outside[sets] += needs[start + sets] + everybody


@njit(cache=True, nogil=True)
def claims(starts: Array, targets: Array, keys: Array, classes: Array, granted: Array, first: Array, limit: Array, wanted: Array) -> Array:
    """For the audit: for each student, 0 when she has no claim, 1 when she has, 2 when she has more than she wanted."""
    found = np.zeros(len(starts) - 1, np.uint8)
    for student in range(len(starts) - 1):
        room, application, end = wanted[student], starts[student], starts[student + 1]
        while room > 0 and application < end:
            if granted[application]:
                room -= 1
            elif keys[application] < limit[first[targets[application]] + classes[application]]:
                found[student] = 1
            application += 1
        while application < end:  # below her last seat nothing is a claim; there may be no further one
            if granted[application]:
                found[student] = 2
            application += 1
    return found


@njit(cache=True)
def mark(starts: Array, targets: Array, ranks: Array, whose: Array, where: Array, rank: Array, granted: Array) -> Array:
    """For the audit: grant the applications that the placements (whose, where, rank) name; which placements name none."""
    wrong = np.zeros(len(whose), np.uint8)
    for row in range(len(whose)):
        wrong[row] = 1
        if whose[row] < 0:
            continue
        for application in range(starts[whose[row]], starts[whose[row] + 1]):
            if targets[application] == where[row] and ranks[application] == rank[row] and not granted[application]:
                granted[application] = 1
                wrong[row] = 0
                break
    return wrong


@njit(cache=True)
def pointers(  # noqa: C901 -- one pass over students, one over cells
    starts: Array, targets: Array, keys: Array, classes: Array, granted: Array, wanted: Array, first: Array, needs: Array
) -> tuple[Array, Array]:
    """For the audit: if somebody of a cell left, the cell of the seat that whoever comes in would give up; −1 for none.

    And the student who would come in. She is the first in line who would fill one more reserved seat, or the first of all.
    """
    cells, students = first[len(first) - 1], len(starts) - 1
    size, best, comes = np.zeros(cells, np.int64), np.full(cells, LARGEST), np.full(cells, np.int64(-1))
    gives = np.full(students, np.int64(-1))
    for student in range(students):
        room = np.int64(wanted[student])
        for application in range(starts[student], starts[student + 1]):
            if room == 0:
                break
            cell = first[targets[application]] + classes[application]
            if granted[application]:
                room -= 1
                size[cell] += 1
                if room == 0:
                    gives[student] = cell
            elif keys[application] < best[cell]:
                best[cell], comes[cell] = keys[application], student
    following, coming = np.full(cells, np.int64(-1)), np.full(cells, np.int64(-1))
    for offering in range(len(first) - 1):
        start, end = first[offering], first[offering + 1]
        for leaving in range(start, end):
            if size[leaving] == 0:
                continue
            size[leaving] -= 1
            chosen = _next(start, end, needs, size, best)
            size[leaving] += 1
            if chosen >= 0:
                coming[leaving] = comes[chosen]
                following[leaving] = gives[comes[chosen]]
    return following, coming


@njit(cache=True)
def _next(start: int, end: int, needs: Array, size: Array, best: Array) -> Any:
    """The cell from which somebody comes in: the best key that fills one more reserved seat, or the best of all."""
    now, chosen, fills = _filled(start, end, needs, size), np.int64(-1), False
    for cell in range(start, end):
        if best[cell] == LARGEST:
            continue
        size[cell] += 1
        more = _filled(start, end, needs, size) > now
        size[cell] -= 1
        if chosen < 0 or (more and not fills) or (more == fills and best[cell] < best[chosen]):
            chosen, fills = np.int64(cell), more
    return chosen


@njit(cache=True)
def _filled(start: int, end: int, needs: Array, size: Array) -> Any:
    """How many reserved seats the people of these cells fill together (König)."""
    least, count = LARGEST, end - start
    for sets in range(count):
        value = needs[start + sets]
        for each in range(count):
            if each | sets != sets:
                value += size[start + each]
        least = min(least, value)
    return least
