"""What the libraries say in forms and dates is told in our voice."""

from datetime import date

import pytest
from babel.dates import get_month_names
from django import forms
from django.core.exceptions import ValidationError
from django.utils import dateformat, formats, translation

from vsm.app.formats import MONTHS


def test_a_form_speaks_to_a_spanish_reader_as_every_page_does() -> None:
    with pytest.raises(ValidationError) as refused:
        forms.EmailField().clean("nobody")
    with translation.override("es"):
        assert refused.value.messages == ["Escribe una dirección de correo electrónico válida."]


def test_short_months_are_those_of_the_cldr_in_french() -> None:
    """Cut after three letters June and July would be one, and March a Tuesday."""
    with translation.override("fr"):
        told = [dateformat.format(date(2026, month, 5), "b") for month in range(1, 13)]
    assert told == list(get_month_names("abbreviated", locale="fr").values())


def test_portuguese_months_are_small_in_sentences() -> None:
    with translation.override("pt-br"):
        assert formats.date_format(date(2027, 3, 1), "DATE_FORMAT") == "1º de março de 2027"
        assert [month for name in MONTHS if (month := translation.gettext(name)) != month.lower()] == []
