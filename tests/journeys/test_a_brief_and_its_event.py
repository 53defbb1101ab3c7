"""From a new release to a brief in Portuguese, its launch online, and what may be told of who came: one story by pages.

Olga runs the installation and loads releases, Bia's university organises the event, Vera registers without an account.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client

from tests.journeys.doors import Pages, left_behind, somebody
from tests.observatory.test_publishing import revised
from vsm.exchange.events.models import OnlineEvent, Registration
from vsm.exchange.events.queries import link_token
from vsm.exchange.institutions.models import Hub
from vsm.kit import clock
from vsm.kit.actors import SYSTEM
from vsm.kit.jobs import drain
from vsm.kit.models import Message
from vsm.observatory.publications.models import Publication
from vsm.observatory.sources.actions import load, ship

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 3, 1, 15, tzinfo=UTC)
STARTS = NOW + timedelta(days=14)
BRIEF = "/observatory/briefs/covid-effect/"


def test_a_release_becomes_a_brief_and_the_brief_an_event(tmp_path: Path) -> None:
    cache.clear()
    door, visitor = Pages(), Client(headers={"accept-language": "pt-br"})
    olga, bia = somebody("olga", "America/Lima"), somebody("bia", "America/Lima")
    hub = Hub(name="Story", contact="olga@people.example")
    hub.save()
    with clock.stopped_at(NOW):
        ship(now=NOW)
        _noun, home = door.act(olga, "hub", hub.pk, "add_organisation", name={"en": "Home university"}, schac="home.example", country="PE", zone="America/Lima", credit_system="ects", grade_scale="ects", languages=["en"])
        door.act(olga, "organisation", home, "give_role", email=bia.email, role="coordinator")
        door.act(olga, "hub", hub.pk, "publish_brief", slug="covid-effect")

    # A newer release: the next edition says, in Portuguese, which release and which figures differ.
    with clock.stopped_at(NOW + timedelta(days=1)):
        load(revised(tmp_path, lambda region, year, value: value + 1000 * (region in {"Northern America", "Europe and Northern America", "World"} and year == 2022)), by=SYSTEM, now=clock.now())
        door.act(olga, "hub", hub.pk, "publish_brief", slug="covid-effect")
        page = visitor.get(BRIEF).content.decode()
    first, second = Publication.objects.filter(slug="covid-effect").order_by("number")
    assert [text in page for text in ("[inbound.world.2022]", "Edições usadas", "Recomendações", "O que não sabemos")] == [True] * 4
    assert [visitor.get(f"{BRIEF}{edition.digest}/brief.pt-br.pdf")["Content-Type"] for edition in (first, second)] == ["application/pdf"] * 2

    # Its launch: announced with the brief, registered for without an account, counted without telling who.
    with clock.stopped_at(NOW + timedelta(days=2)):
        _noun, event = door.act(
            bia, "organisation", home, "announce_event", title={"en": "Launch", "pt-br": "Lançamento"}, description={"en": "What the figures say."}, starts_at=STARTS, ends_at=STARTS + timedelta(hours=1), zone="America/Lima",
            languages=["pt-br"], captions=["pt-br", "es"], interpretation=["es"], capacity=5, speakers=[{"name": "Pilar Rincón", "affiliation": "Cerros"}], join_url="https://meet.example/room",
            dial_in="+51 1 555 0100", kind="launch", subjects=["brief:covid-effect"], is_recorded=True,
        )  # fmt: skip
        door.act(bia, "online_event", event, "publish")
        assert f"/online-events/{event}/" in visitor.get(BRIEF).content.decode()
        told = visitor.get(f"/online-events/{event}/").content.decode()
        assert [text in told for text in (BRIEF, "Pilar Rincón", "Lançamento de uma publicação")] == [True] * 3
        visitor.post(f"/online-events/{event}/register/", {"name": "Vera", "email": "vera@elsewhere.example"})
        drain()
        mine = f"/online-events/mine/{link_token(Registration.objects.get())}/"
        visitor.post(mine, {"verb": "confirm"})
        drain()
    with clock.stopped_at(STARTS + timedelta(minutes=1)):
        assert visitor.post(f"{mine}join/")["Refresh"] == "0; url=https://meet.example/room"
    with clock.stopped_at(STARTS + timedelta(hours=2)):
        row = Registration.objects.get()
        door.act(bia, "online_event", event, "take_attendance", present=[{"registration": row.pk, "name": "Vera", "was_there": True}])
        door.act(bia, "online_event", event, "add_recording", recording_url="https://video.example/launch", transcript_url="https://video.example/launch.txt")
        drain()
        assert "https://video.example/launch" in visitor.get(BRIEF).content.decode()
        counted = visitor.get("/online-events/attendance.csv").content.decode().splitlines()
    letters = {letter.kind: letter.body for letter in Message.objects.filter(to="vera@elsewhere.example")}
    assert (set(letters), BRIEF in letters["registration_confirmed"], "launch.txt" in letters["event_recorded"]) == (
        {"registration_to_confirm", "registration_confirmed", "event_held", "event_recorded"}, True, True,
    )  # fmt: skip
    assert (counted, OnlineEvent.objects.get().state) == (["year,country,registered,attended", "2027,other,,", "2027,all,,"], "held")
    assert left_behind() == ([], [])
