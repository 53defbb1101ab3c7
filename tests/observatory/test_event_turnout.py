"""Attendance of online events is an indicator like the others, and tells of nobody."""

from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from vsm.exchange.events.models import OnlineEvent, Registration
from vsm.exchange.institutions.models import Hub, Organisation
from vsm.observatory.exchange_series.events import take_attendance
from vsm.observatory.indicators.computed import computed
from vsm.observatory.sources.models import Release
from vsm.observatory.sources.observations import observations, path_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
FEW = "Asia/Tokyo"


def held(**came: tuple[int, int]) -> None:
    """An event that was held: zone (with __ for /) → registered, came."""
    organisation = Organisation.objects.first() or Organisation(name={"en": "Host"}, schac="host.example", kind="university", country="PE", zone="America/Lima")
    organisation.save()
    event = OnlineEvent(organisation=organisation, title={"en": "Launch"}, starts_at=NOW - timedelta(days=2), ends_at=NOW - timedelta(days=2, hours=-1), zone="UTC", closes_at=NOW, state="held")
    event.save()
    Registration.objects.bulk_create(
        Registration(event=event, name="", email=f"{event.pk}-{zone}-{number}@x.example", zone=zone.replace("__", "/"), state="registered", attended=number < there)
        for zone, (registered, there) in came.items() for number in range(registered)
    )  # fmt: skip


def turnout() -> dict[str, tuple[float | None, float]]:
    rows = computed(observations(source="events"), "event-turnout").to_pyarrow().to_pylist()
    return {row["geo"]: (row["value"], row["coverage"]) for row in rows}


def test_no_event_is_no_release() -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()
    assert (take_attendance(now=NOW), Release.objects.count()) == (None, 0)


def test_attendance_is_a_vintage_by_country_without_the_few_and_the_same_counts_make_no_other() -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()
    held(America__Lima=(40, 31), America__Bogota=(25, 4), Asia__Tokyo=(3, 3), UTC=(12, 11))
    first = take_attendance(now=NOW)
    assert first is not None
    # Japan is not named, and of Colombia it is not told how many came: four people are few.
    assert turnout() == {"PER": (0.75, 1.0), "COL": (None, 0.0), "Events: other": (pytest.approx(10 / 15), 1.0), "Events: all": (pytest.approx(50 / 80), 1.0)} | {
        geo: cell for geo, cell in turnout().items() if cell == (None, 0.0)
    }
    rows = pq.read_table(path_of(first.digest)).to_pylist()
    assert ("JPN" in {row["geo"] for row in rows}, {row["value"] for row in rows} & {1.0, 2.0, 3.0, 4.0}) == (False, set())
    assert {row["qualifier"] for row in rows if row["value"] is None} == {"WITHHELD"}
    again = take_attendance(now=NOW + timedelta(days=30))
    assert (again, Release.objects.count()) == (first, 1)


def test_a_newer_vintage_takes_the_place_of_the_older() -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()
    held(America__Lima=(40, 31))
    take_attendance(now=NOW)
    held(America__Lima=(40, 10))
    take_attendance(now=NOW + timedelta(days=30))
    assert turnout()["PER"] == (pytest.approx(0.5), 1.0)
