"""The table of commands: it makes the help page, the dispatch and a page of the handbook; modules load on demand."""

import argparse
import difflib
import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

import django
from django.apps import apps
from django.db import DatabaseError

from vsm.cli.saying import speak, tell
from vsm.kit.errors import VsmError
from vsm.kit.loading import for_good

DONE, REFUSED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class Command:
    """`module` holds `<function>_arguments(parser)` and `<function>(args) -> exit code`; `needs` is what it shows as
    its arguments; `django` whether the records must be loaded first (about a second); `raw` hands the words on as they are."""

    name: str
    audience: str
    needs: str
    summary: str
    module: str
    function: str = ""
    django: bool = True
    raw: bool = False

    @property
    def entry(self) -> str:
        return self.function or self.name


START, RECORDS, OPERATE, DEVELOP = "Start here", "Read and act, like the pages and the API", "Run it for others", "Develop it"

COMMANDS = (
    Command("up", START, "[--port N] [--empty]", "Start everything on this computer; Ctrl-C stops it.", "vsm.cli.up", django=False),
    Command("doctor", START, "", "Look at every part and say what to do about what is wrong.", "vsm.cli.operations"),
    Command("list", RECORDS, "NOUN", "List records; filter, sort, --json, --csv.", "vsm.cli.records", "list_records"),
    Command("show", RECORDS, "NOUN ID", "Show one record, its history and what can be done with it.", "vsm.cli.records"),
    Command("do", RECORDS, "NOUN VERB ID", "Do one of those things, as somebody.", "vsm.cli.acts"),
    Command("roles", RECORDS, "", "Show which role may do what.", "vsm.cli.acts"),
    Command("import", RECORDS, "catalogue FILE", "Import a catalogue of courses by a mapping file.", "vsm.cli.catalogue", "import_file"),
    Command("observatory", RECORDS, "TASK", "Load releases of sources; indicators, estimates and briefs from them.", "vsm.cli.observatory"),
    Command("allocation", RECORDS, "solve|audit|compare DIR", "Allocate seats from CSV files, audit an outcome, compare rules.", "vsm.cli.allocation", django=False),
    Command("teams", RECORDS, "form FILE", "Cut a class into mixed teams, from a file of students and rules.", "vsm.cli.teams"),
    Command("slots", RECORDS, "find FILE", "Find the best weekly hours for people in many time zones, from a file.", "vsm.cli.slots"),
    Command("verify", RECORDS, "FILE", "Check a credential or badge that somebody hands you.", "vsm.cli.credentials"),
    Command("migrate", OPERATE, "[--demo]", "Prepare or update the database, translations, static files and index.", "vsm.cli.preparing"),
    Command("add-operator", OPERATE, "EMAIL --name NAME", "Make an operator's account; prints its password once.", "vsm.cli.operations", "add_operator"),
    Command("web", OPERATE, "[--host H] [--port N]", "Serve the pages and the API (one unit of several).", "vsm.cli.serve", django=False),
    Command("worker", OPERATE, "", "Do the work that pages leave for later: mail, signing, indexing.", "vsm.cli.serve"),
    Command("outbox", OPERATE, "[--revive]", "Show letters and jobs that wait or failed; try the failed again.", "vsm.cli.operations"),
    Command("backup", OPERATE, "[--to DIR]", "Write one file with database, files and keys, while running.", "vsm.cli.backups"),
    Command("restore", OPERATE, "FILE [--force]", "Check a backup and put it in place.", "vsm.cli.backups", django=False),
    Command("test", DEVELOP, "[--wide|--thorough] [pytest arguments]", "Run the suite on SQLite and PostgreSQL.", "vsm.cli.testing", django=False, raw=True),
    Command("lint", DEVELOP, "", "Style, types, import contract, translations.", "vsm.cli.quality", django=False),
    Command("messages", DEVELOP, "", "Collect strings into the translators' files.", "vsm.cli.quality", django=False),
    Command("bench", DEVELOP, "NAME", "Measure beside a peer: search, pages, import, slots, teams, switch or observatory.", "vsm.cli.quality", django=False, raw=True),
    Command("screenshots", DEVELOP, "", "Take the handbook's screenshots again.", "vsm.cli.quality", django=False, raw=True),
)


def main(words: Sequence[str]) -> int:
    """Run one command. 0 done, 1 refused or failed, 2 wrong use."""
    if not words or words[0] in {"-h", "--help", "help"}:
        print(page())
        return DONE
    command = next((command for command in COMMANDS if command.name == words[0]), None)
    if command is None:
        print(unknown(words[0]), file=sys.stderr)
        return WRONG_USE
    try:
        return run(command, words[1:])
    except VsmError as error:
        if not command.django:
            load()  # the sentences need its translations
            speak("en")
        tell(error)
        return REFUSED
    except DatabaseError as error:
        print(f"The database does not fit or does not answer: {str(error).strip()}\nRun ./vsm migrate; if that fails too, ./vsm doctor.", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `vsm list … | head`
        sys.stdout = io.StringIO()
        return DONE


def run(command: Command, words: Sequence[str]) -> int:
    if command.django:
        load()
        speak("en")  # as its help, until `--as` names somebody who reads another language
    module = import_module(command.module)
    if command.raw:
        hand_on: Callable[[Sequence[str]], int] = getattr(module, command.entry)
        return hand_on(words)
    parser = argparse.ArgumentParser(f"vsm {command.name}", description=command.summary)
    arguments: Callable[[argparse.ArgumentParser], None] = getattr(module, f"{command.entry}_arguments")
    arguments(parser)
    perform: Callable[[argparse.Namespace], int] = getattr(module, command.entry)
    return perform(_read(parser, words))


def _read(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Options may stand before, between and after the other words, as `do call apply --as ana@… ID`."""
    try:
        return parser.parse_intermixed_args(words)
    except TypeError:  # a command with tasks of its own
        return parser.parse_args(words)


def load() -> None:
    """Load the records, once."""
    if not apps.ready:
        with for_good():
            django.setup()


def page() -> str:
    """The help: one page, by audience."""
    lines = ["OpenVSM: run virtual student mobility end to end, and learn what it does.", "", "  ./vsm COMMAND [arguments]      ./vsm COMMAND --help tells more"]
    for audience in dict.fromkeys(command.audience for command in COMMANDS):
        lines += ["", audience]
        lines += [f"  {f'{c.name} {c.needs}'.strip():31} {c.summary}" for c in COMMANDS if c.audience == audience]
    return "\n".join(lines)


def unknown(name: str) -> str:
    near = difflib.get_close_matches(name, [command.name for command in COMMANDS], 1, 0.5)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return f"There is no command `{name}`.{hint} `./vsm --help` lists them all."
