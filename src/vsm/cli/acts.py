"""`vsm do` and `vsm roles`: the table of actions on the command line."""

import argparse
import json
import mimetypes
import sys
from collections import defaultdict
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from vsm.cli.records import noun
from vsm.cli.saying import speak, table
from vsm.cli.who import acting, as_argument
from vsm.kit import clock, obstacles
from vsm.kit.actions import TABLE, Action, Ask, actions_on
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.records import Record
from vsm.kit.resources import RESOURCES, Resource
from vsm.kit.saying import say
from vsm.kit.uploads import LIMIT, Upload
from vsm.kit.verdict import Reason

KINDS: dict[Any, str] = {
    str: "text", int: "whole number", float: "number", Decimal: "number", bool: "true|false", date: "day", time: "hour", datetime: "moment",
    UUID: "identifier", Upload: "file", dict: "text by language",
}  # fmt: skip
ANYBODY = ("anyone", "person", "self", "operator")


def do_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("noun", nargs="?", help="without it: show the nouns")
    parser.add_argument("verb", nargs="?", help="without it: show what can be done with the noun")
    parser.add_argument("id", nargs="?", help="without it: show what the verb asks for")
    parser.add_argument("--set", dest="given", action="append", default=[], metavar="NAME=VALUE", help="an input; a list by repeating; a language by NAME.es=…; JSON for tables")
    parser.add_argument("--json", metavar="FILE", help="all inputs as JSON from a file, or - for standard input")
    parser.add_argument("--file", dest="files", action="append", default=[], metavar="NAME=PATH", help="an input that is a file")
    parser.add_argument("--key", default="", help="idempotency key: the same key does it once and answers the same")
    parser.add_argument("--expect", type=int, metavar="VERSION", help="refuse if the record has changed since this version")
    parser.add_argument("--because", help="the reason, kept in the history")
    as_argument(parser)


def do(args: argparse.Namespace) -> int:
    """Do one thing, as somebody, and print what came of it as one line of JSON; with less than that given, print what there is to choose."""
    actor = acting(args)
    if not args.noun:
        print(table([(each.noun, say(each.label)) for each in RESOURCES.values() if _offered(each)]))
        return 0
    entry = noun(args.noun)
    if not args.verb:
        print(table([(action.verb, say(action.label)) for action in _offered(entry)]))
        return 0
    action = _action(entry, args.verb)
    if not args.id:
        print(_asked(action))
        return 0
    if not args.actor:
        print("Say who does it: --as EMAIL", file=sys.stderr)
        return 2
    record = entry.seen_by(actor, args.id)
    inputs = _inputs(action, args)
    result = action.perform(record, by=actor.delivering(key=args.key[:255], expected=args.expect, via="cli"), now=clock.now(), **inputs)
    told = result if isinstance(result, Record) else record
    done = {"noun": told.noun, "id": str(told.pk), "version": told.version, "state": str(getattr(told, "state", ""))}
    if hasattr(told, "secret"):  # a token's: shown this once
        done["secret"] = told.secret
    print(json.dumps(done))
    return 0


def roles_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--noun", help="only this noun's verbs")


def roles(args: argparse.Namespace) -> int:
    """Print the role matrix, from the table itself."""
    speak("en")
    entries = [action for action in TABLE.values() if not args.noun or action.noun == noun(args.noun).noun]
    held: dict[str, set[str]] = defaultdict(set)
    for action in entries:
        for grant in action.allow:
            held[action.name].add(grant.partition("@")[0])
    columns = sorted({role for grants in held.values() for role in grants}, key=lambda role: (role in ANYBODY, role))
    rows = [(action.name, *("●" if role in held[action.name] else "·" for role in columns), say(action.label)) for action in sorted(entries, key=lambda a: a.name)]
    print(table(rows, ("noun.verb", *columns, "")))
    print("\n`self` is the person whom the record is about. A verb without any ● is the system's own.")
    return 0


def _action(entry: Resource, verb: str) -> Action:
    action = TABLE.get((entry.noun, verb.replace("-", "_")))
    if action is None:
        known = ", ".join(sorted(action.verb for action in actions_on(entry.noun))) or "—"
        raise Invalid(Reason("no-such-verb", N_("One cannot “%(verb)s” here. There are: %(known)s."), {"verb": verb, "known": known}))
    return action


def _offered(entry: Resource) -> list[Action]:
    """What somebody can do with such a record; not what the system alone does."""
    return [action for action in actions_on(entry.noun) if action.allow]


def _asked(action: Action) -> str:
    """The inputs of an action: name, type, whether it must be given, and its label; below a table's its columns."""
    rows: list[tuple[str, str, str, str]] = []
    for name, info in action.parameters.model_fields.items():
        rows.append((name, _kind(info.annotation), "needed" if info.is_required() else "optional", say(action.asks[name].label)))
        for column, told in _columns(info.annotation).items():
            ask = next((each for each in told.metadata if isinstance(each, Ask)), None)
            rows.append((f"  .{column}", _kind(told.annotation), "needed" if told.is_required() else "optional", say(ask.label) if ask else ""))
    return f"{action.describe}\n\n" + table(rows)


def _kind(annotation: Any) -> str:
    """A type as whoever types a value thinks of it."""
    inner = [each for each in get_args(annotation) if each is not NoneType]
    if get_origin(annotation) is Literal:
        return "|".join(filter(None, map(str, inner)))
    if get_origin(annotation) in {Union, UnionType}:
        return " or ".join(map(_kind, inner))
    if get_origin(annotation) is Annotated:
        return _kind(inner[0])
    if get_origin(annotation) is list:
        return "table" if _columns(annotation) else f"list of {_kind(inner[0])}"
    return KINDS.get(get_origin(annotation) or annotation, "value")


def _columns(annotation: Any) -> dict[str, FieldInfo]:
    """The columns of a table of rows; of anything else none."""
    models = [each for part in (annotation, *get_args(annotation)) if get_origin(part) is list for each in get_args(part)]
    return {name: told for model in models if isinstance(model, type) and issubclass(model, BaseModel) for name, told in model.model_fields.items()}


def _inputs(action: Action, args: argparse.Namespace) -> dict[str, Any]:
    """What was given, checked against the action's parameters. `Invalid` with every problem at once."""
    given: dict[str, Any] = _json_input(args.json) if args.json else {}
    for pair in args.given:
        name, _, text = pair.partition("=")
        _put(given, action, name, text)
    for pair in args.files:
        name, _, place = pair.partition("=")
        given[name] = _upload(name, Path(place))
    if args.because is not None:
        given["because"] = args.because
    try:
        checked = action.parameters.model_validate(given)
    except ValidationError as cause:
        raise Invalid(*obstacles.reasons(cause.errors(), asked=action.parameters)) from cause
    found = {name: getattr(checked, name) for name in action.parameters.model_fields}
    Invalid.because(obstacles.unzoned(name) for name, value in found.items() if isinstance(value, datetime) and value.tzinfo is None)
    return found


def _put(given: dict[str, Any], action: Action, name: str, text: str) -> None:
    """One `--set`: `a.b=` into a mapping, a repeated name into a list, JSON where the input is not plain text."""
    outer, _, inner = name.partition(".")
    if inner:
        given.setdefault(outer, {})[inner] = text
        return
    info = action.parameters.model_fields.get(name)
    shape = str(info.annotation) if info else ""
    value: Any = text
    if text[:1] in "[{" and text[:1] and ("list" in shape or "dict" in shape):
        value = _parsed(name, text)
    elif "list[" in shape:
        given.setdefault(name, []).append(text)
        return
    elif text == "" and "None" in shape:
        value = None
    given[name] = value


def _json_input(place: str) -> dict[str, Any]:
    text = sys.stdin.read() if place == "-" else _read(place, Path(place)).decode("utf-8", "replace")
    value = _parsed("--json", text)
    if not isinstance(value, dict):
        raise Invalid(Reason("json", N_("The JSON must be an object: {\"name\": value, …}."), {}, "--json"))
    return value


def _parsed(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as cause:
        raise Invalid(Reason("json", N_("This is not JSON: %(cause)s."), {"cause": str(cause)}, name)) from cause


def _upload(name: str, path: Path) -> Upload:
    data = _read(name, path)
    if len(data) > LIMIT:
        raise Invalid(Reason("too-large", N_("The file is larger than %(limit)s MB."), {"limit": LIMIT // 2**20}, name))
    return Upload.of(path.name, mimetypes.guess_type(path.name)[0] or "application/octet-stream", data)


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise Invalid(Reason("file", N_("%(file)s cannot be read: %(cause)s."), {"file": str(path), "cause": cause.strerror}, name)) from cause
