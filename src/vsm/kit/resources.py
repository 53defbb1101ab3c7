"""What can be read: one definition of each noun's fields makes its list, its page, its CSV, its REST shape and `vsm list`.

A `Resource` says which fields a noun has, how each is found, and which can be filtered and sorted by. Every door reads
through `Resource.seen_by`, so there is one road to each object and it checks access.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import get_language
from pydantic import BaseModel, Field, create_model

from vsm.kit.actors import Actor
from vsm.kit.folding import fold
from vsm.kit.names import country_name, language_name
from vsm.kit.records import Record
from vsm.kit.saying import say


@dataclass(frozen=True)
class Ref:
    """A link to another record, shown by its title."""

    noun: str
    id: UUID
    title: str


class RefShape(BaseModel):
    """A link to another record."""

    noun: str
    id: UUID
    title: str


_JSON_TYPES: dict[str, Any] = {
    "text": str, "long_text": str, "state": str, "digest": str, "language": str, "country": str, "zone": str, "html": str,
    "number": Decimal | None, "integer": int | None, "date": dt.date | None, "moment": dt.datetime | None, "bool": bool | None,
    "localized": dict[str, str], "list": list[str], "languages": list[str], "countries": list[str], "ref": RefShape | None, "json": Any,
}  # fmt: skip

_NAMES: dict[str, Callable[[str, str], str]] = {"language": language_name, "languages": language_name, "country": country_name, "countries": country_name}


@dataclass(frozen=True)
class Shown:
    """One field. `kind` is one of the keys above; `sort` the ORM field to order by; `listed` puts it into the list.

    `alone` is told where one record is read by itself, null in a list and absent from a table: it costs queries of its own, or is long.
    Where `value` gives the code of a vocabulary, or a list of codes, `words` are what people read in their language: programs get
    the code, which is the same for everybody. `otherwise` is what people read where there is none.
    """

    name: str
    label: Any
    value: Callable[[Any], Any]
    kind: str = "text"
    listed: bool = False
    sort: str = ""
    detail: bool = True
    alone: bool = False
    words: Mapping[Any, Any] | Callable[[Any], Any] | None = None
    otherwise: Any = ""

    def told(self, record: Any) -> Any:
        """The value as people read it."""
        value = self.value(record)
        if isinstance(value, list | tuple):
            return [self._word(each) for each in value] or ([say(self.otherwise)] if self.otherwise else [])
        if value is None or value == "":  # nought is a value
            return say(self.otherwise) if self.otherwise else value
        return self._word(value)

    def _word(self, code: Any) -> Any:
        if self.words is None:
            return code
        return say(self.words.get(code, code)) if isinstance(self.words, Mapping) else str(self.words(code))

    @property
    def meaning(self) -> str:
        """What it is, for whoever reads the API's document; with the codes that it can have."""
        codes = f": {', '.join(map(str, self.words))}" if isinstance(self.words, Mapping) else ""
        return f"{self.label}{codes}"


@dataclass(frozen=True)
class Filter:
    """A question by which a list narrows. `choices(actor)` gives (value, label); empty means free text or a date.

    A filter of the kind `identifier` is for programs and links: no page asks a person for it. Of a filter by a `column` a page
    offers the values alone that its reader's records have: nobody is asked whether they want drafts that they cannot see.
    """

    name: str
    label: Any
    apply: Callable[[QuerySet[Any], str], QuerySet[Any]]
    kind: str = "choice"
    choices: Callable[[Actor], list[tuple[str, str]]] | None = None
    column: str = ""


@dataclass(frozen=True)
class Section:
    """A list of related records on a detail page: those of `noun` for which `narrow(record)` gives the filter."""

    label: Any
    noun: str
    narrow: Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Resource:
    """A noun as doors read it. `starts` names the acts (parent noun, verb) by which a new one comes to be.

    `order` are ORM fields with spaces between. `searched` are the columns of folded words: its own, or those of what it belongs to where there are very many of it.
    """

    noun: str
    plural: str
    model: type[Record]
    label: Any
    label_plural: Any
    title: Callable[[Any], str]
    fields: tuple[Shown, ...]
    filters: tuple[Filter, ...] = ()
    order: str = "-created_at"
    related: tuple[str, ...] = ()
    prefetch: tuple[str | Prefetch[Any], ...] = ()
    sections: tuple[Section, ...] = ()
    empty: Any = ""
    starts: tuple[tuple[str, str], ...] = ()
    searched: tuple[str, ...] = ("folded",)
    states: Mapping[str, tuple[Any, str]] = field(default_factory=dict)

    def visible_to(self, actor: Actor) -> QuerySet[Any]:
        return self._all().visible_to(actor)  # type: ignore[no-any-return]  # -- a query set of a model held in a variable

    def seen_by(self, actor: Actor, pk: UUID | str) -> Any:
        return self._all().seen_by(actor, pk)

    def _all(self) -> Any:
        return self.model._default_manager.select_related(*self.related).prefetch_related(*self.prefetch)

    @property
    def listed(self) -> tuple[Shown, ...]:
        return tuple(shown for shown in self.fields if shown.listed)

    def shape(self) -> type[BaseModel]:
        """The JSON form: id, version, title, every field, and the verbs that this actor can use now."""
        fields: dict[str, Any] = {
            "id": (UUID, ...),
            "version": (int, Field(description="Send it back as If-Match to refuse overwriting somebody else's change.")),
            "title": (str, ...),
            **{shown.name: (_JSON_TYPES[shown.kind] | None if shown.alone else _JSON_TYPES[shown.kind], Field(None, description=shown.meaning)) for shown in self.fields},
            "actions": (list[str], Field(default_factory=list, description="Verbs that you can use on this record now.")),
        }
        return create_model(self.noun.title().replace("_", "") + "Shape", **fields)

    @property
    def columns(self) -> tuple[Shown, ...]:
        """What a table of records has of each."""
        return tuple(shown for shown in self.fields if shown.kind != "html" and not shown.alone)

    def in_words(self, shown: Shown, record: Any) -> Any:
        """A field as a table tells it to people: in words, with states, languages and countries by their names."""
        told = shown.told(record)
        if shown.kind == "state" and told in self.states:
            return say(self.states[told][0])
        if told and (name := _NAMES.get(shown.kind)):
            reader = get_language() or "en"
            return name(told, reader) if isinstance(told, str) else [name(each, reader) for each in told]
        return told

    def values(self, record: Any, *, alone: bool = True) -> dict[str, Any]:
        """Every field as JSON; in a list (`alone` false) without what costs queries of its own."""
        return {shown.name: as_json(shown.kind, shown.value(record)) for shown in self.fields if alone or not shown.alone}


RESOURCES: dict[str, Resource] = {}


def resource(entry: Resource) -> Resource:
    """Register a noun for every door."""
    RESOURCES[entry.noun] = entry
    return entry


def by_plural(plural: str) -> Resource | None:
    return next((entry for entry in RESOURCES.values() if entry.plural == plural), None)


def as_json(kind: str, value: Any) -> Any:
    if isinstance(value, Ref):
        return {"noun": value.noun, "id": value.id, "title": value.title}
    if kind in {"list", "languages", "countries"}:
        return [str(item) for item in value or ()]
    if kind in {"text", "long_text", "html", "state", "digest", "language", "country", "zone"}:
        return "" if value is None else str(value)
    if kind == "localized":
        return value if isinstance(value, dict) else {}
    return value


def narrowed(entry: Resource, found: QuerySet[Any], params: Mapping[str, str], actor: Actor) -> QuerySet[Any]:
    """Apply `q` (folded words, all must occur) and every known filter that has a value. Unknown values find nothing."""
    for word in fold(params.get("q", "")).split()[:8]:
        found = found.filter(reduce(or_, (Q(**{f"{column}__contains": word}) for column in entry.searched)))
    for question in entry.filters:
        wanted = params.get(question.name, "")
        if wanted:
            found = _answered(question, found, wanted)
    return found


def _answered(question: Filter, found: QuerySet[Any], wanted: str) -> QuerySet[Any]:
    try:
        return question.apply(found, wanted)
    except (ValueError, ValidationError):  # no identifier, no number, no date: nothing has that value
        return found.none()


def ordered(entry: Resource, found: QuerySet[Any], sort: str) -> QuerySet[Any]:
    """Sort by a listed field's name, `-name` for descending; an unknown name gives the noun's own order."""
    name = sort.removeprefix("-")
    column = next((shown.sort for shown in entry.fields if shown.name == name and shown.sort), "")
    if not column:
        return found.order_by(*entry.order.split(), "id")
    return found.order_by(("-" if sort.startswith("-") else "") + column, "id")


def state_filter(states: Mapping[str, tuple[Any, str]], column: str = "state") -> Filter:
    """The filter every noun with a life has."""
    return Filter(
        "state", "State", lambda found, value: found.filter(**{column: value}),
        choices=lambda _actor: [(value, str(label)) for value, (label, _tone) in states.items()], column=column,
    )  # fmt: skip
