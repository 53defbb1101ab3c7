"""Saying reasons in the reader's language: translated, with dates, numbers and localized texts formatted."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils import formats, timezone, translation
from django.utils.translation import gettext

from vsm.kit.localized import text_in
from vsm.kit.verdict import Reason


def say(text: Any) -> str:
    """A label in the reader's language, whether it was marked lazily or with `N_`."""
    return gettext(text) if isinstance(text, str) and text else str(text)


def say_reason(reason: Reason) -> str:
    """One reason as a sentence."""
    return gettext(reason.text) % {name: shown(value) for name, value in reason.params.items()}


def say_reasons(reasons: Iterable[Reason]) -> list[str]:
    return [say_reason(reason) for reason in reasons]


def shown(value: Any) -> str:
    """A fact inside a sentence, as this language writes it."""
    if isinstance(value, Reason):
        return say_reason(value)
    if isinstance(value, dt.datetime):
        local = timezone.localtime(value)
        return f"{formats.date_format(local, 'SHORT_DATETIME_FORMAT')} ({timezone.get_current_timezone_name()})"
    if isinstance(value, dt.date):
        return formats.date_format(value, "DATE_FORMAT")
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return formats.localize(value)
    if isinstance(value, dict):
        return text_in(value, translation.get_language() or "en")
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(shown(item) for item in value)
    return gettext(value) if isinstance(value, str) and value else str(value)
