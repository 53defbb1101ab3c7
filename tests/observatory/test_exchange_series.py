"""The Exchange as a source: a vintage at a time, of institutions that agree; no two can be subtracted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from vsm.exchange.institutions.models import Hub, Organisation
from vsm.exchange.people.models import Membership, Person
from vsm.exchange.people.queries import actor_of
from vsm.exchange.statistics import actions, gathering
from vsm.exchange.statistics.models import PoolingConsent
from vsm.exchange.statistics.rules import Unit
from vsm.kit import clock
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import NotAllowed, Refused
from vsm.kit.jobs import drain
from vsm.observatory.estimates.queries import facts_of, newest_run
from vsm.observatory.exchange_series import actions as series
from vsm.observatory.exchange_series.actions import take, take_counts
from vsm.observatory.exchange_series.queries import newest_vintage
from vsm.observatory.exchange_series.rows import WITHHELD
from vsm.observatory.sources.models import Release, SeriesBreak
from vsm.observatory.sources.observations import INBOUND, observations
from vsm.observatory.sources.queries import decisions
from vsm.web.public import observatory_reading as reading

# WhiteNoise warns where nobody has run collectstatic, as in a fresh clone.
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PLACES = ("north", "south", "east", "west")


@pytest.fixture
def hub(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Four institutions with an office each; of each twenty students began, of whom every second completed, and two by audio."""
    del db
    made = Hub(name="Here", contact="olga@hub.example")
    made.save()
    for name in PLACES:
        organisation = Organisation(name={"en": name}, schac=f"{name}.example", country="PE", zone="America/Lima")
        organisation.save()
        person = Person(email=f"{name}@office.example", name=name, zone="America/Lima")
        person.save()
        Membership(person=person, organisation=organisation, role="coordinator", starts_on=NOW.date()).save()
    monkeypatch.setattr(gathering, "begun", lambda homes: [unit for unit in everybody() if unit.home in homes])
    yield made
    reading._facts.clear()


def everybody() -> list[Unit]:
    return [
        Unit(
            person=f"{organisation.schac}{number}", home=str(organisation.pk), year=2026, reached=frozenset({"started", "completed"} if number % 2 else {"started"}),
            facts={"category": "course", "mode": "mixed", "bandwidth": "audio" if number < 2 else "video", "offset": "2-4", "credit": "with"},
        )
        for organisation in Organisation.objects.all() for number in range(20)
    ]  # fmt: skip


def office(name: str) -> Actor:
    return actor_of(Person.objects.get(email=f"{name}@office.example"), NOW)


def agree(*names: str) -> None:
    for name in names:
        actions.give(Organisation.objects.get(schac=f"{name}.example"), by=office(name), now=NOW, agrees=True)


def told_in(release: Release) -> dict[str, float | None]:
    return {row["series"]: row["value"] for row in observations(source="exchange", releases={"exchange": str(release.pk)}).to_pyarrow().to_pylist()}


def told() -> dict[str, float | None]:
    rows = observations(source="exchange").to_pyarrow().to_pylist()
    assert {row["qualifier"] for row in rows if row["value"] is None} <= {WITHHELD}
    return {row["series"]: row["value"] for row in rows}


def test_nothing_is_counted_before_three_agree_and_then_only_of_them(hub: Hub) -> None:
    agree("north", "south")
    assert take(now=NOW) is None
    with pytest.raises(Refused, match="Fewer than 3"):
        take_counts(hub, by=SYSTEM, now=NOW)
    agree("east")
    with clock.stopped_at(NOW):
        take_counts(hub, by=SYSTEM, now=NOW)
        drain()
    release = newest_vintage()
    assert release
    assert (told()["vsm.started"], told()["vsm.institutions"], release.source, [passed for _code, passed, _found in release.checks]) == (60.0, 3.0, "exchange", [True, True, True])
    # Six by audio are withheld, and with them those by video, whose total would tell them.
    assert (told()["vsm.started.bandwidth.audio"], told()["vsm.started.bandwidth.video"]) == (None, None)
    run = newest_run("vsm")
    assert run
    assert (facts_of(run)["rate.completed.2026"].value, run.inputs["exchange"]) == (0.5, str(release.pk))
    with pytest.raises(NotAllowed):
        take_counts(hub, by=office("north"), now=NOW)


def test_the_same_counts_are_the_same_vintage_and_others_the_next(hub: Hub) -> None:
    agree("north", "south", "east")
    first = take(now=NOW)
    assert take(now=NOW + timedelta(days=30)) == first
    agree("west")
    second = take(now=NOW + timedelta(days=30))
    # One institution alone does not enter a year that was told: subtracting would give its counts.
    assert (second != first, newest_vintage() == second, told()["vsm.started"], told()["vsm.institutions"], Release.objects.count()) == (True, True, 60.0, 4.0, 2)


def test_after_a_withdrawal_what_was_told_stands_and_with_two_nothing_is_told(hub: Hub) -> None:
    agree(*PLACES)
    take(now=NOW)
    page = Client(headers={"accept-language": "en"})
    assert ">80<" in page.get("/observatory/exchange/").content.decode()
    for day, name, left in ((1, "west", 80.0), (2, "east", None)):
        with clock.stopped_at(NOW + timedelta(days=day)):
            actions.withdraw(PoolingConsent.objects.get(organisation__schac=f"{name}.example"), by=office(name), now=clock.now(), because="Enough.")
            drain()
        assert told().get("vsm.started") == left
    before, after = (told_in(release) for release in Release.objects.order_by("retrieved_at")[:2])
    # Two vintages differ in how many agree, and in nothing that could be subtracted.
    assert {name for name in before if before[name] != after[name]} == {"vsm.institutions"}
    # Two are left: neither the old counts nor the old study are shown any more.
    html = page.get("/observatory/exchange/").content.decode()
    assert ("Nothing can be told yet" in html, "<figure" in html, page.get("/observatory/exchange.csv").status_code) == (True, False, 404)
    assert "fewer than three have agreed" in page.get("/observatory/equity/").content.decode()


def test_who_agrees_again_is_in_the_next_vintage_though_it_is_as_an_earlier_one_was(hub: Hub) -> None:
    agree(*PLACES)
    first = take(now=NOW)
    consent = PoolingConsent.objects.get(organisation__schac="west.example")
    with clock.stopped_at(NOW + timedelta(days=1)):
        actions.withdraw(consent, by=office("west"), now=clock.now(), because="We look at it again.")
        drain()
    consent.refresh_from_db()
    actions.give_again(consent, by=office("west"), now=NOW + timedelta(days=2), agrees=True)
    third = take(now=NOW + timedelta(days=3))
    assert first
    assert third
    assert (third.digest == first.digest, third != first, newest_vintage() == third, told()["vsm.started"], Release.objects.count()) == (True, True, True, 80.0, 3)


def test_a_worker_killed_before_the_study_makes_up_for_it(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(*PLACES)
    with monkeypatch.context() as killed:
        killed.setattr(series, "run_study", lambda *_args, **_kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            take(now=NOW)
    assert (newest_run("vsm"), Release.objects.count()) == (None, 1)
    take(now=NOW)
    run = newest_run("vsm")
    assert (run is not None, Release.objects.count()) == (True, 1)


def test_a_page_says_withheld_where_a_count_is_and_its_csv_leaves_it_empty(hub: Hub) -> None:
    agree(*PLACES)
    take(now=NOW)
    page = Client(headers={"accept-language": "en"})
    html = page.get("/observatory/exchange/?by=bandwidth").content.decode()
    assert html.count("withheld</td>") == 4, "both tiers, begun and completed"
    lines = page.get("/observatory/exchange.csv?by=bandwidth&year=2026&figure=by-bandwidth").content.decode().splitlines()
    assert [line.split(",")[4] for line in lines if line.startswith("vsm.started.bandwidth")] == ["", ""]
    described = page.get("/observatory/exchange.json?by=mode&figure=by-mode").json()
    assert (described["sdg"], described["sources"][0]["licence"], described["study"]["kind"], "withheld" in html) == (["4.3", "4.5", "10.7"], "CC-BY-4.0", "vsm", True)


def test_a_decision_about_a_series_that_a_study_does_not_read_is_no_gate_of_it(hub: Hub) -> None:
    agree("north", "south", "east")
    SeriesBreak(source="uis", series=INBOUND, geo="DOM", year=2022, state="dropped", reason="Another definition.").save()
    assert decisions("uis", INBOUND)
    take(now=NOW)
    run = newest_run("vsm")
    assert run
    assert ([code for code, *_rest in run.gates], "breaks" in run.parameters) == (["institutions", "told-share"], False)
