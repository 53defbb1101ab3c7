"""A program that calls the API: with a token, or as nobody."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.http.response import HttpResponseBase
from django.test import Client

from vsm.exchange.people.actions import make_token
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import actor_of
from vsm.kit import clock

ROOT = "/api/v1"


@dataclass
class Caller:
    """Each answer must be JSON, or a problem; `headers` go along with every call."""

    headers: dict[str, str] = field(default_factory=lambda: {"Accept-Language": "en", "Accept-Encoding": "identity"})
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def get(self, address: str, query: dict[str, Any] | None = None, **headers: str) -> HttpResponseBase:
        return self.client.get(ROOT + address, query, headers={**self.headers, **named(headers)})

    def post(self, address: str, body: Any = None, **headers: str) -> HttpResponseBase:
        sent = body if isinstance(body, bytes) else json.dumps(body or {}, ensure_ascii=False)
        return self.client.post(ROOT + address, data=sent, content_type="application/json", headers={**self.headers, **named(headers)})

    def everything(self, address: str, limit: int = 200, **query: str) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        items: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.get(address, {**query, "limit": limit, "cursor": cursor})
            assert page.status_code == 200, page.content
            items += page.json()["items"]
            cursor = page.json()["next"]
            if not cursor:
                return items


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def as_nobody(**headers: str) -> Caller:
    return Caller({"Accept-Language": "en", **named(headers)})


def with_token(person: Person, **headers: str) -> Caller:
    now = clock.now()
    token = make_token(person, by=actor_of(person, now), now=now, label="tests", days=30)
    return Caller({"Accept-Language": "en", "Accept-Encoding": "identity", "Authorization": f"Bearer {token.secret}", **named(headers)})


def is_problem(answer: HttpResponseBase, status: int, *codes: str) -> bool:
    """Whether this is a problem of that status with just these reasons; asserts, so that a failure tells which part."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert set(told) == {"type", "title", "status", "detail", "reasons"}
    assert told["status"] == status
    assert told["title"]
    if codes:
        assert sorted(reason["code"] for reason in told["reasons"]) == sorted(codes)
    return True
