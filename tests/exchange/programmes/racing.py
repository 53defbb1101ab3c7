"""Two officers at one application, one enrolment sent several times at once, and a process killed in the middle of enrolling:
real threads, real commits, a real SIGKILL. `naive` takes away what keeps them apart: locks, the transaction, the comparison of versions."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from threading import Barrier, BrokenBarrierError, Event
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from django.db import connection, models, transaction
from django.db.models.query import QuerySet

from tests.exchange.programmes.given import CLOSED, World, actor, world
from tests.races.stage import at_once
from vsm.exchange.programmes import actions as programmes
from vsm.exchange.programmes import admitting, studying
from vsm.exchange.programmes.choosing import why_not_term
from vsm.exchange.programmes.models import ModuleAttempt, Study, TermEnrolment
from vsm.kit import actions as kit_actions
from vsm.kit import audit
from vsm.kit.actors import Actor
from vsm.kit.models import AuditEvent
from vsm.kit.records import Record


def once(*, naive: bool) -> dict[str, dict[str, Any]]:
    """All of it on one small programme, as each test of this kind starts a process and a database."""
    here = world()
    here.intake.places = 9
    here.intake.save()
    told = {"deciding": _deciding(here, naive), "enrolling": _enrolling(here, "bea", naive)}
    if naive:
        held = next(each for each in TermEnrolment._meta.constraints if each.name == "one_enrolment_per_term")
        with connection.schema_editor() as editor:
            editor.remove_constraint(TermEnrolment, held)
        told["without its constraint"] = _enrolling(here, "celia", naive)
    return {**told, "killed": _killed(here, naive)}


def _deciding(here: World, naive: bool) -> dict[str, Any]:
    """One officer offers the place, another refuses the application, at the same moment."""
    together, decided = _Together(2), admitting._decided
    admission = here.applied("ana")

    def slowly(*args: Any) -> None:
        together.wait(naive)
        decided(*args)

    with patch.object(admitting, "_decided", slowly), _apart(naive):
        answers = at_once([
            lambda: programmes.offer(admission, by=actor(here.carlos), now=CLOSED),
            lambda: programmes.refuse(admission, by=actor(here.raul), now=CLOSED, because="Full."),
        ])  # fmt: skip
    return {**_told(answers), "told": AuditEvent.objects.filter(object_id=admission.pk, verb__in=["offer", "refuse"]).count()}


def _enrolling(here: World, name: str, naive: bool, times: int = 4) -> dict[str, Any]:
    """The same term, chosen several times at once."""
    study, term, together = here.studying(name), here.terms[0].pk, _Together(times)
    looked = why_not_term

    def slowly(*args: Any, **given: Any) -> Any:
        together.wait(naive)
        return looked(*args, **given)

    with patch.object(studying, "why_not_term", slowly), _apart(naive):
        answers = at_once([lambda: _enrol(study, term, actor(here.people[name]))] * times)
    return {**_told(answers), "enrolments": study.terms.count()}


def _killed(here: World, naive: bool) -> dict[str, Any]:
    """Killed between the enrolment and its modules; then the browser sends the same form again, twice."""
    study, term, by = here.studying("dina"), here.terms[0].pk, actor(here.people["dina"]).delivering(key="form-1", via="web")
    connection.close()
    child = os.fork()
    if child == 0:
        with patch.object(studying, "_take", lambda *_args, **_given: os.kill(os.getpid(), signal.SIGKILL)), _apart(naive):
            _enrol(study, term, by)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    left, raised = study.terms.count(), []
    for _time in range(2):
        try:
            _enrol(study, term, by)
        except Exception as cause:  # noqa: BLE001 -- told by its class
            raised.append(type(cause).__name__)
    modules = ModuleAttempt.objects.filter(enrolment__study=study).count()
    faults = [] if naive else audit.verify()
    return {"signal": os.WTERMSIG(status), "left": left, "raised": raised, "enrolments": study.terms.count(), "modules": modules, "faults": faults}


def _enrol(study: Study, term: Any, by: Actor) -> TermEnrolment:
    return programmes.enrol_in_term(study, by=by, now=CLOSED, term=term, modules=["A"])


def _told(answers: list[Any]) -> dict[str, Any]:
    raised = sorted(type(answer).__name__ for answer in answers if isinstance(answer, Exception))
    return {"done": len(answers) - len(raised), "raised": raised}


class _Together:
    """Between looking and writing, everybody waits for the others once; who is kept apart from them waits in vain, and goes on."""

    def __init__(self, parties: int) -> None:
        self._have_met = Event()
        self._barrier = Barrier(parties, self._have_met.set)

    def wait(self, naive: bool) -> None:
        if not self._have_met.is_set():  # a try repeated because the database was busy meets nobody any more
            with suppress(BrokenBarrierError):
                self._barrier.wait(20 if naive else 0.5)


@contextmanager
def _apart(naive: bool) -> Iterator[None]:
    if not naive:
        yield
        return
    loose = SimpleNamespace(atomic=nullcontext, get_connection=transaction.get_connection)
    with (
        patch.object(kit_actions, "transaction", loose), patch.object(QuerySet, "select_for_update", lambda found, **_how: found),
        patch.object(audit, "append", lambda _entries: None), patch.object(Record, "save", models.Model.save),
    ):  # fmt: skip
        yield
