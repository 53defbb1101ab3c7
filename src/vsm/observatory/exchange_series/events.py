"""Who registers for online events and who comes, as a release of the source `events`: protected by `exchange.statistics`, dated, kept.

Nobody's consent is pooled here: the events are this installation's own, and registrations are counted, not people.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from vsm.exchange.institutions.models import Hub
from vsm.exchange.statistics.attendance import OTHER, Year, by_country
from vsm.kit.actors import SYSTEM
from vsm.observatory.exchange_series.rows import WITHHELD, table_of
from vsm.observatory.geography import countries
from vsm.observatory.indicators.measures import CAME, REGISTERED
from vsm.observatory.sources.actions import take_in
from vsm.observatory.sources.models import Release
from vsm.observatory.sources.observations import covered, keep
from vsm.observatory.sources.queries import current_releases

SOURCE, FORMAT = "events", "event-counts"
# Places that are no country, named as an aggregate of a publisher is.
EVERYWHERE, ELSEWHERE = "Events: all", "Events: other"


def take_attendance(*, now: datetime) -> Release | None:
    """Count, protect and keep. The same counts as in the vintage before leave that one; None while no event was held."""
    rows = [row for year in by_country() for row in _rows(year)]
    held = next(iter(current_releases([SOURCE])), None)
    if not rows and not held:
        return None
    table = table_of(rows)
    digest, count = keep(table)
    if held and held.digest == digest:
        return held
    return take_in(
        Hub.objects.get(), by=SYSTEM, now=now, source=SOURCE, format_=FORMAT, edition=f"{now:%Y-%m-%d}", published_on=now.date(), file_name="", url="", size=count, sha256=digest,
        digest=digest, rows=count, checks=[["protected", True, {"withheld": sum(row["value"] is None for row in rows)}]], covers=sorted({*covered(table), *(f"{name}{at}" for name in (REGISTERED, CAME) for at in ("", "@"))}),
    )  # fmt: skip


def _rows(told: Year) -> Iterator[dict[str, Any]]:
    alpha3 = {each.iso2: each.iso3 for each in countries().values()}
    for series, column in ((REGISTERED, told.registered), (CAME, told.attended)):
        for code, value in {**column.cells, EVERYWHERE: column.total}.items():
            geo = {OTHER: ELSEWHERE, EVERYWHERE: EVERYWHERE}.get(code) or alpha3.get(code, ELSEWHERE)
            yield {"series": series, "geo": geo, "year": told.year, "value": value, "qualifier": WITHHELD if value is None else "", "magnitude": "NIL" if value == 0 else ""}
