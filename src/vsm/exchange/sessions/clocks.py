"""When a country changes its clock rules: coming meetings stay at the hour that was meant, and those concerned are told once.

The tz database of the system may be replaced under a running program, and zoneinfo keeps what it has read; so the worker
looks each hour which version there is, forgets what it had read, and works every coming meeting out afresh.
"""

import zoneinfo
from datetime import datetime
from importlib import metadata
from pathlib import Path

from django.utils.translation import gettext_lazy as _
from django_tasks import task

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.sessions.models import ClockRules, Series
from vsm.exchange.sessions.planning import reckon
from vsm.kit import clock
from vsm.kit.actions import action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.events import emit
from vsm.kit.jobs import every


@action("follow_clocks", on=Offering, label=_("Follow changed clock rules"), allow=())
def follow_clocks_of_course(offering: Offering, *, by: Actor, now: datetime) -> Offering:
    """Bring the coming meetings to the wall time that they stand for."""
    if _reckoned(offering, by=by, now=now):
        emit("clocks.changed", noun="offering", holder_id=str(offering.pk))
    return offering


@action("follow_clocks", on=Series, label=_("Follow changed clock rules"), allow=())
def follow_clocks_of_series(series: Series, *, by: Actor, now: datetime) -> Series:
    """Bring the coming meetings to the wall time that they stand for."""
    if _reckoned(series, by=by, now=now):
        emit("clocks.changed", noun="series", holder_id=str(series.pk))
    return series


@every(3600)
@task()
def follow_clock_rules() -> None:
    """Each hour: is the tz database another one than last time? Runs once for each version, whatever runs twice."""
    zoneinfo.ZoneInfo.clear_cache()
    now, version = clock.now(), rules_version()
    held, _made = ClockRules.objects.select_for_update().get_or_create(pk=1, defaults={"version": "", "at": now})
    if held.version == version:
        return
    for offering in Offering.objects.filter(sessions__starts_at__gt=now).distinct():
        follow_clocks_of_course(offering, by=SYSTEM, now=now)
    for series in Series.objects.filter(sessions__starts_at__gt=now).distinct():
        follow_clocks_of_series(series, by=SYSTEM, now=now)
    held.version, held.at = version, now
    held.save()


def rules_version() -> str:
    """`2025b + tzdata 2026.6`: the system's database, which zoneinfo asks first, and the package that fills its gaps."""
    system = next((found for path in zoneinfo.TZPATH if (found := _version_in(Path(path)))), "")
    try:
        package = f"tzdata {metadata.version('tzdata')}"
    except metadata.PackageNotFoundError:
        package = ""
    return " + ".join(filter(None, (system, package)))


def _version_in(folder: Path) -> str:
    for name in ("tzdata.zi", "+VERSION"):
        try:
            with (folder / name).open(encoding="ascii", errors="replace") as file:
                return file.readline().removeprefix("# version").strip()[:32]
        except OSError:
            continue
    return ""


def _reckoned(holder: Offering | Series, *, by: Actor, now: datetime) -> int:
    return sum([reckon(session, by=by, now=now) for session in holder.sessions.filter(starts_at__gt=now).order_by("number")])
