"""What a learning agreement says, when it is complete, who may sign for whom, and how two versions differ. Pure.

A version is one text. Its bytes are canonical JSON (RFC 8785), so that the same text has one digest everywhere; amounts
are written as text because JSON's numbers are binary fractions. A signature is bound to that digest.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from vsm.kit.i18n import N_
from vsm.kit.localized import text_in
from vsm.kit.names import country_names, language_names
from vsm.kit.verdict import Reason
from vsm.rulebook import credit_system_names

FORMAT = "openvsm-learning-agreement/1"


class Party(StrEnum):
    """A side that signs. The host is the institution that teaches, home the one that recognises."""

    STUDENT = "student"
    HOME = "home"
    HOST = "host"


PARTY_WORDS = {
    Party.STUDENT.value: N_("student"),
    Party.HOME.value: N_("home institution"),
    Party.HOST.value: N_("host institution"),
}


@dataclass(frozen=True, kw_only=True)
class Component:
    """One host course and what home will recognise for it.

    `offering` is the offering's id; `title` is localized; `credits` are the host's, in `credit_system`, and
    `home_credits` home's, both as decimal text; days are ISO 8601. Not recognised: `because` says why.

    A course in person (`is_virtual` False) may have no offering in the catalogue: then `offering` is the id that the
    mobility gives it. Where a course goes on online, `replaces` is the id it had in person, and `taught_by` the
    institution's localized name when that is not the host.
    """

    offering: str
    code: str
    title: Mapping[str, str]
    credits: str
    credit_system: str
    language: str
    starts_on: str
    ends_on: str
    is_virtual: bool = True
    recognised: bool = True
    home_code: str = ""
    home_title: str = ""
    home_credits: str = ""
    because: str = ""
    replaces: str = ""
    taught_by: Mapping[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The id of the course that was agreed in person or chosen first, whatever form it has now."""
        return self.replaces or self.offering


@dataclass(frozen=True, kw_only=True)
class Content:
    """The whole text of one version. `follows` is the digest of the version before it, empty for the first.

    `student` has id, name, number, programme; `home` and `host` have id, name (localized), schac, country and
    credit_system.
    """

    agreement: str
    number: int
    follows: str
    call: str
    student: Mapping[str, Any]
    home: Mapping[str, Any]
    host: Mapping[str, Any]
    components: tuple[Component, ...]
    format: str = FORMAT

    def component(self, offering: str) -> Component | None:
        """The line of this offering."""
        return next((each for each in self.components if each.offering == offering), None)


@dataclass(frozen=True)
class Change:
    """One difference between two versions. `kind`: added, removed or changed; `label` names the fact that changed."""

    kind: str
    title: Mapping[str, str]
    label: str = ""
    before: Any = ""
    after: Any = ""


def amount(number: Decimal) -> str:
    """Without exponent and without zeros at the end, so that 6, 6.0 and 6.00 are one text."""
    return format(number.normalize(), "f") if number else "0"


def as_json(content: Content) -> dict[str, Any]:
    """The text as plain JSON values.

    Facts that most lines lack are left out when empty: texts signed before a fact was known keep their digest.
    """
    return {**vars(content), "components": [_line_as_json(each) for each in content.components]}


def from_json(kept: Mapping[str, Any]) -> Content:
    """The reverse of `as_json`. TypeError for a shape that is not ours."""
    return Content(**{**kept, "components": tuple(Component(**row) for row in kept["components"])})


def digest_of(content: Content) -> str:
    """SHA-256 over the canonical bytes, in hexadecimal."""
    return digest_of_json(as_json(content))


def digest_of_json(plain: Mapping[str, Any]) -> str:
    """The same of what `as_json` gave."""
    return hashlib.sha256(canonical(plain)).hexdigest()


def canonical(plain: Mapping[str, Any]) -> bytes:
    """The bytes of RFC 8785 for a text of ours, which has no binary fractions and only ASCII names.

    Under these two conditions the standard library writes just what the RFC asks for (sorted names, no blanks, the
    shortest escapes), ten times as fast; where they do not hold, this is refused.
    """
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_refused).encode()


def _refused(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in a text that is signed")


def why_incomplete(content: Content, accepted: Collection[str]) -> Iterator[Reason]:
    """Everything that must be settled before anybody is asked to sign. `accepted`: offerings whose seat is accepted."""
    if not content.components:
        yield Reason("no-component", N_("There is no course in it. Accept the offer of a seat first."), {}, "components")
    for offering in sorted(set(accepted) - {each.offering for each in content.components}):
        text = N_("A course with an accepted seat is missing (%(offering)s). Draft a new version: it will be listed.")
        yield Reason("course-missing", text, {"offering": offering}, "components")
    for each in content.components:
        yield from _why_line_incomplete(each, accepted)


def why_not_sign(
    party: str, *, sides: Collection[str], signed: Mapping[str, UUID], earlier: Mapping[UUID, str], person: UUID | None
) -> Iterator[Reason]:
    """Who may sign for whom.

    `sides`: those this person may act for; `signed`: side → who signed this very version; `earlier`: person → the side
    they have signed under any version of this agreement. Nobody signs for two sides, whatever roles they hold: a
    signature is worth something because the three are different people.
    """
    word = PARTY_WORDS.get(party, party)
    if party not in sides:
        yield Reason("not-your-side", N_("This signature belongs to another side: %(party)s."), {"party": word}, "side")
    if party in signed:
        text = N_("This version is already signed on this side: %(party)s. Nothing more is needed there.")
        yield Reason("already-signed", text, {"party": word})
    held = earlier.get(person) if person else None
    if held is not None and held != party:
        text = N_("You have signed this agreement for one side: %(held)s. Somebody else must sign for: %(party)s.")
        yield Reason("one-side-each", text, {"held": PARTY_WORDS[held], "party": word}, "side")


def differences(before: Content, after: Content) -> tuple[Change, ...]:
    """What a reader of `before` must know about `after`, in the order of the text."""
    return (*_changed_parties(before, after), *_changed_components(before, after))


def as_read(changes: Iterable[Change], language: str) -> tuple[Change, ...]:
    """The differences that show in this language: a name that changed in another one reads here as it did before."""
    return tuple(each for each in changes if each.kind != "changed" or _read(each.before, language) != _read(each.after, language))


def told(change: Change) -> Reason:
    """A difference as a sentence."""
    facts = {"title": change.title, "label": change.label, "before": change.before or "—", "after": change.after or "—"}
    return Reason(f"text-{change.kind}", _SENTENCES[change.kind], facts)


_SENTENCES = {
    "added": N_("Added: %(title)s."),
    "removed": N_("Removed: %(title)s."),
    "changed": N_("%(title)s — %(label)s: before “%(before)s”, now “%(after)s”."),
}
_LABELS = {
    "code": N_("Code"),
    "title": N_("Title"),
    "credits": N_("Credits at the host"),
    "credit_system": N_("Credit system"),
    "language": N_("Language"),
    "starts_on": N_("Starts"),
    "ends_on": N_("Ends"),
    "is_virtual": N_("Virtual component"),
    "taught_by": N_("Taught by"),
    "recognised": N_("Recognised at home"),
    "home_code": N_("Code at home"),
    "home_title": N_("Title at home"),
    "home_credits": N_("Credits at home"),
    "because": N_("Why it is not recognised"),
}
_SIDES = {"student": N_("Student"), "home": N_("Home institution"), "host": N_("Host institution")}


def _line_as_json(component: Component) -> dict[str, Any]:
    return {name: value for name, value in vars(component).items() if value or name not in _LEFT_OUT}


_LEFT_OUT = {"replaces", "taught_by"}


def _why_line_incomplete(each: Component, accepted: Collection[str]) -> Iterator[Reason]:
    if each.offering not in accepted:
        text = N_("%(title)s: the seat is no longer held. Draft a new version: the course will be left out.")
        yield Reason("seat-gone", text, {"title": each.title}, "components")
    if not each.recognised:
        if not each.because.strip():
            text = N_("%(title)s: say why home does not recognise it.")
            yield Reason("refusal-unexplained", text, {"title": each.title}, "components")
        return
    if not each.home_code.strip() and not each.home_title.strip():
        text = N_("%(title)s: name the home course, or the part of the degree, that it counts for.")
        yield Reason("home-course-missing", text, {"title": each.title}, "components")
    if not each.home_credits or Decimal(each.home_credits) <= 0:
        text = N_("%(title)s: say how many credits home gives for it.")
        yield Reason("home-credits-missing", text, {"title": each.title}, "components")


def _changed_parties(before: Content, after: Content) -> Iterator[Change]:
    for side, label in _SIDES.items():
        was, becomes = getattr(before, side), getattr(after, side)
        for fact in sorted({*was, *becomes} - {"id"}):  # an identifier tells nobody anything; whom it names is told by the name
            if was.get(fact) != becomes.get(fact):
                named = becomes.get("name", "")
                title = named if isinstance(named, Mapping) else {"en": str(named)}
                yield Change("changed", title, label, _plain(fact, was.get(fact, "")), _plain(fact, becomes.get(fact, "")))


def _changed_components(before: Content, after: Content) -> Iterator[Change]:
    held, kept = ({each.origin: each for each in content.components} for content in (before, after))
    for old in before.components:
        if old.origin not in kept:
            yield Change("removed", old.title)
    for new in after.components:
        was = held.get(new.origin)
        if was is None:
            yield Change("added", new.title)
            continue
        yield from (
            Change("changed", new.title, label, _plain(fact, getattr(was, fact)), _plain(fact, getattr(new, fact)))
            for fact, label in _LABELS.items()
            if getattr(was, fact) != getattr(new, fact)
        )


def _read(value: object, language: str) -> object:
    return text_in(value, language) if isinstance(value, Mapping) else value


def _plain(fact: str, value: Any) -> object:
    """A fact as a sentence takes it: days as days, codes by the names that they stand for."""
    if isinstance(value, bool):
        return N_("yes") if value else N_("no")
    return _TOLD[fact](value) if value and fact in _TOLD else value or ""


_TOLD: dict[str, Callable[[str], object]] = {
    "starts_on": date.fromisoformat, "ends_on": date.fromisoformat, "language": language_names, "country": country_names,
    "credit_system": credit_system_names,
}  # fmt: skip
