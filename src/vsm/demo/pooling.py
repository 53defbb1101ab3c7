"""Which institutions of the demo let their counts be pooled: all with an office but two, one of which had agreed before."""

from datetime import datetime, timedelta

from vsm.demo.cast import Cast
from vsm.exchange.statistics import actions as statistics
from vsm.kit import clock

NEVER_AGREED, WITHDREW = "ria", "bahia"
WHY = "Nuestro comité de datos lo revisa de nuevo en marzo."


def make_consents(cast: Cast, now: datetime) -> None:
    """By their offices, in the past month."""
    for number, (key, organisation) in enumerate(sorted(cast.organisations.items())):
        if organisation.kind != "university" or key == NEVER_AGREED:
            continue
        at = now - timedelta(days=30 - number)
        with clock.stopped_at(at):
            consent = statistics.give(organisation, by=cast.office(key, at), now=at, agrees=True)
        if key == WITHDREW:
            later = at + timedelta(days=5)
            with clock.stopped_at(later):
                statistics.withdraw(consent, by=cast.office(key, later), now=later, because=WHY)
