"""Who may be admitted, what must be checked first, and how places are given. Pure: every obstacle is told at once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from vsm.exchange.people.rules import LEVELS, cefr_at_least, level_held
from vsm.exchange.recognition.grades import convert, read
from vsm.kit.errors import VsmError
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook import grade_scale
from vsm.rulebook.isced_f import fields_of

# Lowest first; the first is what secondary school ends with, the others are the catalogue's levels (ISCED 2011, 3 and 5 to 8).
PRIOR_LEVELS = ("upper-secondary", "short-cycle", "bachelor", "master", "doctorate")
DOCUMENT_KINDS = ("degree", "transcript", "identity", "language", "cv", "motivation", "reference", "other")
# How a document was checked: seen in the original, as a copy certified by somebody entitled to, at its source, or by its signature.
WAYS = ("original", "certified-copy", "issuer", "credential")


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What a programme asks for. Empty asks for nothing.

    `level` is one of PRIOR_LEVELS; `fields` are ISCED-F codes of two to four digits that the prior field must begin
    with; `grade` is on `grade_scale`; `languages` is language → least CEFR level; `documents` are kinds.
    """

    level: str = ""
    fields: tuple[str, ...] = ()
    grade: str = ""
    grade_scale: str = ""
    languages: Mapping[str, str] = field(default_factory=dict)
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Applicant:
    """What somebody says about their studies so far. `documents` are the kinds handed in and not refused."""

    level: str
    isced_f: str
    grade: str
    grade_scale: str
    completed_on: date | None
    languages: Mapping[str, str]
    documents: Collection[str]


def as_requirements(kept: Mapping[str, Any]) -> Requirements:
    """From JSON, as `requirements_json` wrote it; an empty mapping asks for nothing."""
    return Requirements(
        level=kept.get("level", ""), fields=tuple(kept.get("fields", ())), grade=kept.get("grade", ""),
        grade_scale=kept.get("grade_scale", ""), languages=kept.get("languages", {}), documents=tuple(kept.get("documents", ())),
    )  # fmt: skip


def obstacles(wanted: Requirements, who: Applicant, *, starts_on: date, today: date) -> Iterator[Reason]:
    """Everything that stands between this applicant and a complete application to an intake that starts on `starts_on`."""
    yield from _level_obstacles(wanted, who, starts_on)
    yield from _grade_obstacles(wanted, who, today)
    for language, level in wanted.languages.items():
        held = level_held(who.languages, language)
        if not cefr_at_least(held, level):
            text = N_("Language %(language)s: %(level)s is asked for, you state %(held)s. Add your level, or take a test before you apply.")
            yield Reason("language", text, {"language": language, "level": level, "held": held or N_("nothing")}, "languages")
    for kind in wanted.documents:
        if kind not in who.documents:
            yield Reason(f"document-{kind}", _MISSING[kind], {}, "documents")


def _level_obstacles(wanted: Requirements, who: Applicant, starts_on: date) -> Iterator[Reason]:
    if not who.level:
        yield Reason("level-missing", N_("Say which qualification you have, or will have before the programme starts."), {}, "prior_level")
    elif wanted.level and PRIOR_LEVELS.index(who.level) < PRIOR_LEVELS.index(wanted.level):
        text = N_("The programme asks for a prior qualification of the level “%(wanted)s” or above; yours is “%(held)s”.")
        yield Reason("level-low", text, {"wanted": LEVEL_WORDS[wanted.level], "held": LEVEL_WORDS[who.level]}, "prior_level")
    if who.level and who.completed_on is None:
        yield Reason("completed-missing", N_("Say when the qualification was or will be awarded."), {}, "prior_completed_on")
    elif who.completed_on and who.completed_on > starts_on:
        text = N_("The qualification will be awarded on %(day)s, after the programme starts (%(start)s). Apply to a later intake.")
        yield Reason("completed-late", text, {"day": who.completed_on, "start": starts_on}, "prior_completed_on")
    if wanted.fields and not who.isced_f.startswith(wanted.fields):
        text = N_("The field of your prior qualification must be one of: %(fields)s (ISCED-F). You state: %(held)s.")
        yield Reason("field", text, {"fields": [_named(code) for code in wanted.fields], "held": _named(who.isced_f) if who.isced_f else N_("nothing")}, "prior_isced_f")


def _named(code: str) -> Mapping[str, str] | str:
    """A field as people know it: the code with the name of the narrowest field that the rulebook names."""
    found = fields_of(code)
    return {language: f"{code} · {name}" for language, name in found[-1].name.items()} if found else code


def _grade_obstacles(wanted: Requirements, who: Applicant, today: date) -> Iterator[Reason]:
    if not wanted.grade:
        return
    if not who.grade or not who.grade_scale:
        yield Reason("grade-missing", N_("Give your final or present average and the scale it is on."), {}, "prior_grade")
        return
    try:
        here = convert(who.grade, who.grade_scale, wanted.grade_scale, today)
        least, mine = (read(each, wanted.grade_scale, today) for each in (wanted.grade, here.value))
    except VsmError as refusal:
        yield from (Reason(each.code, each.text, each.params, "prior_grade") for each in refusal.reasons)
        return
    if not here.passed:
        text = N_("%(grade)s is below the passing mark of its scale.")
        yield Reason("grade-failing", text, {"grade": who.grade}, "prior_grade")
    elif least.points is not None and mine.points is not None:
        value = grade_scale(wanted.grade_scale).at(today)
        if value.direction * (mine.points - least.points) < 0:
            text = N_("The programme asks for an average of %(least)s; yours (%(grade)s) is %(here)s on that scale.")
            yield Reason("grade-low", text, {"least": wanted.grade, "grade": who.grade, "here": here.value}, "prior_grade")


LEVEL_WORDS = {"upper-secondary": N_("Upper secondary"), **LEVELS}
DOCUMENT_WORDS = {
    "degree": N_("Degree certificate"),
    "transcript": N_("Transcript of the prior qualification"),
    "identity": N_("Proof of identity"),
    "language": N_("Proof of language"),
    "cv": N_("Curriculum vitae"),
    "motivation": N_("Letter of motivation"),
    "reference": N_("Letter of reference"),
    "other": N_("Another document"),
}
WAY_WORDS = {
    "original": N_("Seen in the original"),
    "certified-copy": N_("Certified copy"),
    "issuer": N_("Confirmed by whoever issued it"),
    "credential": N_("Verifiable credential: its signature holds"),
}
_MISSING = {
    "degree": N_("The degree certificate is missing: attach it, or a statement of when it will be awarded."),
    "transcript": N_("The transcript of the prior qualification is missing: attach it."),
    "identity": N_("The proof of identity is missing: attach it."),
    "language": N_("The proof of language is missing: attach a certificate."),
    "cv": N_("The curriculum vitae is missing: attach it."),
    "motivation": N_("The letter of motivation is missing: attach it."),
    "reference": N_("The letter of reference is missing: attach it."),
    "other": N_("A further document is asked for: attach it."),
}


# Intakes --------------------------------------------------------------------------------------------------------------


def intake_problems(*, opens_at: datetime, closes_at: datetime, decide_by: datetime, starts_on: date, places: int, respond_days: int) -> Iterator[Reason]:
    """What is wrong with the dates and places of an intake."""
    if closes_at <= opens_at:
        yield Reason("closes-before-opens", N_("Applications close before they open."), {}, "closes_at")
    if decide_by < closes_at:
        text = N_("Decisions fall when everybody has applied: this day must not lie before the closing.")
        yield Reason("decides-before-closing", text, {}, "decide_by")
    if decide_by.date() >= starts_on:
        yield Reason("decides-after-start", N_("Decide before the programme starts, so that students can enrol."), {}, "decide_by")
    if not 1 <= places <= 100_000:
        yield Reason("places", N_("“%(value)s” is no number of places."), {"value": places}, "places")
    if not 1 <= respond_days <= 180:
        yield Reason("respond-days", N_("Give 1 to 180 days to answer an offer."), {}, "respond_days")


def why_not_apply(*, opens_at: datetime, closes_at: datetime, now: datetime) -> Iterator[Reason]:
    if now < opens_at:
        yield Reason("not-open-yet", N_("Applications open on %(at)s."), {"at": opens_at})
    if now >= closes_at:
        yield Reason("closed", N_("Applications closed on %(at)s. Look for a later intake."), {"at": closes_at})


# Places ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Candidate:
    """An application that has not been decided. `rank` is the office's place for it (1 is first), None: not ranked yet."""

    id: UUID
    rank: int | None
    unsettled: tuple[Reason, ...] = ()


def ranking_problems(ranked: Sequence[tuple[UUID, int, str]], candidates: Collection[UUID]) -> Iterator[Reason]:
    """`ranked` are (application, place, reason). Places follow one another without gaps or ties, from 1 or from where those
    already decided end; each has a reason."""
    ids, places = [each for each, _place, _why in ranked], sorted(place for _id, place, _why in ranked)
    if len(set(ids)) != len(ids):
        yield Reason("ranked-twice", N_("An application stands twice in the ranking."), {}, "ranking")
    if set(ids) - set(candidates):
        yield Reason("not-a-candidate", N_("An application in the ranking is not waiting for a decision."), {}, "ranking")
    if missing := len(set(candidates) - set(ids)):
        text = N_("Applications that are not ranked: %(count)s. Whoever is left out would be decided by nobody.")
        yield Reason("not-all-ranked", text, {"count": missing}, "ranking")
    if places and (places[0] < 1 or places != list(range(places[0], places[0] + len(places)))):
        yield Reason("places-not-in-order", N_("Give each application one place: 1, 2, 3 … without gaps and without ties."), {}, "ranking")
    for _id, place, why in ranked:
        if not why.strip():
            text = N_("Say why the application in place %(place)s stands there: the applicant may ask.")
            yield Reason("rank-unexplained", text, {"place": place}, "ranking")


def why_not_offer(candidates: Sequence[Candidate], chosen: UUID, *, free: int, closes_at: datetime, now: datetime) -> Iterator[Reason]:
    """Whether a place can be offered to one candidate now. Nobody wins by being first, and nobody is passed over in silence."""
    if now < closes_at:
        text = N_("Places are given when everybody has applied: applications close on %(at)s.")
        yield Reason("still-open", text, {"at": closes_at})
    if free < 1:
        yield Reason("no-place", N_("Every place is offered or taken. Put the application on the waiting list."))
    me = next(each for each in candidates if each.id == chosen)
    yield from me.unsettled
    if me.rank is None:
        if len(candidates) > free:
            text = N_("There are %(candidates)s applications for %(free)s places: rank them first, with reasons.")
            yield Reason("not-ranked", text, {"candidates": len(candidates), "free": free})
        return
    better = [each for each in candidates if each.id != chosen and (each.rank is None or each.rank < me.rank)]
    if better and len(better) >= free:
        text = N_("Applications ranked before this one that are not decided yet: %(count)s. Decide them, or change the ranking with reasons.")
        yield Reason("better-ranked", text, {"count": len(better)})


def places_go_to(candidates: Sequence[Candidate], free: int) -> list[UUID]:
    """One round: the free places in the order of the ranking. Whose documents are unsettled gets no offer yet, and nobody else gets that place."""
    ordered = sorted((each for each in candidates if each.rank is not None), key=lambda each: (each.rank or 0, str(each.id)))
    return [each.id for each in ordered[: max(0, free)] if not each.unsettled]


def unsettled_documents(states: Mapping[str, str], wanted: Collection[str]) -> Iterator[Reason]:
    """Kinds asked for whose best document is neither verified nor (so that a condition can cover it) received and unread.

    `states` is kind → the state of its best document.
    """
    for kind in wanted:
        if states.get(kind) in {None, "refused", "replaced"}:
            yield Reason("document-open", N_("Not usable: %(kind)s. Ask for it again, or make it a condition."), {"kind": DOCUMENT_WORDS[kind]})
        elif states[kind] != "verified":
            text = N_("Not verified yet: %(kind)s. Verify it, or make the original a condition of the offer.")
            yield Reason("document-unverified", text, {"kind": DOCUMENT_WORDS[kind]})


def condition_problems(*, text: str, evidence: str, due_on: date, today: date, starts_on: date) -> Iterator[Reason]:
    """A condition says what, by which evidence, until when; it can be met before the programme begins."""
    if not text.strip() or not evidence.strip():
        yield Reason("condition-text", N_("Say for each condition what is asked for and what proves it."), {}, "conditions")
    if due_on < today:
        yield Reason("condition-past", N_("The condition “%(text)s” is due in the past."), {"text": text}, "conditions")
    if due_on > starts_on:
        detail = N_("The condition “%(text)s” is due after the programme starts (%(start)s).")
        yield Reason("condition-late", detail, {"text": text, "start": starts_on}, "conditions")
