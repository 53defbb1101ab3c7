"""Many confirm for the last places at once: exactly as many hold one as there are. Beside it its control."""

import pytest

from tests.races.ground import Play

pytestmark = pytest.mark.committed
CONFIRMING = "tests.exchange.events.racing:confirming"


def test_confirmations_at_once_fill_each_place_once(play: Play) -> None:
    assert play(CONFIRMING, seed=1, naive=False) == {"registered": 2, "waiting": 4, "raised": []}


def test_without_turns_places_are_given_twice(play: Play) -> None:
    """The negative control: the same confirmations with the same pauses, but nobody waits for anybody."""
    given: list[int] = []
    while len(given) < 5 and max(given, default=0) <= 2:
        given.append(play(CONFIRMING, anew=True, seed=len(given), naive=True)["registered"])
    assert max(given) > 2
