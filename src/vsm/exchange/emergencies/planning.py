"""In which forms the interrupted courses can go on: asked of the catalogue, of the hosts, and of what home recognised before."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count

from vsm import rulebook
from vsm.exchange.agreements.queries import signed_of
from vsm.exchange.allocation.models import Seat
from vsm.exchange.allocation.states import HOLDING
from vsm.exchange.catalogue.models import Meeting, Offering, Opportunity
from vsm.exchange.emergencies.forms import Alternative, as_json, can_join, carries_enough, ranked, readiness
from vsm.exchange.emergencies.models import Case, CoursePlan, Emergency, Hold
from vsm.exchange.emergencies.states import CaseState
from vsm.exchange.learning_agreements.rules import amount
from vsm.exchange.mobilities.models import Course
from vsm.exchange.recognition.models import Decision
from vsm.exchange.recognition.states import DecisionState
from vsm.exchange.sessions.models import Enrolment
from vsm.exchange.sessions.states import State as EnrolmentState

MOST_ALTERNATIVES = 6
NO_LONGER = (CaseState.COVERED, CaseState.RELEASED)
CHUNK = 400


@dataclass
class _Interrupted:
    """One course of one host, over all concerned students."""

    code: str
    title: Mapping[str, str]
    credits: Decimal
    credit_system: str
    opportunity: UUID | None = None
    students: int = 0
    homes: set[UUID] = field(default_factory=set)
    home_codes: Counter[str] = field(default_factory=Counter)


@dataclass
class Knowledge:
    """What was asked for all courses at once: runs by opportunity, their meetings and free seats, precedents, alike courses."""

    runs: Mapping[UUID, list[Offering]]
    meetings: Mapping[UUID, list[tuple[int, str, str]]]
    free: Mapping[UUID, int]
    precedents: Mapping[str, Counter[UUID]]
    alike: Mapping[tuple[str, str], list[UUID]]
    hours: Mapping[str, float]


def make_plans(emergency: Emergency, today: date) -> int:
    """Inside an act: write or renew the plan of every interrupted course. Gives how many there are.

    A plan that somebody has confirmed keeps what was confirmed.
    """
    interrupted = _interrupted(emergency)
    day = max(today, emergency.starts_on)
    knowledge = ask(interrupted.values(), day)
    held = {(plan.host_id, plan.code): plan for plan in CoursePlan.objects.filter(emergency=emergency).select_related("host")}
    opportunities = Opportunity.objects.in_bulk([each.opportunity for each in interrupted.values() if each.opportunity])
    for (host, code), course in interrupted.items():
        plan = held.get((host, code)) or CoursePlan(emergency=emergency, host_id=host, code=code)
        plan.opportunity = opportunities.get(course.opportunity) if course.opportunity else None
        plan.title, plan.students = dict(course.title), course.students
        fill(plan, course.credits, course.credit_system, course.home_codes, knowledge, day)
        plan.save()
    for plan in held.values():
        if (plan.host_id, plan.code) not in interrupted and plan.students:
            plan.students = 0
            plan.save()
    return len(interrupted)


def renew(plan: CoursePlan, today: date) -> None:
    """Find the alternatives of one plan anew, after its host has said something."""
    course = _interrupted(plan.emergency).get((plan.host_id, plan.code))
    if course is None:
        return
    day = max(today, plan.emergency.starts_on)
    fill(plan, course.credits, course.credit_system, course.home_codes, ask([course], day), day)


def fill(plan: CoursePlan, credits_: Decimal, system: str, home_codes: Mapping[str, int], knowledge: Knowledge, day: date) -> None:
    own = [*_of_the_same(plan, knowledge, day), *_confirmed(plan)]
    others = list(_equivalents(plan, (float(credits_), system), home_codes, knowledge, day))
    best = ranked([*own, *others])[:MOST_ALTERNATIVES]
    plan.readiness = readiness(own, is_catalogued=plan.opportunity_id is not None, is_confirmed=bool(plan.confirmed))
    plan.alternatives = [as_json(each) for each in best]


def free_seats(offerings: Collection[UUID]) -> dict[UUID, int]:
    """Offering → seats that nobody holds: not by allocation, by enrolment, nor by a proposal that still stands."""
    seats: dict[UUID, int] = {}
    taken: Counter[UUID] = Counter()
    for part in _parts(offerings):
        seats.update(Offering.objects.filter(pk__in=part).values_list("pk", "seats"))
        taken.update(dict(Seat.objects.filter(offering__in=part, state__in=HOLDING).values_list("offering").annotate(n=Count("pk")).order_by()))
        live = Enrolment.objects.filter(offering__in=part, seat=None).exclude(state=EnrolmentState.DROPPED)
        taken.update(dict(live.values_list("offering").annotate(n=Count("pk")).order_by()))
        taken.update(dict(Hold.objects.filter(offering__in=part, released_at=None).values_list("offering").annotate(n=Count("pk")).order_by()))
    return {offering: max(0, given - taken[offering]) for offering, given in seats.items()}


def ask(courses: Iterable[_Interrupted], day: date) -> Knowledge:
    """Everything that the plans need, in a handful of queries however many courses there are."""
    wanted = list(courses)
    homes = {home for each in wanted for home in each.homes}
    known = {each.opportunity for each in wanted if each.opportunity}
    precedents = _precedents(homes, {code for each in wanted for code in each.home_codes if code})
    alike = _alike(known, homes)
    opportunities = known | {pk for counted in precedents.values() for pk in counted} | {pk for found in alike.values() for pk in found}
    runs: defaultdict[UUID, list[Offering]] = defaultdict(list)
    for part in _parts(opportunities):
        published = Offering.objects.filter(opportunity__in=part, state="published", ends_on__gt=day)
        for offering in published.select_related("opportunity__organisation").order_by("starts_on", "pk"):
            runs[offering.opportunity_id].append(offering)
    ids = [offering.pk for found in runs.values() for offering in found]
    meetings: defaultdict[UUID, list[tuple[int, str, str]]] = defaultdict(list)
    for part in _parts(ids):
        for meeting in Meeting.objects.filter(offering__in=part):
            meetings[meeting.offering_id].append((meeting.weekday, f"{meeting.starts:%H:%M}", f"{meeting.ends:%H:%M}"))
    hours = {entry.slug: float(entry.at(day).hours_central) for entry in rulebook.credit_systems()}
    return Knowledge(runs, meetings, free_seats(ids), precedents, alike, hours)


def permitted_pairs(homes: Collection[UUID], hosts: Collection[UUID], day: date) -> set[tuple[UUID, UUID]]:
    """(home, host) pairs in which home's students may study at the host: by a signed agreement, or at home itself."""
    pairs = {(home, home) for home in homes}
    for home in homes:
        for agreement in signed_of(home, hosts):
            if agreement.starts_on <= day <= agreement.ends_on:
                pairs |= {(home, agreement.first_id), (home, agreement.second_id)}
    return pairs


def _interrupted(emergency: Emergency) -> dict[tuple[UUID, str], _Interrupted]:
    cases = Case.objects.filter(emergency=emergency).exclude(state__in=NO_LONGER).values("mobility_id")
    columns = ("mobility__host_id", "mobility__home_id", "code", "title", "credits", "credit_system", "opportunity_id", "home_code")
    found: dict[tuple[UUID, str], _Interrupted] = {}
    for host, home, code, title, credits_, system, opportunity, home_code in Course.objects.filter(mobility__in=cases).values_list(*columns):
        course = found.setdefault((host, code), _Interrupted(code, title, credits_, system))
        course.opportunity = course.opportunity or opportunity
        course.credits = max(course.credits, credits_)
        course.students += 1
        course.homes.add(home)
        course.home_codes[home_code] += 1
    return found


def _precedents(homes: Collection[UUID], codes: Collection[str]) -> dict[str, Counter[UUID]]:
    """Home code → how often these homes have recognised a host's course as it (refusals count against)."""
    weights = {DecisionState.RECOGNISED.value: 1, DecisionState.PARTLY.value: 1, DecisionState.REFUSED.value: -1}
    found: defaultdict[str, Counter[UUID]] = defaultdict(Counter)
    for part in _parts(codes):
        decided = Decision.objects.filter(enrolment__home__in=homes, home_code__in=part, state__in=weights)
        counted = decided.values_list("home_code", "enrolment__offering__opportunity", "state").annotate(n=Count("pk")).order_by()
        for code, opportunity, state, times in counted:
            found[code][opportunity] += weights[state] * times
    return {code: +counted for code, counted in found.items()}


def _alike(known: Collection[UUID], homes: Collection[UUID]) -> dict[tuple[str, str], list[UUID]]:
    """(field, level) → courses of the homes themselves in the same detailed field and level: without precedent, but their own."""
    kinds = set(Opportunity.objects.filter(pk__in=list(known)).exclude(isced_f="").values_list("isced_f", "level")) if known else set()
    found: defaultdict[tuple[str, str], list[UUID]] = defaultdict(list)
    own = Opportunity.objects.filter(organisation__in=homes, state="published", isced_f__in={field_ for field_, _level in kinds})
    for pk, field_, level in own.values_list("pk", "isced_f", "level").order_by("code"):
        if len(field_) == 4 and (field_, level) in kinds:
            found[field_, level].append(pk)
    return found


def _of_the_same(plan: CoursePlan, knowledge: Knowledge, day: date) -> Iterable[Alternative]:
    for offering in knowledge.runs.get(plan.opportunity_id, ()) if plan.opportunity_id else ():
        if can_join(starts_on=offering.starts_on, ends_on=offering.ends_on, day=day, is_same=True) and offering.starts_on <= day:
            kind = "asynchronous" if offering.mode == "asynchronous" else "online"
            yield _alternative(offering, kind, knowledge, plan, seats=None)


def _confirmed(plan: CoursePlan) -> Iterable[Alternative]:
    """What the host itself has promised for its course, without a run in the catalogue."""
    said: Mapping[str, Any] = plan.confirmed
    for key, kind, mode in (("here", "online", "mixed"), ("here-later", "asynchronous", "asynchronous")):
        if said.get(key):
            yield Alternative(
                key=key, kind=kind, code=plan.code, title=plan.title, language=said.get("language", ""), mode=mode,
                bandwidth=said.get("bandwidth", "video"), starts_on=said["starts_on"], ends_on=said["ends_on"], host=str(plan.host_id),
            )  # fmt: skip


def _equivalents(plan: CoursePlan, agreed: tuple[float, str], home_codes: Mapping[str, int], knowledge: Knowledge, day: date) -> Iterable[Alternative]:
    counted: Counter[UUID] = Counter()
    for code in home_codes:
        counted.update(knowledge.precedents.get(code, {}))
    if plan.opportunity:
        for pk in knowledge.alike.get((plan.opportunity.isced_f, plan.opportunity.level), ()):
            counted[pk] += 0
    if plan.opportunity_id:
        counted.pop(plan.opportunity_id, None)
    for pk, times in counted.items():
        for offering in knowledge.runs.get(pk, ()):
            course = offering.opportunity
            if not can_join(starts_on=offering.starts_on, ends_on=offering.ends_on, day=day, is_same=False):
                continue
            if carries_enough((float(course.credits), course.credit_system), agreed, knowledge.hours) and knowledge.free.get(offering.pk, 0) > 0:
                yield _alternative(offering, "equivalent", knowledge, plan, precedents=times, seats=knowledge.free[offering.pk])


def _alternative(offering: Offering, kind: str, knowledge: Knowledge, plan: CoursePlan, *, precedents: int = 0, seats: int | None) -> Alternative:
    course = offering.opportunity
    return Alternative(
        key=str(offering.pk), kind=kind, code=course.code, title=course.title, language=course.language, mode=offering.mode,
        bandwidth=offering.bandwidth, starts_on=offering.starts_on.isoformat(), ends_on=offering.ends_on.isoformat(), offering=str(offering.pk),
        host=str(course.organisation_id), taught_by=dict(course.organisation.name) if course.organisation_id != plan.host_id else {},
        credits=amount(course.credits), credit_system=course.credit_system, assessment=dict(course.assessment), precedents=precedents,
        seats=seats, zone=offering.zone, meetings=tuple(knowledge.meetings.get(offering.pk, ())),
    )  # fmt: skip


def _parts(items: Iterable[Any]) -> Iterable[list[Any]]:
    """In parts that every database takes as parameters."""
    everything = list(items)
    for start in range(0, len(everything), CHUNK):
        yield everything[start : start + CHUNK]
