"""Category 6 from the declaration to the return: one story, walked through the pages and by REST.

Ana and Beto of Lima study in Santiago in person; Bia works at their university, Carlos at the host, Olga runs the
installation, Dora is a stranger. An earthquake is declared; both are found, asked how they are, proposed to; Ana agrees,
Beto defers. After forty days it is lifted, Ana comes back, and her credits are what they were.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from tests.journeys.conftest import IN_CHROMIUM
from tests.journeys.doors import Door, Refusal, left_behind
from tests.journeys.doors import Story as Told
from vsm.exchange.agreements.models import Agreement
from vsm.exchange.catalogue.models import Meeting, Offering, Opportunity
from vsm.exchange.emergencies.links import token_of
from vsm.exchange.emergencies.models import Case, Emergency, Switch
from vsm.exchange.emergencies.queries import exposure
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.learning_agreements.online import promises
from vsm.exchange.people.models import Membership, StudentRecord
from vsm.exchange.sessions.models import Enrolment, Session
from vsm.kit import clock
from vsm.kit.jobs import drain
from vsm.kit.models import Message

START = datetime(2027, 3, 15, 15, 0, tzinfo=UTC)
FIRST, LAST = date(2027, 3, 1), date(2027, 7, 16)


@dataclass
class Story(Told):
    organisations: dict[str, Organisation] = field(default_factory=dict)

    def does(self, who: str, noun: str, what: str, verb: str, **inputs: Any) -> UUID:
        """`who` does `verb` to the thing called `what`; the thing made or changed is given back."""
        _noun, made = self.door.act(self.people[who], noun, self.things[what], verb, **inputs)
        return made


def at(days: float) -> AbstractContextManager[None]:
    return clock.stopped_at(START + timedelta(days=days))


@pytest.fixture
def story(door: Door) -> Story:
    told = Story.of(door, ana="America/Lima", beto="America/Lima", bia="America/Lima", carlos="America/Santiago", dora="Asia/Manila", olga="America/Lima")
    for key, country, zone, city, system in (("home", "PE", "America/Lima", "Lima", "peru"), ("host", "CL", "America/Santiago", "Santiago", "sct-chile"), ("other", "PH", "Asia/Manila", "Manila", "ects")):
        made = Organisation(schac=f"{key}.example", name={"en": key.title()}, country=country, zone=zone, city=city, credit_system=system, languages=["es"])
        made.save()
        told.organisations[key], told.things[key] = made, made.pk
    for name, key, role in (("ana", "home", "student"), ("beto", "home", "student"), ("bia", "home", "coordinator"), ("carlos", "host", "coordinator"), ("dora", "other", "coordinator")):
        Membership(person=told.people[name], organisation=told.organisations[key], role=role, starts_on=date(2026, 1, 1)).save()
    for number, name in enumerate(("ana", "beto")):
        StudentRecord(person=told.people[name], home=told.organisations["home"], student_number=f"S{number}", programme="Economics", level="bachelor").save()
    _catalogue(told)
    return told


def _catalogue(told: Story) -> None:
    home, host = told.organisations["home"], told.organisations["host"]
    Agreement(code="A", first=home, second=host, state="signed", starts_on=date(2026, 1, 1), ends_on=date(2029, 1, 1), levels=["bachelor"]).save()
    course = Opportunity(organisation=host, code="EST101", title={"es": "Estadística", "en": "Statistics"}, credits=Decimal(6), credit_system="sct-chile", language="es", isced_f="0542", state="published")
    course.save()
    run = Offering(opportunity=course, code="2027-1", starts_on=date(2027, 3, 8), ends_on=date(2027, 7, 9), zone=host.zone, seats=30, mode="mixed", state="published")
    run.save()
    Meeting.objects.create(offering=run, weekday=2, starts=time(10), ends=time(11, 30))
    told.things["run"] = run.pk


@pytest.mark.parametrize("door", ["pages", "api", IN_CHROMIUM], indirect=True)
def test_an_emergency_from_the_declaration_to_the_return(story: Story) -> None:
    course = {"code": "EST101", "title": "Estadística", "credits": "6", "credit_system": "sct-chile", "language": "es", "home_code": "ECO-3", "home_title": "Econometrics", "home_credits": "4"}

    # Before: two students are recorded where they are, and their agreements are signed by three.
    with at(-20):
        for name in ("ana", "beto"):
            story.things[f"stay {name}"] = story.does("bia", "organisation", "home", "record_mobility", student=f"{name}@people.example", host=story.things["host"], starts_on=FIRST, ends_on=LAST, courses=[course])
            agreement = LearningAgreement.objects.get(mobility_id=story.things[f"stay {name}"])
            story.things[f"agreement {name}"] = agreement.pk
            story.does("bia", "learning_agreement", f"agreement {name}", "present")
            for signer in (name, "bia", "carlos"):
                _sign(story, signer, f"agreement {name}")
        drain()

    # 1. Olga prepares the declaration; the draft tells whom it would find, and a wrong place is told clearly.
    facts = {"title": {"en": "Earthquake"}, "kind": "disaster", "directions": ["being"], "starts_on": START.date(), "safety": {"en": "Call 133."}, "evidence": ["https://example.org/decree"]}
    with at(0):
        with pytest.raises(Refusal) as refusal:
            story.does("olga", "hub", "hub", "declare_emergency", places=[{"country": "CL", "region": "Atlantis"}], **facts)
        assert refusal.value.status == 422
        story.things["emergency"] = story.does("olga", "hub", "hub", "declare_emergency", places=[{"country": "CL", "region": "Santiago"}], **facts)
        assert not Case.objects.exists()
        story.does("olga", "emergency", "emergency", "declare")
        drain()
        for name in ("ana", "beto"):
            story.things[f"case {name}"] = Case.objects.get(student=story.people[name]).pk
        assert Message.objects.filter(kind="emergency_found").count() == 2
        with pytest.raises(Refusal) as refusal:
            story.door.read(story.people["dora"], "emergency_case", story.things["case ana"])
        assert refusal.value.status == 404

    # 2. Are they safe? Ana by link without signing in, Beto on his page.
    with at(0.1):
        assert Client().post(f"/safe/{token_of(story.things['case ana'])}/", {"answer": "safe"}).status_code == 200
        story.does("beto", "emergency_case", "case beto", "check_in", answer="help", message="The dormitory is closed.")
        drain()
        assert set(Message.objects.filter(kind="emergency_help").values_list("to", flat=True)) == {"bia@people.example", "carlos@people.example"}

    # 3. Home proposes to all; nothing changes without an answer.
    with at(1):
        story.does("bia", "emergency", "emergency", "propose")
        drain()
        assert not Switch.objects.exists()
        assert "proposed" in story.door.read(story.people["ana"], "emergency_case", story.things["case ana"]).lower() or "Answer awaited" in story.door.read(story.people["ana"], "emergency_case", story.things["case ana"])

    # 4. Ana agrees to the text as she read it, Beto defers; it is carried out, and the host signs for all at once.
    with at(2):
        story.does("ana", "emergency_case", "case ana", "accept")
        story.does("beto", "emergency_case", "case beto", "defer", because="Next term.")
        with pytest.raises(Refusal):
            story.does("bia", "emergency_case", "case beto", "accept")
        story.does("olga", "emergency", "emergency", "carry_out")
        drain()
        assert list(Enrolment.objects.values_list("student__name", "offering", "state")) == [("Ana", story.things["run"], "enrolled")]
        assert Session.objects.filter(offering=story.things["run"]).count() > 10
        story.does("carlos", "emergency", "emergency", "countersign")
        drain()
        ana = LearningAgreement.objects.get(pk=story.things["agreement ana"])
        assert (ana.state, ana.signed_version, LearningAgreement.objects.get(pk=story.things["agreement beto"]).signed_version) == ("signed", 2, 1)

    # 5. After forty days it is lifted and classes come back; nothing was overwritten, and credits are identical throughout.
    with at(40):
        story.does("olga", "emergency", "emergency", "lift", on=(START + timedelta(days=40)).date(), return_on=(START + timedelta(days=42)).date())
        drain()
        story.does("olga", "emergency", "emergency", "bring_back")
        drain()
        for signer in ("ana", "bia", "carlos"):
            _sign(story, signer, "agreement ana")
        drain()
    ana = LearningAgreement.objects.get(pk=story.things["agreement ana"])
    texts = [ana.version_numbered(number).text for number in (1, 2, 3)]  # type: ignore[union-attr]
    assert (ana.state, ana.signed_version, [text.components[0].is_virtual for text in texts]) == ("signed", 3, [False, True, False])
    assert promises(texts[0]) == promises(texts[1]) == promises(texts[2])
    assert texts[2].components == texts[0].components
    states = dict(Case.objects.values_list("student__name", "state"))
    assert states == {"Ana": "returned", "Beto": "deferred"}
    days = exposure([Emergency.objects.get()], (START + timedelta(days=60)).date())
    assert (days[0].concerned, max(each.online for each in days), sum(each.online for each in days)) == (2, 1, 40)
    assert left_behind() == ([], [])


def _sign(story: Story, who: str, agreement: str) -> None:
    record = LearningAgreement.objects.get(pk=story.things[agreement])
    version = record.current_version
    assert version is not None
    story.does(who, "learning_agreement", agreement, "sign", digest=version.digest)
