"""More pictures for the Observatory's pages: bars of counts, dots with bands beside a line to compare with, a curve of
concentration. SVG with classes, as in `charts`. Pure."""

from collections.abc import Sequence
from html import escape

from vsm.observatory.publications.charts import INKS, WIDTH, Bar, Drawing, beside

LEFT, RIGHT, STEP, TOP = 250, 90, 34, 12


def lengths(title: str, description: str, rows: Sequence[Bar], head: tuple[str, ...], *, untold: str) -> Drawing:
    """Counts from zero, one below the other, with how far off each may be. A row without a number (NaN) says `untold`."""
    most = max([row.high for row in rows if row.value == row.value] or [1.0]) or 1.0

    def x(value: float) -> float:
        return round(LEFT + value / most * (WIDTH - LEFT - RIGHT), 1)

    marks = [f'<line class="axis" x1="{LEFT}" x2="{LEFT}" y1="{TOP}" y2="{TOP + STEP * len(rows)}" stroke="#6f7f86" stroke-width="1"/>']
    for number, row in enumerate(rows):
        y = TOP + STEP * number + STEP / 2
        marks.append(beside(row.label, LEFT - 12, y))
        if row.value != row.value:
            marks.append(f'<text class="tick" x="{LEFT + 10}" y="{y + 5}" fill="#3d4d54">{escape(untold)}</text>')
            continue
        marks += [
            f'<rect class="band c0" x="{LEFT}" y="{y - 9}" width="{max(0.5, x(row.value) - LEFT):.1f}" height="18" fill="{INKS[0]}" fill-opacity=".8"/>',
            f'<line class="axis" x1="{x(row.low)}" x2="{x(row.high)}" y1="{y}" y2="{y}" stroke="#14252b" stroke-width="2"/>' if row.high > row.low else "",
            f'<text class="tick" x="{x(row.high) + 8}" y="{y + 5}" fill="#14252b">{escape(row.told)}</text>',
        ]
    return Drawing(_svg(title, description, marks, TOP * 2 + STEP * len(rows)), head, tuple((row.label, row.told, row.band) for row in rows))


def dots(title: str, description: str, rows: Sequence[Bar], head: tuple[str, ...], *, at: float, ends: tuple[float, float], ticks: Sequence[tuple[float, str]]) -> Drawing:
    """Values with their bands beside the line `at`, on an axis from `ends[0]` to `ends[1]`; what lies outside ends there."""
    least, most = ends

    def x(value: float) -> float:
        return round(LEFT + (min(max(value, least), most) - least) / (most - least) * (WIDTH - LEFT - 46), 1)

    bottom = TOP + STEP * len(rows)
    marks = [f'<line class="grid" x1="{x(value)}" x2="{x(value)}" y1="{TOP}" y2="{bottom}" stroke="#d9d6cb"/><text class="tick" x="{x(value)}" y="{bottom + 18}" text-anchor="middle" fill="#3d4d54">{escape(said)}</text>' for value, said in ticks]
    marks.append(f'<line class="axis" x1="{x(at)}" x2="{x(at)}" y1="{TOP}" y2="{bottom}" stroke="#6f7f86" stroke-width="2"/>')
    for number, row in enumerate(rows):
        y = TOP + STEP * number + STEP / 2
        tone = "c2" if row.low <= at <= row.high else "c1" if row.value < at else "c0"
        ink = INKS[int(tone[1])]
        marks += [
            beside(row.label, LEFT - 12, y),
            f'<line class="band {tone}" x1="{x(row.low)}" x2="{x(row.high)}" y1="{y}" y2="{y}" stroke="{ink}" stroke-width="6" stroke-opacity=".35"/>' if row.high > row.low else "",
            f'<circle class="{tone}" cx="{x(row.value)}" cy="{y}" r="6" fill="{ink}"/>',
        ]
    return Drawing(_svg(title, description, marks, bottom + 30), head, tuple((row.label, row.told, row.band) for row in rows))


def curve(title: str, description: str, curves: Sequence[tuple[str, Sequence[float]]], head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, across: str, up: str, equal: str) -> Drawing:
    """Concentration curves: along the bottom the groups from the poorest, upwards their share of what is counted. `curves` are
    a name and the rate of each group; the straight line is where all have alike."""
    left, side, top = 70, 320, 40

    def place(right: float, high: float) -> str:
        return f"{left + right * side:.1f},{top + (1 - high) * side:.1f}"

    marks = [f'<line class="grid" x1="{left}" x2="{left + side}" y1="{top + tick * side:g}" y2="{top + tick * side:g}" stroke="#d9d6cb"/>' for tick in (0, 0.25, 0.5, 0.75, 1)]
    marks += [f'<text class="tick" x="{left - 8}" y="{top + (1 - tick) * side + 5:g}" text-anchor="end" fill="#3d4d54">{tick * 100:g}</text><text class="tick" x="{left + tick * side:g}" y="{top + side + 20}" text-anchor="middle" fill="#3d4d54">{tick * 100:g}</text>' for tick in (0, 0.5, 1)]
    marks.append(f'<polyline class="axis" points="{place(0, 0)} {place(1, 1)}" fill="none" stroke="#6f7f86" stroke-width="1.5" stroke-dasharray="4 4"/>')
    marks.append(f'<text class="tick" x="{left + side * 0.6 - 6:g}" y="{top + side * 0.36:g}" text-anchor="end" fill="#3d4d54">{escape(equal)}</text>')
    for number, (label, rates) in enumerate(curves):
        whole, reached, points = sum(rates) or 1.0, 0.0, [place(0, 0)]
        for step, rate in enumerate(rates, start=1):
            reached += rate
            points.append(place(step / len(rates), reached / whole))
        ink, dash = INKS[number % len(INKS)], ("", "8 4", "2 4")[number % 3]
        marks.append(f'<polyline class="line c{number % 6}" points="{" ".join(points)}" fill="none" stroke="{ink}" stroke-width="2.5" stroke-dasharray="{dash}"/>')
        y = top + 24 + number * 26
        marks.append(f'<line class="line c{number % 6}" x1="{left + side + 24}" x2="{left + side + 64}" y1="{y - 5}" y2="{y - 5}" stroke="{ink}" stroke-width="2.5" stroke-dasharray="{dash}"/><text class="name c{number % 6}" x="{left + side + 72}" y="{y}" fill="{ink}">{escape(label)}</text>')
    marks.append(f'<text class="tick" x="{left}" y="{top + side + 46}" fill="#3d4d54">{escape(across)}</text><text class="tick" x="{left - 40}" y="20" fill="#3d4d54">{escape(up)}</text>')
    return Drawing(_svg(title, description, marks, top + side + 58), head, tuple(rows))


def _svg(title: str, description: str, marks: Sequence[str], height: float) -> str:
    return (
        f'<svg class="drawing" role="img" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" font-family="sans-serif" font-size="14">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{''.join(marks)}</svg>"
    )
