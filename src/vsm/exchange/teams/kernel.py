"""Simulated annealing on swaps, compiled by numba where it is installed, and the same code as plain Python where not.

Only `solver` imports this module, and only when it is about to search: numba takes a second to load. All arithmetic is
on whole numbers below 2**63, which Python and the compiled code do alike, so that the same seed gives the same teams
on both paths (a test compares).

A team is a row of slots holding the numbers of persons, -1 where vacant; two slots of two teams change their holders,
so moving a person is a swap with a vacancy. What a team would be without each of its members is kept beside it: a
proposal then costs a few operations, and most are refused after the first of them. Sources: Kirkpatrick, Gelatt and
Vecchi (1983), "Optimization by simulated annealing", Science 220; Marsaglia (2003), "Random number generators", J. of Modern
Applied Statistical Methods 2.
"""

from math import exp, log
from typing import Any, NamedTuple

import numpy as np

try:
    from numba import njit
except ImportError:  # the reference path: the same functions, some hundred times slower

    def njit(_signature: str, **_options: Any) -> Any:  # type: ignore[no-redef]  # -- stands in for numba's
        return lambda function: function


ALL = (1 << 60) - 1
WORD = 60
LANGUAGE, WINDOW, DISTINCT, MOST, ZONES = range(5)
_LOW = (1 << 32) - 1
_MULTIPLIER = 698769069
_BLOCK = 1024

# What functions take and give: whole numbers, and arrays of them whose rows lie one after the other.
WHOLE, ROW, GRID, CUBE, TWO, NOTHING = "i8", "i8[::1]", "i8[:,::1]", "i8[:,:,::1]", "UniTuple(i8,2)", "void"
TABLES, STATE = (GRID, GRID, ROW, ROW, GRID, GRID, GRID, GRID, ROW), (CUBE, GRID, ROW, ROW)


def compiled(gives: str, *takes: str) -> Any:
    """For one signature. Left to find the types out, numba compiles a function anew for each number that a call is written with,
    and the first formation on a computer waits for twice as long."""
    return njit(f"{gives}({', '.join(takes)})", cache=True, nogil=True)


# Columns. Arrays are few and wide on purpose: a call that hands over twenty of them costs more than it computes.
# Of a person: languages (bit set), country, institution (numbers, -1 unknown), offset (minutes of the day), home (the
# team to stay in, -1 for a free choice); then W words of the week, F protected values (0 or 1), B skills.
LANGUAGES, PLACE, OFFSET, HOME, PERSON = 0, 1, 3, 4, 5
# Of a slot: its holder; then what the team is without the holder: languages, distinct and most of one country and
# institution, W words of the week.
HOLDER, X_LANGUAGES, X_DISTINCT, X_MOST, SLOT = 0, 1, 2, 4, 6
# Of a team: its size and cost; then F counts, B totals.
SIZE, HARD, SOFT, TEAM = 0, 1, 2, 3
# Of a rule: what it looks at, which place, the bound, the weight (0: must hold).
KIND, COLUMN, AMOUNT, WEIGHT = 0, 1, 2, 3


class Tables(NamedTuple):
    """The problem as arrays of whole numbers. n persons, R rules, F protected values, B balances, P pairs of each."""

    persons: Any  # [n, PERSON + W + F + B]
    rules: Any  # [R, 4]
    flag_weights: Any  # [F], 0: must hold
    skill_weights: Any  # [B]
    targets: Any  # [size, B]
    together: Any  # [n, P], filled with -1
    apart: Any  # [n, P], filled with -1
    pair_weights: Any  # [rules about pairs, 2]: 0 together or 1 apart, weight
    layout: Any  # [W, F, B, smallest, units for each person missing, whether a team may be empty]


class State(NamedTuple):
    """A formation: slots of teams, what each team is without each member, costs, and where the draw stands."""

    slots: Any  # [T, K, SLOT + W]
    teams: Any  # [T, TEAM + F + B]
    team_of: Any  # [n]
    sums: Any  # [3]: hard, moves, soft of all, pairs included
    random: Any  # [1]


def begin(tables: Tables, holders: Any, seed: int) -> State:
    """The state of a formation, ready to be annealed; `holders` [T, K] are persons, -1 where vacant."""
    words, flags, balances = tables.layout[:3].tolist()
    number, width = holders.shape
    slots = np.full((number, width, SLOT + words), -1, np.int64)
    teams = np.zeros((number, TEAM + flags + balances), np.int64)
    random = np.array([1 + seed % ((_MULTIPLIER << 32) - 2)], np.int64)
    state = State(slots, teams, np.full(len(tables.persons), -1, np.int64), np.zeros(3, np.int64), random)
    _begin(*tables, *state[:4], np.ascontiguousarray(holders, np.int64))
    return state


@compiled(WHOLE, ROW, WHOLE)
def _draw(random, below):  # type: ignore[no-untyped-def]  # -- compiled: numba infers whole numbers
    """A number from 0 to `below` - 1 (`below` at most 2**31), by multiplication with carry: nothing exceeds 63 bits.

    Where something could, compiled code and Python would part: the compiler takes it for granted that nothing does.
    """
    state = int(random[0])
    state = _MULTIPLIER * (state & _LOW) + (state >> 32)
    random[0] = state
    return ((state & _LOW) * below) >> 32


@compiled(WHOLE, WHOLE)
def _ones(x):  # type: ignore[no-untyped-def]  # -- compiled
    x = x - ((x >> 1) & 0x5555555555555555)
    x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333)
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0F
    x = x + (x >> 8)
    x = x + (x >> 16)
    return (x + (x >> 32)) & 0x7F


@compiled(WHOLE, GRID, CUBE, WHOLE, WHOLE, WHOLE)
def _arc(persons, slots, a, i, y):  # type: ignore[no-untyped-def]  # -- compiled
    """Hours begun of the shortest arc of the clock that holds team `a` with `y` in slot `i`."""
    best = 1440
    for p in range(slots.shape[1]):
        first = y if p == i else slots[a, p, HOLDER]
        if first < 0:
            continue
        far = 0
        for q in range(slots.shape[1]):
            other = y if q == i else slots[a, q, HOLDER]
            if other >= 0:
                far = max(far, (persons[other, OFFSET] - persons[first, OFFSET]) % 1440)
        best = min(best, far)
    return (best + 59) // 60


@compiled(WHOLE, GRID, CUBE, WHOLE, WHOLE, WHOLE, WHOLE, WHOLE, WHOLE)
def _place_miss(persons, slots, a, i, y, kind, column, amount):  # type: ignore[no-untyped-def]  # -- compiled
    """By how many units team `a`, with `y` in slot `i`, misses a bound on countries or institutions."""
    same = 0
    place = persons[y, PLACE + column] if y >= 0 else -1
    if place >= 0:
        for p in range(slots.shape[1]):
            other = slots[a, p, HOLDER]
            if p != i and other >= 0 and persons[other, PLACE + column] == place:
                same += 1
    if kind == DISTINCT:
        return amount - slots[a, i, X_DISTINCT + column] - (1 if place >= 0 and same == 0 else 0)
    return max(slots[a, i, X_MOST + column], same + 1 if place >= 0 else 0) - amount


@compiled(TWO, GRID, GRID, CUBE, WHOLE, WHOLE, WHOLE, WHOLE, WHOLE, WHOLE)
def _rules_after(persons, rules, slots, words, a, i, y, hard_weight, limit):  # type: ignore[no-untyped-def]  # -- compiled
    """(hard, soft) by the rules on the team as a whole; cut short once the energy is above `limit`."""
    hard = 0
    soft = 0
    for r in range(rules.shape[0]):
        kind = rules[r, KIND]
        if kind == LANGUAGE:
            mask = slots[a, i, X_LANGUAGES] & (persons[y, LANGUAGES] if y >= 0 else ALL)
            miss = 1 if mask == 0 else 0
        elif kind == WINDOW:
            miss = rules[r, AMOUNT]
            for w in range(words):
                miss -= _ones(slots[a, i, SLOT + w] & (persons[y, PERSON + w] if y >= 0 else ALL))
        elif kind == ZONES:
            miss = _arc(persons, slots, a, i, y) - rules[r, AMOUNT]
        else:
            miss = _place_miss(persons, slots, a, i, y, kind, rules[r, COLUMN], rules[r, AMOUNT])
        if miss > 0:
            if rules[r, WEIGHT] == 0:
                hard += miss
            else:
                soft += miss * rules[r, WEIGHT]
            if hard * hard_weight + soft > limit:
                break
    return hard, soft


@compiled(TWO, GRID, GRID, ROW, ROW, GRID, ROW, CUBE, GRID, WHOLE, WHOLE, WHOLE, WHOLE, WHOLE)
def _after(persons, rules, flag_weights, skill_weights, targets, layout, slots, teams, a, i, y, hard_weight, limit):  # type: ignore[no-untyped-def]  # noqa: C901 -- compiled
    """(hard, soft) of team `a` with `y` (or nobody, -1) in slot `i`; cut short once the energy is above `limit`."""
    x = slots[a, i, HOLDER]
    size = teams[a, SIZE] + (1 if y >= 0 else 0) - (1 if x >= 0 else 0)
    if size == 0:
        return (0 if layout[5] else layout[3] * layout[4]), 0
    hard, soft = _rules_after(persons, rules, slots, layout[0], a, i, y, hard_weight, limit)
    hard += max(0, layout[3] - size) * layout[4]
    if hard * hard_weight + soft > limit:
        return hard, soft
    flag = PERSON + layout[0]
    skill = flag + layout[1]
    for b in range(skill_weights.shape[0]):
        total = teams[a, TEAM + layout[1] + b] - targets[size, b]
        if y >= 0:
            total += persons[y, skill + b]
        if x >= 0:
            total -= persons[x, skill + b]
        soft += abs(total) * skill_weights[b]
    if size > 1:
        for f in range(flag_weights.shape[0]):
            count = teams[a, TEAM + f]
            if y >= 0:
                count += persons[y, flag + f]
            if x >= 0:
                count -= persons[x, flag + f]
            if count == 1:
                if flag_weights[f] == 0:
                    hard += 1
                else:
                    soft += flag_weights[f]
    return hard, soft


@compiled(TWO, GRID, WHOLE, WHOLE)
def _weigh(pair_weights, torn, met):  # type: ignore[no-untyped-def]  # -- compiled
    hard = 0
    soft = 0
    for r in range(pair_weights.shape[0]):
        units = torn if pair_weights[r, 0] == 0 else met
        if pair_weights[r, 1] == 0:
            hard += units
        else:
            soft += units * pair_weights[r, 1]
    return hard, soft


@compiled(TWO, GRID, GRID, GRID, ROW, WHOLE, WHOLE, WHOLE, WHOLE)
def _pairs_after(together, apart, pair_weights, team_of, x, a, b, y):  # type: ignore[no-untyped-def]  # -- compiled
    """(hard, soft): how the cost of the pairs of `x` changes when she goes from team `a` to `b` in exchange for `y`."""
    torn = 0
    met = 0
    for p in range(together.shape[1]):
        other = together[x, p]
        if other >= 0 and other != y:
            torn += 2 * ((1 if team_of[other] == a else 0) - (1 if team_of[other] == b else 0))
    for p in range(apart.shape[1]):
        other = apart[x, p]
        if other >= 0 and other != y:
            met += 2 * ((1 if team_of[other] == b else 0) - (1 if team_of[other] == a else 0))
    return _weigh(pair_weights, torn, met)


@compiled(NOTHING, GRID, CUBE, WHOLE, WHOLE)
def _rebuild(persons, slots, words, a):  # type: ignore[no-untyped-def]  # noqa: C901 -- compiled: plain loops
    """Work out again what team `a` is without each of its members."""
    width = slots.shape[1]
    for i in range(width):
        slots[a, i, X_LANGUAGES] = ALL
        for w in range(words):
            slots[a, i, SLOT + w] = ALL
        for p in range(width):
            other = slots[a, p, HOLDER]
            if p != i and other >= 0:
                slots[a, i, X_LANGUAGES] &= persons[other, LANGUAGES]
                for w in range(words):
                    slots[a, i, SLOT + w] &= persons[other, PERSON + w]
        slots[a, i, X_MOST] = 0
        slots[a, i, X_MOST + 1] = 0
    for column in range(2):
        distinct = 0
        for p in range(width):
            holder = slots[a, p, HOLDER]
            place = persons[holder, PLACE + column] if holder >= 0 else -1
            same = 0
            earlier = 0
            for q in range(width):
                other = slots[a, q, HOLDER]
                if place >= 0 and other >= 0 and persons[other, PLACE + column] == place:
                    same += 1
                    earlier += 1 if q < p else 0
            distinct += 1 if place >= 0 and earlier == 0 else 0
            slots[a, p, X_DISTINCT + column] = -1 if same == 1 else 0
            for i in range(width):
                other = slots[a, i, HOLDER]
                shared = other >= 0 and place >= 0 and persons[other, PLACE + column] == place
                most = same - (1 if shared else 0)
                if i != p and most > slots[a, i, X_MOST + column]:
                    slots[a, i, X_MOST + column] = most
        for p in range(width):
            slots[a, p, X_DISTINCT + column] += distinct


@compiled(NOTHING, GRID, ROW, GRID, WHOLE, WHOLE, WHOLE)
def _shift(persons, layout, teams, a, person, sign):  # type: ignore[no-untyped-def]  # -- compiled
    teams[a, SIZE] += sign
    for column in range(layout[1] + layout[2]):
        teams[a, TEAM + column] += sign * persons[person, PERSON + layout[0] + column]


@compiled(NOTHING, GRID, ROW, CUBE, GRID, ROW, WHOLE, WHOLE, WHOLE)
def _put(persons, layout, slots, teams, team_of, a, i, y):  # type: ignore[no-untyped-def]  # -- compiled
    """Put `y` (or nobody) into slot `i` of team `a`, in the place of whoever is there."""
    x = slots[a, i, HOLDER]
    slots[a, i, HOLDER] = y
    if x >= 0:
        _shift(persons, layout, teams, a, x, -1)
    if y >= 0:
        _shift(persons, layout, teams, a, y, 1)
        team_of[y] = a


@compiled(NOTHING, *TABLES, *STATE, GRID)
def _begin(persons, rules, flag_weights, skill_weights, targets, together, apart, pair_weights, layout, slots, teams, team_of, sums, holders):  # type: ignore[no-untyped-def]  # -- compiled
    for a in range(holders.shape[0]):
        for i in range(holders.shape[1]):
            _put(persons, layout, slots, teams, team_of, a, i, holders[a, i])
        _rebuild(persons, slots, layout[0], a)
    torn = 0
    met = 0
    for x in range(team_of.shape[0]):
        if persons[x, HOME] >= 0 and team_of[x] != persons[x, HOME]:
            sums[1] += 1
        for p in range(together.shape[1]):
            if together[x, p] >= 0 and team_of[together[x, p]] != team_of[x]:
                torn += 1
        for p in range(apart.shape[1]):
            if apart[x, p] >= 0 and team_of[apart[x, p]] == team_of[x]:
                met += 1
    sums[0], sums[2] = _weigh(pair_weights, torn, met)
    for a in range(holders.shape[0]):
        hard, soft = _after(persons, rules, flag_weights, skill_weights, targets, layout, slots, teams, a, 0, holders[a, 0], 0, 1 << 40)
        teams[a, HARD] = hard
        teams[a, SOFT] = soft
        sums[0] += hard
        sums[2] += soft


@compiled(NOTHING, *TABLES, CUBE, GRID, ROW, GRID, GRID)
def _cost(persons, rules, flag_weights, skill_weights, targets, together, apart, pair_weights, layout, slots, teams, team_of, holders, found):  # type: ignore[no-untyped-def]  # -- compiled
    """Fill `found` [N, 2] with (hard, soft) of each row of `holders`, as a team that stands alone in row 0 of the state."""
    for row in range(holders.shape[0]):
        for x in range(team_of.shape[0]):
            team_of[x] = -1
        for i in range(holders.shape[1]):
            _put(persons, layout, slots, teams, team_of, 0, i, holders[row, i])
        _rebuild(persons, slots, layout[0], 0)
        torn = 0
        met = 0
        for i in range(holders.shape[1]):
            x = holders[row, i]
            if x < 0:
                continue
            for p in range(together.shape[1]):
                if together[x, p] >= 0 and team_of[together[x, p]] != 0:
                    torn += 1
            for p in range(apart.shape[1]):
                if apart[x, p] >= 0 and team_of[apart[x, p]] == 0:
                    met += 1
        hard, soft = _weigh(pair_weights, torn, met)
        more = _after(persons, rules, flag_weights, skill_weights, targets, layout, slots, teams, 0, 0, holders[row, 0], 0, 1 << 40)
        found[row, 0] = hard + more[0]
        found[row, 1] = soft + more[1]


def costs(*given: Any) -> Any:
    """[hard, soft] of each row of the last argument [N, K], persons or -1; before it the fields of `Tables`."""
    *tables, holders = given
    state = begin(Tables(*tables), np.full((1, holders.shape[1]), -1, np.int64), 0)
    found = np.zeros((len(holders), 2), np.int64)
    _cost(*tables, state.slots, state.teams, state.team_of, holders, found)
    return found


@compiled("b1", ROW, ROW)
def _better(sums, best):  # type: ignore[no-untyped-def]  # -- compiled
    for place in range(3):
        if sums[place] != best[place]:
            return sums[place] < best[place]
    return False


@compiled(NOTHING, ROW, CUBE, ROW, GRID)
def _keep(sums, slots, best, best_holders):  # type: ignore[no-untyped-def]  # -- compiled
    # Cell by cell: for one array put into another numba compiles the words of an error that cannot occur, for four seconds.
    for place in range(3):
        best[place] = sums[place]
    for a in range(slots.shape[0]):
        for i in range(slots.shape[1]):
            best_holders[a, i] = slots[a, i, HOLDER]


@compiled(NOTHING, *TABLES, *STATE, ROW, GRID, ROW, WHOLE, WHOLE, WHOLE, "f8", "f8", WHOLE, WHOLE)
def anneal(  # type: ignore[no-untyped-def]  # noqa: C901, PLR0915 -- compiled: one loop, kept in one piece for speed
    persons, rules, flag_weights, skill_weights, targets, together, apart, pair_weights, layout, slots, teams, team_of, sums, random,
    best_holders, best, start, stop, total, hot, cold, hard_weight, move_weight,
):  # fmt: skip
    """Run proposals `start` to `stop` of `total`; the last twentieth only descends. Keeps the best in `best_holders`."""
    number, width = best_holders.shape
    temperature = hot
    cooling = total - total // 20
    for it in range(start, stop):
        if it % _BLOCK == 0 or it == start:
            temperature = hot * exp(log(cold / hot) * it / cooling) if it < cooling else 0.0
            if _better(sums, best):
                _keep(sums, slots, best, best_holders)
        a = _draw(random, number)
        b = _draw(random, number)
        i = _draw(random, width)
        j = _draw(random, width)
        luck = _draw(random, 1 << 31)
        x = slots[a, i, HOLDER]
        y = slots[b, j, HOLDER]
        if a == b or (x < 0 and y < 0):
            continue
        allowed = int(-temperature * log((luck + 0.5) / 2147483648.0))
        hard = -teams[a, HARD] - teams[b, HARD]
        soft = -teams[a, SOFT] - teams[b, SOFT]
        moves = 0
        if x >= 0:
            home = persons[x, HOME]
            if home >= 0:
                moves += (1 if b != home else 0) - (1 if a != home else 0)
            if pair_weights.shape[0]:
                more = _pairs_after(together, apart, pair_weights, team_of, x, a, b, y)
                hard += more[0]
                soft += more[1]
        if y >= 0:
            home = persons[y, HOME]
            if home >= 0:
                moves += (1 if a != home else 0) - (1 if b != home else 0)
            if pair_weights.shape[0]:
                more = _pairs_after(together, apart, pair_weights, team_of, y, b, a, x)
                hard += more[0]
                soft += more[1]
        so_far = hard * hard_weight + moves * move_weight + soft
        hard_a, soft_a = _after(persons, rules, flag_weights, skill_weights, targets, layout, slots, teams, a, i, y, hard_weight, allowed - so_far)
        so_far += hard_a * hard_weight + soft_a
        if so_far > allowed:
            continue
        hard_b, soft_b = _after(persons, rules, flag_weights, skill_weights, targets, layout, slots, teams, b, j, x, hard_weight, allowed - so_far)
        if so_far + hard_b * hard_weight + soft_b > allowed:
            continue
        _put(persons, layout, slots, teams, team_of, a, i, y)
        _put(persons, layout, slots, teams, team_of, b, j, x)
        _rebuild(persons, slots, layout[0], a)
        _rebuild(persons, slots, layout[0], b)
        teams[a, HARD] = hard_a
        teams[a, SOFT] = soft_a
        teams[b, HARD] = hard_b
        teams[b, SOFT] = soft_b
        sums[0] += hard + hard_a + hard_b
        sums[1] += moves
        sums[2] += soft + soft_a + soft_b
    if _better(sums, best):
        _keep(sums, slots, best, best_holders)
