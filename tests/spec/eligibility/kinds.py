"""How the cases about who may apply are put to the rules.

The ground of each case is an open call and a student who may apply; a case changes what it names. Days are UTC.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from vsm.exchange.agreements.rules import Terms
from vsm.exchange.applications.rules import CallTerms, Choice, Cover, Facts, eligible

Given = Mapping[str, Any]


def eligibility(given: Given) -> dict[str, Any]:
    """The obstacles by their codes, and the same as sentences."""
    verdict = eligible(_facts(given), _terms(given.get("call", {})), _moment(given.get("today", "2027-01-15")))
    return {
        "may_submit": "yes" if verdict.ok else "no",
        "obstacles": verdict.codes,
        "said": [reason.text % {name: _plain(value) for name, value in reason.params.items()} for reason in verdict.reasons],
        "beside": [reason.field for reason in verdict.reasons],
    }


KINDS: dict[str, Callable[[Given], dict[str, Any]]] = {"eligibility": eligibility}


def _terms(call: Given) -> CallTerms:
    return CallTerms(
        opens_at=_moment(call.get("opens", "2027-01-10")), closes_at=_moment(call.get("closes", "2027-01-31")), nominate_by=_moment(call.get("nominate_by", "2027-02-07")),
        category=call.get("category", "course"), max_choices=int(call.get("most_choices", "3")), max_seats=int(call.get("most_seats", "2")),
        minimum_share_passed=Decimal(call.get("share_asked", "0.2")), required_documents=tuple(call.get("documents", ["transcript"])),
        is_published=call.get("published", "yes") == "yes", is_over=call.get("over", "no") == "yes",
    )  # fmt: skip


def _facts(given: Given) -> Facts:
    student = given.get("student", {})
    share = student.get("share_passed", "0.5")
    covers = tuple(_cover(each) for each in given.get("agreements", [{}]))
    choices = given.get("choices", ["algebra"])
    courses = given.get("courses", {})
    return Facts(
        home_id=student.get("home", "Lima"), home=student.get("home", "Lima"), has_record=student.get("registered", "yes") == "yes",
        share_passed=Decimal(share) if share else None, languages=student.get("languages", {"en": "B2"}),
        choices=[_choice(name, courses.get(name, {}), covers) for name in choices], seats_wanted=int(student.get("wants", "1")),
        documents=frozenset(student.get("documents", ["transcript"])), has_another=student.get("applied_already", "no") == "yes",
    )  # fmt: skip


def _choice(name: str, course: Given, covers: tuple[Cover, ...]) -> Choice:
    seats = course.get("seats", "5")
    return Choice(
        id=name, title=name, host_id=course.get("host", "Porto"), host=course.get("host", "Porto"), starts_on=date.fromisoformat(course.get("starts", "2027-03-01")),
        level=course.get("level", "bachelor"), language=course.get("language", "en"), isced_f=course.get("field", "0613"), cefr=course.get("cefr", "B1"),
        seats=None if seats == "not in this call" else int(seats), is_published=course.get("published", "yes") == "yes", covers=covers,
    )  # fmt: skip


def _cover(agreement: Given) -> Cover:
    terms = Terms(
        agreement.get("category", "course"), tuple(agreement.get("levels", [])), tuple(agreement.get("fields", [])),
        agreement.get("language", ""), agreement.get("cefr", ""),
    )  # fmt: skip
    return Cover(agreement.get("code", "PE-PT"), terms, date.fromisoformat(agreement.get("from", "2027-01-01")), date.fromisoformat(agreement.get("until", "2027-12-31")))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
