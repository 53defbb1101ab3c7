"""`vsm list` and `vsm show`: every noun, from its own definition."""

import argparse
import difflib
import json
import sys
from typing import Any

from django.utils.translation import get_language

from vsm.cli.saying import table
from vsm.cli.who import acting, as_argument
from vsm.kit import audit
from vsm.kit.actions import available
from vsm.kit.cells import csv_lines, flat
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.resources import RESOURCES, Resource, by_plural, narrowed, ordered
from vsm.kit.saying import say, shown
from vsm.kit.verdict import Reason


def list_records_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("noun", help="for example organisation, offering, application")
    parser.add_argument("--filter", dest="filters", action="append", default=[], metavar="NAME=VALUE", help="narrow; q=words searches; repeatable")
    parser.add_argument("--sort", default="", metavar="FIELD", help="descending: --sort=-FIELD")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="at most N (default: all)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="every field, as JSON")
    form.add_argument("--csv", action="store_true", help="every field, as CSV")
    as_argument(parser)


def list_records(args: argparse.Namespace) -> int:
    """Print what the reader may see of a noun."""
    actor = acting(args)
    entry = noun(args.noun)
    found = ordered(entry, narrowed(entry, entry.visible_to(actor), _filters(entry, args.filters), actor), args.sort)
    records = found[: args.limit] if args.limit else found
    if args.json:
        print(json.dumps([_as_data(entry, record, alone=False) for record in records], default=str, ensure_ascii=False, indent=1))
    elif args.csv:
        _write_csv(entry, records)
    else:
        rows = [(str(record.pk), *(_cell(entry, field, record) for field in entry.listed)) for record in records]
        print(table(rows, ("id", *(say(field.label) for field in entry.listed))) if rows else say(entry.empty) or f"0 {entry.plural}")
    return 0


def show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("noun")
    parser.add_argument("id")
    parser.add_argument("--json", action="store_true")
    as_argument(parser)


def show(args: argparse.Namespace) -> int:
    """Print one record: its facts, what the actor can do with it now, and its history."""
    actor = acting(args)
    entry = noun(args.noun)
    record = entry.seen_by(actor, args.id)
    verbs = available(record, actor)
    if args.json:
        print(json.dumps({**_as_data(entry, record), "actions": [verb.verb for verb in verbs]}, default=str, ensure_ascii=False, indent=1))
        return 0
    print(f"{entry.title(record)}\n{entry.noun} {record.pk}, version {record.version}\n")
    print(table([(say(field.label), _cell(entry, field, record)) for field in entry.fields]))
    if verbs:
        print("\n" + table([(f"./vsm do {entry.noun} {verb.verb}", say(verb.label)) for verb in verbs]))
    told = audit.history([(record.noun, record.pk)])
    if told:
        print("\n" + table([(shown(line.at), line.who or "—", line.verb, line.because) for line in told]))
    return 0


def noun(name: str) -> Resource:
    """The resource of this noun, singular or plural; `Invalid` names the nearest otherwise."""
    wanted = name.replace("-", "_")
    entry = RESOURCES.get(wanted) or by_plural(wanted) or by_plural(name)
    if entry is not None:
        return entry
    near = difflib.get_close_matches(wanted, list(RESOURCES), 1, 0.5) or sorted(RESOURCES)
    raise Invalid(Reason("no-such-noun", N_("There is no noun “%(noun)s”. Perhaps: %(near)s."), {"noun": name, "near": ", ".join(near)}))


def _filters(entry: Resource, given: list[str]) -> dict[str, str]:
    known = ["q", *(question.name for question in entry.filters)]
    chosen = dict(pair.partition("=")[::2] for pair in given)
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise Invalid(
            *(Reason("no-such-filter", N_("“%(name)s” is not a filter here. There are: %(known)s."), {"name": name, "known": ", ".join(known)}) for name in unknown)
        )
    return chosen


def _as_data(entry: Resource, record: Any, *, alone: bool = True) -> dict[str, Any]:
    return {"id": record.pk, "version": record.version, "title": entry.title(record), **entry.values(record, alone=alone)}


def _cell(entry: Resource, field: Any, record: Any) -> str:
    value = entry.in_words(field, record)
    if hasattr(value, "isoformat"):
        return shown(value)
    return flat(value, get_language() or "en")


def _write_csv(entry: Resource, records: Any) -> None:
    fields = entry.columns
    rows = ([record.pk, *(entry.in_words(field, record) for field in fields)] for record in records)
    sys.stdout.writelines(csv_lines(["id", *(field.name for field in fields)], rows, get_language() or "en", mark=""))
