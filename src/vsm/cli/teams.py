"""`vsm teams form`: mixed teams from a file of students and rules. Touches no records."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from vsm.cli.files import DONE, WRONG, day, read_file, reasons, refused, write_files
from vsm.cli.saying import speak
from vsm.kit.clock import now
from vsm.kit.errors import Invalid
from vsm.kit.localized import LANGUAGES
from vsm.kit.saying import say_reasons
from vsm.kit.sheets import write_rows

if TYPE_CHECKING:
    from vsm.exchange.teams.problem import Problem
    from vsm.exchange.teams.solver import Formation


def teams_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    form = verbs.add_parser(
        "form", help="cut a class into teams, by rules that must hold and wishes",
        epilog="Columns: id (needed), country, institution, languages, zone, hours (Mon-Fri 08-20), together and apart (ids), skill:NAME, group:NAME. "
        "Rules: language, window=HOURS, countries=N, institutions=N, same_country=N, same_institution=N, zones=HOURS, not_alone=GROUP, balance=SKILL. "
        "More, with examples: handbook/instructor.md.",
    )  # fmt: skip
    form.add_argument("file", type=Path, metavar="FILE", help="students as CSV, or students and rules as JSON")
    form.add_argument("--out", type=Path, required=True, metavar="DIR", help="where teams.csv, reasons.csv and formation.json are written")
    form.add_argument("--size", type=int, help="how many people make a team")
    form.add_argument("--smallest", type=int, help="the smallest team allowed (default: one less)")
    form.add_argument("--largest", type=int, help="the largest team allowed (default: one more)")
    form.add_argument("--must", action="append", default=[], metavar="RULE", help="a rule that must hold: language, countries=2, not_alone=gender, window=2 …")
    form.add_argument("--wish", action="append", default=[], metavar="RULE[:WEIGHT]", help="a wish: zones=6:10, balance=python …")
    form.add_argument("--keep", type=Path, metavar="TEAMS", help="a teams.csv to re-balance: as few people as possible change their team")
    form.add_argument("--seed", help="of the search: any line of text (default 0)")
    form.add_argument("--on", type=day, metavar="DAY", help="the day on which clocks are compared (default today)")
    form.add_argument("--json", action="store_true", help="print formation.json")
    form.add_argument("--language", default="en", choices=LANGUAGES)


def teams(args: argparse.Namespace) -> int:
    """0 done, 1 a rule that must hold does not in the best that was found, 2 the input has faults or a rule cannot be kept by any teams (nothing is written then)."""
    speak(args.language)
    try:
        return _form(args)
    except (Invalid, OSError) as error:
        return refused(error)


def _form(args: argparse.Namespace) -> int:
    from vsm.exchange.teams import explain, files
    from vsm.exchange.teams.solver import form, rebalance

    rules = [files.rule_of(each, is_wish=is_wish) for is_wish, asked in ((False, args.must), (True, args.wish)) for each in asked]
    given = files.Given(args.size, args.smallest, args.largest, args.seed, args.on, tuple(rules))
    problem = files.problem_of(args.file.name, read_file(args.file), given, zones=available_timezones(), today=now().date())
    kept = files.teams_in(args.keep.name, read_file(args.keep)) if args.keep else None
    if kept is None:  # who keeps teams has them already, and learns which rules they miss
        Invalid.because(explain.impossible(problem))
    formation = form(problem) if kept is None else rebalance(problem, kept)
    summary = _summary(problem, formation)
    written = [(team["team"], sentence) for team in summary["teams"] for sentence in team["reasons"]]
    write_files(
        args.out,
        {
            "teams.csv": files.teams_file(formation.teams), "reasons.csv": write_rows(("team", "reason"), written),
            "formation.json": json.dumps(summary, ensure_ascii=False, indent=1).encode() + b"\n",
        },
    )  # fmt: skip
    print(json.dumps(summary, ensure_ascii=False) if args.json else _told(summary, args.out))
    return DONE if formation.is_kept else WRONG


def _summary(problem: "Problem", formation: "Formation") -> dict[str, Any]:
    from vsm.exchange.teams import explain

    return {
        "problem": problem.digest, "seed": problem.seed, "students": len(problem.participants), "rules_kept": formation.is_kept,
        "proved_best": formation.proved, "wishes_missed": formation.cost.soft, "moved": list(formation.moved),
        "teams": [
            {"team": number, "members": list(team), "reasons": say_reasons(explain.told(problem, team))}
            for number, team in enumerate(formation.teams, start=1) if team
        ],
        "cannot_be_kept": reasons(explain.impossible(problem)), "not_kept": reasons(explain.missed(problem, formation.teams)),
    }  # fmt: skip


def _told(summary: dict[str, Any], out: Path) -> str:
    sizes = sorted({len(team["members"]) for team in summary["teams"]})
    best = "proved to be the best by these rules" if summary["proved_best"] else "the best that was found"
    lines = [f"{summary['students']:,} students in {len(summary['teams']):,} teams of {'–'.join(map(str, {sizes[0]: 0, sizes[-1]: 0}))}; {best}."]
    if summary["moved"]:
        lines.append(f"{len(summary['moved'])} change their team: {', '.join(summary['moved'])}")
    lines += [f"  - {each['text']}" for each in summary["cannot_be_kept"] + summary["not_kept"]]
    return "\n".join([*lines, f"In {out}: teams.csv, reasons.csv, formation.json."])
