"""Each language has one pair of quotation marks."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import polib
import pytest
import yaml

from vsm.kit.localized import text_in
from vsm.kit.messages import catalogue

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "vsm"
OTHERS = {"es": "«»„‟", "pt-br": "«»„‟", "en": "«»„‟", "fr": "“”„‟"}
FOLDERS = {"es": "es", "pt-br": "pt_BR", "fr": "fr"}


def texts_of(value: Any, language: str) -> Iterator[str]:
    """What a file holds in `language`: below a mapping from languages to texts, and in every list and mapping."""
    if isinstance(value, dict):
        if {"es", "en"} <= value.keys() and isinstance(value.get(language), str):
            yield value[language]
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from texts_of(inner, language)


def literals(source: str) -> Iterator[dict[object, object]]:
    """The mappings of constants that a module writes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            yield {k.value: v.value for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant) and isinstance(v, ast.Constant)}


@cache
def held() -> list[tuple[str, Any]]:
    """File → what YAML and modules hold."""
    files = [(path.name, yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)) for path in PACKAGE.rglob("*.yaml")]
    return files + [(path.name, list(literals(text))) for path in PACKAGE.rglob("*.py") if '"es":' in (text := path.read_text("utf-8"))]


def written(language: str) -> Iterator[tuple[str, str]]:
    """File → text: translations, and what YAML and modules hold in several languages."""
    if language in FOLDERS:
        for entry in polib.pofile(str(catalogue(PACKAGE / "locale", FOLDERS[language]))):
            yield from (("django.po", text) for text in [entry.msgstr, *entry.msgstr_plural.values()])
    for name, value in held():
        yield from ((name, text) for text in texts_of(value, language))


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_uses_the_quotation_marks_of_its_language(language: str) -> None:
    texts = list(written(language))
    assert {Path(name).suffix for name, _ in texts} == {".yaml", ".py", *([".po"] if language in FOLDERS else [])}
    assert [found for found in texts if re.search(f"[{OTHERS[language]}]", found[1])] == []


def test_french_marks_stand_apart_from_what_they_quote() -> None:
    """By a plain space: what shows the text makes it one that does not break."""
    glued = re.compile("«[^ \u00a0]|[^ \u00a0]»")
    assert [found for found in written("fr") if glued.search(found[1])] == []


def test_a_text_in_several_languages_is_read_with_the_spaces_of_french() -> None:
    texts = {"fr": "Énoncés « je peux » : voici", "es": "Enunciados “puedo” : aquí"}
    assert text_in(texts, "fr") == "Énoncés «\u00a0je peux\u00a0»\u00a0: voici"
    assert text_in(texts, "es") == "Enunciados “puedo” : aquí"
