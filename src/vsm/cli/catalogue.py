"""`vsm import catalogue`: a host's file, by a mapping, with the account of every line."""

import argparse
import json
import sys
from pathlib import Path
from uuid import UUID

from vsm.cli.who import acting, as_argument
from vsm.exchange.catalogue.importing import run
from vsm.exchange.institutions.models import Organisation
from vsm.kit import clock
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason


def import_file_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("catalogue",))
    parser.add_argument("file", type=Path)
    parser.add_argument("--institution", required=True, metavar="ID|SCHAC", help="whose catalogue it is: its id, or its SCHAC code")
    parser.add_argument("--mapping", required=True, type=Path, metavar="FILE", help="which column is what (examples/mappings/)")
    parser.add_argument("--dry-run", action="store_true", help="the same report, and nothing is written")
    parser.add_argument("--withdraw-gone", action="store_true", help="withdraw offerings that the file no longer has")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    as_argument(parser)


def import_file(args: argparse.Namespace) -> int:
    """Import and print the report; 1 when a line was refused."""
    by = acting(args)
    place = institution(args.institution)
    _readable(args.file, args.mapping)
    report = run(
        args.file, place, args.mapping, dry_run=args.dry_run, by=by, now=clock.now(),
        progress=None if args.json and not sys.stderr.isatty() else _progress, withdraw_gone=args.withdraw_gone,
    )  # fmt: skip
    print(json.dumps(report.as_json(), ensure_ascii=False, indent=1, default=str) if args.json else report.as_table())
    return 1 if report.counts["lines"]["refused"] else 0


def institution(name: str) -> Organisation:
    """By id or SCHAC code."""
    found: Organisation | None = Organisation.objects.filter(schac=name).first() or _by_id(name)
    if found is None:
        raise Invalid(Reason("no-such-institution", N_("There is no institution %(name)s here. `./vsm list organisation` shows them."), {"name": name}, "--institution"))
    return found


def _by_id(name: str) -> Organisation | None:
    try:
        found: Organisation | None = Organisation.objects.filter(pk=UUID(name)).first()
    except ValueError:
        return None
    return found


def _readable(*paths: Path) -> None:
    """Whether the files can be opened at all, before anything starts."""
    problems = []
    for path in paths:
        try:
            path.open("rb").close()
        except OSError as cause:
            problems.append(Reason("file", N_("%(file)s cannot be read: %(cause)s."), {"file": str(path), "cause": cause.strerror}))
    Invalid.because(problems)


def _progress(done: int, total: int) -> None:
    end = "\n" if done >= total else "\r"
    if sys.stderr.isatty() or done >= total:
        print(f"{done} of {total} lines", end=end, file=sys.stderr, flush=True)
