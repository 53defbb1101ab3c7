"""What a programme consists of, and whether it can be studied as it stands. Pure.

A module lies in one group. A group is either compulsory (every module of it) or elective (so many credits out of it).
The terms are numbered from 1 as the host recommends them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

COMPULSORY, ELECTIVE = "compulsory", "elective"


@dataclass(frozen=True)
class Module:
    """One module. `prerequisites` are codes; `term` is the recommended one."""

    code: str
    title: Mapping[str, str]
    credits: Decimal
    group: str
    term: int = 1
    prerequisites: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """`credits` are what an elective group asks for; a compulsory one asks for all its modules."""

    code: str
    title: Mapping[str, str]
    kind: str = COMPULSORY
    credits: Decimal = Decimal(0)


@dataclass(frozen=True)
class Structure:
    """Groups and modules in the order in which they are shown, and the credits of the whole."""

    groups: tuple[Group, ...]
    modules: tuple[Module, ...]
    total: Decimal

    def module(self, code: str) -> Module | None:
        return next((each for each in self.modules if each.code == code), None)

    def of(self, group: str) -> tuple[Module, ...]:
        return tuple(each for each in self.modules if each.group == group)

    def needed(self, group: Group) -> Decimal:
        """The credits that this group contributes to the whole."""
        if group.kind == COMPULSORY:
            return sum((each.credits for each in self.of(group.code)), Decimal(0))
        return group.credits

    @property
    def terms(self) -> int:
        """How many terms the host plans for it."""
        return max((each.term for each in self.modules), default=1)


def structure_problems(structure: Structure) -> Iterator[Reason]:
    """What is wrong with the rows as entered: none of it may be stored."""
    yield from _twice("group", [each.code for each in structure.groups], "groups")
    yield from _twice("module", [each.code for each in structure.modules], "modules")
    known = {each.code for each in structure.groups}
    codes = {each.code: each for each in structure.modules}
    for module in structure.modules:
        if module.group not in known:
            text = N_("Module %(module)s lies in the group “%(group)s”, which is not listed.")
            yield Reason("group-unknown", text, {"module": module.code, "group": module.group}, "modules")
        if module.credits <= 0:
            yield Reason("module-credits", N_("Module %(module)s needs credits above 0."), {"module": module.code}, "modules")
        if not 1 <= module.term <= 24:
            yield Reason("module-term", N_("Module %(module)s: terms are counted from 1 to 24."), {"module": module.code}, "modules")
        for wanted in module.prerequisites:
            yield from _prerequisite_problems(module, wanted, codes)


def structure_gaps(structure: Structure) -> Iterator[Reason]:
    """What keeps a well-formed structure from being published: somebody who follows it must reach the total."""
    if not structure.modules:
        yield Reason("no-modules", N_("Give the modules: a programme cannot be studied without them."), {}, "modules")
        return
    for group in structure.groups:
        offered = sum((each.credits for each in structure.of(group.code)), Decimal(0))
        if not structure.of(group.code):
            yield Reason("group-empty", N_("The group “%(group)s” has no module."), {"group": group.title}, "groups")
        elif group.kind == ELECTIVE and not 0 < group.credits <= offered:
            text = N_("The group “%(group)s” asks for %(needed)s credits and its modules have %(offered)s.")
            yield Reason("group-credits", text, {"group": group.title, "needed": group.credits, "offered": offered}, "groups")
    reached = sum((structure.needed(each) for each in structure.groups), Decimal(0))
    if reached != structure.total:
        text = N_("The groups ask for %(reached)s credits together; the programme has %(total)s.")
        yield Reason("total-differs", text, {"reached": reached, "total": structure.total}, "groups")


def _twice(what: str, codes: Sequence[str], field: str) -> Iterator[Reason]:
    texts = {"group": N_("The group %(code)s stands twice."), "module": N_("The module %(code)s stands twice.")}
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield Reason(f"{what}-twice", texts[what], {"code": code}, field)


def _prerequisite_problems(module: Module, wanted: str, codes: Mapping[str, Module]) -> Iterator[Reason]:
    before = codes.get(wanted)
    if before is None:
        text = N_("Module %(module)s builds on %(wanted)s, which is not a module of this programme.")
        yield Reason("prerequisite-unknown", text, {"module": module.code, "wanted": wanted}, "modules")
    elif before.term >= module.term:
        # A strictly earlier term also rules out circles.
        text = N_("Module %(module)s builds on %(wanted)s, which must then lie in an earlier term.")
        yield Reason("prerequisite-order", text, {"module": module.code, "wanted": wanted}, "modules")
