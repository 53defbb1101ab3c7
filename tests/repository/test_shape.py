"""What must hold for the repository as a whole."""

import ast
import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.utils import translation

from vsm.cli.commands import COMMANDS
from vsm.config import Settings
from vsm.exchange.people.rules import ROLE_LABELS
from vsm.kit.actions import GRANTEES, NOTED, TABLE
from vsm.kit.messages import catalogue, collect
from vsm.web.templatetags.look import colon

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "vsm"
BINARY = {".png", ".jpg", ".webp", ".ico", ".woff2", ".mo", ".pdf", ".gz", ".xlsx", ".ttf", ".otf"}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [path for name in listed if name and (path := ROOT / name).is_file()]


def python_files() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and "migrations" not in path.parts]


def texts() -> list[tuple[str, str]]:
    return [(path.relative_to(ROOT).as_posix(), path.read_text("utf-8", "replace")) for path in tracked() if path.suffix not in BINARY]


def modules() -> dict[Path, str]:
    return {path: text for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts and (text := path.read_text("utf-8"))}


def test_every_silenced_warning_gives_its_reason() -> None:
    """In tests only `noqa` silences anything: types are checked in src."""
    bare = []
    for path in python_files():
        silenced = re.compile(r"#\s*noqa\b(?P<rest>.*)" if path.is_relative_to(ROOT / "tests") else r"#\s*(noqa|type:\s*ignore)\b(?P<rest>.*)")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            found = silenced.search(line)
            # E402 in the suite's ground needs no words on each line: the environment is set above the imports.
            if found and " -- " not in found["rest"] and path != Path(__file__) and not found["rest"].startswith(": E402"):
                bare.append(f"{path.relative_to(ROOT)}:{number}")
    assert bare == []


def test_no_string_for_people_is_built_where_it_should_be_translated() -> None:
    assert collect(PACKAGE).faults == []


def test_no_module_is_a_drawer_without_a_name() -> None:
    nameless = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "base", "misc"}
    assert [path for path in python_files() if path.stem in nameless] == []


def test_every_module_says_what_it_is() -> None:
    assert [path.relative_to(ROOT).as_posix() for path, text in modules().items() if not text.startswith('"""') and not ast.get_docstring(ast.parse(text))] == []


def test_whoever_an_act_is_granted_to_has_one_name_in_refusals_and_lists() -> None:
    granted = {grant.partition("@")[0] for act in TABLE.values() for grant in act.allow} - {"anyone"}
    assert granted - {*GRANTEES} == set()
    assert [(role, GRANTEES.get(role)) for role in ROLE_LABELS] == list(ROLE_LABELS.items())


def test_what_is_noted_beside_an_act_has_words() -> None:
    """A verb written at `note` is an act's somewhere, or its slice says in words what it is."""
    said, noted = {verb for _noun, verb in [*TABLE, *NOTED]}, []
    for path, text in modules().items():
        if "note(" not in text and "note_many(" not in text:
            continue
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        noted += [(path.name, call.args[1].value) for call in calls if call.func.id in {"note", "note_many"} and isinstance(call.args[1], ast.Constant)]
    assert len(noted) > 50
    assert [each for each in noted if each[1] not in said] == []


def test_the_operators_handbook_names_every_setting_and_nothing_else() -> None:
    handbook = (ROOT / "docs" / "handbook" / "operator.md").read_text("utf-8")
    read = set(re.findall(r'_(?:read|flag)\("([A-Z_]+)"\)', (PACKAGE / "config.py").read_text("utf-8")))
    assert len(read) == len(dataclasses.fields(Settings)), "config.py reads each setting by _read or _flag"
    documented = set(re.findall(r"^\| `((?:VSM_|DATABASE_)[A-Z_]+)`", handbook, re.MULTILINE))
    assert documented - read == {"VSM_TEST_POSTGRES"}
    assert read - documented == set()


def test_the_operators_handbook_names_every_command() -> None:
    handbook = (ROOT / "docs" / "handbook" / "operator.md").read_text("utf-8") + (ROOT / "docs" / "CONTRIBUTING.md").read_text("utf-8")
    assert [command.name for command in COMMANDS if not re.search(rf"\./vsm {command.name}\b", handbook)] == []


def test_the_import_contract_holds() -> None:
    program = str(Path(sys.executable).parent / "lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, env={**os.environ, "PYTHONPATH": "src"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_spanish_catalogue_calls_its_reader_tu() -> None:
    """Ustedes may stay: it is the plural of tú. The commands are those that slip in most."""
    formal = re.compile(r"\busted\b|(?:^|[.:;?!] )(?:Abra|Busque|Cambie|Corrija|Decida|Diga|Elija|Escriba|Indique|Lea|Pida|Permita|Publique|Revise|Use|Vea|Vuelva|Introduzca|Ingrese|Seleccione) |¿(?:Pudo|Desea|Ha) ", re.IGNORECASE)
    entries = polib.pofile(str(catalogue(PACKAGE / "locale", "es")))
    assert [text for entry in entries for text in [entry.msgstr, *entry.msgstr_plural.values()] if formal.search(text)] == []


def test_a_colon_of_a_template_is_set_as_the_readers_language_sets_it() -> None:
    """Inside a translated sentence translators write it; between two values `{% colon %}` does."""
    bare = re.compile(r"(?:%\}|\}\})(?:</[a-z]+>)*: ")
    texts = {path: re.sub(r"\{% blocktranslate.*?\{% endblocktranslate %\}", "", path.read_text("utf-8"), flags=re.DOTALL) for path in (PACKAGE / "web" / "templates").rglob("*.html")}
    assert [path.name for path, text in texts.items() if bare.search(text)] == []
    with translation.override("fr"):
        french = colon()
    assert (french, colon()) == ("\u00a0:", ":")


# Spelled apart, so that this file does not find itself.
PLACES = [r"(?<![\w.:/-])/" + name + r"/[\w.-]" for name in ("work", "root", "home", "scratch", "Users")]
INDEXES = ["pypi" + r"\.[\w.-]+/simple", "--index" + "-url", "--extra-index" + "-url", "--find" + "-links", "files\\." + "pythonhosted"]


@pytest.mark.parametrize("pattern", [*PLACES, *INDEXES])
def test_nothing_tracked_tells_of_one_machine(pattern: str) -> None:
    found = re.compile(pattern)
    assert [name for name, text in texts() if name != "tests/repository/test_shape.py" and found.search(text)] == []


def pinned(lock: str) -> dict[str, list[str]]:
    """Name → what stands behind ==, with its marker: some libraries have another version for an older Python."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\\\n]+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE):
        found.setdefault(name, []).append(version.strip())
    return found


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.lock") if path.name != "requirements-peers.lock"))
def test_locks_are_hashed_and_name_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    entries = [entry for entry in re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)) if entry.strip()]
    assert len(entries) == sum(map(len, pinned(lock).values())) > 20
    assert [entry.split("=")[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


def test_the_developers_lock_holds_the_other_at_the_same_versions() -> None:
    """`./vsm` counts on it: after the developers' build nothing is left to build."""
    developers = pinned("requirements-dev.lock")
    assert {name: developers.get(name) for name in pinned("requirements.lock")} == pinned("requirements.lock")
