"""The bulk proposal: for each student and course the best form that their clock and the seats allow."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Q

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.catalogue.reader_week import slots
from vsm.exchange.emergencies.forms import Alternative, is_kind_to, proposed
from vsm.exchange.emergencies.models import Case, Emergency, Hold
from vsm.exchange.emergencies.planning import free_seats, permitted_pairs
from vsm.exchange.emergencies.rules import HOME_SITUATIONS
from vsm.exchange.emergencies.states import CaseState
from vsm.exchange.emergencies.texts import plans_by_course
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.mobilities.models import Course
from vsm.kit import bulk
from vsm.kit.actions import note
from vsm.kit.actors import Actor


class Taken(NamedTuple):
    """A course in person, as far as proposing looks at it."""

    pk: UUID
    code: str


@dataclass
class Proposals:
    """What one batch proposed, for the run's counts."""

    cases: int = 0
    courses: int = 0
    without_form: int = 0
    asynchronous: int = 0
    holds: list[tuple[UUID, UUID]] = field(default_factory=list)


def zone_of(case: Case) -> str:
    """Whose clock the student lives by meanwhile: home's when they could not set out, else the host's."""
    return case.home.zone if set(case.situations) <= HOME_SITUATIONS else case.host.zone


def possible_live(alternatives: Iterable[Alternative], zone: str) -> dict[str, bool]:
    """Key → whether its meetings, on the wall of `zone`, are at hours that a person can attend."""
    return {each.key: _is_kind(each.meetings, each.zone, zone, each.starts_on) for each in alternatives}


def propose_batch(emergency: Emergency, cases: list[Case], *, by: Actor, now: datetime) -> Proposals:
    """Inside an act, on locked cases that were found: choose, hold the seats of equivalents, and ask until a day."""
    plans = plans_by_course(emergency.pk)
    courses, agreed = _courses(cases), _in_agreements(cases)
    seats = _lock_seats(each for _plan, listed in plans.values() for each in listed)
    hosts = {UUID(each.host) for _plan, listed in plans.values() for each in listed if each.host}
    permitted = permitted_pairs({case.home_id for case in cases}, hosts, now.date())
    done, rows = Proposals(), []
    respond_by = now + timedelta(days=emergency.respond_days)
    for case in cases:
        lines: list[dict[str, Any]] = []
        for course in courses.get(case.mobility_id, ()):
            plan, listed = plans.get((case.host_id, course.code), ("", []))
            if not plan or str(course.pk) not in agreed.get(case.mobility_id, set()):
                continue
            taken = {line["form"] for line in lines}
            fresh = [each for each in listed if not each.offering or each.key not in taken]
            lines.append(_line(case, course, plan, fresh, permitted, seats, done))
        endorsed = by.person_id is not None and (by.holds("coordinator", case.home_id) or by.holds("registrar", case.home_id))
        rows.append((case.pk, case.version + 1, now, lines, by.person_id, endorsed, respond_by, CaseState.PROPOSED.value))
        note(case, "propose", by=by, now=now)
    bulk.update_rows(Case, ("version", "updated_at", "lines", "proposed_by_id", "is_endorsed", "respond_by", "state"), rows)
    if not emergency.is_drill:  # a rehearsal takes no seat from anybody
        bulk.insert_rows(Hold, ("offering_id", "case_id", "released_at"), [(offering, case, None) for offering, case in dict.fromkeys(done.holds)])
    done.cases = len(rows)
    return done


def _line(
    case: Case, course: Taken, plan: str, alternatives: list[Alternative], permitted: set[tuple[UUID, UUID]],
    seats: dict[str, int | None], done: Proposals,
) -> dict[str, Any]:  # fmt: skip
    open_to = [each for each in alternatives if not each.host or each.host == str(case.host_id) or (case.home_id, UUID(each.host)) in permitted]
    found, avoided = proposed(open_to, possible_live=possible_live(open_to, zone_of(case)), seats=seats)
    done.courses += 1
    if found is None:
        done.without_form += 1
    elif found.kind == "equivalent":
        seats[found.key] = (seats.get(found.key) or 0) - 1
        done.holds.append((UUID(found.offering), case.pk))
    if found is not None and avoided and not found.is_live:
        done.asynchronous += 1
    return {"course": str(course.pk), "plan": plan, "code": course.code, "form": found.key if found else "", "live_avoided": avoided}


def _courses(cases: list[Case]) -> Mapping[UUID, list[Taken]]:
    found: defaultdict[UUID, list[Taken]] = defaultdict(list)
    rows = Course.objects.filter(mobility__in=[case.mobility_id for case in cases]).order_by("code")
    for mobility, pk, code in rows.values_list("mobility", "pk", "code"):
        found[mobility].append(Taken(pk, code))
    return found


def _in_agreements(cases: list[Case]) -> dict[UUID, set[str]]:
    """Stay → the courses (by origin) that its agreement lists: nothing else can go on."""
    found: dict[UUID, set[str]] = {}
    agreements = LearningAgreement.objects.filter(mobility_id__in=[case.mobility_id for case in cases]).exclude(state="cancelled")
    # The text in force; before any is signed by all, the one that is worked on.
    read = Q(versions__number=F("signed_version")) | Q(signed_version=0, versions__number=F("current"))
    for mobility, content in agreements.filter(read).values_list("mobility_id", "versions__content"):
        found[mobility] = {line.get("replaces") or line["offering"] for line in content["components"]}
    return found


def _lock_seats(alternatives: Iterable[Alternative]) -> dict[str, int | None]:
    """Free seats of every equivalent, its offerings locked: two offices that propose at once cannot promise the same seat."""
    wanted = {UUID(each.offering) for each in alternatives if each.kind == "equivalent"}
    if not wanted:
        return {}
    list(Offering.objects.select_for_update(of=("self",)).filter(pk__in=list(wanted)[:900]).order_by("pk").values_list("pk", flat=True))
    return {str(offering): free for offering, free in free_seats(wanted).items()}


@lru_cache(maxsize=16_384)
def _is_kind(meetings: tuple[tuple[int, str, str], ...], host: str, reader: str, starts_on: str) -> bool:
    if not meetings or not host:
        return True
    walls = tuple((day, time.fromisoformat(starts), time.fromisoformat(ends)) for day, starts, ends in meetings)
    return is_kind_to((slot.starts, slot.ends) for slot in slots(walls, host, reader, date.fromisoformat(starts_on)))
