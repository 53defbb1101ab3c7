"""`vsm test`: the suite, as deep as is asked, on SQLite and beside it on PostgreSQL; what cannot run here is named with its remedy."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

import psycopg

from vsm.config import ROOT
from vsm.kit.messages import compile_changed

WIDE = "--wide"
DEEPER = {WIDE, "--thorough"}  # more pages, readers and doors; tests/conftest.py knows what the gate leaves out
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
    with tempfile.TemporaryDirectory(prefix="vsm-tests-shared-") as shared:
        whole = not set(words) - DEEPER
        words = words if whole or DEEPER & set(words) else [*words, WIDE]  # whoever names tests wants what is there
        passes = [Pass("SQLite", "", words, Path(shared))]
        if "postgres" not in missing:
            passes.append(Pass("PostgreSQL", address, words, Path(shared)))
        for counted in _run(passes, side_by_side=whole):
            total += counted
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


@dataclass(frozen=True)
class Pass:
    """The suite on one engine. What all passes share, as the demo world, is made once in the folder `shared`."""

    engine: str
    address: str
    words: Sequence[str]
    shared: Path

    @property
    def report(self) -> Path:
        return self.shared / f"{self.engine}.xml"

    def begin(self, output: IO[bytes] | None = None) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "DATABASE_URL": self.address, "PYTHONPATH": str(ROOT / "src"), "VSM_TESTS_SHARED": str(self.shared)}  # noqa: TID251 -- handed on to the child
        command = [sys.executable, "-m", "pytest", "-rs", f"--junitxml={self.report}", "-o", "junit_family=xunit1", *self.words]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT if output else None)

    def counted(self, code: int) -> Counter[str]:
        found = _counted(self.report)
        # 5: nothing was collected, which is no failure of a narrowed run. Anything else without a failed test is a crash.
        if code not in (0, 5) and not found["failed"]:
            found["failed"] += 1
        return found


def _run(passes: Sequence[Pass], *, side_by_side: bool) -> Iterator[Counter[str]]:
    """A narrowed run has the terminal to itself, pass after pass. Any other runs at once on all engines: while one
    waits for its disk or a browser, another works. The first is seen at work, what the others say is told after it."""
    if not side_by_side:
        for each in passes:
            print(f"── {each.engine}", flush=True)
            yield each.counted(each.begin().wait())
        return
    # File by file in the order of tests/conftest.py, which knows the long ones; xdist would order by the number of tests. Of a
    # further engine the gate asks so little that one process has done it before the others end.
    spread = ("-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile", "--no-loadscope-reorder")
    begun: list[tuple[Pass, IO[bytes] | None, subprocess.Popen[bytes]]] = []
    try:
        for each in passes:
            told: IO[bytes] | None = (each.shared / f"{each.engine}.log").open("w+b") if begun else None
            words = (*each.words, *spread) if each.words or not begun else each.words
            begun.append((each, told, replace(each, words=words).begin(told)))
        for each, output, process in begun:
            print(f"── {each.engine}", flush=True)
            code = process.wait()
            if output:
                output.seek(0)
                print(output.read().decode("utf-8", "replace"), end="", flush=True)
            yield each.counted(code)
    finally:
        for _each, output, process in begun:
            process.terminate()  # whoever ended already does not mind
            process.wait()
            if output:
                output.close()


def _counted(report: Path) -> Counter[str]:
    if not report.exists():
        return Counter()
    found: Counter[str] = Counter()
    for suite in ElementTree.parse(report).iter("testsuite"):  # noqa: S314 -- the report that our own pytest wrote
        failed, skipped = int(suite.get("failures", 0)) + int(suite.get("errors", 0)), int(suite.get("skipped", 0))
        found += Counter(failed=failed, skipped=skipped, passed=int(suite.get("tests", 0)) - failed - skipped)
    return found
