"""The public search as a page shows it: cards, facets, pills, pages. Nothing here is stored, everything is labelled."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from vsm.exchange.catalogue import indexing, labels
from vsm.exchange.catalogue.coverage import Covered
from vsm.exchange.catalogue.index import Found, IndexUnusable
from vsm.exchange.catalogue.models import Meeting, Offering
from vsm.exchange.catalogue.reader_week import Slot, Wall, slots
from vsm.exchange.catalogue.states import State
from vsm.exchange.institutions.models import Organisation
from vsm.kit.actors import ANONYMOUS
from vsm.kit.localized import text_and_language, text_in
from vsm.kit.saying import labelled

SIZE = 20
FACETS = ("open", "language", "category", "field", "level", "mode", "country", "institution", "month", "bandwidth")
"""In the order in which the page asks."""

MOST_OPTIONS = 12
"""Options listed for one facet, the fullest first; chosen ones are always listed."""


@dataclass(frozen=True, slots=True)
class Card:
    """An offering as `components/offering_card.html` shows it; every text is in the reader's language.

    `title_language` is the language that the title is really in. `times_note` tells the weekly meetings on the reader's
    clock, the zone named; `times_warning` that they lie before 06:00 or after 23:00 there, else "". `starts_on` and
    `ends_on` repeat `dates` as values.
    """

    id: UUID
    url: str
    code: str
    title: str
    title_language: str
    institution: str
    institution_url: str
    country: str
    category: str
    language: str
    cefr: str
    level: str
    field: str
    credits: str
    seats: int
    starts_on: date
    ends_on: date
    dates: str
    mode: str
    bandwidth: str
    times_note: str
    times_warning: str
    open: bool


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a facet: how many offerings it would show, and whether it is chosen."""

    value: str
    label: str
    count: int
    checked: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A question with its options (`components/facets.html`); `name` is the parameter. `more`: options not listed."""

    name: str
    label: str
    options: tuple[Option, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Pill:
    """A filter in use; the link searches without it."""

    label: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class PageLink:
    """`url` is empty for a gap between page numbers."""

    number: int | str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Sort:
    value: str
    label: str
    chosen: bool
    url: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What one search page shows. All links are query strings (`?q=…`), relative to the page's own address.

    `condition` is "ready", or "building" while there is no usable index: then everything else is empty and the page
    says so. `approximate`: nothing matched as typed, so words that look alike were searched. `total` counts all hits,
    `first` and `last` are the places of the cards shown. `took_ms` is the time of the index alone.
    """

    condition: str
    text: str
    cards: tuple[Card, ...] = ()
    total: int = 0
    first: int = 0
    last: int = 0
    took_ms: float = 0.0
    approximate: bool = False
    facets: tuple[Facet, ...] = ()
    pills: tuple[Pill, ...] = ()
    clear_url: str = "?"
    sorts: tuple[Sort, ...] = ()
    sort: str = "relevance"
    pages: tuple[PageLink, ...] = ()
    number: int = 1
    previous_url: str = ""
    next_url: str = ""

    @property
    def is_ready(self) -> bool:
        return self.condition == "ready"


def search(
    params: Mapping[str, Sequence[str]], language: str, now: datetime, *, covered: Iterable[Covered] | None = None, since: date | None = None
) -> SearchPage:
    """The page of published offerings that a query string asks for.

    With `covered`, only what one of these agreements covers, with `since` only what starts then or later; the links keep
    `home` and `begun` as they were given.

    `params` are all values by name, such as `dict(request.GET.lists())`: `q` (words), each name of `FACETS` any number
    of times (values of one facet widen, facets narrow), `sort` (relevance, starts, title), `page`. Unknown names and
    values are left alone or find nothing; nothing raises. At most four database queries, however many hits. Times are shown in
    the active time zone. `language` is the reader's: hits in it come first among equals.
    """
    asked = _asked(params)
    try:
        found = indexing.index().search(
            asked.text, asked.filters, language=language, page=asked.number, size=SIZE, sort=asked.sort, facets=FACETS,
            covered=covered, since=since,
        )  # fmt: skip
    except IndexUnusable:
        return SearchPage("building", asked.text)
    cards = tuple(_cards(found.ids, language, now))
    first = (asked.number - 1) * SIZE + 1 if cards else 0
    last_page = min(max(1, -(-found.total // SIZE)), MOST_PAGES)
    facets = tuple(_facets(found, asked))
    return SearchPage(
        condition="ready",
        text=asked.text,
        cards=cards,
        total=found.total,
        first=first,
        last=first + len(cards) - 1 if cards else 0,
        took_ms=round(found.took * 1000, 1),
        approximate=found.approximate,
        facets=facets,
        pills=tuple(_pills(facets, asked)),
        clear_url=replace(asked, filters={}).url(),
        sorts=tuple(
            Sort(value, label, value == asked.sort, asked.url(sort=value)) for value, label in _sorts(asked.text)
        ),
        sort=asked.sort,
        pages=tuple(_pages(asked, last_page)),
        number=asked.number,
        previous_url=asked.url(page=asked.number - 1) if asked.number > 1 else "",
        next_url=asked.url(page=asked.number + 1) if asked.number < last_page else "",
    )


def every_id(
    params: Mapping[str, Sequence[str]], language: str, *, covered: Iterable[Covered] | None = None, since: date | None = None
) -> Iterator[str]:
    """The ids of everything that `search` pages through, in the same order. Raises IndexUnusable without an index."""
    asked, size = _asked(params), 1_000
    limit = None if covered is None else tuple(covered)
    for number in range(1, MOST_PAGES * SIZE // size + 1):
        found = indexing.index().search(
            asked.text, asked.filters, language=language, page=number, size=size, sort=asked.sort, facets=(), covered=limit, since=since
        )
        yield from found.ids
        if number * size >= found.total:
            return


MOST_PAGES = 500
"""The index pages to its 10,000th hit; further on people narrow the search."""


@dataclass(frozen=True)
class _Asked:
    text: str
    filters: Mapping[str, tuple[str, ...]]
    sort: str
    number: int
    home: str = ""
    begun: str = ""

    def pairs(self, *, without: tuple[str, str] | None = None) -> list[tuple[str, str]]:
        chosen = [(name, value) for name, values in self.filters.items() for value in values]
        kept = [pair for pair in chosen if pair != without]
        asked = [("q", self.text), ("home", self.home), ("begun", self.begun)]
        return [*(pair for pair in asked if pair[1]), *kept]

    def url(self, *, sort: str = "", page: int = 1, without: tuple[str, str] | None = None) -> str:
        pairs = self.pairs(without=without)
        wanted = sort or self.sort
        if wanted != "relevance":
            pairs.append(("sort", wanted))
        if page > 1:
            pairs.append(("page", str(page)))
        return _url(pairs)


def _asked(params: Mapping[str, Sequence[str]]) -> _Asked:
    def one(name: str) -> str:
        return _storable(next(iter(params.get(name, ())), ""))[:200]

    filters = {name: _values(params.get(name, ())) for name in FACETS}
    sort, number = one("sort"), one("page")
    return _Asked(
        text=" ".join(one("q").split()),
        filters={name: values for name, values in filters.items() if values},
        sort=sort if sort in {"starts", "title"} else "relevance",
        number=min(max(int(number), 1), MOST_PAGES) if number.isascii() and number.isdigit() and len(number) < 9 else 1,
        home=one("home")[:36],
        begun=one("begun")[:4],
    )


def _values(given: Sequence[str]) -> tuple[str, ...]:
    kept = dict.fromkeys(_storable(value)[:64] for value in given)
    return tuple(value for value in kept if value)[:20]


def _storable(text: str) -> str:
    """Without NUL and the lone surrogates that a hostile address can carry and no link can repeat."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _url(pairs: Iterable[tuple[str, str]]) -> str:
    return "?" + urlencode(list(pairs))


_Edition = tuple[Any, ...]
"""What a card depends on: the versions of its three records, whether it is open, the reader's language and zone."""

_kept: dict[_Edition, Card] = {}
MOST_KEPT = 10_000
"""Cards kept by a process. They are keyed by their edition, so none can go stale."""


def _cards(ids: Sequence[str], language: str, now: datetime) -> Iterable[Card]:
    # By the ids alone: asked for a state or an order too, SQLite may walk the index of those, all published offerings long.
    visible = _offerings(now.replace(microsecond=0)).filter(pk__in=ids)
    reader = (language, timezone.get_current_timezone_name())
    versions = visible.values_list("pk", "state", "is_open", "version", "opportunity__version", "opportunity__organisation__version")
    editions = {str(row[0]): (*row, *reader) for row in versions if row[1] == State.PUBLISHED}
    known = {pk: _kept[edition] for pk, edition in editions.items() if edition in _kept}
    missing = editions.keys() - known.keys()
    made = _made(visible.filter(pk__in=missing), language) if missing else {}
    if len(_kept) + len(made) > MOST_KEPT:
        _kept.clear()
    _kept.update((editions[pk], card) for pk, card in made.items())
    shown = known | made
    return [shown[pk] for pk in ids if pk in shown]


@lru_cache(maxsize=4)
def _offerings(second: datetime) -> Any:
    """Offerings with whether they are open, as a question that is put together once a second: that takes longer than asking it.
    What is published is public, so it is asked for nobody in particular."""
    return Offering.objects.visible_to(ANONYMOUS).order_by().annotate(is_open=indexing.is_open(second))


def _made(offerings: Any, language: str) -> dict[str, Card]:
    """The cards of these offerings by id: two queries."""
    found = list(offerings.select_related("opportunity__organisation").defer(*_UNSEEN))
    meetings: dict[UUID, list[Meeting]] = {}
    for meeting in Meeting.objects.filter(offering__in=found):
        meetings.setdefault(meeting.offering_id, []).append(meeting)
    return {str(o.pk): _card(o, meetings.get(o.pk, []), language) for o in found}


_UNSEEN = tuple(
    f"opportunity__{name}"
    for name in ("description", "learning_outcomes", "prerequisites", "assessment", "accessibility", "folded")
)


def _card(offering: Any, meetings: Sequence[Meeting], language: str) -> Card:
    opportunity = offering.opportunity
    host = opportunity.organisation
    reader = labels.reader()
    title, title_language = text_and_language(opportunity.title, language)
    weekly = slots(walls(meetings), offering.zone, timezone.get_current_timezone_name(), offering.starts_on)
    return Card(
        id=offering.pk,
        url=f"/catalogue/{offering.pk}/",
        code=opportunity.code,
        title=title,
        title_language=title_language,
        institution=text_in(host.name, language),
        institution_url=f"/organisations/{host.pk}/",
        country=host.country,
        category=_label("category", opportunity.category, reader),
        language=_label("language", opportunity.language, reader),
        cefr=opportunity.cefr,
        level=_label("level", opportunity.level, reader),
        field=_label("field", opportunity.isced_f[:2], reader),
        credits=labels.credits_text(
            opportunity.credits, opportunity.credits_high, opportunity.credit_values, opportunity.credit_system
        ),
        seats=offering.seats,
        starts_on=offering.starts_on,
        ends_on=offering.ends_on,
        dates=labels.dates_text(offering.starts_on, offering.ends_on),
        mode=_label("mode", offering.mode, reader),
        bandwidth=_label("bandwidth", offering.bandwidth, reader),
        times_note=times_text(weekly),
        times_warning=times_warning(weekly),
        open=offering.is_open,
    )


def walls(meetings: Iterable[Meeting]) -> tuple[Wall, ...]:
    """Weekly meetings as `reader_week` takes them."""
    return tuple((meeting.weekday, meeting.starts, meeting.ends) for meeting in meetings)


def times_text(weekly: Iterable[Slot]) -> str:
    """`Tue, Thu 08:00–09:30 for you (America/Lima), a day earlier than at the host`; "" without meetings."""
    days: dict[tuple[time, time, int], list[str]] = {}
    for slot in weekly:
        days.setdefault((slot.starts, slot.ends, slot.day_shift), []).append(labels.short_weekday(slot.weekday))
    if not days:
        return ""
    moments = [f"{', '.join(names)} {starts:%H:%M}–{ends:%H:%M}" for (starts, ends, _shift), names in days.items()]
    said = _("%(times)s for you (%(zone)s)") % {"times": "; ".join(moments), "zone": timezone.get_current_timezone_name()}
    turned = {shift for _starts, _ends, shift in days}
    if turned <= {0}:
        return said
    notes = {-1: _("a day earlier than at the host"), 1: _("a day later than at the host")}
    return ", ".join([said, *(notes[shift] for shift in sorted(turned) if shift)])


def times_warning(weekly: Sequence[Slot]) -> str:
    """Said plainly when somebody would have to get up for it, or stay up."""
    early, late = any(slot.is_early for slot in weekly), any(slot.is_late for slot in weekly)
    if early and late:
        return _("Before 06:00 and after 23:00 where you are")
    if early:
        return _("Before 06:00 where you are")
    return _("After 23:00 where you are") if late else ""


def _facets(found: Found, asked: _Asked) -> Iterable[Facet]:
    questions = {
        "open": _("Applications"),
        "language": _("Language of teaching"),
        "category": _("Category"),
        "field": _("Field of study"),
        "level": _("Level"),
        "mode": _("How it meets"),
        "country": _("Country"),
        "institution": _("Institution"),
        "month": _("Starts in"),
        "bandwidth": _("Connection"),
    }
    for name in FACETS:
        chosen = asked.filters.get(name, ())
        counts = dict.fromkeys(chosen, 0) | dict(found.facets[name])
        listed = _listed(name, counts, chosen)
        label_of = _labels(name, listed)
        options = tuple(Option(value, label_of(value), counts[value], value in chosen) for value in listed)
        if options:
            yield Facet(name, questions[name], options, len(counts) - len(listed))


def _listed(name: str, counts: Mapping[str, int], chosen: Sequence[str]) -> list[str]:
    if name == "open":
        return ["true"] if "true" in counts else []
    if name == "month":
        return sorted({*sorted(counts)[:24], *chosen})
    fullest = sorted(counts, key=lambda value: (-counts[value], value))
    return [*fullest[:MOST_OPTIONS], *(value for value in fullest[MOST_OPTIONS:] if value in chosen)]


def _labels(name: str, values: Sequence[str]) -> Any:
    """A function from value to label. Institutions are named by one query."""
    if name == "institution":
        named = Organisation.objects.filter(pk__in=_uuids(values)).order_by().values_list("pk", "name")
        names = {str(pk): text for pk, text in named}
        return lambda value: labels.in_reader(names[value]) if value in names else value
    reader = labels.reader()
    return lambda value: _label(name, value, reader)


# A page asks for a hundred labels, the same ones every time. `_reader` is there to keep the languages apart.
@lru_cache(maxsize=4_096)
def _label(name: str, value: str, _reader: str) -> str:
    label_of: Mapping[str, Callable[[str], str]] = {
        "open": lambda _value: _("Open for applications"),
        "language": labels.language_label,
        "category": labels.category_label,
        "field": lambda value: str(labels.FIELD_LABELS.get(value, value)),
        "level": labels.level_label,
        "mode": labels.mode_label,
        "country": labels.country_label,
        "month": _month,
        "bandwidth": labels.bandwidth_label,
    }
    return label_of[name](value)


def _month(value: str) -> str:
    try:
        return labels.month_label(value)
    except ValueError:  # a hostile address can carry any text
        return value


def _uuids(values: Iterable[str]) -> list[UUID]:
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found


def _pills(facets: Iterable[Facet], asked: _Asked) -> Iterable[Pill]:
    if asked.text:
        yield Pill(f"“{asked.text}”", replace(asked, text="").url())
    for facet in facets:
        for option in facet.options:
            if option.checked:
                yield Pill(labelled(facet.label, option.label), asked.url(without=(facet.name, option.value)))


def _sorts(text: str) -> list[tuple[str, str]]:
    """Without words there is nothing to be relevant to: then relevance is the next to start."""
    best = [("relevance", _("Best match"))] if text else [("relevance", _("Starts next"))]
    return [*best, *([("starts", _("Starts next"))] if text else []), ("title", _("Title"))]


def _pages(asked: _Asked, last: int) -> Iterable[PageLink]:
    if last == 1:
        return
    near = {1, last, *range(max(1, asked.number - 2), min(last, asked.number + 2) + 1)}
    before = 0
    for number in sorted(near):
        if number > before + 1:
            yield PageLink("…", "", current=False)
        yield PageLink(number, asked.url(page=number), current=number == asked.number)
        before = number
