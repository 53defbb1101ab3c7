"""One row of a catalogue file, read by the mapping: every fact, or every reason why not."""

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from zoneinfo import available_timezones

from vsm import rulebook
from vsm.exchange.catalogue.candidates import OfferingFacts, OpportunityFacts, Remark
from vsm.exchange.catalogue.credit_prose import CreditRange, credits_between, credits_in, credits_listed
from vsm.exchange.catalogue.formulas import unguarded
from vsm.exchange.catalogue.mapping import Mapping
from vsm.exchange.catalogue.mapping_parts import HOURS_PROSE, TEXTS, VOCABULARY, Meetings, Rule, columns_of
from vsm.exchange.catalogue.rules import isced_f_problems
from vsm.exchange.catalogue.weekly import Meeting, meetings_in, time_in, weekdays_in
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

Cells = Sequence[str]

LONGEST = {
    "code": 64,
    "offering code": 64,
    "opportunity key": 200,
    "offering key": 200,
    "label": 64,
    "language": 8,
    "isced_f": 4,
    "subject": 64,
    "term": 64,
}
"""Characters that the catalogue's columns hold."""

_NO_DATES = (date.min, date.min)
_NO_CREDITS = CreditRange(Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What a row says. With `reasons` the facts are incomplete and must not be used."""

    opportunity_key: str
    opportunity: OpportunityFacts
    offering_key: str
    offering: OfferingFacts
    section: str
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]

    def remarks_at(self, line: int) -> list[Remark]:
        return [Remark(line, note) for note in self.notes]


class RowReader:
    """Reads rows of a file with one header. Cells are trimmed and, if the mapping says so, HTML entities decoded."""

    def __init__(self, mapping: Mapping, header: Sequence[str]) -> None:
        self._mapping = mapping
        self._positions = [header.index(name) if name in header else -1 for name in mapping.columns]
        self._places = {name: place for place, name in enumerate(mapping.columns)}
        self._refusals = [(self._places[refusal.column], refusal) for refusal in mapping.refuse]
        self._facts = {name: self._compiled(rule, name) for name, rule in mapping.facts.items()}
        self._code = self._compiled(mapping.code, "code")
        self._offering_code = self._compiled(mapping.offering_code, "offering code")
        self._term = self._compiled(mapping.term, "term")
        self._system = self._compiled(mapping.credits.system, "credit_system")
        self._texts = {
            name: [(lang, self._places[column]) for lang, column in texts.items()]
            for name, texts in mapping.texts.items()
        }
        self._known = {
            "category": tuple(rulebook.book().categories),
            "credit_system": tuple(rulebook.book().credit_systems),
            **VOCABULARY,
        }

    def facts(self, raw: Cells) -> RowFacts:
        """All facts of the row, with every reason against it. A row that is not wanted is not examined further."""
        cells = [self._cell(raw[position]) if position >= 0 else "" for position in self._positions]
        reasons = list(self._unwanted(cells))
        wanted = not reasons
        notes: list[Reason] = []
        opportunity_key, offering_key = (
            self._key(self._mapping.opportunity_key, cells),
            self._key(self._mapping.offering_key, cells),
        )
        section = self._key(self._mapping.section_key, cells)
        if not wanted:
            return RowFacts(opportunity_key, _NO_OPPORTUNITY, offering_key, _NO_OFFERING, section, tuple(reasons), ())
        reasons += self._gaps(cells)
        opportunity = self._opportunity(cells, reasons)
        offering = self._offering(cells, reasons, notes)
        sizes = {
            "opportunity key": opportunity_key,
            "offering key": offering_key,
            "code": opportunity.code,
            "offering code": offering.code,
            "language": opportunity.language,
            "isced_f": opportunity.isced_f,
            "subject": opportunity.subject,
            "term": offering.term,
        }
        reasons += [_too_long(name, text) for name, text in sizes.items() if len(text) > LONGEST[name]]
        return RowFacts(opportunity_key, opportunity, offering_key, offering, section, tuple(reasons), tuple(notes))

    def _cell(self, text: str) -> str:
        if self._mapping.source.formulas_quoted:
            text = unguarded(text)
        if self._mapping.source.html_entities and "&" in text:
            text = html.unescape(text)
        return text.strip()

    def _unwanted(self, cells: Cells) -> Iterator[Reason]:
        for place, refusal in self._refusals:
            if cells[place] in refusal.values:
                yield Reason(
                    "not-wanted",
                    N_("%(column)s “%(value)s”: %(reason)s"),
                    {"column": refusal.column, "value": cells[place], "reason": refusal.reason},
                )

    def _gaps(self, cells: Cells) -> Iterator[Reason]:
        keys = dict.fromkeys((*self._mapping.opportunity_key, *self._mapping.offering_key, *self._mapping.section_key))
        for column in keys:
            if not cells[self._places[column]]:
                yield Reason(
                    "key-empty",
                    N_("The column “%(column)s” is part of the key and is empty."),
                    {"column": column},
                    column,
                )

    def _key(self, columns: Sequence[str], cells: Cells) -> str:
        return "/".join([cells[self._places[column]] for column in columns])

    def _opportunity(self, cells: Cells, reasons: list[Reason]) -> OpportunityFacts:
        texts = self._all_texts(cells)
        if not texts["title"]:
            reasons.append(Reason("title-missing", N_("There is no title in any language."), {}, "title"))
        credit = self._credits(cells, reasons)
        code = self._code(cells, reasons)
        if not code:
            reasons.append(Reason("code-missing", N_("The code is empty."), {}, "code"))
        return OpportunityFacts(
            code=code,
            category=self._known_fact("category", cells, reasons),
            **texts,
            subject=self._fact("subject", cells, reasons),
            isced_f=self._isced_f(cells, reasons),
            level=self._known_fact("level", cells, reasons),
            credits_low=credit.low,
            credits_high=credit.high,
            credit_values=credit.values,
            credit_system=self._known_value("credit_system", self._system(cells, reasons), reasons),
            workload_hours=self._hours(cells, reasons),
            language=self._language(cells, reasons),
            cefr=self._known_fact("cefr", cells, reasons),
        )

    def _offering(self, cells: Cells, reasons: list[Reason], notes: list[Reason]) -> OfferingFacts:
        starts_on, ends_on = self._dates(cells, reasons)
        return OfferingFacts(
            code=self._offering_code(cells, reasons),
            term=self._term(cells, reasons),
            starts_on=starts_on,
            ends_on=ends_on,
            zone=self._zone(cells, reasons),
            mode=self._known_fact("mode", cells, reasons),
            bandwidth=self._known_fact("bandwidth", cells, reasons),
            seats=self._seats(cells, reasons),
            meetings=self._meetings(cells, reasons, notes),
        )

    def _all_texts(self, cells: Cells) -> dict[str, dict[str, str]]:
        found = {
            name: {language: cells[place] for language, place in self._texts.get(name, ()) if cells[place]}
            for name in TEXTS
        }
        for name, (origin, marker) in self._mapping.split.items():
            for language, text in list(found[origin].items()):
                before, _, after = text.partition(marker)
                if after.strip():
                    found[name][language], found[origin][language] = after.strip(), before.strip()
            found[origin] = {language: text for language, text in found[origin].items() if text}
        return found

    def _credits(self, cells: Cells, reasons: list[Reason]) -> CreditRange:
        rule = self._mapping.credits
        if rule.parser == HOURS_PROSE:
            found = _credits_in(cells[self._places[rule.column or ""]])
        else:
            found = credits_between(
                cells[self._places[rule.low or ""]], cells[self._places[rule.high]] if rule.high else ""
            )
            listed = cells[self._places[rule.values]] if rule.values else ""
            if listed and isinstance(found, CreditRange):
                found = credits_listed(listed, found)
        if isinstance(found, Reason):
            reasons.append(found)
            return _NO_CREDITS
        return found

    def _isced_f(self, cells: Cells, reasons: list[Reason]) -> str:
        code = self._fact("isced_f", cells, reasons)
        reasons += isced_f_problems(code)
        return code

    def _language(self, cells: Cells, reasons: list[Reason]) -> str:
        language = self._fact("language", cells, reasons)
        if not language:
            reasons.append(Reason("language-missing", N_("The language of teaching is empty."), {}, "language"))
        return language

    def _zone(self, cells: Cells, reasons: list[Reason]) -> str:
        zone = self._fact("zone", cells, reasons)
        if zone and zone not in _zones():
            reasons.append(Reason("zone", N_("“%(value)s” is no IANA time zone (example: America/Lima)."), {"value": zone}, "zone"))
        return zone

    def _hours(self, cells: Cells, reasons: list[Reason]) -> Decimal | None:
        text = self._fact("workload_hours", cells, reasons)
        if not text:
            return None
        try:
            hours = Decimal(text)
        except InvalidOperation:
            hours = Decimal(-1)
        if not hours.is_finite() or not 0 < hours < 10_000:
            reasons.append(
                Reason("workload", N_("“%(value)s” is no number of hours."), {"value": text}, "workload_hours")
            )
            return None
        return hours

    def _dates(self, cells: Cells, reasons: list[Reason]) -> tuple[date, date]:
        rule = self._mapping.dates
        if rule.column is not None:
            period = cells[self._places[rule.column]]
            if period in rule.periods:
                return rule.periods[period]
            reasons.append(
                Reason(
                    "period-unknown",
                    N_("The mapping gives no dates for %(column)s “%(value)s”."),
                    {"column": rule.column, "value": period},
                    rule.column,
                )
            )
            return _NO_DATES
        texts = [cells[self._places[column]] for column in (rule.starts_on, rule.ends_on) if column is not None]
        days = [_date_in(text) for text in texts]
        reasons += [
            Reason("date", N_("“%(value)s” is no date written as YYYY-MM-DD."), {"value": text})
            for text, day in zip(texts, days, strict=True)
            if day is None
        ]
        starts_on, ends_on = (day or date.min for day in days)
        if None not in days and ends_on < starts_on:
            reasons.append(
                Reason(
                    "dates-order",
                    N_("The offering ends (%(last)s) before it starts (%(first)s)."),
                    {"first": starts_on, "last": ends_on},
                )
            )
        return starts_on, ends_on

    def _seats(self, cells: Cells, reasons: list[Reason]) -> int:
        rule = self._mapping.seats
        if rule.constant is not None or rule.column is None:
            return rule.constant or 0
        text = cells[self._places[rule.column]]
        if not text and rule.default is not None:
            return rule.default
        if text.isascii() and text.isdigit() and len(text) <= 6:
            return int(text)
        reasons.append(Reason("seats", N_("“%(value)s” is no number of seats."), {"value": text}, rule.column))
        return 0

    def _meetings(self, cells: Cells, reasons: list[Reason], notes: list[Reason]) -> tuple[Meeting, ...]:
        rule = self._mapping.meetings
        if rule is None:
            return ()
        if rule.cell is not None:
            found = meetings_in(cells[self._places[rule.cell]])
            if found is None:
                reasons.append(_meeting_unreadable(cells[self._places[rule.cell]]))
            return self._labelled(found or (), reasons)
        days, starts, ends = (cells[self._places[column or ""]] for column in (rule.days, rule.starts, rule.ends))
        if starts in rule.arranged or not (days or starts or ends):
            if days:
                notes.append(
                    Reason(
                        "times-arranged",
                        N_("Meets on %(days)s at times still to be arranged; no meeting is entered."),
                        {"days": days},
                    )
                )
            return ()
        label = self._filled(rule.label, cells).strip()
        return self._labelled(_weekly(days, starts, ends, rule, label, reasons), reasons)

    def _labelled(self, meetings: Sequence[Meeting], reasons: list[Reason]) -> tuple[Meeting, ...]:
        reasons += [
            _too_long("label", meeting.label) for meeting in meetings[:1] if len(meeting.label) > LONGEST["label"]
        ]
        return tuple(meetings)

    def _filled(self, template: str, cells: Cells) -> str:
        return template.format(**{column: cells[self._places[column]] for column in columns_of(template)})

    def _fact(self, name: str, cells: Cells, reasons: list[Reason]) -> str:
        return self._facts[name](cells, reasons) if name in self._facts else ""

    def _known_fact(self, name: str, cells: Cells, reasons: list[Reason]) -> str:
        return self._known_value(name, self._fact(name, cells, reasons), reasons)

    def _known_value(self, name: str, value: str | None, reasons: list[Reason]) -> str:
        if value is None or value in self._known[name] or any(reason.field == name for reason in reasons):
            return value or ""
        params = {"fact": name, "value": value, "known": ", ".join(filter(None, self._known[name]))}
        reasons.append(Reason("value-unknown", N_("“%(value)s” is no known %(fact)s. Known: %(known)s."), params, name))
        return ""

    def _compiled(self, rule: Rule, name: str) -> Callable[[Cells, list[Reason]], str]:
        if rule.constant is not None:
            constant = rule.constant
            return lambda cells, reasons: constant
        if rule.template is not None:
            template = rule.template
            return lambda cells, reasons: " ".join(self._filled(template, cells).split())
        place = self._places[rule.column or ""]
        if rule.table is None and not rule.ranges:
            return lambda cells, reasons: cells[place] or rule.default or ""
        return lambda cells, reasons: _looked_up(rule, cells[place], name, reasons)


def _looked_up(rule: Rule, cell: str, name: str, reasons: list[Reason]) -> str:
    if rule.table is not None and cell in rule.table:
        return rule.table[cell]
    if rule.ranges and cell.isascii() and cell.isdigit():
        for span in rule.ranges:
            if span.first <= int(cell) <= span.last:
                return span.value
    if rule.default is not None:
        return rule.default
    reasons.append(
        Reason(
            "not-in-mapping",
            N_("The mapping does not say which %(fact)s “%(value)s” is."),
            {"fact": name, "value": cell},
            name,
        )
    )
    return ""


def _weekly(
    days: str, starts: str, ends: str, rule: Meetings, label: str, reasons: list[Reason]
) -> tuple[Meeting, ...]:
    weekdays = weekdays_in(days, rule.letters)
    first, last = time_in(starts, rule.clock), time_in(ends, rule.clock)
    if not weekdays or first is None or last is None or last <= first:
        reasons.append(_meeting_unreadable(" ".join((days, starts, "–", ends))))
        return ()
    return tuple(Meeting(day, first, last, label) for day in weekdays)


def _meeting_unreadable(text: str) -> Reason:
    return Reason(
        "meeting-unreadable",
        N_("The meeting “%(text)s” cannot be read as weekdays with a start before an end."),
        {"text": text[:120]},
        "meetings",
    )


def _too_long(name: str, text: str) -> Reason:
    return Reason(
        "too-long",
        N_("The %(name)s has %(length)s characters; at most %(limit)s fit."),
        {"name": name, "length": len(text), "limit": LONGEST[name]},
        name,
    )


def _date_in(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=4096)
def _credits_in(prose: str) -> CreditRange | Reason:
    return credits_in(prose)


_NO_OPPORTUNITY = OpportunityFacts(
    "", "", {}, {}, {}, {}, {}, {}, "", "", "", Decimal(0), Decimal(0), (), "", None, "", ""
)
_NO_OFFERING = OfferingFacts("", "", date.min, date.min, "", "", "", 0, ())
