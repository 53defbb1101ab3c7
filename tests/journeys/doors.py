"""Three ways into the same house: the pages, the REST API and the command line. A story is told once and walked by each."""

import base64
import json
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any, Protocol, Self
from uuid import UUID

from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pydantic import BaseModel

from vsm.cli.commands import main
from vsm.exchange.institutions.models import Hub
from vsm.exchange.people.actions import make_token
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import actor_of
from vsm.kit import audit, clock
from vsm.kit.actions import TABLE
from vsm.kit.models import Job
from vsm.kit.resources import RESOURCES
from vsm.kit.uploads import Upload
from vsm.web.forms import ActionForm, LocalizedField, RankingField, RowsField, UploadField

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class Refusal(AssertionError):
    """The door said no; `status` is the HTTP answer (or the exit code), `text` what it said."""

    def __init__(self, status: int, text: str) -> None:
        self.status, self.text = status, text
        super().__init__(f"{status}: {text[:2000]}")


class Door(Protocol):
    """What a story asks of a way in."""

    def act(self, who: Person, noun: str, pk: UUID, verb: str, **inputs: Any) -> tuple[str, UUID]:
        """Do one thing; the noun and id of what was made or changed."""

    def read(self, who: Person, noun: str, pk: UUID) -> str:
        """What this person is shown of a record, as text."""


@dataclass
class Story:
    """The people by name and the things by noun, as a story goes on."""

    door: Door
    people: dict[str, Person] = field(default_factory=dict)
    things: dict[str, UUID] = field(default_factory=dict)

    @classmethod
    def of(cls, door: Door, **zones: str) -> Self:
        """A hub and everybody by their zone. Olga runs the installation."""
        hub = Hub(name="Story", contact="olga@people.example")
        hub.save()
        return cls(door, {name: somebody(name, zone) for name, zone in zones.items()}, {"hub": hub.pk})

    def act(self, who: str, what: str, verb: str, **inputs: Any) -> UUID:
        """`who` does `verb` to the thing called `what` ("noun" or "noun:name"); the thing made is remembered by its noun."""
        noun, made = self.door.act(self.people[who], what.partition(":")[0], self.things[what], verb, **inputs)
        if noun != what.partition(":")[0]:
            self.things[noun] = made
        return made

    def start(self, who: str, what: str, verb: str, name: str) -> Any:
        """What the form of an act begins with."""
        action = TABLE[what.partition(":")[0], verb]
        begin = action.asks[name].start
        assert begin
        return begin(action.model.objects.get(pk=self.things[what]), actor_of(self.people[who], clock.now()))


def somebody(name: str, zone: str) -> Person:
    person = Person(email=f"{name}@people.example", name=name.title(), language="en", zone=zone, is_operator=name == "olga")
    person.set_unusable_password()
    person.save()
    return person


def on(day: date, hour: int = 15) -> AbstractContextManager[None]:
    """The clock held at an hour of that day, UTC."""
    return clock.stopped_at(datetime.combine(day, time(hour), UTC))


def left_behind() -> tuple[list[Any], list[Any]]:
    """What a story must not leave: faults of the audit chain, and jobs that gave up."""
    return audit.verify(), list(Job.objects.filter(state="dead").values_list("path", "error"))


@dataclass
class Pages:
    """Plain forms, as a browser without JavaScript sends them."""

    clients: dict[UUID, Client] = field(default_factory=dict)

    def act(self, who: Person, noun: str, pk: UUID, verb: str, **inputs: Any) -> tuple[str, UUID]:
        client = self.client(who)
        address = f"/{RESOURCES[noun].plural}/{pk}/{verb}/"
        shown = client.get(address)
        if shown.status_code != 200:
            raise Refusal(shown.status_code, plain(shown.content.decode()))
        hidden = dict(re.findall(r'<input type="hidden" name="(expected_version|delivery_key)" value="([^"]*)"', shown.content.decode()))
        assert "delivery_key" in hidden, address
        answer = client.post(address, {**self.fields(who, noun, pk, verb, inputs), **hidden})
        if answer.status_code != 302:
            raise Refusal(answer.status_code, plain(answer.content.decode()))
        plural, made = answer.headers["Location"].strip("/").split("/")[:2]
        return next(entry.noun for entry in RESOURCES.values() if entry.plural == plural), UUID(made)

    def read(self, who: Person, noun: str, pk: UUID) -> str:
        answer = self.client(who).get(f"/{RESOURCES[noun].plural}/{pk}/")
        if answer.status_code != 200:
            raise Refusal(answer.status_code, plain(answer.content.decode()))
        return plain(answer.content.decode())

    def client(self, who: Person) -> Client:
        if who.pk not in self.clients:
            self.clients[who.pk] = Client()
            self.clients[who.pk].force_login(who, backend=BACKEND)
        return self.clients[who.pk]

    def fields(self, who: Person, noun: str, pk: UUID, verb: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """The form as first shown, with the story's inputs typed into it."""
        form = shown_form(who, noun, pk, verb)
        posted: dict[str, Any] = {}
        with timezone.override(who.zone):
            for name, asked in form.fields.items():
                posted |= typed(name, asked, inputs.get(name, asked.initial))
        return posted


def shown_form(who: Person, noun: str, pk: UUID, verb: str) -> ActionForm:
    """The form of an act as this person first sees it."""
    actor = actor_of(who, clock.now())
    record = RESOURCES[noun].seen_by(actor, pk)
    with timezone.override(who.zone):
        return ActionForm(TABLE[noun, verb], record, actor)


def typed(name: str, asked: forms.Field, value: Any) -> dict[str, Any]:
    """What a browser would send for one field."""
    if isinstance(asked, RowsField):
        rows = [row if isinstance(row, dict) else row.model_dump() for row in value or []]
        sent: dict[str, Any] = {f"{name}-count": len(rows)}
        for number, row in enumerate(rows):
            for key, column in asked.columns.items():
                sent |= typed(f"{name}-{number}-{key}", column, row.get(key, column.initial))
        return sent
    if isinstance(asked, LocalizedField):
        return {f"{name}_{code}": (value or {}).get(code, "") for code in asked.languages}
    if isinstance(asked, RankingField):
        return {f"{name}_{rank}": str(choice) for rank, choice in enumerate(value or [], start=1)}
    if isinstance(asked, UploadField):
        return {name: SimpleUploadedFile(value.name, value.data, value.media_type)} if value else {}
    if isinstance(asked, forms.BooleanField):
        return {name: "on"} if value else {}
    return typed_plainly(name, asked.prepare_value(value))


def typed_plainly(name: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, datetime):
        return {name: (timezone.localtime(value) if timezone.is_aware(value) else value).strftime("%Y-%m-%dT%H:%M")}
    if isinstance(value, list | tuple):
        return {name: [str(item) for item in value]}
    return {name: str(value)}


@dataclass
class Api:
    """JSON with a bearer token, an idempotency key, and the version that was read."""

    client: Client = field(default_factory=Client)
    tokens: dict[UUID, str] = field(default_factory=dict)
    sent: int = 0

    def act(self, who: Person, noun: str, pk: UUID, verb: str, **inputs: Any) -> tuple[str, UUID]:
        here = f"/api/v1/{RESOURCES[noun].plural}/{pk}"
        read = self.client.get(here, headers=self.headers(who))
        if read.status_code != 200:
            raise Refusal(read.status_code, read.content.decode())
        self.sent += 1
        headers = {**self.headers(who), "Idempotency-Key": f"story-{self.sent}", "If-Match": f'"{read.json()["version"]}"'}
        answer = self.client.post(f"{here}/{verb}", data=json.dumps(self.body(who, noun, pk, verb, inputs), default=as_json), content_type="application/json", headers=headers)
        if answer.status_code != 200:
            assert answer.headers["Content-Type"] == "application/problem+json", answer.content
            raise Refusal(answer.status_code, answer.content.decode())
        return answer.json()["noun"], UUID(answer.json()["id"])

    def read(self, who: Person, noun: str, pk: UUID) -> str:
        answer = self.client.get(f"/api/v1/{RESOURCES[noun].plural}/{pk}", headers=self.headers(who))
        if answer.status_code != 200:
            raise Refusal(answer.status_code, answer.content.decode())
        return json.dumps(answer.json(), ensure_ascii=False)

    def headers(self, who: Person) -> dict[str, str]:
        if who.pk not in self.tokens:
            now = clock.now()
            self.tokens[who.pk] = make_token(who, by=actor_of(who, now), now=now, label="story", days=730).secret
        return {"Authorization": f"Bearer {self.tokens[who.pk]}", "Accept-Language": "en"}

    def body(self, who: Person, noun: str, pk: UUID, verb: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """The inputs, and what a program reads elsewhere before it signs: the fingerprint that the form would carry."""
        action, actor = TABLE[noun, verb], actor_of(who, clock.now())
        record = RESOURCES[noun].visible_to(actor).filter(pk=pk).first()
        started = {} if record is None else {
            name: ask.start(record, actor)
            for name, ask in action.asks.items()
            if ask.start and name not in inputs and action.parameters.model_fields[name].is_required()
        }
        return {**started, **inputs}


@dataclass
class Command:
    """`vsm do` and `vsm show`, with all inputs as one JSON file."""

    folder: Path
    capture: Any
    api: Api = field(default_factory=Api)

    def act(self, who: Person, noun: str, pk: UUID, verb: str, **inputs: Any) -> tuple[str, UUID]:
        file = self.folder / "inputs.json"
        file.write_text(json.dumps(self.api.body(who, noun, pk, verb, inputs), default=as_json), "utf-8")
        self.capture.readouterr()
        code = main(["do", noun, verb, str(pk), "--as", who.email, "--json", str(file)])
        told = self.capture.readouterr()
        if code:
            raise Refusal(code, told.err + told.out)
        done = json.loads(told.out.strip().splitlines()[-1])
        return done["noun"], UUID(done["id"])

    def read(self, who: Person, noun: str, pk: UUID) -> str:
        self.capture.readouterr()
        code = main(["show", noun, str(pk), "--as", who.email])
        told = self.capture.readouterr()
        if code:
            raise Refusal(code, told.err + told.out)
        return str(told.out)


def as_json(value: Any) -> Any:
    if isinstance(value, Upload):
        return {"name": value.name, "media_type": value.media_type, "data": base64.b64encode(value.data).decode()}
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Decimal | UUID):
        return str(value)
    return value.isoformat()


def plain(page: str) -> str:
    """The words of a page."""
    body = page.partition("<main")[2].partition(">")[2].partition("</main>")[0] or page
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
