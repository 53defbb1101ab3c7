"""What is told in confidence stays there: sealed evaluations, and concerns that never reach the host."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from tests.exchange.placements.given import STARTED, World, fresh
from tests.exchange.placements.test_way import refused
from vsm.exchange.people.actions import make_token
from vsm.exchange.placements.actions import duties, evaluating, safeguarding
from vsm.exchange.placements.models import Concern, Evaluation, Placement
from vsm.exchange.placements.queries.placements import occasions_open
from vsm.kit import audit, clock
from vsm.kit.actions import actions_on, available
from vsm.kit.jobs import drain
from vsm.kit.models import AuditEvent, Message

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
MIDDLE = datetime(2026, 10, 17, 9, tzinfo=UTC)
SECRET = "sentinel-of-what-happened"


def client(world: World, name: str) -> Client:
    made = Client()
    if name:
        made.force_login(world.people[name], backend=BACKEND)
    return made


# Evaluations ----------------------------------------------------------------------------------------------------------


def test_an_evaluation_is_read_by_the_other_side_only_when_both_are_in(world: World) -> None:
    placement = world.running()
    world.evaluate(placement, "ana", "mid", MIDDLE)

    def readers(side: str) -> set[str]:
        return {name for name in world.people if Evaluation.objects.visible_to(world.by(name)).filter(side=side).exists()}

    assert readers("student") == {"ana"}
    pages = [client(world, name).get(f"/placements/{placement.pk}/").content.decode() for name in ("mario", "elena", "bia")]
    assert all("ana says so" not in page for page in pages)
    world.evaluate(placement, "mario", "mid", MIDDLE)
    assert readers("student") == readers("host") == {"ana", "mario", "elena", "bia", "tito"}


def test_the_other_sides_sealed_evaluation_is_absent_by_every_address(world: World) -> None:
    placement = world.running()
    evaluation = world.evaluate(placement, "ana", "mid", MIDDLE)
    for name in ("mario", "elena", "bia", "tito"):
        here = client(world, name)
        token = make_token(world.people[name], by=world.by(name), now=STARTED, label="t", days=700).secret
        with clock.stopped_at(STARTED):
            api = Client().get(f"/api/v1/placement-evaluations/{evaluation.pk}", headers={"Authorization": f"Bearer {token}"})
            rows = Client().get("/api/v1/placement-evaluations", headers={"Authorization": f"Bearer {token}"}).json()
        assert (here.get(f"/placement-evaluations/{evaluation.pk}/").status_code, here.get(f"/placement-evaluations/{evaluation.pk}/history/").status_code, api.status_code) == (404, 404, 404)
        assert rows["items"] == []


def test_it_can_be_changed_while_sealed_and_not_afterwards(world: World) -> None:
    placement = world.running()
    world.evaluate(placement, "ana", "mid", MIDDLE, score="2")
    changed = world.evaluate(placement, "ana", "mid", MIDDLE, score="5")
    assert (Evaluation.objects.count(), {each["score"] for each in changed.answers.values()}) == (1, {"5"})
    world.evaluate(placement, "mario", "mid", MIDDLE)
    with pytest.raises(Exception, match="already-shown"):
        world.evaluate(placement, "ana", "mid", MIDDLE)


def test_only_what_can_be_given_today_is_offered(world: World) -> None:
    placement = world.running()
    seen = []
    for at, by in ((STARTED, ""), (MIDDLE, "ana"), (MIDDLE, "mario"), (MIDDLE, "")):
        with clock.stopped_at(at):
            offered = "evaluate" in [entry.verb for entry in available(fresh(placement), world.by("ana"))]
            seen.append((offered, occasions_open(fresh(placement), at.date())))
        if by:
            world.evaluate(placement, by, "mid", at)
    assert seen == [(False, []), (True, ["mid"]), (True, ["mid"]), (False, [])]


def test_it_cannot_be_given_long_before_it_is_due_nor_by_home(world: World) -> None:
    placement = world.running()
    with pytest.raises(Exception, match="too-early"):
        world.evaluate(placement, "ana", "final", MIDDLE)
    assert refused(evaluating.evaluate, fresh(placement), by=world.by("bia"), now=MIDDLE, occasion="mid", answers=[], comment="") == ["role"]


def test_who_is_late_is_reminded_once_for_each_occasion(world: World) -> None:
    placement = world.running()
    world.evaluate(placement, "ana", "mid", MIDDLE)
    Message.objects.all().delete()
    for days in (0, 7, 8, 30):
        with clock.stopped_at(MIDDLE + timedelta(days=days)):
            duties.keep_placements.call()
            drain()
    late = Message.objects.filter(subject__startswith="Evaluation overdue").values_list("to", flat=True)
    assert sorted(late) == sorted([world.people["mario"].email, world.people["tito"].email])


# Concerns -------------------------------------------------------------------------------------------------------------


def raised(world: World, name: str = "ana") -> Concern:
    placement = world.running()
    with clock.stopped_at(STARTED):
        concern = safeguarding.raise_concern(placement, by=world.by(name), now=STARTED, kind="harassment", text=SECRET, contact="evenings")
        drain()
    return concern


def test_a_concern_is_seen_by_who_raised_it_and_by_the_officer_and_by_nobody_else(world: World) -> None:
    concern = raised(world)
    world.people["olga"] = type(world.people["ana"]).objects.create(email="olga@x.example", name="Olga", is_operator=True, password="!")
    seen = {name for name in world.people if Concern.objects.visible_to(world.by(name)).exists()}
    assert seen == {"ana", "tito"}
    statuses = {name: client(world, name).get(f"/concerns/{concern.pk}/").status_code for name in ("ana", "tito", "elena", "mario", "bia", "nora", "olga", "dora", "")}
    assert statuses == {"ana": 200, "tito": 200, **dict.fromkeys(("elena", "mario", "bia", "nora", "olga", "dora", ""), 404)}


def test_no_page_list_file_letter_or_history_that_others_see_tells_of_it(world: World) -> None:
    """A leak test that contains something that could leak."""
    concern = raised(world)
    placement: Any = concern.about
    addresses = [
        f"/placements/{placement.pk}/", f"/placements/{placement.pk}/history/", "/placements/", "/placements.csv", "/concerns/", "/concerns.csv", "/messages/", "/desk/",
        f"/placement-agreements/{placement.agreement.pk}/", f"/placement-agreements/{placement.agreement.pk}/history/", f"/hosts/{world.host.pk}/", f"/hosts/{world.host.pk}/history/",
        "/safeguarding-officers/", f"/concerns/{concern.pk}/history/", f"/concerns/{concern.pk}/acknowledge/",
    ]  # fmt: skip
    for name in ("elena", "mario", "bia"):
        here = client(world, name)
        for address in addresses:
            answer: Any = here.get(address)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert SECRET.encode() not in body, f"{name} {address}"
            assert str(concern.pk).encode() not in body.replace(address.encode(), b""), f"{name} {address}"
    assert SECRET in client(world, "tito").get(f"/concerns/{concern.pk}/").content.decode()


def test_the_letters_tell_nothing_and_stand_in_no_offices_outbox(world: World) -> None:
    concern = raised(world)
    letter = Message.objects.get(subject="Something confidential waits for you")
    assert (letter.to, letter.organisation_id) == (world.people["tito"].email, None)
    told = letter.subject + letter.body
    assert [word for word in (SECRET, "Ana", "ana", "Datos", "harassment", "evenings") if word in told] == []
    assert not Message.objects.visible_to(world.by("bia")).filter(pk=letter.pk).exists()
    assert str(concern.pk) in letter.body


def test_the_placements_own_history_does_not_say_that_a_concern_was_raised(world: World) -> None:
    concern = raised(world)
    assert "raise_concern" not in {event.verb for event in audit.history([("placement", UUID(str(concern.about_id)))])}
    assert AuditEvent.objects.filter(noun="concern", object_id=concern.pk).count() == 1


def test_the_officer_acknowledges_acts_and_closes_and_the_person_reads_what_is_told(world: World) -> None:
    concern = raised(world)
    tito = world.by("tito")
    safeguarding.acknowledge(concern, by=tito, now=STARTED, text="I have read it.")
    safeguarding.act(fresh(concern), by=tito, now=STARTED, text="note for the file", is_told=False)
    safeguarding.add(fresh(concern), by=world.by("ana"), now=STARTED, text="It happened again.")
    safeguarding.close(fresh(concern), by=tito, now=STARTED, outcome="The mentor was replaced.")
    pages = {name: client(world, name).get(f"/concerns/{concern.pk}/").content.decode() for name in ("ana", "tito")}
    assert "note for the file" in pages["tito"]
    assert "note for the file" not in pages["ana"]
    assert all(words in page for page in pages.values() for words in ("I have read it.", "It happened again.", "The mentor was replaced."))


def test_the_first_answer_has_a_deadline_and_the_officer_is_reminded_once(world: World) -> None:
    concern = raised(world)
    assert concern.acknowledge_by == STARTED + timedelta(days=2)
    for hours in (47, 49, 50):
        with clock.stopped_at(STARTED + timedelta(hours=hours)):
            duties.keep_placements.call()
            drain()
    assert Message.objects.filter(subject="Something confidential still waits for you").count() == 1


def test_the_officer_suspends_the_placement_and_the_host_learns_only_that(world: World) -> None:
    concern = raised(world)
    with clock.stopped_at(STARTED):
        safeguarding.suspend_placement(concern, by=world.by("tito"), now=STARTED, text="Until we have talked.")
        drain()
    placement: Any = fresh(concern.about)
    assert (placement.state, list(placement.pauses.values_list("kind", "because"))) == ("suspended", [("suspended", "Suspended by the home institution.")])
    letters = " ".join(Message.objects.filter(to=world.people["elena"].email).values_list("body", flat=True))
    assert "suspended the placement" in letters
    assert "Until we have talked." not in letters
    assert refused(safeguarding.suspend_placement, fresh(concern), by=world.by("tito"), now=STARTED) == ["not-running"]


def test_the_concern_can_be_raised_from_every_state_of_a_placement(world: World) -> None:
    placement = world.placement()
    for state in ("preparing", "ready", "running", "interrupted", "suspended", "completed", "ended", "cancelled"):
        Placement.objects.filter(pk=placement.pk).update(state=state, started_on=STARTED.date())
        assert "raise_concern" in {entry.verb for entry in available(fresh(placement), world.by("ana"))}
        page = client(world, "ana").get(f"/placements/{placement.pk}/").content.decode()
        assert f"/placements/{placement.pk}/raise_concern/" in page


def test_raising_a_concern_is_never_the_main_button(world: World) -> None:
    placement = world.signed()
    page = client(world, "ana").get(f"/placements/{placement.pk}/").content.decode()
    assert f'<a class="button" href="/placements/{placement.pk}/raise_concern/"' in page
    assert f'<a class="button button-primary" href="/placements/{placement.pk}/raise_concern/"' not in page


def test_the_host_can_do_nothing_to_a_concern(world: World) -> None:
    concern = raised(world)
    for name in ("elena", "mario", "bia", "dora"):
        assert [entry.verb for entry in actions_on("concern") if entry.permits(concern, world.by(name))] == []


def test_an_officer_who_has_left_the_office_sees_it_no_more(world: World) -> None:
    raised(world)
    safeguarding.name_officer(world.home, by=world.by("bia"), now=STARTED, person=world.people["bia"].pk)
    assert {name for name in ("tito", "bia") if Concern.objects.visible_to(world.by(name)).exists()} == {"bia"}


def test_the_officer_must_hold_an_office_at_home_and_the_deputy_be_another(world: World) -> None:
    ana, tito = world.people["ana"].pk, world.people["tito"].pk
    assert refused(safeguarding.name_officer, world.home, by=world.by("bia"), now=STARTED, person=ana) == ["not-staff"]
    assert refused(safeguarding.name_officer, world.home, by=world.by("bia"), now=STARTED, person=tito, deputy=tito) == ["same-person"]
    assert refused(safeguarding.name_officer, world.home, by=world.by("elena"), now=STARTED, person=tito) == ["role"]


def test_without_a_name_the_answers_are_read_by_a_link_that_is_shown_once(world: World) -> None:
    here = Client()
    given = {"home": str(world.home.pk), "kind": "unsafe", "text": SECRET, "contact": ""}
    with clock.stopped_at(STARTED):
        page = here.post("/concern/", given).content.decode()
        drain()
    path = page.split('<a href="/concern/')[1].split('"')[0]
    concern = Concern.objects.get()
    assert (concern.raised_by, concern.about) == (None, None)
    assert path.strip("/") not in str(Concern.objects.values().get())
    assert {event.who for event in audit.history([("concern", concern.pk)])} == {"anonymous"}
    with clock.stopped_at(STARTED):
        safeguarding.acknowledge(concern, by=world.by("tito"), now=STARTED, text="Thank you for telling.")
        safeguarding.act(fresh(concern), by=world.by("tito"), now=STARTED, text="for the file", is_told=False)
        follow = here.get(f"/concern/{path}")
        assert "Thank you for telling." in follow.content.decode()
        assert "for the file" not in follow.content.decode()
        assert follow.headers["Referrer-Policy"] == "same-origin"
        assert here.post(f"/concern/{path}", {"text": "One thing more."}).status_code == 200
    assert "One thing more." in client(world, "tito").get(f"/concerns/{concern.pk}/").content.decode()
    assert here.get("/concern/nothing/").status_code == 404


@pytest.mark.parametrize(("verb", "who"), [("acknowledge", "tito"), ("suspend_placement", "tito"), ("act", "tito"), ("add", "ana")])
def test_what_is_written_about_a_concern_begins_empty_not_with_the_concern(world: World, verb: str, who: str) -> None:
    concern = raised(world)
    if verb == "act":
        safeguarding.acknowledge(concern, by=world.by("tito"), now=STARTED, text="I read it.")
    page = client(world, who).get(f"/concerns/{concern.pk}/{verb}/")
    assert (page.status_code, SECRET in page.content.decode()) == (200, False)


def test_the_placements_page_leads_back_to_the_concern_for_those_who_may_read_it_only(world: World) -> None:
    concern = raised(world)
    shown = {name: f"/concerns/{concern.pk}/" in client(world, name).get(f"/placements/{concern.about_id}/").content.decode() for name in ("ana", "tito", "bia", "elena", "mario")}
    assert shown == {"ana": True, "tito": True, "bia": False, "elena": False, "mario": False}
