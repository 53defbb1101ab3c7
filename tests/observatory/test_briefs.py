"""Every brief that ships can be published from the totals that ship: no fault in any of its four languages."""

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from vsm.kit.localized import LANGUAGES
from vsm.observatory.casebook.models import Case
from vsm.observatory.casebook.seeds import seeded_cases, seeded_models
from vsm.observatory.estimates.facts import Fact, checked
from vsm.observatory.estimates.studies import STUDIES
from vsm.observatory.publications.around import of_casebook, of_gates
from vsm.observatory.publications.briefs import AUDIENCES, Brief, briefs
from vsm.observatory.publications.prose import TERMS, filled
from vsm.observatory.sources.loaders import facts, facts_lac


@cache
def facts_for(studies: tuple[str, ...]) -> dict[str, Fact]:
    rows = [row for shipped in (facts, facts_lac) for row in shipped.read(Path(str(shipped.SHIPPED)), lambda _done, _total: None).table.to_pylist()]
    told, regional = [], [{**case, "regions": Case(countries=case["countries"], regions=case.get("regions", [])).facet_words()["region"]} for case in seeded_cases()]
    for study in studies:
        found, gates = STUDIES[study].run(rows)
        told += [*found, *of_gates(study, [(gate.code, gate.passed, gate.figure, gate.asked) for gate in gates])]
    return checked(list({fact.key: fact for fact in (*told, *of_casebook(seeded_models(), regional))}.values()))


@pytest.mark.parametrize("brief", briefs().values(), ids=briefs())
def test_a_brief_has_no_fault_and_speaks_to_every_audience(brief: Brief) -> None:
    facts = facts_for(brief.studies)
    assert brief.faults(facts) == []
    assert (set(brief.advice), 3 <= len(brief.messages) <= 5) == (set(AUDIENCES), True)
    for _place, texts in brief.texts():
        for language, text in texts.items():
            assert "{" not in filled(text, facts, language)


NUMBER = re.compile(r"[−+]?\d+(?:[.,\u202f\u00a0]\d+)*")
GROUPING, POINT = {"en": ",", "es": ".", "pt-br": ".", "fr": "\u202f"}, {"en": ".", "es": ",", "pt-br": ",", "fr": ","}


def numbers(text: str, language: str) -> Counter[float]:
    """Every number that a reader meets, read by the rules of the language; names with digits in them left out."""
    for name in TERMS.values():
        text = text.replace(name, "")
    told = [found.replace("\u00a0", "\u202f").replace("−", "-") for found in NUMBER.findall(text)]
    return Counter(float(each.replace(GROUPING[language], "").replace(POINT[language], ".")) for each in told)


@pytest.mark.parametrize("brief", briefs().values(), ids=briefs())
def test_what_readers_of_the_four_languages_read_are_the_same_figures(brief: Brief) -> None:
    facts = facts_for(brief.studies)
    apart: dict[tuple[str, str], tuple[Counter[float], Counter[float]]] = {}
    for place, texts in brief.texts():
        english = numbers(filled(texts["en"], facts, "en"), "en")
        apart |= {(place, language): (english, found) for language in ("es", "pt-br", "fr") if (found := numbers(filled(texts[language], facts, language), language)) != english}
    assert apart == {}


@pytest.mark.parametrize("brief", briefs().values(), ids=briefs())
def test_a_recommendation_rests_on_figures_and_points_to_cases_that_are_there(brief: Brief) -> None:
    known = {case["slug"] for case in seeded_cases()}
    for audience, items in brief.advice.items():
        assert len(items) >= 2, audience
        for one in items:
            assert (len(one.keys()) > 0, set(one.cases) - known, all(one.unknown.values())) == (True, set(), True)


def test_a_recommendation_without_a_figure_is_not_published() -> None:
    brief = briefs()["covid-effect"]
    hollow = replace(brief.advice["students"][0], because=dict.fromkeys(LANGUAGES, "Because it is wise."))
    spoiled = replace(brief, advice={**brief.advice, "students": (hollow,)})
    assert [(place, fault.code) for place, fault in spoiled.faults(facts_for(brief.studies))] == [("advice students 1", "unsupported")]


def test_a_brief_with_a_number_typed_by_hand_is_not_published() -> None:
    brief = briefs()["covid-effect"]
    spoiled = Brief(**{**vars(brief), "answer": {**brief.answer, "fr": brief.answer["fr"].replace("{gap.world.2021|size}", "5,5 %")}})
    assert sorted({(place, fault.code, fault.language) for place, fault in spoiled.faults(facts_for(brief.studies))}) == [
        ("answer", "digits", "fr"), ("answer", "languages", "fr"),
    ]  # fmt: skip
