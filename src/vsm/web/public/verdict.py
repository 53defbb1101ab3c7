"""A verification told to people: the verdict at a glance, what the credential says, and every check in plain words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from vsm.exchange.credentials import queries
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of
from vsm.kit.saying import say, say_reason
from vsm.kit.signing import Check, Outcome
from vsm.standards.open_badges.model import Credential
from vsm.standards.open_badges.verify import Standing, Verification

LONGEST = 300  # characters of a stranger's text that are shown

VERDICTS: Mapping[Standing, tuple[str, Any, Any]] = {
    Standing.VALID: (
        "good",
        gettext_lazy("Genuine and in force"),
        gettext_lazy("Signed by the institution named below, unaltered, and not revoked."),
    ),
    Standing.INVALID: (
        "bad",
        gettext_lazy("Not a genuine credential"),
        gettext_lazy("At least one check failed. Rely on nothing that it says; ask the person for the original file."),
    ),
    Standing.REVOKED: (
        "bad",
        gettext_lazy("Revoked by the issuer"),
        gettext_lazy("It was genuine, but the institution has withdrawn it for good."),
    ),
    Standing.SUSPENDED: (
        "warn",
        gettext_lazy("On hold"),
        gettext_lazy("The institution has suspended it for the time being. Ask again later."),
    ),
    Standing.EXPIRED: (
        "warn",
        gettext_lazy("Genuine, but expired"),
        gettext_lazy("It was valid until the date below."),
    ),
    Standing.NOT_YET_VALID: (
        "warn",
        gettext_lazy("Genuine, but not valid yet"),
        gettext_lazy("It begins to be valid on the date below."),
    ),
    Standing.NOT_CHECKED: (
        "warn",
        gettext_lazy("Could not be checked completely"),
        gettext_lazy("Nothing is wrong so far, but something could not be looked up. This is not a yes: see below."),
    ),
}
QUESTIONS = {
    "form": gettext_lazy("Can it be read?"),
    "header": gettext_lazy("Is it signed in an allowed way?"),
    "key": gettext_lazy("Has the issuer published the key that it names?"),
    "signature": gettext_lazy("Is it unaltered since it was signed?"),
    "key-window": gettext_lazy("Was the key in use on the day of issue?"),
    "issuer": gettext_lazy("Does it come from the issuer that it names?"),
    "not-before": gettext_lazy("Has its validity begun?"),
    "expiry": gettext_lazy("Is it still within its validity?"),
    "structure": gettext_lazy("Is it a complete achievement credential?"),
    "claims": gettext_lazy("Do the signed envelope and the text inside agree?"),
    "status": gettext_lazy("Is it free of a revocation by the issuer?"),
}
OUTCOMES = {
    Outcome.PASSED: ("good", gettext_lazy("Yes")),
    Outcome.FAILED: ("bad", gettext_lazy("No")),
    Outcome.NOT_CHECKED: ("warn", gettext_lazy("Not checked")),
}

GRADES = frozenset({"GradePointAverage", "LetterGrade", "Percent", "RawScore", "ScaledScore"})
"""Kinds of result that are a mark on a scale; hours, fingerprints and other measures are not."""


@dataclass(frozen=True)
class Answer:
    """What a reader is told: the verdict first, then what the credential says, then each check."""

    tone: str
    verdict: str
    meaning: str
    facts: list[dict[str, Any]]
    checks: list[dict[str, str]]
    is_reliable: bool
    issuer_url: str


def answer_of(found: Verification) -> Answer:
    tone, verdict, meaning = VERDICTS[found.standing]
    organisation = queries.issuing_organisation(found.credential.issuer.id) if found.credential else None
    genuine = found.standing not in {Standing.INVALID, Standing.NOT_CHECKED}
    return Answer(
        tone=tone,
        verdict=say(verdict),
        meaning=say(meaning),
        facts=_facts(found.credential, organisation if genuine else None) if found.credential else [],
        checks=[_check(check) for check in found.checks],
        is_reliable=genuine,
        issuer_url=reverse("issuer", args=[organisation.pk]) if organisation else "",
    )


def answer_as_json(found: Verification) -> dict[str, Any]:
    """The same for programs; reasons are told in the language that was asked for."""
    return {
        "standing": found.standing.value,
        "valid": found.ok,
        "checks": [_check_as_json(check) for check in found.checks],
        "credential": _as_json(found.credential) if found.credential else None,
    }


def _facts(credential: Credential, known: Organisation | None) -> list[dict[str, Any]]:
    """Who issued what to whom, as the credential has it. The issuer's name is ours once the signature has proved it."""
    names = _names(credential)
    issuer_name = name_of(known) if known else credential.issuer.name or credential.issuer.id
    told = [
        (_("What"), "text", _title(credential)),
        (_("Who issued it"), "text", issuer_name),
        (_("To whom"), "text", ", ".join(names) or _("The credential does not tell the name.")),
        *((description, "text", value) for description, value in _results(credential)),
        (_("Credits earned"), "text", _amount(credential.credits_earned)),
        (_("Code of the course"), "text", credential.achievement.code),
        (_("Field of study"), "text", credential.achievement.field_of_study),
        (_("From"), "date", _day(credential.started)),
        (_("Until"), "date", _day(credential.ended)),
        (_("Awarded"), "date", _day(credential.awarded)),
        _moment(_("Issued"), credential.valid_from),
        _moment(_("Valid until"), credential.valid_until),
        (_("What it took"), "long_text", credential.achievement.criteria),
        (_("Identifier"), "text", credential.id),
    ]
    return [{"label": _cut(label), "kind": kind, "value": _cut(value)} for label, kind, value in told if value]


def _names(credential: Credential) -> list[str]:
    """Whom it names in plain text; a hashed name is not told."""
    return [each.value for each in credential.learner.identities if each.type == "name" and not each.hashed]


def _results(credential: Credential) -> list[tuple[str, str]]:
    """Each result: a grade with the name of its scale, what is no grade by its own name; credits are told once, under their own heading."""
    described = {each.id: each for each in credential.achievement.results}
    return [
        (_("Grade (%(scale)s)") % {"scale": told.name} if (told := described[result.description]).type in GRADES else told.name, result.value)
        for result in credential.results
        if result.value
        and result.description in described
        and not described[result.description].type.startswith("ext:Credit")
    ]


def _title(credential: Credential) -> str:
    achievement = credential.achievement
    titles = {edition.language.lower(): edition.name for edition in achievement.editions if edition.name}
    wanted = (get_language() or "en").lower()
    own = titles.get(wanted, "") if wanted != achievement.language.lower() else ""
    return f"{achievement.name} ({own})" if own and own != achievement.name else achievement.name


def _moment(label: str, value: datetime | None) -> tuple[str, str, Any]:
    if value is None or _is_showable(value):
        return label, "moment", value
    return label, "text", str(value)


def _day(value: datetime | None) -> Any:
    """The day that the issuer wrote, in UTC: in the reader's zone a course would begin on another day than it did."""
    return value.astimezone(UTC).date() if value is not None and _is_showable(value) else None


def _is_showable(value: datetime) -> bool:
    """A stranger may date a credential in the year 1 or 9999, where moving to the reader's zone leaves the calendar."""
    return 1900 <= value.year <= 2900


def _amount(value: float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if abs(value) >= 10**6:
        return str(value)
    return str(number_format(int(value) if value == int(value) else value))


def _cut(value: Any) -> Any:
    """A stranger's text as a page can carry it: not endless, and without halves of characters (lone surrogates)."""
    if not isinstance(value, str):
        return value
    text = value.encode(errors="replace").decode()
    return text[:LONGEST] + "…" if len(text) > LONGEST else text


def _check(check: Check) -> dict[str, Any]:
    tone, word = OUTCOMES[check.outcome]
    return {
        "question": say(QUESTIONS[check.name]),
        "tone": tone,
        "outcome": say(word),
        "reason": _cut(say_reason(check.reason)) if check.reason else "",
    }


def _check_as_json(check: Check) -> dict[str, str]:
    reason = check.reason
    return {
        "check": check.name,
        "outcome": check.outcome.value,
        "code": reason.code if reason else "",
        "reason": say_reason(reason) if reason else "",
    }


def _as_json(credential: Credential) -> dict[str, Any]:
    return {
        "id": credential.id,
        "issuer": {"id": credential.issuer.id, "name": credential.issuer.name},
        "learner": _names(credential),
        "achievement": credential.achievement.name,
        "issued": credential.valid_from.isoformat(),
        "results": [{"scale": scale, "value": value} for scale, value in _results(credential)],
        "credits": _amount(credential.credits_earned),
    }
