"""The examples of the programmers' handbook do what it says: each command is run as printed, in the order of the page."""

import json
import re
import shlex
import sys
import urllib.request
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.api.caller import Caller
from tests.api.persons import actor
from vsm.api.rest.pace import RATES
from vsm.demo import World
from vsm.exchange.catalogue.models import Import
from vsm.exchange.institutions.models import Unit
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.kit.resources import RESOURCES

PAGE = (Path(__file__).parents[2] / "docs/handbook/api.md").read_text("utf-8")
COMMANDS = re.findall(r"```sh\n# (\d{3})\n(.*?)```", PAGE, re.DOTALL)
HUB = "http://testserver"


def run(command: str, names: dict[str, str]) -> Any:
    """What curl would do with these words, done by Django's test client."""
    words = iter(shlex.split(Template(command).substitute(names).replace("\\\n", " ")))
    assert next(words) == "curl"
    method, headers, body, address = "GET", {"Accept-Language": "en"}, None, ""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        elif word == "-o":
            next(words)
        else:
            address = word.removeprefix(HUB)
    return Client(enforce_csrf_checks=True).generic(method, address, body or "", headers=headers)


def test_every_command_is_answered_as_the_page_says(world: World, calling: Callable[..., Caller]) -> None:
    caller, home = calling("bia"), world.organisations["andina"]
    names = {"HUB": HUB, "TOKEN": caller.headers["Authorization"].removeprefix("Bearer "), "PERSON": str(world.people["bia"].pk), "ORGANISATION": str(home.pk)}
    names["AGREEMENT"] = str(LearningAgreement.objects.filter(home=home, state="signed").values_list("pk", flat=True)[0])
    answers = []
    for status, command in COMMANDS:
        read = caller.get(f"/organisations/{home.pk}")
        # Quotes of a value stand inside the quotes of the page's command.
        answer = run(command, {**names, "VERSION": str(read.json()["version"]), "ETAG": read.headers["ETag"].replace('"', '\\"')})
        assert answer.status_code == int(status), f"{command}{getattr(answer, 'content', b'')!r}"
        if not answer.streaming:
            answers.append(answer)
    assert len(answers) == len(COMMANDS) - 1 == 11
    assert Unit.objects.filter(code="LAW").count() == 1
    assert Import.objects.count() == 1
    made = next(answer.json() for answer in answers if b'"secret"' in answer.content and answer.json().get("noun") == "token")
    assert Caller({"Authorization": f"Bearer {made['secret']}"}).get("/students").json()["items"]
    printed = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])  # type: ignore[index] -- it is there
    assert printed == next(answer.json() for answer in answers if b"int_type" in answer.content)


def test_the_python_example_reads_a_whole_list(world: World, calling: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch) -> None:
    def urlopen(request: urllib.request.Request) -> BytesIO:
        split = urlsplit(request.full_url)
        answer = Client().get(f"{split.path}?{split.query}", headers=dict(request.header_items()))
        assert answer.status_code == 200, answer.content
        return BytesIO(answer.content)

    names: dict[str, Any] = {}
    exec(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], names)  # type: ignore[index] -- it is there
    monkeypatch.setattr(sys.modules["urllib.request"], "urlopen", urlopen)
    caller = calling("olga")
    token = caller.headers["Authorization"].removeprefix("Bearer ")
    read = [item["id"] for item in names["everything"](HUB, token, "messages")]
    assert len(read) == len(set(read)) == RESOURCES["message"].visible_to(actor(world, "olga")).count() > 200


def test_the_limits_and_statuses_are_the_real_ones() -> None:
    assert f"{RATES['person']:,} requests a minute for a person, {RATES['stranger']} for an address" in PAGE
    assert set(re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)) == {"400", "401", "403", "404", "405", "409", "413", "422", "429", "500", "503"}
