"""Work done later, behind Django's Tasks API: leased, retried, parked when hopeless, done once.

Enqueueing writes a row in the caller's own transaction. A worker leases one row; an ordinary task runs in the same
transaction as its "done", fenced by the lease's token, so that its effect in the database happens exactly once even
if the worker is killed or loses its lease. Tasks on the queue `long` run outside a transaction (imports, indexing:
a write lock must not be held for minutes) and must be repeatable. Effects outside the database (mail) can repeat when
a worker dies between sending and noting it: they carry a stable id by which the receiver recognises a duplicate.
"""

import logging
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from threading import Event as Flag
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.module_loading import import_string
from django_tasks import task as django_task
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskError, TaskResult, TaskResultStatus
from django_tasks.exceptions import TaskResultDoesNotExist

from vsm.kit import bulk, clock
from vsm.kit.ids import new_ids
from vsm.kit.models import Heartbeat, Job, JobState

log = logging.getLogger(__name__)

ATTEMPTS = 5
LEASE = {"default": timedelta(seconds=60), "long": timedelta(minutes=20)}
_STATUS = {
    JobState.READY: TaskResultStatus.READY,
    JobState.RUNNING: TaskResultStatus.RUNNING,
    JobState.DONE: TaskResultStatus.SUCCESSFUL,
    JobState.DEAD: TaskResultStatus.FAILED,
}


class LeasedBackend(BaseTaskBackend):
    """Django's Tasks API on the `Job` table."""

    supports_defer = True
    supports_get_result = True

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        self.validate_task(task)
        job = Job(queue=task.queue_name, path=task.module_path, arguments={"args": list(args), "kwargs": dict(kwargs)})
        if task.run_after:
            job.run_at = task.run_after
        job.save(force_insert=True)
        return self._result(job, task)

    def get_result(self, result_id: str) -> TaskResult[Any]:
        job = Job.objects.filter(pk=result_id).first()
        if job is None:
            raise TaskResultDoesNotExist(result_id)
        return self._result(job, import_string(job.path))

    def _result(self, job: Job, task: Task[Any, Any]) -> TaskResult[Any]:
        result: TaskResult[Any] = TaskResult(
            task=task, id=str(job.pk), status=_STATUS[JobState(job.state)], enqueued_at=job.enqueued_at, started_at=None,
            finished_at=job.finished_at, last_attempted_at=None, args=job.arguments["args"], kwargs=job.arguments["kwargs"],
            backend=self.alias, errors=[TaskError(exception_class_path="builtins.Exception", traceback=job.error)] if job.error else [],
            worker_ids=[job.token] * job.attempts,
        )  # fmt: skip
        object.__setattr__(result, "_return_value", job.result)
        return result


class LostLease(Exception):
    """Another worker has taken the job over: everything this attempt did is rolled back."""


def enqueue_unless_waiting(task: Task[Any, Any]) -> None:
    """Enqueue a task that looks for itself what is new. One that still waits will see this transaction's changes too."""
    if not Job.objects.filter(path=task.module_path, state=JobState.READY).exists():
        task.enqueue()


AT_ONCE = 500


def enqueue_many(task: Task[Any, Any], payloads: Iterable[Mapping[str, str]]) -> None:
    """One job for each payload, in one statement: for what happens to thousands at once. Needs a transaction around.

    Of very many, a job for each five hundred that makes theirs: the transaction of the act is shorter by so much, and
    nobody waits for its lock.
    """
    told = [dict(payload) for payload in payloads]
    if len(told) > 2 * AT_ONCE:
        _insert(deal_out, [{"path": task.module_path, "payloads": told[start : start + AT_ONCE]} for start in range(0, len(told), AT_ONCE)])
    else:
        _insert(task, told)


@django_task()
def deal_out(path: str, payloads: list[dict[str, str]]) -> None:
    """Make the jobs of one part of very many."""
    _insert(import_string(path), payloads)


def _insert(task: Task[Any, Any], payloads: list[dict[str, Any]]) -> None:
    now = clock.now()
    bulk.insert_rows(
        Job, ["id", "queue", "path", "arguments", "state", "run_at", "attempts", "lease_until", "token", "unique_key", "error", "enqueued_at", "finished_at", "result"],
        (
            (pk, task.queue_name, task.module_path, {"args": [], "kwargs": payload}, JobState.READY.value, now, 0, None, "", None, "", now, None, None)
            for pk, payload in zip(new_ids(len(payloads)), payloads, strict=True)
        ),
    )  # fmt: skip


def work(stop: Flag, *, name: str, idle: float = 0.2) -> None:
    """Lease and perform jobs until told to stop."""
    seen = datetime.min.replace(tzinfo=clock.now().tzinfo)
    while not stop.is_set():
        now = clock.now()
        if now - seen > timedelta(seconds=5):
            Heartbeat.objects.update_or_create(worker=name, defaults={"at": now})
            # Whose worker died waits again, by its age: else it would come last where there is always something to do.
            _abandoned(now).update(state=JobState.READY)
            enqueue_due(now)
            seen = now
        if not perform_next():
            stop.wait(idle)


def perform_next() -> bool:
    """Lease one job and perform it. False when nothing is waiting."""
    job = _lease()
    if job is None:
        return False
    if job.state == JobState.DEAD:
        return True
    try:
        _perform(job)
    except LostLease:
        log.warning("job %s was taken over by another worker", job.pk)
    except Exception:  # noqa: BLE001 -- whatever a task raises is recorded on its job and retried
        _retry_later(job, traceback.format_exc())
    return True


def drain(limit: int = 10_000) -> int:
    """Perform everything that is due now, here (tests, the demo world, the command line). Returns how many."""
    for done in range(limit):
        if not perform_next():
            return done
    raise RuntimeError(f"{limit} jobs did not empty the queue: something enqueues without end.")


def revive(job_id: UUID) -> bool:
    """Give a parked job another round of attempts."""
    return bool(
        Job.objects.filter(pk=job_id, state=JobState.DEAD).update(state=JobState.READY, attempts=0, run_at=clock.now(), error="")
    )


def worker_seen(now: datetime) -> bool:
    """Whether some worker was alive within the last half minute; offices are warned when none was."""
    return Heartbeat.objects.filter(at__gte=now - timedelta(seconds=30)).exists()


@dataclass(frozen=True)
class Schedule:
    task: Task[Any, Any]
    seconds: int


SCHEDULE: list[Schedule] = []


def every(seconds: int) -> Callable[[Task[Any, Any]], Task[Any, Any]]:
    """Have a task without arguments enqueued once in each slot of `seconds`, however many workers run."""

    def register(task: Task[Any, Any]) -> Task[Any, Any]:
        SCHEDULE.append(Schedule(task, seconds))
        return task

    return register


def enqueue_due(now: datetime) -> None:
    for entry in SCHEDULE:
        slot = int(now.timestamp()) // entry.seconds
        key = f"{entry.task.module_path}@{slot}"
        Job.objects.get_or_create(
            unique_key=key,
            defaults={"queue": entry.task.queue_name, "path": entry.task.module_path, "arguments": {"args": [], "kwargs": {}}, "run_at": now},
        )


def _lease() -> Job | None:
    now = clock.now()
    with transaction.atomic():
        job = next((job for job in map(_first_of, _due(now)) if job), None)
        if job is None:
            return None
        if job.attempts >= ATTEMPTS:
            job.state, job.finished_at = JobState.DEAD, now
            job.error = job.error or "The worker died each time it tried this."
        else:
            job.state, job.attempts, job.token = JobState.RUNNING, job.attempts + 1, token_hex(16)
            job.lease_until = now + LEASE[job.queue]
        job.save(update_fields=["state", "finished_at", "error", "attempts", "token", "lease_until"])
        return job


def _due(now: datetime) -> tuple[QuerySet[Job], QuerySet[Job]]:
    """Those that wait, and those whose worker died. Two questions, each of which an index answers in order: asked as one, all
    that waits would be sorted for each job that is taken, and ten thousand letters may wait."""
    return Job.objects.filter(state=JobState.READY, run_at__lte=now).order_by("run_at", "id"), _abandoned(now).order_by("run_at", "id")


def _abandoned(now: datetime) -> QuerySet[Job]:
    return Job.objects.filter(state=JobState.RUNNING, lease_until__lt=now)


def _first_of(due: QuerySet[Job]) -> Job | None:
    return (due.select_for_update(skip_locked=True) if connection.features.has_select_for_update_skip_locked else due).first()


def _perform(job: Job) -> None:
    task: Task[Any, Any] = import_string(job.path)
    args, kwargs = job.arguments["args"], job.arguments["kwargs"]
    if job.queue == "long":
        _finish(job, task.call(*args, **kwargs))
        return
    with transaction.atomic():
        _finish(job, task.call(*args, **kwargs))


def _finish(job: Job, result: object) -> None:
    mine = Job.objects.filter(pk=job.pk, state=JobState.RUNNING, token=job.token)
    if not mine.update(state=JobState.DONE, finished_at=clock.now(), result=result, error=""):
        raise LostLease


def _retry_later(job: Job, error: str) -> None:
    log.warning("job %s (%s), attempt %s failed:\n%s", job.pk, job.path, job.attempts, error)
    mine = Job.objects.filter(pk=job.pk, state=JobState.RUNNING, token=job.token)
    if job.attempts >= ATTEMPTS:
        mine.update(state=JobState.DEAD, finished_at=clock.now(), error=error)
        return
    # The jitter comes from the job's own id, so that a partner's outage does not make all retries march in step.
    pause = 2**job.attempts * (1 + (job.pk.int % 100) / 200)
    mine.update(state=JobState.READY, run_at=clock.now() + timedelta(seconds=pause), error=error)
