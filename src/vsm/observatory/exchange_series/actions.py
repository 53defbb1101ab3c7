"""Taking a vintage of the pooled counts. A vintage is a release: dated, kept, with its checks; nobody counts while a page is read.

Counting at fixed moments is itself a protection: whoever could watch a count change from hour to hour would learn who came.
So is that every vintage is held beside the one before: no two of a year may be subtracted to find an institution.
"""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django_tasks import task

from vsm.exchange.institutions.models import Hub
from vsm.exchange.statistics.actions import remember
from vsm.exchange.statistics.gathering import consenting
from vsm.exchange.statistics.queries import Pooled, pooled
from vsm.exchange.statistics.rules import INSTITUTIONS, all_series, series_name
from vsm.kit import clock
from vsm.kit.actions import action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Refused
from vsm.kit.i18n import N_
from vsm.kit.jobs import enqueue_unless_waiting, every
from vsm.kit.verdict import Reason
from vsm.observatory.estimates.actions import run_study
from vsm.observatory.exchange_series.events import take_attendance
from vsm.observatory.exchange_series.queries import SOURCE, newest_vintage
from vsm.observatory.exchange_series.rows import WITHHELD, table_of
from vsm.observatory.sources.actions import take_in
from vsm.observatory.sources.models import Release
from vsm.observatory.sources.observations import covered, keep

FORMAT, STUDY = "exchange-counts", "vsm"
MONTH = 30 * 86_400


@action("take_counts", on=Hub, label=_("Take a vintage of our counts"), allow=("operator",))
def take_counts(hub: Hub, *, by: Actor, now: datetime) -> Hub:
    """Have the worker count what the institutions that agree have done, protect it, and keep it as a release with its study.
    The same counts as in the vintage before leave that one. Refused while fewer than three institutions agree."""
    agreed = len(consenting())
    if agreed < INSTITUTIONS:
        text = N_("Fewer than %(least)s institutions have agreed to pool their counts (%(there)s). Their offices agree on the page of their institution.")
        raise Refused(Reason("too-few-institutions", text, {"least": INSTITUTIONS, "there": agreed}))
    enqueue_unless_waiting(take_now)
    return hub


@task(queue_name="long")
def take_now() -> None:
    """A vintage as soon as the worker comes to it."""
    take(now=clock.now())
    take_attendance(now=clock.now())


@task(queue_name="long")
def take_again(organisation_id: str) -> None:
    """On pooling.withdrawn: at once nothing is told any more where too few are left; else what was told stays, and tells of
    one institution less that agrees."""
    del organisation_id
    if newest_vintage():
        take(now=clock.now())


@every(MONTH)
@task(queue_name="long")
def take_monthly() -> None:
    """A vintage a month, once enough institutions agree; of attendance at online events, once one was held."""
    take(now=clock.now())
    take_attendance(now=clock.now())


def take(*, now: datetime) -> Release | None:
    """Count, protect, let the attacker try, and keep: outside any transaction, for it reads many records; only what is kept is
    written at once. None where too few agree and nothing was ever told."""
    told, held, hub = pooled(), newest_vintage(), Hub.objects.get()
    if told.institutions < INSTITUTIONS and not (held and held.rows):
        return None
    remember(told.tellings, now=now)
    rows = _rows(told, now.year)
    table = table_of(rows)
    digest, count = keep(table)
    release = held if held and held.digest == digest else take_in(
        hub, by=SYSTEM, now=now, source=SOURCE, format_=FORMAT, edition=f"{now:%Y-%m-%d}", published_on=now.date(), file_name="", url="",
        size=count, sha256=digest, digest=digest, rows=count, checks=[["institutions", told.institutions >= INSTITUTIONS, {"count": told.institutions}], ["attacked", True, {"withheld": told.checked}], ["subtracted", True, {"standing": list(told.standing)}]],
        # A vintage takes the place of all before it, also where it has less to tell.
        covers=sorted({*all_series(), *covered(table)}),
    )  # fmt: skip
    if rows:  # the same release again gives the run that is there, so a worker killed in between leaves nothing half done
        run_study(hub, by=SYSTEM, now=now, kind=STUDY)
    return release


def _rows(told: Pooled, year: int) -> list[dict[str, Any]]:
    if told.institutions < INSTITUTIONS:
        return []
    rows = [
        {"series": series_name(cell.measure, cell.dimension, cell.value), "year": cell.year, "value": cell.count, "qualifier": WITHHELD if cell.count is None else "", "magnitude": "NIL" if cell.count == 0 else ""}
        for cell in told.cells
    ]  # fmt: skip
    return [*rows, {"series": series_name("institutions"), "year": year, "value": told.institutions}]
