"""Scenarios with worker processes that are really killed."""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.process import BaseProcess
from typing import Any

from tests.kit import tasks
from tests.races.stage import in_a_fork
from vsm.cli.commands import main
from vsm.config import settings
from vsm.exchange.institutions.models import Organisation, Unit
from vsm.kit import clock
from vsm.kit.models import Heartbeat, Job, JobState

PATIENCE = 120.0


def killed_in_the_middle(task: str) -> dict[str, Any]:
    """One worker is killed (SIGKILL) inside the task, its lease runs out, another worker finds the job."""
    Organisation(name={"en": "University of Lima"}, schac="lima.example", country="PE", zone="America/Lima").save()
    mark = settings().data / "in-the-middle"
    job_id = getattr(tasks, task).enqueue(code="unit", mark=str(mark)).id
    first = _worker("first")
    _until(mark.exists)
    before = Unit.objects.count()
    first.kill()
    first.join()
    after_kill = {"state": Job.objects.get(pk=job_id).state, "units": Unit.objects.count()}
    Job.objects.filter(pk=job_id).update(lease_until=clock.now() - timedelta(seconds=1))  # time passes
    second = _worker("second")
    try:
        _until(lambda: Job.objects.get(pk=job_id).state == JobState.DONE)
    finally:
        second.terminate()
        second.join(60)
        code = second.exitcode
    job = Job.objects.get(pk=job_id)
    return {
        "seen_by_others": before, "after_kill": after_kill, "units": Unit.objects.count(), "attempts": job.attempts, "stopped": code,
        "workers": sorted(Heartbeat.objects.values_list("worker", flat=True)),
    }  # fmt: skip


def _worker(name: str) -> BaseProcess:
    return in_a_fork(lambda: sys.exit(main(["worker", "--name", name])))


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("it did not happen")
        time.sleep(0.05)

