"""A rule that cannot be met is told with for whom and what to loosen; members are told nothing private of each other."""

from typing import Any

import pytest

from tests.exchange.teams.classes import a_problem
from vsm.exchange.teams import explain
from vsm.exchange.teams.problem import Kind, Participant, Problem, Rule
from vsm.exchange.teams.solver import form
from vsm.kit.saying import say_reason


def people(**facts: list[Any]) -> list[Participant]:
    count = len(next(iter(facts.values())))
    return [Participant(f"p{each}", **{name: values[each] for name, values in facts.items()}) for each in range(count)]


def codes(given: list[Participant], *rules: Rule, size: int = 2, **more: Any) -> list[tuple[str, object]]:
    problem = Problem.of(given, rules, size=size, smallest=size, largest=size, seed="s", **more)
    found = [(reason.code, reason.params.get("id", "")) for reason in explain.impossible(problem)]
    if found:  # a proof: the search cannot keep them either
        assert not form(problem).is_kept
    return found


def test_what_cannot_be_kept_is_told_before_any_search() -> None:
    one_country = people(country=["PE", "PE", "PE", "BR"])
    assert codes(one_country, Rule(Kind.COUNTRIES, 2)) == [("impossible-mixed", "")]
    assert codes(one_country, Rule(Kind.SAME_COUNTRY, 1)) == [("impossible-same", "")]
    alone = people(languages=[frozenset({"es"})] * 3 + [frozenset({"fr"})])
    assert codes(alone, Rule(Kind.LANGUAGE)) == [("impossible-language", "p3")]
    asleep = people(available=[frozenset({1, 2})] * 3 + [frozenset({2, 3})])
    assert codes(asleep, Rule(Kind.WINDOW, 2)) == [("impossible-window", "p3")]
    assert codes(asleep, Rule(Kind.WINDOW, 1)) == []
    far = people(utc_offset=[-300, -300, -300, 540])
    assert codes(far, Rule(Kind.ZONES, 9)) == [("impossible-zones", "p3")]
    assert codes(far, Rule(Kind.ZONES, 10)) == []
    lone = people(groups=[{"gender": "man"}] * 3 + [{"gender": "woman"}])
    assert codes(lone, Rule(Kind.NOT_ALONE, of="gender")) == [("impossible-alone", "")]
    four = people(country=[""] * 4)
    assert codes(four, together=[("p0", "p1"), ("p1", "p2")]) == [("impossible-together", "")]
    assert codes(four, apart=[("p0", "p1"), ("p0", "p2"), ("p0", "p3")]) == [("impossible-apart", "p0")]


def test_more_countries_than_there_are_is_told_as_just_that() -> None:
    two = people(country=["PE", "PE", "BR", "BR"])
    (reason,) = explain.impossible(Problem.of(two, [Rule(Kind.COUNTRIES, 4)], size=4, seed="s"))
    assert say_reason(reason).startswith("“Different countries in each team” (4) cannot be kept: there are only 2 among these people.")


def test_wishes_are_never_called_impossible() -> None:
    assert codes(people(country=["PE"] * 4), Rule(Kind.COUNTRIES, 2, weight=5)) == []


def test_what_is_missed_in_the_end_names_rule_teams_people_and_what_to_loosen() -> None:
    problem = Problem.of(people(country=["PE", "PE", "PE", "BR"]), [Rule(Kind.COUNTRIES, 2)], size=2, smallest=2, largest=2, seed="s")
    formation = form(problem)
    (reason,) = explain.missed(problem, formation.teams)
    number = next(place for place, team in enumerate(formation.teams, start=1) if "p3" not in team)
    assert reason.code == "missed-countries"
    assert reason.params == {
        "rule": explain.NAMES[Kind.COUNTRIES], "teams": [number], "loosen": explain.LOOSEN[Kind.COUNTRIES],
        "whom": sorted(formation.teams[number - 1]),
    }  # fmt: skip


def test_members_are_told_nothing_private_and_nobody_by_name() -> None:
    problem = a_problem(20, seed=2, together=[("s00001", "s00002")])
    teams = form(problem).teams
    said = [(reason.text % reason.params, reason) for team in teams for reason in explain.told(problem, team)]
    assert {reason.code for _text, reason in said} >= {"languages", "kept-not-alone", "windows"}
    for text, _reason in said:
        for private in ("s000", "woman", "man", "gender", "first_generation", "skill-"):
            assert private not in text


def test_the_office_is_not_told_who_is_alone_in_a_group() -> None:
    problem = Problem.of(people(groups=[{"gender": "woman"}, {}, {}, {}]), [Rule(Kind.NOT_ALONE, of="gender")], size=2, smallest=2, largest=2, seed="s")
    (reason,) = explain.missed(problem, form(problem).teams)
    assert "p0" not in reason.text % reason.params
    assert "woman" not in reason.text % reason.params


@pytest.mark.parametrize("kind", list(Kind))
def test_every_rule_has_a_plain_effect(kind: Kind) -> None:
    said = explain.effect(Rule(kind, 3, of="design", weight=1))
    assert "%(" not in said.text % said.params
