"""Category 5 from an offered preparation to a certificate and a fulfilled condition: one story, by pages and by REST.

Ana (Lima) will travel to Porto. Bia works at her university, Carlos at the host; Pia studies there and accompanies; Dora is a stranger.
"""

import json
from datetime import date, time
from typing import Any

import pytest
from django.test import Client

from tests.journeys.conftest import IN_CHROMIUM
from tests.journeys.doors import Door, Refusal, Story, left_behind, on
from vsm.exchange.credentials.models import Credential
from vsm.exchange.people.queries import actor_of
from vsm.exchange.preparations.facts import meetings_of
from vsm.exchange.preparations.models import Pairing, Participation, Preparation, PreparationRequirement, SelfAssessment
from vsm.exchange.sessions.models import Participant
from vsm.kit import clock
from vsm.kit.actions import TABLE
from vsm.kit.jobs import drain
from vsm.kit.models import Message
from vsm.kit.signing import read_jwt
from vsm.standards.open_badges.read import read
from vsm.web.student.preparations import steps

TITLE = {"es": "Rumbo a Porto", "pt-br": "Rumo ao Porto", "en": "Bound for Porto", "fr": "Cap sur Porto"}
ASSESS_LANGUAGE, FINISH_MODULE = TABLE["participation", "assess_language"], TABLE["participation", "finish_module"]
TEXT = {"en": "Look before you travel.", "es": "Busca antes de viajar."}


@pytest.fixture
def story(door: Door) -> Story:
    return Story.of(
        door, ana="America/Lima", bia="America/Lima", carlos="Europe/Lisbon", pia="Europe/Lisbon", dora="Asia/Manila", olga="America/Lima",
    )  # fmt: skip


@pytest.mark.parametrize("door", ["pages", "api", IN_CHROMIUM], indirect=True)
def test_a_preparation_from_offer_to_fulfilled_condition(story: Story) -> None:
    with on(date(2027, 1, 11)):
        institutions(story)
        mobility(story)
        preparation(story)
        condition(story)
        joining(story)
    companion(story)
    doing(story)
    completing(story)
    waiving(story)
    assert left_behind() == ([], [])


def institutions(story: Story) -> None:
    for name, country, zone in (("home", "PE", "America/Lima"), ("host", "PT", "Europe/Lisbon"), ("else", "PH", "Asia/Manila")):
        story.things[f"organisation:{name}"] = story.act(
            "olga", "hub", "add_organisation", name={"en": f"{name} university"}, schac=f"{name}.example", country=country, zone=zone, credit_system="ects", grade_scale="ects", languages=["en"],
        )  # fmt: skip
    for person, place in (("bia", "home"), ("carlos", "host"), ("dora", "else")):
        story.act("olga", f"organisation:{place}", "give_role", email=story.people[person].email, role="coordinator")
    story.act("olga", "organisation:host", "give_role", email=story.people["pia"].email, role="student")
    story.act(
        "bia", "organisation:home", "register_student", email=story.people["ana"].email, name="Ana", student_number="20250", programme="Law", level="bachelor", isced_f="0421",
        credits_earned="100", credits_total="200", languages=[{"language": "es", "level": "native"}, {"language": "pt", "level": "B1"}],
    )  # fmt: skip


def mobility(story: Story) -> None:
    story.act(
        "bia", "organisation:home", "record_mobility", student="20250", host=story.things["organisation:host"], starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 31), city="Porto"
    )


def preparation(story: Story) -> None:
    story.act(
        "bia", "organisation:home", "offer_preparation", code="PORTO", title=TITLE, host=story.things["organisation:host"], language="pt-br", starts_on=date(2027, 1, 12),
        ends_on=date(2027, 6, 30), instruments=["language", "confidence"], meetings_needed=1, hours="20",
    )  # fmt: skip
    with pytest.raises(Refusal, match="nothing to do"):
        story.act("bia", "preparation", "open")
    with pytest.raises(Refusal):
        story.door.read(story.people["ana"], "preparation", story.things["preparation"])
    with pytest.raises(Refusal, match="kilobytes"):
        story.act("bia", "preparation", "add_module", kind="link", title=TITLE, minutes=60, url="https://example.org/portuguese")
    story.act("bia", "preparation", "add_module", kind="link", title=TITLE, minutes=60, url="https://example.org/portuguese", kilobytes=800, required=False)
    story.act("bia", "preparation", "add_module", kind="page", title=TITLE, minutes=20, body=TEXT)
    story.act("bia", "preparation", "plan_meetings", meetings=[{"day": date(2027, 2, 3), "starts": time(18), "minutes": 60, "label": "Peers"}], join_url="https://meet.example/porto", dial_in="+351 220 000 000")
    story.act("bia", "preparation", "open")
    assert "Porto" in story.door.read(story.people["ana"], "preparation", story.things["preparation"])


def condition(story: Story) -> None:
    with pytest.raises(Refusal, match="start of the mobility"):
        story.act("bia", "mobility", "require_preparation", preparation=story.things["preparation"], kind="condition", due_on=date(2027, 9, 2), because="Housing.")
    story.act("bia", "mobility", "require_preparation", preparation=story.things["preparation"], kind="condition", due_on=date(2027, 8, 15), because="Who arrives unprepared loses weeks.")
    drain()
    assert Message.objects.filter(kind="preparation_required", person_id=story.people["ana"].pk).count() == 1
    with pytest.raises(Refusal):
        story.door.read(story.people["dora"], "preparation_requirement", story.things["preparation_requirement"])


def joining(story: Story) -> None:
    story.act("ana", "preparation", "join", mobility=story.things["mobility"], wants_companion=True)
    assert Participant.objects.filter(person=story.people["ana"], left_at=None).count() == 1
    assert [made["deadline"] for _part, made in steps(actor_of(story.people["ana"], clock.now()), clock.now())] == [date(2027, 8, 15)]
    with pytest.raises(Refusal):
        story.act("dora", "preparation", "join", mobility=story.things["mobility"])


def companion(story: Story) -> None:
    with on(date(2027, 1, 14)):
        with pytest.raises(Refusal, match="consent"):
            story.act("pia", "organisation:host", "accompany", kind="peer", languages=["pt-br"], consents=False)
        story.act("pia", "organisation:host", "accompany", kind="peer", languages=["pt-br", "es"], consents=True, isced_f="0421", about="I know the quarter.")
        story.act("bia", "preparation", "pair")
        assert not Pairing.objects.exists(), "the host has not accepted the offer yet"
        story.act("carlos", "companion", "accept")
        story.act("bia", "preparation", "pair")
        story.things["pairing"] = Pairing.objects.get().pk
        drain()
        assert story.people["pia"].email not in story.door.read(story.people["ana"], "pairing", story.things["pairing"])
        story.act("ana", "pairing", "agree")
        assert story.people["pia"].email not in story.door.read(story.people["ana"], "pairing", story.things["pairing"])
        story.act("pia", "pairing", "agree")
        assert story.people["pia"].email in story.door.read(story.people["ana"], "pairing", story.things["pairing"])
        assert story.people["ana"].email in story.door.read(story.people["pia"], "pairing", story.things["pairing"])


def assess(story: Story, verb: str, answer: Any) -> None:
    rows = [{**row.model_dump(), "answer": answer(row.item)} for row in story.start("ana", "participation", verb, "answers")]
    story.act("ana", "participation", verb, answers=rows)


def doing(story: Story) -> None:
    story.things["participation"] = Participation.objects.get().pk
    with on(date(2027, 1, 15)):
        with pytest.raises(Refusal, match="has no answer"):
            assess(story, "assess_confidence", lambda item: "" if item.endswith("c3") else "2")
        assess(story, "assess_confidence", lambda _item: "2")
        assert ASSESS_LANGUAGE.tone_on(Participation.objects.get()) == "primary"
        assess(story, "assess_language", lambda item: "yes" if item.endswith("A1") else "no")
        assert ASSESS_LANGUAGE.tone_on(Participation.objects.get()) == "secondary"
        with pytest.raises(Refusal, match="at least 7 days"):
            assess(story, "assess_language", lambda _item: "yes")
    with on(date(2027, 2, 10)):
        session = meetings_of(Preparation.objects.get()).get()
        story.things["session"] = session.pk
        marks = [{**row.model_dump(), "status": "present"} for row in story.start("bia", "session", "take_attendance", "marks")]
        story.act("bia", "session", "take_attendance", marks=marks)
        with pytest.raises(Refusal, match="Module to do"):
            story.act("ana", "participation", "complete")
        for module in Preparation.objects.get().modules.all():
            assert FINISH_MODULE.possible(Participation.objects.get())
            story.act("ana", "participation", "finish_module", module=module.pk)
        assert not FINISH_MODULE.possible(Participation.objects.get())
        assess(story, "assess_language", lambda item: "yes" if item.endswith(("A1", "A2", "B1")) else "partly")
        assess(story, "assess_confidence", lambda _item: "4")
    assert sorted(SelfAssessment.objects.values_list("instrument", "moment")) == [("confidence", "after"), ("confidence", "before"), ("language", "after"), ("language", "before")]
    with on(date(2027, 2, 10)), pytest.raises(Refusal):
        story.door.read(story.people["bia"], "self_assessment", SelfAssessment.objects.all()[0].pk)
    with on(date(2027, 2, 10)), pytest.raises(Refusal):
        story.door.read(story.people["olga"], "self_assessment", SelfAssessment.objects.all()[0].pk)


def completing(story: Story) -> None:
    with on(date(2027, 2, 11)):
        story.act("ana", "participation", "complete")
        drain()
        requirement = PreparationRequirement.objects.get()
        assert requirement.state == "fulfilled"
        credential = Credential.objects.get(source_noun="participation")
        told = read(read_jwt(credential.token)[1])
        assert (credential.state, told.achievement.type, told.achievement.name) == ("issued", "CertificateOfCompletion", "Bound for Porto")
        verdict = Client().post("/verify.json", data=credential.token, content_type="text/plain")
        assert json.loads(verdict.content)["standing"] == "valid"
        group = Client()
        group.force_login(story.people["bia"], backend="allauth.account.auth_backends.AuthenticationBackend")
        page = group.get(f"/preparations/{story.things['preparation']}/").content.decode()
        assert "fewer than 8 people" in page, "one person's change must not be shown as a group's"


def waiving(story: Story) -> None:
    """What is asked of another stay is waived only with a reason."""
    with on(date(2027, 3, 1)):
        story.act("bia", "organisation:home", "record_mobility", student="20250", host=story.things["organisation:host"], starts_on=date(2028, 3, 1), ends_on=date(2028, 7, 31), city="Porto")
        story.act("bia", "mobility", "require_preparation", preparation=story.things["preparation"], kind="advice", due_on=date(2028, 2, 1), because="It helps.")
        with pytest.raises(Refusal):
            story.act("bia", "preparation_requirement", "waive", answer=" ")
        story.act("bia", "preparation_requirement", "waive", answer="She has been there before.")
        assert "She has been there before." in story.door.read(story.people["ana"], "preparation_requirement", story.things["preparation_requirement"])
        page = Client()
        page.force_login(story.people["ana"], backend="allauth.account.auth_backends.AuthenticationBackend")
        assert "It helps." in page.get(f"/mobilities/{story.things['mobility']}/").content.decode()
