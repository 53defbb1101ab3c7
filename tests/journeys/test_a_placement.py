"""Category 3 from the vetting of a host to the certificate and the credit: one story, walked through the pages, by REST and by command.

Ana studies in Lima; Bia and Tito work at her university, Nora at the network that vets hosts. Elena has the office of a company
in Montevideo, Mario is its mentor; their director signs by a mailed link, without an account. Dora is a stranger.
"""

import re
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from jwcrypto import jwk, jws

from tests.journeys.conftest import IN_CHROMIUM
from tests.journeys.doors import Door, Refusal, Story, left_behind, on
from vsm.exchange.credentials.models import Credential, IssuerKey
from vsm.exchange.people.actions import accept_by_link
from vsm.exchange.placements.models import Concern, Host, HoursEntry, Interview, Placement, PlacementAgreement
from vsm.kit import clock
from vsm.kit.jobs import drain
from vsm.kit.models import Message
from vsm.rulebook.placements import criteria, instrument

START = datetime(2027, 1, 11, 15, 0, tzinfo=UTC)  # a Monday
FIRST, LAST = date(2027, 3, 1), date(2027, 4, 30)
TITLE = {"es": "Datos de encuestas", "en": "Survey data"}


def at(days: float) -> AbstractContextManager[None]:
    return clock.stopped_at(START + timedelta(days=days))


def mail(to: str, subject: str) -> Message:
    """The newest letter to this address whose subject begins so, after the worker has done its work."""
    drain()
    found: Message | None = Message.objects.filter(to=to, subject__startswith=subject).order_by("-created_at").first()
    assert found, f"{subject}: {list(Message.objects.filter(to=to).values_list('subject', flat=True))}"
    return found


@pytest.fixture
def story(door: Door) -> Story:
    return Story.of(
        door, ana="America/Lima", bia="America/Lima", tito="America/Lima", nora="America/Montevideo", dora="Asia/Manila", olga="America/Lima",
    )  # fmt: skip


@pytest.mark.parametrize("door", ["pages", "api", "command", IN_CHROMIUM], indirect=True)
def test_a_placement_from_vetting_to_certificate(story: Story) -> None:
    with at(0):
        institutions(story)
        vetting(story)
    with at(3):
        vacancy(story)
    with at(5):
        application(story)
    interview(story)
    offer(story)
    agreement(story)
    start(story)
    work(story)
    concern(story)
    evaluations(story)
    certificate_and_credit(story)
    assert left_behind() == ([], [])


def institutions(story: Story) -> None:
    for name, kind, country, zone in (("home", "university", "PE", "America/Lima"), ("network", "network", "UY", "America/Montevideo")):
        story.things[f"organisation:{name}"] = story.act(
            "olga", "hub", "add_organisation", name={"es": name, "en": name}, schac=f"{name}.example", country=country, zone=zone, kind=kind,
            credit_system="peru", grade_scale="pe", languages=["es"],
        )  # fmt: skip
    for person, place, role in (("bia", "home", "coordinator"), ("tito", "home", "instructor"), ("nora", "network", "coordinator")):
        story.act("olga", f"organisation:{place}", "give_role", email=f"{person}@people.example", role=role)
    story.act(
        "bia", "organisation:home", "register_student", email="ana@people.example", name="Ana", student_number="1", programme="Statistics",
        credits_earned="100", credits_total="200", languages=[{"language": "es", "level": "native"}],
    )  # fmt: skip
    story.act("bia", "organisation:home", "name_officer", person=story.people["tito"].pk)


def vetting(story: Story) -> None:
    story.act(
        "nora", "organisation:network", "invite_host", name="Datos del Sur", country="UY", zone="America/Montevideo", contact_name="Elena",
        contact_email="elena@sur.example", purpose="Surveys for public health; students clean and chart data.", website="https://sur.example", language="en",
    )  # fmt: skip
    with pytest.raises(Refusal, match="no evidence yet"):
        story.act("nora", "host", "vet")
    for each in criteria():
        story.act("nora", "host", "check", criterion=each.slug, outcome="met", evidence="Seen.", expires_on=date(2028, 1, 31) if each.expires else None)
    story.act("nora", "host", "vet")
    secret = mail("elena@sur.example", "Datos del Sur invites").body.split("/invitation/")[1].split("/")[0]
    story.people["elena"] = accept_by_link(secret, now=clock.now(), name="Elena", password="a sentence that I remember", language="en", zone="America/Montevideo")
    story.things["organisation:sur"] = Host.objects.get().organisation_id


def vacancy(story: Story) -> None:
    story.act(
        "elena", "host", "add_vacancy", title=TITLE, tasks={"es": "Limpiar encuestas."}, learning_outcomes={"es": "Limpia datos."}, hours_per_week="20", starts_on=FIRST,
        ends_on=LAST, places=1, apply_by=START + timedelta(days=20), language="es", cefr="B1", isced_f="0542", supervisor_name="Mario", supervisor_email="mario@sur.example",
        code="DATA-1", core_from=time(10), core_to=time(14), pay_period="month", pay="12000", currency="UYU", equipment="A browser.",
    )  # fmt: skip
    story.act("elena", "vacancy", "publish")
    page = Client().get("/vacancies/").content.decode()
    assert "Survey data" in page
    assert "12,000 UYU a month" in page
    found = Client().get("/api/v1/offerings?category=placement").json()["items"]
    assert [item["title"].partition(" · ")[0] for item in found] == ["Survey data"]
    moved = Client().get(f"/catalogue/{found[0]['id']}/")
    assert (moved.status_code, moved.headers["Location"]) == (302, f"/vacancies/{story.things['vacancy']}/")


def application(story: Story) -> None:
    story.act("ana", "vacancy", "apply")
    with pytest.raises(Refusal, match="Say why you want"):
        story.act("ana", "placement_application", "submit")
    story.act("ana", "placement_application", "edit", motivation="I like surveys.", needs="Captions")
    story.act("ana", "placement_application", "submit")
    with pytest.raises(Refusal):
        story.door.read(story.people["dora"], "placement_application", story.things["placement_application"])


def interview(story: Story) -> None:
    with at(7):
        story.act("elena", "placement_application", "shortlist")
        rows = [{"day": date(2027, 1, 25), "starts": time(10), "with_whom": "Mario"}, {"day": date(2027, 1, 25), "starts": time(16), "with_whom": "Mario"}]
        story.act("elena", "vacancy", "offer_interviews", slots=rows)
        chosen = Interview.objects.get(starts_at=datetime(2027, 1, 25, 13, tzinfo=UTC))
        story.act("ana", "placement_application", "book", slot=chosen.pk)
        story.things["interview"] = chosen.pk
    with at(15):
        story.act("elena", "interview", "record", held=True, outcome="Careful and clear.")


def offer(story: Story) -> None:
    with at(16):
        story.act("elena", "vacancy", "rank", ranking=[story.things["placement_application"]])
        with pytest.raises(Refusal, match="Nobody wins by being first"):
            story.act("elena", "vacancy", "make_offers")
    with at(21):
        story.act("elena", "vacancy", "make_offers")
        story.act("ana", "placement_application", "accept")
    story.things["placement"] = Placement.objects.get().pk
    story.things["placement_agreement"] = PlacementAgreement.objects.get().pk


def agreement(story: Story) -> None:
    with at(23):
        with pytest.raises(Refusal, match="nothing is agreed yet"):
            story.act("bia", "placement_agreement", "present")
        story.act(
            "bia", "placement_agreement", "draft_version", tasks="Limpiar encuestas.", outcomes="Limpia datos.", hours_per_week="20", starts_on=FIRST, ends_on=LAST,
            mentor_name="Mario", mentor_email="mario@sur.example", tutor=story.people["tito"].pk, insurance="Home insures.", data_and_ip="The host’s.",
            confidentiality="Data stay.", complaints="To Tito.", equipment="A browser.", core_hours="10:00–14:00", language="es", pay_period="month", pay="12000", currency="UYU",
        )  # fmt: skip
        story.act("bia", "placement_agreement", "present")
        story.act("ana", "placement_agreement", "sign")
        story.act("bia", "placement_agreement", "sign")
        story.act("bia", "placement_agreement", "send_link", name="Director", email="direccion@sur.example", language="en")
    with at(24):
        sign_by_link(mail("direccion@sur.example", "Please sign").body.split("/host/sign/")[1].split("/")[0])
    assert PlacementAgreement.objects.get().state == "signed"
    with at(24):
        secret = mail("mario@sur.example", "Datos del Sur invites").body.split("/invitation/")[1].split("/")[0]
        story.people["mario"] = accept_by_link(secret, now=clock.now(), name="Mario", password="another sentence of mine", language="en", zone="America/Montevideo")


def sign_by_link(secret: str) -> None:
    """The director: a browser, no account."""
    browser, address = Client(), f"/host/sign/{secret}/"
    browser.post(address)
    digits = mail("direccion@sur.example", "Your code").subject.rpartition(" ")[2]
    fingerprint = re.search(r'name="digest" value="([0-9a-f]{64})"', browser.get(address).content.decode())
    assert fingerprint
    answer = browser.post(address, {"sign": "1", "digest": fingerprint[1], "name": "Director", "function": "Director general", "code": digits})
    assert answer.status_code == 302, answer.content.decode()


def start(story: Story) -> None:
    with on(FIRST), pytest.raises(Refusal, match="No insurance is recorded"):
        story.act("mario", "placement", "start")
    with at(30):
        story.act("bia", "placement", "record_insurance", insurer="Seguros", policy="P-1", insured_from=FIRST, insured_until=LAST)
    with on(FIRST):
        story.act("mario", "placement", "start")
        drain()


def work(story: Story) -> None:
    week = [FIRST + timedelta(days=number) for number in range(4)]
    with on(week[-1], 20):
        with pytest.raises(Refusal, match="more than the 6"):
            story.act("ana", "placement", "log_hours", rows=[{"day": week[0], "hours": "7", "what": "Read"}])
        for _again in range(2):  # sent twice, as a phone without connection does
            story.act("ana", "placement", "log_hours", rows=[{"day": day, "hours": "5", "what": "Cleaned a survey"} for day in week])
    assert HoursEntry.objects.count() == 4
    with on(week[-1], 22):
        entries = list(HoursEntry.objects.order_by("day"))
        story.act("mario", "placement", "return_hours", entries=[entries[0].pk], because="It was 4.")
        story.door.act(story.people["ana"], "hours_entry", entries[0].pk, "correct", hours="4", what="Cleaned a survey", because="Right.")
        story.act("mario", "placement", "confirm_hours", entries=[entry.pk for entry in entries])
    assert set(HoursEntry.objects.values_list("state", flat=True)) == {"confirmed"}


def concern(story: Story) -> None:
    with on(FIRST + timedelta(days=20)):
        story.act("ana", "placement", "raise_concern", kind="hours", text="They write at night.")
        for name in ("mario", "elena", "bia", "dora", "olga"):
            with pytest.raises(Refusal):
                story.door.read(story.people[name], "concern", story.things["concern"])
        story.act("tito", "concern", "acknowledge", text="I talk with them today.")
        story.act("tito", "concern", "close", outcome="They stopped.")
    assert "They stopped." in story.door.read(story.people["ana"], "concern", story.things["concern"])
    assert Concern.objects.get().state == "closed"


def evaluations(story: Story) -> None:
    for occasion, day in (("mid", FIRST + timedelta(days=30)), ("final", LAST)):
        for name, side in (("ana", "student"), ("mario", "host")):
            with on(day):
                answers = [{"criterion": each.slug, "score": "4", "comment": ""} for each in instrument(day).asked_of(side)]
                made = story.act(name, "placement", "evaluate", occasion=occasion, answers=answers, comment=f"{name} about it")
                if name == "ana":
                    with pytest.raises(Refusal):  # sealed until the other side's is in
                        story.door.read(story.people["mario"], "placement_evaluation", made)
        assert "ana about it" in story.door.read(story.people["mario"], "placement_evaluation", evaluation_of(occasion))


def evaluation_of(occasion: str) -> UUID:
    found: Any = Placement.objects.get().evaluations.get(occasion=occasion, side="student")
    return found.pk  # type: ignore[no-any-return]


def certificate_and_credit(story: Story) -> None:
    with on(LAST + timedelta(days=1)):
        story.act("mario", "placement", "complete")
        story.act("bia", "placement", "decide_credits", decision="recognised", because="Fits the degree.", credits="1", home_code="PRA-1")
        story.act("mario", "placement", "certify")
        drain()
    credential = Credential.objects.get()
    assert (credential.state, str(credential.organisation)) == ("issued", "Datos del Sur")
    key = IssuerKey.objects.get(organisation=credential.organisation)
    token = jws.JWS()
    token.deserialize(credential.token, jwk.JWK(**key.public_jwk))
    signed = token.payload.decode()
    assert all(words in signed for words in ("Survey data", "2027-03-01", "2027-04-30"))
    with on(LAST + timedelta(days=2)):
        answer = Client().post("/verify/", {"text": credential.token})
    assert "Genuine" in answer.content.decode()
    assert "PRA-1" in story.door.read(story.people["ana"], "placement_credit", story.things["placement_credit"])
