"""An ordinary week as somebody writes it: “Mon-Fri 08-12, Sat 10-11” → the hours of `Availability`. Pure."""

import re

from vsm.exchange.sessions.slots import HOURS
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PART = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? +(\d{1,2})(?::00)?-(\d{1,2})(?::00)?")


def hours_of_week(text: str) -> str | Reason:
    """168 characters, Monday 00:00 first, `1` where one can; the reason when it cannot be read. Empty: nothing was said."""
    if not text.strip() or re.fullmatch(rf"[01]{{{HOURS}}}", text):
        return text.strip()
    can = ["0"] * HOURS
    for part in re.split(r"[,;]", text.strip().lower()):
        found = _PART.fullmatch(part.strip())
        days = _days(found[1], found[2] or found[1]) if found else range(0)
        first, last = (int(found[3]), int(found[4])) if found else (0, 0)
        if not days or not first < last <= 24:
            what = N_("“%(part)s” tells no hours of a week. Write them like “Mon-Fri 08-12, Sat 10-11”, in whole hours.")
            return Reason("no-hours", what, {"part": part.strip()[:60]})
        for day in days:
            can[day * 24 + first : day * 24 + last] = "1" * (last - first)
    return "".join(can)


def _days(first: str, last: str) -> range:
    if first not in DAYS or last not in DAYS:
        return range(0)
    return range(DAYS.index(first), DAYS.index(last) + 1)
