"""Two more pictures for the Observatory's pages: a map of squares and a flow picture. SVG with classes, as in `charts`. Pure.

The map needs no borders, which are disputed and heavy: every country is one square of the same size, in the block of its
part of the world. A small island is seen as well as a large country, and nobody takes area for number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from vsm.observatory.geography import Country, countries
from vsm.observatory.publications.charts import BROAD, CANVASES, NARROW, Canvas, beside, svg_of

SIDE, TOP = 20, 8
# Part of the world (M49) → column and row of its first square, and how many squares a row has.
BLOCKS: Mapping[str, tuple[int, int, int]] = {
    "021": (1, 0, 5), "013": (1, 3, 4), "029": (6, 3, 4), "005": (3, 11, 4), "154": (12, 0, 6), "155": (11, 4, 3), "151": (19, 0, 5), "039": (15, 4, 6),
    "015": (12, 8, 7), "011": (11, 10, 5), "017": (17, 10, 3), "014": (21, 10, 4), "018": (17, 14, 3), "145": (22, 4, 5), "143": (25, 1, 3), "034": (28, 4, 3),
    "030": (30, 1, 4), "035": (28, 8, 3), "053": (28, 13, 3), "054": (28, 16, 3), "057": (32, 8, 3), "061": (32, 12, 3),
}  # fmt: skip
# The same for a phone, in half the columns: Asia and Oceania stand below, so that every square is as large as on a wide screen.
CLOSE: Mapping[str, tuple[int, int, int]] = {
    "021": (0, 0, 5), "013": (0, 2, 4), "029": (5, 2, 4), "005": (1, 10, 4), "154": (10, 0, 4), "151": (15, 0, 3), "155": (10, 5, 3), "039": (14, 5, 4),
    "015": (10, 10, 7), "011": (10, 12, 4), "017": (15, 12, 3), "014": (14, 16, 4), "018": (10, 18, 3), "145": (0, 23, 5), "143": (6, 23, 3), "034": (6, 26, 3),
    "030": (10, 23, 4), "035": (10, 26, 4), "053": (10, 30, 3), "054": (15, 27, 3), "057": (15, 23, 3), "061": (14, 30, 4),
}  # fmt: skip
# Light to dark; from loss through nothing to gain. Each with the ink that is read on it.
AMOUNTS = (("#e4efee", "#14252b"), ("#b5d4d3", "#14252b"), ("#79b0b1", "#14252b"), ("#2f7f86", "#ffffff"), ("#0b4f5c", "#ffffff"))
CHANGES = (("#8a4b08", "#ffffff"), ("#e3bd8c", "#14252b"), ("#f1efe8", "#14252b"), ("#b5d4d3", "#14252b"), ("#0b4f5c", "#ffffff"))
NOTHING = ("#ffffff", "#5c6a70")


@dataclass(frozen=True)
class Step:
    """A class of the map: values from `low` up to `high`, and how it is said."""

    low: float
    high: float
    told: str


def places(blocks: Mapping[str, tuple[int, int, int]] = BLOCKS) -> Mapping[str, tuple[int, int]]:
    """Country (alpha-3) → column and row of its square. Countries without a part of the world have none."""
    found: dict[str, tuple[int, int]] = {}
    for block, (column, row, width) in blocks.items():
        inside = sorted(code for code, country in countries().items() if block in (country.intermediate, country.subregion) and _block(country) == block)
        found |= {code: (column + number % width, row + number // width) for number, code in enumerate(inside)}
    return found


def tile_map(title: str, description: str, values: Mapping[str, float], steps: Sequence[Step], *, nothing: str, inks: Sequence[tuple[str, str]] = AMOUNTS) -> tuple[str, str]:
    """The world as squares with the two letters of each country, shaded by the step that its value lies in: for a broad screen, and for
    a phone."""
    drawn = []
    for canvas, blocks in ((BROAD, BLOCKS), (NARROW, CLOSE)):
        marks, at = [], places(blocks)
        for code, (column, row) in sorted(at.items()):
            fill, ink = _shade(values.get(code), steps, inks)
            x, y = column * SIDE, TOP + row * SIDE
            edge = ' class="none" stroke="#b9b6aa"' if fill == NOTHING[0] else ""
            marks.append(
                f'<rect x="{x}" y="{y}" width="{SIDE - 2}" height="{SIDE - 2}" rx="2" fill="{fill}"{edge}/>'
                f'<text x="{x + SIDE / 2 - 1:g}" y="{y + 13}" fill="{ink}">{countries()[code].iso2}</text>'
            )
        columns, rows = (1 + max(each[axis] for each in at.values()) for axis in (0, 1))
        keys, height = _legend(steps, inks, nothing, TOP + rows * SIDE + 16, min(200, columns * SIDE // 2))
        drawn.append(svg_of(title, description, [f'<g font-size="9" text-anchor="middle">{"".join(marks)}</g><g font-size="14" fill="#14252b">{keys}</g>'], height, canvas, "map", columns * SIDE))
    return drawn[0], drawn[1]


def _legend(steps: Sequence[Step], inks: Sequence[tuple[str, str]], nothing: str, top: int, apart: int) -> tuple[str, int]:
    """What the shades mean, in two columns from `top` down; and where it ends."""
    legend = [(*inks[number], step.told) for number, step in enumerate(steps)] + [(*NOTHING, nothing)]
    keys = []
    for number, (fill, _ink, told) in enumerate(legend):
        x, y = 8 + (number % 2) * apart, top + (number // 2) * 26
        none = ' class="none"' if fill == NOTHING[0] else ""
        keys.append(f'<rect{none} x="{x}" y="{y}" width="18" height="18" rx="2" fill="{fill}" stroke="#6f7f86"/><text class="told" x="{x + 26}" y="{y + 14}">{escape(told)}</text>')
    return "".join(keys), top + ((len(legend) + 1) // 2) * 26 + 6


def flow_picture(title: str, description: str, flows: Sequence[tuple[str, str, float, str]]) -> tuple[str, str]:
    """Origins on the left, destinations on the right, ribbons as wide as their students: for a broad screen, and for a phone. `flows`:
    origin, destination, students, and how many is said; the caller chooses the few that are drawn."""
    wide, narrow = (_flow_picture(title, description, flows, canvas) for canvas in CANVASES)
    return wide, narrow


def _flow_picture(title: str, description: str, flows: Sequence[tuple[str, str, float, str]], canvas: Canvas) -> str:
    begin, letters = (190, 22) if canvas is BROAD else (96, 12)
    end = canvas.width - begin
    left = _stack({origin: sum(v for o, _d, v, _t in flows if o == origin) for origin in dict.fromkeys(flow[0] for flow in flows)})
    right = _stack({to: sum(v for _o, d, v, _t in flows if d == to) for to in dict.fromkeys(flow[1] for flow in flows)})
    whole = sum(flow[2] for flow in flows) or 1.0
    height = TALL + GAP * max(len(left), len(right))
    used: dict[tuple[str, str], float] = {}
    ribbons = []
    for origin, to, value, _told in flows:
        thick = value / whole * TALL
        y1, y2 = left[origin][0] + used.get(("from", origin), 0.0) + thick / 2, right[to][0] + used.get(("to", to), 0.0) + thick / 2
        used["from", origin], used["to", to] = used.get(("from", origin), 0.0) + thick, used.get(("to", to), 0.0) + thick
        middle = canvas.width / 2
        ribbons.append(f'<path class="ribbon" d="M{begin} {y1:.1f}C{middle:g} {y1:.1f} {middle:g} {y2:.1f} {end} {y2:.1f}" fill="none" stroke="#0b4f5c" stroke-opacity=".45" stroke-width="{max(1.0, thick):.1f}"/>')
    names = [beside(name, begin - 8, round(top + size / 2, 1), canvas, letters) for name, (top, size) in left.items()]
    names += [beside(name, end + 8, round(top + size / 2, 1), canvas, letters, "start") for name, (top, size) in right.items()]
    return svg_of(title, description, ribbons + names, height + 2 * TOP, canvas, "flows")


TALL, GAP = 260.0, 28.0  # a name of two lines stands beside the thinnest ribbon


def _stack(sums: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Where each name begins and how tall it is."""
    whole, top, found = sum(sums.values()) or 1.0, float(TOP), {}
    for name, value in sums.items():
        size = value / whole * TALL
        found[name] = (top, size)
        top += size + GAP
    return found


def _block(country: Country) -> str:
    return country.intermediate if country.intermediate in BLOCKS else country.subregion


def _shade(value: float | None, steps: Sequence[Step], inks: Sequence[tuple[str, str]]) -> tuple[str, str]:
    if value is None:
        return NOTHING
    # The last step whose low end is not above the value: steps leave no hole between them.
    found = [number for number, step in enumerate(steps) if value >= step.low]
    return inks[found[-1] if found else 0]
