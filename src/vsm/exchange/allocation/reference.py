"""The mechanisms in plain Python: short, without libraries, and the measure for the compiled ones (`kernels`).

Each takes `Tables` and says for every application whether it is granted.

Source: Gale and Shapley (1962), "College admissions and the stability of marriage", American Mathematical Monthly 69;
with several seats a student: Roth (1984), "Stability and polarization of interests in job matching", Econometrica 52.
"""

from heapq import heappush, heapreplace

from vsm.exchange.allocation.reserves import Applicants
from vsm.exchange.allocation.tables import Tables


def deferred_acceptance(flat: Tables) -> bytearray:
    """Students propose, offerings keep the best so far.

    The order of proposals does not change the result (Gale and Shapley 1962; McVitie and Wilson 1971).
    """
    everybody = len(flat.seats_wanted)
    capacities, starts, targets, keys = flat.capacities, flat.starts, flat.targets, flat.keys
    admitted: list[list[tuple[int, int]]] = [[] for _ in capacities]  # the worst admitted is on top
    following, room, granted = list(starts), list(flat.seats_wanted), bytearray(len(targets))
    for newcomer in range(everybody):
        asking = [newcomer]
        while asking:
            student = asking.pop()
            application, end = following[student], starts[student + 1]
            while room[student] and application < end:
                heap, key = admitted[targets[application]], keys[application]
                if len(heap) < capacities[targets[application]]:
                    heappush(heap, (-key, application))
                    room[student], granted[application] = room[student] - 1, 1
                elif heap and key < -heap[0][0]:
                    displaced, lost = heapreplace(heap, (-key, application))
                    room[student], granted[application], granted[lost] = room[student] - 1, 1, 0
                    room[-displaced % everybody] += 1
                    asking.append(-displaced % everybody)
                application += 1
            following[student] = application
    return granted


def with_reserves(flat: Tables) -> bytearray:
    """Deferred acceptance where offerings choose with reserved seats."""
    everybody = len(flat.seats_wanted)
    kept = [Applicants(capacity, seats) for capacity, seats in zip(flat.capacities, flat.reserves, strict=True)]
    asked: list[dict[int, int]] = [{} for _ in flat.capacities]  # key → application
    following, room, granted = list(flat.starts), list(flat.seats_wanted), bytearray(len(flat.targets))
    for newcomer in range(everybody):
        asking = [newcomer]
        while asking:
            student = asking.pop()
            while room[student] and following[student] < flat.starts[student + 1]:
                application = following[student]
                following[student] += 1
                offering, key = flat.targets[application], flat.keys[application]
                asked[offering][key] = application
                room[student], granted[application] = room[student] - 1, 1
                refused = kept[offering].offer(key, flat.classes[application])
                if refused is not None:
                    room[refused % everybody] += 1
                    granted[asked[offering][refused]] = 0
                    if refused != key:
                        asking.append(refused % everybody)
    return granted


def serial_dictatorship(flat: Tables) -> bytearray:
    """Students choose one after the other, in the order of the lottery."""
    left, granted = list(flat.capacities), bytearray(len(flat.targets))
    for student, wanted in enumerate(flat.seats_wanted):
        room = wanted
        for application in range(flat.starts[student], flat.starts[student + 1]):
            if room and left[flat.targets[application]]:
                left[flat.targets[application]] -= 1
                room -= 1
                granted[application] = 1
    return granted
