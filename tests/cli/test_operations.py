"""What operators do: the first account, the doctor, the outbox."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.hashers import check_password

from tests.kit import tasks
from vsm.cli.commands import main
from vsm.exchange.people.models import Person
from vsm.kit import audit, clock, health, jobs, outbox
from vsm.kit.health import Outcome
from vsm.kit.models import AuditEvent, Heartbeat, Job, JobState

Captured = pytest.CaptureFixture[str]


def test_the_first_operator_gets_a_password_that_is_shown_once(db: None, capsys: Captured) -> None:
    assert main(["add-operator", "Otto@example.edu", "--name", "Otto"]) == 0
    email, password = capsys.readouterr().out.split()
    person = Person.objects.get()
    assert (email, person.is_operator, len(password) >= 15) == ("otto@example.edu", True, True)
    assert check_password(password, person.password)
    assert [told.verb for told in audit.history([("person", person.pk)])] == ["add_operator"]
    assert main(["add-operator", "otto@example.edu", "--name", "Otto"]) == 1
    assert main(["add-operator", "otto", "--name", "Otto"]) == 1


def test_the_outbox_names_what_waits_and_revives_what_was_parked(db: None, capsys: Captured) -> None:
    outbox.post(to="ana@example.edu", language="es", kind="test", subject="Su plaza", body="…")
    tasks.fail.enqueue()
    Job.objects.filter(path__endswith="fail").update(state=JobState.DEAD, attempts=5, error="Traceback\nConnectionError: the partner does not answer")
    assert main(["outbox"]) == 0
    shown = capsys.readouterr().out
    assert "ana@example.edu  Su plaza" in shown
    assert "ConnectionError: the partner does not answer" in shown
    assert main(["outbox", "--revive"]) == 0
    assert capsys.readouterr().out.startswith("1 jobs wait for a worker again.")
    assert Job.objects.filter(state=JobState.DEAD).count() == 0


def test_a_letter_leaves_once_with_an_id_of_its_own(db: None, mailoutbox: list[object]) -> None:
    message = outbox.post(to="ana@example.edu", language="es", kind="test", subject="Su\nplaza", body="…")
    jobs.drain()
    outbox.deliver.call(str(message.pk))
    [sent] = mailoutbox
    assert sent.subject == "Su plaza"  # type: ignore[attr-defined] -- an EmailMessage
    assert sent.extra_headers["Message-ID"].startswith(f"<{message.pk}@")  # type: ignore[attr-defined] -- ditto


def outcome(name: str, tmp_path: Path) -> Outcome:
    return next(check.outcome for check in health.examine(tmp_path, clock.now()) if check.name == name)


def test_a_healthy_part_is_ok_and_every_other_line_says_what_to_do(db: None, tmp_path: Path) -> None:
    Heartbeat.objects.create(worker="one", at=clock.now())
    checks = list(health.examine(tmp_path, clock.now()))
    assert [check.name for check in checks if check.outcome is not Outcome.OK and not check.advice] == []
    assert [check.name for check in checks if check.outcome is Outcome.FAIL and check.name not in {"disk", "migrations", "database"}] == []


def test_a_worker_that_is_silent_is_a_warning(db: None, tmp_path: Path) -> None:
    assert health.worker(clock.now()).outcome is Outcome.WARN
    Heartbeat.objects.create(worker="one", at=clock.now() - timedelta(minutes=5))
    assert health.worker(clock.now()).outcome is Outcome.WARN
    Heartbeat.objects.update(at=clock.now())
    assert health.worker(clock.now()).outcome is Outcome.OK


def test_parked_and_overdue_jobs_are_warnings(db: None) -> None:
    assert health.jobs(clock.now()).outcome is Outcome.OK
    tasks.tick.enqueue()
    assert health.jobs(clock.now() + timedelta(minutes=6)).outcome is Outcome.WARN
    Job.objects.update(state=JobState.DEAD)
    assert health.jobs(clock.now()).outcome is Outcome.WARN


def test_a_broken_audit_chain_is_a_failure_that_names_the_place(db: None) -> None:
    assert main(["add-operator", "otto@example.edu", "--name", "Otto"]) == 0
    assert health.audit_chain().outcome is Outcome.OK
    AuditEvent.objects.update(verb="nothing")
    assert (health.audit_chain().outcome, health.audit_chain().found) == (Outcome.FAIL, "broken at 1: altered")


def test_keys_that_others_may_read_are_a_failure(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    key = tmp_path / "keys" / "passphrase"
    key.touch(mode=0o600)
    assert health.secrets(tmp_path).outcome is Outcome.OK
    key.chmod(0o640)
    assert (health.secrets(tmp_path).outcome, health.secrets(tmp_path).found) == (Outcome.FAIL, "others may read keys/passphrase")


def test_the_doctor_fails_when_a_part_fails(db: None, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["doctor", "--only", "audit log,jobs"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["ok", "ok"]
    assert main(["doctor", "--only", "audit log,jobs"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["ok", "ok"]
    monkeypatch.setattr(health, "audit_chain", lambda: health.Check("audit log", Outcome.FAIL, "broken at 1", "Look."))
    assert main(["doctor", "--only", "audit log"]) == 1
