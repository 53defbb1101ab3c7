"""`./vsm` itself: builds once, says clearly what is missing, begins an interrupted build afresh."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.races.ground import ROOT

pytestmark = pytest.mark.wide  # it builds environments


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "checkout")


def lay_out(place: Path) -> Path:
    """A checkout with a program of one line and locks that ask for nothing."""
    (place / "src" / "vsm").mkdir(parents=True)
    (place / "src" / "vsm" / "__init__.py").touch()
    (place / "src" / "vsm" / "__main__.py").write_text("import sys\nprint('ran', *sys.argv[1:])\n")
    shutil.copy(ROOT / "vsm", place / "vsm")
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (place / lock).write_text("# nothing\n")
    return place


def run(checkout: Path, *words: str, python: str = sys.executable, **more: str) -> subprocess.CompletedProcess[str]:
    """With nothing on the PATH but what its `tools` hold, so that neither uv nor another Python helps; `more` is in the environment."""
    environment = {"PATH": str(checkout / "tools"), "HOME": str(checkout), **more}
    return subprocess.run([python, str(checkout / "vsm"), *words], env=environment, capture_output=True, text=True, check=False)


def put_uv(checkout: Path) -> None:
    """A stand-in for uv: it notes how it is called, makes the environment with Python's own module, and has nothing to install.

    Making one with pip in it takes seconds; what is asked of the locks and their stamp is the same either way.
    """
    tools = checkout / "tools"
    tools.mkdir()
    fake = tools / "uv"
    fake.write_text(
        f'#!/bin/sh\necho "$@" >> "{checkout}/calls"\ncase "$1" in venv) exec {sys.executable} -m venv --without-pip "{checkout}/.venv";; esac\nexit 0\n'
    )
    fake.chmod(0o755)


@pytest.fixture
def built(checkout: Path) -> Path:
    """A checkout in which `./vsm up` ran before."""
    put_uv(checkout)
    assert run(checkout, "up").stdout == "Building .venv from requirements.lock (once)...\nran up\n"
    return checkout


def stamped(checkout: Path) -> list[str]:
    return [line.split()[0] for line in (checkout / ".venv" / "built-from").read_text().splitlines()]


def test_it_builds_once_then_only_runs_and_packages_that_cannot_be_had_are_told_with_the_reason(checkout: Path) -> None:
    """The one test in which Python's own venv and pip do the work."""
    first, second = run(checkout, "up", "--port", "1"), run(checkout, "up", "--port", "1")
    assert (first.returncode, first.stdout) == (0, "Building .venv from requirements.lock (once)...\nran up --port 1\n"), first.stderr
    assert (second.returncode, second.stdout) == (0, "ran up --port 1\n")
    assert stamped(checkout) == ["requirements.lock"]

    digest = hashlib.sha256(b"").hexdigest()
    (checkout / "requirements.lock").write_text(f"--no-index\nno-such-distribution==1 --hash=sha256:{digest}\n")
    done = run(checkout, "up")
    assert done.returncode == 1
    assert "no-such-distribution" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Stopped: the packages could not be installed (is there a network?).")
    assert not (checkout / ".venv" / "built-from").exists()


def test_compiled_modules_are_kept_in_the_environment_where_they_are_not_wanted_beside_the_sources(built: Path) -> None:
    for beside in built.glob("src/**/__pycache__"):
        shutil.rmtree(beside)
    (built / "src" / "vsm" / "__main__.py").write_text("import vsm.more\n")
    (built / "src" / "vsm" / "more.py").touch()

    run(built, "up", PYTHONDONTWRITEBYTECODE="1")
    assert not list(built.glob("src/**/__pycache__"))
    assert len(list((built / ".venv" / "compiled").glob("**/more.*.pyc"))) == 1


def test_developers_commands_add_the_developers_lock(built: Path) -> None:
    marker = built / ".venv" / "kept"
    marker.touch()
    assert run(built, "test").stdout == "Building .venv from requirements-dev.lock (once)...\nran test\n"
    assert run(built, "up").stdout == "ran up\n"
    assert marker.exists(), "what was there is kept: the second lock only adds"


def test_what_tests_must_not_leave_out_is_installed_with_the_developers_lock_and_stays(built: Path) -> None:
    (built / "requirements-spark.lock").write_text("# nothing\n")
    required = {"VSM_REQUIRE": "postgres,spark"}
    assert run(built, "up", **required).stdout == "ran up\n", "whoever runs it needs no engine of the tests"
    assert run(built, "lint", **required).stdout == "Building .venv from requirements-dev.lock, requirements-spark.lock (once)...\nran lint\n"
    assert run(built, "test", **required).stdout == run(built, "test").stdout == "ran test\n"
    (built / "requirements-spark.lock").write_text("# something else\n")
    assert run(built, "test").stdout == "ran test\n"
    assert run(built, "test", **required).stdout == "Building .venv from requirements-spark.lock (once)...\nran test\n"
    (built / "requirements-dev.lock").write_text("# something else\n")
    run(built, "test")
    assert stamped(built) == ["requirements-dev.lock", "requirements-spark.lock", "requirements.lock"]


def test_a_changed_lock_is_brought_in_where_others_may_be_working(built: Path) -> None:
    (built / ".venv" / "in-use").touch()
    (built / "requirements.lock").write_text("# something else\n")
    assert "Building .venv from requirements.lock" in run(built, "up").stdout
    assert run(built, "up").stdout == "ran up\n"
    assert (built / ".venv" / "in-use").exists()


def test_a_changed_lock_leaves_a_developer_what_developers_need(built: Path) -> None:
    run(built, "test")
    (built / "requirements.lock").write_text("# something else\n")
    assert "Building .venv from requirements-dev.lock" in run(built, "up").stdout
    assert stamped(built) == ["requirements-dev.lock", "requirements.lock"]
    assert run(built, "test").stdout == "ran test\n"


def test_an_interrupted_build_is_begun_afresh(built: Path) -> None:
    (built / ".venv" / "built-from").unlink()
    (built / ".venv" / "half").touch()
    assert "Building" in run(built, "up").stdout
    assert not (built / ".venv" / "half").exists()


def test_a_missing_venv_module_names_the_package(checkout: Path) -> None:
    """A Python whose `ensurepip` is missing, as Debian ships it."""
    tools = checkout / "tools"
    tools.mkdir()
    broken = tools / "python3"
    broken.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    broken.chmod(0o755)
    code = f"import sys; sys.executable = {str(broken)!r}; sys.argv[0] = {str(checkout / 'vsm')!r}; import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code, "up"], env={"PATH": str(tools)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1, "Python's venv module is missing here. Install it (Debian, Ubuntu: apt install python3-venv), or install uv, and try again.\n"
    )  # fmt: skip
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_too_old_is_told(checkout: Path) -> None:
    tools = checkout / "tools"
    tools.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (tools / name).write_text("#!/bin/sh\nexit 1\n")
        (tools / name).chmod(0o755)
    code = f"import sys; sys.executable = {str(tools / 'python3')!r}; import runpy; runpy.run_path({str(checkout / 'vsm')!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code, "up"], env={"PATH": str(tools)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("OpenVSM needs Python 3.11 or newer; here is ")
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_one_line(checkout: Path) -> None:
    """Also for root, who may write everywhere: a file stands where .venv should be made."""
    (checkout / ".venv").write_text("in the way")
    done = run(checkout, "up")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "cannot be written" in done.stderr


def test_uv_is_used_when_it_works(built: Path) -> None:
    calls = (built / "calls").read_text()
    assert "--require-hashes" in calls
    assert os.path.exists(built / ".venv" / "bin" / "python")
