"""Who calls: a token that is good today, a browser with its CSRF token, or nobody, and never more than that."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from tests.api.caller import Caller, is_problem, with_token
from tests.api.persons import actor
from vsm.demo import World
from vsm.exchange.credentials.models import Credential
from vsm.exchange.people.actions import make_token, revoke_token
from vsm.exchange.people.models import Person, Token
from vsm.kit import clock
from vsm.kit.actions import TABLE
from vsm.kit.ids import new_id
from vsm.kit.resources import RESOURCES

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
READS, ACT = "/api/v1/students", "/api/v1/people/{pk}/make_token"


def answers(caller: Caller, pk: object) -> list[int]:
    return [caller.get("/students").status_code, caller.get("/offerings").status_code, caller.post(f"/people/{pk}/make_token", {"label": "x"}).status_code]


def test_a_good_token_reads_and_acts(world: World, calling: Callable[..., Caller]) -> None:
    assert answers(calling("bia"), world.people["bia"].pk) == [200, 200, 200]


@pytest.mark.parametrize("ended", ["revoked", "expired", "calendar", "deactivated", "unknown", "empty", "other scheme"])
def test_a_token_that_is_good_no_longer_opens_nothing_not_even_what_is_public(world: World, ended: str) -> None:
    """A program whose token has ended is told so, rather than shown the little that anybody sees."""
    bia, now = world.people["bia"], clock.now()
    by = actor(world, "bia")
    token = make_token(bia, by=by, now=now, label="x", purpose="calendar" if ended == "calendar" else "api")
    header = f"Bearer {token.secret}"
    if ended == "revoked":
        revoke_token(token, by=by, now=now)
    elif ended == "expired":
        Token.objects.filter(pk=token.pk).update(expires_at=now - timedelta(seconds=1))
    elif ended == "deactivated":
        Person.objects.filter(pk=bia.pk).update(is_active=False)
    elif ended in {"unknown", "empty", "other scheme"}:
        header = {"unknown": "Bearer nonsense", "empty": "Bearer ", "other scheme": f"Basic {token.secret}"}[ended]
    caller = Caller({"Authorization": header})
    assert answers(caller, bia.pk) == [401, 401, 401]
    refused = caller.get("/students")
    assert is_problem(refused, 401)
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_program_reads_the_files_of_pages_with_its_token_and_does_not_act_there(world: World, calling: Callable[..., Caller]) -> None:
    held = Credential.objects.filter(state="issued", organisation=world.organisations["mapocho"])[:1].get()
    address = f"/credentials/{held.pk}/credential.jwt"
    issuer, stranger = calling("raul").headers, calling("dora").headers
    taken = Client().get(address, headers=issuer)
    assert (taken.status_code, taken.content.decode()) == (200, held.token)
    assert calling("raul").get(f"/credentials/{held.pk}").json()["token"] == held.token
    assert [Client().get(address, headers=each).status_code for each in (stranger, {})] == [404, 404]
    behind_a_login = Client().get("/desk/", headers=issuer)
    assert (behind_a_login.status_code, 'lang="en"' in behind_a_login.content.decode()) == (200, True)
    wrong = Client().get(address, headers={"Authorization": "Bearer nonsense"})
    assert (wrong.status_code, wrong.headers["WWW-Authenticate"].partition(" ")[0]) == (401, "Bearer")
    acted = Client().post(f"/credentials/{held.pk}/revoke/", {"because": "x"}, headers=issuer)
    held.refresh_from_db()
    assert (acted.status_code != 200, held.state) == (True, "issued")


def test_nobody_sees_what_is_public_and_does_nothing(world: World) -> None:
    nobody = Caller()
    assert answers(nobody, world.people["bia"].pk) == [200, 200, 401]
    assert nobody.get("/students").json() == {"items": [], "next": ""}
    assert nobody.get("/offerings").json()["items"]
    assert is_problem(nobody.post(f"/people/{world.people['bia'].pk}/make_token", {"label": "x"}), 401)


def test_nobody_may_do_any_act_at_all(world: World) -> None:
    nobody = Caller()
    acts = [action for action in TABLE.values() if action.allow and action.noun in RESOURCES]
    assert len(acts) > 70
    for action in acts:
        record = action.model._base_manager.first()
        assert is_problem(nobody.post(f"/{RESOURCES[action.noun].plural}/{record.pk if record else new_id()}/{action.verb}"), 401)


def test_a_browsers_session_reads_and_acts_only_with_its_csrf_token(world: World) -> None:
    bia = world.people["bia"]
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(bia, backend=BACKEND)
    assert browser.get(READS).json()["items"]
    act = ACT.format(pk=bia.pk)
    assert is_problem(browser.post(act, data='{"label": "x"}', content_type="application/json", headers={"Accept-Language": "en"}), 403, "csrf")
    assert not Token.objects.filter(person=bia, label="x").exists()
    browser.get("/api/v1/docs")
    csrf = browser.cookies["csrftoken"].value
    assert browser.post(act, data='{"label": "x"}', content_type="application/json", headers={"X-CSRFToken": csrf}).status_code == 200
    assert is_problem(browser.post(act, data='{"label": "y"}', content_type="application/json", headers={"X-CSRFToken": "a" * 64}), 403, "csrf")


def test_a_session_does_not_make_a_wrong_token_good(world: World) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.people["bia"], backend=BACKEND)
    assert is_problem(browser.get(READS, headers={"Authorization": "Bearer wrong"}), 401)


def test_a_token_needs_no_csrf_and_wins_over_the_session(world: World) -> None:
    carlos = with_token(world.people["carlos"])
    carlos.client.force_login(world.people["bia"], backend=BACKEND)
    assert is_problem(carlos.post(f"/people/{world.people['bia'].pk}/make_token", {"label": "x"}), 404, "not-found")
    assert carlos.post(f"/people/{world.people['carlos'].pk}/make_token", {"label": "x"}).status_code == 200


def test_a_deactivated_person_has_no_session_either(world: World) -> None:
    browser = Client()
    browser.force_login(world.people["bia"], backend=BACKEND)
    Person.objects.filter(pk=world.people["bia"].pk).update(is_active=False)
    assert browser.get(READS).json()["items"] == []
    assert is_problem(browser.post(ACT.format(pk=world.people["bia"].pk), data="{}", content_type="application/json"), 401)


def test_a_role_that_has_ended_opens_nothing_more(world: World, calling: Callable[..., Caller]) -> None:
    bia = calling("bia")
    assert len(bia.get("/students").json()["items"]) > 1
    world.people["bia"].memberships.update(ends_on=world.now.date() - timedelta(days=1), starts_on=world.now.date() - timedelta(days=9))
    assert bia.get("/students").json()["items"] == []
