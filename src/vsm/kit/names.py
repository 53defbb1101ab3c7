"""Names of countries and languages in the reader's language, from the Unicode CLDR (through Babel)."""

from functools import lru_cache

from babel import Locale, UnknownLocaleError

from vsm.kit.folding import fold
from vsm.kit.localized import LANGUAGES

NOT_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
"""Codes of the CLDR with two letters that ISO 3166-1 gives to no country: unions, parts of countries, pseudo-locales, what is unknown."""


@lru_cache(maxsize=2048)
def country_name(code: str, language: str) -> str:
    """`PE` → `Perú` in Spanish; an unknown code is given back as it is."""
    return str(_locale(language).territories.get(code.upper(), code))


@lru_cache(maxsize=8)
def countries(language: str) -> list[tuple[str, str]]:
    """Every country and territory as (ISO 3166-1 alpha-2, name), in the order of the names."""
    found = _locale(language).territories
    return sorted(((code, str(name)) for code, name in found.items() if len(code) == 2 and code.isalpha() and code not in NOT_COUNTRIES), key=lambda pair: fold(pair[1]))


def country_names(code: str) -> dict[str, str]:
    """The name in every language of ours: a fact of a reason."""
    return {language: country_name(code, language) for language in LANGUAGES}


def country_code(text: str, language: str) -> str:
    """`Perú` or `PE` → `PE`, by the names of this language and English; what names no country is given back as it is."""
    told = fold(text)
    named = (code for known in (language, "en") for code, name in countries(known) if fold(name) == told)
    return text.upper() if is_country(text.upper()) else next(named, text)


@lru_cache(maxsize=512)
def language_name(code: str, language: str) -> str:
    """`pt-br` → `portugués (Brasil)` in Spanish; an unknown code is given back as it is."""
    try:
        return Locale.parse(code, sep="-").get_display_name(_locale(language)) or code
    except (UnknownLocaleError, ValueError):
        return code


def language_names(code: str) -> dict[str, str]:
    """The name in every language of ours: a fact of a reason."""
    return {language: language_name(code, language) for language in LANGUAGES}


@lru_cache(maxsize=16)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def is_country(code: str) -> bool:
    """Whether it is an assigned code of ISO 3166-1 (two capital letters), as CLDR knows them."""
    return len(code) == 2 and code.isalpha() and code not in NOT_COUNTRIES and code in _locale("en").territories
