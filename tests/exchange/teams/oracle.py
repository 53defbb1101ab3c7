"""The optimum by CP-SAT, an assignment model written apart from the engine: one switch for each person and team.

It knows the rules of `classes.RULES` and teams of any even cut.
"""

from typing import Any

from vsm.exchange.teams.problem import Kind, Problem, Rule


def optimum(problem: Problem, seconds: float = 60.0) -> int:
    """The least weight of unmet wishes; raises where the solver could not prove it in time."""
    value, bound = best_in_time(problem, seconds)
    if value is None or value != bound:
        raise AssertionError("the oracle could not prove an optimum")
    return value


def best_in_time(problem: Problem, seconds: float) -> tuple[int | None, int]:
    """(the best weight found in time or None, the bound below which nothing exists)."""
    from ortools.sat.python import cp_model

    people, teams = problem.participants, problem.number_of_teams
    quotient, rest = divmod(len(people), teams)
    model = cp_model.CpModel()
    joins = [[model.new_bool_var("") for _ in range(teams)] for _ in people]
    price: list[Any] = []
    for switches in joins:
        model.add_exactly_one(switches)
    for team in range(teams):
        size = quotient + (team < rest)
        here = {each.id: joins[place][team] for place, each in enumerate(people)}
        model.add(sum(here.values()) == size)
        price += [rule.weight * _miss(model, problem, rule, here, size) for rule in problem.rules]
    model.minimize(sum(price))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 2
    found = solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return (round(solver.objective_value) if found else None), round(solver.best_objective_bound)


def _miss(model: Any, problem: Problem, rule: Rule, here: dict[str, Any], size: int) -> Any:
    people = problem.participants
    miss = model.new_int_var(0, 1000, "")
    if rule.kind is Kind.LANGUAGE:
        shared = [_all(model, here, [p.id for p in people if tag not in p.languages]) for tag in sorted({t for p in people for t in p.languages})]
        model.add(sum(shared) + miss >= 1)
    elif rule.kind is Kind.WINDOW:
        shared = [_all(model, here, [p.id for p in people if block not in (p.available or ())]) for block in range(42)]
        model.add(sum(shared) + miss >= rule.amount)
    elif rule.kind is Kind.COUNTRIES:
        seen = []
        for country in sorted({p.country for p in people}):
            switch = model.new_bool_var("")
            model.add(sum(here[p.id] for p in people if p.country == country) >= switch)
            seen.append(switch)
        model.add(sum(seen) + miss >= rule.amount)
    elif rule.kind is Kind.SAME_INSTITUTION:
        for institution in {p.institution for p in people}:
            model.add(sum(here[p.id] for p in people if p.institution == institution) <= rule.amount + miss)
    elif rule.kind is Kind.NOT_ALONE:
        group, _, value = rule.of.partition("=")
        count = sum(here[p.id] for p in people if p.groups.get(group) == value)
        none, several = model.new_bool_var(""), model.new_bool_var("")
        model.add(count + size * none <= size)
        model.add(count >= 2 * several)
        model.add(none + several + miss >= 1)
    else:
        total = sum(p.skills[rule.of] * here[p.id] for p in people)
        target = problem.target(rule.of, size)
        model.add(miss >= total - target)
        model.add(miss >= target - total)
    return miss


def _all(model: Any, here: dict[str, Any], without: list[str]) -> Any:
    """A switch that can be on only where nobody of `without` is."""
    switch = model.new_bool_var("")
    for name in without:
        model.add(here[name] + switch <= 1)
    return switch
