"""When a preparation can be opened and is complete, when one can assess oneself, what home may ask for. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook.instruments import instruments

BEFORE, AFTER = "before", "after"
KINDS = ("condition", "advice")


@dataclass(frozen=True)
class Done:
    """What somebody has done. `modules` and `needed` are ids of required modules; assessments are (instrument, moment)."""

    modules: Collection[str]
    needed: Sequence[tuple[str, object]]
    assessments: Collection[tuple[str, str]]
    instruments: Sequence[str]
    meetings: int
    meetings_needed: int


def preparation_problems(*, starts_on: date, ends_on: date, chosen: Sequence[str], meetings_needed: int, title: bool) -> Iterator[Reason]:
    """What is wrong with the facts as entered."""
    if not title:
        yield Reason("title-missing", N_("Give the title in at least one language."), {}, "title")
    if ends_on <= starts_on:
        yield Reason("dates-order", N_("The preparation ends before it starts."), {}, "ends_on")
    known = [each.slug for each in instruments()]
    for slug in chosen:
        if slug not in known:
            yield Reason("instrument", N_("“%(value)s” is not one of: %(known)s."), {"value": slug, "known": ", ".join(known)}, "instruments")
    if not 0 <= meetings_needed <= 100:
        yield Reason("meetings-needed", N_("Give a number from 0 to %(most)s."), {"most": 100}, "meetings_needed")


def gaps(*, modules: int, meetings: int, chosen: Sequence[str], meetings_needed: int) -> Iterator[Reason]:
    """What a preparation lacks before students can join."""
    if not modules and not meetings:
        yield Reason("nothing-to-do", N_("Add a module or a meeting: there is nothing to do in it yet."))
    if not chosen:
        yield Reason("no-instrument", N_("Choose a self-assessment, so that a change can be seen."), {}, "instruments")
    if meetings_needed > meetings:
        text = N_("%(needed)s meetings are needed to complete it, and %(planned)s are planned.")
        yield Reason("too-few-meetings", text, {"needed": meetings_needed, "planned": meetings}, "meetings_needed")


def why_not_join(*, starts_on: date, cancelled: bool, today: date, host_matches: bool) -> Iterator[Reason]:
    """Whether a mobility can be prepared for: it is to come, it takes place, and it leads to where the preparation does."""
    if cancelled:
        yield Reason("mobility-cancelled", N_("This mobility was cancelled."), {}, "mobility")
    if starts_on <= today:
        yield Reason("mobility-begun", N_("This mobility began on %(day)s: a preparation comes before it."), {"day": starts_on}, "mobility")
    if not host_matches:
        yield Reason("another-host", N_("This preparation is for another host."), {}, "mobility")


def moment_of(taken: Collection[str]) -> str:
    """Which assessment comes next by what was taken with an instrument; empty when both were."""
    return BEFORE if BEFORE not in taken else AFTER if AFTER not in taken else ""


def why_not_assess(moment: str, *, first_on: date | None, today: date, days: int) -> Iterator[Reason]:
    """The second assessment has some days' distance from the first; there is no third."""
    if not moment:
        yield Reason("both-taken", N_("You have taken this assessment before and after: the two stand."))
    elif moment == AFTER and first_on is not None and today < first_on + timedelta(days=days):
        text = N_("The second assessment comes at least %(days)s days after the first: from %(day)s on.")
        yield Reason("too-soon", text, {"days": days, "day": first_on + timedelta(days=days)})


def why_not_complete(done: Done) -> Iterator[Reason]:
    """Everything that is missing for completion, at once."""
    for ident, title in done.needed:
        if ident not in done.modules:
            yield Reason("module-open", N_("Module to do: %(title)s"), {"title": title})
    for slug in done.instruments:
        name = next((each.name for each in instruments() if each.slug == slug), {"en": slug})
        for moment, text in ((BEFORE, N_("Self-assessment to take before: %(name)s")), (AFTER, N_("Self-assessment to take after: %(name)s"))):
            if (slug, moment) not in done.assessments:
                yield Reason(f"assessment-{moment}", text, {"name": name})
    if done.meetings < done.meetings_needed:
        text = N_("Meetings attended: %(attended)s of %(needed)s.")
        yield Reason("meetings-missing", text, {"attended": done.meetings, "needed": done.meetings_needed})


def requirement_problems(*, kind: str, due_on: date, starts_on: date, today: date) -> Iterator[Reason]:
    """What home asks for before a mobility: a condition or an advice, due before it begins."""
    if kind not in KINDS:
        yield Reason("kind", N_("“%(value)s” is not one of: %(known)s."), {"value": kind, "known": ", ".join(KINDS)}, "kind")
    if not today <= due_on <= starts_on:
        yield Reason("due", N_("Give a day from today to the start of the mobility (%(start)s)."), {"start": starts_on}, "due_on")


def module_problems(*, kind: str, url: str, has_body: bool, has_title: bool, kilobytes: int | None, minutes: int) -> Iterator[Reason]:
    """A page has a text of its own; a link says how heavy it is, so that nobody pays for a surprise."""
    if not has_title:
        yield Reason("title-missing", N_("Give the title in at least one language."), {}, "title")
    if kind == "page" and not has_body:
        yield Reason("body-missing", N_("Write the text of the page in at least one language."), {}, "body")
    if kind == "link":
        if not url.startswith(("https://", "http://")):
            yield Reason("url", N_("Write the whole address, beginning with https://."), {}, "url")
        if kilobytes is None:
            yield Reason("size-missing", N_("Say how many kilobytes it weighs: many prepare on a mobile connection."), {}, "kilobytes")
    if kilobytes is not None and not 0 <= kilobytes <= 10_000_000:
        yield Reason("size", N_("“%(value)s” is no size in kilobytes."), {"value": kilobytes}, "kilobytes")
    if not 1 <= minutes <= 6000:
        yield Reason("minutes", N_("Give the minutes that it takes, from 1 to 6000."), {}, "minutes")
