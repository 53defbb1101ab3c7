"""A brief as its author wrote it: `briefs/<slug>.yaml`, a tree of texts in four languages that name facts. Pure.

Every text is checked when the tree is read with its facts (`prose.faults`): a brief with a fault is not published.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from vsm.kit.localized import LANGUAGES
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.publications.prose import Fault, faults, keys_in
from vsm.rulebook.reading import parse

AUDIENCES = ("students", "practitioners", "leaders", "funders")
KINDS = ("brief", "report")
Texts = Mapping[str, str]


@dataclass(frozen=True)
class Chart:
    """A picture with its table: `kind` is gaps (bars with bands), lines or fan; `facts` the keys it draws, in order.

    A line or a fan is named by what its yearly facts begin with: "inbound.europe" draws "inbound.europe.2000" and on.
    """

    kind: str
    title: Texts
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    heading: Texts
    body: Texts
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True)
class Advice:
    """One recommendation: what to do; `because` the figures that it rests on, at least one; `unknown` what is not known of
    it; `cases` the entries of the casebook that show how others did it, by slug."""

    do: Texts
    because: Texts
    unknown: Texts
    cases: tuple[str, ...] = ()

    def keys(self) -> tuple[str, ...]:
        """The facts that it rests on, in order."""
        return tuple(dict.fromkeys(named.partition("|")[0] for named in keys_in(next(iter(self.because.values())))))


@dataclass(frozen=True)
class Brief:
    """`kind` is brief or report. `studies` are the runs whose facts it may name. `answer` is one sentence; `messages` three to five; `unknown` what
    is not known; `advice` recommendations by audience; `watch` indicators to watch; `references` CSL-JSON."""

    slug: str
    kind: str
    studies: tuple[str, ...]
    title: Texts
    answer: Texts
    messages: tuple[Texts, ...]
    sections: tuple[Section, ...]
    unknown: Texts
    advice: Mapping[str, tuple[Advice, ...]]
    watch: tuple[Texts, ...]
    method: Texts
    references: tuple[Mapping[str, Any], ...] = field(default=())

    def texts(self) -> Iterator[tuple[str, Texts]]:
        """Every text with the place where it stands."""
        yield "title", self.title
        yield "answer", self.answer
        for number, message in enumerate(self.messages, start=1):
            yield f"messages {number}", message
        for number, section in enumerate(self.sections, start=1):
            yield f"sections {number} heading", section.heading
            yield f"sections {number} body", section.body
            for chart in section.charts:
                yield f"sections {number} chart", chart.title
        yield "unknown", self.unknown
        for audience, items in self.advice.items():
            for number, one in enumerate(items, start=1):
                yield f"advice {audience} {number}", one.do
                yield f"advice {audience} {number} because", one.because
                yield f"advice {audience} {number} unknown", one.unknown
        for number, item in enumerate(self.watch, start=1):
            yield f"watch {number}", item
        yield "method", self.method

    def drawn(self, facts: Mapping[str, Fact]) -> Iterator[tuple[str, bool]]:
        """What its charts name, and whether there is such a fact or series."""
        for chart in (chart for section in self.sections for chart in section.charts):
            for key in chart.facts:
                yield key, key in facts if chart.kind == "gaps" else any(name.startswith(f"{key}.") for name in facts)

    def faults(self, facts: Mapping[str, Fact]) -> list[tuple[str, Fault]]:
        """Everything that keeps it from being published: faults of prose by place, advice without figures, facts that a chart lacks."""
        named = {name.partition("|")[0] for _place, texts in self.texts() for name in keys_in(next(iter(texts.values())))}
        may_cause = any(facts[key].is_causal for key in named if key in facts)
        found = [(place, fault) for place, texts in self.texts() for fault in faults(texts, facts, may_cause=may_cause)]
        found += [
            (f"advice {audience} {number}", Fault("unsupported", "", "names no figure"))
            for audience, items in self.advice.items() for number, one in enumerate(items, start=1) if not one.keys()
        ]
        found += [("charts", Fault("unknown-fact", "", key)) for key, there in self.drawn(facts) if not there]
        return found


@cache
def briefs() -> Mapping[str, Brief]:
    """All briefs by slug. Raises ValueError with the place of what is wrong: a fault of whoever wrote it."""
    folder = files(__package__).joinpath("briefs")
    trees = {path.name.removesuffix(".yaml"): parse(path.read_text("utf-8")) for path in folder.iterdir() if path.name.endswith(".yaml")}
    return {slug: _brief(slug, tree) for slug, tree in sorted(trees.items())}


def _brief(slug: str, tree: Mapping[str, Any]) -> Brief:
    def texts(value: object, place: str) -> Texts:
        if not isinstance(value, dict) or set(value) != set(LANGUAGES):
            raise ValueError(f"{slug}.yaml, {place}: needs a text in each of {', '.join(LANGUAGES)}")
        return {language: str(value[language]).strip() for language in LANGUAGES}

    def advice(value: Mapping[str, Any], place: str) -> Advice:
        do, because, unknown = (texts(value.get(name), f"{place} {name}") for name in ("do", "because", "unknown"))
        return Advice(do, because, unknown, tuple(value.get("cases", ())))

    if set(tree["advice"]) != set(AUDIENCES):
        raise ValueError(f"{slug}.yaml, advice: speaks to each of {', '.join(AUDIENCES)}")
    if tree["kind"] not in KINDS:
        raise ValueError(f"{slug}.yaml, kind: one of {', '.join(KINDS)}")
    return Brief(
        slug=slug, kind=tree["kind"], studies=tuple(tree["studies"]), title=texts(tree["title"], "title"), answer=texts(tree["answer"], "answer"),
        messages=tuple(texts(each, "messages") for each in tree["messages"]),
        sections=tuple(
            Section(
                texts(each["heading"], "heading"), texts(each["body"], "body"),
                tuple(Chart(c["kind"], texts(c["title"], "chart title"), tuple(c["facts"])) for c in each.get("charts", ())),
            )
            for each in tree["sections"]
        ),
        unknown=texts(tree["unknown"], "unknown"),
        advice={audience: tuple(advice(each, f"advice {audience}") for each in tree["advice"][audience]) for audience in AUDIENCES},
        watch=tuple(texts(each, "watch") for each in tree["watch"]), method=texts(tree["method"], "method"), references=tuple(tree.get("references", ())),
    )  # fmt: skip
