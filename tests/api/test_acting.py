"""Acts: one effect for one intention, no lost update, nothing slipped in beside the inputs, files whole."""

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.api.caller import Caller, is_problem, with_token
from tests.api.persons import READERS, actor
from vsm.api.rest import document
from vsm.api.rest.app import api
from vsm.demo import World
from vsm.exchange.applications.models import Application
from vsm.exchange.catalogue.models import Import
from vsm.exchange.institutions.models import Unit
from vsm.exchange.people.models import Person
from vsm.kit.actions import TABLE, Action
from vsm.kit.ids import new_id
from vsm.kit.models import AuditEvent
from vsm.kit.resources import RESOURCES
from vsm.kit.uploads import LIMIT

OPEN_ACTS = sorted(action.name for action in TABLE.values() if action.allow and action.noun in RESOURCES)
HOME = "andina"


@pytest.fixture
def bia(calling: Callable[..., Caller]) -> Caller:
    return calling("bia")


@pytest.fixture
def units(world: World) -> str:
    return f"/organisations/{world.organisations[HOME].pk}/add_unit"


def unit(code: str) -> dict[str, Any]:
    return {"code": code, "name": {"en": "School of tests"}}


def test_the_same_key_with_the_same_body_answers_the_same_and_acts_once(bia: Caller, units: str) -> None:
    first, again, third = (bia.post(units, unit("ONCE"), Idempotency_Key="key-1") for _ in range(3))
    assert (first.status_code, "Idempotency-Replayed" in first.headers) == (200, False)
    for replayed in (again, third):
        assert (replayed.status_code, replayed.content) == (first.status_code, first.content)
        assert replayed.headers["Idempotency-Replayed"] == "true"
    assert Unit.objects.filter(code="ONCE").count() == 1
    assert AuditEvent.objects.filter(object_id=first.json()["id"]).count() == 1


def test_without_a_key_each_sending_is_an_intention_of_its_own(bia: Caller, units: str) -> None:
    assert bia.post(units, unit("TWICE")).status_code == 200
    assert is_problem(bia.post(units, unit("TWICE")), 422, "code-taken")


def test_the_same_key_for_something_else_is_refused(bia: Caller, units: str, world: World) -> None:
    bia.post(units, unit("KEY"), Idempotency_Key="key-2")
    assert is_problem(bia.post(units, unit("OTHER"), Idempotency_Key="key-2"), 409, "key-reused")
    elsewhere = f"/people/{world.people['bia'].pk}/make_token"
    assert is_problem(bia.post(elsewhere, {"label": "x"}, Idempotency_Key="key-2"), 409, "key-reused")
    assert not Unit.objects.filter(code="OTHER").exists()


def test_a_key_belongs_to_its_person(bia: Caller, calling: Callable[..., Caller], units: str, world: World) -> None:
    bia.post(units, unit("MINE"), Idempotency_Key="key-3")
    there = f"/organisations/{world.organisations['mapocho'].pk}/add_unit"
    answer = calling("carlos").post(there, unit("HIS"), Idempotency_Key="key-3")
    assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (200, False)


def test_a_refused_act_leaves_its_key_free(bia: Caller, units: str) -> None:
    assert bia.post(units, unit("TAKEN")).status_code == 200
    assert is_problem(bia.post(units, unit("TAKEN"), Idempotency_Key="key-4"), 422, "code-taken")
    corrected = bia.post(units, unit("FREE"), Idempotency_Key="key-4")
    assert (corrected.status_code, "Idempotency-Replayed" in corrected.headers) == (200, False)


def test_a_key_of_more_than_255_characters_is_refused_not_cut(bia: Caller, units: str) -> None:
    assert is_problem(bia.post(units, unit("LONG"), Idempotency_Key="k" * 256), 422, "string_too_long")
    assert bia.post(units, unit("LONG"), Idempotency_Key="k" * 255).status_code == 200


def test_a_stale_version_is_refused_and_a_fresh_one_passes(bia: Caller, world: World) -> None:
    here = f"/people/{world.people['bia'].pk}"
    profile = {"name": "Bia A.", "language": "pt-br", "zone": "America/Sao_Paulo"}
    read = bia.get(here)
    version, tag = read.json()["version"], read.headers["ETag"]
    for held in (f'"{version - 1}"', str(version + 1), f'"{version - 1}-0f3a"'):
        assert is_problem(bia.post(f"{here}/edit_profile", profile, If_Match=held), 409, "stale-version")
    first = bia.post(f"{here}/edit_profile", profile, If_Match=tag)
    assert (first.status_code, first.json()["version"]) == (200, version + 1)
    assert is_problem(bia.post(f"{here}/edit_profile", profile, If_Match=tag), 409, "stale-version")
    for held in (f'"{version + 1}"', f"{version + 2}", f'W/"{version + 3}"', "*", ""):
        assert bia.post(f"{here}/edit_profile", profile, If_Match=held).status_code == 200


@pytest.mark.parametrize("held", ["seven", '"²"', "1.5", "-1", '"1", "2"', "9" * 30])
def test_if_match_takes_nothing_but_a_version(bia: Caller, world: World, held: str) -> None:
    answer = bia.post(f"/people/{world.people['bia'].pk}/make_token", {"label": "x"}, If_Match=held)
    assert is_problem(answer, 422, "string_pattern_mismatch")
    assert answer.json()["reasons"][0]["field"] == "If-Match"


def visible_target(world: World, action: Action) -> tuple[str, UUID] | None:
    """Somebody, and a record of this noun which they can see; first of all somebody who may do this now. None where the
    world has none: then there is nothing to slip a field into."""
    seen: list[tuple[str, UUID]] = []
    for reader in (*READERS[1:], *sorted(set(world.people) - set(READERS))):
        who = actor(world, reader)
        for record in RESOURCES[action.noun].visible_to(who)[:40]:
            if action.permits(record, who) and action.possible(record):
                return reader, record.pk
            seen.append((reader, record.pk))
    return seen[0] if seen else None


@pytest.mark.by_name
@pytest.mark.usefixtures("three_of_each")
@pytest.mark.parametrize("name", OPEN_ACTS)
def test_no_field_of_the_record_can_be_slipped_in(world: World, calling: Callable[..., Caller], name: str) -> None:
    """Every column of the noun that the act does not ask for, sent along, is refused by name; no row changes."""
    action = TABLE[tuple(name.split("."))]  # type: ignore[index] -- two parts
    target = visible_target(world, action)
    if target is None:
        assert not action.model._base_manager.exists() or action.noun in {"declaration", "self_assessment"}
        return
    reader, pk = target
    columns = {name for field in action.model._meta.concrete_fields for name in (field.name, field.attname)}
    extra = columns - set(action.parameters.model_fields)
    caller, body = calling(reader), example(action) | dict.fromkeys(extra, "slipped in")
    before = rows(action)
    answer = caller.post(f"/{RESOURCES[action.noun].plural}/{pk}/{action.verb}", body)
    assert is_problem(answer, 422)
    assert {reason["field"] for reason in answer.json()["reasons"] if reason["code"] == "extra_forbidden"} == extra
    assert rows(action) == before


def example(action: Action) -> dict[str, Any]:
    """The document's own example of the act's inputs."""
    operation = api.get_openapi_schema()["paths"][f"/api/v1/{RESOURCES[action.noun].plural}/{{id}}/{action.verb}"]["post"]
    return dict(operation["requestBody"]["content"]["application/json"]["example"])


def rows(action: Action) -> tuple[int, list[tuple[Any, ...]]]:
    """What is held: the length of the history, and every row but the time at which a token was last used."""
    names = [field.attname for field in action.model._meta.concrete_fields if field.attname != "used_at"]
    return AuditEvent.objects.count(), list(action.model._base_manager.order_by("pk").values_list(*names))


def test_a_row_of_a_table_takes_nothing_unknown_either(bia: Caller, world: World) -> None:
    student = RESOURCES["student"].visible_to(actor(world, "bia")).first()
    inputs = {"programme": "Law", "credits_earned": 10, "credits_total": "200.00", "languages": [{"language": "es", "level": "C1", "home_id": str(new_id())}]}
    answer = bia.post(f"/students/{student.pk}/update", inputs)
    assert is_problem(answer, 422, "extra_forbidden")
    assert answer.json()["reasons"][0]["field"] == "languages.0.home_id"


def test_what_is_the_systems_own_has_no_address(calling: Callable[..., Caller], world: World) -> None:
    own = [action for action in TABLE.values() if not action.allow and action.noun in RESOURCES]
    assert {action.name for action in own} >= {"application.place", "seat.expire", "invitation.accept", "credential.sign"}
    operations = {operation["operationId"] for methods in api.get_openapi_schema()["paths"].values() for operation in methods.values()}
    for action in own:
        assert f"{action.verb}_{action.noun}" not in operations
        assert is_problem(calling("olga").post(f"/{RESOURCES[action.noun].plural}/{new_id()}/{action.verb}"), 404, "not-found")


def test_an_act_of_another_role_is_refused_with_whose_it_is(calling: Callable[..., Caller], world: World) -> None:
    answer = calling("ana").post(f"/organisations/{world.organisations[HOME].pk}/add_unit", unit("ANA"))
    assert is_problem(answer, 403, "role")
    assert answer.json()["detail"].startswith("This step belongs to: Coordinator, Operator.")


def test_all_reasons_of_a_refusal_come_at_once_each_with_its_field(bia: Caller, world: World) -> None:
    answer = bia.post(f"/organisations/{world.organisations[HOME].pk}/give_role", {"email": "nobody@example.org", "role": "king"})
    assert is_problem(answer, 422, "unknown-person", "role")
    assert [reason["field"] for reason in answer.json()["reasons"]] == ["email", "role"]
    assert answer.json()["type"] == "urn:vsm:problem:invalid"


def test_a_new_token_is_told_once_and_works(bia: Caller, world: World) -> None:
    here = f"/people/{world.people['bia'].pk}/make_token"
    made = bia.post(here, {"label": "Sync", "days": 3}, Idempotency_Key="token-1")
    again = bia.post(here, {"label": "Sync", "days": 3}, Idempotency_Key="token-1")
    assert made.json()["noun"] == "token"
    assert Caller({"Authorization": f"Bearer {made.json()['secret']}"}).get("/students").json()["items"]
    assert {**made.json(), "secret": ""} == again.json()
    assert made.json()["secret"] not in json.dumps(bia.everything("/tokens"))


@pytest.fixture
def draft(world: World) -> Application:
    """An application that its student can still change."""
    found = Application.objects.filter(state="draft", call__state="published").select_related("student").first()
    assert found is not None
    return found


def student_of(world: World, application: Application) -> Caller:
    return with_token(Person.objects.get(pk=application.student_id))


def file_of(data: bytes, name: str = "grades.pdf") -> dict[str, str]:
    return {"name": name, "data": base64.b64encode(data).decode()}


def test_a_file_goes_in_as_base64_and_is_kept_whole(world: World, draft: Application) -> None:
    sent = b"%PDF-1.7\n" + bytes(range(256)) * 40
    answer = student_of(world, draft).post(f"/applications/{draft.pk}/attach", {"kind": "transcript", "file": file_of(sent)})
    assert answer.status_code == 200, answer.content
    kept = draft.documents.get(kind="transcript")
    assert (kept.size, kept.media_type, kept.name) == (len(sent), "application/pdf", "grades.pdf")


@pytest.mark.parametrize("data", ["¨", "aGVs*bG8K", "aGVsbG8", "%PDF-1.7", 5, None, ["aGVsbG8K"]])
def test_a_file_that_is_not_base64_is_refused_not_mended(world: World, draft: Application, data: Any) -> None:
    answer = student_of(world, draft).post(f"/applications/{draft.pk}/attach", {"kind": "transcript", "file": {"name": "a.pdf", "data": data}})
    assert answer.json()["reasons"][0]["field"] == "file.data"
    assert is_problem(answer, 422)
    assert not draft.documents.filter(kind="transcript").exists()


def test_a_file_of_more_than_five_megabytes_is_too_large(bia: Caller, world: World, draft: Application) -> None:
    large, before = file_of(b"x" * (LIMIT + 1)), Import.objects.count()
    catalogue = f"/organisations/{world.organisations[HOME].pk}/import_catalogue"
    for answer in (
        student_of(world, draft).post(f"/applications/{draft.pk}/attach", {"kind": "transcript", "file": large}),
        bia.post(catalogue, {"file": large, "dry_run": True}),
    ):
        assert is_problem(answer, 413, "too-large")
        assert answer.json()["reasons"][0] == {"code": "too-large", "text": "The file is larger than 5 MB.", "field": "file"}
    assert Import.objects.count() == before
    assert bia.post(catalogue, {"file": file_of(b"x" * LIMIT, "rows.csv"), "dry_run": True}).status_code == 200


def test_a_body_larger_than_any_act_needs_is_not_even_read(bia: Caller, world: World) -> None:
    answer = bia.post(f"/people/{world.people['bia'].pk}/make_token", b'{"label": "' + b"x" * (21 * 1024 * 1024) + b'"}')
    assert is_problem(answer, 413, "too-large")


def test_every_example_of_the_document_is_accepted_by_its_own_form() -> None:
    checked = 0
    for name, model in document.bodies().items():
        operation = next(
            operation for methods in api.get_openapi_schema()["paths"].values() for operation in methods.values()
            if operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "").endswith(f"/{name}")
        )  # fmt: skip
        sent = json.dumps(operation["requestBody"]["content"]["application/json"]["example"])
        model.model_validate_json(sent, strict=True, extra="forbid")
        checked += 1
    assert checked == len(OPEN_ACTS)
