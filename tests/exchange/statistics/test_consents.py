"""What doors read of consents to pool counts."""

import pytest
from django.utils import translation

from vsm.exchange.statistics.queries import CONSENT_STATES, POOLING_CONSENT


@pytest.mark.parametrize(("language", "words"), [("es", ["Reunido", "Retirado", "Dado"]), ("pt-br", ["Reunido", "Retirado", "Dado"]), ("fr", ["Réuni", "Retiré", "Donné"])])
def test_the_state_of_a_consent_agrees_with_the_word_consent(language: str, words: list[str]) -> None:
    given = next(each.label for each in POOLING_CONSENT.fields if each.name == "given_at")
    with translation.override(language):
        assert [str(told) for told in (CONSENT_STATES["given"][0], CONSENT_STATES["withdrawn"][0], given)] == words
