"""Who registers for online events and who comes, by year and country, and what they say of one: counted, then protected.

Where somebody is follows from the time zone in which the page was shown to them (time zones of the CLDR); nobody is asked.
Registrations are counted, not people: guests are forgotten afterwards, so that nobody can be known again. No count is told of a
single event: beside the year's it would tell how many came to the others.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from babel.core import get_global
from django.db.models import Avg, Count, Q

from vsm.exchange.events.models import Feedback, OnlineEvent, Registration
from vsm.exchange.events.states import EventState, RegistrationState
from vsm.exchange.statistics.rules import LEAST, Column, protected, rounded
from vsm.kit.names import is_country

OTHER = "other"


@dataclass(frozen=True)
class Year:
    """One year: events held, registrations for them and how many came, by country (ISO 3166-1 alpha-2, or "other")."""

    year: int
    events: int
    registered: Column
    attended: Column


def by_country() -> list[Year]:
    """Every year in which an event was held, oldest first. Who gave a place up does not count."""
    counted = (
        Registration.objects.filter(event__state=EventState.HELD, state=RegistrationState.REGISTERED).order_by()
        .values("event__starts_at__year", "zone").annotate(registered=Count("pk"), attended=Count("pk", filter=Q(attended=True)))
    )  # fmt: skip
    came: dict[int, tuple[Counter[str], Counter[str]]] = {}
    for row in counted:
        registered, attended = came.setdefault(row["event__starts_at__year"], (Counter(), Counter()))
        registered[country_of(row["zone"])] += row["registered"]
        attended[country_of(row["zone"])] += row["attended"]
    events = Counter(OnlineEvent.objects.filter(state=EventState.HELD).order_by().values_list("starts_at__year", flat=True))
    return [Year(year, events[year], *told(*came[year])) for year in sorted(came)]


@dataclass(frozen=True)
class Answers:
    """What was answered after an event: about how many did, the means of 1 to 5, and their words."""

    many: int
    useful: float
    could_follow: float
    words: tuple[str, ...]


def answers_of(event: OnlineEvent) -> Answers | None:
    """What may be told of the answers; None as long as fewer than ten were given, for then somebody might be recognised."""
    given = Feedback.objects.filter(event=event)
    found = given.aggregate(n=Count("pk"), useful=Avg("useful"), could_follow=Avg("could_follow"))
    if found["n"] < LEAST:
        return None
    # By the text, not by the order of arrival, which might tell who wrote it.
    words = tuple(sorted(given.exclude(words="").values_list("words", flat=True)))
    return Answers(rounded(found["n"]), round(found["useful"], 1), round(found["could_follow"], 1), words)


def country_of(zone: str) -> str:
    """The country of a time zone; "other" for one that belongs to none (UTC) or to several."""
    territory = str(get_global("zone_territories").get(zone, ""))
    return territory if is_country(territory) else OTHER


def told(registered: Mapping[str, int], attended: Mapping[str, int]) -> tuple[Column, Column]:
    """Both measures over the same countries. A country is named only when enough registered from there: a name alone would
    say that somebody did."""
    named = {country for country, count in registered.items() if count >= LEAST and country != OTHER}

    def column(counts: Mapping[str, int]) -> Column:
        kept = {country: counts.get(country, 0) for country in sorted(named)}
        return protected({**kept, OTHER: sum(counts.values()) - sum(kept.values())})

    return column(registered), column(attended)
