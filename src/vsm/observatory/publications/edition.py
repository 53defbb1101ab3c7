"""An edition: a brief with its facts told, the same tree for the page, the PDF and the bundle. Pure.

`written(brief, facts, language)` gives blocks; a page renders them as HTML, typst as tagged PDF. What is published is this
tree as canonical JSON; its digest is the permalink.
"""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vsm.kit.localized import LANGUAGES
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.geography import name_of
from vsm.observatory.publications.around import works
from vsm.observatory.publications.briefs import Brief, Chart
from vsm.observatory.publications.charts import Bar, Drawing, Line, bars, lines
from vsm.observatory.publications.prose import HOLE, filled
from vsm.observatory.publications.telling import edge, tell

# The words that the machine puts around an author's: column heads, descriptions.
WORDS: Mapping[str, Mapping[str, str]] = {
    "place": {"en": "Place", "es": "Lugar", "pt-br": "Lugar", "fr": "Lieu"},
    "value": {"en": "Value", "es": "Valor", "pt-br": "Valor", "fr": "Valeur"},
    "band": {"en": "Band", "es": "Banda", "pt-br": "Faixa", "fr": "Bande"},
    "change": {"en": "Figure", "es": "Cifra", "pt-br": "Número", "fr": "Chiffre"},
    "then": {"en": "Then", "es": "Antes", "pt-br": "Antes", "fr": "Avant"},
    "now": {"en": "Now", "es": "Ahora", "pt-br": "Agora", "fr": "Maintenant"},
    "year": {"en": "Year", "es": "Año", "pt-br": "Ano", "fr": "Année"},
    "bars": {
        "en": "Points with bands, left and right of zero; the table below says the same.", "es": "Puntos con bandas, a izquierda y derecha de cero; la tabla de abajo dice lo mismo.",
        "pt-br": "Pontos com faixas, à esquerda e à direita de zero; a tabela abaixo diz o mesmo.", "fr": "Des points avec leurs bandes, à gauche et à droite de zéro ; le tableau dit la même chose.",
    },
    "points": {
        "en": "Points left and right of zero; the table below says the same.", "es": "Puntos a izquierda y derecha de cero; la tabla de abajo dice lo mismo.",
        "pt-br": "Pontos à esquerda e à direita de zero; a tabela abaixo diz o mesmo.", "fr": "Des points à gauche et à droite de zéro ; le tableau dit la même chose.",
    },
    "lines": {
        "en": "Lines by year; the table below says the same.", "es": "Líneas por año; la tabla de abajo dice lo mismo.",
        "pt-br": "Linhas por ano; a tabela abaixo diz o mesmo.", "fr": "Des lignes par année ; le tableau dit la même chose.",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """`facts` are the keys of what it shows."""

    title: str
    drawing: Drawing
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """A recommendation in one language; `facts` are the keys of the figures that it rests on, `cases` slugs of the casebook."""

    do: str
    because: str = ""
    unknown: str = ""
    facts: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """A figure that differs from the edition before; None where it was not, or is no longer, there."""

    key: str
    before: Fact | None
    after: Fact | None

    @property
    def fact(self) -> Fact:
        """Whichever there is, to say what it is about."""
        found = self.after or self.before
        if found is None:
            raise ValueError(self.key)
        return found


@dataclass(frozen=True)
class Written:
    """One language of an edition. Bodies are Markdown with every fact told."""

    language: str
    title: str
    answer: str
    messages: tuple[str, ...]
    sections: tuple[tuple[str, str, tuple[Picture, ...]], ...]
    unknown: str
    advice: tuple[tuple[str, tuple[Told, ...]], ...]
    watch: tuple[str, ...]
    method: str
    references: tuple[Mapping[str, Any], ...] = ()


def written(brief: Brief, facts: Mapping[str, Fact], language: str) -> Written:
    """The brief in one language. KeyError or CannotTell for a brief that has faults (`Brief.faults`)."""

    def told(texts: Mapping[str, str]) -> str:
        return filled(texts[language], facts, language)

    return Written(
        language=language, title=told(brief.title), answer=told(brief.answer), messages=tuple(map(told, brief.messages)),
        sections=tuple(
            (told(section.heading), told(section.body), tuple(Picture(told(chart.title), drawn(chart, facts, told(chart.title), language), tuple(shown(chart, facts))) for chart in section.charts))
            for section in brief.sections
        ),
        unknown=told(brief.unknown), advice=tuple((audience, tuple(Told(told(one.do), told(one.because), told(one.unknown), one.keys(), one.cases) for one in items)) for audience, items in brief.advice.items()),
        watch=tuple(map(told, brief.watch)), method=told(brief.method), references=(*(dict(each) for each in brief.references), *works(used(brief, facts).values())),
    )  # fmt: skip


def drawn(chart: Chart, facts: Mapping[str, Fact], title: str, language: str) -> Drawing:
    """A chart of a brief, with its table."""

    def word(name: str) -> str:
        return WORDS[name][language]

    if chart.kind == "gaps":
        rows = [facts[key] for key in chart.facts]
        made = [_bar(fact, language) for fact in rows]
        has_bands = any(fact.low is not None and fact.high is not None for fact in rows)
        picture = bars(title, word("bars" if has_bands else "points"), made, (word("place"), word("value"), word("band")), lambda number: edge(number, rows[0].unit, language))
        return picture if has_bands else replace(picture, head=picture.head[:2], rows=tuple(row[:2] for row in picture.rows))
    series = {key: _yearly(key, facts) for key in chart.facts}
    years = sorted({fact.year for found in series.values() for fact in found if fact.year is not None})
    shown = [Line(name_of(found[0].geo, language), tuple((f.year or 0, f.value or 0.0) for f in found), _bands(found)) for found in series.values()]
    by_year = {key: {fact.year: fact for fact in found} for key, found in series.items()}
    table = [[str(year), *(_cell(by_year[key].get(year), language) for key in chart.facts)] for year in years]
    return lines(title, word("lines"), shown, (word("year"), *(line.label for line in shown)), table, language)


def _bar(fact: Fact, language: str) -> Bar:
    """A point with its band; without one where the figure is a count and not an estimate."""
    value, has_band = fact.value or 0.0, fact.low is not None and fact.high is not None
    low, high = (fact.low or 0.0, fact.high or 0.0) if has_band else (value, value)
    said = tell(fact, "" if fact.unit in {"ratio", "count"} else "signed", language)
    return Bar(name_of(fact.geo, language), value, low, high, said, tell(fact, "band", language) if has_band else "—")


def used(brief: Brief, facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """The facts that an edition says or draws, by key, in order: what its bundle holds."""
    named = {key for _place, texts in brief.texts() for text in texts.values() for key, _how in HOLE.findall(text) if not key.startswith("term:")}
    for chart in (chart for section in brief.sections for chart in section.charts):
        named |= set(shown(chart, facts))
    return {key: facts[key] for key in sorted(named)}


def shown(chart: Chart, facts: Mapping[str, Fact]) -> list[str]:
    """The keys of what a chart draws, in its order."""
    return list(chart.facts) if chart.kind == "gaps" else [fact.key for key in chart.facts for fact in _yearly(key, facts)]


def digest(brief: Brief, facts: Mapping[str, Fact]) -> str:
    """The permalink: SHA-256 over all four languages and the facts that they use."""
    tree = {
        "slug": brief.slug, "texts": {language: [filled(texts[language], facts, language) for _place, texts in brief.texts()] for language in LANGUAGES},
        "facts": [fact.as_json() for fact in used(brief, facts).values()], "references": [dict(each) for each in brief.references],
        "cases": [one.cases for items in brief.advice.values() for one in items],
    }  # fmt: skip
    return hashlib.sha256(json.dumps(tree, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def as_csv(facts: Mapping[str, Fact]) -> str:
    """The figures as CSV: key, geo, geo2 (where a flow goes, else empty), year, value, low, high, level, unit, design, coverage,
    experimental, source, note."""
    file = io.StringIO()
    out = csv.writer(file, lineterminator="\n")
    out.writerow(("key", "geo", "geo2", "year", "value", "low", "high", "level", "unit", "design", "coverage", "experimental", "source", "note"))
    for fact in facts.values():
        band = (fact.value, fact.low, fact.high, fact.level)
        note = "; ".join(filter(None, (fact.note, *(f"break {name}" for name in fact.extra.get("breaks", ())))))
        out.writerow((fact.key, fact.geo, fact.extra.get("to", ""), fact.year, *band, fact.unit, fact.design, fact.coverage, fact.experimental, fact.source, note))
    return file.getvalue()


def changes(before: Mapping[str, Fact], after: Mapping[str, Fact]) -> list[Change]:
    """Figures whose value or band differs between two editions, and those that came or went."""
    pairs = [Change(key, before.get(key), after.get(key)) for key in sorted(set(before) | set(after))]
    return [each for each in pairs if _amounts(each.before) != _amounts(each.after)]


def change_row(change: Change, language: str) -> tuple[str, str, str]:
    """What it is about, then, now: as a page and a paper tell it."""
    fact = change.fact
    about = ", ".join(filter(None, (name_of(fact.geo, language) if fact.geo else "", str(fact.year or ""))))
    return f"{about} [{change.key}]" if about else f"[{change.key}]", _cell(change.before, language), _cell(change.after, language)


def _amounts(fact: Fact | None) -> tuple[float | None, ...] | None:
    return (fact.value, fact.low, fact.high) if fact else None


def _yearly(prefix: str, facts: Mapping[str, Fact]) -> list[Fact]:
    found = [fact for key, fact in facts.items() if key.startswith(f"{prefix}.") and fact.year is not None]
    return sorted(found, key=lambda fact: fact.year or 0)


def _bands(found: Sequence[Fact]) -> tuple[tuple[tuple[int, float, float], ...], ...]:
    whole = [(f.year or 0, f.low, f.high) for f in found if f.low is not None and f.high is not None]
    half = [(f.year or 0, *f.extra["half"]) for f in found if "half" in f.extra]
    return tuple(tuple(band) for band in (whole, half) if len(band) > 1)


def _cell(fact: Fact | None, language: str) -> str:
    if fact is None:
        return "—"
    band = tell(fact, "band", language) if fact.low is not None and fact.high is not None else ""
    if fact.value is None:
        return band or "—"
    return tell(fact, "", language) + (f" ({band})" if band else "")
