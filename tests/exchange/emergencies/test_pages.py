"""The pages of an emergency: for the operator, the office, the student, and for whoever has only a link."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from tests.exchange.emergencies.given import NOW, World, cases, fresh, work
from vsm.exchange.emergencies import actions
from vsm.exchange.emergencies.finding import overlapping
from vsm.exchange.emergencies.links import token_of
from vsm.exchange.emergencies.models import Case, CheckIn, Emergency
from vsm.exchange.emergencies.queries import counts_of
from vsm.exchange.mobilities.queries import agreement_of
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import actor_of
from vsm.kit import clock
from vsm.kit.actions import available

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
LIGHT = 5 * 1024


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client


def text_of(client: Client, path: str, status: int = 200) -> str:
    with clock.stopped_at(NOW + timedelta(hours=1)):
        answer = client.get(path)
    assert answer.status_code == status, path
    return answer.content.decode()


def test_a_draft_shows_whom_it_would_find_and_where_it_overlaps(world: World) -> None:
    world.mobility()
    world.declared()
    page = text_of(signed_in(world.olga), f"/emergencies/{world.drafted(title={'en': 'Flood'}).pk}/")
    assert "Courses: 2 · students: 1" in page
    assert "Other restrictions meet this one" in page


def test_the_office_sees_numbers_plans_and_exposure_with_a_table(world: World) -> None:
    world.signed(world.mobility())
    emergency = world.switched()
    page = text_of(signed_in(world.stays.bia), f"/emergencies/{emergency.pk}/")
    assert "How people are" in page
    assert "Exposure by day" in page
    days = json.loads(text_of(signed_in(world.stays.bia), f"/emergencies/{emergency.pk}/exposure.json"))["days"]
    assert days == [{"day": "2026-09-07", "concerned": 1, "online": 0}]
    assert text_of(signed_in(world.olga), f"/emergencies/{emergency.pk}/exposure.csv").splitlines() == ["day,concerned,online", "2026-09-07,1,0"]
    for stranger in (Client(), signed_in(world.stays.ana)):
        assert "Exposure by day" not in text_of(stranger, f"/emergencies/{emergency.pk}/")
        assert text_of(stranger, f"/emergencies/{emergency.pk}/exposure.csv", 404)
    plan = emergency.plans.get(code="DER102")
    assert "no precedent" in text_of(signed_in(world.stays.bia), f"/course-plans/{plan.pk}/")


def test_the_student_reads_the_text_chooses_and_agrees_on_pages(world: World) -> None:
    world.signed(world.mobility())
    (case,) = cases(world.proposed())
    client = signed_in(world.stays.ana)
    here = f"/emergency-cases/{case.pk}/"
    page = text_of(client, here)
    assert "The text that you agree to" in page
    assert "LAW-2" in page
    assert '<time datetime="2026-08-31">31 Aug</time> – ' in page  # an equivalent has days of its own, which may lie after the stay
    assert "Say how you are" in text_of(client, "/desk/")
    keys = {line["code"]: (line["course"], line["form"]) for line in case.lines}
    with clock.stopped_at(NOW + timedelta(hours=1)):
        chosen = {f"form-{keys['DER102'][0]}": "in-person", f"form-{keys['EST101'][0]}": str(world.later.pk)}
        assert client.get(f"{here}choose/").status_code == 200
        assert client.post(f"{here}choose/", chosen).status_code == 302
        forms = {line["code"]: line["form"] for line in fresh(case).lines}
        assert forms == {"DER102": "", "EST101": str(world.later.pk)}
        form = client.get(f"{here}accept/").content.decode()
        assert "The text that you agree to" in form  # nobody is asked to agree to what is on another page
        digest = form.split('name="digest" value="')[1].split('"')[0]
        assert client.post(f"{here}accept/", {"digest": digest}).status_code == 302
    assert fresh(case).state == "accepted"


def test_a_draft_read_by_program_tells_whom_it_would_find_and_where_it_overlaps(world: World) -> None:
    world.mobility()
    other = world.declared()
    drafted = world.drafted(title={"en": "Flood"})
    told = json.loads(text_of(signed_in(world.olga), f"/api/v1/emergencies/{drafted.pk}"))
    assert (told["found"]["students"], told["found"]["courses"], told["found"]["covered"]) == (1, 2, 0)
    assert [(each["id"], each["starts_on"]) for each in told["others"]] == [(str(other.pk), other.starts_on.isoformat())]
    told = json.loads(text_of(signed_in(world.olga), f"/api/v1/emergencies/{other.pk}"))
    assert (told["found"], told["others"]) == (None, None)
    (listed,) = (each for each in json.loads(text_of(signed_in(world.olga), "/api/v1/emergencies"))["items"] if each["id"] == str(drafted.pk))
    assert (listed["found"], listed["others"]) == (None, None)


def test_a_drill_tells_nothing_of_the_drills_of_others(world: World) -> None:
    world.declared(is_drill=True)
    bia = world.drafted(is_drill=True)
    Emergency.objects.filter(pk=bia.pk).update(declared_by=world.home)
    assert overlapping(fresh(bia)) == []


def test_who_is_back_reads_that_classes_are_in_person_and_finds_the_new_agreement(world: World) -> None:
    world.mobility()
    (case,) = cases(world.proposed())
    agreement = agreement_of(case.mobility)
    assert agreement is not None
    Case.objects.update(state="returned")
    page = text_of(signed_in(case.student), f"/emergency-cases/{case.pk}/")
    assert "credits unchanged: 6 SCT credits" in page
    assert ("The same course online" in page, f'href="/learning-agreements/{agreement.pk}/"' in page) == (False, True)


def test_the_check_in_needs_no_account_is_light_and_tells_nothing_about_the_student(world: World) -> None:
    world.mobility()
    (case,) = cases(world.declared())
    client, address = Client(), f"/safe/{token_of(case.pk)}/"
    answer = client.get(address)
    assert (answer.status_code, len(answer.content) < LIGHT, answer["X-Robots-Tag"]) == (200, True, "noindex, nofollow")
    page = answer.content.decode()
    assert "Call 133." in page
    assert not {word for word in (case.student.name, case.student.email, "Santiago University") if word in page}
    assert client.post(address, {"answer": "help", "message": "Bridge is down"}).status_code == 200
    assert (fresh(case).safety, fresh(case).urgency) == ("help", 0)
    assert client.post(address, {"answer": "safe"}).status_code == 200
    assert (fresh(case).safety, [each.answer for each in CheckIn.objects.all()]) == ("safe", ["safe", "help"])
    assert client.post(address, {"answer": "help"}).status_code == 200
    Case.objects.update(state="returned")
    assert (counts_of(case.emergency, actor_of(world.olga, NOW))["safety"], "check_in" in [each.verb for each in available(fresh(case), actor_of(case.student, NOW))]) == ({"help": 1}, True)
    assert client.post(address, {"answer": "safe"}).status_code == 200
    assert (counts_of(case.emergency, actor_of(world.olga, NOW))["safety"], available(fresh(case), actor_of(case.student, NOW))) == ({}, [])
    assert Client().get("/safe/not-a-token/").status_code == 404
    assert Client().post(f"/safe/{token_of(world.stays.ana.pk)}/", {"answer": "safe"}).status_code == 404


def test_the_offices_list_puts_help_first_then_the_silent_then_the_safe(world: World) -> None:
    for name in ("Bruno", "Carla", "Diego"):
        world.mobility(world.stays.student(name))
    bruno, carla, _diego = cases(world.declared())
    Client().post(f"/safe/{token_of(bruno.pk)}/", {"answer": "safe"})
    Client().post(f"/safe/{token_of(carla.pk)}/", {"answer": "help"})
    page = text_of(signed_in(world.stays.bia), "/emergency-cases/")
    assert sorted(("Bruno", "Carla", "Diego"), key=page.index) == ["Carla", "Diego", "Bruno"]
    assert "Bruno" not in text_of(signed_in(world.stays.dora), "/emergency-cases/")
    assert "Bruno" not in text_of(Client(), "/emergency-cases/")


def test_the_status_page_says_what_each_institution_says_and_machines_read_the_same(world: World) -> None:
    first = {"admits": "yes", "online": "some", "since": NOW.date() - timedelta(days=200)}
    actions.say_standing(world.host, by=world.by("carlos"), now=NOW - timedelta(days=200), **first)
    actions.say_standing(world.host, by=world.by("carlos"), now=NOW, admits="no", online="all", since=NOW.date(), note={"en": "Campus closed."}, link="https://example.org")
    world.declared()
    page = text_of(Client(), f"/status/{world.host.schac}/")
    assert [word in page for word in ("Admits nobody now", "Campus closed.", "What it said before", "Earthquake")] == [True] * 4
    told = {each["schac"]: each for each in json.loads(text_of(Client(), "/status.json"))["institutions"]}
    assert told[world.home.schac]["status"] is None
    assert told[world.host.schac]["status"]["admits_exchange_students"] == "no"
    assert told[world.host.schac] == json.loads(text_of(Client(), f"/status/{world.host.schac}.json"))
    listed = text_of(Client(), "/status/?admits=no")
    assert (world.host.name["en"] in listed, world.home.name["en"] in listed) == (True, False)
    assert text_of(Client(), "/status/nobody.example/", 404)


def test_a_host_without_a_run_in_its_catalogue_says_how_its_course_goes_on(world: World) -> None:
    world.mobility()
    emergency = world.declared()
    plan = emergency.plans.get(code="DER102")
    plan = actions.confirm_online(plan, by=world.by("carlos"), now=NOW, live=True, later=True, bandwidth="audio")
    assert (plan.readiness, [(each["key"], each["kind"]) for each in plan.alternatives][:2]) == ("confirmed", [("here", "online"), ("here-later", "asynchronous")])
    actions.propose(emergency, by=world.by("bia"), now=NOW)
    work()
    assert {line["code"]: line["form"] for line in Case.objects.get().lines} == {"DER102": "here", "EST101": str(world.online.pk)}
