"""Work done later: once, whatever happens to the worker."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from tests.kit import tasks
from tests.races.ground import Play
from vsm.exchange.institutions.models import Organisation, Unit
from vsm.kit import clock, jobs
from vsm.kit.models import Heartbeat, Job, JobState

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
KILLED = "tests.kit.killed_workers:killed_in_the_middle"


@pytest.fixture(autouse=True)
def _at_noon() -> Iterator[None]:
    with clock.stopped_at(NOW):
        yield


@pytest.fixture
def place(db: None) -> Organisation:
    organisation = Organisation(name={"en": "University of Lima"}, schac="lima.example", country="PE", zone="America/Lima")
    organisation.save()
    return organisation


def test_a_job_is_performed_once_and_keeps_its_result(place: Organisation) -> None:
    result = tasks.leave_a_unit.enqueue(code="a")
    assert jobs.drain() == 1
    assert jobs.drain() == 0
    unit = Unit.objects.get()
    result.refresh()
    assert (result.status, result.return_value) == ("SUCCESSFUL", str(unit.pk))


def test_a_job_enqueued_in_a_transaction_that_fails_never_was(place: Organisation) -> None:
    def enqueue_and_fail() -> None:
        with transaction.atomic():
            tasks.leave_a_unit.enqueue(code="a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        enqueue_and_fail()
    assert jobs.drain() == 0


def test_a_failing_job_is_tried_again_later_and_later_and_then_parked(db: None) -> None:
    tasks.fail.enqueue()
    pauses = []
    moment = NOW
    for _attempt in range(jobs.ATTEMPTS):
        with clock.stopped_at(moment):
            assert jobs.perform_next()
            assert not jobs.perform_next(), "it does not wait"
        job = Job.objects.get()
        pauses.append((job.run_at - moment).total_seconds())
        moment = max(moment, job.run_at) + timedelta(seconds=1)
    assert (job.state, job.attempts) == (JobState.DEAD, 5)
    assert "the partner does not answer" in job.error
    assert all(2**attempt <= pause <= 1.5 * 2**attempt for attempt, pause in enumerate(pauses[:-1], start=1)), pauses


def test_a_parked_job_can_be_given_another_round(db: None) -> None:
    tasks.tick.enqueue()
    Job.objects.update(state=JobState.DEAD, attempts=5, error="once")
    job = Job.objects.get()
    assert jobs.revive(job.pk)
    assert jobs.drain() == 1
    assert Job.objects.get().state == JobState.DONE
    assert not jobs.revive(job.pk), "a done job is not revived"


def test_a_job_that_kills_every_worker_is_parked(db: None) -> None:
    tasks.tick.enqueue()
    Job.objects.update(state=JobState.RUNNING, attempts=jobs.ATTEMPTS, lease_until=NOW - timedelta(seconds=1))
    assert jobs.drain() == 1
    job = Job.objects.get()
    assert (job.state, job.error) == (JobState.DEAD, "The worker died each time it tried this.")


def _taken_over() -> None:
    """One worker leases a job and is slow; its lease runs out, another performs it; then the slow one goes on."""
    slow = jobs._lease()
    assert slow is not None
    with clock.stopped_at(NOW + jobs.LEASE["default"] + timedelta(seconds=1)):
        assert jobs.perform_next()
    jobs._perform(slow)


def test_a_worker_that_lost_its_lease_leaves_no_effect(place: Organisation) -> None:
    tasks.leave_a_unit.enqueue(code="a")
    with pytest.raises(jobs.LostLease):
        _taken_over()
    assert Unit.objects.count() == 1


def test_without_the_fence_the_effect_doubles(place: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: were `_finish` to trust the worker, the test above would see two units."""

    def trusting(job: Job, result: Any) -> None:
        Job.objects.filter(pk=job.pk).update(state=JobState.DONE, result=result)

    monkeypatch.setattr(jobs, "_finish", trusting)
    tasks.leave_a_unit.enqueue(code="a")
    _taken_over()
    assert Unit.objects.count() == 2


def test_a_job_whose_worker_died_goes_before_younger_ones_although_there_is_always_something_to_do(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks.tick.enqueue()
    [old] = Job.objects.all()
    Job.objects.update(state=JobState.RUNNING, attempts=1, token="dead", run_at=NOW - timedelta(minutes=5), lease_until=NOW - timedelta(minutes=1))
    tasks.tick.enqueue()
    monkeypatch.setattr(jobs, "SCHEDULE", [])
    stop = threading.Event()
    monkeypatch.setattr(jobs, "perform_next", lambda: stop.set() or True)
    jobs.work(stop, name="w")
    assert jobs._lease().pk == old.pk  # type: ignore[union-attr]  # -- two wait


def test_the_next_job_is_found_in_the_order_of_an_index_however_many_wait(db: None) -> None:
    """Sorting all that waits for each job that is taken made draining a queue cost the square of its length."""
    if connection.vendor == "postgresql":  # it reads an empty table whole unless it is told not to
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    waiting, abandoned = (due.explain() for due in jobs._due(clock.now()))
    assert "job_next" in waiting, waiting
    assert "job_next" in abandoned, abandoned
    assert ("TEMP B-TREE" in waiting, "Sort" in waiting) == (False, False), waiting  # how each engine says that it sorts


def test_a_scheduled_task_is_enqueued_once_in_each_slot(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "SCHEDULE", [jobs.Schedule(tasks.tick, 600)])
    for minutes in (0, 1, 9):
        jobs.enqueue_due(NOW + timedelta(minutes=minutes))
    assert Job.objects.count() == 1
    jobs.enqueue_due(NOW + timedelta(minutes=10))
    assert Job.objects.count() == 2


def test_a_worker_leaves_its_heartbeat_and_stops_when_told(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "SCHEDULE", [jobs.Schedule(tasks.tick, 600)])
    stop = threading.Event()
    monkeypatch.setattr(stop, "wait", lambda _seconds: stop.set())
    jobs.work(stop, name="one")
    assert Heartbeat.objects.get().worker == "one"
    assert Job.objects.get().state == JobState.DONE


@pytest.mark.committed
def test_a_worker_killed_before_the_effect_is_replaced_and_the_work_done_once(play: Play) -> None:
    answer = play(KILLED, task="die_before")
    assert answer["after_kill"] == {"state": "running", "units": 0}
    assert (answer["units"], answer["attempts"], answer["stopped"]) == (1, 2, 0)
    assert answer["workers"] == ["first", "second"]


@pytest.mark.committed
def test_a_worker_killed_after_the_effect_and_before_the_commit_leaves_one_effect(play: Play) -> None:
    answer = play(KILLED, task="die_after")
    assert answer["after_kill"] == {"state": "running", "units": 0}, "the effect went with the transaction"
    assert (answer["units"], answer["attempts"]) == (1, 2)


@pytest.mark.committed
def test_an_unguarded_effect_doubles_when_its_worker_is_killed(play: Play) -> None:
    """The control: outside a transaction (queue `long`) the same kill leaves two."""
    answer = play(KILLED, task="die_after_unguarded")
    assert answer["after_kill"] == {"state": "running", "units": 1}
    assert (answer["units"], answer["attempts"]) == (2, 2)


def test_what_happens_to_very_many_is_dealt_out_in_parts(place: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 2)
    with transaction.atomic():
        jobs.enqueue_many(tasks.leave_a_unit, ({"code": f"few-{n}"} for n in range(4)))
        jobs.enqueue_many(tasks.leave_a_unit, ({"code": f"many-{n}"} for n in range(5)))

    assert sorted(Job.objects.values_list("path", flat=True)) == ["tests.kit.tasks.leave_a_unit"] * 4 + ["vsm.kit.jobs.deal_out"] * 3
    assert jobs.drain() == 4 + 3 + 5
    made = sorted(code.rpartition("-")[0] for code in Unit.objects.values_list("code", flat=True))
    assert made == [*(f"few-{n}" for n in range(4)), *(f"many-{n}" for n in range(5))]
