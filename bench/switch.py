"""A whole institution goes on online: everybody found, proposed to, switched, told, and back again, in one run.

    python -m bench.switch [--students 20000] [--courses 1000] [--kill 3] [--seed 1]

The institution's students sit in its courses in person at one host, each in three; every course runs online too. The
bulk runs do what they do in production, by the worker's own code. `--kill N` stops the worker that many times with
SIGKILL in the middle of the switch and lets another go on. What people do one by one (agreeing) is written beforehand
and not counted. The peer writes the same rows (versions, signatures, switches, enrolments, letters, jobs, audit links)
by bare `executemany` with the same durability, without reading, checking, texts or fingerprints.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.machine import machine

COURSES_EACH = 3


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.switch", description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=20_000)
    parser.add_argument("--courses", type=int, default=1_000)
    parser.add_argument("--kill", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="vsm-bench-") as folder:
        os.environ |= {"VSM_DATA": folder, "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "vsm.app.settings"}
        import django

        django.setup()
        figures = measured(Path(folder), given.students, given.courses, given.kill, given.seed)
    print(f"{machine()}\n\n{given.students:,} students, {given.courses:,} courses, seed {given.seed}, {figures['kills']} kills\n")
    print("| what | seconds | processor seconds | students a processor second |\n|---|---:|---:|---:|")
    for name, (seconds, processor) in figures["seconds"].items():
        print(f"| {name} | {seconds:.1f} | {processor:.1f} | {given.students / max(processor, 0.001):,.0f} |")
    told = figures["checked"]
    print(f"\nSwitched in all: {figures['total'][0]:.1f} s, {figures['total'][1]:.1f} of the processor. Checked afterwards: {json.dumps(told)}")
    return 0 if told["faults"] == [] else 1


def measured(data: Path, students: int, courses: int, kills: int, seed: int) -> dict[str, Any]:
    from django.core.management import call_command

    from vsm.exchange.emergencies import actions
    from vsm.exchange.people.queries import actor_of
    from vsm.kit.clock import now

    call_command("migrate", verbosity=0)
    world = make_world(students, courses, random.Random(seed), now())
    by = actor_of(world["office"], now())
    seconds: dict[str, tuple[float, float]] = {}
    emergency = _drafted(world, by)
    seconds["preview"] = _timed(lambda: _preview(emergency))
    actions.declare(emergency, by=by, now=now())
    seconds["find and plan"] = _timed(_runs)
    emergency.refresh_from_db()
    actions.propose(emergency, by=by, now=now())
    seconds["propose"] = _timed(_runs)
    agree(emergency)
    actions.carry_out(emergency, by=by, now=now())
    killed = _killed(kills, random.Random(seed)) if kills else 0
    seconds["carry out"] = _timed(_runs)
    seconds["letters into the outbox"] = _timed(_letters)
    seconds["meetings into calendars"] = _timed(_meetings)
    actions.countersign(emergency, by=actor_of(world["host_office"], now()), now=now())
    seconds["sign for the host"] = _timed(_runs)
    parts = [seconds[name] for name in ("find and plan", "propose", "carry out", "letters into the outbox")]
    total = sum(wall for wall, _processor in parts), sum(processor for _wall, processor in parts)
    checked = check(emergency, students)
    emergency.refresh_from_db()
    seconds["lift and bring back"] = _timed(lambda: _back(emergency, by))
    seconds["the same rows by executemany"] = _timed(lambda: _plain_rows(data, students))
    return {"seconds": seconds, "total": total, "checked": checked, "kills": killed}


def make_world(students: int, courses: int, rng: random.Random, now: Any) -> dict[str, Any]:
    """The people, stays, courses, their online runs, and agreements that all three have signed. Not counted."""
    from datetime import time as clock_time

    from vsm.exchange.agreements.models import Agreement
    from vsm.exchange.catalogue.models import Meeting, Offering, Opportunity
    from vsm.exchange.institutions.models import Organisation
    from vsm.exchange.learning_agreements.models import LearningAgreement, LearningAgreementVersion, Signature
    from vsm.exchange.learning_agreements.queries import parties_of
    from vsm.exchange.learning_agreements.rules import Content, as_json, digest_of
    from vsm.exchange.mobilities.models import Course, Mobility
    from vsm.exchange.mobilities.queries import component_of
    from vsm.exchange.people.models import Membership, Person, StudentRecord

    today = now.date()
    home = Organisation(schac="home.example", name={"en": "Home", "es": "Casa"}, country="PE", city="Lima", zone="America/Lima")
    host = Organisation(schac="host.example", name={"en": "Host", "es": "Destino"}, country="CL", city="Santiago", zone="America/Santiago")
    home.save()
    host.save()
    offices = {}
    for key, at in (("office", home), ("host_office", host)):
        offices[key] = Person(email=f"{key}@{at.schac}", name=key, language="es", zone=at.zone)
        offices[key].save()
        Membership(person=offices[key], organisation=at, role="coordinator", starts_on=today).save()
    signed = {"state": "signed", "starts_on": today - timedelta(days=400), "ends_on": today + timedelta(days=400), "levels": ["bachelor"]}
    Agreement(code="HOME-HOST", first=home, second=host, **signed).save()
    begins, ends = today - timedelta(days=30), today + timedelta(days=90)
    opportunities = [
        Opportunity(organisation=host, code=f"C{n:04d}", title={"es": f"Curso {n}", "en": f"Course {n}"}, credits=Decimal(6), credit_system="ects", language="es", isced_f="0311", state="published")
        for n in range(courses)
    ]
    offerings = [
        Offering(opportunity=each, code="online", starts_on=begins, ends_on=ends, zone=host.zone, seats=students, mode=rng.choice(["synchronous", "mixed", "asynchronous"]), state="published")
        for each in opportunities
    ]
    _insert(Opportunity, opportunities)
    _insert(Offering, offerings)
    Meeting.objects.bulk_create([Meeting(offering=o, weekday=1, starts=clock_time(10), ends=clock_time(12)) for o in offerings if o.mode != "asynchronous"], batch_size=500)
    people = [Person(email=f"s{n:05d}@home.example", name=f"Student {n}", language=rng.choice(["es", "pt-br", "en", "fr"]), zone="America/Lima") for n in range(students)]
    records = [StudentRecord(person=p, home=home, student_number=f"{n:06d}", programme="Economics", level="bachelor") for n, p in enumerate(people)]
    stays = [Mobility(student=p, home=home, host=host, country="CL", city="Santiago", starts_on=begins, ends_on=ends, residence="PE", nationalities=["PE"]) for p in people]
    taken = [
        Course(mobility=stay, opportunity=each, code=each.code, title=each.title, credits=Decimal(6), credit_system="ects", language="es", starts_on=begins, ends_on=ends, home_code="X", home_credits=Decimal(4))
        for stay in stays
        for each in rng.sample(opportunities, min(COURSES_EACH, courses))
    ]
    for model, made in ((Person, people), (StudentRecord, records), (Mobility, stays), (Course, taken)):
        _insert(model, made)
    by_stay: dict[Any, list[Any]] = {}
    for course in taken:
        by_stay.setdefault(course.mobility_id, []).append(course)
    agreements = [LearningAgreement(mobility_id=s.pk, student=s.student, home=home, host=host, current=1, signed_version=1, state="signed") for s in stays]
    _insert(LearningAgreement, agreements)
    versions = []
    for agreement in agreements:
        parties = parties_of(agreement)
        lines = tuple(component_of(c) for c in sorted(by_stay[agreement.mobility_id], key=lambda c: c.code))
        content = Content(agreement=str(agreement.pk), number=1, follows="", call="", student=parties["student"], home=parties["home"], host=parties["host"], components=lines)
        versions.append(LearningAgreementVersion(agreement=agreement, number=1, content=as_json(content), digest=digest_of(content), at=now))
    LearningAgreementVersion.objects.bulk_create(versions, batch_size=100)
    ids = dict(LearningAgreementVersion.objects.values_list("agreement_id", "pk"))
    sides = [("student", None), ("home", offices["office"]), ("host", offices["host_office"])]
    Signature.objects.bulk_create(
        [Signature(version_id=ids[v.agreement_id], party=side, person=who or v.agreement.student, at=now, digest=v.digest) for v in versions for side, who in sides],
        batch_size=150,
    )  # fmt: skip
    return {"home": home, "host": host, **offices}


def agree(emergency: Any) -> None:
    """Every student reads the text and consents to just this one: what they do themselves, so not counted."""
    from django.db import transaction

    from vsm.exchange.emergencies.models import Case, CoursePlan
    from vsm.exchange.emergencies.texts import amended, plans_of
    from vsm.exchange.learning_agreements.models import LearningAgreement
    from vsm.kit import bulk
    from vsm.kit.clock import now

    plans, at = plans_of(list(CoursePlan.objects.filter(emergency=emergency))), now()
    rows = []
    agreements = {a.mobility_id: a for a in LearningAgreement.objects.prefetch_related("versions")}
    for case in Case.objects.filter(emergency=emergency):
        text = amended(agreements[case.mobility_id], case.lines, plans)
        if text:
            rows.append((case.pk, "accepted", text.digest, at))
    with transaction.atomic():
        bulk.update_rows(Case, ("state", "consent", "answered_at"), rows)


def check(emergency: Any, students: int) -> dict[str, Any]:
    """What must hold whatever was killed: each student switched once, told once, credits as they were, the chain whole."""
    from django.db.models import Count

    from vsm.exchange.emergencies.models import Case, Switch
    from vsm.exchange.learning_agreements.models import LearningAgreement
    from vsm.exchange.learning_agreements.online import promises
    from vsm.exchange.sessions.models import Enrolment
    from vsm.kit import audit
    from vsm.kit.models import Message

    twice = Message.objects.values("person_id", "kind").annotate(n=Count("pk")).filter(n__gt=1, kind__in=["emergency_found", "emergency_proposed", "emergency_switched"]).count()
    changed = wrong = 0
    for agreement in LearningAgreement.objects.prefetch_related("versions").iterator(chunk_size=500):
        first, second = (agreement.version_numbered(number) for number in (1, 2))
        wrong += agreement.current != 2
        changed += second is None or first is None or promises(second.text) != promises(first.text)
    told = {
        "cases": dict(Case.objects.filter(emergency=emergency).values_list("state").annotate(n=Count("pk")).order_by()),
        "switches": Switch.objects.count(), "enrolments": Enrolment.objects.count(),
        "letters": dict(Message.objects.values_list("kind").annotate(n=Count("pk")).order_by()),
    }  # fmt: skip
    expected = {"emergency_found": students, "emergency_proposed": students, "emergency_switched": students}
    faults = [
        *(["credits changed"] if changed else []), *(["not one further version each"] if wrong else []), *(["told twice"] if twice else []),
        *([f"letters {told['letters']}"] if any(told["letters"].get(kind) != number for kind, number in expected.items()) else []),
        *(["not all are online"] if told["cases"] != {"switched": students} else []), *audit.verify()[:3],
    ]  # fmt: skip
    return {**told, "faults": faults}


def _drafted(world: dict[str, Any], by: Any) -> Any:
    from vsm.exchange.emergencies import actions
    from vsm.kit.clock import now

    return actions.declare_emergency(
        world["home"], by=by, now=now(), title={"en": "Drought"}, kind="disaster", places=[actions.PlaceRow(country="CL")], directions=["being"],
        starts_on=now().date() - timedelta(days=1), evidence=[],
    )  # fmt: skip


def _preview(emergency: Any) -> None:
    from vsm.exchange.emergencies.finding import preview

    preview(emergency)


def _runs() -> None:
    """All bulk work that is due; letters wait, so that they are measured apart."""
    from vsm.exchange.emergencies.models import Run
    from vsm.exchange.emergencies.runs import work_on
    from vsm.kit.models import Job

    for run in Run.objects.exclude(state="done"):
        work_on.call(run_id=str(run.pk))
    Job.objects.filter(path=work_on.module_path).update(state="done")


def _letters() -> None:
    """The jobs that write letters; delivering each by mail is the mail server's pace and not ours."""
    _jobs("vsm.exchange.emergencies.runs.tell_partners", "vsm.app.emergency_letters")


def _meetings() -> None:
    _jobs("vsm.exchange.emergencies.runs.schedule_meetings")


def _jobs(*paths: str) -> None:
    """Perform all jobs of these tasks, and no others meanwhile."""
    from vsm.kit import clock
    from vsm.kit.jobs import perform_next
    from vsm.kit.models import Job

    for path in paths:
        others = Job.objects.filter(state="ready").exclude(path__startswith=path)
        later = clock.now() + timedelta(days=1)
        others.update(run_at=later)
        while Job.objects.filter(state="ready", path__startswith=path, run_at__lt=later).exists():
            perform_next()
        Job.objects.filter(state="ready", run_at=later).update(run_at=clock.now())


def _back(emergency: Any, by: Any) -> None:
    from vsm.exchange.emergencies import actions
    from vsm.kit.clock import now

    today = now().date()
    emergency = actions.lift(emergency, by=by, now=now(), on=today, return_on=today)
    _runs()
    actions.bring_back(emergency, by=by, now=now())
    _runs()


def _killed(times: int, rng: random.Random) -> int:
    """Start a process that does the bulk work and kill it in the middle, so many times."""
    killed = 0
    for _each in range(times):
        worker = subprocess.Popen([sys.executable, "-c", "import django; django.setup(); from bench.switch import _runs; _runs()"])
        time.sleep(2.0 + rng.random() * 3)
        if worker.poll() is None:
            os.kill(worker.pid, signal.SIGKILL)
            killed += 1
        worker.wait()
    return killed


def _plain_rows(data: Path, students: int) -> None:
    """Rows of the same number and size, with the same durability, in transactions of the same size."""
    text = json.dumps({"components": [{"title": "x" * 120, "credits": "6"}] * COURSES_EACH, "home": "y" * 300, "host": "z" * 300})
    shapes = (("version", 1, 8), ("signature", 2, 6), ("switch", COURSES_EACH, 18), ("enrolment", COURSES_EACH, 12), ("message", 3, 13), ("job", 3, 13), ("audit", 4, 10), ("detail", 4, 3), ("held", 3, 4))
    base = sqlite3.connect(data / "plain.sqlite3", isolation_level=None)
    base.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
    for name, _times, width in shapes:
        base.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, {', '.join(f'c{n}' for n in range(width))})")
    for start in range(0, students, 500):
        base.execute("BEGIN IMMEDIATE")
        for name, times, width in shapes:
            row = [text if name in {"version", "message"} and n == 0 else f"value {n}" for n in range(width)]
            base.executemany(f"INSERT INTO {name} VALUES (NULL, {', '.join('?' * width)})", [row] * (times * min(500, students - start)))
        base.execute("COMMIT")
    base.close()


def _insert(model: Any, made: list[Any]) -> None:
    from django.db import transaction

    from vsm.kit import bulk

    for each in made:
        if hasattr(each, "prepare"):
            each.prepare()
    with transaction.atomic():
        bulk.insert(model, made)


def _timed(act: Any) -> tuple[float, float]:
    """Seconds by the clock and of the processor (other processes share this machine)."""
    began, used = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - began, time.process_time() - used


if __name__ == "__main__":
    raise SystemExit(main())
