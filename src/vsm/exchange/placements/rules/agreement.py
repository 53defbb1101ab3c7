"""What a tripartite agreement says, when it is complete, who may sign for whom, and how two versions differ. Pure.

A version is one text. Its bytes are canonical JSON (RFC 8785), so that the same text has one digest everywhere; amounts are
written as text because JSON's numbers are binary fractions. A signature is bound to that digest.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import rfc8785

from vsm.exchange.placements.rules.vacancies import PAY_WORDS, too_many_hours
from vsm.kit.i18n import N_
from vsm.kit.names import language_names
from vsm.kit.verdict import Reason
from vsm.rulebook.placements import Limit

FORMAT = "openvsm-placement-agreement/1"


class Party(StrEnum):
    """A side that signs. The host is the organisation that gives the work, home the institution that sends."""

    STUDENT = "student"
    HOME = "home"
    HOST = "host"


PARTY_WORDS = {Party.STUDENT.value: N_("student"), Party.HOME.value: N_("home institution"), Party.HOST.value: N_("host organisation")}


@dataclass(frozen=True, kw_only=True)
class Content:
    """The whole text of one version. `follows` is the digest of the version before it, empty for the first.

    `student` has id, name, number, programme; `home` id, name (localized), country; `host` id, name, country, registration;
    `mentor` name, email; `tutor` id, name, email; `officer` name, email. Days are ISO 8601, amounts decimal text.
    `pay_period` "none" means that nothing is paid. `most_hours_per_week` is the law's limit with its source, as of the day.
    """

    agreement: str
    number: int
    follows: str
    title: Mapping[str, str]
    student: Mapping[str, Any]
    home: Mapping[str, Any]
    host: Mapping[str, Any]
    tasks: str
    outcomes: str
    hours_per_week: str
    most_hours_per_week: str
    limit_source: str
    starts_on: str
    ends_on: str
    zone: str
    core_hours: str
    language: str
    mentor: Mapping[str, Any]
    tutor: Mapping[str, Any]
    pay: str
    currency: str
    pay_period: str
    equipment: str
    insurance: str
    data_and_ip: str
    confidentiality: str
    officer: Mapping[str, Any]
    complaints: str
    format: str = FORMAT


@dataclass(frozen=True)
class Change:
    """One difference between two versions."""

    label: str
    before: object
    after: object


LABELS = {
    "title": N_("Title"), "student": N_("Student"), "home": N_("Home institution"), "host": N_("Host organisation"), "tasks": N_("Tasks"),
    "outcomes": N_("Learning outcomes"), "hours_per_week": N_("Hours a week"), "most_hours_per_week": N_("Most hours a week by law"),
    "limit_source": N_("Source of the limit"), "starts_on": N_("First day"), "ends_on": N_("Last day"), "zone": N_("Time zone"),
    "core_hours": N_("Core hours"), "language": N_("Language of work"), "mentor": N_("Mentor at the host"), "tutor": N_("Tutor at home"),
    "pay": N_("Remuneration"), "currency": N_("Currency"), "pay_period": N_("Paid for"), "equipment": N_("Equipment"),
    "insurance": N_("Insurance"), "data_and_ip": N_("Data and intellectual property"), "confidentiality": N_("Confidentiality"),
    "officer": N_("Safeguarding officer at home"), "complaints": N_("Complaint route"),
}  # fmt: skip
NEEDED = ("tasks", "outcomes", "equipment", "insurance", "data_and_ip", "confidentiality", "complaints")


def as_json(content: Content) -> dict[str, Any]:
    """The text as plain JSON values."""
    return asdict(content)


def from_json(kept: Mapping[str, Any]) -> Content:
    """The reverse of `as_json`. TypeError for a shape that is not ours."""
    return Content(**kept)


def digest_of(content: Content) -> str:
    """SHA-256 over the canonical bytes, in hexadecimal."""
    return hashlib.sha256(rfc8785.dumps(as_json(content))).hexdigest()


def amount(number: Decimal | None) -> str:
    """Without exponent and without zeros at the end, so that 20 and 20.0 are one text."""
    return format(number.normalize(), "f") if number else ""


def why_incomplete(content: Content, limit: Limit) -> Iterator[Reason]:
    """Everything that must be settled before anybody is asked to sign."""
    hours = Decimal(content.hours_per_week or 0)
    missing = [name for name in NEEDED if not getattr(content, name).strip()] + ([] if hours > 0 else ["hours_per_week"])
    for name in missing:
        yield Reason("part-missing", N_("%(part)s: nothing is agreed yet. Draft a new version."), {"part": LABELS[name]}, name)
    if hours > limit.week:
        yield too_many_hours(hours, limit)
    if date.fromisoformat(content.ends_on) < date.fromisoformat(content.starts_on):
        yield Reason("dates-order", N_("It ends before it starts."), {}, "ends_on")
    if not content.mentor.get("email"):
        yield Reason("mentor-missing", N_("Name the mentor at the host, with a mail address."), {}, "mentor_email")
    if not content.tutor.get("id"):
        yield Reason("tutor-missing", N_("Name the tutor at home."), {}, "tutor")
    if not content.officer.get("name"):
        text = N_("The home institution has named no safeguarding officer. It does so on its own page; without one nobody would hear a complaint.")
        yield Reason("officer-missing", text)


def why_not_sign(party: str, *, sides: Collection[str], signed: Collection[str], earlier: Mapping[UUID, str], person: UUID | None) -> Iterator[Reason]:
    """Who may sign for whom. `earlier`: person → side that they have signed under any version. Nobody signs for two sides."""
    word = PARTY_WORDS.get(party, party)
    if party not in sides:
        yield Reason("not-your-side", N_("This signature belongs to another side: %(party)s."), {"party": word}, "side")
    if party in signed:
        yield Reason("already-signed", N_("This version is already signed on this side: %(party)s. Nothing more is needed there."), {"party": word})
    held = earlier.get(person) if person else None
    if held is not None and held != party:
        text = N_("You have signed this agreement for one side: %(held)s. Somebody else must sign for: %(party)s.")
        yield Reason("one-side-each", text, {"held": PARTY_WORDS[held], "party": word}, "side")


def differences(before: Content, after: Content) -> tuple[Change, ...]:
    """What a reader of `before` must know about `after`, in the order of the text."""
    return tuple(
        Change(label, plain(name, getattr(before, name)), plain(name, getattr(after, name)))
        for name, label in LABELS.items()
        if getattr(before, name) != getattr(after, name)
    )


def told(change: Change) -> Reason:
    """A difference as a sentence."""
    text = N_("%(label)s: before “%(before)s”, now “%(after)s”.")
    return Reason("text-changed", text, {"label": change.label, "before": change.before or "—", "after": change.after or "—"})


def plain(fact: str, value: object) -> object:
    """A part of the text as a sentence takes it: days as days, codes by their names, of a person or an organisation what a reader knows it by."""
    if isinstance(value, Mapping):
        name = value.get("name", value)
        return name if isinstance(name, Mapping) else " · ".join(filter(None, [str(name), str(value.get("email", ""))]))
    return _TOLD[fact](str(value)) if value and fact in _TOLD else str(value)


_TOLD: dict[str, Callable[[str], object]] = {
    "starts_on": date.fromisoformat, "ends_on": date.fromisoformat, "language": language_names, "hours_per_week": Decimal, "most_hours_per_week": Decimal,
    "pay": Decimal, "pay_period": lambda period: PAY_WORDS.get(period, period),
}  # fmt: skip
