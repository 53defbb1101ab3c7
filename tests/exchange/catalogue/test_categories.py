"""Six files say what each category asks of the house; nobody else compares their names."""

import re
from pathlib import Path

from vsm.exchange.catalogue.categories import all_categories, category
from vsm.kit.localized import LANGUAGES
from vsm.standards.open_badges.shapes import ACHIEVEMENT_TYPES

PACKAGE = Path(__file__).resolve().parents[3] / "src" / "vsm"
COMPARED = re.compile(r"category(_slug)?\s*(==|!=|in \()\s*[\"'(]")


def test_the_six_stand_in_the_order_of_the_definition_and_speak_four_languages() -> None:
    assert [each.slug for each in all_categories()] == ["course", "programme", "placement", "collaboration", "preparation", "switch"]
    for each in all_categories():
        assert (set(each.name), set(each.summary)) == (set(LANGUAGES), set(LANGUAGES))
        assert each.certified_as in ACHIEVEMENT_TYPES


def test_a_category_is_asked_what_it_uses() -> None:
    assert (category("course").uses("seats"), category("placement").uses("seats")) == (True, False)


def test_nobody_else_compares_the_name_of_a_category() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in PACKAGE.rglob("*.py")
        if "categories" not in path.parts and "migrations" not in path.parts
        for line in path.read_text("utf-8").splitlines()
        if COMPARED.search(line)
    ]
    assert found == []
