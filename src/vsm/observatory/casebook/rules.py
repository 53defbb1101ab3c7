"""What an entry must have before others read it, and who may read it as a reviewer. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from vsm.kit.i18n import N_
from vsm.kit.localized import LANGUAGES
from vsm.kit.verdict import Reason

REVIEWERS = 2
# How well a number is known: by an audit, in a report with a method, or in what the programme says of itself.
GRADES = ("audited", "reported", "self-claimed")
ORIGINS = ("pre-pandemic", "pandemic-born", "refined")
SYNCHRONIES = ("sync", "async", "blended")
CREDITS = ("always", "sometimes", "may", "no")
SCOPES = ("cross-border", "inter-institutional")
BANDWIDTHS = ("text", "audio", "video")
LISTS = ("actors", "prerequisites", "assessment", "recognition_route", "cost_items", "equity_measures", "quality_assurance", "risks", "time_zones")
# Words that say of a case what came of it and what stood in the way; `LISTS` are those of models.
CASE_LISTS = ("outcomes", "barriers")
# What a number may count, so that numbers of several cases can be laid side by side; empty for anything else.
ABOUT = ("participants", "women", "men", "first-generation", "completed", "recognised", "credits", "hours", "cost", "institutions")
# Whom a number of people counts: places taken up, enrolled, finished, or whoever answered a survey.
BASES = ("places", "enrolled", "finished", "answered")
# How whoever is named agreed to it: what is written rests on public pages alone, or they have read it and agreed.
CONSENTS = ("public-sources", "given")
# What the texts of an entry are called where they are written.
PLACES = {"summary": N_("In short"), "lessons": N_("What one can learn"), "unknown": N_("What we do not know"), "what": N_("What it counts")}
ROR = re.compile(r"^https://ror\.org/0[a-hj-km-np-tv-z0-9]{6}\d{2}$")


@dataclass(frozen=True)
class Entry:
    """An entry as it stands. `texts` are its prose by place, in languages; `claims` as `Claim.as_json`; `sources` CSL-JSON."""

    texts: Mapping[str, Mapping[str, str]]
    sources: Sequence[Mapping[str, Any]]
    claims: Sequence[Mapping[str, Any]] = ()
    chosen: Mapping[str, tuple[Collection[str], Collection[str]]] | None = None
    rors: Mapping[str, str] | None = None


def why_not_submit(entry: Entry) -> Iterator[Reason]:
    """Everything that is missing, at once: texts in four languages, a source, numbers only as claims, each with grade and source."""
    for name, texts in entry.texts.items():
        yield from _missing(name, texts)
        for language, text in texts.items():
            if re.search(r"\d", text):
                yield Reason("number-in-text", N_("%(place)s (%(language)s): a number belongs into a claim, with its source and its grade."), {"place": PLACES[name], "language": language}, name)
    if not entry.sources:
        yield Reason("source-missing", N_("Name at least one source that a reader can open."), {}, "sources")
    known = {str(source.get("id")) for source in entry.sources}
    for claim in entry.claims:
        yield from _missing("what", claim["what"])
        yield from claim_problems(claim, known)
    yield from why_not_keep(entry)


def _missing(name: str, texts: Mapping[str, str]) -> Iterator[Reason]:
    missing = [language for language in LANGUAGES if not texts.get(language, "").strip()]
    if missing:
        yield Reason("text-missing", N_("%(place)s: the text is missing in %(languages)s."), {"place": PLACES[name], "languages": ", ".join(missing)}, name)


def why_not_keep(entry: Entry) -> Iterator[Reason]:
    """What not even a draft may hold: words that nobody knows, identifiers that are none."""
    for name, (values, allowed) in (entry.chosen or {}).items():
        for value in values:
            if name == "countries" and value not in allowed:
                yield Reason("country", N_("“%(value)s” is no country (three letters of ISO 3166-1, for example PER)."), {"value": value}, name)
            elif value not in allowed:
                yield Reason("value", N_("“%(value)s” is not one of: %(known)s."), {"value": value, "known": ", ".join(allowed)}, name)
    for name, ror in (entry.rors or {}).items():
        if not ROR.match(ror):
            yield Reason("ror", N_("%(name)s: “%(ror)s” is no ROR identifier (example: https://ror.org/02mhbdp94)."), {"name": name, "ror": ror}, "institutions")


def claim_problems(claim: Mapping[str, Any], known: Collection[str]) -> Iterator[Reason]:
    """A number says what it counts, how well that is known, and who says so."""
    if not any(str(text).strip() for text in claim["what"].values()):
        yield Reason("claim-what", N_("Say what the number counts."), {}, "what")
    if claim["grade"] not in GRADES:
        yield Reason("claim-grade", N_("“%(value)s” is no grade of evidence. Known: %(known)s."), {"value": claim["grade"], "known": ", ".join(GRADES)}, "grade")
    for name, allowed in (("about", ABOUT), ("basis", BASES)):
        if claim.get(name) and claim[name] not in allowed:
            yield Reason("value", N_("“%(value)s” is not one of: %(known)s."), {"value": claim[name], "known": ", ".join(allowed)}, name)
    if claim["source"] not in known:
        yield Reason("claim-source", N_("The source “%(source)s” is not among the sources of this entry: add it first."), {"source": claim["source"]}, "source")


def why_not_review(*, reviewer: UUID | None, author: UUID | None, earlier: Collection[UUID | None]) -> Iterator[Reason]:
    """Neither the author nor the same person twice."""
    if reviewer is None:
        yield Reason("reviewer-unknown", N_("A review is signed by a person: sign in."))
    elif reviewer == author:
        yield Reason("own-entry", N_("You wrote this: two others read it before it is published."))
    elif reviewer in earlier:
        yield Reason("reviewed-already", N_("You have approved it already: the second reviewer is somebody else."))


def is_enough(approvals: int) -> bool:
    return approvals >= REVIEWERS


def evidence(claims: Sequence[Mapping[str, Any]]) -> str:
    """How well an entry's numbers are known: as well as the weakest of them; empty where it has none."""
    return max((claim["grade"] for claim in claims), key=GRADES.index, default="")
