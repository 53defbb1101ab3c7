"""Saying reasons in the reader's language: translated, with dates, numbers and localized texts formatted."""

import datetime as dt
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils import formats, timezone, translation
from django.utils.dateformat import format as dateformat
from django.utils.translation import gettext

from vsm.kit.localized import text_in
from vsm.kit.verdict import Reason

DECIMAL = re.compile(r"[+-]?\d+\.\d+")
# What a reason calls a thing by: as it stands in its source, so that the course 101.2 is no figure and the code "May" no month.
NAMES = frozenset({"code", "codes", "id", "ids", "module", "modules", "course", "offering", "slug"})


def say(text: Any) -> str:
    """A label in the reader's language, whether it was marked lazily or with `N_`."""
    return gettext(text) if isinstance(text, str) and text else str(text)


def say_reason(reason: Reason) -> str:
    """One reason as a sentence."""
    return gettext(reason.text) % {name: named(value) if name in NAMES else shown(value) for name, value in reason.params.items()}


def say_reasons(reasons: Iterable[Reason]) -> list[str]:
    return [say_reason(reason) for reason in reasons]


def shown(value: Any) -> str:
    """A fact inside a sentence, as this language writes it."""
    if isinstance(value, Reason):
        return say_reason(value)
    if isinstance(value, dt.datetime):
        return moment_text(value)
    if isinstance(value, dt.date):
        return formats.date_format(value, "DATE_FORMAT")
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return formats.localize(value)
    if isinstance(value, dict):
        return text_in(value, translation.get_language() or "en")
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(shown(item) for item in value)
    if isinstance(value, str) and DECIMAL.fullmatch(value):  # a figure whose digits were chosen before
        return value.replace("-", "−").replace(".", formats.get_format("DECIMAL_SEPARATOR"))
    return gettext(value) if isinstance(value, str) and value else str(value)


def named(value: Any) -> str:
    """A code as it is written, each of several; a title in languages, or a number, as `shown`."""
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(named, value))
    return value if isinstance(value, str) else shown(value)


def labelled(label: Any, value: Any) -> str:
    """A word and what is told of it, with this language's colon: in French after a space that does not break."""
    return f"{label}{colon()} {value}"


def colon() -> str:
    """Between a word and what is told of it; in French after a space that does not break."""
    return "\u00a0:" if (translation.get_language() or "en").startswith("fr") else ":"


def moment_text(value: dt.datetime) -> str:
    """`Sun 15 Nov 2026, 08:00 (America/Santiago)`: in the reader's zone, which is named."""
    return f"{day_and_hour(value)} ({timezone.get_current_timezone_name()})"


def signed_at_text(value: dt.datetime, zone: str = "UTC") -> str:
    """A moment on a paper that many read: by UTC first, then on the clock of whoever signed. `zone` is an IANA name."""
    told = []
    for each in dict.fromkeys(("UTC", zone)):
        with timezone.override(each):
            told.append(moment_text(value))
    return " · ".join(told)


def day_and_hour(value: dt.datetime) -> str:
    """The same without the zone."""
    local = local_time(value)
    return f"{_weekday_and_day(local)}, {local:%H:%M}"


def hours_text(starts: dt.datetime, ends: dt.datetime) -> str:
    """`09:00–10:30` of two moments on one clock. Where it is changed between them each end names its offset, for an hour occurs
    twice then: `23:30 UTC−3 – 23:30 UTC−4`."""
    if starts.utcoffset() == ends.utcoffset():
        return f"{starts:%H:%M}–{ends:%H:%M}"
    return f"{starts:%H:%M} {offset_text(starts)} – {ends:%H:%M} {offset_text(ends)}"


def offset_text(value: dt.datetime) -> str:
    """`UTC−3`, `UTC+5:45`: how far the clock of an aware moment is from UTC then. Minus is U+2212."""
    minutes = round((value.utcoffset() or dt.timedelta()).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'−' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"


def wall_text(value: dt.datetime, there: dt.tzinfo) -> str:
    """The same on another clock than the reader's. Whoever writes it names the zone."""
    with timezone.override(there):
        return day_and_hour(value)


def wall_span(starts: dt.datetime, ends: dt.datetime, there: dt.tzinfo) -> str:
    """From and to on another clock than the reader's. Whoever writes it names the zone."""
    start, end = starts.astimezone(there), ends.astimezone(there)
    return f"{_weekday_and_day(start)}, {hours_text(start, end)}"


def local_time(value: dt.datetime) -> dt.datetime:
    """On the reader's clock."""
    if timezone.is_naive(value):
        raise ValueError(f"{value!r} names no zone, so it cannot be shown in the reader's. Pass an aware datetime.")
    return timezone.localtime(value)


def _weekday_and_day(local: dt.datetime) -> str:
    weekday = dateformat(local, "D")
    return f"{weekday if _is_english() else weekday.lower()} {day_text(local)}"


def day_text(value: dt.date, *, year: bool = True) -> str:
    """`12 Dec 2027`, or `12 Dec` without its year: as pages write a day. English capitalises months, the others do not."""
    month = "M" if _is_english() else "b"
    return dateformat(value, f"j {month} Y" if year else f"j {month}")


def _is_english() -> bool:
    return (translation.get_language() or "en").startswith("en")
