"""Tasks for the tests of the job table. A worker process must be able to import them."""

import time
from pathlib import Path

from django_tasks import task

from vsm.exchange.institutions.models import Organisation, Unit


@task()
def leave_a_unit(code: str) -> str:
    """An effect in the database that can be counted."""
    return make_unit(code)


@task()
def die_before(code: str, mark: str) -> str:
    """The first attempt waits to be killed before its effect."""
    wait_to_be_killed_once(mark)
    return make_unit(code)


@task()
def die_after(code: str, mark: str) -> str:
    """The first attempt waits to be killed after its effect and before its commit."""
    made = make_unit(code)
    wait_to_be_killed_once(mark)
    return made


@task(queue_name="long")
def die_after_unguarded(code: str, mark: str) -> str:
    """The same without a transaction around it: not repeatable, so it must double."""
    made = make_unit(code)
    wait_to_be_killed_once(mark)
    return made


@task()
def fail() -> None:
    raise ConnectionError("the partner does not answer")


@task()
def tick() -> None:
    """Scheduled."""


def make_unit(code: str) -> str:
    unit = Unit(organisation=Organisation.objects.get(), code=f"{code}-{Unit.objects.count()}", name={"en": code})
    unit.save()
    return str(unit.pk)


def wait_to_be_killed_once(mark: str) -> None:
    if Path(mark).exists():
        return
    Path(mark).touch()
    time.sleep(60)
