"""The best weekly hours: three ways to the same answer, brute force as judge, limits, sharing, and clocks that change."""

import itertools
import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from vsm.exchange.sessions.slots import (
    FORBIDDEN,
    Rotation,
    Who,
    Wish,
    cost,
    fixed,
    greedy,
    impossible,
    meetings,
    rotate,
    undominated,
    walls,
)

ZONES = (
    "America/Lima", "America/Santiago", "America/Sao_Paulo", "America/New_York", "Europe/Madrid", "Africa/Nairobi", "Asia/Kathmandu",
    "Asia/Manila", "Australia/Sydney", "America/St_Johns", "Australia/Lord_Howe", "Europe/Lisbon",
)  # fmt: skip
SPRING = Wish(date(2026, 3, 16), date(2026, 4, 12), "Europe/Madrid")  # four weeks with 29 March among them


def hours(draw: random.Random, share: float) -> str:
    return "".join("1" if draw.random() < share else "0" for _hour in range(168))


def group(draw: random.Random, count: int, zones: tuple[str, ...] = ZONES[:6], share: float = 0.8) -> list[Who]:
    return [Who(str(number), draw.choice(zones), draw.choice(["", hours(draw, share)])) for number in range(count)]


def tensor(people: list[Who], wish: Wish) -> list[list[list[int]]]:
    return [[[cost(who, wish, week, slot) for who in people] for slot in range(wish.half_hours)] for week in range(wish.weeks)]


# What an hour costs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hour", "price"), [(0, FORBIDDEN), (5, FORBIDDEN), (6, 6), (7, 3), (9, 0), (12, 1), (21, 5), (22, 8), (23, FORBIDDEN)],
)  # fmt: skip
def test_nobody_meets_before_six_or_after_eleven_and_edges_cost_more(hour: int, price: int) -> None:
    assert cost(Who("", "Europe/Madrid"), SPRING, 0, hour * 2) == price


def test_a_meeting_that_ends_at_eleven_sharp_is_allowed_and_a_minute_later_is_not() -> None:
    late = Wish(SPRING.starts_on, SPRING.ends_on, "Europe/Madrid", minutes=61)
    assert (cost(Who("", "Europe/Madrid"), SPRING, 0, 44), cost(Who("", "Europe/Madrid"), late, 0, 44)) == (8, FORBIDDEN)


def test_who_cannot_or_is_busy_misses_but_forbids_nothing() -> None:
    lesson = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)
    busy = Who("", "Europe/Madrid", busy=((lesson, lesson + timedelta(hours=1)),))
    closed = Who("", "Europe/Madrid", "0" * 168)
    assert [cost(busy, SPRING, 0, slot) for slot in (18, 19, 20, 21, 22, 23)] == [0, 0, 20, 20, 20, 1]
    assert {cost(closed, SPRING, 1, slot) for slot in range(336)} == {20, FORBIDDEN}


def test_a_weekend_costs_more_on_ones_own_calendar() -> None:
    sunday_evening = 6 * 48 + 16 * 2  # Sunday 16:00 in Madrid is Monday in Sydney's night, Sunday in Lima
    assert cost(Who("", "America/Lima"), SPRING, 0, sunday_evening) == 3
    saturday = 5 * 48 + 0  # Saturday 00:00 in Madrid is Friday 18:00 in Lima
    assert cost(Who("", "America/Lima"), SPRING, 0, saturday) == 1


# Three ways to the same answer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_the_table_gives_what_the_definition_gives(seed: int) -> None:
    from vsm.exchange.sessions.slots_table import cost_table

    draw = random.Random(seed)
    begins = date(2026, 1, 1) + timedelta(days=draw.randrange(365))
    off = frozenset({begins + timedelta(days=draw.randrange(14))})
    wish = Wish(begins, begins + timedelta(days=draw.choice([3, 14, 20])), draw.choice(ZONES), draw.choice([30, 50, 60, 95]), off)
    lesson = datetime.combine(begins, time(15, 20), UTC)
    people = [*group(draw, 3, ZONES), Who("b", "Asia/Manila", busy=((lesson, lesson + timedelta(minutes=90)),))]
    expected = tensor(people, wish)
    assert cost_table(people, wish).transpose(1, 2, 0).tolist() == expected


@pytest.mark.parametrize(("zone", "starts_on"), [("America/Santiago", date(2026, 9, 3)), ("Europe/Madrid", date(2026, 10, 22)), ("Australia/Lord_Howe", date(2026, 4, 2))])
def test_the_table_knows_hours_that_the_clock_skips_or_shows_twice(zone: str, starts_on: date) -> None:
    from vsm.exchange.sessions.slots_table import cost_table

    wish = Wish(starts_on, starts_on + timedelta(days=6), zone)
    people = [Who("a", zone), Who("b", "Asia/Kathmandu")]
    assert cost_table(people, wish).transpose(1, 2, 0).tolist() == tensor(people, wish)


@pytest.mark.parametrize("seed", range(3))
def test_the_quick_search_finds_what_the_plain_one_finds(seed: int) -> None:
    from vsm.exchange.sessions.slots_table import best_fixed, best_rotation, cost_table

    draw = random.Random(seed)
    wish = Wish(date(2026, 3, 16), date(2026, 4, 5), "Europe/Madrid")
    people = group(draw, 4)
    table = cost_table(people, wish)
    plain = table.transpose(1, 2, 0).tolist()
    assert best_fixed(table, 336) == fixed(people, wish)
    assert best_rotation(table, 24) == rotate(plain, 24)


def test_thousands_of_teams_get_what_each_would_get_alone() -> None:
    import numpy as np

    from vsm.exchange.sessions.slots_teams import Teams, meet

    draw = random.Random(7)
    wish = Wish(date(2026, 3, 23), date(2026, 4, 5), "Europe/Madrid", without=frozenset({date(2026, 4, 3)}))
    teams = [group(draw, draw.choice([2, 3, 4]), ZONES) for _team in range(5)]
    zone_of, can = np.full((5, 4), -1, np.int16), np.ones((5, 4, 168), np.uint8)
    for row, team in enumerate(teams):
        for place, who in enumerate(team):
            zone_of[row, place] = ZONES.index(who.zone)
            can[row, place] = [int(each) for each in who.can or "1" * 168]
    found = meet(Teams(ZONES, zone_of, can), wish)
    for row, team in enumerate(teams):
        alone = greedy(team, wish)
        assert [None if slot < 0 else slot for slot in found.slots[row].tolist()] == list(alone.slots)
        assert found.burdens[row, : len(team)].tolist() == list(alone.burdens)


# Brute force as judge -------------------------------------------------------------------------------------------------


def naive(people: list[Who], wish: Wish) -> tuple[int, int, int] | None:
    """(greatest burden, sum, slot) of the best fixed hour, by nothing but datetime and loops."""
    zone, best = ZoneInfo(wish.zone), None
    for day, half in itertools.product(range(7), range(48)):
        carried = []
        for who in people:
            total = 0
            for week in range(wish.weeks):
                wall = datetime.combine(wish.starts_on, time(), zone) + timedelta(days=day + 7 * week, minutes=30 * half)
                local = wall.astimezone(UTC).astimezone(ZoneInfo(who.zone))
                after = local + timedelta(minutes=wish.minutes)
                if local.hour < 6 or after.replace(tzinfo=None) > datetime.combine(local.date(), time(23)):
                    break
                touched = {(local + timedelta(minutes=minute)).hour for minute in range(wish.minutes)}
                missed = bool(who.can) and any(who.can[local.weekday() * 24 + hour] == "0" for hour in touched)
                total += 20 if missed else max(wish.costs.of_hour[hour] for hour in touched) + 3 * (local.weekday() >= 5)
            else:
                carried.append(total)
        if len(carried) == len(people):
            key = (max(carried), sum(carried), day * 48 + half)
            best = min(best or key, key)
    return best


@pytest.mark.parametrize("seed", range(8))
def test_no_other_fixed_hour_is_better(seed: int) -> None:
    from vsm.exchange.sessions.slots_table import search

    people = group(random.Random(seed), 4)
    found, _rotation = search(people, SPRING)
    best = naive(people, SPRING)
    assert (best is None) == (found == [])
    if best:
        assert (found[0].worst, found[0].total, found[0].slot) == best


def brute(costs: list[list[list[int]]]) -> tuple[int, int]:
    """(greatest burden, sum) of the best sequence among all."""
    persons = range(len(costs[0][0]))
    choices = [[week[slot] for slot in undominated(week)] for week in costs]
    return min(
        (max(carried), sum(carried))
        for sequence in itertools.product(*choices)
        for carried in [[sum(chosen[who] for chosen in sequence) for who in persons]]
    )


@pytest.mark.parametrize("seed", range(40))
def test_no_other_sequence_shares_the_burden_better(seed: int) -> None:
    draw = random.Random(seed)
    persons, weeks, slots = draw.randint(2, 4), draw.randint(2, 5), draw.randint(2, 6)
    costs = [[[draw.choice([0, 1, 2, 3, 5, 8, 20]) for _who in range(persons)] for _slot in range(slots)] for _week in range(weeks)]
    found = rotate(costs, beam=3000)
    assert found.proven
    assert (found.worst, found.total) == brute(costs)


def test_a_narrow_beam_says_that_nothing_is_proven() -> None:
    draw = random.Random(1)
    costs = [[[draw.randrange(9) for _who in range(4)] for _slot in range(8)] for _week in range(6)]
    wide, narrow = rotate(costs, beam=3000), rotate(costs, beam=2)
    assert (narrow.proven, (narrow.worst, narrow.total) >= (wide.worst, wide.total)) == (False, True)


# Limits, sharing, clocks ----------------------------------------------------------------------------------------------

TERM = Wish(date(2026, 2, 2), date(2026, 5, 24), "Europe/Paris")
COIL = [Who("l", "America/Lima"), Who("f", "Europe/Paris"), Who("m", "Asia/Manila")]


def test_lima_and_manila_share_the_bad_hours_with_lyon_between() -> None:
    from vsm.exchange.sessions.slots_table import search

    hours_found, rotation = search(COIL, TERM)
    assert rotation.worst < hours_found[0].worst
    assert max(rotation.burdens) - min(rotation.burdens[0], rotation.burdens[2]) <= 3
    assert rotation == rotation_of(rotation)


def rotation_of(found: Rotation) -> Rotation:
    """The burdens worked out again from the hours chosen, by the definition."""
    carried = [sum(cost(who, TERM, week, slot) for week, slot in enumerate(found.slots) if slot is not None) for who in COIL]
    return Rotation(found.slots, tuple(carried), max(carried), sum(carried), found.proven)


def test_an_hour_is_told_on_every_wall_with_the_days_on_which_it_changes() -> None:
    told = walls(TERM, 2 * 48 + 13 * 2, ["Asia/Manila", "Europe/Paris", "America/Lima"])
    assert [(each.zone, f"{each.first:%a %H:%M}", [f"{change:%d %b %H:%M}" for change in each.changes]) for each in told] == [
        ("America/Lima", "Wed 07:00", ["01 Apr 06:00"]), ("Europe/Paris", "Wed 13:00", []), ("Asia/Manila", "Wed 20:00", ["01 Apr 19:00"]),
    ]  # fmt: skip


def test_a_week_that_no_zone_pair_can_share_is_named() -> None:
    people = [Who("h", "Pacific/Honolulu"), Who("m", "Europe/Madrid"), Who("y", "Australia/Sydney"), Who("l", "America/Lima")]
    wish = Wish(date(2026, 5, 4), date(2026, 5, 31), "Europe/Madrid", minutes=420)
    assert fixed(people[:2], wish) == []
    assert ("Europe/Madrid", "Pacific/Honolulu") in impossible(people, wish)
    assert ("America/Lima", "Europe/Madrid") not in impossible(people, wish)


def test_a_week_without_an_hour_stays_empty_and_the_others_are_planned() -> None:
    costs = [[[0, 1], [2, 0]], [[FORBIDDEN, 0]], [[1, 1]]]
    assert rotate(costs).slots == (0, None, 0)


def test_days_off_are_no_meetings() -> None:
    wish = Wish(date(2026, 3, 2), date(2026, 3, 22), "America/Lima", without=frozenset({date(2026, 3, 9)}))
    assert [f"{wall:%m-%d %H:%M}" for wall in meetings(wish, [18, 18, 18])] == ["03-02 09:00", "03-16 09:00"]
