"""From records to the frozen problem: who wants what, what the call gives, by which rules; and who stands behind each name."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from vsm.exchange.agreements.models import Agreement
from vsm.exchange.agreements.queries import terms_of
from vsm.exchange.agreements.rules import gaps
from vsm.exchange.agreements.states import State as AgreementState
from vsm.exchange.allocation.flows import Balance, Promise, agreement_quotas, balance_quotas
from vsm.exchange.allocation.models import DeclaredGroup, Policy, Seat
from vsm.exchange.allocation.problem import Bound, Meeting, Problem, Quota, Reserve, Student, written_student
from vsm.exchange.allocation.problem import Offering as Seats
from vsm.exchange.allocation.rules import opaque
from vsm.exchange.applications.models import Call, CallOffering
from vsm.exchange.applications.queries import Wish, for_call
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.catalogue.queries import terms_of_seats
from vsm.exchange.catalogue.states import State as OfferingState
from vsm.rulebook import credit_system

WEEK = 7 * 24 * 60


@dataclass(frozen=True)
class Assembled:
    """The problem of a call, whose wishes each opaque id in it stands for, and what the counts need to know beside it.

    `hosts` is offering → institution; `statistics` is opaque id → groups, of those who agreed to be counted.
    """

    problem: Problem
    wishes: Mapping[str, Wish]
    hosts: Mapping[str, str] = field(default_factory=dict)
    statistics: Mapping[str, frozenset[str]] = field(default_factory=dict)


def rules_of(call: Call) -> Policy:
    """The rules of a call: those its office fixed, or the defaults (not saved)."""
    found: Policy | None = Policy.objects.filter(call=call).first()
    return found or Policy(call=call)


@dataclass(frozen=True)
class Records:
    """What the records of a call say: all that a problem is made of but its mechanism and seed, and what counts need beside it.

    `groups` and `statistics` are opaque id → groups, of those who agreed to it; `wishes` stand in order of the opaque id.
    """

    wishes: Mapping[str, Wish]
    offerings: tuple[Seats, ...]
    groups: Mapping[str, Sequence[str]]
    quotas: Sequence[Quota]
    credits_range: tuple[int, int] | None
    lottery: str
    timetable: str
    hosts: Mapping[str, str]
    statistics: Mapping[str, frozenset[str]]

    def problem(self, *, mechanism: str, seed: str) -> Problem:
        """The problem, validated."""
        students = [
            Student.ranking(
                name, [(offering, wish.band) for offering in wish.choices], wish.seats_wanted, groups=tuple(self.groups.get(name, ())),
                origin=self._origin(wish), credits_range=self.credits_range,
            )
            for name, wish in self.wishes.items()
        ]  # fmt: skip
        return self._rules(mechanism, seed, students)

    def written(self, *, mechanism: str, seed: str) -> bytes:
        """The canonical bytes of that problem, without making it: with a hundred thousand students that takes a third of the time."""
        rules = self._rules(mechanism, seed, ())
        quoted = {each.id: json.dumps(each.id, ensure_ascii=False) for each in self.offerings}
        plain = rules.plain and not self.groups and self.credits_range is None
        return rules.written((self._written(name, wish, quoted) for name, wish in self.wishes.items()), plain=plain)

    def _written(self, name: str, wish: Wish, quoted: Mapping[str, str]) -> str:
        choices = ",".join([f"[{rank},{quoted[offering]},{wish.band}]" for rank, offering in enumerate(wish.choices, start=1)])
        unusual = {"groups": sorted(self.groups.get(name, ())), "origin": self._origin(wish), "credits_range": self.credits_range}
        return written_student(name, wish.seats_wanted, choices, {fact: value for fact, value in unusual.items() if value})

    def _origin(self, wish: Wish) -> str:
        return wish.home_id if self.quotas else ""

    def _rules(self, mechanism: str, seed: str, students: Iterable[Student]) -> Problem:
        return Problem.of(
            offerings=self.offerings, students=students, seed=seed, mechanism=mechanism, lottery=self.lottery, quotas=self.quotas,
            timetable=self.timetable,
        )  # fmt: skip


def problem_of(call: Call, *, mechanism: str, seed: str, changes: Mapping[str, Any] | None = None) -> Assembled:
    """Freeze what the nominated applications of a call want, and what the call gives by its rules, as it stands now."""
    read = records_of(call, changes)
    return Assembled(read.problem(mechanism=mechanism, seed=seed), read.wishes, read.hosts, read.statistics)


def records_of(call: Call, changes: Mapping[str, Any] | None = None) -> Records:
    """Read everything that decides about the seats of a call.

    An offering that was withdrawn, or taken out of the call after somebody ranked it, has no seats. `changes`
    (`trials.Changes` as plain values) is what a trial asks to be different.
    """
    changes = changes or {}
    wishes = dict(sorted((opaque(wish.application_id), wish) for wish in for_call(call)))
    rules = rules_of(call)
    given = CallOffering.objects.filter(call=call, offering__state=OfferingState.PUBLISHED)
    seats = {str(pk): seats for pk, seats in given.values_list("offering_id", "seats")}
    seats |= {str(row["offering"]): row["seats"] for row in changes.get("seats", ())}
    ranked = {offering for wish in wishes.values() for offering in wish.choices}
    ids = sorted(seats.keys() | ranked)
    needs_facts = rules.use_agreements or rules.reciprocity or rules.clashes != "allow" or rules.credits_most is not None or rules.credits_least is not None
    found = _offerings(ids) if needs_facts else {}
    hosts = {str(pk): str(host) for pk, host in Offering.objects.filter(pk__in=ids).values_list("pk", "opportunity__organisation_id")}
    reserves = changes["reserves"] if changes.get("reserves") is not None else rules.reserves
    groups = _groups({row["group"] for row in [*reserves, *rules.limits] if row["group"]}, wishes)
    quotas, labels = _quotas(call, rules, found, hosts, wishes)
    return Records(
        wishes=wishes,
        offerings=tuple(
            Seats(
                each, seats.get(each, 0), reserves=_reserves(reserves, each, seats.get(each, 0)), bounds=_bounds(rules, each),
                labels=tuple(sorted(labels.get(each, ()))),
                meetings=meetings_of(found[each]) if rules.clashes != "allow" else (),
                credits=credits_of(found[each], call) if _counts_credits(rules) else 0,
            )
            for each in ids
        ),
        groups=groups, quotas=quotas, credits_range=_credits_range(rules), lottery=rules.lottery,
        timetable="exact" if rules.clashes == "exact" else "fast", hosts=hosts, statistics=_statistics(wishes),
    )  # fmt: skip


def groups_used(rules: Policy) -> list[str]:
    """The groups that a call's rules name, each once, in the order in which they stand there."""
    return list(dict.fromkeys(row["group"] for row in [*rules.reserves, *rules.limits] if row["group"]))


# Groups ---------------------------------------------------------------------------------------------------------------


def _groups(wanted: set[str], wishes: Mapping[str, Wish]) -> dict[str, list[str]]:
    """Opaque id → the groups that count for seats: those the rules name and the student agreed to use for it."""
    if not wanted:
        return {}
    rows = DeclaredGroup.objects.filter(group__in=wanted, declaration__for_seats=True)
    return _by_name(rows, wishes)


def _statistics(wishes: Mapping[str, Wish]) -> dict[str, frozenset[str]]:
    rows = DeclaredGroup.objects.filter(declaration__for_statistics=True)
    return {name: frozenset(groups) for name, groups in _by_name(rows, wishes).items()}


def _by_name(rows: Any, wishes: Mapping[str, Wish]) -> dict[str, list[str]]:
    call_ids = {wish.application_id: name for name, wish in wishes.items()}
    found: dict[str, list[str]] = defaultdict(list)
    for application, group in rows.values_list("declaration__application_id", "group").order_by("group"):
        name = call_ids.get(str(application))
        if name:
            found[name].append(group)
    return found


def _reserves(rows: Iterable[Mapping[str, Any]], offering: str, capacity: int) -> tuple[Reserve, ...]:
    """A line about one offering goes before the line about all; no reserve is larger than the course."""
    held: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: bool(row["offering"])):
        if row["offering"] in ("", offering):
            held[row["group"]] = min(row["seats"], capacity)
    return tuple(Reserve(group, seats) for group, seats in sorted(held.items()) if seats)


def _bounds(rules: Policy, offering: str) -> tuple[Bound, ...]:
    held = {row["group"]: row for row in sorted(rules.limits, key=lambda row: bool(row["offering"])) if row["group"] and row["offering"] in ("", offering)}
    return tuple(Bound(group, row["least"] or 0, row["most"]) for group, row in sorted(held.items()))


# Flows between institutions -------------------------------------------------------------------------------------------


def _quotas(
    call: Call, rules: Policy, found: Mapping[str, Offering], hosts: Mapping[str, str], wishes: Mapping[str, Wish]
) -> tuple[list[Quota], dict[str, set[str]]]:
    labels: dict[str, set[str]] = defaultdict(set)
    quotas: list[Quota] = []
    homes = {wish.home_id for wish in wishes.values()}
    if rules.use_agreements:
        quotas, more = agreement_quotas(_promises(call, found, homes))
        labels |= more
    if rules.reciprocity:
        quotas += balance_quotas(balances(homes, set(hosts.values()), call), bound=rules.balance, hard=rules.reciprocity == "hard")
    for number, row in enumerate((row for row in rules.limits if row["home"]), start=1):
        bound = [row["offering"]] if row["offering"] else []
        quotas.append(Quota(f"limit:{number}", (row["home"],), tuple(f"offering:{each}" for each in bound), row["least"] or 0, row["most"]))
        for offering in bound:
            labels[offering].add(f"offering:{offering}")
    if rules.reciprocity:
        for offering, host in hosts.items():
            labels[offering].add(f"host:{host}")
    return quotas, labels


def balances(homes: Iterable[str], hosts: Iterable[str], besides: Call) -> list[Balance]:
    """Between each home and each host of a call: seats held either way by the results of all other calls."""
    homes, hosts = set(homes), set(hosts)
    held = Seat.objects.holding().exclude(run__call=besides).filter(
        Q(application__home_id__in=homes, offering__opportunity__organisation_id__in=hosts)
        | Q(application__home_id__in=hosts, offering__opportunity__organisation_id__in=homes)
    )  # fmt: skip
    counted = Counter((str(home), str(host)) for home, host in held.values_list("application__home_id", "offering__opportunity__organisation_id"))
    return [Balance(home, host, counted[home, host], counted[host, home]) for home in sorted(homes) for host in sorted(hosts) if home != host]


def _promises(call: Call, found: Mapping[str, Offering], homes: set[str]) -> list[Promise]:
    hosts = {str(o.opportunity.organisation_id) for o in found.values()}
    agreements = Agreement.objects.filter(
        Q(first_id__in=homes, second_id__in=hosts) | Q(second_id__in=homes, first_id__in=hosts), state=AgreementState.SIGNED
    ).prefetch_related("promises").order_by("code")  # fmt: skip
    term_of = terms_of_seats(hosts)
    held = _held_elsewhere(call, homes, hosts, term_of)
    promises = []
    for agreement in agreements:
        for promise in agreement.promises.all():
            home, host = str(agreement.second_id if promise.host_id == agreement.first_id else agreement.first_id), str(promise.host_id)
            if home not in homes:
                continue
            covered = [o for o in found.values() if str(o.opportunity.organisation_id) == host and _covers(agreement, o)]
            named = {other.term for other in agreement.promises.all() if other.host_id == promise.host_id and other.term}
            for term, some in _by_term(covered, term_of).items():
                if term == promise.term or (not promise.term and term not in named):
                    used = frozenset(seat for seat, other in held.get((home, host, term), {}).items() if _covers(agreement, other))
                    ids = frozenset(str(o.pk) for o in some)
                    promises.append(Promise(f"{agreement.code}:{term}", home, host, promise.seats, ids, used))
    return [*promises, *_unpromised(promises, found, homes)]


def _unpromised(promises: Iterable[Promise], found: Mapping[str, Offering], homes: set[str]) -> Iterator[Promise]:
    """No seats where no agreement in force promises any: it may have ended since, or name other terms."""
    promised: dict[tuple[str, str], set[str]] = defaultdict(set)
    for promise in promises:
        promised[promise.home, promise.host] |= promise.offerings
    by_host: dict[str, set[str]] = defaultdict(set)
    for pk, offering in found.items():
        by_host[str(offering.opportunity.organisation_id)].add(pk)
    for home in sorted(homes):
        for host, offerings in sorted(by_host.items()):
            if home != host and (rest := offerings - promised[home, host]):
                yield Promise(f"none:{home}:{host}", home, host, 0, frozenset(rest))


def _covers(agreement: Agreement, offering: Offering) -> bool:
    course = offering.opportunity
    in_force = agreement.starts_on <= offering.starts_on <= agreement.ends_on
    return in_force and not gaps(terms_of(agreement), category=course.category, level=course.level, isced_f=course.isced_f)


def _held_elsewhere(call: Call, homes: set[str], hosts: set[str], term_of: Callable[[Offering], str]) -> dict[tuple[str, str, str], dict[str, Offering]]:
    """(home, host, term) → each seat that results of other calls gave, with its offering."""
    seats = Seat.objects.holding().exclude(run__call=call).filter(
        application__home_id__in=homes, offering__opportunity__organisation_id__in=hosts
    ).select_related("offering__opportunity", "offering__term", "application")  # fmt: skip
    given: dict[tuple[str, str, str], dict[str, Offering]] = defaultdict(dict)
    for seat in seats:
        given[str(seat.application.home_id), str(seat.offering.opportunity.organisation_id), term_of(seat.offering)][str(seat.pk)] = seat.offering
    return given


def _by_term(offerings: Sequence[Offering], term_of: Callable[[Offering], str]) -> dict[str, list[Offering]]:
    terms: dict[str, list[Offering]] = defaultdict(list)
    for offering in offerings:
        terms[term_of(offering)].append(offering)
    return terms


# Timetable and credits ------------------------------------------------------------------------------------------------


def _offerings(ids: Iterable[str]) -> dict[str, Offering]:
    found = Offering.objects.filter(pk__in=list(ids)).select_related("opportunity", "term").prefetch_related("meetings")
    return {str(o.pk): o for o in found}


def meetings_of(offering: Offering) -> tuple[Meeting, ...]:
    """The weekly meetings in minutes of the UTC week, as they fall in the first and in the last week of the course.

    Two hosts may change their clocks on different days: what clashes in a part of the term clashes.
    """
    found = set()
    for meeting in offering.meetings.all():
        for week in (offering.starts_on, offering.ends_on):
            day = week + timedelta(days=(meeting.weekday - week.weekday()) % 7)
            start, end = (_minute(day, at, offering.zone) for at in (meeting.starts, meeting.ends))
            found.add(Meeting(start, start + (end - start) % WEEK))
    return tuple(sorted(found))


def _minute(day: date, at: time, zone: str) -> int:
    moment = datetime.combine(day, at, ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))
    return moment.weekday() * 24 * 60 + moment.hour * 60 + moment.minute


def credits_of(offering: Offering, call: Call) -> int:
    """Hundredths of a credit of the call's own institution; others are converted by the hours of work behind them."""
    course = offering.opportunity
    own, other = call.organisation.credit_system, course.credit_system
    share = Decimal(1)
    if own != other:
        hours = [credit_system(slug).at(offering.starts_on).hours_central for slug in (other, own)]
        share = hours[0] / hours[1]
    return int((course.credits * share * 100).to_integral_value())


def _counts_credits(rules: Policy) -> bool:
    return rules.credits_least is not None or rules.credits_most is not None


def _credits_range(rules: Policy) -> tuple[int, int] | None:
    if not _counts_credits(rules):
        return None
    return int((rules.credits_least or 0) * 100), int((rules.credits_most if rules.credits_most is not None else 1000) * 100)


def by_id(ids: Iterable[UUID | str]) -> dict[str, Offering]:
    """Offerings with their courses and hosts, by id as text."""
    return {str(o.pk): o for o in Offering.objects.filter(pk__in=set(ids)).select_related("opportunity__organisation")}
