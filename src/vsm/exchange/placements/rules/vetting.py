"""When a host is vetted: every point of the checklist met, with evidence that still holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from vsm.kit.i18n import N_
from vsm.kit.mail_addresses import is_mail_address
from vsm.kit.verdict import Reason
from vsm.rulebook.placements import Criterion


@dataclass(frozen=True)
class Checked:
    """The latest look at one criterion. `outcome`: given (not looked at yet), met, not-met or missing."""

    criterion: str
    outcome: str
    expires_on: date | None = None


def why_not_vetted(criteria: tuple[Criterion, ...], checks: Mapping[str, Checked], on: date) -> Iterator[Reason]:
    """Everything that keeps a host from being vetted on this day."""
    for each in criteria:
        found = checks.get(each.slug)
        if found is None or found.outcome in {"missing", "given"}:
            if not each.optional:
                yield Reason("not-checked", N_("%(criterion)s: there is no evidence yet. Record what you have seen."), {"criterion": dict(each.name)}, "checks")
        elif found.outcome == "not-met":
            yield Reason("not-met", N_("%(criterion)s: not met. Ask the host to change it, or refuse."), {"criterion": dict(each.name)}, "checks")
        elif found.expires_on and found.expires_on < on:
            text = N_("%(criterion)s: the evidence expired on %(day)s. Ask for a new one.")
            yield Reason("evidence-expired", text, {"criterion": dict(each.name), "day": found.expires_on}, "checks")


def valid_until(criteria: tuple[Criterion, ...], checks: Mapping[str, Checked], on: date, months: int) -> date:
    """The last day of a vetting done on this day: the term, or the first document to expire."""
    month = on.month - 1 + months
    year, month = on.year + month // 12, month % 12 + 1
    ends = [date(year, month, min(on.day, 28))]
    ends += [found.expires_on for each in criteria if (found := checks.get(each.slug)) and found.expires_on]
    return min(ends)


def check_problems(criterion: Criterion | None, outcome: str, evidence: str, expires_on: date | None, on: date) -> Iterator[Reason]:
    """What is wrong with one entry of the checklist."""
    if criterion is None:
        yield Reason("criterion-unknown", N_("This point is not on the checklist."), {}, "criterion")
        return
    if not evidence.strip():
        yield Reason("evidence-missing", N_("Say what you have seen, or what is missing."), {}, "evidence")
    if outcome == "met" and criterion.expires and expires_on is None:
        yield Reason("expiry-missing", N_("Give the last day on which this document is valid."), {}, "expires_on")
    if outcome == "met" and expires_on and expires_on < on:
        yield Reason("expired-already", N_("This document is no longer valid: it cannot count as met."), {}, "expires_on")


def application_problems(*, name: str, contact_email: str, founded: int | None, employees: int | None, purpose: str, on: date) -> Iterator[Reason]:
    """What is wrong with a host's own application."""
    if not name.strip():
        yield Reason("name", N_("Give the name of the organisation."), {}, "name")
    if not is_mail_address(contact_email.strip()):
        yield Reason("email", N_("This is not a mail address."), {}, "contact_email")
    if founded is not None and not 1000 <= founded <= on.year:
        yield Reason("founded", N_("“%(year)s” is not a year in which it can have begun."), {"year": str(founded)}, "founded")
    if employees is not None and not 0 <= employees <= 10_000_000:
        yield Reason("employees", N_("“%(value)s” is no number of people."), {"value": employees}, "employees")
    if len(purpose.strip()) < 20:
        yield Reason("purpose", N_("Say in a sentence or two what the organisation does and what students would do."), {}, "purpose")
