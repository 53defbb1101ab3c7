"""A field tells programs a code and people a word."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import translation

from vsm.kit.i18n import N_
from vsm.kit.resources import Shown


@pytest.mark.parametrize(
    ("value", "told"),
    [("yes", "sí"), ("unheard", "unheard"), (["yes", "unheard"], ["sí", "unheard"]), ("", "sin límite"), (None, "sin límite"), ([], ["sin límite"])],
)
def test_words_are_told_of_codes_and_something_of_nothing(value: Any, told: Any) -> None:
    """What the table does not know stands as it is."""
    shown = Shown("limit", "Limit", lambda record: record.value, words={"yes": N_("yes")}, otherwise=N_("no limit"))
    with translation.override("es"):
        assert shown.told(SimpleNamespace(value=value)) == told


@pytest.mark.parametrize(("value", "told"), [(0, 0), (7, 7), (None, "no limit")])
def test_nought_is_a_number(value: int | None, told: Any) -> None:
    shown = Shown("limit", "Limit", lambda record: record.value, "integer", otherwise=N_("no limit"))
    assert shown.told(SimpleNamespace(value=value)) == told
