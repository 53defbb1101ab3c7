"""The OpenAPI document: valid, whole, in one language, true about refusals, and drawn as a page under our own policy."""

import json
import os
import re
import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application
from django.test import Client
from jsonschema import Draft202012Validator
from playwright.sync_api import sync_playwright

from tests.browser.newcomer import chromium
from tests.browser.visitor import PATIENCE
from tests.depth import Depth
from vsm.api.rest import document
from vsm.api.rest.app import _finished
from vsm.kit.actions import TABLE
from vsm.kit.resources import RESOURCES

PROBLEM = {"$ref": "#/components/schemas/Problem"}


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    _finished.cache_clear()
    answer = Client().get("/api/v1/openapi.json", headers={"Accept-Language": "es"})
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, "application/json")
    told: dict[str, Any] = answer.json()
    return told


def operations(openapi: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for address, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield address, method, operation


def test_it_is_openapi_3_1_with_schemas_that_are_json_schema(openapi: dict[str, Any]) -> None:
    assert openapi["openapi"].startswith("3.1.")
    assert set(openapi["info"]) >= {"title", "version", "description"}
    for name, schema in openapi["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    wanted = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(openapi)))
    assert wanted - set(openapi["components"]["schemas"]) == set()


def test_every_noun_and_every_act_that_anybody_may_do_stands_in_it(openapi: dict[str, Any]) -> None:
    named = {operation["operationId"] for _, _, operation in operations(openapi)}
    acts = {f"{action.verb}_{action.noun}" for action in TABLE.values() if action.allow and action.noun in RESOURCES}
    reads = {f"{verb}_{noun}" for noun in RESOURCES for verb in ("list", "read", "history", "download")}
    assert named == acts | reads
    assert len(named) == len(list(operations(openapi)))


def test_every_operation_says_what_it_is_and_who_may_call_it(openapi: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in openapi["tags"]}
    ways = openapi["components"]["securitySchemes"]
    assert {name: way["type"] for name, way in ways.items()} == {"Bearer": "http", "Browser": "apiKey"}
    assert all(way["description"] for way in ways.values())
    for address, method, operation in operations(openapi):
        assert operation["summary"]
        assert set(operation["tags"]) <= tags
        signed_in = [{"Bearer": []}, {"Browser": []}]
        is_open = method == "get" and not address.endswith("/history")
        assert operation["security"] == [*signed_in, *([{}] if is_open else [])], address


def test_every_refusal_is_documented_as_a_problem(openapi: dict[str, Any]) -> None:
    for address, method, operation in operations(openapi):
        told = operation["responses"]
        refusals = {status for status in told if status >= "400"}
        assert refusals >= {"401", "422", "429", "503"}
        assert ({"404"} <= refusals) == ("{id}" in address)
        if method == "post":
            assert refusals >= {"400", "403", "409", "413"}
        for status in refusals:
            assert told[status]["content"] == {"application/problem+json": {"schema": PROBLEM}}
        assert list(told) == sorted(told)
        assert ("304" in told) == (method == "get" and not address.endswith(".csv"))


def test_every_body_is_closed_described_and_has_an_example_that_fits(openapi: dict[str, Any]) -> None:
    bodies = [operation["requestBody"]["content"]["application/json"] for _, method, operation in operations(openapi) if method == "post"]
    assert len(bodies) > 70
    for body in bodies:
        schema = {**body["schema"], "components": openapi["components"]}
        Draft202012Validator(schema).validate(body["example"])
        told = openapi["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
        assert told["additionalProperties"] is False
        assert told["description"]
        assert all("description" in part for part in told["properties"].values())


def test_its_words_are_english_whatever_language_the_request_accepts(openapi: dict[str, Any]) -> None:
    """A contract does not change with its reader; summaries and tags come from labels that pages translate."""
    assert {tag["name"]: tag["description"] for tag in openapi["tags"]}["call"] == "Calls"
    assert Client().get("/api/v1/openapi.json", headers={"Accept-Language": "fr"}).json() == openapi
    assert openapi["paths"]["/api/v1/people/{id}/make_token"]["post"]["summary"] == "Make an access token"


def test_two_inputs_of_one_name_and_different_form_are_a_fault() -> None:
    components = {"Row": {"type": "object"}}
    document._put(components, "Row", {"type": "object"})
    with pytest.raises(RuntimeError, match="Row"):
        document._put(components, "Row", {"type": "array"})


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args: object) -> None:
        """The test's own output is enough."""


@pytest.fixture
def site() -> Iterator[str]:
    """The pages about the API need no database, so a server in this process can show them."""
    server = make_server("127.0.0.1", 0, StaticFilesHandler(get_wsgi_application()), handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def only(noun_address: str, openapi: dict[str, Any]) -> dict[str, Any]:
    """The document with the operations under one address and the schemas that these lead to."""
    paths = {address: methods for address, methods in openapi["paths"].items() if address.startswith(noun_address)}
    known, led_to, unread = openapi["components"]["schemas"], {}, [json.dumps(paths)]
    while unread:
        for name in set(re.findall(r'"#/components/schemas/([^"]+)"', unread.pop())) - set(led_to):
            led_to[name] = known[name]
            unread.append(json.dumps(known[name]))
    return {**openapi, "paths": paths, "components": {**openapi["components"], "schemas": led_to}}


@pytest.mark.browser
def test_the_page_of_the_api_is_drawn_under_our_policy_and_calls_nobody_else(site: str, openapi: dict[str, Any], depth: Depth) -> None:
    """Drawing the whole document takes the library a quarter of a minute; one noun's part shows the page and its policy as well."""
    program = chromium()
    if not program:
        if "browser" in os.environ.get("VSM_REQUIRE", "").split(","):
            pytest.fail("needs Chromium: apt install chromium")
        pytest.skip("needs Chromium: apt install chromium")
    asked, said = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        if depth < Depth.THOROUGH:
            page.route("**/api/v1/openapi.json", lambda route: route.fulfill(json=only("/api/v1/calls", openapi)))
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        answer = page.goto(f"{site}/api/v1/docs")
        page.wait_for_selector("#operations-tag-call")
        assert page.locator(".opblock").count() == 0, "drawn when they are asked for"
        page.click("#operations-tag-call")
        page.wait_for_selector("#operations-call-list_call")
        page.click("#operations-call-list_call .opblock-summary")
        page.wait_for_selector("#operations-call-list_call .parameters")
        policy = answer.headers["content-security-policy"] if answer else ""
        drawn = page.inner_text("#operations-call-list_call")
        browser.close()
    assert "script-src 'self'" in policy
    assert "application/problem+json" in drawn
    assert said == []
    assert [url for url in asked if not url.startswith((site, "data:"))] == []
