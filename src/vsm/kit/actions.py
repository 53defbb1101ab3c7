"""Every state change is one action, and the table of actions makes the buttons, the REST API and the command line.

An action is a function `verb(record, *, by, now, ...)` under `@action`. The decorator runs it in one transaction:
the record is locked and read afresh, the actor's right, the expected version and the state are checked, the body runs,
and the audit entry is written last. The same idempotency key gives the same answer without a second effect.
Actions called inside actions join the outer transaction; all audit entries are appended at its end, in one fixed lock
order, so that two transactions cannot wait for each other.
"""

import functools
import hashlib
import inspect
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from django.apps import apps
from django.db import IntegrityError, OperationalError, models, transaction
from django.utils import translation
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from vsm.kit import audit, clock
from vsm.kit.actors import Actor
from vsm.kit.errors import Conflict, Invalid, NotAllowed, Refused
from vsm.kit.i18n import N_
from vsm.kit.models import IdempotencyKey
from vsm.kit.records import Record, not_found, stale
from vsm.kit.resources import RESOURCES
from vsm.kit.states import Step
from vsm.kit.uploads import Upload
from vsm.kit.verdict import Reason

R = TypeVar("R", bound=Record)
P = ParamSpec("P")
T = TypeVar("T")

# The name of a text's language: `es`, `pt-br`, `qu` (BCP 47, in small letters as everywhere here).
LanguageTag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[a-z0-9]{2,8})*$")]

Choices = Callable[[Any, Actor], "list[tuple[str, str]]"]

STAND_IN = "…"
"""What stands for a text that is missing, so that the rules can tell everything else that is in the way."""


@dataclass(frozen=True)
class Ask:
    """How a door asks a person for one input of an action: `Annotated[str, Ask(_("Reason"))]`.

    `kind` narrows the widget where the type does not say enough: long_text, localized, countries (typed by name), ranking (an ordered list of
    choices), password, read_only (a column of a row shown, not asked). `choices(record, actor)` lists what can be chosen,
    `start(record, actor)` is what the form begins with (else the record's own attribute of that name, else the
    default). `limit` is the greatest length (or number
    of ranks, which may depend on the record). `when(record, actor)` leaves an input that has a default out of the form where it has
    no meaning; programs may give it all the same. A parameter `list[Row]`, Row being a pydantic model, is asked as a table.
    """

    label: Any
    help: Any = ""
    kind: str = ""
    choices: Choices | None = None
    start: Callable[[Any, Actor], Any] | None = None
    limit: int | Callable[[Any, Actor], int] | None = None
    when: Callable[[Any, Actor], bool] | None = None


@dataclass(frozen=True)
class Action:
    """One row of the table: what may happen to a noun, by whom, from which states, asking for what."""

    noun: str
    verb: str
    label: Any
    model: type[Record]
    allow: tuple[str, ...]
    step: Step | None
    tone: str
    function: Callable[..., Any]
    when: Callable[[Any], bool] | None
    due: Callable[[Any], bool] | None
    waits_for: Callable[[Any, Actor], bool] | None
    describe: str
    asks: Mapping[str, Ask] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.noun}.{self.verb}"

    @functools.cached_property
    def needs_reason(self) -> bool:
        """Whether nobody may do it in silence."""
        because = inspect.signature(self.function).parameters.get("because")
        return because is not None and because.default is inspect.Parameter.empty

    def perform(self, record: Record, **given: Any) -> Any:
        """Run it as one transaction, with every check; `given` holds `by`, `now` and the inputs."""
        return _retried(lambda: _perform(self, record, given))

    def permits(self, record: Record, actor: Actor) -> bool:
        """Whether the actor's roles allow this verb on this record (its state aside)."""
        return actor.is_system or any(_granted(grant, record, actor) for grant in self.allow)

    def possible(self, record: Record) -> bool:
        """Whether the record's state (and the cheap condition) allow this verb now."""
        if self.step and getattr(record, self.step.field) not in self.step.before:
            return False
        return self.when is None or bool(self.when(record))

    def is_for(self, record: Record, actor: Actor) -> bool:
        """Whether it waits for this actor, of those whose roles allow it."""
        return self.waits_for is None or self.waits_for(record, actor)

    def tone_on(self, record: Record) -> str:
        """The tone of its button on this record: a main act is the main button once it is due."""
        return "secondary" if self.due and not self.due(record) else self.tone

    @functools.cached_property
    def changes_itself(self) -> bool:
        """Whether the act gives back the record that it acts on, rather than making another."""
        return get_type_hints(self.function).get("return") is self.model

    @functools.cached_property
    def parameters(self) -> type[BaseModel]:
        """A typed model of what the action asks for beyond the record, the actor and the time."""
        fields: dict[str, Any] = {}
        for name, (annotation, default) in _inputs(self.function).items():
            ask = self.asks[name]
            inner = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
            extra: dict[str, Any] = {"description": _described(ask)}
            if ask.kind == "localized":
                inner = dict[LanguageTag, str]
            if isinstance(ask.limit, int) and inner in (str, str | None):
                extra["max_length"] = ask.limit
            if name == "because" and self.needs_reason:
                # Told to programs and judged by `silence`, which says it in the same words as everywhere.
                extra["json_schema_extra"] = {"minLength": 1, "pattern": r"\S"}
            fields[name] = (inner, Field(... if default is inspect.Parameter.empty else default, **extra))
        made = create_model(
            "".join(part.title() for part in f"{self.noun}-{self.verb}".replace("_", "-").split("-")) + "Input",
            __config__=ConfigDict(extra="forbid"), **fields,
        )  # fmt: skip
        made.__doc__ = self.describe
        shape: type[BaseModel] = made
        return shape


TABLE: dict[tuple[str, str], Action] = {}
NOTED: dict[tuple[str, str], Any] = {}
"""What is noted in a record's history beside its acts, in words, by (noun, verb); the slice that notes it declares it."""
GRANTEES = {"operator": N_("Operator"), "person": N_("Anybody with an account"), "self": N_("Whom it concerns")}
"""Whom a grant names, in words: its part before the @. The slice that knows the roles adds them."""


def action(
    verb: str, *, on: type[Record], label: Any, allow: tuple[str, ...], step: Step | None = None,
    tone: str = "secondary", when: Callable[[Any], bool] | None = None, due: Callable[[Any], bool] | None = None,
    waits_for: Callable[[Any, Actor], bool] | None = None,
) -> Callable[[Callable[Concatenate[R, P], T]], Callable[Concatenate[R, P], T]]:  # fmt: skip
    """Enter a function into the table and run it as one action.

    `allow` are grants: `role@path` (the role held at the organisation that `path` on the record leads to),
    `self@path` (the person there, or one of a frozenset of persons), `role@anywhere`, `anyone`, `person` (signed in) or `operator`. `step` is the row of the state table.
    `when` hides its button; `due` only says when it is the main one, for an act whose refusal tells what is missing.
    `waits_for(record, actor)` offers it only to whom it still waits for: who has signed is not asked again.

    A parameter `because` goes into the history. One without a default is a reason that must be given: the act is
    refused without it, with everything else that is in the way.
    """

    def enter(function: Callable[Concatenate[R, P], T]) -> Callable[Concatenate[R, P], T]:
        asks = {name: _ask_of(name, annotation) for name, (annotation, _) in _inputs(function).items()}
        entry = Action(on.noun, verb, label, on, allow, step, tone, function, when, due, waits_for, inspect.getdoc(function) or "", asks)
        if (on.noun, verb) in TABLE:
            raise RuntimeError(f"{entry.name} is already in the table of actions.")
        TABLE[on.noun, verb] = entry

        @functools.wraps(function)
        def perform(record: R, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return entry.perform(record, **kwargs)  # type: ignore[no-any-return]  # -- typed by the wrapped function

        return perform

    return enter


def actions_on(noun: str) -> list[Action]:
    return [entry for entry in TABLE.values() if entry.noun == noun]


def available(record: Record, actor: Actor) -> list[Action]:
    """What this actor can do to this record now: the buttons, and the API's `actions`."""
    return [
        entry
        for entry in actions_on(record.noun)
        if entry.permits(record, actor) and entry.possible(record) and entry.is_for(record, actor)
    ]


def rehearse(entry: Action, record: Record, *, by: Actor, now: datetime, **given: Any) -> tuple[Reason, ...]:
    """The reasons that are in the way of an act, found by doing it and taking it back: no record, letter or job of it stays.

    Nothing is told of an act that is not this actor's, nor of a `STAND_IN`. `by` carries no idempotency key; files are not for trying out (the store keeps bytes).
    """
    try:
        with transaction.atomic():
            _perform(entry, record, {"by": by, "now": now, **given})
            transaction.set_rollback(True)
    except NotAllowed:
        return ()
    except Refused as refusal:
        return tuple(each for each in refusal.reasons if STAND_IN not in each.params.values())
    return ()


def silence(because: str) -> Iterator[Reason]:
    """The refusal of an act that needs a reason and has none. An act that needs one at times asks this itself."""
    if not because.strip():
        yield Reason("because", N_("Say why: it stands in the history, and those concerned can read it."), {}, "because")


def is_replay(result: Record) -> bool:
    """Whether an action gave back its first answer to a repeated idempotency key, and did nothing this time."""
    return getattr(result, "_is_replay", False)


def note(record: Record, verb: str, *, by: Actor, now: datetime, because: str = "", changes: Mapping[str, object] | None = None) -> None:
    """Add an audit entry about a further record that the running action touches."""
    pending = _pending.get()
    if pending is None:
        raise RuntimeError("note() belongs inside an action.")
    pending.append(_entry(record, verb, by, now, because, changes or {}))


def note_many(noun: str, verb: str, ids: Iterable[UUID], *, by: Actor, now: datetime, changes: Mapping[str, object] | None = None) -> None:
    """The same entry about many records of one noun."""
    pending = _require_pending()
    facts = changes or {}
    pending += [audit.Entry(now, by.person_id, by.label, by.via, verb, noun, pk, "", facts) for pk in ids]


_pending: ContextVar[list[audit.Entry] | None] = ContextVar("pending", default=None)


def _perform(entry: Action, record: Record, given: dict[str, Any]) -> Any:
    by: Actor = given["by"]
    # All that an act writes (records, jobs) happens at the one moment that it was given.
    with clock.stopped_at(given["now"]), _one_transaction():
        if by.key and by.person_id:
            replay = _first_use(entry, record, given)
            if replay is not None:
                return replay
        fresh = _locked(entry, record, by)
        if entry.needs_reason:
            Invalid.because(_silent(entry, fresh, given))
        before = _snapshot(fresh)
        result = entry.function(fresh, **{**given, "by": by.delivering(via=by.via)})
        if entry.step and entry.step.after is not None:
            setattr(fresh, entry.step.field, entry.step.after)
            fresh.save()
        told = result if isinstance(result, Record) and result.pk != fresh.pk else fresh
        changes = _difference(before, _snapshot(fresh)) if told is fresh else _difference({}, _snapshot(told))
        because = given.get("because") or ""
        _require_pending().append(_entry(told, entry.verb, by, given["now"], because, changes))
        if by.key and by.person_id:
            IdempotencyKey.objects.filter(actor_id=by.person_id, key=by.key).update(noun=told.noun, object_id=told.pk)
        return result


def _not_yours(entry: Action) -> Reason:
    if not entry.allow:
        return Reason("role", N_("Nobody does this step: it follows by itself from others."))
    roles = sorted({grant.partition("@")[0] for grant in entry.allow})
    return Reason("role", N_("This step belongs to: %(roles)s. Ask one of them, or an administrator of your institution."), {"roles": [GRANTEES.get(role, role) for role in roles]})


def _locked(entry: Action, record: Record, by: Actor) -> Record:
    # `of=self`: only the row itself is locked, not what is joined to it.
    fresh = entry.model._base_manager.select_for_update(of=("self",)).filter(pk=record.pk).first()
    if fresh is None:
        raise not_found()
    if not entry.permits(fresh, by):
        raise NotAllowed(_not_yours(entry))
    if by.expected is not None and by.expected != fresh.version:
        raise stale()
    if entry.step and getattr(fresh, entry.step.field) not in entry.step.before:
        shown = RESOURCES[entry.noun].states if entry.noun in RESOURCES else {}
        state = getattr(fresh, entry.step.field)
        possible = [other.label for other in available(fresh, by) if other.step]
        raise Refused(
            Reason(
                "state",
                N_("This cannot be done while it is “%(state)s”. From here one can: %(possible)s."),
                {"state": shown.get(str(state), (str(state), ""))[0], "possible": possible or "—"},
            )
        )
    return fresh


def _silent(entry: Action, record: Record, given: Mapping[str, Any]) -> Iterator[Reason]:
    found = list(silence(given["because"]))
    yield from found
    if found and not any(isinstance(value, Upload) for value in given.values()):
        yield from rehearse(entry, record, **{**given, "by": given["by"].delivering(), "because": STAND_IN})


def _first_use(entry: Action, record: Record, given: Mapping[str, Any]) -> Record | None:
    """Note the key, or give the first answer again. Two deliveries at once: the second waits for the first's commit."""
    by: Actor = given["by"]
    person_id = by.person_id
    if person_id is None:
        raise RuntimeError("a key belongs to a person")
    # Not of a password: this digest has no salt and is quick to guess by.
    inputs = {name: value for name, value in given.items() if name not in {"by", "now"} and entry.asks[name].kind != "password"}
    told = json.dumps([entry.name, str(record.pk), inputs], default=_plain, sort_keys=True)
    fingerprint = hashlib.sha256(told.encode()).hexdigest()
    try:
        with transaction.atomic():
            IdempotencyKey.objects.create(actor_id=person_id, key=by.key, fingerprint=fingerprint, at=given["now"])
            return None
    except IntegrityError:
        first = IdempotencyKey.objects.get(actor_id=person_id, key=by.key)
    if first.fingerprint != fingerprint:
        raise Conflict(Reason("key-reused", N_("This key was already used for something different. Use a new key for a new request.")))
    if first.object_id is None:
        raise RuntimeError(f"The key {by.key} was kept without an answer.")  # both are written in one transaction
    answer: Record = _model_of(first.noun)._base_manager.get(pk=first.object_id)
    answer._is_replay = True  # type: ignore[attr-defined]  # -- for `is_replay`; no column
    return answer


def _model_of(noun: str) -> type[Record]:
    """The model of any noun: what an action makes need not have actions of its own."""
    return next(model for model in apps.get_models() if issubclass(model, Record) and model.noun == noun)


@contextmanager
def _one_transaction() -> Iterator[None]:
    if _pending.get() is not None:
        with transaction.atomic():  # a savepoint: a refused inner action takes nothing of the outer with it
            held = len(_require_pending())
            try:
                yield
            except BaseException:
                del _require_pending()[held:]
                raise
        return
    token = _pending.set([])
    try:
        with transaction.atomic():
            yield
            audit.append(_require_pending())
    finally:
        _pending.reset(token)


def _require_pending() -> list[audit.Entry]:
    pending = _pending.get()
    if pending is None:
        raise RuntimeError("outside an action")
    return pending


def _retried(attempt: Callable[[], T], tries: int = 5) -> T:
    """Repeat when the database chose us as the victim of a deadlock or stayed busy; everything was rolled back."""
    for left in reversed(range(tries)):
        try:
            return attempt()
        except OperationalError as cause:
            transient = getattr(getattr(cause, "__cause__", None), "sqlstate", "") in {"40001", "40P01"} or "locked" in str(cause)
            if not left or not transient or transaction.get_connection().in_atomic_block:
                raise
            time.sleep(random.uniform(0.01, 0.1))
    raise AssertionError("unreachable: the last try returns or raises")


def _granted(grant: str, record: Record, actor: Actor) -> bool:
    role, _, path = grant.partition("@")
    if role == "anyone":
        return True
    if role == "person":
        return actor.person_id is not None
    if role == "operator":
        return actor.is_operator
    if path == "anywhere":
        return bool(actor.roles.get(role))
    target = resolve(record, path)
    if role == "self":
        return actor.person_id is not None and (actor.person_id in target if isinstance(target, frozenset) else target == actor.person_id)
    return actor.holds(role, target)


def resolve(record: Any, path: str) -> Any:
    """Follow `a.b.c` from a record to the identifier of what it names (a foreign key's id without loading the last)."""
    *steps, last = path.split(".")
    for step in steps:
        record = getattr(record, step)
        if record is None:
            return None
    if last == "id":
        return record.pk
    value = getattr(record, f"{last}_id", None) if hasattr(record, f"{last}_id") else getattr(record, last)
    return value.pk if isinstance(value, models.Model) else value


_UNTOLD = {"id", "version", "folded", "created_at", "updated_at", "password"}


def _snapshot(record: Record) -> dict[str, Any]:
    return {f.attname: getattr(record, f.attname) for f in record._meta.concrete_fields if f.name not in _UNTOLD}


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {
        name: [_short(before.get(name)), _short(value)]
        for name, value in after.items()
        if before.get(name) != value and not (not before and value in ("", None, [], {}))
    }


def _short(value: object) -> object:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return json.loads(text) if len(text) <= 1000 else text[:1000] + "…"


def _entry(record: Record, verb: str, by: Actor, now: datetime, because: str, changes: Mapping[str, object]) -> audit.Entry:
    return audit.Entry(now, by.person_id, by.label, by.via, verb, record.noun, record.pk, because, changes)


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return str(value)


def _inputs(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """Name → (annotation, default) of what a door must ask for: everything but the record, `by` and `now`."""
    hints = get_type_hints(function, include_extras=True)
    named = list(inspect.signature(function).parameters.values())[1:]
    return {p.name: (hints[p.name], p.default) for p in named if p.name not in {"by", "now"}}


def _described(ask: Ask) -> str:
    """In English, as all of what programs read about the API: it is made once, in whoever's request comes first."""
    with translation.override("en"):
        label, more = str(ask.label), str(ask.help)
    return " ".join(filter(None, (label if label.endswith(("?", ".", ")")) or not more else f"{label}.", more)))


def _ask_of(name: str, annotation: Any) -> Ask:
    for extra in getattr(annotation, "__metadata__", ()):
        if isinstance(extra, Ask):
            return extra
    if name == "because":
        return Ask(N_("Why? (shown in the history)"), kind="long_text", limit=2000)
    return Ask(name.replace("_", " ").capitalize())
