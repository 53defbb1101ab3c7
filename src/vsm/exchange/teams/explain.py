"""Teams in words: what a team has in common, which rule is missed and what to loosen. Sentences to translate, no Django.

What members are told names nobody and describes nobody: of the groups that people may not want to be known by
(gender, first in the family to study) it is only said that the rule is kept.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence

from vsm.exchange.teams.problem import Kind, Participant, Problem, Rule
from vsm.exchange.teams.scoring import alone_in, common_blocks, common_languages, hours_apart, shortfalls
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

NAMES = {
    Kind.LANGUAGE: N_("A language that everybody speaks"),
    Kind.WINDOW: N_("Hours at which everybody can meet"),
    Kind.COUNTRIES: N_("Different countries in each team"),
    Kind.INSTITUTIONS: N_("Different institutions in each team"),
    Kind.SAME_COUNTRY: N_("At most so many of one country"),
    Kind.SAME_INSTITUTION: N_("At most so many of one institution"),
    Kind.ZONES: N_("Clocks near enough"),
    Kind.NOT_ALONE: N_("Nobody alone"),
    Kind.TOGETHER: N_("Together"),
    Kind.APART: N_("Apart"),
    Kind.BALANCE: N_("Balance between teams"),
}

LOOSEN = {
    Kind.LANGUAGE: N_("Make the common language a wish, or allow teams of another size."),
    Kind.WINDOW: N_("Ask for more available hours, want fewer common hours, or allow smaller teams."),
    Kind.COUNTRIES: N_("Want fewer countries, form larger teams, or invite a class of another country."),
    Kind.INSTITUTIONS: N_("Want fewer institutions, form larger teams, or invite another institution."),
    Kind.SAME_COUNTRY: N_("Allow more of one country in a team."),
    Kind.SAME_INSTITUTION: N_("Allow more of one institution in a team."),
    Kind.ZONES: N_("Allow clocks further apart, or let teams work without live meetings."),
    Kind.NOT_ALONE: N_("Make it a wish, or form larger teams."),
    Kind.TOGETHER: N_("Give up some of the pairs, or form larger teams."),
    Kind.APART: N_("Give up some of the pairs, or form more teams."),
}


def told(problem: Problem, team: Collection[str]) -> list[Reason]:
    """What the members of a team may know about why they are together; nothing about any one of them."""
    members = [problem.by_id[name] for name in sorted(team)]
    if not members:
        return []
    missed = {miss.rule for miss in shortfalls(problem, team)}
    found = [*_shared(members)]
    for rule in problem.rules:
        if rule.kind is Kind.NOT_ALONE and rule not in missed:
            found.append(Reason("kept-not-alone", N_("The rule that nobody should be alone in a group is kept.")))
        elif rule.kind in (Kind.TOGETHER, Kind.APART) and rule not in missed:
            found.append(Reason("kept-pairs", N_("Requests to work together or apart are kept.")))
    balances = [rule for rule in problem.rules if rule.kind is Kind.BALANCE]
    if balances:
        far = max(_distance(problem, rule, members) for rule in balances)
        if far <= 1:
            found.append(Reason("balanced", N_("Skills and workload are what an average team has.")))
    return list({reason.code: reason for reason in found}.values())


def missed(problem: Problem, teams: Sequence[Collection[str]]) -> list[Reason]:
    """Every rule that must hold and does not: in how many teams, which, and what to loosen. For offices and teachers.

    Teams are numbered from 1 as they stand. Rules about groups say the team alone, not who is concerned.
    """
    where: dict[Rule | None, list[int]] = defaultdict(list)
    whom: dict[Rule | None, set[str]] = defaultdict(set)
    for number, team in enumerate(teams, start=1):
        for miss in shortfalls(problem, team):
            if miss.rule is None or miss.rule.is_hard:
                where[miss.rule].append(number)
                whom[miss.rule] |= set(miss.whom)
    return [_missed(rule, numbers, whom[rule]) for rule, numbers in where.items()]


def impossible(problem: Problem) -> list[Reason]:
    """What can be seen before any search: rules that must hold and that no formation can keep, for whom, and what next.

    Nothing found is no promise; but each thing found is a proof.
    """
    found: list[Reason] = []
    for rule in problem.rules:
        if rule.is_hard:
            found += _impossible(problem, rule)
    return found


def effect(rule: Rule) -> Reason:
    """What a rule does, in one plain sentence."""
    facts = {"amount": rule.amount, "of": rule.of.partition("=")[0]}
    return Reason(f"effect-{rule.kind}", _EFFECTS[rule.kind], facts)


_EFFECTS = {
    Kind.LANGUAGE: N_("Each team has at least one language that everybody in it speaks."),
    Kind.WINDOW: N_("Each team has at least %(amount)s hours of the week at which a meeting of all can start."),
    Kind.COUNTRIES: N_("Each team has people of at least %(amount)s countries."),
    Kind.INSTITUTIONS: N_("Each team has people of at least %(amount)s institutions."),
    Kind.SAME_COUNTRY: N_("No team has more than %(amount)s people of one country."),
    Kind.SAME_INSTITUTION: N_("No team has more than %(amount)s people of one institution."),
    Kind.ZONES: N_("The clocks of a team are at most %(amount)s hours apart."),
    Kind.NOT_ALONE: N_("Nobody is the only one of her group in a team (%(of)s)."),
    Kind.TOGETHER: N_("Who asked to work together is in one team."),
    Kind.APART: N_("Who should not work together is in different teams."),
    Kind.BALANCE: N_("Each team has about as much of it as the others (%(of)s)."),
}


def _shared(members: Sequence[Participant]) -> Iterator[Reason]:
    languages = common_languages(members)
    if languages:
        yield Reason("languages", N_("Everybody speaks: %(languages)s."), {"languages": sorted(languages)})
    countries = {each.country for each in members} - {""}
    if len(countries) > 1:
        yield Reason("countries", N_("You come from %(count)s countries."), {"count": len(countries)})
    institutions = {each.institution for each in members} - {""}
    if len(institutions) > 1:
        yield Reason("institutions", N_("You come from %(count)s institutions."), {"count": len(institutions)})
    apart = hours_apart(each.utc_offset for each in members)
    if apart:
        yield Reason("zones", N_("Your clocks are at most %(hours)s hours apart."), {"hours": apart})
    blocks = common_blocks(members)
    if blocks:
        yield Reason("windows", N_("There are %(count)s times in the week at which a meeting of all can start."), {"count": len(blocks)})


def _distance(problem: Problem, rule: Rule, members: Sequence[Participant]) -> float:
    """How far the team's mean of a skill is from the average of all, per head."""
    total = sum(problem.skill_of(each, rule.of) for each in members)
    return abs(total - problem.target(rule.of, len(members))) / len(members)


def _missed(rule: Rule | None, numbers: Sequence[int], whom: Collection[str]) -> Reason:
    if rule is None:
        text = N_("Teams of another size than allowed: %(teams)s. Allow smaller or larger teams.")
        return Reason("missed-size", text, {"teams": list(numbers)})
    facts: dict[str, object] = {"rule": NAMES[rule.kind], "teams": list(numbers), "loosen": LOOSEN.get(rule.kind, "")}
    if rule.kind is Kind.NOT_ALONE:
        return Reason(f"missed-{rule.kind}", N_("“%(rule)s” is not kept in these teams: %(teams)s. %(loosen)s"), facts)
    text = N_("“%(rule)s” is not kept in these teams: %(teams)s. It concerns: %(whom)s. %(loosen)s")
    return Reason(f"missed-{rule.kind}", text, {**facts, "whom": sorted(whom)})


def _impossible(problem: Problem, rule: Rule) -> Iterator[Reason]:
    people = problem.participants
    if rule.kind in (Kind.COUNTRIES, Kind.INSTITUTIONS, Kind.SAME_COUNTRY, Kind.SAME_INSTITUTION):
        yield from _impossible_places(problem, rule)
    elif rule.kind is Kind.LANGUAGE:
        yield from _impossible_company(problem, rule, lambda one, other: bool(one.languages & other.languages))
    elif rule.kind is Kind.WINDOW:
        yield from _impossible_company(problem, rule, lambda one, other: _met(one, other) >= rule.amount)
    elif rule.kind is Kind.ZONES:
        yield from _impossible_company(problem, rule, lambda one, other: hours_apart((one.utc_offset, other.utc_offset)) <= rule.amount)
    elif rule.kind is Kind.NOT_ALONE:
        if alone_in(rule.of, people):
            facts = {"rule": NAMES[rule.kind], "of": rule.of.partition("=")[0], "loosen": LOOSEN[rule.kind]}
            yield Reason("impossible-alone", N_("“%(rule)s” (%(of)s) cannot be kept: a group has too few people. %(loosen)s"), facts)
    elif rule.kind is Kind.TOGETHER:
        yield from _impossible_circles(problem, rule)
    elif rule.kind is Kind.APART:
        yield from _impossible_loners(problem)


def _impossible_loners(problem: Problem) -> Iterator[Reason]:
    for name, count in sorted(Counter(name for pair in problem.apart for name in pair).items()):
        if len(problem.participants) - count < problem.smallest:
            text = N_("%(id)s should be apart from %(count)s people: too few are left for a team. %(loosen)s")
            yield Reason("impossible-apart", text, {"id": name, "count": count, "loosen": LOOSEN[Kind.APART]})


def _impossible_places(problem: Problem, rule: Rule) -> Iterator[Reason]:
    is_country = rule.kind in (Kind.COUNTRIES, Kind.SAME_COUNTRY)
    told = Counter(each.country if is_country else each.institution for each in problem.participants)
    del told[""]
    most, teams, people = max(told.values(), default=0), problem.number_of_teams, len(problem.participants)
    facts = {"rule": NAMES[rule.kind], "loosen": LOOSEN[rule.kind], "amount": rule.amount, "teams": teams}
    if rule.kind in (Kind.SAME_COUNTRY, Kind.SAME_INSTITUTION):
        if most > teams * rule.amount:
            text = N_("“%(rule)s” (%(amount)s) cannot be kept: %(most)s people are of one, and there are %(teams)s teams. %(loosen)s")
            yield Reason("impossible-same", text, {**facts, "most": most})
        return
    if len(told) < rule.amount:
        text = N_("“%(rule)s” (%(amount)s) cannot be kept: there are only %(places)s among these people. %(loosen)s")
        yield Reason("impossible-mixed", text, {**facts, "places": len(told)})
        return
    # Each team holds at most one person of a place that counts; whoever is more of her place adds nothing.
    seats = sum(min(count, teams) for count in told.values())
    if seats < teams * rule.amount or problem.largest < rule.amount:
        text = N_("“%(rule)s” (%(amount)s) cannot be kept in %(teams)s teams: %(others)s of %(people)s people are not of the largest group. %(loosen)s")
        yield Reason("impossible-mixed", text, {**facts, "others": people - most, "people": people})


def _impossible_company(problem: Problem, rule: Rule, agree: Callable[[Participant, Participant], bool]) -> Iterator[Reason]:
    """Whoever agrees with too few to fill even the smallest team. Looked at in classes of up to 2,000."""
    if len(problem.participants) > 2000:
        return
    for one in problem.participants:
        company = sum(agree(one, other) for other in problem.participants if other.id != one.id)
        if company < problem.smallest - 1:
            facts = {"id": one.id, "rule": NAMES[rule.kind], "count": company, "needed": problem.smallest - 1, "loosen": LOOSEN[rule.kind]}
            text = N_("“%(rule)s” cannot be kept for %(id)s: it fits with %(count)s others, and a team needs %(needed)s. %(loosen)s")
            yield Reason(f"impossible-{rule.kind}", text, facts)


def _impossible_circles(problem: Problem, rule: Rule) -> Iterator[Reason]:
    """Friends of friends that are more than a team holds, or that hold two who should be apart."""
    circle = {each.id: {each.id} for each in problem.participants}
    for first, second in problem.together:
        joined = circle[first] | circle[second]
        for name in joined:
            circle[name] = joined
    width = -(-len(problem.participants) // problem.number_of_teams)
    for group in {frozenset(each) for each in circle.values() if len(each) > width}:
        text = N_("%(count)s people are chained together by pairs, and a team holds %(width)s: %(whom)s. %(loosen)s")
        facts = {"count": len(group), "width": width, "whom": sorted(group), "loosen": LOOSEN[rule.kind]}
        yield Reason("impossible-together", text, facts)
    for first, second in problem.apart:
        if second in circle[first] and any(each.kind is Kind.APART and each.is_hard for each in problem.rules):
            text = N_("%(first)s and %(second)s should be apart, but are chained together by pairs. %(loosen)s")
            yield Reason("impossible-torn", text, {"first": first, "second": second, "loosen": LOOSEN[rule.kind]})


def _met(one: Participant, other: Participant) -> int:
    blocks = common_blocks([one, other])
    return 10_000 if blocks is None else len(blocks)
