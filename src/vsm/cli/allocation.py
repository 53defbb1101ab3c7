"""`vsm allocation`: allocate seats from files, audit and compare outcomes. Needs no database and no settings."""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

DONE, WRONG, FAULTY = 0, 1, 2
MECHANISMS = ("deferred_acceptance", "serial_dictatorship", "utilitarian")
LANGUAGES = ("es", "pt-br", "en", "fr")


def allocation_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    solve = verbs.add_parser("solve", help="allocate the seats of a folder of CSV files (docs/allocation.md)")
    solve.add_argument("problem", type=Path, metavar="PROBLEM_DIR")
    solve.add_argument("--out", type=Path, required=True, metavar="OUTCOME_DIR")
    solve.add_argument("--mechanism", choices=MECHANISMS, default=MECHANISMS[0])
    audit = verbs.add_parser("audit", help="check a published outcome from its frozen inputs alone")
    audit.add_argument("outcome", type=Path, metavar="OUTCOME", help="a folder made by solve, or a frozen outcome (JSON)")
    audit.add_argument("problem", type=Path, nargs="?", metavar="PROBLEM", help="its problem, when it is not in OUTCOME/problem")
    compare = verbs.add_parser("compare", help="the mechanisms side by side, before choosing one")
    compare.add_argument("problem", type=Path, metavar="PROBLEM_DIR")
    compare.add_argument("--seats", action="append", default=[], metavar="OFFERING=N", help="what if it had so many seats (may be repeated)")
    lists = verbs.add_parser("preflib", help="turn PrefLib lists into a problem's files, or a problem's lists into .soi")
    lists.add_argument("source", type=Path, metavar="FILE|PROBLEM_DIR")
    lists.add_argument("--out", type=Path, required=True, metavar="PROBLEM_DIR|FILE")
    lists.add_argument("--seats", type=int, default=1, help="seats of each alternative (default 1)")
    for verb in (solve, compare):
        verb.add_argument("--seed", default="0", help="of the lottery: any line of text; publish it (default 0)")
        verb.add_argument("--lottery", choices=("single", "per_offering"), default="single")
        verb.add_argument("--timetable", choices=("fast", "exact"), default="fast", help="how clashes of meetings.csv and credits are respected")
    for verb in (solve, audit, compare):
        verb.add_argument("--json", action="store_true")
    for verb in (solve, audit, compare, lists):
        verb.add_argument("--language", default="en", choices=LANGUAGES)


def allocation(args: argparse.Namespace) -> int:
    """0 done or certified, 1 the audit found something, 2 the input has faults (nothing is written then)."""
    perform = {"solve": _solve, "audit": _audit, "compare": _compare, "preflib": _preflib}[args.verb]
    try:
        return perform(args)
    except Invalid as error:
        _tell(error, args.language)
        if getattr(args, "json", False):
            faults = [{"code": reason.code, **{name: reason.params[name] for name in ("file", "line") if name in reason.params}, "text": _sentence(reason, args.language)} for reason in error.reasons]
            print(json.dumps({"faults": faults}, ensure_ascii=False))
        return FAULTY
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return FAULTY


def _solve(args: argparse.Namespace) -> int:
    from vsm.exchange.allocation.file_runs import SUMMARY, solve
    from vsm.exchange.allocation.files import of_nobody

    present = _problem(args.problem)
    outcome = solve(present, seed=args.seed, mechanism=args.mechanism, lottery=args.lottery, timetable=args.timetable)
    for notice in of_nobody(present):
        print(_sentence(notice, args.language), file=sys.stderr)
    _keep(args.problem, present, args.out / "problem")
    # The summary is written last: a folder without it is not an outcome.
    for name in sorted(outcome, key=lambda name: name == SUMMARY):
        _write(args.out / name, outcome[name])
    summary = json.loads(bytes(outcome[SUMMARY]))
    print(json.dumps(summary, ensure_ascii=False) if args.json else _told(summary, args.out))
    return DONE


def _told(summary: Mapping[str, Any], out: Path) -> str:
    counts = summary["counts"]
    first = summary["ranks"].get("1", 0)
    return (
        f"{counts['placements']:,} of {counts['seats']:,} seats given; {counts['placed']:,} of {counts['students']:,} students "
        f"placed, {first:,} seats of rank 1.\nDigest {summary['digest']}\nIn {out}: placements, unplaced, waiting, summary."
    )


def _audit(args: argparse.Namespace) -> int:
    from vsm.exchange.allocation import audit

    if args.outcome.is_dir():
        from vsm.exchange.allocation.file_runs import SUMMARY, check
        from vsm.exchange.allocation.files import WRITTEN

        outcome = {name: (args.outcome / name).read_bytes() for name in (*WRITTEN, SUMMARY)}
        found = check(_problem(args.problem or args.outcome / "problem"), outcome)
    elif args.problem is None:
        args.outcome.stat()  # a folder that is not there is told as such
        print("A frozen outcome is audited against its frozen problem: vsm allocation audit OUTCOME PROBLEM", file=sys.stderr)
        return FAULTY
    else:
        found = audit.check(args.problem.read_bytes(), args.outcome.read_bytes())
    said = [_sentence(reason, args.language) for reason in found.violations]
    if args.json:
        codes = [reason.code for reason in found.violations]
        facts = {"ok": found.ok, "proved": found.proved, "problem": found.problem, "outcome": found.outcome}
        violations = [{"code": code, "text": text} for code, text in zip(codes, said, strict=True)]
        print(json.dumps(facts | {"applications": found.applications, "violations": violations}, ensure_ascii=False))
    elif found.ok:
        print(f"Certified over {found.applications:,} choices: {', '.join(found.proved)}.")
    else:
        print("\n".join(["Not certified:", *(f"  - {each}" for each in said)]))
    return DONE if found.ok else WRONG


def _compare(args: argparse.Namespace) -> int:
    from vsm.cli.saying import table
    from vsm.exchange.allocation.comparison import compare, what_if
    from vsm.exchange.allocation.files import problem_of

    problem = problem_of(_bytes(_problem(args.problem)), seed=args.seed, lottery=args.lottery, timetable=args.timetable)
    summaries, changed = list(compare(problem)), _seats(args.seats, {offering.id for offering in problem.offerings})
    names = [each.mechanism.value for each in summaries]
    if changed:
        summaries += compare(what_if(problem, capacities=changed))
        names += [f"{name}, what if" for name in names]
    facts = [
        {
            "mechanism": name,
            "placed": each.everybody.placed,
            "first choice": each.everybody.first,
            "seats given": each.everybody.seats,
            "seats left": each.seats_left,
            "envy pairs": each.envy,
            **({"too few credits": each.few_credits} if any(other.few_credits for other in summaries) else {}),
            **{f"bound {_bound(filled)}": filled.seats for filled in each.limits},
            "groups": {name: f"{share.placed}/{share.students}" for name, share in each.groups.items()},
            "ranks": each.ranks,
        }
        for name, each in zip(names, summaries, strict=True)
    ]
    if args.json:
        print(json.dumps(facts, ensure_ascii=False))
        return DONE
    shown = [name for name in facts[0] if name not in ("mechanism", "groups", "ranks")]
    rows = [[name, *(str(each[name]) for each in facts)] for name in shown]
    rows += [[f"placed of {name}", *(str(each.groups[name].placed) for each in summaries)] for name in summaries[0].groups]
    ranks = sorted({rank for each in summaries for rank in each.ranks})
    rows += [[f"rank {rank}", *(str(each.ranks.get(rank, 0)) for each in summaries)] for rank in ranks]
    print(table(rows, ["", *(str(each["mechanism"]) for each in facts)]))
    return DONE


def _bound(filled: Any) -> str:
    """Such as “rural in biology (≥ 1, ≤ 3)”."""
    spans = [*([f"≥ {filled.minimum}"] if filled.minimum else []), *([f"≤ {filled.maximum}"] if filled.maximum is not None else [])]
    return f"{filled.quota or f'{filled.group} in {filled.offering}'} ({', '.join(spans)}{'' if filled.hard else ', soft'})"


def _seats(wishes: Sequence[str], known: Collection[str]) -> dict[str, int]:
    """OFFERING=N, each an offering of the problem and a whole number of seats."""
    found: dict[str, int] = {}
    for wish in wishes:
        offering, _, seats = wish.rpartition("=")
        if offering not in known or not seats.isdecimal():
            raise Invalid(Reason("seats-unreadable", N_("“%(wish)s” is not an offering of the problem, an equals sign and a number of seats."), {"wish": wish}))
        found[offering] = int(seats)
    return found


def _preflib(args: argparse.Namespace) -> int:
    from vsm.exchange.allocation import files, preflib

    if args.source.is_dir():
        problem = files.problem_of(_bytes(_problem(args.source)), seed="0")
        _write(args.out, preflib.written(problem, args.source.name).encode())
        return DONE
    try:
        lists = preflib.read(args.source.read_text("utf-8-sig", errors="replace"))
    except Invalid as error:
        _tell(error, args.language, before=f"{args.source.name}: ")
        return FAULTY
    for name, content in files.problem_files(preflib.problem_of(lists, seats=args.seats, seed="0")).items():
        _write(args.out / name, content)
    return DONE


def _problem(folder: Path) -> dict[str, Any]:
    """The files of a problem that are there, mapped into memory where they are large."""
    from vsm.exchange.allocation.files import COLUMNS

    if not folder.is_dir():
        raise FileNotFoundError(2, "There is no such folder", str(folder))
    return {name: (folder / name).read_bytes() for name in COLUMNS if (folder / name).is_file()}


def _bytes(files: Mapping[str, Any]) -> dict[str, bytes]:
    return {name: bytes(content) for name, content in files.items()}


def _keep(source: Path, names: Mapping[str, Any], target: Path) -> None:
    """The frozen inputs beside the outcome, so that whoever has the folder can audit it."""
    if source.resolve() == target.resolve():
        return
    target.mkdir(parents=True, exist_ok=True)
    for stale in target.glob("*.csv"):
        if stale.name not in names:
            stale.unlink()
    for name in names:
        shutil.copyfile(source / name, target / name)


def _write(path: Path, content: Any) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)


def _tell(error: Invalid, language: str, before: str = "") -> None:
    for reason in error.reasons:
        print(f"{before}{_sentence(reason, language)}", file=sys.stderr)


def _sentence(reason: Any, language: str) -> str:
    """A reason in the reader's language. English needs no translations, and so not the half second of loading them."""
    if language == "en":
        return str(reason.text % dict(reason.params))
    import django

    django.setup()
    from vsm.cli.saying import speak
    from vsm.kit.saying import say_reason

    speak(language)
    return say_reason(reason)
