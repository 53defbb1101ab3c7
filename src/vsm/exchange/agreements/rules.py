"""What an agreement must hold, what it covers, the one way to write its text, and the reciprocity balance."""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import rfc8785

from vsm.exchange.people.rules import LEVELS
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

LANGUAGES: Mapping[str, str] = {
    "es": N_("Spanish"),
    "pt-br": N_("Portuguese"),
    "en": N_("English"),
    "fr": N_("French"),
}
MOST_SEATS = 10_000

# ISCED-F 2013 (UNESCO-UIS): broad fields 00 to 10, narrower ones by further digits; 99 is "not known".
_ISCED_F = re.compile(r"(0\d|10|99)\d{0,2}", re.ASCII)


@dataclass(frozen=True)
class Seats:
    """Seats that `host` (an organisation's id) promises to the other party in one term, or in each term if it is ""."""

    host: str
    term: str
    seats: int


@dataclass(frozen=True)
class Terms:
    """What an agreement covers. No levels, fields or language means: all."""

    category: str
    levels: tuple[str, ...] = ()
    isced_f: tuple[str, ...] = ()
    language: str = ""
    minimum_cefr: str = ""


@dataclass(frozen=True)
class Balance:
    """How many students each party sent. `owed` is what the second still owes the first; negative, the other way."""

    first_sent: int
    second_sent: int

    @property
    def owed(self) -> int:
        return self.first_sent - self.second_sent


def gaps(terms: Terms, *, category: str, level: str, isced_f: str) -> list[str]:
    """Which of "category", "field", "level" the agreement does not cover; empty when it covers the course.

    A field covers everything below it: 06 covers 0613. A course without a field is covered only by "all fields".
    """
    found = []
    if terms.category != category:
        found.append("category")
    if terms.isced_f and not any(isced_f.startswith(field) for field in terms.isced_f):
        found.append("field")
    if terms.levels and level not in terms.levels:
        found.append("level")
    return found


def cefr_asked(terms: Terms, language: str) -> str:
    """The least level that the agreement asks for a course in `language`; "" when it asks for none."""
    return terms.minimum_cefr if terms.language in ("", language) else ""


def canonical(text: Mapping[str, Any]) -> bytes:
    """The text as canonical JSON (RFC 8785): the same facts always give the same bytes."""
    return rfc8785.dumps(dict(text))


def digest(text: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical text, in hexadecimal: what a signature is bound to."""
    return hashlib.sha256(canonical(text)).hexdigest()


def problems(
    *, parties: Collection[str], starts_on: date, ends_on: date, levels: Iterable[str], isced_f: Iterable[str],
    language: str, minimum_cefr: str, promises: Iterable[Seats],
) -> Iterator[Reason]:  # fmt: skip
    """Everything that keeps these facts from being an agreement."""
    if len(set(parties)) != 2:
        yield Reason("one-party", N_("An agreement has two parties. Choose another institution as partner."), {}, "partner")
    if ends_on <= starts_on:
        yield Reason("dates", N_("It ends on %(ends)s, before it has begun on %(starts)s."), {"ends": ends_on, "starts": starts_on}, "ends_on")
    for level in sorted(set(levels) - set(LEVELS)):
        yield Reason("level-unknown", N_("“%(level)s” is no level of study. Known: %(known)s."), {"level": level, "known": ", ".join(LEVELS)}, "levels")
    for field in isced_f:
        if not _ISCED_F.fullmatch(field):
            yield Reason(
                "field-unknown",
                N_("“%(field)s” is no ISCED-F code. Write two to four digits beginning with 00 to 10: 06 covers everything from 0610 to 0688."),
                {"field": field}, "isced_f",
            )  # fmt: skip
    if language and language not in LANGUAGES:
        yield Reason("language-unknown", N_("“%(language)s” is not a language of this installation. Known: %(known)s."), {"language": language, "known": ", ".join(LANGUAGES)}, "language")
    if minimum_cefr and minimum_cefr not in ("A1", "A2", "B1", "B2", "C1", "C2"):
        yield Reason("cefr", N_("“%(level)s” is not a level of the CEFR. Choose one from A1 to C2."), {"level": minimum_cefr}, "minimum_cefr")
    yield from _seat_problems(parties, promises)


def proposal_problems(*, ends_on: date, promises: Iterable[Seats], today: date) -> Iterator[Reason]:
    """What must be mended before the other party is asked to sign."""
    if not any(promise.seats for promise in promises):
        yield Reason("no-seats", N_("No seats are promised in either direction. Revise the agreement and promise at least one."))
    if ends_on < today:
        yield Reason("past", N_("It ended on %(ends)s already. Revise its last day."), {"ends": ends_on})


def _seat_problems(parties: Collection[str], promises: Iterable[Seats]) -> Iterator[Reason]:
    seen = set()
    for line, promise in enumerate(promises, start=1):
        if promise.host not in parties:
            yield Reason("host-foreign", N_("Line %(line)s: seats can be promised only by one of the two parties."), {"line": line}, "promises")
        if not 0 <= promise.seats <= MOST_SEATS:
            yield Reason("seats", N_("Line %(line)s: promise between 0 and %(most)s seats."), {"line": line, "most": MOST_SEATS}, "promises")
        if (promise.host, promise.term) in seen:
            yield Reason("promise-twice", N_("Line %(line)s: the same host and term stand twice. Write the sum in one line."), {"line": line}, "promises")
        seen.add((promise.host, promise.term))
