"""From YAML files to a checked rulebook.

Every scalar is read as text (YAML 1.1 would turn the country code NO into False and a date into an object), a key given
twice is a problem instead of a silent replacement, and all problems of all files are told at once.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib.resources.abc import Traversable
from itertools import pairwise
from types import MappingProxyType
from typing import Any, TypeVar

import yaml

from vsm.kit.localized import LANGUAGES
from vsm.rulebook.entries import (
    Category,
    Credit,
    CreditSystem,
    CreditValue,
    Definition,
    GradeScale,
    GradeValue,
    Group,
    Letter,
    Method,
    Reference,
    Rounding,
    Rulebook,
    Scope,
    Threshold,
    ThresholdValue,
)
from vsm.rulebook.errors import RulebookError

Entry = TypeVar("Entry")


def read(folder: Traversable) -> Rulebook:
    """Read and check all files below `folder`. Raises RulebookError with every problem."""
    problems: list[str] = []
    credit_systems = dict(_each(folder, "credits", problems, _credit_system))
    grade_scales = dict(_each(folder, "grades", problems, _grade_scale))
    mobility = _document(folder / "mobility.yaml", "mobility.yaml", problems)
    methods = _document(folder / "methods.yaml", "methods.yaml", problems)
    categories = _document(folder / "categories.yaml", "categories.yaml", problems)
    groups = _document(folder / "groups.yaml", "groups.yaml", problems)
    book = Rulebook(
        credit_systems=MappingProxyType(credit_systems),
        grade_scales=MappingProxyType(grade_scales),
        thresholds=_by_slug(mobility.children("thresholds"), threshold_from),
        methods=_by_slug(methods.children("methods"), _method),
        rounding=_rounding(methods.child("rounding")),
        categories=_by_slug(categories.children("categories"), _category),
        groups=_by_slug(groups.children("groups"), _group),
        definitions=dated(categories, "definitions", _definition),
        version=digest(folder),
    )
    for document in (mobility, methods, categories, groups):
        document.finish()
    if problems:
        raise RulebookError(problems)
    return book


def dated_entries(folder: Traversable, name: str, kinds: Mapping[str, "Callable[[str, Node], Any]"]) -> Mapping[str, Mapping[str, Any]]:
    """One further file of lists by key: each entry by its slug, built by its kind. Raises RulebookError with every problem."""
    problems: list[str] = []
    document = _document(folder / name, name, problems)
    found = {key: _by_slug(document.children(key), build) for key, build in kinds.items()}
    document.finish()
    if problems:
        raise RulebookError(problems)
    return MappingProxyType(found)


def digest(folder: Traversable) -> str:
    """Sixteen hexadecimal digits that change when any word of any file changes, on every system alike."""
    sha = hashlib.sha256()
    for name, file in sorted(_files(folder)):
        body = file.read_text(encoding="utf-8").replace("\r\n", "\n")
        sha.update(f"{name}\0{len(body)}\0{body}\0".encode())
    return sha.hexdigest()[:16]


def parse(text: str) -> Any:
    """YAML with every scalar as text. Raises yaml.YAMLError, also for a key given twice."""
    return yaml.load(text, Loader=_TextLoader)  # noqa: S506 -- a subclass of BaseLoader: it builds text, lists and dicts


class Node:
    """A mapping inside a file that knows its place and collects what is wrong with it instead of raising."""

    def __init__(self, value: object, place: str, problems: list[str]) -> None:
        self.place = place
        self.problems = problems
        self._read: set[str] = set()
        if not isinstance(value, dict):
            self.problem("a mapping is expected here")
        self._value: dict[str, object] = value if isinstance(value, dict) else {}

    def problem(self, text: str) -> None:
        self.problems.append(f"{self.place}: {text}")

    def has(self, key: str) -> bool:
        return key in self._value

    def text(self, key: str, *, default: str | None = None) -> str:
        """The text at `key`; empty after noting a problem when it is absent and has no default."""
        self._read.add(key)
        value = self._value.get(key, default)
        if isinstance(value, str):
            return value.strip()
        self.problem(f"{key} is missing" if value is None else f"{key} must be a text")
        return ""

    def number(self, key: str) -> Decimal:
        """The number at `key`; NaN after noting a problem, so that later checks can go on."""
        text = self.text(key)
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            self.problem(f"{key}: {text!r} is not a number")
            return Decimal("NaN")
        return number

    def optional_number(self, key: str) -> Decimal | None:
        return self.number(key) if self.has(key) else None

    def day(self, key: str) -> date:
        text = self.text(key)
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.problem(f"{key}: {text!r} is not a day like '2015-05-15'")
            return date.max

    def flag(self, key: str) -> bool:
        return self.choice(key, ("true", "false")) == "true"

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        text = self.text(key)
        if text in allowed:
            return text
        self.problem(f"{key}: {text!r} is not one of {', '.join(allowed)}")
        return allowed[0]

    def texts(self, key: str) -> Mapping[str, str]:
        """A text in each of our languages, all of them."""
        node = self.child(key)
        found = {language: node.text(language) for language in LANGUAGES}
        node.finish()
        return found

    def spoken(self, key: str) -> str | Mapping[str, str]:
        """A text, or one in each of our languages."""
        return self.texts(key) if isinstance(self._value.get(key), dict) else self.text(key)

    def words(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty when absent."""
        self._read.add(key)
        value = self._value.get(key, [])
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        self.problem(f"{key} must be a list of texts")
        return ()

    def child(self, key: str) -> "Node":
        self._read.add(key)
        return Node(self._value.get(key, {}), f"{self.place}: {key}", self.problems)

    def children(self, key: str) -> list["Node"]:
        """The mappings in the list at `key`; at least one is expected."""
        self._read.add(key)
        value = self._value.get(key)
        if not isinstance(value, list) or not value:
            self.problem(f"{key} must be a list with at least one entry")
            return []
        return [Node(each, f"{self.place}: {key}[{index}]", self.problems) for index, each in enumerate(value)]

    def finish(self) -> None:
        """Note every key that nobody asked for: a typing error must not pass as silence."""
        for key in sorted(set(self._value) - self._read):
            self.problem(f"{key} is not known here")


class _TextLoader(yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader):  # type: ignore[misc]  # -- the same in C where there is one
    """Everything is text; a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", node.start_mark)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def _credit_system(slug: str, node: Node) -> CreditSystem:
    return CreditSystem(
        slug=slug,
        name=node.texts("name"),
        unit=node.texts("unit"),
        units=node.texts("units"),
        country=_country(node),
        scope=Scope(node.choice("scope", tuple(Scope))),
        values=dated(node, "values", _credit_value),
    )


def _credit_value(node: Node, source: Mapping[str, Any]) -> CreditValue:
    hours = node.child("hours")
    low, high = hours.number("low"), hours.number("high")
    hours.finish()
    if _are_known(low, high) and not 0 < low <= high:
        hours.problem(f"low ({low}) must be above 0 and not above high ({high})")
    contact_low = contact_high = None
    if node.has("contact"):
        contact = node.child("contact")
        contact_low, contact_high = contact.number("low"), contact.number("high")
        contact.finish()
        if _are_known(contact_low, contact_high, high) and not 0 < contact_low <= contact_high <= high:
            contact.problem("class hours must be above 0, in order, and within the hours of the whole work")
    year = node.optional_number("year")
    if year is not None and _are_known(year) and year <= 0:
        node.problem("year must be above 0")
    return CreditValue(
        hours_low=low, hours_high=high, contact_low=contact_low, contact_high=contact_high, year=year, **source
    )


def _grade_scale(slug: str, node: Node) -> GradeScale:
    return GradeScale(
        slug=slug, name=node.texts("name"), country=_country(node), values=dated(node, "values", _grade_value)
    )


def _grade_value(node: Node, source: Mapping[str, Any]) -> GradeValue:
    unranked = tuple(_letter(each, ranked=False) for each in node.children("unranked")) if node.has("unranked") else ()
    if node.has("letters"):
        letters = tuple(_letter(each, ranked=True) for each in node.children("letters"))
        _check_letters(node, letters, unranked)
        ranked = [(letter.points, letter.passed) for letter in letters if letter.points is not None]
        points = [at for at, _ in ranked if _are_known(at)]
        passing = [at for at, passed in ranked if passed and _are_known(at)]
        nothing = Decimal("NaN")
        return GradeValue(
            worst=min(points, default=nothing),
            best=max(points, default=nothing),
            pass_mark=min(passing, default=nothing),
            step=None,
            letters=letters,
            unranked=unranked,
            **source,
        )
    numbers = node.child("numbers")
    worst, best, pass_mark, step = (numbers.number(key) for key in ("worst", "best", "pass", "step"))
    numbers.finish()
    _check_numbers(numbers, worst, best, pass_mark, step)
    return GradeValue(worst=worst, best=best, pass_mark=pass_mark, step=step, unranked=unranked, **source)


def _letter(node: Node, *, ranked: bool) -> Letter:
    letter = Letter(
        grade=node.text("grade"),
        points=node.number("points") if ranked else None,
        passed=node.flag("passed"),
        also=node.words("also"),
    )
    node.finish()
    return letter


def _check_letters(node: Node, letters: tuple[Letter, ...], unranked: tuple[Letter, ...]) -> None:
    names = [name for letter in (*letters, *unranked) for name in (letter.grade, *letter.also)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        node.problem(f"letters: {name!r} stands for two grades")
    for name in (name for name in names if name != name.upper()):
        node.problem(f"letters: {name!r} must be in capitals, as grades are compared in capitals")
    for better, worse in pairwise(letters):
        one, other = better.points, worse.points
        if one is not None and other is not None and _are_known(one, other) and one <= other:
            node.problem(f"letters: {better.grade} must have more points than {worse.grade}, which comes after it")
        if worse.passed and not better.passed:
            node.problem(f"letters: {worse.grade} passes but {better.grade}, which is better, does not")
    if sum(letter.passed for letter in letters) < 2 or all(letter.passed for letter in letters):
        node.problem("letters: at least two must pass and at least one must fail")


def _check_numbers(node: Node, worst: Decimal, best: Decimal, pass_mark: Decimal, step: Decimal) -> None:
    if not _are_known(worst, best, pass_mark, step):
        return
    if not (worst < pass_mark < best or worst > pass_mark > best):
        node.problem(f"pass ({pass_mark}) must lie between worst ({worst}) and best ({best})")
    if not step > 0:
        node.problem("step must be above 0")
    elif any((number - worst) % step for number in (pass_mark, best)):
        node.problem(f"pass and best must be reached from worst in steps of {step}")


def threshold_from(slug: str, node: Node) -> Threshold:
    return Threshold(
        slug=slug,
        name=node.texts("name"),
        unit=node.choice("unit", ("courses", "days", "months", "people", "share", "times")),
        values=dated(node, "values", lambda each, source: ThresholdValue(value=each.number("value"), **source)),
    )


def _method(slug: str, node: Node) -> Method:
    return Method(
        slug=slug,
        name=node.texts("name"),
        is_proposal=node.flag("proposal"),
        reference=reference_from(node.child("reference")),
        note=node.text("note", default=""),
    )


def _rounding(node: Node) -> Rounding:
    rounding = Rounding(step=node.number("step"), rule=node.choice("rule", ("half-up",)))
    if _are_known(rounding.step) and rounding.step <= 0:
        node.problem("step must be above 0")
    node.finish()
    return rounding


def _category(slug: str, node: Node) -> Category:
    number = node.text("number")
    if not number.isdecimal():
        node.problem(f"number: {number!r} is not a whole number")
    scope = frozenset(node.words("scope"))
    if not scope or scope - {"cross-border", "inter-institutional"}:
        node.problem("scope must name cross-border, inter-institutional or both")
    return Category(
        slug=slug,
        number=int(number) if number.isdecimal() else 0,
        name=node.texts("name"),
        scope=scope,
        credit=Credit(node.choice("credit", tuple(Credit))),
        host=node.choice("host", ("institution", "organisation")),
        note=node.text("note", default=""),
    )


def _group(slug: str, node: Node) -> Group:
    return Group(
        slug=slug,
        name=node.texts("name"),
        definition=node.texts("definition"),
        statement=node.texts("statement"),
        sensitive=node.flag("sensitive"),
        reference=reference_from(node.child("reference")),
        note=node.text("note", default=""),
    )


def _definition(node: Node, source: Mapping[str, Any]) -> Definition:
    return Definition(text=node.text("text"), **source)


def dated(node: Node, key: str, build: Callable[[Node, Mapping[str, Any]], Entry]) -> tuple[Entry, ...]:
    """The dated values at `key`, which must stand in order of their first day."""
    days: list[date] = []
    values: list[Entry] = []
    for child in node.children(key):
        since = child.day("from")
        if days and since <= days[-1]:
            child.problem(f"from: {since} must come after {days[-1]}; add new values at the end")
        days.append(since)
        source = {
            "since": since,
            "reference": reference_from(child.child("reference")),
            "verified": child.flag("verified"),
            "note": child.spoken("note"),
        }
        note = source["note"]
        if not source["verified"] and not (all(note.values()) if isinstance(note, dict) else note):
            child.problem("note must say why the source is not verified")
        values.append(build(child, source))
        child.finish()
    return tuple(values)


def reference_from(node: Node) -> Reference:
    part = node.spoken("part")
    english, parts = (part, {}) if isinstance(part, str) else (part["en"], part)
    reference = Reference(node.text("title"), english, node.text("url", default=""), parts)
    if reference.url and not reference.url.startswith(("https://", "http://")):
        node.problem(f"url: {reference.url!r} is not an address")
    node.finish()
    return reference


def _are_known(*numbers: Decimal) -> bool:
    """Whether all could be read; NaN stands for one whose problem is already noted."""
    return not any(number.is_nan() for number in numbers)


def _country(node: Node) -> str | None:
    if not node.has("country"):
        return None
    code = node.text("country")
    if len(code) != 2 or not code.isascii() or not code.isalpha() or not code.isupper():
        node.problem(f"country: {code!r} is not a code like 'CL' (ISO 3166-1 alpha-2)")
    return code


def _by_slug(nodes: list[Node], build: Callable[[str, Node], Entry]) -> Mapping[str, Entry]:
    entries: dict[str, Entry] = {}
    for node in nodes:
        slug = node.text("slug")
        if slug in entries:
            node.problem(f"slug: {slug!r} is given twice")
        entries[slug] = build(slug, node)
        node.finish()
    return MappingProxyType(entries)


def _each(
    folder: Traversable, kind: str, problems: list[str], build: Callable[[str, Node], Entry]
) -> Iterator[tuple[str, Entry]]:
    """Each file of a sub-folder; the name of the file is the slug."""
    named = {name.removeprefix(f"{kind}/").removesuffix(".yaml"): name for name, _ in _files(folder)}
    for slug, name in sorted(named.items()):
        if name.startswith(f"{kind}/"):
            node = _document(folder.joinpath(*name.split("/")), name, problems)
            yield slug, build(slug, node)
            node.finish()


def _document(file: Traversable, name: str, problems: list[str]) -> Node:
    try:
        return Node(parse(file.read_text(encoding="utf-8")), name, problems)
    except (yaml.YAMLError, UnicodeDecodeError, FileNotFoundError) as error:
        problems.append(f"{name}: cannot be read: {' '.join(str(error).split())}")
        # A node that swallows what follows: one unreadable file is one problem, not forty.
        return Node({}, name, [])


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _files(each, f"{prefix}{each.name}/")
        elif each.name.endswith(".yaml"):
            yield f"{prefix}{each.name}", each
