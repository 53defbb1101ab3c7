"""Pictures of facts as SVG, each with the table that says the same. Pure; no script, no style attribute, no font of its own.

Marks have classes (`c0` … `c5`, `band`, `axis`) for a page's style sheet and presentation attributes for paper. Lines differ
by dash as well as by colour, and carry their names at their ends: nobody needs to match colours with a legend.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from math import ceil, floor, log10
from textwrap import wrap
from typing import TypeVar

INKS = ("#0b4f5c", "#8a4b08", "#3d4d54", "#14532d", "#5b2a6e", "#7a1f1f")
DASHES = ("", "8 4", "2 4", "12 4 2 4", "5 3", "1 3")


@dataclass(frozen=True)
class Canvas:
    """What is drawn on, in units of which a letter has `size`: a broad screen and paper, or a phone, where all stands closer, so that
    letters do not shrink with the picture. Beside a row a name has `left` units, in lines of `letters`; behind a line (which has `tall`
    to rise in) it has `after`, in lines of `behind`. An axis below rows has up to `ticks` steps, one of years up to `years`."""

    kind: str
    width: int
    tall: int
    size: int
    left: int
    letters: int
    after: int
    behind: int
    ticks: int
    years: int


BROAD = Canvas("broad", 700, 300, 14, 250, 25, 205, 22, 5, 6)
NARROW = Canvas("narrow", 340, 220, 12, 122, 16, 92, 12, 3, 4)
CANVASES = (BROAD, NARROW)
INK = re.compile(r' (?:fill|stroke)="#[0-9a-f]{6}"')
PLACE = re.compile(r'( (?:x|y|x1|x2|y1|y2|cx|cy|points|d)=)("[^"]*")')
FRACTION = re.compile(r"\d+\.\d+")
TOP = 12  # above the first row


@dataclass(frozen=True)
class Drawing:
    """`svg` has a title and the `description`, `narrow` is the same drawn for a phone; `head` and `rows` say it as text."""

    svg: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    description: str = ""
    narrow: str = ""

    @property
    def both(self) -> str:
        """For a page, whose style sheet shows one of them."""
        return light(self.svg) + light(self.narrow)


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
    ends = min(0.0, *(row.low for row in rows)), max(0.0, *(row.high for row in rows))
    svg, narrow = (banded(title, description, rows, canvas, at=0.0, ends=ends, ticks=[(tick, said(tick)) for tick in _round_values(*ends, canvas.ticks)]) for canvas in CANVASES)
    return Drawing(svg, head, tuple((row.label, row.told, row.band) for row in rows), description, narrow)


def banded(title: str, description: str, rows: Sequence[Bar], canvas: Canvas, *, at: float, ends: tuple[float, float], ticks: Sequence[tuple[float, str]]) -> str:
    """Values with their bands beside the line `at`, on an axis from `ends[0]` to `ends[1]`; what lies outside ends there."""
    least, most = ends
    step = row_height([row.label for row in rows], canvas)
    right, bottom = 46 * canvas.width // BROAD.width, TOP + step * len(rows)

    def x(value: float) -> float:
        return round(canvas.left + (min(max(value, least), most) - least) / ((most - least) or 1.0) * (canvas.width - canvas.left - right), 1)

    marks = [grid(f"M{x(tick)} {TOP}V{bottom}" for tick, _told in ticks)]
    marks += [f'<text class="tick" x="{x(tick)}" y="{bottom + 20}" text-anchor="middle" fill="#3d4d54">{escape(told)}</text>' for tick, told in ticks]
    marks.append(f'<line class="axis" x1="{x(at)}" x2="{x(at)}" y1="{TOP}" y2="{bottom}" stroke="#6f7f86" stroke-width="1.5"/>')
    for number, row in enumerate(rows):
        tone = "c2" if row.low <= at <= row.high else "c1" if row.value < at else "c0"
        ink = INKS[int(tone[1])]
        band = f'<line class="band {tone}" x1="{x(row.low)}" x2="{x(row.high)}" stroke="{ink}" stroke-width="6" stroke-opacity=".35"/>' if row.high > row.low else ""
        marks.append(in_row(number, step, beside(row.label, canvas.left - 12, 0, canvas, canvas.letters), band, f'<circle class="{tone}" cx="{x(row.value)}" r="6" fill="{ink}"/>'))
    return svg_of(title, description, marks, bottom + 30, canvas)


def lines(title: str, description: str, series: Sequence[Line], head: tuple[str, ...], told: Sequence[Sequence[str]], language: str) -> Drawing:
    """Series by year from zero up, bands behind them; `told` are the cells of the table, one row for each year. Where a series
    lacks a year its line ends and begins again: nobody must read a value where there is none."""
    svg, narrow = (_lines(title, description, series, language, canvas) for canvas in CANVASES)
    return Drawing(svg, head, tuple(tuple(row) for row in told), description, narrow)


def _lines(title: str, description: str, series: Sequence[Line], language: str, canvas: Canvas) -> str:
    years = sorted({year for one in series for year, _value in one.points} | {year for one in series for band in one.bands for year, _l, _h in band})
    most = max([value for one in series for _year, value in one.points] + [high for one in series for band in one.bands for _y, _l, high in band])
    ticks = _ticks(most)
    has_names = len(series) > 1 or any(not one.bands for one in series)
    left, right, top, height = 4 * canvas.size + 4, canvas.after if has_names else 2 * canvas.size, 14, canvas.tall

    def x(year: int) -> float:
        return round(left + (year - years[0]) / max(1, years[-1] - years[0]) * (canvas.width - left - right), 1)

    def y(value: float) -> float:
        return round(top + height - value / ticks[-1] * height, 1)

    marks = [grid(f"M{left} {y(tick)}H{canvas.width - right}" for tick in ticks)]
    marks += [f'<text class="tick" x="{left - 8}" y="{y(tick) + 4}" text-anchor="end" fill="#3d4d54">{short(tick, language)}</text>' for tick in ticks]
    every = max(1, ceil((years[-1] - years[0] + 1) / canvas.years))
    marks += [f'<text class="tick" x="{x(year)}" y="{top + height + 24}" text-anchor="middle" fill="#3d4d54">{year}</text>' for year in range(years[0], years[-1] + 1, every)]
    line = canvas.size * 1.15
    names = [broken(one.label, canvas.behind) for one in series]
    ends = _apart([y(one.points[-1][1]) for one in series], [line * len(name) + 3 for name in names], top + height + 10)
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
            marks.append(_text(names[number], x(years[-1]) + 8, ends[number], canvas, "start", ink, f"name c{number % 6}"))
    return svg_of(title, description, marks, top + height + 34, canvas)


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


def row_height(labels: Iterable[str], canvas: Canvas) -> int:
    """From one row to the next: the name in the most lines keeps its distance from its neighbours."""
    most = max((len(broken(label, canvas.letters)) for label in labels), default=1)
    return max(34, ceil(1.15 * canvas.size * most) + 8)


def in_row(number: int, step: int, *marks: str) -> str:
    """Marks of a row, whose middle is 0 to them."""
    return f'<g transform="translate(0 {TOP + step * number + step // 2})">{"".join(marks)}</g>'


def grid(lines: Iterable[str]) -> str:
    """The lines behind an axis, each the moves of a path."""
    return f'<path class="grid" d="{"".join(lines)}" stroke="#d9d6cb"/>'


def beside(label: str, x: float, y: float, canvas: Canvas, most: int, anchor: str = "end") -> str:
    """A name left of its row, ending at `x` (right of it, beginning there, with the anchor "start"), in lines of `most` letters."""
    return _text(broken(label, most), x, y, canvas, anchor, "#14252b", "name")


def _text(parts: Sequence[str], x: float, y: float, canvas: Canvas, anchor: str, ink: str, kind: str) -> str:
    """Lines of text whose middle is at `y`."""
    first = y + canvas.size * (0.35 - 0.575 * (len(parts) - 1))
    below = "".join(f'<tspan x="{x}" dy="1.15em">{escape(part)}</tspan>' for part in parts[1:])
    return f'<text x="{x}" y="{first:.1f}" text-anchor="{anchor}" class="{kind}" fill="{ink}">{escape(parts[0])}{below}</text>'


@lru_cache(maxsize=4096)
def broken(label: str, most: int) -> tuple[str, ...]:
    """A name in as few lines of `most` letters as hold it, which are as much alike as its words allow. A longer word stays whole."""
    few = wrap(label, most, break_long_words=False) or [label]
    narrower = (wrap(label, width, break_long_words=False) for width in range(max(1, len(label) // len(few) - 1), most))
    return tuple(next((parts for parts in narrower if len(parts) == len(few)), few)) if len(few) > 1 else (label,)


def svg_of(title: str, description: str, marks: Iterable[str], height: float, canvas: Canvas, kind: str = "", width: int = 0) -> str:
    """The marks as a picture with its name and what it shows in words."""
    return (
        f'<svg class="{" ".join(filter(None, ("drawing", kind, canvas.kind)))}" role="img" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width or canvas.width} {height:g}" font-family="sans-serif" font-size="{canvas.size}">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{''.join(marks)}</svg>"
    )


def light(svg: str) -> str:
    """A drawing as a page needs it: on a screen units are about pixels, so whole ones do, and the style sheet has the inks of all but
    a map: a page of seven pictures is a tenth lighter."""
    bare = svg if svg.startswith('<svg class="drawing map') else INK.sub("", svg)
    return PLACE.sub(lambda found: found[1] + FRACTION.sub(lambda number: f"{float(number[0]):.0f}", found[2]), bare)


def _round_values(least: float, most: float, few: int) -> list[float]:
    """A few round values on an axis that holds zero; a name is read where its line is, so more would stand on each other."""
    span = (most - least) or 1.0
    size = 10 ** floor(log10(span))
    step = next(step * size for step in (0.2, 0.5, 1.0, 2.0, 5.0) if span / (step * size) <= few)
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
    """Middles pushed apart until each has room for its height, in their order; the last ends above `lowest`, where the years stand."""
    order = sorted(range(len(places)), key=lambda number: places[number])
    moved = list(places)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + (heights[before] + heights[after]) / 2)
    end = lowest
    for number in reversed(order):
        moved[number] = min(moved[number], end - heights[number] / 2)
        end = moved[number] - heights[number] / 2
    return moved
