"""What a call must hold, who may apply for what, and what a document must be: pure, every obstacle at once.

A date or an instant is an argument, never read here. An obstacle about one choice names the choice and carries
`field="choices.<rank>"`, so that a page can show it beside that choice.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from vsm.exchange.agreements.rules import LANGUAGES, Terms, cefr_asked, gaps
from vsm.exchange.people.rules import CEFR, LEVELS, cefr_at_least, level_held
from vsm.kit.i18n import N_
from vsm.kit.uploads import LIMIT, media_type_of
from vsm.kit.verdict import Reason, Verdict

DOCUMENT_KINDS: Mapping[str, str] = {
    "transcript": N_("Transcript of records"),
    "language-certificate": N_("Language certificate"),
    "identity": N_("Identity document"),
    "cv": N_("Curriculum vitae"),
    "recommendation": N_("Letter of recommendation"),
    "other": N_("Other document"),
}
MOST_CHOICES = 10
MOST_SEATS = 10
MOST_BANDS = 9


@dataclass(frozen=True)
class CallTerms:
    """What a call asks for. `is_published` is False while it is a draft; `is_over` once it is allocated or closed."""

    opens_at: datetime
    closes_at: datetime
    nominate_by: datetime
    category: str = "course"
    max_choices: int = 5
    max_seats: int = 2
    minimum_share_passed: Decimal = Decimal(0)
    required_documents: tuple[str, ...] = ()
    is_published: bool = True
    is_over: bool = False


@dataclass(frozen=True)
class Cover:
    """A signed agreement between the student's home and a host, with the days on which it is in force."""

    code: str
    terms: Terms
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class Choice:
    """One offering that the student ranked. `seats` are those that the call gives in it; None: not in this call."""

    id: str
    title: Any
    host_id: str
    host: Any
    starts_on: date
    level: str
    language: str
    isced_f: str = ""
    cefr: str = ""
    seats: int | None = None
    is_published: bool = True
    covers: tuple[Cover, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What is known of the student and of the application. `share_passed` is None when home told no total."""

    home_id: str = ""
    home: Any = ""
    has_record: bool = True
    share_passed: Decimal | None = None
    languages: Mapping[str, str] = field(default_factory=dict)
    choices: Sequence[Choice] = ()
    seats_wanted: int = 1
    documents: frozenset[str] = frozenset()
    has_another: bool = False


@dataclass(frozen=True)
class Deadline:
    """A step that has a last moment: whose it is ("student", "home", "host"), the moment, and the last whole day."""

    step: str
    owner: str
    at: datetime
    last_day: date


@dataclass(frozen=True)
class CallFacts:
    """A call as the publishing checks see it."""

    title: Mapping[str, str]
    opens_at: datetime
    closes_at: datetime
    nominate_by: datetime
    offerings: Sequence["CallSeats"]


@dataclass(frozen=True)
class CallSeats:
    """An offering in a call with the seats that the call gives and those that the offering has."""

    title: Any
    seats: int
    offering_seats: int
    is_published: bool
    starts_on: date


def eligible(facts: Facts, terms: CallTerms, on: datetime) -> Verdict:
    """Whether this application may be submitted at this moment; otherwise every obstacle, in the order of the form."""
    return Verdict.of([*phase_obstacles(terms, on), *obstacles(facts, terms)])


def phase_obstacles(terms: CallTerms, on: datetime) -> Iterator[Reason]:
    """Why applications are not taken at this moment."""
    if not terms.is_published:
        yield Reason("call-draft", N_("This call is not published. Wait until it is, or choose another one."))
    elif terms.is_over:
        yield Reason("call-over", N_("The seats of this call have been given. Look for the next call."))
    elif on < terms.opens_at:
        yield Reason("call-coming", N_("Applications open on %(opens)s. You can prepare everything now and submit then."), {"opens": terms.opens_at})
    elif on >= terms.closes_at:
        yield Reason("call-closed", N_("Applications closed on %(closes)s. Look for the next call."), {"closes": terms.closes_at})
        if on >= terms.nominate_by:
            yield Reason("home-deadline", N_("Your home institution could nominate until %(until)s."), {"until": terms.nominate_by})


def obstacles(facts: Facts, terms: CallTerms) -> Iterator[Reason]:
    """What stands against the application whatever the time."""
    if facts.has_another:
        yield Reason("already-applied", N_("You have another application in this call. Withdraw one of the two."))
    if not facts.has_record:
        yield Reason("no-study-record", N_("Your institution has not registered your studies here. Ask its international office to register you."))
    else:
        yield from _share_obstacles(facts, terms)
    yield from _list_obstacles(facts, terms)
    for rank, choice in enumerate(facts.choices, start=1):
        yield from _choice_obstacles(facts, terms, choice, rank)
    yield from _document_obstacles(facts, terms)


def nomination_obstacles(terms: CallTerms, on: datetime) -> Iterator[Reason]:
    """Why home cannot nominate at this moment."""
    if terms.is_over:
        yield Reason("call-over", N_("The seats of this call have been given. Look for the next call."))
    elif on >= terms.nominate_by:
        yield Reason(
            "nomination-over",
            N_("Nominations ended on %(until)s. Ask the office of the call whether it extends its deadline."),
            {"until": terms.nominate_by},
        )


def publishing_problems(call: CallFacts, now: datetime) -> Iterator[Reason]:
    """Everything that must be mended before students see the call."""
    if not any(call.title.values()):
        yield Reason("no-title", N_("The call has no title. Edit it and give one in at least one language."), {}, "title")
    if call.closes_at <= now:
        yield Reason("closes-past", N_("Applications would close in the past, on %(at)s. Choose a later moment."), {"at": call.closes_at}, "closes_at")
    if call.nominate_by <= now:
        yield Reason("nominate-past", N_("Nominations would end in the past, on %(at)s. Choose a later moment."), {"at": call.nominate_by}, "nominate_by")
    if not call.offerings:
        yield Reason("no-offerings", N_("The call has no offerings. Choose at least one, with its seats."), {}, "offerings")
    for offering in call.offerings:
        yield from _offering_problems(offering, call.nominate_by.date())


def phase_problems(*, opens_at: datetime, closes_at: datetime, nominate_by: datetime) -> Iterator[Reason]:
    """Whether the phases follow each other."""
    if closes_at <= opens_at:
        yield Reason("closes-before-opening", N_("Applications would close before they open."), {}, "closes_at")
    if nominate_by < closes_at:
        yield Reason("nominate-before-closing", N_("Homes would have to nominate before applications close. Choose a later moment."), {}, "nominate_by")


def limit_problems(*, max_choices: int, max_seats: int, minimum_share_passed: Decimal, respond_hours: int, required_documents: Iterable[str]) -> Iterator[Reason]:
    """Whether the numbers of a call can be meant."""
    for name, value, most in (("max_choices", max_choices, MOST_CHOICES), ("max_seats", max_seats, MOST_SEATS), ("respond_hours", respond_hours, 24 * 60)):
        if not 1 <= value <= most:
            yield Reason("limit", N_("Choose a number between 1 and %(most)s."), {"most": most}, name)
    if max_seats > max_choices:
        yield Reason("seats-above-choices", N_("Nobody can get more seats than choices: allow at least as many choices as seats."), {}, "max_seats")
    if not 0 <= minimum_share_passed <= 1:
        yield Reason("share", N_("Write the share as a number between 0 and 1: 0.2 is a fifth of the degree."), {}, "minimum_share_passed")
    for kind in sorted(set(required_documents) - set(DOCUMENT_KINDS)):
        yield Reason("document-unknown", N_("“%(kind)s” is no kind of document. Known: %(known)s."), {"kind": kind, "known": ", ".join(DOCUMENT_KINDS)}, "required_documents")


def edit_problems(before: Mapping[str, Any], after: Mapping[str, Any], *, is_published: bool) -> Iterator[Reason]:
    """What a published call may no longer change: students rely on it. Texts may change, deadlines only move later."""
    if not is_published:
        return
    for name in ("closes_at", "nominate_by"):
        if after[name] < before[name]:
            yield Reason("deadline-earlier", N_("A published deadline can only be moved to later: it stands at %(at)s."), {"at": before[name]}, name)
    for name in ("code", "category", "zone", "opens_at", "max_choices", "max_seats", "minimum_share_passed", "required_documents", "respond_hours"):
        if after[name] != before[name]:
            yield Reason("published-fixed", N_("This cannot change once the call is published. Return it to draft while nobody has begun an application."), {}, name)


def seat_problems(before: Mapping[str, int], after: Mapping[str, int], titles: Mapping[str, Any], *, is_published: bool) -> Iterator[Reason]:
    """Which seats of a published call would be taken away: offerings may be added and seats raised, nothing else."""
    if not is_published:
        return
    for offering, seats in before.items():
        if after.get(offering, 0) < seats:
            yield Reason(
                "seats-taken-away", N_("%(offering)s has %(seats)s seats in the published call; they cannot become fewer."),
                {"offering": titles.get(offering, offering), "seats": seats}, "rows",
            )  # fmt: skip


def deadlines(terms: CallTerms, zone: str) -> list[Deadline]:
    """The last moment of each step, with the last whole day in `zone` (IANA): midnight belongs to the day before it."""
    steps = [("submit", "student", terms.closes_at), ("change", "student", terms.closes_at), ("nominate", "home", terms.nominate_by)]
    return [Deadline(step, owner, at, last_day(at, zone)) for step, owner, at in steps]


def last_day(moment: datetime, zone: str) -> date:
    """The last calendar day in `zone` on which something due before `moment` can still be done."""
    return (moment.astimezone(ZoneInfo(zone)) - timedelta(microseconds=1)).date()


def document_problems(*, kind: str, name: str, data: bytes) -> Iterator[Reason]:
    """Why a file cannot be kept."""
    if kind not in DOCUMENT_KINDS:
        yield Reason("document-unknown", N_("“%(kind)s” is no kind of document. Known: %(known)s."), {"kind": kind, "known": ", ".join(DOCUMENT_KINDS)}, "kind")
    if not data:
        yield Reason("document-empty", N_("The file “%(name)s” is empty. Choose another."), {"name": name}, "file")
    elif len(data) > LIMIT:
        yield Reason(
            "document-large", N_("The file has %(size)s MB; at most %(limit)s MB fit. Scan it with less resolution."),
            {"size": round(len(data) / 2**20, 1), "limit": LIMIT // 2**20}, "file",
        )  # fmt: skip
    elif not media_type_of(data):
        yield Reason("document-type", N_("“%(name)s” is not a PDF, JPEG, PNG or plain text file, whatever its name says. Save it as PDF."), {"name": name}, "file")


def _share_obstacles(facts: Facts, terms: CallTerms) -> Iterator[Reason]:
    if not terms.minimum_share_passed:
        return
    needed = _per_cent(terms.minimum_share_passed)
    if facts.share_passed is None:
        yield Reason("share-unknown", N_("The call asks for %(needed)s %% of the degree passed; your record does not say how much you have. Ask your international office to complete it."), {"needed": needed})
    elif facts.share_passed < terms.minimum_share_passed:
        yield Reason(
            "share-too-low",
            N_("The call asks for %(needed)s %% of the degree passed; your record says %(held)s %%. If that is out of date, ask your international office to update it."),
            {"needed": needed, "held": _per_cent(facts.share_passed)},
        )


def _list_obstacles(facts: Facts, terms: CallTerms) -> Iterator[Reason]:
    if not facts.choices:
        yield Reason("no-choices", N_("You have not chosen anything. Rank at least one course."), {}, "choices")
    if len(facts.choices) > terms.max_choices:
        yield Reason("too-many-choices", N_("You ranked %(count)s courses; this call allows %(most)s. Remove the last ones."), {"count": len(facts.choices), "most": terms.max_choices}, "choices")
    if not 1 <= facts.seats_wanted <= terms.max_seats:
        yield Reason("seats-wanted", N_("You ask for %(wanted)s seats; this call gives one student 1 to %(most)s."), {"wanted": facts.seats_wanted, "most": terms.max_seats}, "seats_wanted")
    for offering, times in Counter(choice.id for choice in facts.choices).items():
        if times > 1:
            title = next(choice.title for choice in facts.choices if choice.id == offering)
            yield Reason("choice-repeated", N_("%(choice)s stands in your list %(times)s times. Keep it once."), {"choice": title, "times": times}, "choices")


def _choice_obstacles(facts: Facts, terms: CallTerms, choice: Choice, rank: int) -> Iterator[Reason]:
    where = f"choices.{rank}"
    named = {"choice": choice.title}
    if choice.seats is None:
        yield Reason("not-in-call", N_("%(choice)s is not part of this call. Choose another course."), named, where)
        return
    if not choice.is_published:
        yield Reason("offering-withdrawn", N_("%(choice)s is no longer offered. Choose another course."), named, where)
    if choice.seats == 0:
        yield Reason("no-seats", N_("%(choice)s has no seats in this call. Choose another course."), named, where)
    if choice.host_id == facts.home_id:
        yield Reason("host-is-home", N_("%(choice)s is taught by your own institution. Choose a course elsewhere."), named, where)
    elif facts.has_record:
        yield from _agreement_obstacles(facts, terms, choice, where)
    if facts.has_record:
        yield from _language_obstacles(facts, terms, choice, where)


def _agreement_obstacles(facts: Facts, terms: CallTerms, choice: Choice, where: str) -> Iterator[Reason]:
    """None in force, or none of those in force covers the course: then what the one that covers most lacks."""
    in_force = _in_force(choice)
    if not in_force:
        yield Reason(
            "no-agreement",
            N_("%(choice)s: %(home)s and %(host)s have no agreement in force on %(on)s. Choose a course of a partner."),
            {"choice": choice.title, "home": facts.home, "host": choice.host, "on": choice.starts_on}, where,
        )  # fmt: skip
        return
    lacking = [(cover, gaps(cover.terms, category=terms.category, level=choice.level, isced_f=choice.isced_f)) for cover in in_force]
    nearest, missing = min(lacking, key=lambda pair: len(pair[1]))
    for gap in missing:
        yield _gap_reason(gap, nearest, terms, choice, where)


def _gap_reason(gap: str, cover: Cover, terms: CallTerms, choice: Choice, where: str) -> Reason:
    params: dict[str, Any] = {"choice": choice.title, "agreement": cover.code}
    if gap == "category":
        return Reason("agreement-category", N_("%(choice)s: agreement %(agreement)s does not cover this kind of mobility."), params, where)
    if gap == "field":
        params |= {"field": choice.isced_f or "—", "covered": ", ".join(cover.terms.isced_f)}
        return Reason("agreement-field", N_("%(choice)s: agreement %(agreement)s covers the fields %(covered)s; this course is in %(field)s."), params, where)
    levels = [LEVELS.get(level, level) for level in cover.terms.levels]
    params |= {"level": LEVELS.get(choice.level, choice.level), "covered": levels}
    return Reason("agreement-level", N_("%(choice)s: agreement %(agreement)s covers the levels %(covered)s; this course is %(level)s."), params, where)


def _language_obstacles(facts: Facts, terms: CallTerms, choice: Choice, where: str) -> Iterator[Reason]:
    needed = _higher(choice.cefr, _asked_by_agreements(terms, choice))
    held = level_held(facts.languages, choice.language)
    if cefr_at_least(held, needed):
        return
    params = {"choice": choice.title, "language": LANGUAGES.get(choice.language, choice.language), "needed": needed}
    if not held:
        yield Reason("cefr-missing", N_("%(choice)s asks for %(language)s at %(needed)s; your record names no level. Ask your international office to enter it."), params, where)
        return
    yield Reason("cefr-too-low", N_("%(choice)s asks for %(language)s at %(needed)s; your record says %(held)s. If that is out of date, ask your international office to update it."), {**params, "held": held}, where)


def _asked_by_agreements(terms: CallTerms, choice: Choice) -> str:
    """The least that any agreement which covers the course asks: the student needs only one of them."""
    covering = [
        cover for cover in _in_force(choice) if not gaps(cover.terms, category=terms.category, level=choice.level, isced_f=choice.isced_f)
    ]
    asked = [cefr_asked(cover.terms, choice.language) for cover in covering]
    return min(asked, key=_height, default="")


def _document_obstacles(facts: Facts, terms: CallTerms) -> Iterator[Reason]:
    for kind in terms.required_documents:
        if kind not in facts.documents:
            yield Reason("document-missing", N_("Missing: %(document)s. Attach it as PDF, JPEG, PNG or plain text."), {"document": DOCUMENT_KINDS.get(kind, kind)}, "documents")


def _offering_problems(offering: CallSeats, answered_on: date) -> Iterator[Reason]:
    named = {"offering": offering.title}
    if not offering.is_published:
        yield Reason("offering-unpublished", N_("%(offering)s is not published. Publish it, or take it out of the call."), named, "offerings")
    if offering.seats == 0:
        yield Reason("seats-zero", N_("%(offering)s has no seats in the call. Give it some, or take it out."), named, "offerings")
    if offering.seats > offering.offering_seats:
        yield Reason("seats-above-offering", N_("The call gives %(seats)s seats in %(offering)s, which has %(has)s."), {**named, "seats": offering.seats, "has": offering.offering_seats}, "offerings")
    if offering.starts_on <= answered_on:
        yield Reason("starts-too-early", N_("%(offering)s begins on %(starts)s, before nominations end. Move the deadline, or take it out."), {**named, "starts": offering.starts_on}, "offerings")


def _in_force(choice: Choice) -> list[Cover]:
    return [cover for cover in choice.covers if cover.starts_on <= choice.starts_on <= cover.ends_on]


def _higher(one: str, other: str) -> str:
    return max(one, other, key=_height)


def _height(level: str) -> int:
    return CEFR.index(level) if level in CEFR else -1


def _per_cent(share: Decimal) -> Decimal:
    """To one decimal, rounded down: 19.96 % must not read as the 20 % that is needed."""
    return Decimal(int(share * 1000)) / 10
