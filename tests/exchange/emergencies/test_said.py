"""What people get wrong when clocks, teams and emergencies are concerned is answered in their language, with what to do next."""

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import available_timezones

import pytest
from django.utils import translation

from vsm.exchange.emergencies.rules import why_not_declare, why_not_lift
from vsm.exchange.sessions.rules import clock_note
from vsm.exchange.sessions.zones import why_no_zone
from vsm.exchange.teams.explain import impossible
from vsm.exchange.teams.problem import Kind, Participant, Problem, Rule
from vsm.kit.actions import TABLE, _not_yours
from vsm.kit.saying import say_reason
from vsm.kit.verdict import Reason


def mistakes() -> Iterator[tuple[Reason, dict[str, str]]]:
    """A reason, and words of it in each language."""
    (early,) = why_not_lift(starts_on=date(2027, 3, 10), on=date(2027, 3, 9), return_on=date(2027, 3, 9), today=date(2027, 3, 12))
    yield early, {"es": "10 de marzo de 2027", "pt-br": "10 de março de 2027", "fr": "10 mars 2027"}
    (reversed_days,) = (
        each
        for each in why_not_declare(
            title={"es": "Sismo"}, kind="disaster", places=[], directions=["being"], starts_on=date(2027, 3, 10), ends_on=date(2027, 3, 1), nationalities=[],
            residences=[], evidence=[], known={}, institutions=[],
        )
        if each.code == "dates-reversed"
    )  # fmt: skip
    yield reversed_days, {"es": "1 de marzo de 2027", "pt-br": "1º de março de 2027", "fr": "1er mars 2027"}
    skipped = clock_note(datetime(2026, 9, 6, 0, 30), "America/Santiago")
    twice = clock_note(datetime(2027, 4, 3, 23, 30), "America/Santiago")
    gone = why_no_zone("America/Limma", available_timezones())
    assert skipped
    assert twice
    assert gone
    yield skipped, {"es": "no existe", "pt-br": "não existe", "fr": "n’existe pas"}
    yield twice, {"es": "dos veces", "pt-br": "duas vezes", "fr": "deux fois"}
    yield gone, {"es": "America/Lima", "pt-br": "America/Lima", "fr": "America/Lima"}
    alike = [Participant(id=name, country="PE" if name < "d" else "BR") for name in "abcdef"[:4]]
    (unmet,) = impossible(Problem.of(alike, [Rule(Kind.COUNTRIES, 2)], size=2, smallest=2, largest=2, seed="1"))
    yield _not_yours(TABLE["placement", "start"]), {"es": "Coordinador(a)", "pt-br": "Coordenador", "fr": "Coordinateur"}
    yield _not_yours(TABLE["registration", "join"]), {"es": "Nadie da este paso", "pt-br": "Ninguém dá este passo", "fr": "Personne ne fait"}
    yield unmet, {"es": "menos países", "pt-br": "menos países", "fr": "moins de pays"}


@pytest.mark.parametrize("language", ["es", "pt-br", "fr"])
def test_a_mistake_is_answered_in_the_readers_language(language: str) -> None:
    for reason, words in mistakes():
        with translation.override("en"):
            english = say_reason(reason)
        with translation.override(language):
            said = say_reason(reason)
        assert said != english
        assert words[language].lower() in said.lower(), said
        assert "%(" not in said
