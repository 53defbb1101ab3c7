"""Looking for a time: who is meant, when they can, and the answer of `slots` in words."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.people.models import Person
from vsm.exchange.sessions.models import Availability, Enrolment, Participant, Series, Session
from vsm.exchange.sessions.queries import ATTENDING, course_title
from vsm.exchange.sessions.rules import WEEKDAYS
from vsm.exchange.sessions.slots import Fixed, Rotation, Wall, Who, Wish, impossible, walls
from vsm.exchange.sessions.states import SeriesState, SessionState
from vsm.exchange.sessions.zones import place
from vsm.kit.actors import Actor
from vsm.kit.i18n import N_
from vsm.kit.localized import text_in
from vsm.kit.saying import say
from vsm.kit.verdict import Reason

MOST_PEOPLE = 400
MOST_WEEKS = 60
SHOWN = 6
NEAR = 3  # half-hours: hours nearer than that to a better one on the same day are no choice of their own


@dataclass(frozen=True)
class Answer:
    """What was found for some people: the best hours that differ, and turns in which bad hours are shared, if that helps."""

    people: Sequence[Who]
    wish: Wish
    fixed: Sequence[Fixed]
    rotation: Rotation | None

    @cached_property
    def zones(self) -> list[tuple[str, int]]:
        """Each zone and how many live there, from west to east."""
        counts = Counter(who.zone for who in self.people)
        noon = datetime.combine(self.wish.starts_on, time(12), UTC)
        return sorted(counts.items(), key=lambda pair: (noon.astimezone(place(pair[0])).utcoffset() or timedelta(), pair[0]))

    def burden_by_zone(self, burdens: Sequence[int]) -> dict[str, float]:
        """The mean burden of a person of each zone over the term."""
        sums: Counter[str] = Counter()
        for who, burden in zip(self.people, burdens, strict=True):
            sums[who.zone] += burden
        return {zone: sums[zone] / count for zone, count in self.zones}

    def missing(self, slot: int) -> int:
        """How many said that they cannot, or have something else, at a fixed hour in at least one week."""
        from vsm.exchange.sessions.slots import cost

        return sum(any(cost(who, self.wish, week, slot) == self.wish.costs.missing for week in range(self.wish.weeks)) for who in self.people)


def find(people: Sequence[Who], wish: Wish) -> Answer:
    """The best hours for these people."""
    from vsm.exchange.sessions.slots_table import search

    found, rotation = search(people, wish)
    best = list(_that_differ(found))
    is_better = any(slot is not None for slot in rotation.slots) and (not best or rotation.worst < best[0].worst)
    return Answer(people, wish, best, rotation if is_better else None)


def why_nothing(answer: Answer) -> Reason:
    """Why no hour is possible: the pairs of zones that share none, and what can be done."""
    pairs = impossible(answer.people, answer.wish)
    if pairs:
        text = N_("Between 06:00 and 23:00 these places have no hour in common: %(pairs)s. Make two groups, or a shorter meeting.")
        return Reason("no-common-hour", text, {"pairs": ", ".join(f"{city(one)} – {city(other)}" for one, other in pairs[:6])})
    text = N_("No hour lies between 06:00 and 23:00 for all of these places at once: %(places)s. Make two groups, or a shorter meeting.")
    return Reason("no-common-hour", text, {"places": ", ".join(city(zone) for zone, _count in answer.zones)})


def why_not_ask(wish: Wish, count: int) -> Iterator[Reason]:
    """What is wrong with the question itself."""
    if wish.ends_on < wish.starts_on:
        yield Reason("order", N_("The last day is before the first."), {}, "ends_on")
    if (wish.ends_on - wish.starts_on).days > MOST_WEEKS * 7:
        yield Reason("too-long", N_("Look at a year or less at a time."), {}, "ends_on")
    if not 15 <= wish.minutes <= 480:
        yield Reason("length", N_("A meeting lasts between 15 minutes and 8 hours here."), {}, "minutes")
    if not count:
        yield Reason("nobody", N_("Choose a course or a series, or write down zones: nobody is meant yet."), {}, "groups")
    if count > MOST_PEOPLE:
        yield Reason("too-many", N_("%(count)s people are too many at once (at most %(most)s)."), {"count": count, "most": MOST_PEOPLE}, "groups")


def groups_for(actor: Actor, today: date) -> list[tuple[str, str]]:
    """The courses and series, not yet over, for whose people this actor may look for a time."""
    office = actor.organisations("coordinator")
    courses = Offering.objects.filter(Q(instructors=actor.person_id) | Q(opportunity__organisation_id__in=office)).filter(state="published", ends_on__gte=today)
    led = Participant.objects.of(actor.person_id).filter(part="lead").values("series_id")
    series = Series.objects.filter(Q(pk__in=led) | Q(organisation_id__in=office), state=SeriesState.PLANNED, ends_on__gte=today)
    found = [(f"offering:{o.pk}", f"{course_title(o)} · {o.code}") for o in courses.select_related("opportunity").distinct().order_by("-starts_on")[:60]]
    return found + [(f"series:{s.pk}", text_in(s.title, get_language() or "en")) for s in series.order_by("-starts_on")[:60]]


def persons_of(actor: Actor, groups: Iterable[str], today: date) -> list[Person]:
    """Everybody in the chosen groups, by name; a group that is not the actor's has nobody."""
    mine = {value for value, _label in groups_for(actor, today)} & set(groups)
    offerings = [UUID(value.partition(":")[2]) for value in mine if value.startswith("offering:")]
    series = [UUID(value.partition(":")[2]) for value in mine if value.startswith("series:")]
    students = Enrolment.objects.filter(offering__in=offerings, state__in=ATTENDING).values("student_id")
    members = Participant.objects.filter(series__in=series, left_at=None).values("person_id")
    return list(Person.objects.filter(Q(pk__in=students) | Q(pk__in=members), is_active=True).order_by("name", "pk"))


def who_can(persons: Sequence[Person], wish: Wish) -> list[Who]:
    """Each person's zone, hours told, and meetings in the term."""
    told = {each.person_id: each for each in Availability.objects.filter(person__in=persons)}
    busy = _busy({person.pk for person in persons}, wish)
    return [
        Who(str(p.pk), told[p.pk].zone if p.pk in told else p.zone, told[p.pk].hours if p.pk in told else "", tuple(busy.get(p.pk, ())))
        for p in persons
    ]  # fmt: skip


def hour_in_words(answer: Answer, slot: int) -> str:
    """`Lima 07:00, Paris 13:00, Manila 20:00; from 1 April: Lima 06:00, Manila 19:00` — the first city's weekday first."""
    told = walls(answer.wish, slot, [zone for zone, _count in answer.zones])
    return _sentence(told)


def rotation_in_words(answer: Answer) -> list[dict[str, Any]]:
    """One line for each week of a rotation: its hour on every wall."""
    if answer.rotation is None:
        return []
    zones = [zone for zone, _count in answer.zones]
    lines = []
    for week, slot in enumerate(answer.rotation.slots):
        if slot is None:
            lines.append({"week": week + 1, "day": answer.wish.starts_on + timedelta(weeks=week), "words": _("no hour is possible for all")})
            continue
        wall = answer.wish.wall(week, slot)
        if wall.date() in answer.wish.without:
            continue
        one = Wish(answer.wish.starts_on + timedelta(weeks=week), answer.wish.starts_on + timedelta(weeks=week, days=6), answer.wish.zone, answer.wish.minutes)
        told = walls(one, slot, zones)
        # The day of the city whose weekday is told first: where the hour is kept it may be the next day already.
        lines.append({"week": week + 1, "day": told[0].first.date(), "words": _times(told)})
    return lines


def city(zone: str) -> str:
    """`America/Argentina/Buenos_Aires` → `Buenos Aires`."""
    return zone.rpartition("/")[2].replace("_", " ")


def _sentence(told: Sequence[Wall]) -> str:
    parts = [_times(told)]
    for day in sorted({change.date() for each in told for change in each.changes}):
        changed = [(each.zone, change) for each in told for change in each.changes if change.date() == day]
        hours = ", ".join(f"{city(zone)} {change:%H:%M}" for zone, change in changed)
        parts.append(_("from %(day)s: %(hours)s") % {"day": _day_and_month(day), "hours": hours})
    return "; ".join(parts)


def _day_and_month(day: date) -> str:
    """`30 March`, `30 de marzo`: the month written out, where pages abbreviate it."""
    return str(date_format(day, "j F" if (get_language() or "en").startswith("en") else "MONTH_DAY_FORMAT"))


def _times(told: Sequence[Wall]) -> str:
    """The weekday once when it is the same everywhere, else with each city that has another than the first."""
    first = told[0].first.weekday()
    parts = [
        f"{city(each.zone)} {each.first:%H:%M}" if each.first.weekday() == first else f"{city(each.zone)} {say(WEEKDAYS[each.first.weekday()])} {each.first:%H:%M}"
        for each in told
    ]
    return _("%(weekday)s: %(times)s") % {"weekday": say(WEEKDAYS[first]), "times": ", ".join(parts)}


def _that_differ(found: Sequence[Fixed]) -> Iterator[Fixed]:
    """The best hours, without the neighbours of better ones."""
    kept: list[Fixed] = []
    for each in found:
        if len(kept) == SHOWN:
            return
        if all(each.slot // 48 != other.slot // 48 or abs(each.slot - other.slot) >= NEAR for other in kept):
            kept.append(each)
            yield each


def _busy(persons: set[UUID], wish: Wish) -> dict[UUID, list[tuple[datetime, datetime]]]:
    """The meetings of each person in the term, with a day's margin for other zones."""
    whose: dict[tuple[str, UUID], list[UUID]] = {}
    enrolled = Enrolment.objects.filter(student__in=persons, state__in=ATTENDING).values_list("offering_id", "student_id")
    taught = Offering.objects.filter(instructors__in=persons).values_list("pk", "instructors")
    for offering, person in (*enrolled, *taught):
        whose.setdefault(("offering", offering), []).append(person)
    for series, person in Participant.objects.filter(person__in=persons, left_at=None).values_list("series_id", "person_id"):
        whose.setdefault(("series", series), []).append(person)
    since, until = (datetime.combine(day, time(), UTC) + timedelta(days=shift) for day, shift in ((wish.starts_on, -1), (wish.ends_on, 2)))
    found = Session.objects.filter(
        Q(offering__in=[pk for kind, pk in whose if kind == "offering"]) | Q(series__in=[pk for kind, pk in whose if kind == "series"]),
        state=SessionState.SCHEDULED, ends_at__gt=since, starts_at__lt=until,
    )  # fmt: skip
    busy: dict[UUID, list[tuple[datetime, datetime]]] = {}
    for offering, series, starts, ends in found.values_list("offering_id", "series_id", "starts_at", "ends_at"):
        for person in whose[("offering", offering) if offering else ("series", series)]:
            if person in persons:
                busy.setdefault(person, []).append((starts, ends))
    return busy
