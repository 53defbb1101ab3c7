"""The pace: each person, and each address of strangers, has so many requests a minute; one does not use up another's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from tests.api.caller import Caller, is_problem
from vsm.api.rest import pace
from vsm.kit import clock, requests

NOON = datetime.now(UTC).replace(second=15, microsecond=0)


@pytest.fixture(autouse=True)
def _slow(settings: Any, _in_the_world: None) -> None:
    settings.API_RATES = {"stranger": 2, "person": 3}


def statuses(caller: Caller, times: int) -> list[int]:
    return [caller.get("/hubs").status_code for _ in range(times)]


def test_too_many_requests_are_told_when_to_come_again(calling: Callable[..., Caller]) -> None:
    with clock.stopped_at(NOON):
        assert statuses(Caller(), 3) == [200, 200, 429]
        answer = Caller().get("/hubs")
        assert is_problem(answer, 429)
        assert answer.headers["Retry-After"] == "45"
        assert answer.json()["type"] == "urn:vsm:problem:throttled"
    with clock.stopped_at(NOON + timedelta(seconds=44)):
        assert statuses(Caller(), 1) == [429]
    with clock.stopped_at(NOON + timedelta(seconds=45)):
        assert statuses(Caller(), 1) == [200]


def test_each_person_has_a_pace_of_their_own_with_any_token(calling: Callable[..., Caller]) -> None:
    bia, other_token_of_bia, carlos = calling("bia"), calling("bia"), calling("carlos")
    with clock.stopped_at(NOON):
        assert statuses(bia, 2) + statuses(other_token_of_bia, 2) == [200, 200, 200, 429]
        assert statuses(carlos, 3) == [200, 200, 200]
        assert is_problem(bia.post("/hubs/01a2c0de-0000-7000-8000-000000000001/add_organisation"), 429)


def test_strangers_are_counted_by_address_and_cannot_choose_theirs() -> None:
    with clock.stopped_at(NOON):
        here, there = Caller(), Caller()
        there.client.defaults["REMOTE_ADDR"] = "203.0.113.9"
        assert statuses(here, 3) == [200, 200, 429]
        assert statuses(there, 2) == [200, 200]
        here.headers["X-Forwarded-For"] = "198.51.100.7"
        assert statuses(here, 1) == [429]


def test_behind_our_own_proxy_only_what_it_added_itself_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    class Proxied:
        is_secure = True

    monkeypatch.setattr(requests, "settings", Proxied)
    with clock.stopped_at(NOON):
        caller = Caller()
        for claimed, expected in (("198.51.100.1", 200), ("198.51.100.2", 200), ("198.51.100.3", 429)):
            caller.headers["X-Forwarded-For"] = f"{claimed}, 203.0.113.5"
            assert statuses(caller, 1) == [expected]
        caller.headers["X-Forwarded-For"] = "198.51.100.1, 203.0.113.6"
        assert statuses(caller, 1) == [200]


def test_production_has_its_limits_without_any_setting(settings: Any) -> None:
    del settings.API_RATES
    assert dict(pace._rates()) == {"stranger": 120, "person": 1200}


def test_a_cache_that_forgets_lets_people_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgot(key: str, *_args: object) -> int:
        raise ValueError(key)

    monkeypatch.setattr(cache, "incr", forgot)
    assert statuses(Caller(), 5) == [200] * 5
