"""Category 4 from two wishes to certificates: one story, walked through the pages and by REST.

Pilar teaches in Bogotá, Rémy in Lyon; Olivia works in Pilar's office, Rosa keeps her registry; Dora teaches in Manila and
is a stranger to their exchange; Ada and Luc are students, one of each class; Olga runs the installation. The clock is
held at each step.
"""

from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from tests.journeys.conftest import IN_CHROMIUM
from tests.journeys.doors import Door, Refusal, Story, left_behind
from vsm.exchange.collaborations.models import CheckIn, Exchange, Participant
from vsm.exchange.credentials.models import Credential
from vsm.kit import clock
from vsm.kit.jobs import drain
from vsm.kit.models import Message
from vsm.kit.uploads import Upload

START = datetime(2027, 1, 11, 15, 0, tzinfo=UTC)
MONDAY = date(2027, 2, 15)
WATER = {"es": "Ciudades y agua", "en": "Cities and water"}


def at(day: date | float, hour: int = 15) -> AbstractContextManager[None]:
    moment = START + timedelta(days=day) if not isinstance(day, date) else datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    return clock.stopped_at(moment)


def week(number: int, days: int = 0) -> date:
    return MONDAY + timedelta(weeks=number, days=days)


@pytest.fixture
def story(door: Door) -> Story:
    zones = {f"{side}{number}": zone for side, zone in (("co", "America/Bogota"), ("fr", "Europe/Paris")) for number in range(1, 5)}
    return Story.of(
        door, pilar="America/Bogota", remy="Europe/Paris", dora="Asia/Manila", olivia="America/Bogota", rosa="America/Bogota", olga="America/Lima", **zones,
    )  # fmt: skip


@pytest.mark.parametrize("door", ["pages", "api", IN_CHROMIUM], indirect=True)
def test_an_exchange_from_two_wishes_to_certificates(story: Story) -> None:
    with at(0):
        institutions_and_people(story)
        wishes(story)
    with at(3):
        plan(story)
    with at(20):
        classes_and_teams(story)
    running(story)
    certificates(story)
    assert left_behind() == ([], [])


def institutions_and_people(story: Story) -> None:
    for name, country, zone, system in (("bogota", "CO", "America/Bogota", "colombia"), ("lyon", "FR", "Europe/Paris", "ects"), ("manila", "PH", "Asia/Manila", "ucts")):
        story.things[f"organisation:{name}"] = story.act(
            "olga", "hub", "add_organisation", name={"en": name.title()}, schac=f"{name}.example", country=country, zone=zone, credit_system=system, grade_scale="ects", languages=["es"]
        )
    roles = (
        ("pilar", "bogota", "instructor"), ("remy", "lyon", "instructor"), ("dora", "manila", "instructor"), ("olivia", "bogota", "coordinator"), ("rosa", "bogota", "registrar"),
        *((f"co{n}", "bogota", "student") for n in range(1, 5)), *((f"fr{n}", "lyon", "student") for n in range(1, 5)),
    )  # fmt: skip
    for person, place, role in roles:
        story.act("olga", f"organisation:{place}", "give_role", email=story.people[person].email, role=role)


def wishes(story: Story) -> None:
    for who, place, hours in (("pilar", "bogota", ("07:00", "12:00")), ("remy", "lyon", ("13:00", "18:00")), ("dora", "manila", ("18:00", "21:00"))):
        story.act(
            who, f"organisation:{place}", "write_wish", title=WATER, topic={"en": "How our cities live with water."}, isced_f="052", languages=[{"language": "en", "level": "B2"}, {"language": "es", "level": "B1"}],
            starts_on=date(2027, 2, 1), ends_on=date(2027, 5, 28), weeks=6, class_size=4, hours=30, zone={"bogota": "America/Bogota", "lyon": "Europe/Paris", "manila": "Asia/Manila"}[place],
            windows=[{"weekday": 1, "starts": hours[0], "ends": hours[1]}], tools=["Padlet"], teacher=story.people[who].pk,
        )  # fmt: skip
        story.things[f"partner_wish:{who}"] = story.things["partner_wish"]
        story.act(who, f"partner_wish:{who}", "publish")
    story.act("pilar", "partner_wish:pilar", "invite", partner=story.things["partner_wish:remy"], message="Shall we?")
    with pytest.raises(Refusal):
        story.door.read(story.people["dora"], "partner_invitation", story.things["partner_invitation"])
    story.act("remy", "partner_invitation", "accept")
    assert "planning" in story.door.read(story.people["olivia"], "exchange", story.things["exchange"]).lower() or "planned" in story.door.read(story.people["olivia"], "exchange", story.things["exchange"]).lower()
    with pytest.raises(Refusal):
        story.door.read(story.people["dora"], "exchange", story.things["exchange"])


def plan(story: Story) -> None:
    story.act(
        "pilar", "exchange", "draft_plan", title=WATER, zone="Europe/Paris", languages=["en", "es"], tools=["Padlet"], hours="30", facilitation="Both of us.", assessment="Ten per cent.", conduct="We listen.",
        phases=[
            {"phase": "icebreaker", "starts_on": week(0), "ends_on": week(0, 6)}, {"phase": "collaboration", "starts_on": week(1), "ends_on": week(2, 6)},
            {"phase": "reflection", "starts_on": week(3), "ends_on": week(3, 6)},
        ],
        tasks=[
            {"title": "Introduce yourself", "phase": "icebreaker", "kind": "individual", "due_on": week(0, 5)}, {"title": "Compare two rivers", "phase": "collaboration", "kind": "team", "due_on": week(2, 4)},
            {"title": "What I learnt", "phase": "reflection", "kind": "individual", "due_on": week(3, 5)},
        ],
        first_counts_as="Seminar", first_credits="1", second_counts_as="", second_credits="", share_tasks=60, share_check_ins=50,
    )  # fmt: skip
    story.act("pilar", "exchange", "present_plan")
    with pytest.raises(Refusal):
        story.act("olivia", "exchange", "sign_plan")
    for teacher in ("pilar", "remy"):
        sign(story, teacher)
    assert Exchange.objects.get().state == "agreed"


def sign(story: Story, teacher: str) -> None:
    """The plan is signed on a page of its own, which has no version of the record but the fingerprint of the text."""
    version = Exchange.objects.get().current_version
    assert version
    page = Client(headers={"accept-language": "en"})
    if hasattr(story.door, "clients"):
        page.force_login(story.people[teacher], backend="allauth.account.auth_backends.AuthenticationBackend")
        address = f"/exchanges/{story.things['exchange']}/sign_plan/"
        assert version.digest in page.get(address).content.decode()
        assert page.post(address, {"digest": version.digest, "delivery_key": f"sign-{teacher}"}).status_code == 302
        return
    story.act(teacher, "exchange", "sign_plan", digest=version.digest)


def classes_and_teams(story: Story) -> None:
    for teacher, country in (("pilar", "co"), ("remy", "fr")):
        lines = [f"{country}{n}@people.example,{country.title()}{n},en:B2 es:B1" for n in range(1, 5)]
        story.act(teacher, "exchange", "import_roster", file=Upload.of("class.csv", "text/csv", ("email,name,languages\n" + "\n".join(lines)).encode()), side="")
        assert Participant.objects.filter(side="second" if country == "fr" else "first").count() == 0
        story.act(teacher, "roster_file", "apply")
    for each in Participant.objects.select_related("person"):
        story.things[f"participant:{each.person.email.partition('@')[0]}"] = each.pk
    with pytest.raises(Refusal):
        story.door.read(story.people["remy"], "participant", story.things["participant:co1"])
    story.act("co1", "participant:co1", "share_name")
    assert "Co1" in story.door.read(story.people["remy"], "participant", story.things["participant:co1"])
    story.act("remy", "exchange", "form_teams", size=4, seed="rivers")
    assert {len({each.side for each in team.members.all()}) for team in Exchange.objects.get().teams.all()} == {2}


def running(story: Story) -> None:
    exchange = Exchange.objects.get()
    with at(MONDAY):
        story.act("remy", "exchange", "start")
        drain()
    assert Message.objects.filter(kind="exchange_started").count() == 8
    for task in exchange.tasks.all():
        story.things[f"exchange_task:{task.key}"] = task.pk
    check_ins(story, week(0, 2))
    with at(week(0, 4)):
        for name in ("co1", "fr1"):
            story.act(name, "exchange_task:T1", "hand_in", text="Hello.")
    with at(week(2, 1)):
        watch(story)
        story.act("pilar", "participant:co4", "note_contact", how="Called; she has a new job and leaves.")
        story.act("co4", "participant:co4", "leave", because="A new job.")
        story.act("pilar", "exchange", "rebalance", size=4)
        drain()
        for team in exchange.teams.all():
            member = team.members.filter(state="active").exclude(person=story.people["fr4"]).select_related("person").first()
            assert member
            story.act(member.person.email.partition("@")[0], "exchange_task:T2", "hand_in", link="https://board.example/rivers")
    check_ins(story, week(2, 2))
    assert CheckIn.objects.count() == 12
    with at(week(3, 3)):
        for name in ("co1", "co2", "fr1", "fr2"):
            story.act(name, "exchange_task:T3", "hand_in", text="I learnt to listen.")


def check_ins(story: Story, day: date) -> None:
    with at(day):
        for name in ("co1", "co2", "co3", "fr1", "fr2", "fr3"):
            story.act(name, f"participant:{name}", "check_in", team_works="4", keeps_up="4")


def watch(story: Story) -> None:
    """Who went silent is at the top for the two teachers; nobody else finds the page."""
    def page(who: str) -> Any:
        client = Client(headers={"accept-language": "en"})
        client.force_login(story.people[who], backend="allauth.account.auth_backends.AuthenticationBackend")
        return client.get(f"/exchanges/{story.things['exchange']}/watch/?level=act")

    shown = page("remy").content.decode()
    assert "CO-04" in shown
    assert "Co4" not in shown
    assert "Co4" in page("pilar").content.decode()
    assert [page(who).status_code for who in ("olivia", "co1", "dora", "olga")] == [404, 404, 404, 404]


def certificates(story: Story) -> None:
    with at(week(4)):
        story.act("pilar", "exchange", "finish")
        assert dict(Participant.objects.values_list("person__name", "state")) == {
            "Co1": "completed", "Co2": "completed", "Co3": "incomplete", "Co4": "left", "Fr1": "completed", "Fr2": "completed", "Fr3": "incomplete", "Fr4": "incomplete",
        }  # fmt: skip
        for teacher in ("pilar", "remy"):
            story.act(teacher, "exchange", "certify")
        drain()
        story.act("rosa", "participant:co1", "recognise", home_credits="1", home_code="ENV-1", because="As the plan says.")
    issued = Credential.objects.filter(state="issued").exclude(token="")
    assert sorted(issued.values_list("person__name", flat=True)) == ["Co1", "Co2", "Fr1", "Fr2", "Pilar", "Remy"]
    assert {each.person.name: each.award["credits"] for each in issued if each.award["kind"] == "Badge"} == {"Co1": "1", "Co2": "1", "Fr1": "", "Fr2": ""}
    badge = issued.get(person__name="Co1")
    verified = Client(headers={"accept-language": "en"}).post("/verify/", {"text": badge.token})
    assert (verified.status_code, "Cities and water" in verified.content.decode()) == (200, True)
