"""Who registers for online events and who comes, by year and country: counted, then protected.

Where somebody is follows from the time zone in which the page was shown to them (time zones of the CLDR); nobody is asked.
Registrations are counted, not people: guests are forgotten afterwards, so that nobody can be known again.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from babel.core import get_global
from django.db.models import Count, Q

from vsm.exchange.events.models import OnlineEvent, Registration
from vsm.exchange.events.states import EventState, RegistrationState
from vsm.exchange.statistics.rules import LEAST, Column, protected
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
