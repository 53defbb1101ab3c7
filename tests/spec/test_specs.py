"""Specifications that a registrar can read: run as tests, printed into docs/rules.

A slice puts two things into `tests/spec/<slice>/`: YAML files of cases, and `kinds.py` with

    KINDS: dict[str, Callable[[Mapping], Mapping]]   kind of case → what the program answers to its `given`
    def appendix() -> str                            optional: Markdown printed below the cases

Everything in the YAML is text. A case passes when, for every key it names under `then`, the answer says exactly that.
Print the pages again with `python tests/spec/test_specs.py`.
"""

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

SPECS = Path(__file__).resolve().parent
PAGES = SPECS.parent.parent / "docs" / "rules"

Kind = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Case:
    """One sentence with what is given and what then follows."""

    file: str
    kind: str
    name: str
    given: Mapping[str, Any]
    then: Mapping[str, Any]


@dataclass(frozen=True)
class Spec:
    """One file: cases of one kind under a title."""

    file: str
    title: str
    intro: str
    kind: str
    cases: tuple[Case, ...]


def slices() -> list[str]:
    """Every folder beside this file that holds specifications."""
    return sorted({file.parent.name for file in SPECS.glob("*/*.yaml")})


def specs(of: str) -> list[Spec]:
    return [_spec(file) for file in sorted((SPECS / of).glob("*.yaml"))]


def kinds(of: str) -> Mapping[str, Kind]:
    return dict(_module(of).KINDS)


def page(of: str) -> str:
    """The specifications of a slice as one page of Markdown."""
    parts = [
        f"# Rules: {of.replace('_', ' ')}\n",
        f"*Printed from `tests/spec/{of}/` by `python tests/spec/test_specs.py`; every case runs as a test. "
        "Edit the cases, not this page.*\n",
    ]
    parts += [_section(spec) for spec in specs(of)]
    appendix = getattr(_module(of), "appendix", None)
    if appendix is not None:
        parts.append(appendix())
    return "\n".join(parts).rstrip() + "\n"


def write_pages() -> None:
    PAGES.mkdir(parents=True, exist_ok=True)
    for of in slices():
        (PAGES / f"{of}.md").write_text(page(of), encoding="utf-8")


def _cases() -> list[Any]:
    return [
        pytest.param(of, case, id=f"{of}/{case.file}: {case.name}")
        for of in slices()
        for spec in specs(of)
        for case in spec.cases
    ]


def _spec(file: Path) -> Spec:
    # BaseLoader reads every scalar as text: 5.5 stays as the registrar wrote it, and `no` is not False.
    content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    unknown = set(content) - {"title", "intro", "kind", "cases"}
    assert not unknown, f"{file.name}: {sorted(unknown)} is not known here"
    return Spec(
        file=file.name,
        title=content["title"],
        intro=content.get("intro", ""),
        kind=content["kind"],
        cases=tuple(_case(file, content["kind"], each) for each in content["cases"]),
    )


def _case(file: Path, kind: str, content: Mapping[str, Any]) -> Case:
    assert set(content) == {"name", "given", "then"}, f"{file.name}: a case has name, given and then: {dict(content)}"
    return Case(file.name, kind, content["name"], content["given"], content["then"])


def _module(of: str) -> ModuleType:
    name = f"spec_kinds_{of}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, SPECS / of / "kinds.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]


def _section(spec: Spec) -> str:
    lines = [f"## {spec.title}\n"]
    if spec.intro:
        lines.append(spec.intro.strip() + "\n")
    for case in spec.cases:
        lines.append(f"- **{case.name}**  ")
        lines.append(f"  given {_said(case.given)}  ")
        lines.append(f"  then {_said(case.then)}")
    return "\n".join(lines) + "\n"


def _said(facts: Mapping[str, Any]) -> str:
    return " · ".join(f"{key.replace('_', ' ')}: {_value(value)}" for key, value in facts.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{key.replace('_', ' ')} {_value(each)}" for key, each in value.items()) + ")"
    if isinstance(value, list):
        return "(" + ", ".join(_value(each) for each in value) + ")" if value else "none"
    return f"`{value}`" if value else "(empty)"


# The tests stand below the helpers, because their parameters are read while the module is loaded.


@pytest.mark.parametrize(("of", "case"), _cases())
def test_the_program_answers_as_specified(of: str, case: Case) -> None:
    answer = kinds(of)[case.kind](case.given)
    assert {key: answer.get(key, "(nothing)") for key in case.then} == dict(case.then)


@pytest.mark.parametrize("of", slices())
def test_every_case_has_a_sentence_of_its_own_and_expects_something(of: str) -> None:
    names = [case.name for spec in specs(of) for case in spec.cases]
    assert sorted(names) == sorted(set(names))
    assert [case.name for spec in specs(of) for case in spec.cases if not case.then] == []


@pytest.mark.parametrize("of", slices())
def test_every_kind_of_case_is_known_and_used(of: str) -> None:
    assert {spec.kind for spec in specs(of)} == set(kinds(of))


@pytest.mark.parametrize("of", slices())
def test_the_printed_page_is_up_to_date(of: str) -> None:
    printed = (PAGES / f"{of}.md").read_text(encoding="utf-8")
    assert printed == page(of), "print it again: python tests/spec/test_specs.py"


if __name__ == "__main__":
    sys.path.insert(0, str(SPECS.parent.parent / "src"))
    write_pages()
