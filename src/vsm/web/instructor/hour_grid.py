"""One day's hours on every wall, drawn: rows are places, columns the hours of the day at the planner's. Shape, not colour,
says which hours are early or late and which are night; the same stands in a table."""

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from vsm.exchange.sessions.finding import Answer, city
from vsm.exchange.sessions.rules import WEEKDAYS, resolve
from vsm.exchange.sessions.slots import FORBIDDEN, Who, cost
from vsm.exchange.sessions.zones import place
from vsm.kit.saying import say

CELL, ROW, LABEL, HEAD = 34, 34, 150, 30
EDGE = 3  # from this burden on an hour is shown as early or late


def grid_of(answer: Answer, slot: int) -> dict[str, Any]:
    """The drawing and the table for the day of `slot` in the first week: lines with a cell for each hour."""
    wish, first = answer.wish, slot // 48 * 48
    hours = [hour for hour in range(24) if first + 2 * hour < wish.half_hours]
    lines = [_line(answer, zone, count, row, first, hours) for row, (zone, count) in enumerate(answer.zones)]
    begins = LABEL + CELL * (slot - first) / 2
    return {
        "lines": lines, "width": LABEL + CELL * len(hours) + 2, "height": HEAD + ROW * len(lines) + 8,
        "rows": [{"hour": f"{hour:02d}:00", "cells": [line["cells"][hour]["words"] for line in lines]} for hour in hours],
        "hours": [{"text": f"{hour:02d}", "x": LABEL + CELL * hour + CELL // 2} for hour in hours],
        "mark": {"x": f"{begins:.1f}", "y": HEAD - 4, "width": f"{CELL * wish.minutes / 60:.1f}", "height": ROW * len(lines) + 8},
        "zone": city(wish.zone), "chosen": f"{wish.wall(0, slot):%H:%M}",
    }  # fmt: skip


def _line(answer: Answer, zone: str, count: int, row: int, first: int, hours: list[int]) -> dict[str, Any]:
    cells = []
    for hour in hours:
        slot = first + 2 * hour
        local = resolve(answer.wish.wall(0, slot), answer.wish.zone).instant.astimezone(place(zone))
        price = cost(Who("", zone), answer.wish, 0, slot)
        kind = "night" if price == FORBIDDEN else "edge" if price >= EDGE else "good"
        shift = (local.replace(tzinfo=None).date() - answer.wish.wall(0, slot).date()) // timedelta(days=1)
        words = {"night": _("night"), "edge": _("early, late or weekend"), "good": ""}[kind]
        day = f" {say(WEEKDAYS[local.weekday()])}" if shift else ""
        cells.append(
            {"x": LABEL + CELL * hour, "y": HEAD + ROW * row, "text": f"{local:%H}" if not local.minute else f"{local:%H:%M}", "kind": kind, "middle": LABEL + CELL * hour + CELL // 2, "base": HEAD + ROW * row + 22, "words": f"{local:%H:%M}{day}" + (f" ({words})" if words else "")}
        )
    return {"city": city(zone), "zone": zone, "count": count, "y": HEAD + ROW * row + 22, "cells": cells}
