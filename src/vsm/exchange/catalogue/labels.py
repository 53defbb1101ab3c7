"""The catalogue's words for people: levels, modes, connections, fields of study, weekdays, categories, languages."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from vsm import rulebook
from vsm.exchange.people.rules import LEVELS
from vsm.kit.localized import text_in
from vsm.kit.names import country_name, language_name
from vsm.kit.saying import day_text

LEVEL_LABELS: Mapping[str, Any] = {level: _(word) for level, word in LEVELS.items()}
MODE_LABELS: Mapping[str, Any] = {
    "synchronous": _("Live meetings"),
    "asynchronous": _("In your own time"),
    "mixed": _("Live and in your own time"),
}
BANDWIDTH_LABELS: Mapping[str, Any] = {
    "text": _("Works with text alone"),
    "audio": _("Needs sound"),
    "video": _("Needs video"),
}
STATE_LABELS: Mapping[str, tuple[Any, str]] = {
    "draft": (_("Draft"), "neutral"),
    "published": (pgettext_lazy("offering", "Published"), "good"),
    "withdrawn": (_("Withdrawn"), "bad"),
}
WEEKDAY_LABELS: tuple[Any, ...] = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)

# The broad fields of ISCED-F 2013 (UNESCO Institute for Statistics, 2014, appendix I); 99 is "field unknown".
FIELD_LABELS: Mapping[str, Any] = {
    "00": _("Generic programmes and qualifications"),
    "01": _("Education"),
    "02": _("Arts and humanities"),
    "03": _("Social sciences, journalism and information"),
    "04": _("Business, administration and law"),
    "05": _("Natural sciences, mathematics and statistics"),
    "06": _("Information and communication technologies"),
    "07": _("Engineering, manufacturing and construction"),
    "08": _("Agriculture, forestry, fisheries and veterinary"),
    "09": _("Health and welfare"),
    "10": _("Services"),
    "99": _("Field unknown"),
}


def reader() -> str:
    """The language of whoever reads now."""
    return get_language() or "en"


def in_reader(texts: Mapping[str, str] | None) -> str:
    return text_in(texts, reader())


def level_label(level: str) -> str:
    return str(LEVEL_LABELS.get(level, level))


def mode_label(mode: str) -> str:
    return str(MODE_LABELS.get(mode, mode))


def bandwidth_label(bandwidth: str) -> str:
    return str(BANDWIDTH_LABELS.get(bandwidth, bandwidth))


def field_label(isced_f: str) -> str:
    """`0542` → `0542 · Natural sciences, mathematics and statistics`."""
    broad = FIELD_LABELS.get(isced_f[:2])
    return f"{isced_f} · {broad}" if broad else isced_f


def category_label(slug: str) -> str:
    entry = rulebook.book().categories.get(slug)
    return text_in(entry.name, reader()) if entry else slug


def credit_system_label(slug: str) -> str:
    entry = rulebook.book().credit_systems.get(slug)
    return text_in(entry.name, reader()) if entry else slug


def credit_unit(slug: str, amount: Decimal | None = None) -> str:
    """What one counts in: `crédito ECTS`, `créditos ECTS`; French says the singular up to, not including, two."""
    entry = rulebook.book().credit_systems.get(slug)
    if entry is None:
        return slug
    is_one = amount is not None and (amount < 2 if reader() in {"fr", "pt-br"} else amount == 1)
    return text_in(entry.unit if is_one else entry.units, reader())


def credits_text(low: Decimal, high: Decimal | None, values: list[str], system: str) -> str:
    """`3 – 4 ECTS`, `2 / 4 ECTS` when only those amounts can be taken, `6 ECTS`; in words where it carries none."""
    if not values and not low and not high:
        return str(_("No credit of its own"))
    if values:
        amount = " / ".join(_amount(Decimal(value)) for value in values)
    else:
        amount = _amount(low) if high is None else f"{_amount(low)} – {_amount(high)}"
    return f"{amount} {credit_unit(system, low if high is None and not values else None)}"


def country_label(code: str) -> str:
    return country_name(code, reader())


def language_label(code: str) -> str:
    return language_name(code, reader())


def dates_text(starts_on: date, ends_on: date) -> str:
    """`3 Aug – 12 Dec 2027`, as the design writes dates."""
    first = day_text(starts_on, year=starts_on.year != ends_on.year)
    return f"{first} – {day_text(ends_on)}"


def weekday_text(day: date) -> str:
    """`Tue 3 Mar 2026`."""
    return f"{short_weekday(day.weekday())} {day_text(day)}"


def month_label(month: str) -> str:
    """`2027-03` → `March 2027`."""
    year, _dash, number = month.partition("-")
    return date_format(date(int(year), int(number), 1), "YEAR_MONTH_FORMAT")


def short_weekday(number: int) -> str:
    """`Tue`, Monday being 0; only English writes it with a capital letter."""
    name = str(WEEKDAYS_ABBR[number])
    return name if reader().startswith("en") else name.lower()


def choices_of(labels: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(value, str(label)) for value, label in labels.items()]


def _amount(value: Decimal) -> str:
    return str(number_format(value.normalize(), use_l10n=True))
