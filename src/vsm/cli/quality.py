"""`vsm lint`, `vsm messages`, `vsm bench`, `vsm screenshots`: for those who change the program."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from django.conf import settings as django_settings

from vsm.config import ROOT
from vsm.kit.messages import LOCALE, TRANSLATED, collect, compile_changed, faults_of, merge

PACKAGE = ROOT / "src" / "vsm"
SOURCES = ("src", "tests", "scripts", "bench")
BENCHMARKS = {
    "search": "bench.search", "pages": "bench.pages", "import": "bench.importing", "allocation": "bench.allocation", "slots": "bench.slots",
    "run": "bench.run", "teams": "bench.teams", "switch": "bench.switch", "observatory": "bench.observatory",
}  # fmt: skip


def lint_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", default="", choices=("style", "types", "imports", "migrations", "translations"), help="one of the five")


def lint(args: argparse.Namespace) -> int:
    """Every check, also after a failure; 1 when one failed."""
    style = [name for name in SOURCES if (ROOT / name).exists()]
    checks = {
        "style": lambda: _python("ruff", "check", "--quiet", *style),
        "types": lambda: _python("mypy", "--no-error-summary"),
        "imports": lambda: _program("lint-imports", "--no-cache"),
        "migrations": lambda: _python("django", "makemigrations", "--check", "--dry-run", "--settings", "vsm.app.settings"),
        "translations": _translations,
    }
    failed = []
    for name, check in checks.items():
        if args.only and name != args.only:
            continue
        print(f"{name} …", flush=True)
        if check():
            failed.append(name)
    print(f"Failed: {', '.join(failed)}." if failed else "Clean.")
    return 1 if failed else 0


def messages_arguments(parser: argparse.ArgumentParser) -> None:
    del parser


def messages(args: argparse.Namespace) -> int:
    """Collect, merge, compile; then say what is left to translate."""
    del args
    _configure()
    found = collect(PACKAGE)
    missing = merge(LOCALE, found.messages)
    compile_changed()
    for fault in found.faults:
        print(fault, file=sys.stderr)
    print(f"{len(found.messages)} messages; not translated: " + ", ".join(f"{language} {missing[language]}" for language in TRANSLATED))
    return 1 if found.faults else 0


def bench(words: Sequence[str]) -> int:
    """Run one of bench/; each measures beside a peer and writes what it found to bench/README.md."""
    if not words or words[0] not in BENCHMARKS:
        print(f"Which one? ./vsm bench {' | '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    return _python(BENCHMARKS[words[0]], *words[1:])


def screenshots(words: Sequence[str]) -> int:
    """Run `scripts/screenshots.py` (needs Chromium)."""
    return _python("scripts.screenshots", *words)


def _translations() -> int:
    _configure()
    found = collect(PACKAGE)
    faults = [*found.faults, *faults_of(LOCALE, found.messages)]
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} faults: translate in src/vsm/locale/*/LC_MESSAGES/django.po (`./vsm messages` adds new strings).")
    return len(faults)


def _configure() -> None:
    """Django's template reader asks its settings for nothing but their presence."""
    if not django_settings.configured:
        django_settings.configure(USE_I18N=True)


def _program(name: str, *words: str) -> int:
    """A tool that cannot be started with `python -m`; it lies beside our interpreter."""
    return _run(os.path.join(os.path.dirname(sys.executable), name), *words)


def _python(module: str, *words: str) -> int:
    return _run(sys.executable, "-m", module, *words)


def _run(*command: str) -> int:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}  # noqa: TID251 -- handed on to the child
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
