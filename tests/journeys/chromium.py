"""The same stories in Chromium with JavaScript off: every form opened, typed into and sent by the browser itself.

Chromium's requests are answered by the application in this process, this thread and this transaction, through Django's
client, so that the story's clock holds and nothing has to be committed. Style sheets stay out, and where an act redirects to
is noted rather than drawn: what they and a real network add is walked in tests/browser.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Queue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, Request, Route, sync_playwright

from tests.journeys.doors import BACKEND, Refusal, plain, shown_form, typed
from vsm.exchange.people.models import Person
from vsm.kit.resources import RESOURCES
from vsm.web.forms import RowsField

BASE = "http://testserver"
PATIENCE = 120.0

Reply = dict[str, Any] | None
"""What a request is fulfilled with; None: it is not answered."""


class Elsewhere:
    """Playwright in a thread of its own: Django refuses its database in a thread where a loop runs. What the browser asks for
    meanwhile is answered in the thread that waits."""

    def __init__(self, program: str) -> None:
        self._work: Queue[Callable[[Browser], Any] | None] = Queue()
        self._news: Queue[tuple[str, Any]] = Queue()
        self._replies: Queue[Reply] = Queue()
        self._thread = Thread(target=self._live, args=[program], name="chromium", daemon=True)
        self._thread.start()

    def do(self, work: Callable[[Browser], Any], answer: Callable[[Request], Reply]) -> Any:
        """Have `work` done there. What it raises is raised here, and so is what `answer` raises, which is the cause."""
        self._work.put(work)
        failed: Exception | None = None
        while True:
            kind, what = self._news.get(timeout=PATIENCE)
            if kind == "asked":
                reply: Reply = None
                try:
                    reply = answer(what)
                except Exception as error:  # noqa: BLE001 -- told below; the browser's thread must not wait for ever
                    failed = failed or error
                self._replies.put(reply)
            elif failed or kind == "failed":
                raise failed or what
            else:
                return what

    def answers(self, route: Route) -> None:
        """In the browser's thread: let the other answer this request."""
        self._news.put(("asked", route.request))
        reply = self._replies.get(timeout=PATIENCE)
        if reply is None:
            route.abort()
        else:
            route.fulfill(**reply)

    def end(self) -> None:
        self._work.put(None)
        self._thread.join(PATIENCE)

    def _live(self, program: str) -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND"])
            while work := self._work.get():
                try:
                    self._news.put(("done", work(browser)))
                except BaseException as error:  # noqa: BLE001 -- raised in the thread that waits
                    self._news.put(("failed", error))
            browser.close()


@dataclass
class Chromium:
    """One window, at which the people of a story take turns: who they are is told by their own client's cookies."""

    elsewhere: Elsewhere
    clients: dict[UUID, Client] = field(default_factory=dict)
    client: Client = field(default_factory=Client)
    page: Page | None = None
    status: int = 0
    path: str = ""

    def act(self, who: Person, noun: str, pk: UUID, verb: str, **inputs: Any) -> tuple[str, UUID]:
        self._opens(who, f"/{RESOURCES[noun].plural}/{pk}/{verb}/")
        form = shown_form(who, noun, pk, verb)
        with timezone.override(who.zone):
            told = [Typed.of(name, form.fields[name], value) for name, value in inputs.items()]
        self._does(lambda page: _sends(page, told))
        plural, made = self.path.strip("/").split("/")[:2]
        return next(entry.noun for entry in RESOURCES.values() if entry.plural == plural), UUID(made)

    def read(self, who: Person, noun: str, pk: UUID) -> str:
        self._opens(who, f"/{RESOURCES[noun].plural}/{pk}/")
        return " ".join(str(self._does(lambda page: page.locator("main").text_content())).split())

    def close(self) -> None:
        if self.page:
            self._does(lambda page: page.context.close())

    def _opens(self, who: Person, path: str) -> None:
        if who.pk not in self.clients:
            self.clients[who.pk] = Client(enforce_csrf_checks=True)
            self.clients[who.pk].force_login(who, backend=BACKEND)
        self.client = self.clients[who.pk]
        self._does(lambda page: page.goto(BASE + path, wait_until="domcontentloaded"))

    def _does(self, work: Callable[[Page], Any]) -> Any:
        self.page = page = self.page or self.elsewhere.do(self._opened, self._answer)
        self.status = 200
        done = self.elsewhere.do(lambda _browser: work(page), self._answer)
        if self.status != 200:
            raise Refusal(self.status, plain(self.elsewhere.do(lambda _browser: page.content(), self._answer)))
        return done

    def _opened(self, browser: Browser) -> Page:
        context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(1000 * PATIENCE / 2)
        context.set_default_navigation_timeout(1000 * PATIENCE / 2)
        context.route(lambda address: "/static/" not in address, self.elsewhere.answers)
        return context.new_page()

    def _answer(self, asked: Request) -> Reply:
        parts = urlsplit(asked.url)
        address = parts.path + (f"?{parts.query}" if parts.query else "")
        if asked.method == "POST":
            answer: Any = self.client.generic("POST", address, asked.post_data_buffer or b"", asked.headers["content-type"], headers={"origin": BASE})
        else:
            answer = self.client.get(address)
        self.path = urlsplit(answer.headers.get("Location", address)).path
        if answer.status_code == 302:
            return {"body": "<title>Done</title>", "content_type": "text/html"}
        self.status = answer.status_code
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
        return {"status": answer.status_code, "headers": headers, "body": answer.content}


@dataclass(frozen=True)
class Typed:
    """What a story types into one field of a form: the names that the browser knows it by, and those that are not there to be typed into."""

    name: str
    texts: dict[str, Any]
    rows: int = 0

    @classmethod
    def of(cls, name: str, asked: Any, value: Any) -> "Typed":
        texts = typed(name, asked, value)
        if not isinstance(asked, RowsField):
            return cls(name, texts or {name: ""})
        rows = int(texts.pop(f"{name}-count"))
        shown = {column for column, each in asked.columns.items() if not getattr(each, "read_only", False)}
        return cls(name, {each: text for each, text in texts.items() if each.rpartition("-")[2] in shown}, rows)


def _sends(page: Page, told: list[Typed]) -> None:
    """Fill in the form that is shown, and press its main button."""
    for each in told:
        while each.rows > int(page.locator(f"main form [name='{each.name}-count']").input_value() if each.rows else 0):
            with page.expect_navigation(wait_until="domcontentloaded"):
                page.locator(f"main form button[name='more-lines'][value='{each.name}']").click()
    shown = page.locator("main form [name]").evaluate_all(_SHOWN)
    for each in told:
        for name, text in each.texts.items():
            _types(page, name, text, [field for field in shown if field["name"] == name])
        if each.rows:  # lines that were there and are not wanted any more
            left = [f for f in shown if f["name"].startswith(f"{each.name}-") and f["name"] not in each.texts and f["kind"] in TEXTS and f["value"]]
            for field in left:
                page.locator(f"main form [name='{field['name']}']").fill("")
    with page.expect_navigation(wait_until="domcontentloaded"):
        page.locator("main form .form-actions button").first.click()


TEXTS = {"text", "textarea", "number", "date", "time", "datetime-local", "email", "url", "search", "password", "tel"}
_SHOWN = """fields => fields.map(field => ({
    name: field.name, kind: field.tagName === 'SELECT' ? 'select' : field.type, value: field.type === 'checkbox' || field.type === 'radio' ? field.getAttribute('value') ?? 'on' : field.value,
    checked: field.checked ?? false, fixed: field.readOnly ?? false, options: Array.from(field.options ?? [], option => option.value),
}))"""


def _types(page: Page, name: str, text: Any, shown: list[dict[str, Any]]) -> None:
    """Type, choose or tick what a person would, where it does not stand already."""
    assert shown, f"there is no field {name} at {page.url}"
    found, first = page.locator(f"main form [name='{name}']"), shown[0]
    kind, stands = first["kind"], first["value"]
    if kind == "hidden":
        assert text in ("", stands), f"{name} cannot be changed to {text!r}"
    elif kind in {"radio", "checkbox"}:
        _ticks(found, text if isinstance(text, list) else [text], shown)
    elif kind == "file":
        if isinstance(text, SimpleUploadedFile):
            found.set_input_files({"name": text.name or "", "mimeType": text.content_type or "", "buffer": text.read()})
    elif kind.startswith("select"):
        if strange := {*(text if isinstance(text, list) else [text])} - {*first["options"]}:
            raise Refusal(422, f"{strange} is not among the choices of {name}: {first['options']}")
        if text != stands:
            found.select_option(text)
    elif text.replace("\r\n", "\n") != stands and not first["fixed"]:
        found.fill(text)


def _ticks(boxes: Locator, wanted: list[str], shown: list[dict[str, Any]]) -> None:
    for place, box in enumerate(shown):
        is_wanted = box["value"] in wanted
        if box["checked"] != is_wanted and (is_wanted or box["kind"] == "checkbox"):
            boxes.nth(place).set_checked(is_wanted)
