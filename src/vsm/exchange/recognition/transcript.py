"""The content of a transcript of records: its shape, its canonical bytes, and how it is typeset.

The content is language-neutral facts with texts in every language we speak, so that a reader of 2040 needs neither our
database nor our rulebook: the host's scale, its credit system and the legend stand in it. The PDF is made once from
these facts alone, in the student's language, which is what they will show at home, with English beside every label for
everybody else.
"""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypedDict
from zoneinfo import ZoneInfo

import rfc8785
from django.utils import formats, translation
from django.utils.translation import gettext

from vsm import rulebook
from vsm.kit import pdf
from vsm.kit.i18n import N_
from vsm.kit.localized import LANGUAGES, text_in
from vsm.rulebook.entries import CreditSystem, GradeScale

FORMAT = "openvsm-transcript-1"
Texts = dict[str, str]
Outcome = Literal["passed", "failed", "withdrawn"]


class Institution(TypedDict):
    name: Texts
    schac: str
    ror: str
    country: str
    city: str


class Student(TypedDict):
    name: str
    student_number: str
    programme: str


class Component(TypedDict):
    """One course. Numbers are decimal text (empty: not known), days ISO 8601. `result_id` is empty for a withdrawal."""

    enrolment_id: str
    result_id: str
    offering_id: str
    code: str
    title: Texts
    language: str
    level: str
    isced_f: str
    starts_on: str
    ends_on: str
    workload_hours: str
    credits: str
    credit_system: str
    credits_earned: str
    outcome: Outcome
    grade: str
    scale: str
    decided_on: str
    remark: str


class Explained(TypedDict):
    """A scale of grades or a credit system as the rulebook had it: enough to read the document without us."""

    slug: str
    name: Texts
    facts: dict[str, str]
    source: str


class Mark(TypedDict):
    mark: str
    text: Texts


class Content(TypedDict):
    """The whole. `issued_at` is an instant with offset, `zone` the host's; `replaces` is why there is a new edition."""

    format: str
    number: str
    edition: int
    replaces: str
    language: str
    issued_at: str
    zone: str
    issued_by: str
    student: Student
    home: Institution
    host: Institution
    learning_agreement: dict[str, str]
    starts_on: str
    ends_on: str
    components: list[Component]
    credits_earned: dict[str, str]
    grade_scales: list[Explained]
    credit_systems: list[Explained]
    legend: list[Mark]
    rulebook_version: str


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one way to write this content down (RFC 8785)."""
    return rfc8785.dumps(dict(content))


def digest_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical bytes, in hexadecimal."""
    return hashlib.sha256(canonical(content)).hexdigest()


def explained_scale(scale: GradeScale, on: date) -> Explained:
    """What a stranger needs to read a grade: its ends, the passing mark, and the letters in order."""
    value = scale.at(on)
    letters = ", ".join(f"{letter.grade} ({letter.points})" for letter in value.letters)
    unranked = ", ".join(letter.grade for letter in value.unranked)
    facts = {
        "best": str(value.best), "worst": str(value.worst), "pass": str(value.pass_mark),
        "step": "" if value.step is None else str(value.step), "letters": letters, "unranked": unranked,
    }  # fmt: skip
    return {"slug": scale.slug, "name": dict(scale.name), "facts": facts, "source": str(value.reference)}


def explained_system(system: CreditSystem, on: date) -> Explained:
    """How many hours of a student's work one credit stands for."""
    value = system.at(on)
    facts = {"low": str(value.hours_low), "high": str(value.hours_high)}
    return {"slug": system.slug, "name": dict(system.name), "facts": facts, "source": str(value.reference)}


def legend(outcomes: set[Outcome]) -> list[Mark]:
    """What the marks on this transcript mean, in every language."""
    texts = {
        "passed": ("✓", N_("Passed: the credits were earned.")),
        "failed": ("✗", N_("Not passed: no credits were earned.")),
        "withdrawn": ("W", N_("Withdrew after the last day to drop: no grade and no credits.")),
    }
    return [{"mark": mark, "text": _in_all(text)} for name, (mark, text) in texts.items() if name in outcomes]


def typeset(content: Content, digest: str) -> bytes:
    """The PDF (tagged, PDF/UA-1) of this content. It carries the content's digest, by which it can be compared."""
    return pdf.render("vsm.exchange.recognition", "transcript.typ", _page(content, digest))


def _in_all(text: str) -> Texts:
    told = {}
    for language in LANGUAGES:
        with translation.override(language):
            told[language] = gettext(text)
    return told


LABELS = {
    "title": N_("Transcript of records"), "number": N_("Number"), "edition": N_("Edition"), "replaces": N_("Replaces"),
    "issued": N_("Issued"), "issued_by": N_("Issued by"), "student": N_("Student"),
    "student_number": N_("Student number"), "programme": N_("Programme"), "home": N_("Home institution"),
    "host": N_("Host institution"), "period": N_("Period of study"), "courses": N_("Courses"), "code": N_("Code"),
    "course": N_("Course"), "dates": N_("Dates"), "workload": N_("Workload (hours)"), "credits": N_("Credits"),
    "earned": N_("Earned"), "grade": N_("Grade"), "outcome": N_("Outcome"), "total": N_("Credits earned"),
    "scales": N_("How the host grades"), "systems": N_("What a credit stands for"), "legend": N_("Legend"),
    "agreement": N_("Learning agreement"), "fingerprint": N_("Fingerprint of the content (SHA-256)"),
    "rulebook": N_("Rulebook"), "page": N_("Page"), "source": N_("Source"),
}  # fmt: skip
OUTCOMES = {"passed": N_("Passed"), "failed": N_("Not passed"), "withdrawn": N_("Withdrawn")}


def _page(content: Content, digest: str) -> dict[str, Any]:
    """The transcript in words, for the template: everything formatted, nothing left to decide."""
    language = content["language"]

    def both(text: str, **facts: str) -> dict[str, str]:
        return _beside({code: told % facts for code, told in _in_all(text).items()}, language)

    with translation.override(language):
        return {
            "lang": language.split("-")[0],
            "region": language.partition("-")[2] or None,
            "labels": {name: both(text) for name, text in LABELS.items()},
            "number": content["number"],
            "edition": str(content["edition"]),
            "facts": [
                [both(LABELS[name]), value]
                for name, value in (
                    ("number", content["number"]),
                    ("edition", str(content["edition"])),
                    ("replaces", content["replaces"]),
                    ("issued", _moment(content["issued_at"], content["zone"])),
                    ("issued_by", content["issued_by"]),
                    ("student", content["student"]["name"]),
                    ("student_number", content["student"]["student_number"]),
                    ("programme", content["student"]["programme"]),
                    ("home", _institution(content["home"], language)),
                    ("host", _institution(content["host"], language)),
                    ("period", f"{_day(content['starts_on'])} – {_day(content['ends_on'])}"),
                    ("agreement", _agreement(content["learning_agreement"])),
                )
                if value
            ],
            "host": text_in(content["host"]["name"], language),
            "rows": [_row(component, language, both) for component in content["components"]],
            "total": "; ".join(
                f"{_number(amount)} {_name_of(content['credit_systems'], slug, language)}"
                for slug, amount in content["credits_earned"].items()
            ),
            "scales": [
                {
                    "name": text_in(scale["name"], language),
                    "lines": _scale_lines(scale, both),
                    "source": rulebook.cited(scale["source"], language),
                }
                for scale in content["grade_scales"]
            ],
            "systems": [
                {
                    "name": text_in(system["name"], language),
                    "lines": [
                        both(N_("One credit: %(low)s to %(high)s hours of the student's work."), **system["facts"])
                    ],
                    "source": rulebook.cited(system["source"], language),
                }
                for system in content["credit_systems"]
            ],
            "legend": [{"mark": entry["mark"], **_beside(entry["text"], language)} for entry in content["legend"]],
            "digest": digest,
            "rulebook": content["rulebook_version"],
        }


def _beside(texts: Texts, language: str) -> dict[str, str]:
    """The text in the student's language, and in English where that says something else."""
    return {"own": texts[language], "beside": texts["en"] if texts["en"] != texts[language] else ""}


def _row(component: Component, language: str, both: Any) -> dict[str, Any]:
    title = text_in(component["title"], language)
    in_english = text_in(component["title"], "en")
    return {
        "code": component["code"],
        "title": title,
        "beside": in_english if in_english != title else "",
        "dates": f"{_day(component['starts_on'])} – {_day(component['ends_on'])}",
        "workload": _number(component["workload_hours"]),
        "credits": _number(component["credits"]),
        "earned": _number(component["credits_earned"]),
        "grade": component["grade"],
        "outcome": both(OUTCOMES[component["outcome"]]),
        "remark": component["remark"],
    }


def _scale_lines(scale: Explained, both: Any) -> list[dict[str, str]]:
    facts = scale["facts"]
    lines = [both(N_("From %(worst)s (worst) to %(best)s (best); the passing mark is %(pass)s."), **facts)]
    if facts["letters"]:
        lines.append(both(N_("Letters with their points, best first: %(letters)s."), **facts))
    if facts["unranked"]:
        lines.append(both(N_("Marks without rank: %(unranked)s."), **facts))
    return lines


def _institution(institution: Institution, language: str) -> str:
    where = ", ".join(filter(None, (institution["city"], institution["country"])))
    known_as = " · ".join(filter(None, (institution["schac"], institution["ror"])))
    return f"{text_in(institution['name'], language)} ({where})\n{known_as}"


def _agreement(agreement: Mapping[str, str]) -> str:
    return f"{agreement['id']} · v{agreement['version']}" if agreement.get("version") else agreement.get("id", "")


def _name_of(systems: list[Explained], slug: str, language: str) -> str:
    return next((text_in(system["name"], language) for system in systems if system["slug"] == slug), slug)


def _moment(text: str, zone: str) -> str:
    """The instant on the wall of the host, whose zone is named."""
    local = datetime.fromisoformat(text).astimezone(ZoneInfo(zone))
    return f"{formats.date_format(local.date(), 'DATE_FORMAT')}, {local:%H:%M} ({zone})"


def _day(text: str) -> str:
    return str(formats.date_format(date.fromisoformat(text), "SHORT_DATE_FORMAT"))


def _number(text: str) -> str:
    """Decimal text in the reader's separators, without zeros at the end."""
    return str(formats.number_format(Decimal(text).normalize() + 0, use_l10n=True)) if text else ""
