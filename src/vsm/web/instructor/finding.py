"""Finding a time: for whom, over which weeks; the best hours in words and as a grid; one choice makes the meetings."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of
from vsm.exchange.people.models import Person, zones
from vsm.exchange.sessions.actions import MeetingTime, lead, make_series, member
from vsm.exchange.sessions.finding import (
    Answer,
    city,
    find,
    groups_for,
    hour_in_words,
    persons_of,
    rotation_in_words,
    who_can,
    why_not_ask,
    why_nothing,
)
from vsm.exchange.sessions.rules import WALL, WEEKDAYS
from vsm.exchange.sessions.slots import Who, Wish, meetings
from vsm.exchange.sessions.zones import present_name, why_no_zone
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.errors import Refused
from vsm.kit.ids import new_id
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.saying import say, say_reason, say_reasons
from vsm.kit.verdict import Reason
from vsm.web.instructor.hour_grid import grid_of

LENGTHS = (30, 45, 60, 90, 120, 180)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def find_a_time(request: Request) -> HttpResponse:
    """The question is a GET form, so that an answer has an address; choosing an hour asks for a title and makes the series."""
    asked = request.POST if request.method == "POST" else request.GET
    actor: Actor = request.actor
    wish, persons, people, problems = _question(asked, actor)
    is_asked = bool(asked.getlist("group") or asked.get("zones"))
    context = {**_form(asked, actor, wish), "title": _("Find a time"), "is_asked": is_asked, "problems": say_reasons(problems) if is_asked else []}
    if not is_asked or problems:
        return render(request, "instructor/sessions/find_a_time.html", context, status=422 if is_asked else 200)
    if request.method == "POST":
        try:
            return _plan(request, wish, persons)
        except Refused as refusal:
            context |= {"problems": say_reasons(refusal.reasons), "title_text": _text(asked, "title", 200)}
    answer = find(people, wish)
    context |= _told(answer, asked)
    chosen = _chosen(answer, asked.get("choose", ""))
    if chosen is not None:
        context |= {
            "chosen": asked.get("choose"), "chosen_words": context["words"].get(asked.get("choose"), ""), "organisations": _offices(actor),
            "walls": [wall.strftime(WALL) for wall in meetings(wish, chosen)], "delivery_key": asked.get("delivery_key") or str(new_id()), "people_count": len(persons),
        }  # fmt: skip
    return render(request, "instructor/sessions/find_a_time.html", context, status=422 if context["problems"] else 200)


def _question(asked: QueryDict, actor: Actor) -> tuple[Wish, list[Person], list[Who], list[Reason]]:
    """What is asked: the wish, persons who can be invited, everybody who counts, and what is wrong with it."""
    today = timezone.localdate(clock.now())
    zone = present_name(_text(asked, "zone") or timezone.get_current_timezone_name())
    wrong = why_no_zone(zone, zones())
    starts_on = _day(asked, "starts_on") or today + timedelta(days=7 - today.weekday())
    wish = Wish(
        starts_on, _day(asked, "ends_on") or starts_on + timedelta(weeks=16, days=-1), "UTC" if wrong else zone, _whole(asked, "minutes", 60),
        frozenset(filter(None, (_iso(line) for line in _text(asked, "without", 4000).split()))),
    )  # fmt: skip
    persons = persons_of(actor, asked.getlist("group"), today)
    if asked.get("me") and all(person.pk != actor.person_id for person in persons):
        persons.append(Person.objects.get(pk=actor.person))
    guests, strange = _guests(_text(asked, "zones", 4000))
    problems = [*([wrong] if wrong else []), *strange, *why_not_ask(wish, len(persons) + len(guests))]
    return wish, persons, [*(who_can(persons, wish) if not problems else []), *guests], problems


def _guests(text: str) -> tuple[list[Who], list[Reason]]:
    """`America/Lima 12`, one a line: people of whom only the zone is known."""
    found, strange = [], []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines()))):
        name, _space, count = line.partition(" ")
        wrong = why_no_zone(name, zones(), "zones")
        if wrong:
            strange.append(wrong)
            continue
        found += [Who(f"{number}-{each}", present_name(name)) for each in range(min(int(count), 500) if count.strip().isdigit() else 1)]
    return found, strange


def _form(asked: QueryDict, actor: Actor, wish: Wish) -> dict[str, Any]:
    """What the form shows: the question as asked."""
    return {
        "groups": [{"value": value, "label": label, "on": value in asked.getlist("group")} for value, label in groups_for(actor, timezone.localdate(clock.now()))],
        "zones_text": _text(asked, "zones", 4000), "without_text": _text(asked, "without", 4000), "wish": wish,
        "zone_text": _text(asked, "zone") or timezone.get_current_timezone_name(), "lengths": LENGTHS, "all_zones": sorted(zones()), "me": bool(asked.get("me")) or not asked,
        "hidden": [(name, value) for name in ("group", "zones", "without", "zone", "starts_on", "ends_on", "minutes", "me") for value in asked.getlist(name)],
    }  # fmt: skip


def _told(answer: Answer, asked: QueryDict) -> dict[str, Any]:
    """The answer for the page: each hour in words with its burdens, the grid of the best, the turns."""
    kept = [(name, value) for name in ("group", "zones", "without", "zone", "starts_on", "ends_on", "minutes", "me") for value in asked.getlist(name)]
    hours = [
        {
            "key": f"fixed-{each.slot}", "words": hour_in_words(answer, each.slot), "worst": each.worst, "total": each.total, "missing": answer.missing(each.slot),
            "url": "?" + urlencode([*kept, ("choose", f"fixed-{each.slot}")]) + "#plan", "chart": _by_zone(answer, each.burdens, _("The same at the best fixed hour")),
        }
        for each in answer.fixed
    ]  # fmt: skip
    turns = None
    if answer.rotation:
        lines = rotation_in_words(answer)
        words = _("In turns over %(weeks)s weeks") % {"weeks": len(lines)}
        turns = {
            "key": "rotation", "words": words, "lines": lines, "worst": answer.rotation.worst, "proven": answer.rotation.proven,
            "url": "?" + urlencode([*kept, ("choose", "rotation")]) + "#plan", "chart": _by_zone(answer, answer.rotation.burdens, _("Mean burden of a person in each place, in turns")),
        }  # fmt: skip
    shown = answer.fixed[0].slot if answer.fixed else next((slot for slot in (answer.rotation.slots if answer.rotation else ()) if slot is not None), 24)
    return {
        "hours": hours, "turns": turns, "nothing": "" if hours or turns else say_reason(why_nothing(answer)), "count": len(answer.people),
        "places": [{"city": city(zone), "zone": zone, "count": count} for zone, count in answer.zones], "grid": grid_of(answer, shown),
        "grid_day": say(WEEKDAYS[answer.wish.wall(0, shown).weekday()]),
        "words": {each["key"]: each["words"] for each in [*hours, *([turns] if turns else [])]},
    }  # fmt: skip


def _by_zone(answer: Answer, burdens: Sequence[int], title: str) -> dict[str, Any]:
    """Who carries how much over the term: the mean of a person of each zone."""
    return {"title": title, "rows": [{"label": city(zone), "value": round(value)} for zone, value in answer.burden_by_zone(burdens).items()]}


def _chosen(answer: Answer, key: str) -> tuple[int | None, ...] | None:
    """The hours of each week of what was chosen; None when it is not among the answers."""
    if key == "rotation" and answer.rotation:
        return answer.rotation.slots
    slot = key.removeprefix("fixed-")
    return next(((each.slot,) * answer.wish.weeks for each in answer.fixed if str(each.slot) == slot), None)


def _plan(request: Request, wish: Wish, persons: list[Person]) -> HttpResponse:
    """Make the series out of the hours that were shown, not out of a new search: sent twice, the form means the same."""
    actor, given = request.actor, request.POST
    organisation = next((each for each in _organisations(actor) if str(each.pk) == given.get("organisation")), None)
    if organisation is None:
        raise not_found()
    me = Person.objects.get(pk=actor.person)
    series = make_series(
        organisation, by=actor.delivering(key=given.get("delivery_key", "")[:255], via="web"), now=clock.now(),
        title={actor.language: _text(given, "title", 200)}, zone=wish.zone,
        meetings=[MeetingTime(day=wall.date(), starts=wall.time(), minutes=wish.minutes) for wall in _walls(given.getlist("at"))],
        people=[lead(me), *(member(person) for person in persons if person.pk != me.pk)],
        join_url=_text(given, "join_url", 200), dial_in=_text(given, "dial_in", 120),
    )  # fmt: skip
    messages.success(request, _("Done: the meetings are planned and the invitations are on their way."))
    return redirect("object", plural="series", pk=series.pk)


def _walls(texts: list[str]) -> Iterator[datetime]:
    for text in texts:
        try:
            yield datetime.strptime(text, WALL)  # noqa: DTZ007 -- a wall time has no zone by its nature
        except ValueError:
            continue


def _organisations(actor: Actor) -> list[Organisation]:
    return list(Organisation.objects.filter(pk__in=actor.organisations("coordinator", "instructor")).order_by("schac"))


def _offices(actor: Actor) -> list[dict[str, str]]:
    return [{"value": str(each.pk), "label": name_of(each)} for each in _organisations(actor)]


def _text(asked: Mapping[str, str], name: str, most: int = 64) -> str:
    return str(asked.get(name, "")).replace("\x00", "")[:most].strip()


def _day(asked: Mapping[str, str], name: str) -> date | None:
    return _iso(_text(asked, name))


def _iso(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1990 <= found.year <= 2200 else None


def _whole(asked: Mapping[str, str], name: str, default: int) -> int:
    text = _text(asked, name, 5)
    return int(text) if text.isdecimal() else default


urlpatterns = [path("find-a-time/", find_a_time, name="find_a_time")]
