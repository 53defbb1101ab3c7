"""Seats promised to an institution: the quotas allow exactly the flows of students that the promises can carry."""

from collections import Counter
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from vsm.exchange.allocation.flows import Promise, agreement_quotas

OFFERINGS = ("algebra", "law", "poetry")
covers = st.sets(st.sampled_from(OFFERINGS), min_size=1)


def carried(seats: dict[str, int], covering: dict[str, set[str]], flow: list[str]) -> bool:
    """Whether each student of a flow (an offering each) can be given a seat of one promise that covers it, by trying all."""
    if not flow:
        return True
    return any(seats[name] and carried(seats | {name: seats[name] - 1}, covering, flow[1:]) for name in seats if flow[0] in covering[name])


@given(st.lists(st.tuples(st.integers(0, 2), covers), min_size=1, max_size=3), st.lists(st.sampled_from(OFFERINGS), max_size=2))
def test_the_quotas_allow_exactly_what_the_promises_carry(promised: list[tuple[int, set[str]]], before: list[str]) -> None:
    """Also after earlier results, which gave seats that more than one promise may have covered."""
    seats = {str(number): count for number, (count, _covered) in enumerate(promised)}
    covering = {str(number): covered for number, (_count, covered) in enumerate(promised)}
    if not carried(seats, covering, before):
        return  # an earlier result went beyond: nothing is promised any more of what it took
    promises = [
        Promise(name, "home", "host", seats[name], frozenset(covering[name]), frozenset(f"seat {n}" for n, offering in enumerate(before) if offering in covering[name]))
        for name in seats
    ]
    quotas, labels = agreement_quotas(promises)
    for counts in product(range(4), repeat=len(OFFERINGS)):
        flow = Counter({offering: count for offering, count in zip(OFFERINGS, counts, strict=True) if any(offering in each for each in covering.values())})
        kept = all(sum(count for offering, count in flow.items() if quota.id in labels[offering]) <= quota.maximum for quota in quotas if quota.maximum is not None)
        assert kept == carried(seats, covering, [*before, *flow.elements()])


def test_an_earlier_seat_counts_against_one_of_two_promises_that_cover_it() -> None:
    """One seat for computing and two for any field, and one of computing is gone: two are left, and all of them for law."""
    computing = Promise("computing", "home", "host", 1, frozenset({"algebra"}), frozenset({"gone"}))
    quotas, labels = agreement_quotas([computing, Promise("any", "home", "host", 2, frozenset({"algebra", "law"}), frozenset({"gone"}))])
    left = {frozenset(offering for offering in labels if quota.id in labels[offering]): quota.maximum for quota in quotas}
    assert left == {frozenset({"law"}): 2, frozenset({"algebra", "law"}): 2}
