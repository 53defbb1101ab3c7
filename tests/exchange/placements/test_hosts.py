"""How a company becomes a host, and how it stops being one."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from tests.exchange.placements.given import HOST, NOW, VACANCY, World, fresh
from tests.exchange.placements.test_way import refused
from vsm.exchange.people.models import Invitation
from vsm.exchange.placements.actions import duties, hosts, vacancies
from vsm.exchange.placements.models import Host, VettingCheck
from vsm.exchange.placements.queries.hosts import HOST as RESOURCE
from vsm.kit import clock
from vsm.kit.actors import ANONYMOUS, SYSTEM
from vsm.kit.jobs import drain
from vsm.kit.models import Message
from vsm.kit.uploads import Upload
from vsm.rulebook.placements import criteria
from vsm.web.coordinator.placements import buckets
from vsm.web.objects import verbs_of

pytestmark = pytest.mark.django_db
OTHER: dict[str, Any] = {**HOST, "name": "Otra", "contact_email": "ana@otra.example"}


def applied(world: World) -> tuple[Host, str]:
    """A host's own application, and the secret of the link that was mailed."""
    with clock.stopped_at(NOW):
        host = hosts.apply_as_host(world.network, by=SYSTEM, now=NOW, **OTHER)
        drain()
    letter = Message.objects.get(to="ana@otra.example")
    return host, letter.body.split("/host/confirm/")[1].split("/")[0]


def test_an_application_is_read_only_after_its_mail_address_is_confirmed(world: World) -> None:
    host, secret = applied(world)
    assert host.state == "unconfirmed"
    assert refused(hosts.take_up, host, by=world.by("nora"), now=NOW) == ["state"]
    hosts.confirm_by_link(secret, now=NOW + timedelta(hours=1))
    assert fresh(host).state == "applied"
    assert refused(hosts.confirm_by_link, secret, now=NOW) == ["no-such-link"]


def test_the_link_to_confirm_expires(world: World) -> None:
    host, secret = applied(world)
    assert refused(hosts.confirm_by_link, secret, now=NOW + timedelta(hours=73)) == ["link-expired"]
    assert fresh(host).state == "unconfirmed"


def test_visiting_the_link_confirms_nothing_pressing_the_button_does(world: World) -> None:
    host, secret = applied(world)
    with clock.stopped_at(NOW):
        assert Client().get(f"/host/confirm/{secret}/").status_code == 200
        assert fresh(host).state == "unconfirmed"
        assert Client().post(f"/host/confirm/{secret}/").status_code == 200
    assert fresh(host).state == "applied"


def test_one_address_cannot_fill_the_list_of_applications(world: World) -> None:
    for _number in range(3):
        hosts.apply_as_host(world.network, by=SYSTEM, now=NOW, **OTHER)
    assert refused(hosts.apply_as_host, world.network, by=SYSTEM, now=NOW, **OTHER) == ["too-many"]


def test_every_problem_of_an_application_is_told_at_once(world: World) -> None:
    wrong = {**OTHER, "name": " ", "country": "Uruguay", "zone": "Mars/Base", "contact_email": "nobody", "purpose": "x", "founded": 3000, "employees": -1, "website": "litoral"}
    assert sorted(refused(hosts.apply_as_host, world.network, by=SYSTEM, now=NOW, **wrong)) == ["country", "email", "employees", "founded", "name", "purpose", "website", "zone"]


def test_taking_it_up_enters_the_organisation_and_invites_the_contact(world: World) -> None:
    host, secret = applied(world)
    hosts.confirm_by_link(secret, now=NOW)
    host = hosts.take_up(fresh(host), by=world.by("nora"), now=NOW)
    assert (host.state, host.organisation.kind, host.organisation.schac) == ("vetting", "host", "otra.example")
    assert (Invitation.objects.get(organisation=host.organisation).email, Invitation.objects.get(organisation=host.organisation).role) == ("ana@otra.example", "coordinator")


def test_a_host_that_lacks_a_point_is_not_vetted_and_all_are_named(world: World) -> None:
    host = hosts.invite_host(world.network, by=world.by("nora"), now=NOW, **OTHER)
    assert refused(hosts.vet, host, by=world.by("nora"), now=NOW) == ["not-checked"] * len(criteria())
    assert refused(vacancies.add_vacancy, host, by=world.by("elena"), now=NOW, **VACANCY, code="X") == ["role"]


def test_what_the_host_hands_in_counts_only_when_somebody_has_looked(world: World) -> None:
    paper = Upload.of("policy.pdf", "application/pdf", b"%PDF-1.7 policy")
    hosts.hand_in(world.host, by=world.by("elena"), now=NOW, criterion="insurance", evidence="Our policy", expires_on=date(2027, 6, 1), file=paper)
    assert refused(hosts.vet, fresh(world.host), by=world.by("nora"), now=NOW) == ["not-checked"]
    hosts.check(fresh(world.host), by=world.by("nora"), now=NOW, criterion="insurance", outcome="met", evidence="Read it.", expires_on=date(2027, 6, 1))
    assert hosts.vet(fresh(world.host), by=world.by("nora"), now=NOW).valid_until == date(2027, 6, 1)
    assert list(VettingCheck.objects.filter(criterion="insurance").values_list("outcome", flat=True)) == ["met", "given", "met"]


def test_vetted_is_the_main_button_when_every_point_is_met_and_not_again_right_after(world: World) -> None:
    host = hosts.invite_host(world.network, by=world.by("nora"), now=NOW, **OTHER)
    main = []
    with clock.stopped_at(NOW):
        for each in criteria():
            main.append(main_button(host, world))
            hosts.check(fresh(host), by=world.by("nora"), now=NOW, criterion=each.slug, outcome="met", evidence="Seen.", expires_on=date(2028, 1, 31))
        main.append(main_button(host, world))
        hosts.vet(fresh(host), by=world.by("nora"), now=NOW)
        main.append(main_button(host, world))
    assert main == [*["check"] * len(criteria()), "vet", "check"]


def main_button(host: Host, world: World) -> str:
    return verbs_of(RESOURCE, fresh(host), world.by("nora"))[0]["url"].split("/")[-2]


def test_the_desk_of_a_host_tells_what_evidence_is_lacking(world: World) -> None:
    host = hosts.invite_host(world.network, by=world.by("nora"), now=NOW, **OTHER)
    hosts.hand_in(host, by=SYSTEM, now=NOW, criterion="insurance", evidence="Our policy", expires_on=date(2028, 6, 1))
    lacking = {"label": "Evidence to hand in", "count": len(criteria()) - 1, "url": f"/hosts/{host.pk}/", "tone": "warn"}
    assert lacking in buckets(host.organisation, NOW)
    assert "Evidence to hand in" not in {each["label"] for each in buckets(world.host.organisation, NOW)}


def test_only_the_office_that_vets_decides(world: World) -> None:
    for name in ("bia", "elena", "dora", "ana"):
        assert refused(hosts.suspend, fresh(world.host), by=world.by(name), now=NOW, because="x") == ["role"]


def test_the_vetting_is_reminded_of_once_and_then_expires(world: World) -> None:
    ends = fresh(world.host).valid_until
    for days, state in ((46, "vetted"), (45, "vetted"), (44, "vetted"), (0, "vetted"), (-1, "expired")):
        with clock.stopped_at(NOW.replace(year=ends.year, month=ends.month, day=ends.day) - timedelta(days=days)):
            duties.keep_placements.call()
            drain()
        assert fresh(world.host).state == state
    subjects = [m.subject for m in Message.objects.filter(to=world.people["elena"].email).order_by("created_at")]
    assert subjects == ["Datos del Sur is vetted", "The vetting of Datos del Sur ends soon", "The vetting of Datos del Sur has expired"]


def test_a_suspension_tells_the_homes_with_students_there(world: World) -> None:
    world.signed()
    Message.objects.all().delete()
    with clock.stopped_at(NOW):
        hosts.suspend(fresh(world.host), by=world.by("nora"), now=NOW, because="A complaint is looked into.")
        drain()
    told = set(Message.objects.filter(subject="The vetting of Datos del Sur is suspended").values_list("to", flat=True))
    assert told == {world.people[name].email for name in ("elena", "nora", "bia")}


def test_that_a_host_is_vetted_is_public_and_what_came_before_is_not(world: World) -> None:
    host = hosts.invite_host(world.network, by=world.by("nora"), now=NOW, **OTHER)
    seen = {name: set(RESOURCE.visible_to(world.by(name)).values_list("pk", flat=True)) for name in ("nora", "bia", "dora", "ana")}
    assert seen["nora"] == {world.host.pk, host.pk}
    assert seen["bia"] == seen["dora"] == seen["ana"] == {world.host.pk}
    assert set(RESOURCE.visible_to(ANONYMOUS).values_list("pk", flat=True)) == {world.host.pk}


def test_evidence_is_for_those_who_work_on_the_vetting(world: World) -> None:
    paper = Upload.of("../../policy.pdf", "text/html", b"%PDF-1.7 policy")
    hosts.hand_in(world.host, by=world.by("elena"), now=NOW, criterion="insurance", evidence="Our policy", expires_on=date(2027, 6, 1), file=paper)
    check = VettingCheck.objects.exclude(file_digest="").get()
    answers = {}
    for name in ("nora", "elena", "bia", "ana", ""):
        client = Client()
        if name:
            client.force_login(world.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
        answers[name] = client.get(f"/hosts/{world.host.pk}/evidence/{check.pk}/")
        assert b"Our policy" in client.get(f"/hosts/{world.host.pk}/").content or name not in {"nora", "elena"}
    assert {name: answer.status_code for name, answer in answers.items()} == {"nora": 200, "elena": 200, "bia": 404, "ana": 404, "": 404}
    assert answers["nora"].headers["Content-Type"] == "application/pdf"
    assert answers["nora"].headers["Content-Disposition"] == "attachment; filename*=UTF-8''policy.pdf"
