"""A problem of team formation from one file, and the teams as files. Pure; needs no database.

CSV is one line a student, with the columns `id`, `country`, `institution`, `languages` (“es en”), `zone`, `hours`
(“Mon-Fri 08-12”), `together` and `apart` (ids), `skill:NAME` (whole numbers) and `group:NAME`. JSON is an object with
`students` (the same names; `skills` and `groups` as objects), `rules` (`{"kind": "countries", "amount": 2, "weight": 0}`),
`size`, `smallest`, `largest`, `seed` and `on`. Rules can be given apart as well: `rule_of("countries=2")`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from vsm.exchange.sessions.slots import HOURS
from vsm.exchange.sessions.written_weeks import hours_of_week
from vsm.exchange.sessions.zones import present_name, why_no_zone
from vsm.exchange.teams.problem import MOST, Kind, Participant, Problem, Rule
from vsm.exchange.teams.rules import WISH, blocks_of
from vsm.kit.documents import Document, Row, at, in_file, once, read_document, unknown
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.sheets import write_rows
from vsm.kit.verdict import Reason

COLUMNS = ("id", "country", "institution", "languages", "zone", "hours", "together", "apart", "skills", "groups")
FACTS = ("size", "smallest", "largest", "seed", "on")
LISTS = ("students", "rules")
OF = (Kind.NOT_ALONE, Kind.BALANCE)
PAIRED = (Kind.TOGETHER, Kind.APART)
MOST_TOLD = 50

_Say = Callable[[str, str, Mapping[str, object]], None]


@dataclass(frozen=True)
class Given:
    """What was said beside the file; it goes before what the file says."""

    size: int | None = None
    smallest: int | None = None
    largest: int | None = None
    seed: str | None = None
    on: date | None = None
    rules: tuple[Rule, ...] = ()


@dataclass
class _Reading:
    """What was read so far, and everything that is wrong."""

    zones: Collection[str]
    on: date
    faults: list[Reason] = field(default_factory=list)
    people: list[Participant] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    pairs: dict[Kind, list[tuple[str, str, int]]] = field(default_factory=lambda: {Kind.TOGETHER: [], Kind.APART: []})


def problem_of(name: str, data: bytes, given: Given, *, zones: Collection[str], today: date) -> Problem:
    """The problem in this file. Clocks are read on the day `on`, else today. `Invalid` with every fault by file and line."""
    try:
        document = read_document(data, main="students", most=MOST)
        Invalid.because(_strange(document))
        facts, faults = _facts(document, given)
        reading = _Reading(zones, facts.on or today, faults)
        for row in document.rows.get("students", ()):
            _student(row, reading)
        rules = list(given.rules) or [rule for row in document.rows.get("rules", ()) if (rule := _rule(row, reading.faults))]
        together, apart = (_known_pairs(kind, reading) for kind in PAIRED)
        Invalid.because(once(reading.faults))
        return Problem.of(
            reading.people, rules, size=facts.size or 0, smallest=facts.smallest, largest=facts.largest, seed=facts.seed or "0",
            together=together, apart=apart,
        )  # fmt: skip
    except Invalid as error:
        told = [in_file(name, each) for each in error.reasons[:MOST_TOLD]]
        if len(error.reasons) > MOST_TOLD:
            told.append(Reason("more-faults", N_("… and %(count)s more faults like these."), {"count": len(error.reasons) - MOST_TOLD}))
        raise Invalid(*told) from error


def rule_of(text: str, *, is_wish: bool) -> Rule:
    """`language`, `countries=2`, `not_alone=gender`; for a wish with a weight behind: `zones=6:10`. `Invalid` for anything else."""
    told, _colon, weight = text.partition(":") if is_wish else (text, "", "")
    kind, _equals, value = told.partition("=")
    if kind not in [each.value for each in Kind] or not re.fullmatch(r"\d*", weight):
        what = N_("“%(text)s” is no rule. Rules are: %(kinds)s. For example: countries=2, not_alone=gender, zones=6:10.")
        raise Invalid(Reason("no-rule", what, {"text": text, "kinds": [each.value for each in Kind]}))
    amount, of = (1, value) if kind in OF else (int(value or 1) if re.fullmatch(r"\d*", value) else -1, "")
    return Rule(Kind(kind), amount, of, (int(weight) if weight else WISH) if is_wish else 0)


def teams_file(teams: Iterable[Sequence[str]]) -> bytes:
    """`teams.csv`: one line a person, teams numbered from 1."""
    return write_rows(("team", "id"), [(number, name) for number, team in enumerate(teams, start=1) for name in team])


def teams_in(name: str, data: bytes) -> list[list[str]]:
    """The teams of a `teams.csv`, in order of their number."""
    try:
        rows = read_document(data, main="members", most=MOST).rows.get("members", ())
        Invalid.because(at(row.line, _unreadable("team", row.value)) for row in rows if not _is_member(row.value))
    except Invalid as error:
        raise Invalid(*(in_file(name, each) for each in error.reasons[:MOST_TOLD])) from error
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(int(row.value["team"]), []).append(row.value["id"])
    return [found[number] for number in sorted(found)]


def _is_member(value: Any) -> bool:
    return isinstance(value, dict) and bool(value.get("id")) and bool(re.fullmatch(r"\d{1,6}", str(value.get("team", ""))))


def _strange(document: Document) -> Iterator[Reason]:
    if not document.rows.get("students"):
        yield at(1, Reason("no-students", N_("There are no students in it.")))
    for reason in unknown([*document.rows, *document.facts], [*LISTS, *FACTS]):
        row = document.facts.get(str(reason.params["name"]))
        yield at(row.line if row else 1, reason)


def _facts(document: Document, given: Given) -> tuple[Given, list[Reason]]:
    told = {name: row.value for name, row in document.facts.items()}
    faults: list[Reason] = []
    strange = [name for name in ("size", "smallest", "largest") if name in told and type(told[name]) is not int]
    faults += [at(document.facts[name].line, _unreadable(name, told[name])) for name in strange]
    day = _day(told.get("on"))
    if "on" in told and day is None:
        faults.append(at(document.facts["on"].line, _unreadable("on", told["on"])))
    if given.size is None and "size" not in told:
        faults.append(at(1, Reason("no-size", N_("Say how many people make a team (size)."))))
    seed = given.seed if given.seed is not None else str(told.get("seed", "0"))
    sizes = {name: getattr(given, name) if getattr(given, name) is not None else told.get(name) for name in ("size", "smallest", "largest")}
    return Given(**sizes, seed=seed, on=given.on or day, rules=given.rules), faults


def _student(row: Row, reading: _Reading) -> None:
    if not isinstance(row.value, dict) or not all(isinstance(row.value.get(name, {}), dict) for name in ("skills", "groups")):
        reading.faults.append(at(row.line, _unreadable("students", row.value)))
        return
    skills, groups, cells = _apart(row.value)
    wrong = [*unknown(cells, [*COLUMNS, "skill:…", "group:…"])]
    name = str(cells.get("id", "")).strip()
    if not name:
        wrong.append(Reason("no-id", N_("There is no id.")))
    elif name in reading.lines:
        wrong.append(Reason("id-twice", N_("%(id)s stands on line %(line)s already."), {"id": name, "line": reading.lines[name]}))
    zone = str(cells.get("zone", ""))
    strange = why_no_zone(zone, reading.zones) if zone else None
    hours = hours_of_week(str(cells.get("hours", "")))
    wrong += [*([strange] if strange else []), *([hours] if isinstance(hours, Reason) else []), *_strange_skills(skills)]
    reading.faults += [at(row.line, each) for each in wrong]
    if wrong:
        reading.lines.setdefault(name, row.line)
        return
    offset = _offset(zone, reading.on)
    reading.lines[name] = row.line
    for kind in PAIRED:
        reading.pairs[kind] += [(name, other, row.line) for other in _words(cells.get(kind.value))]
    reading.people.append(
        Participant(
            id=name, country=str(cells.get("country", "")), institution=str(cells.get("institution", "")),
            languages=frozenset(each.lower() for each in _words(cells.get("languages"))), utc_offset=offset,
            available=blocks_of(hours, offset) if isinstance(hours, str) and len(hours) == HOURS else None,
            skills={key: int(value) for key, value in skills.items()}, groups={key: str(value) for key, value in groups.items()},
        )
    )  # fmt: skip


def _apart(cells: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Skills, groups, and the rest of a row: columns `skill:…` and `group:…`, or the objects of that name."""
    skills, groups = dict(cells.get("skills") or {}), dict(cells.get("groups") or {})
    rest: dict[str, Any] = {}
    for name, value in cells.items():
        kind, colon, of = name.partition(":")
        if colon and kind in ("skill", "group"):
            (skills if kind == "skill" else groups)[of] = value
        else:
            rest[name] = value
    return skills, groups, rest


def _strange_skills(skills: Mapping[str, Any]) -> Iterator[Reason]:
    for name, value in skills.items():
        if not re.fullmatch(r"-?\d{1,5}", str(value)):
            yield Reason("skill", N_("%(name)s must be a whole number, not “%(value)s”."), {"name": name, "value": str(value)})


def _rule(row: Row, faults: list[Reason]) -> Rule | None:
    value = row.value
    if isinstance(value, str):
        try:
            return rule_of(value, is_wish=":" in value)
        except Invalid as error:
            faults += [at(row.line, each) for each in error.reasons]
            return None
    is_rule = isinstance(value, dict) and value.get("kind") in [each.value for each in Kind] and not {*value} - {"kind", "amount", "of", "weight"}
    if not is_rule or not all(isinstance(value.get(name, 0), int) for name in ("amount", "weight")):
        faults.append(at(row.line, _unreadable("rules", value)))
        return None
    return Rule(Kind(value["kind"]), value.get("amount", 1), str(value.get("of", "")), value.get("weight", 0))


def _known_pairs(kind: Kind, reading: _Reading) -> list[tuple[str, str]]:
    for name, other, line in reading.pairs[kind]:
        if other not in reading.lines or other == name:
            text = N_("%(id)s cannot be paired with “%(other)s”: nobody else here has this id.")
            reading.faults.append(at(line, Reason("pair-unknown", text, {"id": name, "other": other})))
    return [(name, other) for name, other, _line in reading.pairs[kind]]


def _words(value: Any) -> list[str]:
    """A list, or words with blanks or bars between."""
    return [str(each) for each in value] if isinstance(value, list) else [each for each in re.split(r"[\s|,;]+", str(value or "")) if each]


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _offset(zone: str, on: date) -> int:
    noon = datetime.combine(on, time(12), UTC)
    return int((noon.astimezone(ZoneInfo(present_name(zone))).utcoffset() or timedelta()).total_seconds() // 60) if zone else 0


def _unreadable(name: str, value: Any) -> Reason:
    return Reason("unreadable", N_("%(name)s cannot be “%(value)s”."), {"name": name, "value": str(value)[:80]})
