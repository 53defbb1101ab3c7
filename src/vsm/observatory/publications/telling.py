"""How a fact is said in a language: per cent, millions, bands, years, places. Numbers follow the language (CLDR). Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from babel.numbers import format_decimal

from vsm.observatory.estimates.facts import Fact
from vsm.observatory.geography import name_of
from vsm.observatory.publications.charts import short

MINUS = "−"
BETWEEN = {"en": "{low} to {high}", "es": "de {low} a {high}", "pt-br": "de {low} a {high}", "fr": "de {low} à {high}"}
MILLIONS = {"en": "{amount} million", "es": "{amount} millones", "pt-br": "{amount} milhões", "fr": "{amount} millions"}
MILLION = {"pt-br": "{amount} milhão", "fr": "{amount} million"}  # where whatever is below two is one
COUNTED = frozenset({"students", "count", "tonnes", "countries", "years"})
UNKNOWN = {"en": "not known", "es": "no se sabe", "pt-br": "não se sabe", "fr": "inconnu"}


class CannotTell(ValueError):
    """A fact that has no such thing to say: a band where there is none, a value that is null."""


def tell(fact: Fact, how: str, language: str) -> str:
    """The fact in words. `how` is one of HOW; the empty word is the plain value in its unit. Raises CannotTell."""
    if how not in HOW:
        raise CannotTell(f"{fact.key}|{how}: known are {', '.join(filter(None, HOW))}")
    return HOW[how](fact, language)


def value(fact: Fact, language: str) -> str:
    """−5.3 %, 6.4 million, 0.82."""
    if fact.value is None:
        raise CannotTell(f"{fact.key} is known as a range only: use |band")
    return _amount(fact.value, fact.unit, language)


def size(fact: Fact, language: str) -> str:
    """The value without its sign: "a loss of 5.3 %"."""
    if fact.value is None:
        raise CannotTell(f"{fact.key} is known as a range only: use |band")
    return _amount(abs(fact.value), fact.unit, language)


def signed(fact: Fact, language: str) -> str:
    """The value with its sign, also where it is above zero."""
    told = value(fact, language)
    return told if told.startswith(MINUS) or not fact.value else f"+{told}"


def band(fact: Fact, language: str) -> str:
    """From the low to the high end: "−9.4 % to −0.9 %"."""
    if fact.low is None or fact.high is None:
        raise CannotTell(f"{fact.key} has no band")
    return BETWEEN[language].format(low=_amount(fact.low, fact.unit, language), high=_amount(fact.high, fact.unit, language))


def level(fact: Fact, language: str) -> str:
    """How sure the band is: "90 %"."""
    if fact.level is None:
        raise CannotTell(f"{fact.key} has no band")
    return _amount(fact.level, "share", language, digits=0)


def year(fact: Fact, language: str) -> str:
    if fact.year is None:
        raise CannotTell(f"{fact.key} is about no year")
    del language
    return str(fact.year)


def coverage(fact: Fact, language: str) -> str:
    """Of how much of what was expected it speaks, or of how many past cases its band held: "94 %"."""
    if fact.coverage is None:
        raise CannotTell(f"{fact.key} has no coverage")
    return _amount(fact.coverage, "share", language, digits=0)


def place(fact: Fact, language: str) -> str:
    """The country or region that it is about."""
    return name_of(fact.geo, language)


def edge(number: float, unit: str, language: str) -> str:
    """A round value on an axis or between two shades of a map: −20 %, 50 k, 0.40."""
    if unit == "share":
        return _amount(number, unit, language, digits=0 if abs(number * 100 - round(number * 100)) < 1e-9 else 1)
    return short(number, language) if unit in COUNTED else _number(number, language, 2)


HOW: Mapping[str, Callable[[Fact, str], str]] = {"": value, "size": size, "signed": signed, "band": band, "level": level, "coverage": coverage, "year": year, "place": place}


def _amount(number: float, unit: str, language: str, digits: int = 1) -> str:
    if unit == "share":
        per_cent = _number(number * 100, language, digits)
        return f"{per_cent}%" if language in {"en", "pt-br"} else f"{per_cent}\u202f%"
    if unit in COUNTED:
        if abs(number) >= 1e6:
            return (MILLION.get(language, MILLIONS[language]) if abs(round(number / 1e6, 1)) < 2 else MILLIONS[language]).format(amount=_number(number / 1e6, language, 1))
        return _number(round(number, -3) if abs(number) >= 1e5 else round(number, -2) if abs(number) >= 1e4 else round(number), language, 0)
    return _number(number, language, 2)


def _number(number: float, language: str, digits: int) -> str:
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    locale: Any = {"pt-br": "pt_BR"}.get(language, language)
    # Latin America writes 1,234.5 or 1.234,5 by country; "es" of the CLDR (1.234,5) is what Spanish readers of all of them parse.
    told = str(format_decimal(abs(number), format=pattern, locale=locale))
    return (MINUS if round(number, digits) < 0 else "") + told
