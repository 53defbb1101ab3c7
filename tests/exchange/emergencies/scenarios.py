"""A switch of hundreds of students, its worker killed in the middle, on a database of its own."""

import random
import signal
import time
from collections import Counter
from datetime import timedelta
from typing import Any

from bench.switch import agree, make_world
from django.db.models import Count

from tests.races.stage import at_once, in_a_fork
from vsm.exchange.emergencies import actions, runs
from vsm.exchange.emergencies.models import Case, Emergency, Run, Switch
from vsm.exchange.learning_agreements.models import LearningAgreement, Signature
from vsm.exchange.learning_agreements.online import promises
from vsm.exchange.people.queries import actor_of
from vsm.exchange.sessions.models import Enrolment
from vsm.kit import audit, clock
from vsm.kit.jobs import perform_next
from vsm.kit.models import Job, JobState, Message
from vsm.kit.outbox import deliver

PATIENCE = 180.0
TOLD = ("emergency_found", "emergency_proposed", "emergency_switched")


def killed(students: int, courses: int, seed: int, naive: bool, kills: int) -> dict[str, Any]:
    """Carry a switch out with a worker that is killed `kills` times; then let another finish, letters too.

    `naive`: the way that one would write first. Each batch is done, and only afterwards, in a transaction of its own, is
    it noted how far the run is; letters are posted at once.
    """
    rng = random.Random(seed)
    runs.BATCH = 20
    emergency = _proposed(students, courses, rng)
    agree(emergency)
    office = emergency.declared_by.memberships.get(role="coordinator").person  # type: ignore[union-attr]
    actions.carry_out(emergency, by=actor_of(office, clock.now()), now=clock.now())
    Job.objects.filter(path=deliver.module_path).update(state=JobState.DONE)
    dead = sum(_kill_one(naive, rng, students) for _each in range(kills))
    halfway = Case.objects.filter(state="switched").count()
    _work(naive)
    return {**_found(students), "killed": dead, "halfway": 0 < halfway < students or naive}


def two_at_once(students: int, courses: int, seed: int) -> dict[str, Any]:
    """Two workers that both believe that the run is theirs."""
    runs.BATCH = 20
    emergency = _proposed(students, courses, random.Random(seed))
    agree(emergency)
    office = emergency.declared_by.memberships.get(role="coordinator").person  # type: ignore[union-attr]
    run = actions.carry_out(emergency, by=actor_of(office, clock.now()), now=clock.now())
    answers = at_once([lambda: runs.work_on.call(run_id=str(run.pk))] * 2)
    Job.objects.filter(path=runs.work_on.module_path).update(state=JobState.DONE)
    _work(naive=False)
    return {**_found(students), "failed": [repr(each) for each in answers if isinstance(each, Exception)]}


def work(naive: bool) -> None:
    """What the worker process does: all that is due but the mail itself."""
    runs.BATCH = 20
    if naive:
        run = Run.objects.get(kind="carry_out")
        _naive(run)
        return
    Job.objects.filter(state=JobState.RUNNING).update(lease_until=clock.now() - timedelta(seconds=1))  # time has passed
    while Job.objects.exclude(path=deliver.module_path).exclude(state=JobState.DONE).exists():
        Job.objects.filter(path=deliver.module_path).update(state=JobState.DONE)
        perform_next()


def _naive(run: Run) -> None:
    """Tell the students of a batch, and only then, apart, note how far one is: a kill in between tells them again."""
    cases = list(Case.objects.filter(emergency=run.emergency_id).order_by("pk"))
    while Run.objects.get(pk=run.pk).progress < len(cases):
        done = Run.objects.get(pk=run.pk).progress
        for case in cases[done : done + runs.BATCH]:
            Message(to="x@example.edu", language="en", kind="emergency_switched", subject="x", body="x", person_id=case.student_id).save()
        time.sleep(0.02)
        Run.objects.filter(pk=run.pk).update(progress=done + runs.BATCH)


def _work(naive: bool) -> None:
    work(naive)


def _proposed(students: int, courses: int, rng: random.Random) -> Emergency:
    now = clock.now()
    world = make_world(students, courses, rng, now)
    by = actor_of(world["office"], now)
    emergency = actions.declare_emergency(
        world["home"], by=by, now=now, title={"en": "Drought"}, kind="disaster", places=[actions.PlaceRow(country="CL")], directions=["being"],
        starts_on=now.date() - timedelta(days=1),
    )  # fmt: skip
    actions.declare(emergency, by=by, now=now)
    work(naive=False)
    emergency.refresh_from_db()
    actions.propose(emergency, by=by, now=now)
    work(naive=False)
    emergency.refresh_from_db()
    return emergency


def _kill_one(naive: bool, rng: random.Random, students: int) -> int:
    """A worker in a process of its own, killed as soon as it has done something more, at a moment that the seed chooses."""
    before = _done(naive)
    worker = in_a_fork(lambda: work(naive))
    end = time.monotonic() + PATIENCE
    while _done(naive) == before and worker.is_alive() and time.monotonic() < end:
        time.sleep(0.002)
    time.sleep(rng.random() * 0.02)
    worker.kill()
    worker.join()
    return int(worker.exitcode == -signal.SIGKILL)


def _done(naive: bool) -> int:
    return Message.objects.filter(kind="emergency_switched").count() if naive else Case.objects.filter(state="switched").count()


def _found(students: int) -> dict[str, Any]:
    """What everybody has in the end. `twice`: students who were told the same twice."""
    agreements = list(LearningAgreement.objects.prefetch_related("versions"))
    texts = [(a.version_numbered(1), a.version_numbered(2)) for a in agreements]
    told = Counter(Message.objects.filter(kind__in=TOLD).values_list("kind", flat=True))
    return {
        "cases": dict(Case.objects.values_list("state").annotate(n=Count("pk")).order_by()),
        "versions": sum(len(a.versions.all()) for a in agreements),
        "credits_kept": sum(bool(one and two and promises(one.text) == promises(two.text)) for one, two in texts),
        "signatures": Signature.objects.filter(version__number=2).count(),
        "switches": Switch.objects.count(), "enrolments": Enrolment.objects.count(), "letters": dict(told),
        "twice": Message.objects.filter(kind__in=TOLD).values("person_id", "kind").annotate(n=Count("pk")).filter(n__gt=1).count(),
        "faults": audit.verify(), "dead_jobs": Job.objects.filter(state=JobState.DEAD).count(), "students": students,
    }  # fmt: skip


