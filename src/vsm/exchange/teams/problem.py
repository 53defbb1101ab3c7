"""Who is to be put into teams and by which rules: a frozen, validated value.

Two problems with the same facts, in whatever order they were read, have the same canonical bytes and the same digest.
Nothing here knows of records: a caller fills `Participant` from whatever it has (enrolments, two rosters, a file).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason, Verdict

FORMAT = "vsm-teams-problem-1"
MOST = 100_000
LANGUAGES_AT_MOST = 60
BLOCKS_AT_MOST = 60 * 12


class Kind(StrEnum):
    """What a rule looks at in each team. `amount` is the bound; how far a team is from it is its shortfall."""

    LANGUAGE = "language"
    """At least one language that everybody speaks."""
    WINDOW = "window"
    """At least `amount` blocks of the week at which a meeting could start for everybody."""
    COUNTRIES = "countries"
    """At least `amount` different countries."""
    INSTITUTIONS = "institutions"
    """At least `amount` different institutions."""
    SAME_COUNTRY = "same_country"
    """At most `amount` from one country."""
    SAME_INSTITUTION = "same_institution"
    """At most `amount` from one institution."""
    ZONES = "zones"
    """Wall clocks at most `amount` hours apart, the short way around the globe."""
    NOT_ALONE = "not_alone"
    """Nobody is the only one with her value of the group `of` (`gender`), or with the value named (`gender=woman`)."""
    TOGETHER = "together"
    """Each pair of `Problem.together` in one team."""
    APART = "apart"
    """No pair of `Problem.apart` in one team."""
    BALANCE = "balance"
    """The team's sum of the skill `of` is what the average of the class gives for its size. Always a wish."""


AT_LEAST = (Kind.WINDOW, Kind.COUNTRIES, Kind.INSTITUTIONS)
AT_MOST = (Kind.SAME_COUNTRY, Kind.SAME_INSTITUTION, Kind.ZONES)


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One rule. With `weight` 0 it must hold; otherwise it is a wish, and each unit of its shortfall costs `weight`."""

    kind: Kind
    amount: int = 1
    of: str = ""
    weight: int = 0

    @property
    def is_hard(self) -> bool:
        return self.weight == 0


@dataclass(frozen=True, slots=True)
class Participant:
    """One person, as far as rules look at her.

    `available` are the blocks of the week (numbered from Monday 00:00 UTC, any length, the same for everybody) at which
    a meeting could start; None means that nobody asked, and any block will do. `utc_offset` is in minutes. `skills` are
    whole numbers that add up (levels, hours a week); `groups` are values that rules may protect (`{"gender": "woman"}`).
    """

    id: str
    country: str = ""
    institution: str = ""
    languages: frozenset[str] = frozenset()
    utc_offset: int = 0
    available: frozenset[int] | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """The frozen input of a formation. Build it with `of` or `from_bytes`: they sort and validate.

    A class is cut into teams of `size`, or as near as its number allows within `smallest` and `largest`.
    """

    participants: tuple[Participant, ...]
    rules: tuple[Rule, ...]
    size: int
    smallest: int
    largest: int
    seed: str
    together: tuple[tuple[str, str], ...] = ()
    apart: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        participants: Iterable[Participant],
        rules: Iterable[Rule],
        *,
        size: int,
        seed: str,
        smallest: int | None = None,
        largest: int | None = None,
        together: Iterable[tuple[str, str]] = (),
        apart: Iterable[tuple[str, str]] = (),
    ) -> Self:
        """The validated problem, or `Invalid` with every fault found. Bounds not given are one off `size`.

        Pairs are kept as a rule that must hold, unless `rules` makes them a wish.
        """
        people, rules = tuple(participants), tuple(rules)
        low = smallest if smallest is not None else max(2, size - 1) if _whole(size) else size
        high = largest if largest is not None else size + 1 if _whole(size) else size
        together, apart = tuple(together), tuple(apart)
        for kind, pairs in ((Kind.TOGETHER, together), (Kind.APART, apart)):
            if pairs and all(rule.kind is not kind for rule in rules):
                rules = (*rules, Rule(kind))
        Invalid.unless(faults(people, rules, size, low, high, seed, together, apart))
        return cls(
            participants=tuple(sorted(people, key=lambda each: each.id)),
            rules=tuple(sorted(set(rules))),
            size=size, smallest=low, largest=high, seed=seed,
            together=_pairs(together), apart=_pairs(apart),
        )  # fmt: skip

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The problem whose canonical bytes are `content`; `Invalid` when they are anything else."""
        unreadable = Reason("teams-unreadable", N_("This is not a frozen problem of team formation."))
        try:
            told = json.loads(content)
            if told.pop("format") != FORMAT:
                raise ValueError
            people = [_participant(row) for row in told.pop("participants")]
            rules = [Rule(Kind(kind), amount, of, weight) for kind, amount, of, weight in told.pop("rules")]
            together, apart = ([(first, second) for first, second in told.pop(name)] for name in ("together", "apart"))
            problem = cls.of(people, rules, **told, together=together, apart=apart)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Invalid(unreadable) from error
        if problem.canonical != content:
            raise Invalid(unreadable)
        return problem

    @cached_property
    def canonical(self) -> bytes:
        """The problem as JSON with sorted keys and no spaces; `from_bytes` reads it back."""
        told = {
            "format": FORMAT, "size": self.size, "smallest": self.smallest, "largest": self.largest, "seed": self.seed,
            "rules": [[rule.kind, rule.amount, rule.of, rule.weight] for rule in self.rules],
            "together": self.together, "apart": self.apart,
            "participants": [_row(each) for each in self.participants],
        }  # fmt: skip
        return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, in hexadecimal."""
        return hashlib.sha256(self.canonical).hexdigest()

    @cached_property
    def by_id(self) -> dict[str, Participant]:
        return {each.id: each for each in self.participants}

    @cached_property
    def number_of_teams(self) -> int:
        """How many teams the class makes: those whose sizes come nearest to what was asked, fewer when equally near."""
        return min(_possible_numbers(len(self.participants), self.smallest, self.largest), key=self._distance)

    @cached_property
    def averages(self) -> dict[str, tuple[int, int]]:
        """Skill → (sum, count) of those who have it told: whoever told nothing counts as average."""
        told: dict[str, tuple[int, int]] = {}
        for each in self.participants:
            for skill, value in each.skills.items():
                total, count = told.get(skill, (0, 0))
                told[skill] = total + value, count + 1
        return told

    def target(self, skill: str, size: int) -> int:
        """The sum of a skill that a team of `size` would have were everybody average, to the nearest whole number (even at a half)."""
        total, count = self.averages.get(skill, (0, 1))
        return round(Fraction(total * size, count))

    def skill_of(self, participant: Participant, skill: str) -> int:
        return participant.skills[skill] if skill in participant.skills else self.target(skill, 1)

    def _distance(self, number: int) -> tuple[int, int]:
        quotient, rest = divmod(len(self.participants), number)
        return (number - rest) * abs(quotient - self.size) + rest * abs(quotient + 1 - self.size), number


def seed_of(*parts: object) -> int:
    """63 bits that follow from the parts alone, on every machine."""
    told = ":".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:8], "big") >> 1


def faults(
    people: Sequence[Participant], rules: Sequence[Rule], size: int, smallest: int, largest: int, seed: str,
    together: Sequence[tuple[str, str]] = (), apart: Sequence[tuple[str, str]] = (),
) -> Verdict:  # fmt: skip
    """Every reason why these cannot be put into teams."""
    found = [
        *_faults_of_sizes(len(people), size, smallest, largest),
        *_faults_of_people(people),
        *(fault for rule in rules for fault in _faults_of_rule(rule)),
        *_faults_of_pairs({each.id for each in people}, together, apart),
    ]
    if not isinstance(seed, str) or not seed.strip() or not seed.isprintable():
        found.append(Reason("seed", N_("The draw needs a seed: a line of printable text."), {}, "seed"))
    return Verdict.of(found)


def _faults_of_sizes(people: int, size: int, smallest: int, largest: int) -> Iterator[Reason]:
    if not all(map(_whole, (size, smallest, largest))) or not 1 <= smallest <= size <= largest <= 60 or size < 2:
        facts = {"smallest": smallest, "size": size, "largest": largest}
        text = N_("A team has between 2 and 60 members, and its size lies between the smallest (%(smallest)s) and the largest (%(largest)s); you asked for %(size)s.")  # fmt: skip
        yield Reason("size", text, facts, "size")
        return
    if people > MOST:
        yield Reason("too-many", N_("%(people)s people are too many at once: at most %(most)s."), {"people": people, "most": MOST}, "size")  # fmt: skip
    elif not _possible_numbers(people, smallest, largest):
        facts = {"people": people, "smallest": smallest, "largest": largest}
        text = N_("%(people)s people cannot be cut into teams of %(smallest)s to %(largest)s. Allow smaller or larger teams.")  # fmt: skip
        yield Reason("no-such-cut", text, facts, "size")


def _faults_of_people(people: Sequence[Participant]) -> Iterator[Reason]:
    for name, times in Counter(each.id for each in people).items():
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            yield Reason("participant", N_("%(id)s is not an identifier: it must be printable text."), {"id": repr(name)}, "participants")  # fmt: skip
        elif times > 1:
            yield Reason("repeated", N_("%(id)s stands %(times)s times."), {"id": name, "times": times}, "participants")
    languages = frozenset().union(*(each.languages for each in people))
    if len(languages) > LANGUAGES_AT_MOST:
        text = N_("%(count)s languages are too many: at most %(most)s.")
        yield Reason("languages", text, {"count": len(languages), "most": LANGUAGES_AT_MOST}, "participants")
    for each in people:
        if any(not _whole(block) or not 0 <= block < BLOCKS_AT_MOST for block in each.available or ()):
            yield Reason("available", N_("%(id)s: a block of the week is a number from 0 to %(last)s."), {"id": each.id, "last": BLOCKS_AT_MOST - 1}, "participants")  # fmt: skip
        if any(not _whole(value) or abs(value) > 10_000 for value in each.skills.values()):
            yield Reason("skill", N_("%(id)s: a skill is a whole number up to 10,000."), {"id": each.id}, "participants")  # fmt: skip
        if not _whole(each.utc_offset) or abs(each.utc_offset) > 14 * 60:
            yield Reason("offset", N_("%(id)s: the time zone is at most 14 hours from UTC."), {"id": each.id}, "participants")  # fmt: skip


def _faults_of_rule(rule: Rule) -> Iterator[Reason]:
    facts = {"kind": str(rule.kind), "amount": rule.amount, "weight": rule.weight}
    if not _whole(rule.weight) or not 0 <= rule.weight <= 10_000:
        yield Reason("weight", N_("%(kind)s: the weight of a wish is a whole number from 1 to 10,000, not %(weight)s; without one the rule must hold."), facts, "rules")  # fmt: skip
    if not _whole(rule.amount) or not 0 <= rule.amount <= 1000:
        yield Reason("amount", N_("%(kind)s: the number must be between 0 and 1,000, not %(amount)s."), facts, "rules")
    if rule.kind in (Kind.NOT_ALONE, Kind.BALANCE) and not rule.of:
        yield Reason("of", N_("%(kind)s: say of what."), facts, "rules")
    if rule.kind is Kind.BALANCE and rule.is_hard:
        yield Reason("balance", N_("Balance can only be a wish: give it a weight."), facts, "rules")


def _faults_of_pairs(known: set[str], together: Sequence[tuple[str, str]], apart: Sequence[tuple[str, str]]) -> Iterator[Reason]:  # fmt: skip
    for field_name, pairs in (("together", together), ("apart", apart)):
        for first, second in pairs:
            for name in {first, second} - known:
                yield Reason("pair-unknown", N_("%(id)s is named in a pair but takes no part."), {"id": name}, field_name)  # fmt: skip
            if first == second:
                yield Reason("pair-of-one", N_("%(id)s is paired with herself."), {"id": first}, field_name)
    for first, second in set(_pairs(together)) & set(_pairs(apart)):
        text = N_("%(first)s and %(second)s are to be together and apart. Keep one of the two.")
        yield Reason("pair-torn", text, {"first": first, "second": second}, "apart")


def _possible_numbers(people: int, smallest: int, largest: int) -> list[int]:
    return list(range(max(1, -(-people // largest)), people // smallest + 1)) if people else []


def _pairs(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({(min(pair), max(pair)) for pair in pairs}))


def _row(each: Participant) -> dict[str, Any]:
    return {
        "id": each.id, "country": each.country, "institution": each.institution, "languages": sorted(each.languages),
        "utc_offset": each.utc_offset, "available": None if each.available is None else _ranges(each.available),
        "skills": dict(each.skills), "groups": dict(each.groups),
    }  # fmt: skip


def _participant(row: dict[str, Any]) -> Participant:
    blocks = row["available"]
    available = None if blocks is None else frozenset(b for first, last in blocks for b in range(first, last + 1))
    return Participant(
        row["id"], row["country"], row["institution"], frozenset(row["languages"]), row["utc_offset"], available,
        dict(row["skills"]), dict(row["groups"]),
    )  # fmt: skip


def _ranges(blocks: Iterable[int]) -> list[list[int]]:
    """Blocks as [first, last] runs: a week of hours is short to write."""
    ordered = sorted(blocks)
    if not ordered:
        return []
    breaks = [place for place, (left, right) in enumerate(pairwise(ordered), start=1) if right != left + 1]
    bounds = [0, *breaks, len(ordered)]
    return [[ordered[start], ordered[end - 1]] for start, end in pairwise(bounds)]


def _whole(value: object) -> bool:
    return type(value) is int
