"""Formation keeps the laws, equals the proven optimum on small classes, and re-balancing moves no more than it must."""

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange.teams.classes import RULES, a_class, a_problem, cost_as_benchmarked
from tests.exchange.teams.oracle import optimum
from vsm.exchange.teams import exact, kernel, tiny
from vsm.exchange.teams.problem import Kind, Participant, Problem, Rule
from vsm.exchange.teams.scoring import Cost, cost_of, cost_of_team
from vsm.exchange.teams.solver import Effort, deal, form, rebalance
from vsm.exchange.teams.tables import tables_of, teams_of
from vsm.kit.errors import Invalid

MUST = (Rule(Kind.LANGUAGE), Rule(Kind.COUNTRIES, 2), Rule(Kind.NOT_ALONE, of="gender=woman"), Rule(Kind.ZONES, 8, weight=3), *RULES[-5:])
QUICK = Effort(20_000, 2)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Small classes of every shape: unknown facts, wishes and musts, friends and foes."""
    n = draw(st.integers(2, 14))
    few = st.sampled_from(["", "a", "b", "c"])
    people = [
        Participant(
            f"p{number:02}", draw(few), draw(few), frozenset(draw(st.sets(st.sampled_from(["en", "es", "pt"])))),
            draw(st.integers(-12, 14)) * 60, draw(st.none() | st.frozensets(st.integers(0, 70), max_size=12)),
            draw(st.dictionaries(st.sampled_from(["x", "y"]), st.integers(-3, 9))), {"g": draw(few)},
        )
        for number in range(n)
    ]  # fmt: skip
    weight = st.integers(0, 9)
    kinds = [Kind.LANGUAGE, Kind.WINDOW, Kind.COUNTRIES, Kind.INSTITUTIONS, Kind.SAME_COUNTRY, Kind.SAME_INSTITUTION, Kind.ZONES]
    rules = [Rule(kind, draw(st.integers(1, 4)), weight=draw(weight)) for kind in draw(st.sets(st.sampled_from(kinds)))]
    rules += [Rule(Kind.NOT_ALONE, of=draw(st.sampled_from(["g", "g=a"])), weight=draw(weight)), Rule(Kind.BALANCE, of="x", weight=2)]
    ids = st.sampled_from([each.id for each in people])
    pairs = draw(st.lists(st.tuples(ids, ids).filter(lambda pair: pair[0] < pair[1]), max_size=4, unique=True))
    size = draw(st.integers(2, 5))
    return Problem.of(
        people, rules, size=size, seed="s", smallest=1, largest=6, together=pairs[::2],
        apart=[pair for pair in pairs[1::2] if pair not in pairs[::2]],
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(problems())
def test_everybody_is_in_exactly_one_team_and_no_team_is_too_small_or_large(problem: Problem) -> None:
    formation = form(problem, effort=QUICK)
    assert sorted(name for team in formation.teams for name in team) == [each.id for each in problem.participants]
    assert len(formation.teams) == problem.number_of_teams
    sizes = sorted(map(len, formation.teams))
    assert problem.smallest <= sizes[0]
    assert sizes[-1] <= problem.largest
    assert formation.cost == cost_of(problem, formation.teams) <= cost_of(problem, deal(problem))


@settings(max_examples=40, deadline=None)
@given(problems(), st.integers(0, 2**40))
def test_the_search_counts_costs_as_the_readable_definition_does(problem: Problem, seed: int) -> None:
    import numpy as np

    start = deal(problem)
    width = min(max(map(len, start)) + 1, problem.largest)
    number = {each.id: place for place, each in enumerate(problem.participants)}
    holders = np.array([[number[name] for name in team] + [-1] * (width - len(team)) for team in start], np.int64)
    tables = tables_of(problem, width, {team[0]: 0 for team in start})
    state = kernel.begin(tables, holders, seed)
    best_holders, best = holders.copy(), state.sums.copy()
    kernel.anneal(*tables, *state, best_holders, best, 0, 400, 4000, 50.0, 1.0, 100, 30)
    for slots, sums in ((state.slots[:, :, 0], state.sums), (best_holders, best)):
        teams = teams_of(problem, slots)
        assert Cost(sums[0], sums[2]) == cost_of(problem, teams)
        assert sums[1] == sum(team[0] not in teams[0] for team in start)
    alone = kernel.costs(*tables, best_holders).tolist()
    filled = [(cost, team) for cost, team in zip(alone, teams_of(problem, best_holders), strict=True) if team]
    assert [Cost(*cost) for cost, _team in filled] == [cost_of_team(problem, team) for _cost, team in filled]


def test_the_same_seed_gives_the_same_teams_in_whatever_order_people_are_read() -> None:
    people = a_class(60)
    shuffled = random.Random(3).sample(people, len(people))
    one, other, third = (
        form(Problem.of(group, reversed(MUST), size=5, seed=seed), effort=QUICK)
        for group, seed in ((people, "s"), (shuffled, "s"), (people, "t"))
    )
    assert one == other
    assert third.teams != one.teams


def test_plain_python_gives_the_same_teams_as_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = a_problem(40, rules=MUST, together=[("s00001", "s00002")], apart=[("s00003", "s00004")])
    compiled = form(problem, effort=Effort(1500, 1))
    for name, function in vars(kernel).copy().items():
        if hasattr(function, "py_func"):
            monkeypatch.setattr(kernel, name, function.py_func)
    assert form(problem, effort=Effort(1500, 1)) == compiled


@pytest.mark.parametrize(("people", "seed"), [(12, 3), (20, 1), (23, 2), (25, 3)])
def test_a_small_class_gets_teams_as_good_as_an_independent_solver_can_prove(
    people: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = a_problem(people, seed=seed)
    formation = form(problem)
    assert formation.proved
    if people <= 12:
        assert formation.cost == Cost(0, optimum(problem))
        monkeypatch.setattr(tiny, "is_tiny", lambda _problem: False)
        assert form(problem).cost == formation.cost
    if people % 5 == 0:
        assert formation.cost.soft == cost_as_benchmarked(problem, formation.teams)


def test_rules_that_must_hold_come_before_all_wishes() -> None:
    problem = a_problem(20, seed=2, rules=(*RULES[1:], Rule(Kind.LANGUAGE)))
    assert form(problem).cost.hard == 0
    everything = form(a_problem(24, rules=MUST))
    assert everything.is_kept
    assert everything.proved


@settings(max_examples=25, deadline=None)
@given(st.integers(6, 8), st.integers(0, 10_000))
def test_rebalancing_is_the_best_there_is(people: int, seed: int) -> None:
    """Against every assignment of a small class, one after another."""
    draw = random.Random(seed)
    rules = (Rule(Kind.COUNTRIES, 2), Rule(Kind.LANGUAGE), Rule(Kind.BALANCE, of="skill-0", weight=1))
    problem = a_problem(people, seed=seed, size=3, smallest=2, largest=4, rules=rules)
    names = [each.id for each in problem.participants]
    stay = draw.sample(names, people - draw.randint(0, 2))
    current = [[*stay[0::2][:4], "gone"], stay[1::2][:4]]
    plain = rebalance(problem, current)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "is_tiny_change", lambda *_given: False)
        formation = rebalance(problem, current, effort=Effort(2000, 1))
    assert (plain.cost, len(plain.moved)) == (formation.cost, len(formation.moved))
    home = {name: place for place, team in enumerate(current) for name in team}

    def order(teams: list[list[str]]) -> tuple[int, int, int]:
        cost = cost_of(problem, teams)
        return cost.hard, sum(home.get(name, place) != place for place, team in enumerate(teams) for name in team), cost.soft

    cuts = ([[n for n, p in zip(names, places, strict=True) if p == row] for row in range(2)] for places in product(range(2), repeat=people))
    best = min(order(cut) for cut in cuts if all(len(team) <= 4 for team in cut))
    assert formation.proved
    assert order([list(team) for team in formation.teams]) == best
    assert len(formation.moved) == best[1]


def test_nobody_moves_when_one_leaves_and_the_rules_still_hold() -> None:
    problem = a_problem(24, rules=(Rule(Kind.LANGUAGE), Rule(Kind.COUNTRIES, 2)), size=5)
    before = form(problem)
    left = next(team for team in before.teams if len(team) == 5)[0]
    people = [each for each in problem.participants if each.id != left]
    after = rebalance(Problem.of(people, problem.rules, size=5, smallest=3, seed="later"), before.teams)
    assert after.moved == ()
    assert after.teams == tuple(tuple(name for name in team if name != left) for team in before.teams)


def test_more_people_than_the_teams_hold_open_a_further_team() -> None:
    people = a_class(16)
    before = form(Problem.of(people[:8], (), size=4, largest=4, smallest=2, seed="s"))
    after = rebalance(Problem.of(people, (), size=4, largest=4, smallest=2, seed="s"), before.teams)
    assert after.teams[:2] == before.teams
    assert sorted(map(len, after.teams)) == [4, 4, 4, 4]


def test_a_long_search_tells_how_far_it_is_and_can_be_stopped() -> None:
    heard: list[tuple[int, int]] = []
    form(a_problem(300), effort=Effort(5000, 1), progress=lambda done, total: heard.append((done, total)))
    assert heard == [(done, 20) for done in range(1, 21)]

    def stop(done: int, total: int) -> None:
        raise InterruptedError(f"{done} of {total}")

    with pytest.raises(InterruptedError):
        form(a_problem(300), effort=Effort(5000, 1), progress=stop)


def test_a_class_of_hundreds_is_better_than_dealt_by_hand_by_far() -> None:
    problem = a_problem(300)
    formation = form(problem, effort=Effort(600_000, 1))
    assert not exact.is_small(problem, 5)
    assert not formation.proved
    assert formation.cost.soft * 10 < cost_of(problem, deal(problem)).soft


def test_faults_are_told_all_at_once() -> None:
    people = [Participant("a", utc_offset=1000), Participant("a"), Participant(" ")]
    with pytest.raises(Invalid) as caught:
        Problem.of(people, [Rule(Kind.BALANCE, of=""), Rule(Kind.ZONES, -1)], size=9, seed="", together=[("a", "z"), ("a", "a")])
    found = [reason.code for reason in caught.value.reasons]
    assert found == ["no-such-cut", "repeated", "participant", "offset", "of", "balance", "amount", "pair-unknown", "pair-of-one", "seed"]


def test_a_frozen_problem_is_read_back_and_a_changed_one_refused() -> None:
    problem = a_problem(12, apart=[("s00003", "s00001")])
    assert Problem.from_bytes(problem.canonical) == problem
    with pytest.raises(Invalid):
        Problem.from_bytes(problem.canonical.replace(b'"size":5', b'"size": 5'))
    with pytest.raises(Invalid):
        Problem.from_bytes(b"[]")


@pytest.mark.parametrize(("people", "size", "sizes"), [(23, 5, [4, 4, 5, 5, 5]), (11, 4, [3, 4, 4]), (7, 5, None), (6, 5, [6]), (9, 4, [4, 5])])
def test_a_class_is_cut_as_near_to_the_wanted_size_as_it_goes(people: int, size: int, sizes: list[int] | None) -> None:
    if sizes is None:
        with pytest.raises(Invalid):
            a_problem(people, size=size, rules=())
        return
    assert sorted(map(len, form(a_problem(people, size=size, rules=())).teams)) == sizes
