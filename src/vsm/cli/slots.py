"""`vsm slots find`: the best weekly hours for people in many zones, from a file. Touches no records."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from vsm.cli.files import DONE, WRONG, day, read_file, reasons, refused, write_files
from vsm.cli.saying import speak, table
from vsm.kit.errors import Invalid
from vsm.kit.localized import LANGUAGES
from vsm.kit.sheets import write_rows

if TYPE_CHECKING:
    from vsm.exchange.sessions.finding import Answer


def slots_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    find = verbs.add_parser(
        "find", help="the hours that burden nobody much, and turns where no hour is good for all",
        epilog="Columns: id and zone (needed), hours (Mon-Fri 08-20), busy (FROM/TO with their zone, several between spaces). More, with examples: handbook/instructor.md.",
    )  # fmt: skip
    find.add_argument("file", type=Path, metavar="FILE", help="people as CSV, or people and dates as JSON")
    find.add_argument("--from", dest="starts_on", type=day, metavar="DAY", help="the first day, as 2027-03-01")
    find.add_argument("--to", dest="ends_on", type=day, metavar="DAY", help="the last day")
    find.add_argument("--zone", default="", help="on whose wall the hours are chosen (default: the first person's)")
    find.add_argument("--minutes", type=int, help="how long a meeting lasts (default 60)")
    find.add_argument("--without", action="append", default=[], type=day, metavar="DAY", help="a day without a meeting; may be repeated")
    find.add_argument("--out", type=Path, metavar="DIR", help="write hours.csv, turns.csv and burdens.csv there")
    find.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    find.add_argument("--language", default="en", choices=LANGUAGES)


def slots(args: argparse.Namespace) -> int:
    """0 found, 1 no hour is possible for all (it is told why), 2 the input has faults (nothing is written then)."""
    speak(args.language)
    try:
        return _find(args)
    except (Invalid, OSError) as error:
        return refused(error)


def _find(args: argparse.Namespace) -> int:
    from vsm.exchange.sessions import finding
    from vsm.exchange.sessions.files import Asked, question_of
    from vsm.kit.documents import in_file

    asked = Asked(args.starts_on, args.ends_on, args.zone, args.minutes, frozenset(args.without))
    people, wish = question_of(args.file.name, read_file(args.file), asked, zones=available_timezones())
    Invalid.because(in_file(args.file.name, each) for each in finding.why_not_ask(wish, len(people)))
    answer = finding.find(people, wish)
    summary = _summary(answer)
    if args.out:
        write_files(args.out, _files(answer, summary))
    print(json.dumps(summary, ensure_ascii=False) if args.json else _told(summary))
    return DONE if summary["hours"] or summary["turns"] else WRONG


def _summary(answer: "Answer") -> dict[str, Any]:
    from vsm.exchange.sessions.finding import hour_in_words, rotation_in_words, why_nothing

    hours = [
        {
            "starts": f"{answer.wish.wall(0, each.slot):%Y-%m-%dT%H:%M}", "zone": answer.wish.zone, "words": hour_in_words(answer, each.slot),
            "greatest_burden": each.worst, "sum": each.total, "cannot": answer.missing(each.slot),
        }
        for each in answer.fixed
    ]  # fmt: skip
    turns = [{"week": line["week"], "day": line["day"].isoformat(), "words": line["words"]} for line in rotation_in_words(answer)]
    rotation = answer.rotation
    return {
        "people": len(answer.people), "weeks": answer.wish.weeks, "hours": hours, "turns": turns,
        "turns_greatest_burden": rotation.worst if rotation else None, "turns_proved_best": rotation.proven if rotation else None,
        "why_not": reasons([] if hours or turns else [why_nothing(answer)]),
    }  # fmt: skip


def _files(answer: "Answer", summary: dict[str, Any]) -> dict[str, bytes]:
    best, rotation = (answer.fixed[0].burdens if answer.fixed else ()), (answer.rotation.burdens if answer.rotation else ())
    burdens = [
        (who.key, who.zone, best[place] if best else "", rotation[place] if rotation else "") for place, who in enumerate(answer.people)
    ]  # fmt: skip
    hours = ("starts", "zone", "greatest_burden", "sum", "cannot", "words")
    turns = ("week", "day", "words")
    return {
        "hours.csv": write_rows(hours, [[each[name] for name in hours] for each in summary["hours"]]),
        "turns.csv": write_rows(turns, [[each[name] for name in turns] for each in summary["turns"]]),
        "burdens.csv": write_rows(("id", "zone", "best_hour", "in_turns"), burdens),
    }


def _told(summary: dict[str, Any]) -> str:
    lines = [f"{summary['people']:,} people, {summary['weeks']} weeks."]
    if summary["hours"]:
        rows = [(str(each["greatest_burden"]), str(each["sum"]), str(each["cannot"]), each["words"]) for each in summary["hours"]]
        lines += ["", table(rows, ("greatest burden", "sum", "cannot", "hour"))]
    if summary["turns"]:
        lines += ["", f"In turns the greatest burden is {summary['turns_greatest_burden']}:"]
        lines += [f"  {each['week']:>2}  {each['day']}  {each['words']}" for each in summary["turns"]]
    return "\n".join([*lines, *(each["text"] for each in summary["why_not"])])
