"""The parts of a mapping file: what each can say, and how it is read from its place in the YAML."""

from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from datetime import date
from string import Formatter

from vsm.exchange.catalogue.vocabulary import BANDWIDTHS, CEFR, LEVELS, MODES
from vsm.exchange.catalogue.weekly import CLOCKS
from vsm.exchange.catalogue.yaml_place import Place
from vsm.kit.i18n import N_
from vsm.kit.localized import LANGUAGES

ENCODINGS = ("utf-8", "iso-8859-1", "iso-8859-15", "windows-1252")
"""Only encodings in which a line feed is one byte, so that line numbers are those of an editor."""

TEXTS = ("title", "description", "learning_outcomes", "prerequisites", "assessment", "accessibility")
FACTS = ("category", "subject", "isced_f", "level", "language", "cefr", "mode", "bandwidth", "workload_hours", "zone")
REQUIRED_FACTS = ("category", "level", "language", "mode", "bandwidth")
MIXABLE = ("mode", "bandwidth")
"""Facts in which the sections of one offering may differ, if the mapping names the value for that case."""

VOCABULARY = {"level": LEVELS, "mode": MODES, "bandwidth": BANDWIDTHS, "cefr": ("", *CEFR)}
MEETING_COLUMNS = ("days", "starts", "ends")
HOURS_PROSE, NUMBERS = "hours-prose", "numbers"


@dataclass(frozen=True)
class Span:
    """Numbers from `first` to `last`, both included, mean `value`."""

    first: int
    last: int
    value: str


@dataclass(frozen=True)
class Rule:
    """How a fact is found in a row: a constant, a template over columns, or a column (through a table or ranges).

    A cell that neither table nor ranges know becomes `default`; without default the row is refused.
    """

    constant: str | None = None
    template: str | None = None
    column: str | None = None
    table: Table[str, str] | None = None
    ranges: tuple[Span, ...] = ()
    default: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        if self.template is not None:
            return columns_of(self.template)
        return (self.column,) if self.column is not None else ()

    @property
    def values(self) -> set[str]:
        """The values that the mapping itself spells out."""
        spelt = [self.constant, self.default, *(self.table or {}).values(), *(span.value for span in self.ranges)]
        return {value for value in spelt if value is not None}


@dataclass(frozen=True)
class Refusal:
    """Rows whose `column` holds one of `values` are not wanted, for `reason` (in the operator's own words)."""

    column: str
    values: frozenset[str]
    reason: str


@dataclass(frozen=True)
class Source:
    """The bytes of the file. With `final_newline` a last line without line end is a cut line; with `formulas_quoted` an
    apostrophe before a formula was put there by the export and is taken off."""

    encoding: str = "utf-8"
    delimiter: str = ","
    html_entities: bool = False
    final_newline: bool = False
    longest_cell: int = 20_000
    formulas_quoted: bool = False


@dataclass(frozen=True)
class Dates:
    """Either two columns of ISO dates, or one column of period codes with a table."""

    starts_on: str | None = None
    ends_on: str | None = None
    column: str | None = None
    periods: Table[str, tuple[date, date]] = field(default_factory=dict)


@dataclass(frozen=True)
class Credits:
    """Credit in prose (`column`), or in two columns of numbers (`low`, `high`) and one of the only amounts (`values`)."""

    system: Rule
    parser: str
    column: str | None = None
    low: str | None = None
    high: str | None = None
    values: str | None = None


@dataclass(frozen=True)
class Meetings:
    """Days, start and end in columns of their own, or several meetings in one `cell` of our own notation."""

    cell: str | None = None
    days: str | None = None
    letters: Table[str, int] = field(default_factory=dict)
    starts: str | None = None
    ends: str | None = None
    clock: str = "24-hour"
    arranged: frozenset[str] = frozenset()
    label: str = ""


@dataclass(frozen=True)
class Seats:
    """Seats of an offering: a constant, or the sum of `column` over its sections."""

    constant: int | None = None
    column: str | None = None
    default: int | None = None


def columns_of(template: str) -> tuple[str, ...]:
    """`{Subject} {Number}` → ("Subject", "Number")."""
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name)


def source_at(node: Place | None) -> Source:
    if node is None:
        return Source()
    parts = node.parts(("encoding", "delimiter", "html_entities", "final_newline", "longest_cell", "formulas_quoted"))
    delimiter = parts["delimiter"].text() if "delimiter" in parts else ","
    if len(delimiter) != 1 or delimiter in '"\r\n':
        parts["delimiter"].wrong(N_("%(place)s: the delimiter is one character, such as , or ;"))
        delimiter = ","
    return Source(
        encoding=parts["encoding"].choice(ENCODINGS) if "encoding" in parts else "utf-8",
        delimiter=delimiter,
        html_entities=parts["html_entities"].flag() if "html_entities" in parts else False,
        final_newline=parts["final_newline"].flag() if "final_newline" in parts else False,
        longest_cell=parts["longest_cell"].whole() if "longest_cell" in parts else Source.longest_cell,
        formulas_quoted=parts["formulas_quoted"].flag() if "formulas_quoted" in parts else False,
    )


def texts_at(node: Place | None) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, part in (node.parts(TEXTS, ("title",)) if node else {}).items():
        found[name] = {language: column.text() for language, column in part.parts(LANGUAGES).items()}
    return found


def split_at(node: Place | None, texts: Table[str, Table[str, str]]) -> dict[str, tuple[str, str]]:
    found = {}
    for name, part in (node.parts(TEXTS) if node else {}).items():
        keys = part.parts(("from", "marker"), ("from", "marker"))
        if "from" not in keys or "marker" not in keys:
            continue
        origin = keys["from"].choice(TEXTS)
        if origin not in texts or name in texts:
            part.wrong(
                N_("%(place)s: a text is split from another one that has a column, and then has no column of its own.")
            )
        if not keys["marker"].text():
            keys["marker"].wrong(N_("%(place)s: the marker is empty."))
        found[name] = (origin, keys["marker"].text())
    return found


def facts_at(node: Place | None) -> dict[str, Rule]:
    rules = {}
    for name, part in (node.parts(FACTS, REQUIRED_FACTS) if node else {}).items():
        rules[name] = rule_at(part)
        for value in sorted(rules[name].values - set(VOCABULARY.get(name, rules[name].values))):
            part.wrong(
                N_("%(place)s: “%(value)s” is none of %(options)s."), value=value, options=", ".join(VOCABULARY[name])
            )
    return rules


def rule_at(node: Place | None) -> Rule:
    if node is None:
        return Rule(constant="")
    parts = node.parts(("constant", "template", "column", "table", "ranges", "default"))
    if len(parts.keys() & {"constant", "template", "column"}) != 1:
        node.wrong(N_("%(place)s: say just one of constant, template, column."))
    if parts.keys() & {"table", "ranges", "default"} and ("column" not in parts or {"table", "ranges"} <= parts.keys()):
        node.wrong(N_("%(place)s: a table or ranges (not both) and a default belong to a column."))
    template = parts["template"].text() if "template" in parts else None
    if template is not None and not _is_template(template):
        parts["template"].wrong(N_("%(place)s: write columns of a template as {Column}."))
        template = None
    return Rule(
        constant=parts["constant"].text() if "constant" in parts else None,
        template=template,
        column=parts["column"].text() if "column" in parts else None,
        table={key: value.text() for key, value in parts["table"].parts().items()} if "table" in parts else None,
        ranges=tuple(_span(parts["ranges"], key, value) for key, value in parts["ranges"].parts().items())
        if "ranges" in parts
        else (),
        default=parts["default"].text() if "default" in parts else None,
    )


def _span(node: Place, key: str, value: Place) -> Span:
    first, _, last = key.partition("-")
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit() and int(first) <= int(last)):
        node.wrong(N_("%(place)s: “%(key)s” is not a range such as 100-499."), key=key)
        return Span(0, 0, value.text())
    return Span(int(first), int(last), value.text())


def _is_template(template: str) -> bool:
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return False
    return all(name is None or (name and not spec and conversion is None) for _, name, spec, conversion in parts)


def credits_at(node: Place | None) -> Credits:
    parts = node.parts(("system", "parser", "column", "low", "high", "values"), ("system", "parser")) if node else {}
    parser = parts["parser"].choice((HOURS_PROSE, NUMBERS)) if "parser" in parts else NUMBERS
    needed, foreign = ({"column"}, {"low", "high", "values"}) if parser == HOURS_PROSE else ({"low"}, {"column"})
    if node and parts and (not needed <= parts.keys() or foreign & parts.keys()):
        node.wrong(
            N_("%(place)s: the parser hours-prose needs column, the parser numbers needs low and may have high and values.")
        )
    keys = ("column", "low", "high", "values")
    return Credits(rule_at(parts.get("system")), parser, *(parts[key].text() if key in parts else None for key in keys))


def dates_at(node: Place | None) -> Dates:
    parts = node.parts(("starts_on", "ends_on", "column", "periods")) if node else {}
    if node and parts.keys() not in ({"starts_on", "ends_on"}, {"column", "periods"}):
        node.wrong(N_("%(place)s: say either starts_on and ends_on, or column and periods."))
    starts_on, ends_on, column = (
        parts[key].text() if key in parts else None for key in ("starts_on", "ends_on", "column")
    )
    periods = {key: value.period() for key, value in parts["periods"].parts().items()} if "periods" in parts else {}
    return Dates(starts_on, ends_on, column, periods)


def seats_at(node: Place | None) -> Seats:
    parts = node.parts(("constant", "column", "default")) if node else {}
    if node and len(parts.keys() & {"constant", "column"}) != 1:
        node.wrong(N_("%(place)s: say just one of constant, column."))
    constant, default = (parts[key].whole() if key in parts else None for key in ("constant", "default"))
    return Seats(constant, parts["column"].text() if "column" in parts else None, default)


def meetings_at(node: Place) -> Meetings:
    parts = node.parts(("cell", "days", "letters", "starts", "ends", "clock", "arranged", "label"))
    if ("cell" in parts) == ({*MEETING_COLUMNS, "letters"} <= parts.keys()) or ("cell" in parts and len(parts) > 1):
        node.wrong(N_("%(place)s: say either cell alone, or days, letters, starts and ends."))
    label = parts["label"].text() if "label" in parts else ""
    if not _is_template(label):
        parts["label"].wrong(N_("%(place)s: write columns of a template as {Column}."))
        label = ""
    cell, days, starts, ends = (parts[key].text() if key in parts else None for key in ("cell", *MEETING_COLUMNS))
    return Meetings(
        cell,
        days,
        _letters(parts.get("letters")),
        starts,
        ends,
        clock=parts["clock"].choice(CLOCKS) if "clock" in parts else "24-hour",
        arranged=frozenset(parts["arranged"].texts()) if "arranged" in parts else frozenset(),
        label=label,
    )


def _letters(node: Place | None) -> dict[str, int]:
    found = {}
    for letter, part in (node.parts() if node else {}).items():
        found[letter] = int(part.choice(tuple("0123456")))
        if len(letter) != 1:
            part.wrong(N_("%(place)s: a weekday is one letter; its value is a number from 0, Monday, to 6, Sunday."))
    return found


def refusals_at(node: Place | None) -> tuple[Refusal, ...]:
    if node is None:
        return ()
    if not isinstance(node.value, list):
        node.wrong(N_("%(place)s: expected a list."))
        return ()
    found = []
    for position, value in enumerate(node.value):
        parts = Place(value, f"refuse.{position}", node.mistakes).parts(
            ("column", "values", "reason"), ("column", "values", "reason")
        )
        if len(parts) == 3:
            found.append(Refusal(parts["column"].text(), frozenset(parts["values"].texts()), parts["reason"].text()))
    return tuple(found)
