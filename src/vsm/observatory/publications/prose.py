"""Prose that can only name facts. `{gap.world.2021}` stands for a figure, `{gap.world.2021|band}` for its band, `{term:covid}`
for a name with digits in it. A linter refuses what a person typed by hand, a cause that the design cannot carry, and
certainty where a band covers nothing at all; it reads each of the four languages. Pure.

Facts are named by key; `tell` says them in the language of the text. So the four languages of a brief can be compared: they
must name the same facts the same number of times.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vsm.kit.localized import unbroken
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.publications.telling import CannotTell, tell

HOLE = re.compile(r"\{([^{}|]+)(?:\|([a-z]+))?\}")
SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n{2,}|\n(?=[-#])")
# Names that have digits, and words that may.
TERMS: Mapping[str, str] = {"covid": "COVID-19", "sdg4": "SDG 4", "ods4": "ODS 4", "odd4": "ODD 4", "ccbysa": "CC BY-SA 3.0 IGO", "h2020": "Horizon 2020"}
# Words that claim a cause, by language; a sentence that has one may lean on designs that compare with what would have been only.
CAUSAL = {
    "en": r"\b(caus(ed?|es|ing|ally?)|because of|due to|le(d|ads?) to|effects? of|impacts? of|result(s|ed)? in|as a result of|thanks to|owing to|driven by|brought about|trigger(s|ed)?|attributable to)\b",
    "es": r"\b(caus[óa]\w*|a causa de|debid[oa]s? a|provoc\w+|efectos? de|impactos? de|gracias a|result[óo] en|como resultado de|condujo a|llev[óo] a|a raíz de|atribuible\w*)\b",
    "pt-br": r"\b(caus\w+|por causa d\w+|devido a\w*|provoc\w+|efeitos? d\w+|impactos? d\w+|graças a\w*|result(a|ou) em|como resultado d\w+|lev(a|ou) a|em razão d\w+|atribuíve\w+)\b",
    "fr": r"\b(caus[éea]\w*|à cause d\w*|en raison d\w*|d(û|ue?s?) à|provoqu\w+|effets? d\w*|impacts? d\w*|grâce à|a entraîné|a conduit à|à la suite d\w*|imputable\w*|résulte\w* d\w*)(?!\w)",
}
SIGNIFICANT = {
    "en": r"\b(significant\w*|established|certain(ly)?|clear(ly)?|proves?|proven|undoubtedly|definite(ly)?|unquestionabl\w+|confirm(s|ed)?)\b",
    "es": r"\b(significativ\w+|establecid\w+|ciert[oa]|claramente|demuestra\w*|comprobad\w+|sin duda|indudable\w*|confirma\w*)\b",
    "pt-br": r"\b(significativ\w+|estabelecid\w+|cert[oa]|claramente|demonstra\w*|comprovad\w+|sem dúvida|indubitave\w+|confirma\w*)\b",
    "fr": r"\b(significati\w+|établi\w*|certain\w*|clairement|démontr\w+|prouv\w+|sans aucun doute|indubitable\w*|confirm\w+)\b",
}
# A share said in words is a number typed by hand as well.
SPELLED = {
    "en": r"%|\b(per ?cent|percentage|thousands? of|an? (half|third|quarter)|two thirds|doubled|tripled|halved)\b",
    "es": r"%|\b(por ciento|porcentaje|miles de|la mitad|un tercio|dos tercios|un cuarto|se (duplic|triplic)\w+)\b",
    "pt-br": r"%|\b(por cento|porcentagem|percentual|milhares de|a metade|um terço|dois terços|um quarto|(duplic|triplic|dobr)(ou|aram))\b",
    "fr": r"%|\b(pour ?cent|pourcentage|milliers de|la moitié|un tiers|deux tiers|un quart|(doublé|triplé)\w*)(?!\w)",
}


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong with a text, where. `code` is one of digits, unknown-fact, cannot-tell, cause, certainty, languages,
    unsupported (a recommendation that names no figure)."""

    code: str
    language: str
    text: str


def keys_in(text: str) -> Counter[str]:
    """The facts that a text names, and how often. Ways of saying (`|band`) count apart; terms do not count."""
    return Counter(f"{key}|{how}" if how else key for key, how in HOLE.findall(text) if not key.startswith("term:"))


def filled(text: str, facts: Mapping[str, Fact], language: str) -> str:
    """The text with every fact told. KeyError for a fact that is not there, CannotTell for one that has no such thing to say."""

    def told(found: re.Match[str]) -> str:
        key, how = found[1], found[2] or ""
        if key.startswith("term:"):
            return TERMS[key.removeprefix("term:")]
        return tell(facts[key], how, language)

    return unbroken(HOLE.sub(told, text), language)


def faults(texts: Mapping[str, str], facts: Mapping[str, Fact], *, may_cause: bool = True) -> list[Fault]:
    """Everything that is wrong with a text in its languages, in order.

    `may_cause`: whether anything that the brief names compares with what would have been. Where nothing does, a sentence
    may not claim a cause even when it names no figure itself: it stands among figures that cannot carry the claim.
    """
    found = [fault for language, text in texts.items() for fault in _faults_in(text, language, facts, may_cause)]
    names = {language: keys_in(text) for language, text in texts.items()}
    first, *others = names
    for other in others:
        apart = (names[first] - names[other]) + (names[other] - names[first])
        found += [Fault("languages", other, f"{key}: not as often as in {first}") for key in sorted(apart)]
    return sorted(found)


def _faults_in(text: str, language: str, facts: Mapping[str, Fact], may_cause: bool) -> Iterator[Fault]:
    for sentence in filter(None, map(str.strip, SENTENCE.split(text))):
        bare = HOLE.sub("", sentence)
        if any(unicodedata.category(char).startswith("N") for char in bare) or re.search(SPELLED[language], bare, re.IGNORECASE):
            yield Fault("digits", language, sentence)
        named = []
        for key, how in HOLE.findall(sentence):
            if key.startswith("term:"):
                if key.removeprefix("term:") not in TERMS:
                    yield Fault("unknown-fact", language, key)
                continue
            if key not in facts:
                yield Fault("unknown-fact", language, key)
                continue
            named.append(facts[key])
            try:
                tell(facts[key], how, language)
            except CannotTell as cause:
                yield Fault("cannot-tell", language, str(cause))
        claims_cause = re.search(CAUSAL[language], bare, re.IGNORECASE)
        if claims_cause and (any(not fact.is_causal for fact in named) if named else not may_cause):
            yield Fault("cause", language, sentence)
        sure = claims_cause or re.search(SIGNIFICANT[language], bare, re.IGNORECASE)
        if sure and any(may_be_nothing(fact) for fact in named):
            yield Fault("certainty", language, sentence)


def may_be_nothing(fact: Fact) -> bool:
    """Whether its band holds the value that means no difference: zero, and for a ratio of two groups one."""
    if fact.unit != "ratio":
        return fact.covers_zero
    return fact.low is not None and fact.high is not None and fact.low <= 1 <= fact.high
