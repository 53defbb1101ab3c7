"""More pictures for the Observatory's pages: bars of counts, dots with bands beside a line to compare with, a curve of
concentration. SVG with classes, as in `charts`. Pure."""

from collections.abc import Sequence
from html import escape

from vsm.observatory.publications.charts import (
    BROAD,
    CANVASES,
    INKS,
    TOP,
    Bar,
    Canvas,
    Drawing,
    banded,
    beside,
    broken,
    grid,
    in_row,
    row_height,
    svg_of,
)


def lengths(title: str, description: str, rows: Sequence[Bar], head: tuple[str, ...], *, untold: str) -> Drawing:
    """Counts from zero, one below the other, with how far off each may be. A row without a number (NaN) says `untold`."""
    svg, narrow = (_lengths(title, description, rows, untold, canvas) for canvas in CANVASES)
    return Drawing(svg, head, tuple((row.label, row.told, row.band) for row in rows), description, narrow)


def _lengths(title: str, description: str, rows: Sequence[Bar], untold: str, canvas: Canvas) -> str:
    step = row_height([row.label for row in rows], canvas)
    most = max([row.high for row in rows if row.value == row.value] or [1.0]) or 1.0

    def x(value: float) -> float:
        return round(canvas.left + value / most * (canvas.width - canvas.left - 6 * canvas.size), 1)

    marks = [f'<line class="axis" x1="{canvas.left}" x2="{canvas.left}" y1="{TOP}" y2="{TOP + step * len(rows)}" stroke="#6f7f86" stroke-width="1"/>']
    for number, row in enumerate(rows):
        name = beside(row.label, canvas.left - 12, 0, canvas, canvas.letters)
        if row.value != row.value:
            marks.append(in_row(number, step, name, f'<text class="tick" x="{canvas.left + 10}" y="5" fill="#3d4d54">{escape(untold)}</text>'))
            continue
        length = f'<rect class="band c0" x="{canvas.left}" y="-9" width="{max(0.5, x(row.value) - canvas.left):.1f}" height="18" fill="{INKS[0]}" fill-opacity=".8"/>'
        doubt = f'<line class="axis" x1="{x(row.low)}" x2="{x(row.high)}" stroke="#14252b" stroke-width="2"/>' if row.high > row.low else ""
        marks.append(in_row(number, step, name, length, doubt, f'<text class="tick" x="{x(row.high) + 8}" y="5" fill="#14252b">{escape(row.told)}</text>'))
    return svg_of(title, description, marks, TOP * 2 + step * len(rows), canvas)


def dots(title: str, description: str, rows: Sequence[Bar], head: tuple[str, ...], *, at: float, ends: tuple[float, float], ticks: Sequence[tuple[float, str]]) -> Drawing:
    """Values with their bands beside the line `at`, on an axis from `ends[0]` to `ends[1]`; what lies outside ends there."""
    svg, narrow = (banded(title, description, rows, canvas, at=at, ends=ends, ticks=ticks) for canvas in CANVASES)
    return Drawing(svg, head, tuple((row.label, row.told, row.band) for row in rows), description, narrow)


def curve(title: str, description: str, curves: Sequence[tuple[str, Sequence[float]]], head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, across: str, up: str, equal: str) -> Drawing:
    """Concentration curves: along the bottom the groups from the poorest, upwards their share of what is counted. `curves` are
    a name and the rate of each group; the straight line is where all have alike."""
    svg, narrow = (_curve(title, description, curves, across, up, equal, canvas) for canvas in CANVASES)
    return Drawing(svg, head, tuple(rows), description, narrow)


def _curve(title: str, description: str, curves: Sequence[tuple[str, Sequence[float]]], across: str, up: str, equal: str, canvas: Canvas) -> str:
    left, side, top, edge = (70, 320, 40, 30) if canvas is BROAD else (36, 280, 40, 4)

    def place(right: float, high: float) -> str:
        return f"{left + right * side:.1f},{top + (1 - high) * side:.1f}"

    marks = [grid(f"M{left} {top + tick * side:g}h{side}" for tick in (0, 0.25, 0.5, 0.75, 1))]
    marks += [f'<text class="tick" x="{left - 8}" y="{top + (1 - tick) * side + 5:g}" text-anchor="end" fill="#3d4d54">{tick * 100:g}</text><text class="tick" x="{left + tick * side:g}" y="{top + side + 20}" text-anchor="middle" fill="#3d4d54">{tick * 100:g}</text>' for tick in (0, 0.5, 1)]
    marks.append(f'<polyline class="axis" points="{place(0, 0)} {place(1, 1)}" fill="none" stroke="#6f7f86" stroke-width="1.5" stroke-dasharray="4 4"/>')
    marks.append(f'<text class="tick" x="{left + side * 0.6 - 6:g}" y="{top + side * 0.36:g}" text-anchor="end" fill="#3d4d54">{escape(equal)}</text>')
    below = broken(across, canvas.width // 6)
    marks += [f'<text class="tick" x="{edge if canvas is not BROAD else left}" y="{top + side + 42 + 16 * number}" fill="#3d4d54">{escape(part)}</text>' for number, part in enumerate(below)]
    marks.append(f'<text class="tick" x="{edge}" y="20" fill="#3d4d54">{escape(up)}</text>')
    # What the lines are: beside them where there is room, else below.
    along, down = (left + side + 24, top + 24) if canvas is BROAD else (edge, top + side + 50 + 16 * len(below))
    for number, (label, rates) in enumerate(curves):
        whole, reached, points = sum(rates) or 1.0, 0.0, [place(0, 0)]
        for step, rate in enumerate(rates, start=1):
            reached += rate
            points.append(place(step / len(rates), reached / whole))
        ink, dash = INKS[number % len(INKS)], ("", "8 4", "2 4")[number % 3]
        y = down + number * 26
        marks.append(f'<polyline class="line c{number % 6}" points="{" ".join(points)}" fill="none" stroke="{ink}" stroke-width="2.5" stroke-dasharray="{dash}"/>')
        marks.append(f'<line class="line c{number % 6}" x1="{along}" x2="{along + 40}" y1="{y - 5}" y2="{y - 5}" stroke="{ink}" stroke-width="2.5" stroke-dasharray="{dash}"/><text class="name c{number % 6}" x="{along + 48}" y="{y}" fill="{ink}">{escape(label)}</text>')
    end = top + side + 42 + 16 * len(below) if canvas is BROAD else down + 26 * len(curves)
    return svg_of(title, description, marks, end, canvas)
