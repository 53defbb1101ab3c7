"""`vsm test`: the whole suite on SQLite, then again on PostgreSQL; what cannot run here is named with its remedy."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import psycopg

from vsm.config import ROOT
from vsm.kit.messages import compile_changed

THOROUGH = "--thorough"  # every page, reader and door; tests/conftest.py knows what the gate leaves out
BROWSER = "tests/browser"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REMEDY = {
    "postgres": "PostgreSQL: apt install postgresql, then VSM_TEST_POSTGRES=postgresql://user:password@127.0.0.1/database ./vsm test",
    "browser": "Chromium: apt install chromium",
}


def test(words: Sequence[str]) -> int:
    """Run pytest with `words`. 0 when everything passed and nothing that VSM_REQUIRE names was left out."""
    compile_changed()
    required = set(filter(None, os.environ.get("VSM_REQUIRE", "").split(",")))  # noqa: TID251 -- handed on to the children too
    address = os.environ.get("VSM_TEST_POSTGRES", "").strip()  # noqa: TID251 -- handed on to the children too
    total: Counter[str] = Counter()
    missing = [name for name, there in (("postgres", postgres_answers(address)), ("browser", any(map(shutil.which, BROWSERS)))) if not there]
    total += _suite("SQLite", words, "")
    if "postgres" not in missing:
        total += _suite("PostgreSQL", words, address)
    for name in missing:
        print(f"SKIPPED {REMEDY[name]}")
    refused = sorted(required & set(missing))
    if refused:
        print(f"Required by VSM_REQUIRE and not here: {', '.join(refused)}", file=sys.stderr)
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped'] + len(missing)} skipped")
    return 1 if total["failed"] or refused or not total["passed"] else 0


def postgres_answers(address: str) -> bool:
    """Whether a server answers where VSM_TEST_POSTGRES says. One that is named and silent is told, not passed over."""
    if not address:
        return False
    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.Error as cause:
        print(f"VSM_TEST_POSTGRES does not answer: {str(cause).strip()}", file=sys.stderr)
        return False
    return True


def _suite(engine: str, words: Sequence[str], address: str) -> Counter[str]:
    """One pass. The browser looks once, at a program that runs on SQLite."""
    if set(words) - {THOROUGH}:
        return _pytest(engine, address, words)
    # File by file in the order of tests/conftest.py, which knows the long ones; xdist would order by the number of tests.
    side_by_side = (*words, "-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile", "--no-loadscope-reorder")
    return _pytest(engine, address, (*side_by_side, f"--ignore={BROWSER}") if address else side_by_side)


def _pytest(title: str, address: str, words: Sequence[str]) -> Counter[str]:
    print(f"── {title}", flush=True)
    with tempfile.TemporaryDirectory(prefix="vsm-report-") as folder:
        report = Path(folder) / "report.xml"
        environment = {**os.environ, "DATABASE_URL": address, "PYTHONPATH": str(ROOT / "src")}  # noqa: TID251 -- handed on to the child
        command = [sys.executable, "-m", "pytest", "-rs", f"--junitxml={report}", "-o", "junit_family=xunit1", *words]
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        counted = _counted(report)
    # 5: nothing was collected, which is no failure of a narrowed run. Anything else without a failed test is a crash.
    if code not in (0, 5) and not counted["failed"]:
        counted["failed"] += 1
    return counted


def _counted(report: Path) -> Counter[str]:
    if not report.exists():
        return Counter()
    found: Counter[str] = Counter()
    for suite in ElementTree.parse(report).iter("testsuite"):  # noqa: S314 -- the report that our own pytest wrote
        failed, skipped = int(suite.get("failures", 0)) + int(suite.get("errors", 0)), int(suite.get("skipped", 0))
        found += Counter(failed=failed, skipped=skipped, passed=int(suite.get("tests", 0)) - failed - skipped)
    return found
