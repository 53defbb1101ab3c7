"""The entries that the program brings: `models.yaml`, `cases.yaml`, `sources.yaml` and the words in `vocabulary.yaml`. Pure.

They were written from notes taken on the pages that their sources name; nobody outside the project has reviewed them, and
their pages say so.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from vsm import rulebook
from vsm.kit.localized import LANGUAGES
from vsm.observatory.casebook.rules import CASE_LISTS, LISTS
from vsm.rulebook.reading import parse

CHECKED_ON = date(2026, 11, 23)


@cache
def vocabulary() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """List → word → its text in four languages. Raises ValueError when a text is missing."""
    told: Mapping[str, Mapping[str, Mapping[str, str]]] = _tree("vocabulary")
    wrong = [f"{name}.{word}" for name, words in told.items() for word, texts in words.items() if set(texts) != set(LANGUAGES)]
    lists = {*LISTS, *CASE_LISTS}
    if wrong or set(told) != lists:
        raise ValueError(f"vocabulary.yaml: {wrong or sorted(lists ^ set(told))}")
    return told


def definitions() -> list[dict[str, Any]]:
    """What counts as virtual student mobility, in each wording, the newest first: `since`, `text` in four languages and
    `reference`. Raises ValueError when a wording of the rulebook has no translation."""
    told = {entry["from"]: entry for entry in _tree("definitions")["definitions"]}
    return [
        {"since": each.since, "text": {"en": each.text, **{language: told[each.since.isoformat()][language] for language in LANGUAGES if language != "en"}}, "reference": each.reference}
        for each in reversed(rulebook.definitions())
    ]  # fmt: skip


def seeded_models() -> list[dict[str, Any]]:
    """What to write into each model, by column."""
    return [_entry(tree) for tree in _tree("models")["models"]]


def seeded_cases() -> list[dict[str, Any]]:
    """What to write into each case, by column; `model` is the slug of its model, absent where it shows several."""
    found = []
    for tree in _tree("cases")["cases"]:
        years = {name: int(tree[name]) if tree.get(name) else None for name in ("started", "ended")}
        claims = [{**claim, "value": float(claim["value"]), "note": claim.get("note", {}), **{name: claim.get(name, "") for name in ("year", "unit", "about", "basis")}} for claim in tree.get("claims", ())]
        found.append(_entry({**tree, **years, "claims": claims}))
    return found


def _entry(tree: Mapping[str, Any]) -> dict[str, Any]:
    known = {source["id"]: source for source in _tree("sources")["sources"]}
    name = tree["name"] if isinstance(tree["name"], dict) else dict.fromkeys(LANGUAGES, tree["name"])
    return {**tree, "name": name, "sources": [known[slug] for slug in tree["sources"]], "checked_on": CHECKED_ON, "digest": edition()}


@cache
def edition() -> str:
    """SHA-256 over the files: whether a database holds these texts is told without reading them."""
    return hashlib.sha256(b"".join(files(__package__).joinpath(f"{name}.yaml").read_bytes() for name in ("sources", "models", "cases"))).hexdigest()


@cache
def _tree(name: str) -> Any:
    return parse(files(__package__).joinpath(f"{name}.yaml").read_text("utf-8"))
