"""Who wants to meet, from one file, and the answer as files. Pure; needs no database.

CSV is one line a person: `id`, `zone`, and if told `hours` (“Mon-Fri 08-12”) and `busy` (“2027-03-01T10:00Z/2027-03-01T12:00Z”,
several with a blank between). JSON is an object with `people` (the same names), `starts_on`, `ends_on`, `zone`, `minutes` and
`without` (days).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from vsm.exchange.sessions.slots import Who, Wish
from vsm.exchange.sessions.written_weeks import hours_of_week
from vsm.exchange.sessions.zones import present_name, why_no_zone
from vsm.kit.documents import Document, Row, at, in_file, once, read_document, unknown
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

COLUMNS = ("id", "zone", "hours", "busy")
FACTS = ("starts_on", "ends_on", "zone", "minutes")
LISTS = ("people", "without")
MOST_LINES = 5_000
MOST_TOLD = 50


@dataclass(frozen=True)
class Asked:
    """What was said beside the file; it goes before what the file says."""

    starts_on: date | None = None
    ends_on: date | None = None
    zone: str = ""
    minutes: int | None = None
    without: frozenset[date] = frozenset()


def question_of(name: str, data: bytes, asked: Asked, *, zones: Collection[str]) -> tuple[list[Who], Wish]:
    """The people and what is looked for. `Invalid` with every fault by file and line."""
    faults: list[Reason] = []
    try:
        document = read_document(data, main="people", most=MOST_LINES)
        faults += _strange(document)
        people, seen = [], dict[str, int]()
        for row in document.rows.get("people", ()):
            wrong = list(_faults(row, seen, zones))
            faults += [at(row.line, each) for each in wrong]
            if not wrong:
                people.append(_who(row.value))
        wish = _wish(document, asked, people, zones, faults)
        Invalid.because(once(faults))
    except Invalid as error:
        told = [in_file(name, each) for each in error.reasons[:MOST_TOLD]]
        if len(error.reasons) > MOST_TOLD:
            told.append(Reason("more-faults", N_("… and %(count)s more faults like these."), {"count": len(error.reasons) - MOST_TOLD}))
        raise Invalid(*told) from error
    return people, wish


def _strange(document: Document) -> Iterator[Reason]:
    if not document.rows.get("people"):
        yield at(1, Reason("nobody", N_("There is nobody in it.")))
    for reason in unknown([*document.rows, *document.facts], [*LISTS, *FACTS]):
        row = document.facts.get(str(reason.params["name"]))
        yield at(row.line if row else 1, reason)


def _faults(row: Row, seen: dict[str, int], zones: Collection[str]) -> Iterator[Reason]:
    if not isinstance(row.value, dict):
        yield _unreadable("people", row.value)
        return
    yield from unknown(row.value, COLUMNS)
    name, zone = str(row.value.get("id", "")), str(row.value.get("zone", ""))
    if not name:
        yield Reason("no-id", N_("There is no id."))
    elif name in seen:
        yield Reason("id-twice", N_("%(id)s stands on line %(line)s already."), {"id": name, "line": seen[name]})
    seen.setdefault(name, row.line)
    strange = why_no_zone(zone, zones)
    if strange:
        yield strange
    hours = hours_of_week(str(row.value.get("hours", "")))
    if isinstance(hours, Reason):
        yield hours
    for span in _spans(row.value.get("busy")):
        if _span(span) is None:
            text = N_("“%(span)s” is no time from and to. Write both with their zone, for example 2027-03-01T10:00Z/2027-03-01T12:00Z.")
            yield Reason("no-span", text, {"span": span[:80]})


def _who(value: Mapping[str, Any]) -> Who:
    hours = hours_of_week(str(value.get("hours", "")))
    busy = tuple(span for each in _spans(value.get("busy")) if (span := _span(each)))
    return Who(str(value["id"]), present_name(str(value["zone"])), hours if isinstance(hours, str) else "", busy)


def _wish(document: Document, asked: Asked, people: list[Who], zones: Collection[str], faults: list[Reason]) -> Wish:
    """What is looked for; without a zone it is the first person's."""
    facts, days = document.facts, dict[str, date | None]()
    for name in ("starts_on", "ends_on"):
        days[name] = getattr(asked, name) or _day(facts[name].value if name in facts else None)
        if days[name] is None:
            line = facts[name].line if name in facts else 1
            faults.append(at(line, Reason("no-day", N_("Say from which day to which, as 2027-03-01 (starts_on, ends_on)."))))
    zone = asked.zone or (str(facts["zone"].value) if "zone" in facts else people[0].zone if people else "UTC")
    strange = why_no_zone(zone, zones)
    if strange:
        faults.append(at(facts["zone"].line if "zone" in facts and not asked.zone else 1, strange))
    minutes = asked.minutes if asked.minutes is not None else facts["minutes"].value if "minutes" in facts else 60
    if not isinstance(minutes, int) or isinstance(minutes, bool):
        faults.append(at(facts["minutes"].line, _unreadable("minutes", minutes)))
    without = set(asked.without)
    for row in document.rows.get("without", ()):
        day = _day(row.value)
        if day is None:
            faults.append(at(row.line, _unreadable("without", row.value)))
        else:
            without.add(day)
    since, until = days["starts_on"], days["ends_on"]
    if faults or since is None or until is None:
        return Wish(date.min, date.min, "UTC")
    return Wish(since, until, present_name(zone), minutes, frozenset(without))


def _spans(value: Any) -> list[str]:
    return ["/".join(map(str, each)) if isinstance(each, list) else str(each) for each in value] if isinstance(value, list) else str(value or "").split()


def _span(text: str) -> tuple[datetime, datetime] | None:
    try:
        since, until = (datetime.fromisoformat(each) for each in text.split("/"))
    except ValueError:
        return None
    return (since, until) if since.tzinfo and until.tzinfo and since < until else None


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _unreadable(name: str, value: Any) -> Reason:
    return Reason("unreadable", N_("%(name)s cannot be “%(value)s”."), {"name": name, "value": str(value)[:80]})
