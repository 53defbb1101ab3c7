"""Bulk work that survives its worker: a run moves cases from state to state, batch by batch, each batch one transaction.

What is done is told by the cases themselves, so that a run taken up again after a kill goes on where the last committed
batch ended, and two workers that both hold it (one has lost its lease without knowing) queue for the run's row and then
find nothing left to do twice. Letters follow from events that a batch emits with its identifiers: the job that writes
them is done once, in one transaction.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_tasks import task

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.emergencies.carrying import bring_back_batch, carry_out_batch, countersign_batch, take_over
from vsm.exchange.emergencies.finding import find_batch, handled_elsewhere, reach
from vsm.exchange.emergencies.models import Case, Emergency, Hold, Notice, Run, Switch
from vsm.exchange.emergencies.planning import make_plans
from vsm.exchange.emergencies.proposing import propose_batch
from vsm.exchange.emergencies.states import OPEN_CASES, RUN_STEPS, CaseState, RunState, State
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import actor_of
from vsm.exchange.sessions.actions import schedule
from vsm.kit import bulk, clock
from vsm.kit.actions import NOTED, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.jobs import every
from vsm.kit.localized import LANGUAGES

BATCH = 500
FIND_BATCH = 2000
_UNNEEDED = tuple(f"student__{name}" for name in ("password", "last_login", "folded", "created_at", "updated_at", "is_superuser"))
LAST_CALL = timedelta(days=2)
"""How long before the day of answering the silent are reminded by themselves."""
NOTED[Case.noun, "leave_to_another"] = _("Left to another emergency that looks after it")

Stage = Callable[[Run, Actor, datetime], int]


def start(emergency: Emergency, kind: str, *, by: Actor, organisation: Organisation | None = None, total: int = 0) -> Run:
    """Inside an act: write the run and have the worker do it."""
    run = Run(emergency=emergency, organisation=organisation, kind=kind, person_id=by.person_id, total=total)
    run.save()
    work_on.enqueue(run_id=str(run.pk))
    return run


@task(queue_name="long")
def work_on(run_id: str) -> dict[str, int]:
    """Advance a run until it is done. Repeatable at any point."""
    while True:
        run = Run.objects.get(pk=run_id)
        if run.state == RunState.DONE:
            return dict(run.counts)
        try:
            advance(run, by=SYSTEM, now=clock.now())
        except Refused:
            # Another worker that holds the same run has finished it between our look and our turn.
            if not Run.objects.filter(pk=run_id, state=RunState.DONE).exists():
                raise


@action("advance", on=Run, label=_("Advance by one batch"), allow=(), step=RUN_STEPS["advance"])
def advance(run: Run, *, by: Actor, now: datetime) -> Run:
    """Do one batch, as the person who started the run; when nothing is left, the run is done."""
    person = Person.objects.filter(pk=run.person_id).first() if run.person_id else None
    acting = actor_of(person, now).delivering(via="worker") if person else SYSTEM
    run.state = RunState.RUNNING
    with bulk.uncollected():
        done = _STAGES[run.kind](run, acting, now)
    run.progress += done
    if done == 0:
        run.state, run.finished_at = RunState.DONE, now
        run.total = max(run.total, run.progress) if run.kind != "find" else run.progress
        emit("switch_run.done", run_id=str(run.pk))
    run.save()
    return run


@action("resume", on=Run, label=_("Continue"), allow=("coordinator@organisation", "coordinator@emergency.declared_by", "operator"), step=RUN_STEPS["resume"])
def resume(run: Run, *, by: Actor, now: datetime) -> Run:
    """Have the worker take it up again, for example after it failed five times for a reason that is gone now."""
    work_on.enqueue(run_id=str(run.pk))
    return run


def cases_of(run: Run, *states: CaseState) -> QuerySet[Case]:
    """The run's cases in these states, within its organisation."""
    found = Case.objects.filter(emergency=run.emergency_id, state__in=states)
    if run.organisation_id:
        found = found.filter(Q(home=run.organisation_id) | Q(host=run.organisation_id))
    return found


def _locked(found: QuerySet[Case]) -> list[Case]:
    """The next batch with what its work needs; emergency and institutions are the same few for all, so asked once."""
    wanted = found.select_for_update(of=("self",)).order_by("pk").select_related("student").defer("folded", *_UNNEEDED)
    batch = list(wanted[:BATCH])
    institutions = Organisation.objects.in_bulk({side for case in batch for side in (case.home_id, case.host_id)})
    emergencies = Emergency.objects.in_bulk({case.emergency_id for case in batch})
    for case in batch:
        case.home, case.host, case.emergency = institutions[case.home_id], institutions[case.host_id], emergencies[case.emergency_id]
    return batch


def _count(run: Run, **more: int) -> None:
    run.counts = {**run.counts, **{name: run.counts.get(name, 0) + number for name, number in more.items()}}


def _tell(run: Run, topic: str, cases: list[UUID]) -> None:
    """Letters to these students. A drill counts what it would have sent, and sends nothing."""
    if run.emergency.is_drill:
        _count(run, letters_withheld=len(cases))
    elif cases:
        _count(run, letters=len(cases))
        emit(topic, case_ids=" ".join(map(str, cases)))


def _find(run: Run, by: Actor, now: datetime) -> int:
    looked, made, last = find_batch(run.emergency, run.cursor, FIND_BATCH, now)
    _count(run, looked_at=looked, cases=made)
    if looked:
        run.cursor = last
        return looked
    run.counts = {**run.counts, "courses": make_plans(run.emergency, now.date())}
    new = list(cases_of(run, CaseState.FOUND).filter(respond_by=None, told_at=None).values_list("pk", flat=True))
    for start_at in range(0, len(new), BATCH):
        _tell(run, "emergency.found", new[start_at : start_at + BATCH])
    return 0


def _propose(run: Run, by: Actor, now: datetime) -> int:
    cases = _locked(cases_of(run, CaseState.FOUND))
    if not cases:
        return 0
    # Since they were found another emergency may have begun to look after some: nobody is asked twice.
    handled = handled_elsewhere(run.emergency, [case.mobility_id for case in cases])
    left, asked = ([case for case in cases if (case.mobility_id in handled) is there] for there in (True, False))
    if left:
        bulk.update_rows(Case, ("version", "updated_at", "state"), [(case.pk, case.version + 1, now, CaseState.COVERED.value) for case in left])
        for case in left:
            note(case, "leave_to_another", by=by, now=now)
        _count(run, covered=len(left))
    if asked:
        done = propose_batch(run.emergency, asked, by=by, now=now)
        _count(run, students=done.cases, courses=done.courses, without_form=done.without_form, asynchronous=done.asynchronous)
        _tell(run, "emergency.proposed", [case.pk for case in asked])
    return len(cases)


def _remind(run: Run, by: Actor, now: datetime) -> int:
    found = cases_of(run, CaseState.PROPOSED)
    if run.person_id:
        found = found.filter(Q(reminded_at=None) | Q(reminded_at__lt=run.created_at))
    else:
        found = found.filter(reminded_at=None, respond_by__lt=now + LAST_CALL)
    cases = _locked(found)
    bulk.update_rows(Case, ("version", "updated_at", "reminded_at"), [(case.pk, case.version + 1, now, now) for case in cases])
    for case in cases:
        note(case, "remind", by=by, now=now)
    _count(run, students=len(cases))
    _tell(run, "emergency.reminded", [case.pk for case in cases])
    return len(cases)


def _carry_out(run: Run, by: Actor, now: datetime) -> int:
    cases = _locked(cases_of(run, CaseState.ACCEPTED))
    if not cases:
        return 0
    done = carry_out_batch(run.emergency, cases, by=by, now=now, because=_why(run.emergency, N_("Goes on online: %(emergency)s")))
    _count(run, students=len(done.switched), courses=done.courses, outdated=len(done.outdated))
    _tell(run, "emergency.switched", done.switched)
    _tell(run, "emergency.outdated", done.outdated)
    return len(cases)


def _countersign(run: Run, by: Actor, now: datetime) -> int:
    offices = frozenset({run.organisation_id}) if run.organisation_id else by.organisations("coordinator")
    found = cases_of(run, CaseState.SWITCHED, CaseState.FINISHING, CaseState.RETURNED)
    cases = _locked(found.filter(pk__gt=run.cursor) if run.cursor else found)
    if not cases:
        return 0
    complete = countersign_batch(run.emergency, cases, offices, by=by, now=now)
    _count(run, students=len(cases), complete=complete)
    run.cursor = cases[-1].pk
    return len(cases)


def _release(run: Run, by: Actor, now: datetime) -> int:
    """A lifted or withdrawn emergency asks nothing of anybody any more; held seats are free again."""
    cases = _locked(cases_of(run, *OPEN_CASES, CaseState.COVERED))
    bulk.update_rows(Case, ("version", "updated_at", "state"), [(case.pk, case.version + 1, now, CaseState.RELEASED.value) for case in cases])
    Hold.objects.filter(case__in=[case.pk for case in cases], released_at=None).update(released_at=now)
    for case in cases:
        note(case, "release", by=by, now=now)
    _count(run, students=len(cases))
    take_over(cases, CaseState.FOUND, by=by, now=now)
    if cases:
        _tell(run, "emergency.released", [case.pk for case in cases if case.state != CaseState.COVERED])
        return len(cases)
    if run.emergency.state == State.LIFTED:
        online = list(cases_of(run, CaseState.SWITCHED).values_list("pk", flat=True))
        for start_at in range(0, len(online), BATCH):
            _tell(run, "emergency.lifted", online[start_at : start_at + BATCH])
    return 0


def _bring_back(run: Run, by: Actor, now: datetime) -> int:
    cases = _locked(cases_of(run, CaseState.SWITCHED))
    if not cases:
        return 0
    done = bring_back_batch(run.emergency, cases, by=by, now=now, because=_why(run.emergency, N_("In person again: %(emergency)s")))
    _count(run, students=len(done.returned), courses=done.courses, finish_online=len(done.kept))
    _tell(run, "emergency.returned", done.returned)
    return len(cases)


_STAGES: dict[str, Stage] = {
    "find": _find, "propose": _propose, "remind": _remind, "carry_out": _carry_out, "countersign": _countersign, "release": _release,
    "bring_back": _bring_back,
}  # fmt: skip


@every(900)
@task()
def carry_out_due() -> None:
    """Nobody who has agreed waits for an office to press a button."""
    accepted = Case.objects.filter(state=CaseState.ACCEPTED, emergency__state=State.DECLARED).values("emergency")
    busy = Run.objects.filter(kind="carry_out").exclude(state=RunState.DONE).values("emergency")
    for emergency in Emergency.objects.filter(pk__in=accepted).exclude(pk__in=busy):
        start(emergency, "carry_out", by=SYSTEM)


@every(3600)
@task()
def remind_due() -> None:
    """Whoever has not answered is asked once more before the day. Silence never becomes a consent."""
    silent = Case.objects.filter(state=CaseState.PROPOSED, reminded_at=None, respond_by__lt=clock.now() + LAST_CALL, emergency__state=State.DECLARED)
    busy = Run.objects.filter(kind="remind").exclude(state=RunState.DONE).values("emergency")
    for emergency in Emergency.objects.filter(pk__in=silent.values("emergency")).exclude(pk__in=busy):
        start(emergency, "remind", by=SYSTEM)


@task()
def schedule_meetings(offering_ids: str) -> None:
    """On switch.runs_joined: runs that nobody was enrolled in before have no live meetings in the calendar yet."""
    for offering in Offering.objects.filter(pk__in=offering_ids.split(), sessions=None, meetings__isnull=False).distinct():
        schedule(offering, by=SYSTEM, now=clock.now())


@task()
def look_again(mobility_id: str) -> None:
    """On mobility.recorded and mobility.changed: somebody who is recorded late is found all the same."""
    mobility = Mobility.objects.get(pk=mobility_id)
    for emergency in Emergency.objects.filter(state=State.DECLARED, is_drill=False, starts_on__lte=mobility.ends_on):
        busy = Run.objects.filter(emergency=emergency, kind="find", state=RunState.WAITING).exists()
        if not busy and reach(emergency).filter(pk=mobility.pk).exists():
            start(emergency, "find", by=SYSTEM)


@task()
def let_go(mobility_id: str) -> None:
    """On mobility.cancelled: who does not travel is no longer concerned."""
    for case in Case.objects.filter(mobility=UUID(mobility_id), state__in=(*OPEN_CASES, CaseState.COVERED)):
        case.state, case.affected_until = CaseState.RELEASED, clock.now().date()
        case.save()
        Hold.objects.filter(case=case, released_at=None).update(released_at=clock.now())


@task()
def tell_partners(run_id: str) -> None:
    """On switch_run.done: one letter to each institution whose courses or rooms it concerns, about all that is new to it."""
    run = Run.objects.select_related("emergency").get(pk=run_id)
    kinds = {"carry_out": "online", "bring_back": "back"}
    if run.kind not in kinds or run.emergency.is_drill:
        return
    kind, now = kinds[run.kind], clock.now()
    for organisation in _concerned(run.emergency):
        news = _news(run.emergency, organisation, kind)
        if news:
            notice = Notice(
                emergency=run.emergency, organisation_id=organisation, kind=kind, last_switch=news[-1][0], at=now,
                students=len({student for _pk, student, _course in news}), courses=len({course for _pk, _student, course in news}),
            )  # fmt: skip
            notice.save()
            emit("emergency.partner_told", notice_id=str(notice.pk))


def _concerned(emergency: Emergency) -> list[UUID]:
    switches = Switch.objects.filter(case__emergency=emergency)
    hosts = set(switches.values_list("case__host", flat=True).distinct())
    teaching = switches.exclude(offering=None).values_list("offering__opportunity__organisation", flat=True).distinct()
    return sorted(hosts | set(teaching), key=str)


def _news(emergency: Emergency, organisation: UUID, kind: str) -> list[tuple[UUID, UUID, str]]:
    """(switch, student, course) that this institution was not told of yet. Identifiers rise with time (UUIDv7)."""
    told = Notice.objects.filter(emergency=emergency, organisation=organisation, kind=kind).order_by("-last_switch").first()
    found = Switch.objects.filter(Q(case__host=organisation) | Q(offering__opportunity__organisation=organisation), case__emergency=emergency)
    found = found.exclude(ended=None) if kind == "back" else found
    found = found.filter(pk__gt=told.last_switch) if told else found
    return list(found.order_by("pk").values_list("pk", "case__student", "online_code").distinct())


def _why(emergency: Emergency, sentence: str) -> Mapping[str, str]:
    """The reason that stands in the agreements' history, in every language."""
    told = {}
    for language in LANGUAGES:
        with translation.override(language):
            told[language] = _now(sentence) % {"emergency": str(emergency)}
    return told
