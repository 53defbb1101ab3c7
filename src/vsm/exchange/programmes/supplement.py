"""The diploma supplement: the eight sections of the model of the European Commission, the Council of Europe and UNESCO
(Diploma Supplement, revised by the Lisbon Recognition Convention Committee in 2018), as data.

A supplement is frozen when the award is conferred. Texts are localized JSON or plain text; numbers are text. Labels are
not stored: they are the model's, in the reader's language.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import rfc8785

from vsm.kit.i18n import N_

FORMAT = "openvsm-diploma-supplement/1"

SECTIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "1": (N_("Information identifying the holder of the qualification"), {
        "1.1": N_("Last name(s)"), "1.2": N_("First name(s)"), "1.3": N_("Date of birth"), "1.4": N_("Student identification number or code"),
    }),
    "2": (N_("Information identifying the qualification"), {
        "2.1": N_("Name of the qualification and title conferred"), "2.2": N_("Main field(s) of study"), "2.3": N_("Name and status of the awarding institution"),
        "2.4": N_("Name and status of the institution administering studies"), "2.5": N_("Language(s) of instruction and examination"),
    }),
    "3": (N_("Information on the level and duration of the qualification"), {
        "3.1": N_("Level of the qualification"), "3.2": N_("Official duration of the programme in credits and years"), "3.3": N_("Access requirement(s)"),
    }),
    "4": (N_("Information on the programme completed and the results obtained"), {
        "4.1": N_("Mode of study"), "4.2": N_("Programme learning outcomes"), "4.3": N_("Programme details, individual credits gained and grades obtained"),
        "4.4": N_("Grading system"), "4.5": N_("Overall classification of the qualification"),
    }),
    "5": (N_("Information on the function of the qualification"), {
        "5.1": N_("Access to further study"), "5.2": N_("Access to a regulated profession"),
    }),
    "6": (N_("Additional information"), {"6.1": N_("Additional information"), "6.2": N_("Further information sources")}),
    "7": (N_("Certification of the supplement"), {
        "7.1": N_("Date"), "7.2": N_("Name of who certified it"), "7.3": N_("Capacity"), "7.4": N_("Official stamp or seal"),
    }),
    "8": (N_("Information on the national higher education system"), {"8": N_("National higher education system")}),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ModuleResult:
    """One line of section 4.3. `term` is the host's word for the term in which it was passed."""

    code: str
    title: Mapping[str, str]
    credits: str
    grade: str
    term: str


@dataclass(frozen=True, kw_only=True)
class Supplement:
    """`items` is number of the model → text (localized, or plain); an empty one is stated as not given."""

    number: str
    language: str
    conferred_on: str
    items: Mapping[str, Any]
    results: tuple[ModuleResult, ...]
    credit_system: str
    format: str = FORMAT


def as_json(supplement: Supplement) -> dict[str, Any]:
    return {**asdict(supplement), "results": [asdict(each) for each in supplement.results]}


def from_json(kept: Mapping[str, Any]) -> Supplement:
    """The reverse of `as_json`. TypeError for a shape that is not ours."""
    return Supplement(**{**kept, "results": tuple(ModuleResult(**row) for row in kept["results"])})


def digest_of(kept: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical bytes (RFC 8785), in hexadecimal."""
    return hashlib.sha256(rfc8785.dumps(dict(kept))).hexdigest()


def numbers() -> Iterable[str]:
    """Every number of the model in its order."""
    return (number for _title, items in SECTIONS.values() for number in items)
