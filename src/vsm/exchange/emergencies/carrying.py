"""Consents carried out, and returns: amended agreements, enrolments online, and the append-only switches, in batches."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.emergencies.finding import standing_findings
from vsm.exchange.emergencies.forms import Alternative
from vsm.exchange.emergencies.models import Case, Emergency, Hold, Return, Switch
from vsm.exchange.emergencies.states import CaseState, State
from vsm.exchange.emergencies.texts import Amended, all_plans, amended, chosen, first_day
from vsm.exchange.learning_agreements.amending import (
    Amendment,
    amend,
    amendment,
    base_of,
    countersign,
    locked,
    next_number,
)
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.learning_agreements.online import returned
from vsm.exchange.learning_agreements.rules import Component
from vsm.exchange.mobilities.models import Course
from vsm.exchange.mobilities.queries import component_of
from vsm.exchange.recognition.models import Result
from vsm.exchange.sessions.models import Enrolment, Session
from vsm.exchange.sessions.states import State as EnrolmentState
from vsm.kit import bulk
from vsm.kit.actions import NOTED, note
from vsm.kit.actors import Actor
from vsm.kit.events import emit
from vsm.kit.folding import fold
from vsm.kit.ids import new_id

HELD = ("version", "updated_at", "state")
NOTED[Case.noun, "take_over"] = _("Taken over from another emergency")


@dataclass
class Carried:
    """What one batch did: the cases by what became of them, and how many courses."""

    switched: list[UUID] = field(default_factory=list)
    outdated: list[UUID] = field(default_factory=list)
    returned: list[UUID] = field(default_factory=list)
    kept: list[UUID] = field(default_factory=list)
    courses: int = 0


def carry_out_batch(emergency: Emergency, cases: Sequence[Case], *, by: Actor, now: datetime, because: Mapping[str, str]) -> Carried:
    """Inside an act, on locked cases that were accepted: write what was consented to.

    A consent to a text that has changed since is not carried out: that case is proposed again. `because` is why, by
    language. In a drill only the cases and switches are written, marked as such by their emergency.
    """
    plans = all_plans(emergency.pk)
    agreements = locked(case.mobility_id for case in cases)
    done, going = Carried(), []
    for case in cases:
        agreement = agreements.get(case.mobility_id)
        text = amended(agreement, case.lines, plans) if agreement else None
        if agreement is None or text is None or text.digest != case.consent:
            done.outdated.append(case.pk)
        else:
            going.append((case, agreement, text))
            done.switched.append(case.pk)
    amendments = [_amendment(case, agreement, text, because) for case, agreement, text in going]
    if not emergency.is_drill:
        amend(amendments, by=by, now=now)
    switches = [made for case, agreement, text in going for made in _switches(case, agreement, text, chosen(case.lines, plans), now)]
    if emergency.is_drill:
        switches = [replace(each, agreement_version=0) for each in switches]
        enrolments: Mapping[tuple[UUID, UUID], UUID] = {}
    else:
        enrolments = _enrol(switches, now)
    rows = [each.row(enrolments.get((each.case.student_id, each.offering_id)) if each.offering_id else None, now) for each in switches]
    bulk.insert_rows(Switch, NewSwitch.COLUMNS, rows)
    Hold.objects.filter(case__in=done.switched, released_at=None).update(released_at=now)
    done.courses = len(switches)
    _move(cases, {**dict.fromkeys(done.switched, CaseState.SWITCHED), **dict.fromkeys(done.outdated, CaseState.PROPOSED)}, "carry_out", by, now)
    if done.outdated:
        Case.objects.filter(pk__in=done.outdated).update(consent="", answered_at=None)
    return done


def countersign_batch(emergency: Emergency, cases: Sequence[Case], offices: frozenset[UUID], *, by: Actor, now: datetime) -> int:
    """Inside an act: sign the current text of these cases' agreements for the side of each that `by` works for. Gives how many are complete."""
    agreements = locked(case.mobility_id for case in cases)
    sides: dict[UUID, str] = {}
    for case in cases:
        agreement = agreements.get(case.mobility_id)
        if agreement and agreement.state == "signing":
            waiting = agreement.waiting_for.split()
            side = next((side for side, at in (("home", case.home_id), ("host", case.host_id)) if side in waiting and at in offices), "")
            if side:
                sides[agreement.pk] = side
    return len(countersign([each for each in agreements.values() if each.pk in sides], sides, by=by, now=now))


def bring_back_batch(emergency: Emergency, cases: Sequence[Case], *, by: Actor, now: datetime, because: Mapping[str, str]) -> Carried:
    """Inside an act, on locked cases that were switched: the courses are in person again from the emergency's `return_on`.

    What is over, graded, or still concerned by another declared emergency stays online. Nothing is overwritten: each
    switch gets its `Return`, each agreement a further version, which all three sign like any other.
    """
    on = emergency.return_on
    if on is None:
        raise RuntimeError("only a lifted emergency has a day of return")
    done, ends, dropped = Carried(), [], []
    amendments: list[Amendment] = []
    agreements = locked(case.mobility_id for case in cases)
    switches, courses = _open_switches(cases), _in_person(cases)
    graded = set(Result.objects.filter(enrolment__in=[s.enrolment_id for all_ in switches.values() for s in all_ if s.enrolment_id]).values_list("enrolment_id", flat=True))
    still_concerned = standing_findings([case.mobility_id for case in cases], emergency, on)
    for case in cases:
        back = [each for each in switches.get(case.mobility_id, ()) if _can_return(each, courses[case.mobility_id], on, graded)]
        still = case.mobility_id in still_concerned
        if still:
            take_over([case], CaseState.SWITCHED, by=by, now=now)
        if still or not back:
            done.kept.append(case.pk)
            continue
        agreement = agreements.get(case.mobility_id)
        number = _return_amendment(agreement, back, courses[case.mobility_id], amendments, case, because) if agreement and not emergency.is_drill else 0
        ends += [(each.pk, on, number, now) for each in back]
        dropped += [each.enrolment_id for each in back if each.enrolment_id]
        done.returned.append(case.pk)
    bulk.insert_rows(Return, ("switch_id", "on", "agreement_version", "at"), ends)
    if not emergency.is_drill:
        amend(amendments, by=by, now=now)
        _leave(dropped, by, now)
    done.courses = len(ends)
    _move(cases, {**dict.fromkeys(done.returned, CaseState.RETURNED), **dict.fromkeys(done.kept, CaseState.FINISHING)}, "bring_back", by, now)
    return done


def take_over(cases: Sequence[Case], state: CaseState, *, by: Actor, now: datetime) -> None:
    """Another declared emergency had left these stays to this one (`covered`): now its own case looks after them."""
    stays = [case.mobility_id for case in cases]
    waiting = Case.objects.filter(mobility__in=stays, state=CaseState.COVERED, emergency__state=State.DECLARED)
    for other in waiting.exclude(pk__in=[case.pk for case in cases]).filter(emergency__is_drill__in={case.emergency.is_drill for case in cases}):
        other.state = state
        other.save()
        note(other, "take_over", by=by, now=now)


def _amendment(case: Case, agreement: LearningAgreement, text: Amended, because: Mapping[str, str]) -> Amendment:
    at = case.answered_at
    if at is None:
        raise RuntimeError("an accepted case has its moment")
    signed = {"student": (case.student_id, at)}
    if case.is_endorsed and case.proposed_by_id:
        signed["home"] = (case.proposed_by_id, at)
    return Amendment(agreement=agreement, content=text.after, plain=text.plain, digest=text.digest, signed=signed, because=because.get(case.student.language) or because.get("en", ""))


@dataclass(frozen=True, kw_only=True)
class NewSwitch:
    """One switch to be written: its text is the amended agreement's own line."""

    COLUMNS: ClassVar = (
        "id", "version", "created_at", "updated_at", "folded", "case_id", "course_id", "code", "form", "kind", "online_code", "online_title",
        "offering_id", "credits", "credit_system", "home_credits", "agreement_id", "agreement_version", "enrolment_id", "starts_on",
    )  # fmt: skip
    case: Case
    line: Component
    code: str
    form: Alternative
    agreement_id: UUID
    agreement_version: int
    starts_on: date
    offering_id: UUID | None

    def row(self, enrolment: UUID | None, now: datetime) -> tuple[Any, ...]:
        line = self.line
        return (
            new_id(), 1, now, now, _folded(self.code, line.code, *line.title.values()), self.case.pk, UUID(line.origin), self.code, self.form.key,
            self.form.kind, line.code, dict(line.title), self.offering_id, line.credits, line.credit_system, line.home_credits, self.agreement_id,
            self.agreement_version, enrolment, self.starts_on,
        )  # fmt: skip


def _switches(case: Case, agreement: LearningAgreement, text: Amended, forms: Mapping[str, Alternative], now: datetime) -> list[NewSwitch]:
    starts_on, codes = first_day(case, now.date()), {line.origin: line.code for line in text.before.components}
    return [
        NewSwitch(
            case=case, line=line, code=codes[line.origin], form=forms[line.origin], agreement_id=agreement.pk,
            agreement_version=text.after.number, starts_on=starts_on, offering_id=UUID(line.offering) if forms[line.origin].offering else None,
        )
        for line in text.after.components
        if line.origin in forms
    ]  # fmt: skip


def _enrol(switches: Sequence[NewSwitch], now: datetime) -> Mapping[tuple[UUID, UUID], UUID]:
    """An enrolment in each online run that the catalogue has, so that timetable, results and transcript follow.

    Gives (student, offering) → enrolment.
    """
    wanted = {(each.case.student_id, each.offering_id): each for each in switches if each.offering_id}
    offerings = {offering for _student, offering in wanted}
    # Code and title of each run are all that is needed of it: its words for searching.
    runs = {pk: (code, *title.values()) for pk, code, title in Offering.objects.filter(pk__in=offerings).values_list("pk", "code", "opportunity__title")}
    found: dict[tuple[UUID, UUID], UUID] = {}
    for held in Enrolment.objects.filter(student__in={student for student, _offering in wanted}, offering__in=offerings):
        key = (held.student_id, held.offering_id)
        if key in wanted and held.state == EnrolmentState.DROPPED:
            held.state, held.left_at, held.enrolled_at, held.learning_agreement_id = EnrolmentState.ENROLLED, None, now, wanted[key].agreement_id
            held.save()
        found[key] = held.pk
    rows = []
    for key, each in wanted.items():
        if key not in found:
            found[key], words = new_id(), _folded(each.case.student.name, *runs[key[1]])
            rows.append((found[key], 1, now, now, words, key[0], each.case.home_id, key[1], each.agreement_id, now, EnrolmentState.ENROLLED.value))
    columns = ("id", "version", "created_at", "updated_at", "folded", "student_id", "home_id", "offering_id", "learning_agreement_id", "enrolled_at", "state")
    bulk.insert_rows(Enrolment, columns, rows)
    unscheduled = set(runs) - set(Session.objects.filter(offering__in=runs).values_list("offering", flat=True).distinct())
    if unscheduled:
        emit("switch.runs_joined", offering_ids=" ".join(sorted(map(str, unscheduled))))
    return found


def _folded(*words: str) -> str:
    """What `Record.prepare` would keep, of words that recur thousands of times."""
    return " ".join(map(_fold, words))[:2000]


@lru_cache(maxsize=16_384)
def _fold(text: str) -> str:
    return fold(text)


def _move(cases: Sequence[Case], states: Mapping[UUID, CaseState], verb: str, by: Actor, now: datetime) -> None:
    rows = []
    for case in cases:
        rows.append((case.pk, case.version + 1, now, states[case.pk].value))
        note(case, verb, by=by, now=now, changes={"state": [case.state, states[case.pk].value]})
    bulk.update_rows(Case, HELD, rows)


@dataclass(frozen=True)
class Open:
    """A switch that has not ended: which course, the enrolment that stands for it, and the online run's last day (None: it has no run)."""

    pk: UUID
    course_id: UUID
    enrolment_id: UUID | None
    online_until: date | None


def _open_switches(cases: Sequence[Case]) -> Mapping[UUID, list[Open]]:
    """Stay → its switches that have not ended, of whichever emergency they were."""
    found: defaultdict[UUID, list[Open]] = defaultdict(list)
    drill = {case.emergency.is_drill for case in cases}
    open_ones = Switch.objects.filter(case__mobility__in=[case.mobility_id for case in cases], ended=None, case__emergency__is_drill__in=drill)
    for stay, *facts in open_ones.values_list("case__mobility", "pk", "course_id", "enrolment_id", "offering__ends_on"):
        found[stay].append(Open(*facts))
    return found


def _in_person(cases: Sequence[Case]) -> Mapping[UUID, dict[UUID, Course]]:
    found: defaultdict[UUID, dict[UUID, Course]] = defaultdict(dict)
    for course in Course.objects.filter(mobility__in=[case.mobility_id for case in cases]):
        found[course.mobility_id][course.pk] = course
    return found


def _can_return(switch: Open, courses: Mapping[UUID, Course], on: date, graded: set[UUID]) -> bool:
    """The course still runs in person on that day, the online one is not over by then, and nobody has graded it."""
    course = courses.get(switch.course_id)
    is_over = switch.online_until is not None and switch.online_until < on
    return course is not None and course.ends_on >= on and not is_over and switch.enrolment_id not in graded


def _return_amendment(
    agreement: LearningAgreement, back: Sequence[Open], courses: Mapping[UUID, Course], amendments: list[Amendment], case: Case, because: Mapping[str, str]
) -> int:
    base, current = agreement.current_version or base_of(agreement), agreement.current_version
    if base is None or current is None:
        return 0
    in_person = {str(each.course_id): component_of(courses[each.course_id]) for each in back}
    content = returned(base.text, in_person, number=next_number(agreement), follows=current.digest)
    amendments.append(amendment(agreement, content, signed={}, because=because.get(case.student.language) or because.get("en", "")))
    return content.number


def _leave(enrolments: Sequence[UUID], by: Actor, now: datetime) -> None:
    """Out of the online runs without a trace: the course goes on, only elsewhere."""
    left = list(Enrolment.objects.filter(pk__in=enrolments, state=EnrolmentState.ENROLLED))
    bulk.update_rows(Enrolment, (*HELD, "left_at"), [(e.pk, e.version + 1, now, EnrolmentState.DROPPED.value, now) for e in left])
    for enrolment in left:
        note(enrolment, "drop", by=by, now=now)
