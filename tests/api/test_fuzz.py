"""Every operation of the OpenAPI document, called with what its schema allows and with what it forbids, keeps its word.

Schemathesis makes the calls: by a coordinator, a student and nobody, upon records that these can see. No answer is a 5xx,
each status, content type, header and body is the documented one, and what the schema forbids is refused. The examples come
from one seed; each operation works in a savepoint of its own.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup

from tests.api.caller import Caller
from tests.api.persons import actor
from tests.depth import Depth
from vsm.demo import World
from vsm.kit.actions import TABLE, Action
from vsm.kit.actors import Actor
from vsm.kit.ids import new_id
from vsm.kit.resources import by_plural

SEED = 2027
CONFIG = {"seed": SEED, "generation": {"allow-x00": False, "with-security-parameters": False}}
CHECKED = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance", "response_headers_conformance",
    "negative_data_rejection",
)  # fmt: skip
# Valid headers for valid calls: a random key or version would only ever be refused for itself.
PLAIN = {"If-Match": "*", "Idempotency-Key": ""}


@pytest.fixture(scope="module", autouse=True)
def _one_connection() -> Iterator[None]:
    """Schemathesis calls the program as a server does, which gives its connection up after each request; the world of
    these tests lives in a transaction of the one that there is."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def operations() -> list[Any]:
    load_all_checks()
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application(), config=SchemathesisConfig.from_dict(CONFIG))
    return [found.ok() for found in document.get_all_operations()]


@pytest.mark.walk
@pytest.mark.parametrize("reader", ["bia", "ana", ""])
def test_every_operation_keeps_its_word(world: World, calling: Callable[..., Caller], operations: list[Any], reader: str, depth: Depth) -> None:
    """What is read is read by all three. An action is tried by whoever of the two can do it now, and by Bia when neither can."""
    headers = calling(reader, Accept_Encoding="identity").headers
    ana, bia, who = (Records(actor(world, each)) for each in ("ana", "bia", reader))
    answered: dict[int, int] = {}
    asked = operations[:: {Depth.GATE: 16, Depth.WIDE: 3}.get(depth, 1)]
    tried = [operation for operation in asked if operation.method == "get" or ("ana" if ana.able(operation.path) and not bia.able(operation.path) else "bia") == reader]
    broken = [
        fault
        for operation in tried
        for mode, examples in modes(operation, reader, depth)
        for fault in faults(operation, mode, examples, headers, who.target(operation.path), answered)
    ]
    assert broken == []
    assert len(operations) > 150
    assert answered.get(200, 0) > len(tried) / 5, answered  # else nothing but refusals was tried


def modes(operation: Any, reader: str, depth: Depth) -> list[tuple[GenerationMode, int]]:
    """How many examples of what is allowed and of what is forbidden. What a list takes hangs on nobody: it is asked thoroughly once."""
    if operation.method == "get" and reader != "bia":
        return [(GenerationMode.POSITIVE, 1)]
    if depth == Depth.GATE:
        return [(GenerationMode.POSITIVE, 1), (GenerationMode.NEGATIVE, 1)]
    return [(GenerationMode.POSITIVE, 3 if operation.method == "post" else 2), (GenerationMode.NEGATIVE, 1)]


def test_an_operation_that_breaks_its_word_is_found(
    world: World, calling: Callable[..., Caller], operations: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a fault in the program, an undocumented field, and a lax body are each seen."""
    headers, who = calling("bia", Accept_Encoding="identity").headers, Records(actor(world, "bia"))
    named = {operation.label: operation for operation in operations}

    def found(label: str, mode: GenerationMode) -> list[str]:
        return list(faults(named[label], mode, 3, headers, who.target(named[label].path), {}))

    with monkeypatch.context() as patched:
        patched.setattr(Action, "perform", lambda *_args, **_inputs: 1 // 0)
        assert found("POST /api/v1/people/{id}/make_token", GenerationMode.POSITIVE)
    with monkeypatch.context() as patched:
        patched.setattr("vsm.api.rest.problems.PROBLEM_JSON", "application/json")
        assert found("GET /api/v1/calls", GenerationMode.NEGATIVE)
    with monkeypatch.context() as patched:
        patched.setattr("vsm.api.rest.bodies.read", lambda _request, model: model.model_construct(label="x", purpose="api", days=3))
        assert found("POST /api/v1/people/{id}/make_token", GenerationMode.NEGATIVE)
    assert found("POST /api/v1/people/{id}/make_token", GenerationMode.POSITIVE) == []


def faults(operation: Any, mode: GenerationMode, examples: int, headers: dict[str, str], pk: str, answered: dict[int, int]) -> Iterator[str]:
    """What is wrong with the answers to some calls of one operation; `answered` counts their statuses."""
    fixed: dict[str, Any] = {"path_parameters": {"id": pk}} if "{id}" in operation.path else {}
    if operation.method == "post" and mode is GenerationMode.POSITIVE:
        fixed["headers"] = PLAIN
    checks = CHECKS.get_by_names(list(CHECKED))

    @seed(SEED)
    @settings(max_examples=examples, derandomize=True, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode, **fixed))
    def keeps_its_word(case: Any) -> None:
        answer = case.call_and_validate(headers=headers, checks=checks)
        answered[answer.status_code] = answered.get(answer.status_code, 0) + 1

    try:
        with transaction.atomic():
            try:
                keeps_its_word()
            finally:
                transaction.set_rollback(True)
    except Unsatisfiable:
        return  # nothing is forbidden here: the only parameter is the path's
    except (Exception, FailureGroup) as fault:  # noqa: BLE001 -- whatever is wrong is told, with the operation's name
        yield f"{operation.label} ({mode.value}): {fault}"


class Records:
    """What one caller sees, asked once of each noun: whatever an operation changes is taken back."""

    def __init__(self, who: Actor) -> None:
        self.who = who
        self._seen: dict[str, list[Any]] = {}

    def target(self, path: str) -> str:
        """A record that this caller can see, if possible one upon which the verb is possible now."""
        found = [*self.able(path)[:1], *self.seen(path)[:1]]
        return str(found[0].pk) if found else str(new_id())

    def seen(self, path: str) -> list[Any]:
        plural = path.strip("/").split("/")[2].removesuffix(".csv")
        if plural not in self._seen:
            entry = by_plural(plural)
            assert entry is not None
            self._seen[plural] = list(entry.visible_to(self.who).order_by("pk")[:60])
        return self._seen[plural]

    def able(self, path: str) -> list[Any]:
        """The records upon which this caller can now do what the address says; none for an address that is only read."""
        _, _, plural, *rest = path.strip("/").split("/")
        entry = by_plural(plural)
        action = TABLE.get((entry.noun, rest[1])) if entry and len(rest) == 2 else None
        return [record for record in self.seen(path) if action.permits(record, self.who) and action.possible(record)] if action else []
