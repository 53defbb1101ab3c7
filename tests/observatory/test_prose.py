"""No number is typed by hand, no cause is claimed that the design cannot carry, and the languages say the same."""

from dataclasses import replace

import pytest

from vsm.observatory.estimates.facts import Fact
from vsm.observatory.publications.prose import faults, filled
from vsm.observatory.publications.telling import CannotTell, tell

GAP = Fact(key="gap.world.2021", value=-0.0532, low=-0.094, high=0.009, level=0.9, unit="share", design="counterfactual", geo="world", year=2021)
TOTAL = Fact(key="inbound.world.2021", value=6_440_413.5, unit="students", design="descriptive", geo="world", year=2021)
PARITY = Fact(key="parity.rural", value=0.9, low=0.7, high=1.2, unit="ratio", design="descriptive", geo="world")
LOSS = Fact(key="gap.anz.2021", value=-0.36, low=-0.52, high=-0.16, level=0.9, unit="share", design="counterfactual", geo="australia-and-new-zealand", year=2021)
FACTS = {fact.key: fact for fact in (GAP, TOTAL, LOSS, PARITY)}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "In 2021 there were 6.4 million students, −5.3% (−9.4% to 0.9%) in World."),
        ("es", "In 2021 there were 6,4 millones students, −5,3\u202f% (de −9,4\u202f% a 0,9\u202f%) in Mundo."),
        ("pt-br", "In 2021 there were 6,4 milhões students, −5,3% (de −9,4% a 0,9%) in Mundo."),
        ("fr", "In 2021 there were 6,4 millions students, −5,3\u202f% (de −9,4\u202f% à 0,9\u202f%) in Monde."),
    ],
)
def test_figures_follow_the_language(language: str, said: str) -> None:
    text = "In {inbound.world.2021|year} there were {inbound.world.2021} students, {gap.world.2021} ({gap.world.2021|band}) in {gap.world.2021|place}."
    assert filled(text, FACTS, language) == said


@pytest.mark.parametrize(("language", "said"), [("en", "1.3 million"), ("es", "1,3 millones"), ("pt-br", "1,3 milhão"), ("fr", "1,3 million")])
def test_less_than_two_millions_are_one_in_portuguese_and_french(language: str, said: str) -> None:
    assert tell(replace(TOTAL, value=1_310_000.0), "", language) == said
    assert tell(replace(TOTAL, value=1_960_000.0), "", language).endswith(("million", "millones", "milhões", "millions"))


def test_no_line_of_french_begins_with_a_colon() -> None:
    assert filled("Un total : rien ; fin « ici » !", FACTS, "fr") == "Un total\u00a0: rien\u00a0; fin «\u00a0ici\u00a0»\u00a0!"
    assert filled("Un total : nada", FACTS, "es") == "Un total : nada"


def test_what_a_fact_cannot_say_is_refused() -> None:
    with pytest.raises(CannotTell, match="no band"):
        tell(TOTAL, "band", "en")
    with pytest.raises(CannotTell, match="known are"):
        tell(TOTAL, "loudly", "en")


def codes(**texts: str) -> list[tuple[str, str]]:
    return [(fault.code, fault.language) for fault in faults(texts, FACTS)]


LINTED = {
    "digits": {"en": "It was 5 of them.", "es": "Eran 5.", "pt-br": "Eram 5.", "fr": "Ils étaient ½."},
    "spelled": {"en": "Nearly a third of them.", "es": "Casi la mitad.", "pt-br": "Quase dois terços.", "fr": "Dix pour cent, dit-on."},
    "cause": {
        "en": "It triggered {inbound.world.2021}.", "es": "A raíz de ello hubo {inbound.world.2021}.", "pt-br": "Isso resultou em {inbound.world.2021}.", "fr": "À la suite de cela, {inbound.world.2021}.",
    },
    "certainty": {
        "en": "A clear loss of {gap.world.2021}.", "es": "Una caída significativa de {gap.world.2021}.", "pt-br": "Uma queda significativa de {gap.world.2021}.", "fr": "Une baisse significative de {gap.world.2021}.",
    },
    "certainty of a ratio": {
        "en": "Fewer: confirmed by {parity.rural}.", "es": "Menos, sin duda: {parity.rural}.", "pt-br": "Menos, sem dúvida: {parity.rural}.", "fr": "Moins, c’est prouvé : {parity.rural}.",
    },
    "cause of what may be nothing": {
        "en": "This caused {gap.world.2021}.", "es": "Esto provocó {gap.world.2021}.", "pt-br": "Isso provocou {gap.world.2021}.", "fr": "Cela a provoqué {gap.world.2021}.",
    },
}  # fmt: skip
CODES = {"spelled": "digits", "certainty of a ratio": "certainty", "cause of what may be nothing": "certainty"}


@pytest.mark.parametrize("language", ["en", "es", "pt-br", "fr"])
@pytest.mark.parametrize("rule", LINTED)
def test_each_rule_reads_each_language(rule: str, language: str) -> None:
    assert codes(**{language: LINTED[rule][language]}) == [(CODES.get(rule, rule), language)]


def test_among_figures_that_only_count_no_sentence_claims_a_cause_even_without_a_figure() -> None:
    text = {"en": "Virtual mobility leads to more equity. {inbound.world.2021} were abroad."}
    assert [fault.code for fault in faults(text, FACTS, may_cause=False)] == ["cause"]
    assert faults(text, FACTS, may_cause=True) == []


def test_digits_and_unknown_facts_are_faults() -> None:
    assert codes(en="There were 6.4 million students.") == [("digits", "en")]
    assert codes(en="There were {inbound.world.2031} students.") == [("unknown-fact", "en")]
    assert codes(en="{term:covid} came in {inbound.world.2021|year}.") == []


def test_a_cause_needs_a_design_that_compares_with_what_would_have_been() -> None:
    assert codes(en="The pandemic caused a loss of {gap.anz.2021|size}.") == []
    assert codes(en="The pandemic led to {inbound.world.2021} students.") == [("cause", "en")]
    assert codes(es="La pandemia provocó {inbound.world.2021} estudiantes.") == [("cause", "es")]
    assert codes(fr="La pandémie a entraîné {inbound.world.2021} étudiants.") == [("cause", "fr")]


def test_nothing_is_significant_when_its_band_covers_zero() -> None:
    assert codes(en="The world lost significantly: {gap.world.2021}.") == [("certainty", "en")]
    assert codes(en="Australia lost significantly: {gap.anz.2021}.") == []


def test_the_languages_must_name_the_same_facts() -> None:
    both = {"en": "{gap.world.2021} of {inbound.world.2021}.", "es": "{gap.world.2021}."}
    assert [(fault.code, fault.text) for fault in faults(both, FACTS)] == [("languages", "inbound.world.2021: not as often as in en")]
