"""Roles and what a profile must hold."""

from collections.abc import Mapping
from enum import StrEnum

from vsm.kit.i18n import N_


class Role(StrEnum):
    """What somebody does at an organisation. One word, one meaning (see the glossary)."""

    STUDENT = "student"
    COORDINATOR = "coordinator"
    INSTRUCTOR = "instructor"
    REGISTRAR = "registrar"
    OBSERVER = "observer"


ROLE_LABELS = {
    Role.STUDENT: N_("Student"), Role.COORDINATOR: N_("Coordinator"), Role.INSTRUCTOR: N_("Instructor"), Role.REGISTRAR: N_("Registrar"),
    Role.OBSERVER: N_("Observer"),
}  # fmt: skip
STAFF = (Role.COORDINATOR, Role.INSTRUCTOR, Role.REGISTRAR, Role.OBSERVER)
LEVELS: Mapping[str, str] = {"short-cycle": N_("Short cycle"), "bachelor": N_("Bachelor"), "master": N_("Master"), "doctorate": N_("Doctorate")}
"""Of studies: the cycles of the Bologna process, the short one first."""
CEFR = ("A1", "A2", "B1", "B2", "C1", "C2")
NATIVE = N_("native")
"""Beside the levels of the Framework, which end where a first language begins."""


def cefr_at_least(held: str, needed: str) -> bool:
    """Whether a level of the Common European Framework reaches another; a native speaker reaches every level."""
    if not needed:
        return True
    if held == NATIVE:
        return True
    return held in CEFR and CEFR.index(held) >= CEFR.index(needed)


def level_held(languages: Mapping[str, str], code: str) -> str:
    """The level that a record names in a language, whatever variety either side wrote: `pt` answers for `pt-br`. Empty when
    it names none."""
    language = code.partition("-")[0]
    return languages.get(code) or next((level for held, level in languages.items() if held.partition("-")[0] == language), "")
