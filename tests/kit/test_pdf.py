"""What the papers look like, as far as a program can see it."""

import re
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
import typst
from django.utils import formats, translation

from vsm.kit import pdf

LONG_SYSTEM = "Sistema Europeu de Transferência e Acumulação de Créditos (ECTS)"


def column_widths(monkeypatch: pytest.MonkeyPatch, package: str, template: str, data: dict[str, Any]) -> list[float]:
    """The distances between the upright rules on the page, in points."""
    typeset = typst.compile
    monkeypatch.setattr(pdf.typst, "compile", lambda source, sys_inputs, pdf_standards: typeset(source, sys_inputs=sys_inputs, format="svg"))
    drawn = pdf.render(package, template, data).decode()
    upright = sorted(float(left) for left in re.findall(r'<path [^>]*transform="translate\(([\d.]+) [\d.]+\)" d="M 0 0v ', drawn))
    return [right - left for left, right in pairwise(upright)]


def test_the_columns_of_a_diploma_supplement_lie_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long name of a credit system took all the room of the modules, which were then printed over the terms."""
    row = {"code": "HID1", "title": "Hidrología de cuencas", "term": "MGA-1", "credits": "9", "grade": "7.5"}
    words = {name: name.title() for name in ("preamble", "code", "module", "term", "credits", "grade", "not_given", "number", "fingerprint", "meaning")}
    section = {"number": "4", "title": "Contents", "lines": [{"number": "4.3", "label": "Details", "text": "", "results": [row] * 3}]}
    data = {
        "language": "pt", "region": "BR", "title": "Suplemento ao diploma", "holder": "Lucía", "award": "Mestrado", "host": "Albufera", "number": "1",
        "digest": "0" * 64, "sections": [section], "labels": {**words, "credit_system": LONG_SYSTEM},
    }  # fmt: skip
    widths = column_widths(monkeypatch, "vsm.exchange.programmes", "diploma_supplement.typ", data)
    assert len(widths) == 5
    assert widths[1] > 100, widths


@pytest.mark.parametrize(("language", "told"), [("pt-br", "1º de setembro de 2026"), ("es", "1 de septiembre de 2026"), ("fr", "1er septembre 2026"), ("en", "1 Sep 2026")])
def test_a_day_is_written_as_its_language_does(language: str, told: str) -> None:
    with translation.override(language):
        assert formats.date_format(date(2026, 9, 1), "DATE_FORMAT") == told
