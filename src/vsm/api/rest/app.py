"""The API object and its operations, one set for each noun."""

import functools
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path
from django.utils import translation
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Path, Query, Router
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.params.models import Header as HeaderParam
from pydantic import BaseModel, ConfigDict, Field, create_model

from vsm.api.rest import bodies, document, spreadsheet
from vsm.api.rest.edges import IF_MATCH, View, edged, expected_version, note_version
from vsm.api.rest.pace import Pace
from vsm.api.rest.problems import documented, install, refusal
from vsm.api.rest.tokens import AUTH, OPEN_AUTH
from vsm.kit import audit, clock
from vsm.kit.actions import Action, actions_on, available, is_replay
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.records import Record, not_found
from vsm.kit.requests import Request
from vsm.kit.resources import RESOURCES, Resource, narrowed
from vsm.kit.verdict import Reason

PAGE, MOST = 50, 200
LANGUAGE = "en"  # of the document: a contract does not change with its reader
NO_NUL = r"^[^\x00]*$"
CURSOR = r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$"

ABOUT_ITSELF = {"api-root", "openapi-json", "openapi-view"}

# By which statuses each kind of operation refuses.
LISTING = {401, 422, 429, 503}
READING = LISTING | {404}
ACTING = READING | {400, 403, 409, 413}


IdempotencyKey = Annotated[
    str,
    HeaderParam(
        "", alias="Idempotency-Key", max_length=255,
        description="Yours to choose, one for each intention: sent again, it gives the first answer and no second effect.",
    ),
]  # fmt: skip
IfMatch = Annotated[
    str, HeaderParam("", alias="If-Match", pattern=IF_MATCH, description="The version (or ETag) that you read: refused with 409 if the record has changed since.")
]


class Api(NinjaAPI):
    """Ninja's object with our edge around every address, and the document finished once."""

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app_name, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                view: View = _to_the_docs if pattern.name == "api-root" else pattern.callback
                pattern.callback = edged(require_safe(view) if pattern.name in ABOUT_ITSELF else view)
        return [*patterns, path("<path:rest>", edged(_absent))], app_name, namespace

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None) -> OpenAPISchema:
        return _finished(self, path_prefix if path_prefix is not None else self.get_root_path(path_params or {}))


@functools.cache
def _finished(api: Api, path_prefix: str) -> OpenAPISchema:
    with translation.override(LANGUAGE):
        return document.finished(NinjaAPI.get_openapi_schema(api, path_prefix=path_prefix))


def _to_the_docs(request: Request) -> HttpResponse:
    return redirect("api:openapi-view")


def _absent(request: Request, rest: str) -> HttpResponse:
    return refusal(not_found())


api = Api(
    title="OpenVSM",
    version="1",
    description=document.ABOUT,
    auth=AUTH,
    throttle=[Pace()],
    # No third party is told what is read here. Closed at first: to draw every operation takes a phone a minute.
    docs=Swagger(settings={"validatorUrl": None, "docExpansion": "none", "filter": True}),
    urls_namespace="api",
)
install(api)


class Entry(BaseModel):
    """One line of a record's history. `changes` gives for each field what it was and what it became."""

    at: datetime
    who: str
    verb: str
    because: str
    changes: dict[str, Any]


class Done(BaseModel):
    """What an act made or changed: read it at `/<nouns>/{id}`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"noun": "application", "id": "01a2c0de-0000-7000-8000-000000000001", "version": 4, "state": "submitted", "secret": ""}]}
    )

    noun: str
    id: UUID
    version: int = Field(description="Send it as If-Match with your next act.")
    state: str = ""
    secret: str = Field("", description="Of a new access token: the token itself. It is told this once and stored nowhere.")


def operations(entry: Resource) -> Router:
    """Every operation on one noun."""
    router = Router(tags=[str(entry.noun)])
    shape = entry.shape()
    page = create_model(f"{shape.__name__}Page", items=(list[shape], ...), next=(str, Field("", description="Send it as `cursor` for the next page; empty at the end.")))  # type: ignore[valid-type]  # -- a model made at start-up
    narrowing: dict[str, Any] = {
        "q": (str, Field("", max_length=200, pattern=NO_NUL, description="Words that must all occur, whatever their accents and case.")),
        **{question.name: (str, Field("", max_length=200, pattern=NO_NUL, description=str(question.label))) for question in entry.filters},
    }
    paging: dict[str, Any] = {
        "cursor": (str, Field("", pattern=CURSOR, description="`next` of the page before.")),
        "limit": (int, Field(PAGE, ge=1, le=MOST, description="How many at most.")),
    }
    filters = create_model(f"{shape.__name__}Filters", **narrowing)
    _reads(router, entry, shape, page, create_model(f"{shape.__name__}Query", **narrowing, **paging))
    _csv(router, entry, filters)
    for action in actions_on(entry.noun):
        if action.allow:  # without anybody allowed it is the system's own
            _act(router, entry, action)
    return router


def _reads(router: Router, entry: Resource, shape: Any, page: Any, filters: Any) -> None:
    @router.get(f"/{entry.plural}", auth=OPEN_AUTH, response=documented(page, LISTING), operation_id=f"list_{entry.noun}", summary=f"List {entry.plural}", openapi_extra=document.FOR_ANYBODY)
    def read_list(request: Request, query: Query[filters]) -> dict[str, Any]:
        asked = query.model_dump()
        found = _found(request, entry, asked)
        if asked["cursor"]:
            found = found.filter(pk__gt=UUID(asked["cursor"]))
        records = list(found[: asked["limit"] + 1])
        more = len(records) > asked["limit"]
        records = records[: asked["limit"]]
        return {"items": [_shaped(entry, record, request.actor, alone=False) for record in records], "next": str(records[-1].pk) if more else ""}

    @router.get(f"/{entry.plural}/{{id}}", auth=OPEN_AUTH, response=documented(shape, READING), operation_id=f"read_{entry.noun}", summary=f"Read one of {entry.plural}", openapi_extra=document.FOR_ANYBODY)
    def read_one(request: Request, id: Path[UUID]) -> dict[str, Any]:  # noqa: A002 -- the API's own name
        record = entry.seen_by(request.actor, id)
        note_version(request, record.version)
        return _shaped(entry, record, request.actor)

    @router.get(
        f"/{entry.plural}/{{id}}/history", auth=AUTH, response=documented(list[Entry], READING), operation_id=f"history_{entry.noun}",
        summary=f"Read the history of one of {entry.plural}", description="Who did what, when, why, the newest first.",
    )  # fmt: skip
    def read_history(request: Request, id: Path[UUID]) -> list[dict[str, Any]]:  # noqa: A002 -- the API's own name
        record = entry.seen_by(request.actor, id)
        return [
            {"at": told.at, "who": told.who, "verb": told.verb, "because": told.because, "changes": told.changes}
            for told in audit.history([(record.noun, record.pk)])
        ]


def _csv(router: Router, entry: Resource, filters: Any) -> None:
    @router.get(
        f"/{entry.plural}.csv", auth=OPEN_AUTH, response=documented(str, LISTING), operation_id=f"download_{entry.noun}",
        summary=f"Download {entry.plural} as CSV", openapi_extra=document.CSV_ANSWER,
    )  # fmt: skip
    def download(request: Request, query: Query[filters]) -> StreamingHttpResponse:
        return spreadsheet.download(entry, _found(request, entry, query.model_dump()))


def _act(router: Router, entry: Resource, action: Action) -> None:
    body_model = bodies.form_of(action.parameters)

    @router.post(
        f"/{entry.plural}/{{id}}/{action.verb}", auth=AUTH, response=documented(Done, ACTING), operation_id=f"{action.verb}_{entry.noun}",
        summary=str(action.label), description=action.describe, openapi_extra=document.takes(body_model),
    )  # fmt: skip
    def perform(
        request: Request,
        response: HttpResponse,
        id: Path[UUID],  # noqa: A002 -- the API's own name
        idempotency_key: IdempotencyKey = "",
        if_match: IfMatch = "",
    ) -> dict[str, Any]:
        record = entry.seen_by(request.actor, id)
        body = bodies.read(request, body_model)
        by = request.actor.delivering(key=idempotency_key, expected=expected_version(if_match))
        inputs = {name: getattr(body, name) for name in body_model.model_fields}
        result = action.perform(record, by=by, now=clock.now(), **inputs)
        told = result if isinstance(result, Record) else record
        if is_replay(told):
            response["Idempotency-Replayed"] = "true"
        return {"noun": told.noun, "id": told.pk, "version": told.version, "state": str(getattr(told, "state", "")), "secret": getattr(told, "secret", "")}


def _found(request: Request, entry: Resource, asked: dict[str, Any]) -> QuerySet[Any]:
    """What this caller may see and asks for, in the order of making: a page's end stays where it is while others add."""
    known = ", ".join(asked)
    Invalid.because(
        Reason("no-such-filter", N_("“%(name)s” is not a filter here. There are: %(known)s."), {"name": name[:80], "known": known}, name[:80])
        for name in sorted(set(request.GET) - set(asked))
    )
    return narrowed(entry, entry.visible_to(request.actor), asked, request.actor).order_by("pk")


def _shaped(entry: Resource, record: Any, actor: Actor, *, alone: bool = True) -> dict[str, Any]:
    return {
        "id": record.pk,
        "version": record.version,
        "title": entry.title(record),
        **entry.values(record, alone=alone),
        "actions": [action.verb for action in available(record, actor)],
    }


@functools.cache
def install_routes() -> None:
    """Mount the operations of every registered noun, once."""
    with translation.override(LANGUAGE):
        for entry in RESOURCES.values():
            api.add_router("", operations(entry))


install_routes()
