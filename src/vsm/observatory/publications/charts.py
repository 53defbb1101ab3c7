"""Pictures of facts as SVG, each with the table that says the same. Pure; no script, no style attribute, no font of its own.

Marks have classes (`c0` … `c5`, `band`, `axis`) for a page's style sheet and presentation attributes for paper. Lines differ
by dash as well as by colour, and carry their names at their ends: nobody needs to match colours with a legend.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import TypeVar

INKS = ("#0b4f5c", "#8a4b08", "#3d4d54", "#14532d", "#5b2a6e", "#7a1f1f")
DASHES = ("", "8 4", "2 4", "12 4 2 4", "5 3", "1 3")
WIDTH = 700
LONG = 25  # letters of a name that fit beside a row, also on a phone
AFTER = 20  # and behind the end of a line


@dataclass(frozen=True)
class Drawing:
    """`svg` has a title and the `description`; `head` and `rows` are the same as text."""

    svg: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    description: str = ""


@dataclass(frozen=True)
class Bar:
    """One row: a value with its band, and how they are said."""

    label: str
    value: float
    low: float
    high: float
    told: str
    band: str


@dataclass(frozen=True)
class Line:
    """A series by year; `bands` are (year, low, high) around it, widest first."""

    label: str
    points: tuple[tuple[int, float], ...]
    bands: tuple[tuple[tuple[int, float, float], ...], ...] = ()


def bars(title: str, description: str, rows: Sequence[Bar], head: tuple[str, str, str], said: Callable[[float], str]) -> Drawing:
    """Values left and right of zero with their bands, one below the other, on an axis whose round values are `said` below."""
    least, most = min(0.0, *(row.low for row in rows)), max(0.0, *(row.high for row in rows))
    left, right, step, top = 250, 46, 34, 12
    bottom, span = top + step * len(rows), (most - least) or 1.0

    def x(value: float) -> float:
        return round(left + (value - least) / span * (WIDTH - left - right), 1)

    marks = [f'<line class="grid" x1="{x(tick)}" x2="{x(tick)}" y1="{top}" y2="{bottom}" stroke="#d9d6cb"/><text class="tick" x="{x(tick)}" y="{bottom + 20}" text-anchor="middle" fill="#3d4d54">{escape(said(tick))}</text>' for tick in _round_values(least, most)]
    marks.append(f'<line class="axis" x1="{x(0)}" x2="{x(0)}" y1="{top}" y2="{bottom}" stroke="#6f7f86" stroke-width="1"/>')
    for number, row in enumerate(rows):
        y = top + step * number + step / 2
        tone = "c2" if row.low <= 0 <= row.high else "c1" if row.value < 0 else "c0"
        ink = INKS[int(tone[1])]
        marks += [
            beside(row.label, left - 12, y),
            f'<line class="band {tone}" x1="{x(row.low)}" x2="{x(row.high)}" y1="{y}" y2="{y}" stroke="{ink}" stroke-width="6" stroke-opacity=".35"/>',
            f'<circle class="{tone}" cx="{x(row.value)}" cy="{y}" r="6" fill="{ink}"/>',
        ]
    return Drawing(_svg(title, description, marks, bottom + 30), head, tuple((row.label, row.told, row.band) for row in rows), description)


def lines(title: str, description: str, series: Sequence[Line], head: tuple[str, ...], told: Sequence[Sequence[str]], language: str) -> Drawing:
    """Series by year from zero up, bands behind them; `told` are the cells of the table, one row for each year. Where a series
    lacks a year its line ends and begins again: nobody must read a value where there is none."""
    years = sorted({year for one in series for year, _value in one.points} | {year for one in series for band in one.bands for year, _l, _h in band})
    most = max([value for one in series for _year, value in one.points] + [high for one in series for band in one.bands for _y, _l, high in band])
    ticks = _ticks(most)
    left, right, top, height = 64, 205, 14, 300

    def x(year: int) -> float:
        return round(left + (year - years[0]) / max(1, years[-1] - years[0]) * (WIDTH - left - right), 1)

    def y(value: float) -> float:
        return round(top + height - value / ticks[-1] * height, 1)

    marks = [f'<line class="grid" x1="{left}" x2="{WIDTH - right}" y1="{y(tick)}" y2="{y(tick)}" stroke="#d9d6cb"/><text class="tick" x="{left - 8}" y="{y(tick) + 4}" text-anchor="end" fill="#3d4d54">{short(tick, language)}</text>' for tick in ticks]
    every = max(1, ceil((years[-1] - years[0] + 1) / 6))
    marks += [f'<text class="tick" x="{x(year)}" y="{top + height + 28}" text-anchor="middle" fill="#3d4d54">{year}</text>' for year in range(years[0], years[-1] + 1, every)]
    names = [_halves(one.label, AFTER) for one in series]
    has_two = any(len(name) > 1 for name in names)  # then all are as small as the longest: one size in a picture
    ends = _apart([y(one.points[-1][1]) for one in series], [20.0 * len(name) for name in names], top + height)
    for number, one in enumerate(series):
        ink, dash = INKS[number % len(INKS)], DASHES[number % len(DASHES)]
        for band in one.bands:
            for piece in _unbroken(band):
                path = [f"{x(year)},{y(high)}" for year, _low, high in piece] + [f"{x(year)},{y(low)}" for year, low, _high in reversed(piece)]
                marks.append(f'<polygon class="band c{number % 6}" points="{" ".join(path)}" fill="{ink}" fill-opacity=".16"/>')
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        for part in _unbroken(one.points):
            if len(part) == 1:
                marks.append(f'<circle class="c{number % 6}" cx="{x(part[0][0])}" cy="{y(part[0][1])}" r="3" fill="{ink}"/>')
            else:
                marks.append(f'<polyline class="line c{number % 6}" points="{" ".join(f"{x(year)},{y(value)}" for year, value in part)}" fill="none" stroke="{ink}" stroke-width="2.5"{dashed}/>')
        if not one.bands or len(series) > 1:
            first, *second = names[number]
            at = x(one.points[-1][0]) + 8
            below = f'<tspan x="{at}" dy="1.1em">{escape(second[0])}</tspan>' if second else ""
            marks.append(f'<text class="name{" two" if has_two else ""} c{number % 6}" x="{at}" y="{ends[number] + (-3 if second else 4)}" fill="{ink}">{escape(first)}{below}</text>')
    return Drawing(_svg(title, description, marks, top + height + 40), head, tuple(tuple(row) for row in told), description)


Dated = TypeVar("Dated", bound=tuple[int, *tuple[float, ...]])


def _unbroken(points: Sequence[Dated]) -> list[list[Dated]]:
    """The points in pieces without a missing year."""
    pieces: list[list[Dated]] = []
    for point in points:
        if pieces and point[0] - pieces[-1][-1][0] <= 1:
            pieces[-1].append(point)
        else:
            pieces.append([point])
    return pieces


def beside(label: str, x: float, y: float, *, most: int = LONG, anchor: str = "end") -> str:
    """A name left of its row, ending at `x` (right of it, beginning there, with the anchor "start"); one of more than `most`
    letters in two lines, broken where they are most alike."""
    first, *second = _halves(label, most)
    if not second:
        return f'<text x="{x}" y="{y + 5}" text-anchor="{anchor}" class="name" fill="#14252b">{escape(label)}</text>'
    return f'<text x="{x}" y="{y - 3}" text-anchor="{anchor}" class="name two" fill="#14252b" font-size="13">{escape(first)}<tspan x="{x}" dy="1.1em">{escape(second[0])}</tspan></text>'


def _halves(label: str, most: int) -> tuple[str, ...]:
    """A name, or its two halves where it is longer than `most` letters."""
    words = label.split(" ")
    if len(label) <= most or len(words) == 1:
        return (label,)
    at = min(range(1, len(words)), key=lambda number: abs(len(" ".join(words[:number])) - len(" ".join(words[number:]))))
    return " ".join(words[:at]), " ".join(words[at:])


def _svg(title: str, description: str, marks: Iterable[str], height: float) -> str:
    return (
        f'<svg class="drawing" role="img" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" font-family="sans-serif" font-size="14">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{''.join(marks)}</svg>"
    )


def _round_values(least: float, most: float) -> list[float]:
    """A few round values on an axis that holds zero; a name is read where its line is, so more would stand on each other."""
    span = (most - least) or 1.0
    size = 10 ** floor(log10(span))
    step = next(step * size for step in (0.2, 0.5, 1.0, 2.0, 5.0) if span / (step * size) <= 5)
    return [number * step for number in range(ceil(least / step), floor(most / step) + 1)]


def _ticks(most: float) -> list[float]:
    """Four or five round values from zero to just above the largest."""
    if most <= 0:
        return [0.0, 1.0]
    size = 10 ** floor(log10(most))
    step = next(step * size for step in (0.2, 0.25, 0.5, 1.0, 2.0, 2.5) if most / (step * size) <= 5)
    return [step * number for number in range(ceil(most / step) + 1)]


def short(number: float, language: str) -> str:
    """2.5 M, 500 k, −20 k: the same letters in every language, with its decimal sign."""
    size, sign = abs(number), "−" if number < 0 else ""
    said = f"{size / 1e6:g} M" if size >= 1e6 else f"{size / 1e3:g} k" if size >= 1e3 else f"{size:g}"
    return sign + (said if language == "en" else said.replace(".", ","))


def _apart(places: Sequence[float], heights: Sequence[float], lowest: float) -> list[float]:
    """Places pushed apart until each has room for its height, in their order; the last not below `lowest`, where the years stand."""
    order = sorted(range(len(places)), key=lambda number: places[number])
    moved = list(places)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + (heights[before] + heights[after]) / 2)
    end = lowest
    for number, above in itertools.zip_longest(reversed(order), order[-2::-1]):
        moved[number] = min(moved[number], end)
        end = moved[number] if above is None else end - (heights[number] + heights[above]) / 2
    return moved
