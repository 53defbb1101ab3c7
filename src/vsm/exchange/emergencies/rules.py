"""Whom a restriction concerns, for which days, and what may be declared. Pure: places, days and people in, findings out.

A restriction closes places for entering, for leaving, or for being there, between days. A stay is concerned by what
happens at its destination and at the student's home:

    cannot_leave   home is closed for leaving, and the stay would begin meanwhile
    cannot_enter   the destination is closed for entering, and the stay would begin meanwhile
    there          the student is there while it is closed for being there
    stranded       the way back is closed (destination for leaving, home for entering), and the stay would end meanwhile

Filters of nationality and residence speak of borders, so they narrow entering and leaving, never being there. What is
not known about somebody does not exempt them: a person too many is asked, none is overlooked.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlsplit

from vsm.kit.folding import fold
from vsm.kit.i18n import N_
from vsm.kit.names import country_names, is_country
from vsm.kit.verdict import Reason

KINDS = ("travel", "health", "conflict", "disaster")
DIRECTIONS = ("entering", "leaving", "being")
SITUATIONS = ("there", "stranded", "cannot_leave", "cannot_enter")
HOME_SITUATIONS = frozenset({"cannot_leave", "cannot_enter"})
MOST_PLACES = 60
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A country, a region or city in it (by name), or one institution (by id)."""

    country: str = ""
    region: str = ""
    institution: str = ""


@dataclass(frozen=True, kw_only=True)
class Restriction:
    """What is closed, where, for whom. Both days belong to it; `ends_on` None: nobody knows yet."""

    id: str
    places: tuple[Place, ...]
    directions: frozenset[str]
    starts_on: date
    ends_on: date | None = None
    nationalities: frozenset[str] = frozenset()
    residences: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Traveller:
    """One stay: from where to where, when, and as whom."""

    mobility: str
    home: str
    home_country: str
    home_city: str
    host: str
    country: str
    region: str
    city: str
    starts_on: date
    ends_on: date
    nationalities: frozenset[str] = frozenset()
    residence: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Why a stay is concerned, and from which day to which (None: open)."""

    mobility: str
    situations: frozenset[str]
    first: date
    last: date | None

    @property
    def studies_at_home(self) -> bool:
        """Whether the student is at home meanwhile, so that home's clock is the reader's."""
        return not self.situations - HOME_SITUATIONS


@dataclass
class _Found:
    situations: set[str] = field(default_factory=set)
    spans: list[tuple[date, date | None]] = field(default_factory=list)

    def add(self, situation: str, first: date, last: date | None) -> None:
        if last is None or first <= last:
            self.situations.add(situation)
            self.spans.append((first, last))


def affected(traveller: Traveller, restriction: Restriction) -> Finding | None:
    """Why and when this restriction concerns this stay; None when it does not."""
    found = _Found()
    away = any(_is_at(place, traveller.country, (traveller.region, traveller.city), traveller.host) for place in restriction.places)
    home = any(_is_at(place, traveller.home_country, (traveller.home_city,), traveller.home) for place in restriction.places)
    starts, ends = restriction.starts_on, restriction.ends_on
    begins_meanwhile = _within(traveller.starts_on, starts, ends)
    ends_meanwhile = _within(traveller.ends_on, starts, ends)
    until = traveller.ends_on if ends is None else min(ends, traveller.ends_on)
    if "being" in restriction.directions and away:
        found.add("there", max(starts, traveller.starts_on), until)
    if _meets(restriction, traveller):
        if begins_meanwhile and away and "entering" in restriction.directions:
            found.add("cannot_enter", traveller.starts_on, until)
        if begins_meanwhile and home and "leaving" in restriction.directions:
            found.add("cannot_leave", traveller.starts_on, until)
        way_back = (away and "leaving" in restriction.directions) or (home and "entering" in restriction.directions)
        # Who could not set out is not stranded: the way back does not matter to them.
        if ends_meanwhile and way_back and not found.situations & HOME_SITUATIONS:
            found.add("stranded", max(starts, traveller.starts_on), ends)
    if not found.situations:
        return None
    first, last = _hull(found.spans)
    return Finding(mobility=traveller.mobility, situations=frozenset(found.situations), first=first, last=last)


def combined(travellers: Iterable[Traveller], restrictions: Collection[Restriction]) -> dict[str, Finding]:
    """Stay → one finding, whatever number of restrictions overlap in it: nobody is counted twice."""
    together: dict[str, Finding] = {}
    for traveller in travellers:
        found = [each for each in (affected(traveller, restriction) for restriction in restrictions) if each]
        if found:
            first, last = _hull([(each.first, each.last) for each in found])
            situations = frozenset().union(*(each.situations for each in found))
            together[traveller.mobility] = Finding(mobility=traveller.mobility, situations=situations, first=first, last=last)
    return together


def by_day(spans: Iterable[tuple[str, date, date | None]], first: date, last: date) -> dict[date, int]:
    """Day → how many different stays are concerned on it. `spans` are (stay, first day, last day or None for open).

    Spans of one stay that overlap are one span: overlapping restrictions count nobody twice.
    """
    of_stay: dict[str, list[tuple[date, date]]] = {}
    for stay, begins, ends in spans:
        clipped = max(first, begins), last if ends is None else min(last, ends)
        if clipped[0] <= clipped[1]:
            of_stay.setdefault(stay, []).append(clipped)
    steps: dict[date, int] = {}
    for each in of_stay.values():
        for begins, until in _merged(each):
            steps[begins] = steps.get(begins, 0) + 1
            steps[until + DAY] = steps.get(until + DAY, 0) - 1
    counted, running = {}, 0
    for number in range((last - first).days + 1):
        day = first + number * DAY
        running += steps.get(day, 0)
        counted[day] = running
    return counted


def why_not_declare(
    *, title: Mapping[str, str], kind: str, places: Collection[Place], directions: Collection[str], starts_on: date, ends_on: date | None,
    nationalities: Iterable[str], residences: Iterable[str], evidence: Iterable[str], known: Mapping[str, Collection[str]], institutions: Collection[str],
) -> Iterator[Reason]:  # fmt: skip
    """Everything that is wrong with a declaration. `known`: country → names of regions and cities recorded there."""
    if not any(title.values()):
        yield Reason("title-missing", N_("Say in one line what happened: people will read it first."), {}, "title")
    if kind not in KINDS:
        yield Reason("no-such-kind", N_("“%(kind)s” is not a kind of emergency."), {"kind": kind}, "kind")
    if not directions or set(directions) - set(DIRECTIONS):
        yield Reason("no-direction", N_("Say what is restricted: entering, leaving, or being there."), {}, "directions")
    if ends_on is not None and ends_on < starts_on:
        text = N_("It ends on %(ends)s, before it starts on %(starts)s. Leave the end empty when nobody knows it.")
        yield Reason("dates-reversed", text, {"starts": starts_on, "ends": ends_on}, "ends_on")
    for asked, codes in (("nationalities", nationalities), ("residences", residences)):
        yield from (_no_country(code, asked) for code in codes if not is_country(code))
    for link in evidence:
        if urlsplit(link).scheme not in {"http", "https"} or not urlsplit(link).netloc:
            yield Reason("no-link", N_("“%(link)s” is not a web address (https://…)."), {"link": link}, "evidence")
    yield from _why_no_places(places, known, institutions)


def why_not_lift(*, starts_on: date, on: date, return_on: date, today: date) -> Iterator[Reason]:
    """The day of lifting is the first day on which nothing is restricted any more."""
    if today < starts_on:
        text = N_("It has not begun yet: it starts on %(starts)s. To take it back before that, withdraw it; if you know now when it ends, change its last day.")
        yield Reason("lifted-before-start", text, {"starts": starts_on}, "on")
    elif on <= starts_on:
        text = N_("It cannot end before it has begun: it starts on %(starts)s. Give a later day, or withdraw it to take it back.")
        yield Reason("lifted-before-start", text, {"starts": starts_on}, "on")
    if on > today + timedelta(days=366):
        yield Reason("lifted-too-far", N_("This day lies more than a year ahead: check it."), {}, "on")
    if return_on < on:
        text = N_("Classes in person cannot begin again on %(back)s, before the restriction ends on %(on)s.")
        yield Reason("return-before-end", text, {"back": return_on, "on": on}, "return_on")


def _why_no_places(places: Collection[Place], known: Mapping[str, Collection[str]], institutions: Collection[str]) -> Iterator[Reason]:
    if not places:
        yield Reason("no-place", N_("Name at least one place: a country, a region or city in it, or an institution."), {}, "places")
    if len(places) > MOST_PLACES:
        yield Reason("too-many-places", N_("At most %(limit)s places fit into one declaration."), {"limit": MOST_PLACES}, "places")
    for place in places:
        if place.institution:
            if place.institution not in institutions:
                yield Reason("unknown-institution", N_("One of the institutions is not known here."), {}, "places")
        elif not is_country(place.country):
            yield _no_country(place.country, "places")
        elif place.region and not any(fold(place.region) == fold(name) for name in known.get(place.country, ())):
            text = N_("No stay and no institution is recorded in “%(region)s” (%(country)s), so nobody would be found. Recorded there: %(known)s. Or name the whole country.")
            facts = {"region": place.region, "country": country_names(place.country), "known": sorted(known.get(place.country, ())) or "—"}
            yield Reason("unknown-place", text, facts, "places")


def _no_country(code: str, field: str) -> Reason:
    text = N_("“%(code)s” is no country code of ISO 3166-1 (two capital letters, for example PE).")
    return Reason("no-country", text, {"code": code}, field)


def _is_at(place: Place, country: str, names: Iterable[str], institution: str) -> bool:
    if place.institution:
        return place.institution == institution
    return place.country == country and (not place.region or any(fold(place.region) == fold(name) for name in names if name))


def _meets(restriction: Restriction, traveller: Traveller) -> bool:
    """Whether the borders are closed for this person. With another passport somebody may pass; unknown facts exempt nobody."""
    if restriction.nationalities and traveller.nationalities - restriction.nationalities:
        return False
    return not (restriction.residences and traveller.residence and traveller.residence not in restriction.residences)


def _within(day: date, first: date, last: date | None) -> bool:
    return first <= day and (last is None or day <= last)


def _merged(spans: list[tuple[date, date]]) -> list[tuple[date, date]]:
    """The same days as spans that neither overlap nor touch."""
    merged: list[tuple[date, date]] = []
    for begins, until in sorted(spans):
        if merged and begins <= merged[-1][1] + DAY:
            merged[-1] = merged[-1][0], max(merged[-1][1], until)
        else:
            merged.append((begins, until))
    return merged


def _hull(spans: Collection[tuple[date, date | None]]) -> tuple[date, date | None]:
    ends = [last for _first, last in spans]
    return min(first for first, _last in spans), None if None in ends else max(last for last in ends if last)
