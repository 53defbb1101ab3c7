"""Several workers at once: every credential is signed once, with one key, on a place of its own. Beside it its control."""

import pytest

from tests.races.ground import Play

pytestmark = pytest.mark.committed
SIGNING = "tests.exchange.credentials.racing:signing"


def test_four_workers_give_twenty_four_credentials_places_of_their_own(play: Play) -> None:
    assert play(SIGNING, workers=4, courses=24, naive=False) == {
        "broken": [],
        "issued": 24,
        "places": 24,
        "refused by the database": False,
        "other failures": 0,
        "keys": 1,
    }


def test_without_looking_the_workers_meet_and_the_database_keeps_the_places_apart(play: Play) -> None:
    answer = play(SIGNING, workers=4, courses=24, naive=True)
    assert answer["refused by the database"], "nobody met anybody: the test above proves nothing"
    assert answer["places"] == answer["issued"] < 24
