"""An attacker who knows every rule of the protection, and a linear program to think with. Runs before anything is published.

He also holds two vintages of a year and subtracts them (`subtract`). He knows the published tables of a year, that each breakdown adds up to the same total, that nobody completes what they did not
begin, how numbers are rounded, that what is told is at least ten, and that what is withheld is at least one.
"""

from collections.abc import Mapping

from vsm.exchange.statistics.rules import ALL, LEAST, STEP, Key

INFEASIBLE = 2  # as linprog calls it
# In which order measures contain each other: recognised ≤ completed would be wrong, for home may recognise what was begun.
WITHIN = (("completed", "started"), ("recognised", "started"), ("started", "applied"))


def reach(told: Mapping[Key, int | None], slack: int = STEP // 2) -> dict[Key, tuple[float, float]]:
    """The least and the greatest that each withheld count can be. Counts in people; infinite where nothing bounds it.
    `slack` is by how much a told count may differ from the true one: 2 after rounding to multiples of 5, 0 without."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix

    keys = sorted(told)
    at = {key: place for place, key in enumerate(keys)}
    bounds = [_bounds(told[key], slack) for key in keys]
    equal = [row for measure in {key[2] for key in keys} for row in _sums(keys, at, measure)]
    within = [{at[d, v, less]: 1.0, at[d, v, more]: -1.0} for less, more in WITHIN for d, v, m in keys if m == less and (d, v, more) in at]
    found = {}
    for key in keys:
        if told[key] is not None:
            continue
        ends = []
        for sign in (1.0, -1.0):
            aim = [0.0] * len(keys)
            aim[at[key]] = sign
            answer = linprog(
                aim, bounds=bounds, method="highs",
                A_eq=_matrix(equal, len(keys), csr_matrix), b_eq=[0.0] * len(equal) or None, A_ub=_matrix(within, len(keys), csr_matrix), b_ub=[0.0] * len(within) or None,
            )  # fmt: skip
            ends.append(sign * answer.fun if answer.status == 0 else sign * float("-inf"))
        found[key] = (ends[0], ends[1])
    return found


def subtract(before: Mapping[Key, int | None], after: Mapping[Key, int | None], slack: int = STEP // 2) -> dict[Key, tuple[float, float]]:
    """The least and the greatest that may have come to each count between two tables of the same year, or gone from it where
    nothing else fits both. Empty where some came and some went: then no end is sure."""
    return _came(before, after, slack) or _came(after, before, slack)


def _came(before: Mapping[Key, int | None], after: Mapping[Key, int | None], slack: int) -> dict[Key, tuple[float, float]]:
    """By key what came, nobody having gone; empty where that cannot be. Unknowns: first the counts before, then what came."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix

    keys = sorted(set(before) | set(after))
    at, width = {key: place for place, key in enumerate(keys)}, len(keys)
    # A value that does not occur is nobody's, in either table.
    bounds: list[tuple[float, float | None]] = [*(_bounds(before.get(key, 0), slack) for key in keys), *((0.0, None) for _key in keys)]
    sums = [row for measure in {key[2] for key in keys} for row in _sums(keys, at, measure)]
    equal = [{place + shift: value for place, value in row.items()} for row in sums for shift in (0, width)]
    parts = [{at[d, v, less]: 1.0, at[d, v, more]: -1.0} for less, more in WITHIN for d, v, m in keys if m == less and (d, v, more) in at]
    within = [({place + shift: value for place, value in row.items()}, 0.0) for row in parts for shift in (0, width)]
    for key in keys:
        low, high = _bounds(after.get(key, 0), slack)
        within.append(({at[key]: -1.0, at[key] + width: -1.0}, -low))
        within += [({at[key]: 1.0, at[key] + width: 1.0}, high)] if high is not None else []
    upper = _matrix([row for row, _end in within], 2 * width, csr_matrix)
    found = {}
    for key in keys:
        ends = []
        for sign in (1.0, -1.0):
            aim = [0.0] * (2 * width)
            aim[at[key] + width] = sign
            answer = linprog(aim, bounds=bounds, method="highs", A_eq=_matrix(equal, 2 * width, csr_matrix), b_eq=[0.0] * len(equal) or None, A_ub=upper, b_ub=[end for _row, end in within])
            if answer.status == INFEASIBLE:
                return {}
            ends.append(sign * answer.fun if answer.status == 0 else sign * float("-inf"))
        found[key] = (ends[0], ends[1])
    return found


def _bounds(value: int | None, slack: int) -> tuple[float, float | None]:
    if value is None:
        return 1.0, None
    return (0.0, 0.0) if value == 0 else (float(max(LEAST, value - slack)), float(value + slack))


def _sums(keys: list[Key], at: Mapping[Key, int], measure: str) -> list[dict[int, float]]:
    """For each breakdown: its values less the total are nothing."""
    total = at.get((ALL, ALL, measure))
    dimensions = {key[0] for key in keys if key[0]}
    if total is None:
        return []
    return [{total: -1.0} | {at[key]: 1.0 for key in keys if key[0] == dimension and key[2] == measure} for dimension in sorted(dimensions)]


def _matrix(rows: list[dict[int, float]], width: int, shape: type) -> object:
    if not rows:
        return None
    cells = [(value, number, place) for number, row in enumerate(rows) for place, value in row.items()]
    values, downs, acrosses = zip(*cells, strict=True)
    return shape((values, (downs, acrosses)), shape=(len(rows), width))
