"""The demo's calls, one at each stage of its life: draft, coming, applying, nominating, allocating, answered, running, over."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from vsm.demo.cast import Cast
from vsm.exchange.agreements.queries import promised
from vsm.exchange.allocation import actions as allocation
from vsm.exchange.allocation.models import Run, Seat
from vsm.exchange.applications import actions as applications
from vsm.exchange.applications.actions import OfferingSeats
from vsm.exchange.applications.models import Application, Call
from vsm.exchange.applications.queries import eligibility
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.credentials import actions as credentials
from vsm.exchange.learning_agreements import actions as learning_agreements
from vsm.exchange.learning_agreements.models import LearningAgreement, LearningAgreementVersion
from vsm.exchange.people.models import StudentRecord
from vsm.exchange.people.queries import actor_of
from vsm.exchange.recognition import actions as recognition
from vsm.exchange.recognition.models import Decision, Result, Transcript
from vsm.exchange.sessions import actions as sessions
from vsm.exchange.sessions.models import Enrolment, Session
from vsm.kit import clock
from vsm.kit.actions import TABLE
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.bulk import count_rows
from vsm.kit.errors import Refused
from vsm.kit.jobs import drain

TITLES = {
    "es": "Intercambio virtual {0}", "pt-br": "Intercâmbio virtual {0}", "en": "Virtual exchange {0}", "fr": "Échange virtuel {0}",
}  # fmt: skip
MOTIVATIONS = (
    "Quiero comparar cómo se estudia este tema en otra región.",
    "O curso completa a minha formação e não existe na minha universidade.",
    "I cannot travel this year, and this course fits my thesis.",
    "Ce cours prépare mon projet de fin d’études.",
)


@dataclass
class Stages:
    """The calls by stage, and what their journeys made."""

    calls: dict[str, Call] = field(default_factory=dict)


def make_calls(cast: Cast, offerings: dict[str, list[Offering]], now: datetime, rng: random.Random) -> Stages:
    made = Stages()
    _draft(cast, made, offerings["next"], now)
    _coming(cast, made, offerings["next"], now)
    for stage in (_applying, _nominating, _allocating, _answered):
        stage(cast, made, offerings["next"], now, rng)
        count_rows()
    _running(cast, made, offerings["running"], now, rng)
    count_rows()
    _over(cast, made, offerings["past"], now, rng)
    return made


def _draft(cast: Cast, made: Stages, offerings: list[Offering], now: datetime) -> None:
    made.calls["draft"] = _open(cast, "mapocho", "draft", offerings[:0], opens_at=now + timedelta(days=60), now=now - timedelta(days=1), publish=False)


def _coming(cast: Cast, made: Stages, offerings: list[Offering], now: datetime) -> None:
    chosen = _of(offerings, "garoa", cast)
    made.calls["coming"] = _open(cast, "garoa", "coming", chosen, opens_at=now + timedelta(days=12), now=now - timedelta(days=3))


def _applying(cast: Cast, made: Stages, offerings: list[Offering], now: datetime, rng: random.Random) -> None:
    """The call that Ana can apply to today. She has not begun; others have drafts or are submitted."""
    chosen = _of(offerings, "mapocho", cast)
    opens_at = now - timedelta(days=6)
    call = made.calls["applying"] = _open(cast, "mapocho", "applying", chosen, opens_at=opens_at, now=opens_at - timedelta(days=5))
    for number, record in enumerate(_pick(cast, ("andina", "garoa", "calzada"), 18, rng)):
        application = _apply(record, call, chosen, opens_at + timedelta(days=1 + number % 5, hours=number), rng)
        if number % 3:
            _submit(application, opens_at + timedelta(days=1 + number % 5, hours=number + 1))


def _nominating(cast: Cast, made: Stages, offerings: list[Offering], now: datetime, rng: random.Random) -> None:
    chosen = [o for key in ("albufera", "ria") for o in _of(offerings, key, cast)]
    opens_at = now - timedelta(days=25)
    call = made.calls["nominating"] = _open(cast, "puentes", "nominating", chosen, opens_at=opens_at, now=opens_at - timedelta(days=4), closes=21, nominate=30)
    submitted = _all_submit(_pick(cast, ("andina", "garoa", "ponts"), 22, rng), call, chosen, opens_at + timedelta(days=2), rng)
    _nominate(cast, submitted[:7], opens_at + timedelta(days=22), rng)


def _allocating(cast: Cast, made: Stages, offerings: list[Offering], now: datetime, rng: random.Random) -> None:
    """Nominations are in; Carlos can preview and publish."""
    chosen = _of(offerings, "mapocho", cast)
    opens_at = now - timedelta(days=32)
    call = made.calls["allocating"] = _open(cast, "mapocho", "allocating", chosen, opens_at=opens_at, now=opens_at - timedelta(days=4), closes=20, nominate=30)
    submitted = _all_submit(_pick(cast, ("andina", "garoa", "cerros"), 34, rng), call, chosen, opens_at + timedelta(days=2), rng)
    _nominate(cast, submitted, opens_at + timedelta(days=24), rng)


def _answered(cast: Cast, made: Stages, offerings: list[Offering], now: datetime, rng: random.Random) -> None:
    """Published the day before yesterday: some have accepted, some declined, most still think."""
    chosen = _of(offerings, "ponts", cast)
    opens_at = now - timedelta(days=38)
    call = made.calls["answered"] = _open(cast, "ponts", "answered", chosen, opens_at=opens_at, now=opens_at - timedelta(days=4), closes=22, nominate=32, respond_hours=120)
    submitted = _all_submit(_pick(cast, ("andina", "garoa", "ria", "albufera"), 30, rng), call, chosen, opens_at + timedelta(days=2), rng)
    _nominate(cast, submitted, opens_at + timedelta(days=24), rng)
    at = now - timedelta(days=2)
    run = _publish(cast, "ponts", call, at)
    for number, seat in enumerate(_seats(run)):
        answered_at = at + timedelta(hours=3 + number)
        if number % 4 == 0:
            allocation.accept(seat, by=_student(seat.application, answered_at), now=answered_at)
        elif number % 7 == 3:
            allocation.decline(seat, by=_student(seat.application, answered_at), now=answered_at)
    _work(now - timedelta(hours=6))


def _running(cast: Cast, made: Stages, offerings: list[Offering], now: datetime, rng: random.Random) -> None:
    """Signed and enrolled; the courses are in their sixth week."""
    chosen = _of(offerings, "mapocho", cast)
    call = _journey_to_enrolment(cast, made, "running", "mapocho", ("andina", "cerros", "albufera", "calzada"), chosen, now - timedelta(days=130), 26, rng)
    for session in Session.objects.filter(offering__call_offerings__call=call, ends_at__lt=now).select_related("offering__opportunity__organisation").distinct():
        _attend(cast, session, rng)


def _over(cast: Cast, made: Stages, offerings: list[Offering], now: datetime, rng: random.Random) -> None:
    """Results, transcripts, decisions and credentials are there; Ana's among them."""
    chosen = _of(offerings, "mapocho", cast)
    call = _journey_to_enrolment(cast, made, "over", "mapocho", ("andina", "garoa", "cerros"), chosen, now - timedelta(days=285), 16, rng, ana_first=True)
    at = now - timedelta(days=70)
    host = cast.actor("raul", at)
    for offering in chosen:
        enrolments = list(Enrolment.objects.filter(offering=offering, state="enrolled", seat__run__call=call).select_related("student"))
        if enrolments:
            _grade(cast, offering, enrolments, at, rng)
    turns: Counter[UUID] = Counter()
    for agreement in LearningAgreement.objects.filter(application__call=call, state="signed").order_by("student__email"):
        transcript = recognition.issue_transcript(agreement, by=host, now=at + timedelta(days=4))
        _work(at + timedelta(days=4))
        _decide(cast, transcript, at + timedelta(days=12), leave_first=turns[agreement.home_id] % 4 == 0)
        turns[agreement.home_id] += agreement.student_id != cast.people["ana"].pk
        _credential(host, transcript, at + timedelta(days=5))
    _work(at + timedelta(days=13))


def _journey_to_enrolment(
    cast: Cast, made: Stages, stage: str, office: str, homes: Sequence[str], chosen: list[Offering], opens_at: datetime, students: int,
    rng: random.Random, *, ana_first: bool = False,
) -> Call:  # fmt: skip
    call = made.calls[stage] = _open(cast, office, stage, chosen, opens_at=opens_at, now=opens_at - timedelta(days=4), closes=20, nominate=30)
    records = _pick(cast, homes, students, rng)
    if ana_first:
        ana = StudentRecord.objects.get(person=cast.people["ana"])
        records = [ana, *(record for record in records if record.pk != ana.pk)]
    submitted = _all_submit(records, call, chosen, opens_at + timedelta(days=2), rng)
    _nominate(cast, submitted, opens_at + timedelta(days=24), rng, best=cast.people["ana"].pk if ana_first else None)
    at = opens_at + timedelta(days=32)
    run = _publish(cast, office, call, at)
    seats = _seats(run)
    # Some offers run out, but none of the fullest class, however the lottery fell: its teams are formed later.
    fullest, _count = Counter(seat.offering_id for seat in seats).most_common(1)[0]
    for number, seat in enumerate(seats):
        if number % 6 != 5 or seat.offering_id == fullest or seat.application.student_id == cast.people["ana"].pk:
            allocation.accept(seat, by=_student(seat.application, at + timedelta(hours=8)), now=at + timedelta(hours=8))
    _work(at + timedelta(hours=9))
    for agreement in LearningAgreement.objects.filter(application__call=call).order_by("pk"):
        _sign(cast, agreement, at + timedelta(days=5))
    _work(at + timedelta(days=6))
    return call


def _open(
    cast: Cast, office: str, stage: str, chosen: list[Offering], *, opens_at: datetime, now: datetime, closes: int = 20, nominate: int = 30,
    respond_hours: int = 96, publish: bool = True,
) -> Call:  # fmt: skip
    organisation, by = cast.organisations[office], cast.office(office, now)
    opens_at = opens_at.replace(minute=0, second=0, microsecond=0)
    call = applications.open_call(
        organisation, by=by, now=now, code=f"{organisation.schac.partition('.')[0]}-{opens_at:%Y-%m}-{stage}", category="course",
        title={language: text.format(f"{organisation.name[language]} {opens_at.year + (opens_at.month > 6)}-{1 + (opens_at.month <= 6)}") for language, text in TITLES.items()},
        zone=organisation.zone, opens_at=opens_at, closes_at=opens_at + timedelta(days=closes), nominate_by=opens_at + timedelta(days=nominate),
        respond_hours=respond_hours, max_choices=5, max_seats=2, minimum_share_passed=Decimal("0.2"),
    )  # fmt: skip
    if chosen:
        call = applications.choose_offerings(call, by=by, now=now, rows=[OfferingSeats(offering=o.pk, seats=min(o.seats, 4)) for o in chosen])
    if publish:
        call = allocation.commit_seed(call, by=by, now=now)
        call = applications.publish(call, by=by, now=now)
    return call


def _pick(cast: Cast, homes: Sequence[str], count: int, rng: random.Random) -> list[StudentRecord]:
    """Students of these homes in turn, Ana left out: her story is her own."""
    ana = cast.people["ana"].pk
    pools = [[record for record in cast.students[home] if record.person_id != ana] for home in homes]
    for pool in pools:
        rng.shuffle(pool)
    mixed = [pool[turn] for turn in range(max(map(len, pools))) for pool in pools if turn < len(pool)]
    return mixed[:count]


def _apply(record: StudentRecord, call: Call, offerings: list[Offering], at: datetime, rng: random.Random) -> Application:
    by = actor_of(record.person, at)
    application = applications.apply(call, by=by, now=at)
    hosts = {o.opportunity.organisation_id for o in offerings} - {record.home_id}
    partners = {host for host in hosts if promised(record.home_id, host, at.date())}
    reachable = [o for o in offerings if o.opportunity.organisation_id in partners]
    wishes = rng.sample(reachable, min(len(reachable), rng.randint(2, 5)))
    application = applications.rank(application, by=by, now=at, choices=[o.pk for o in wishes], seats_wanted=rng.choice([1, 1, 2]))
    return applications.describe(application, by=by, now=at, motivation=rng.choice(MOTIVATIONS), needs="")


def _submit(application: Application, at: datetime) -> Application | None:
    """Submit, after taking out the choices that the rules refuse; None when nothing can be submitted."""
    by = actor_of(application.student, at)
    refused = {reason.field.removeprefix("choices.") for reason in eligibility(application, at).reasons}
    kept = [UUID(str(choice)) for rank, choice in enumerate(application.choices, start=1) if str(rank) not in refused]
    if kept and len(kept) < len(application.choices):
        application = applications.rank(application, by=by, now=at, choices=kept, seats_wanted=min(application.seats_wanted, len(kept)))
    try:
        return applications.submit(application, by=by, now=at)
    except Refused:
        return None


def _all_submit(records: list[StudentRecord], call: Call, offerings: list[Offering], at: datetime, rng: random.Random) -> list[Application]:
    submitted = (_submit(_apply(record, call, offerings, at + timedelta(hours=number), rng), at + timedelta(hours=number, minutes=30)) for number, record in enumerate(records))
    return [application for application in submitted if application]


def _nominate(cast: Cast, submitted: list[Application], at: datetime, rng: random.Random, best: Any = None) -> None:
    keys = {organisation.pk: key for key, organisation in cast.organisations.items()}
    for number, application in enumerate(submitted):
        by = cast.office(keys[application.home_id], at)
        if number % 11 == 10 and application.student_id != best:
            applications.decline_nomination(application, by=by, now=at, because="Home gives its places to students closer to graduation this term.")
        else:
            band = 1 if application.student_id == best else rng.choice([1, 1, 2, 3])
            applications.nominate(application, by=by, now=at, band=band, because="Good standing; the course is not offered at home.")


def _publish(cast: Cast, office: str, call: Call, at: datetime) -> Run:
    by = cast.office(office, at)
    call.refresh_from_db()
    run = allocation.allocate(call, by=by, now=at)
    run = allocation.publish(run, by=by, now=at, because="Priorities count, as the office announced when the call opened.")
    _work(at)
    return run


def _seats(run: Run) -> list[Seat]:
    return list(Seat.objects.filter(run=run, state="offered").select_related("application__student").order_by("offered_at", "pk"))


def _sign(cast: Cast, agreement: LearningAgreement, at: datetime) -> None:
    """Home says what it will recognise, presents, and all three sign the same version."""
    keys = {organisation.pk: key for key, organisation in cast.organisations.items()}
    home, host = cast.office(keys[agreement.home_id], at), cast.office(keys[agreement.host_id], at)
    student = actor_of(agreement.student, at)
    lines = [
        line.model_copy(update={"recognised": "yes", "home_code": "OPT-VSM", "home_title": f"Optativa: {line.course}"[:200], "home_credits": "4"})
        for line in _begun("learning_agreement", "draft_version", "components", agreement, home)
    ]
    agreement = learning_agreements.draft_version(agreement, by=home, now=at, components=lines, because="What home will recognise.")
    agreement = learning_agreements.present(agreement, by=home, now=at)
    version = LearningAgreementVersion.objects.get(agreement=agreement, number=agreement.current)
    for side, by in (("student", student), ("home", home), ("host", host)):
        agreement = learning_agreements.sign(agreement, by=by, now=at, digest=version.digest, side=side)


def _attend(cast: Cast, session: Session, rng: random.Random) -> None:
    at = session.ends_at
    marks = [row.model_copy(update={"status": rng.choices(["present", "late", "absent", "excused"], [80, 8, 8, 4])[0]}) for row in _begun("session", "take_attendance", "marks", session, SYSTEM)]
    if marks:
        sessions.take_attendance(session, by=SYSTEM, now=at, marks=marks)


def _grade(cast: Cast, offering: Offering, enrolments: list[Enrolment], at: datetime, rng: random.Random) -> None:
    ana = cast.people["ana"].pk
    rows = [
        recognition.ResultRow(enrolment_id=enrolment.pk, grade="6.1" if enrolment.student_id == ana else f"{rng.choice([3.4, 4.2, 4.8, 5.3, 5.9, 6.4]):.1f}")
        for enrolment in enrolments
    ]
    recognition.enter_results(offering, by=cast.actor("ines", at), now=at, rows=rows)
    for result in Result.objects.filter(enrolment__in=enrolments, state="provisional"):
        recognition.confirm(result, by=cast.actor("raul", at), now=at + timedelta(days=2))


def _decide(cast: Cast, transcript: Transcript, at: datetime, *, leave_first: bool) -> None:
    """Home decides about most; of every fourth transcript the first case still waits for the registrar, Ana's never."""
    keys = {organisation.pk: key for key, organisation in cast.organisations.items()}
    by = cast.registry(keys[transcript.home_id], at)
    for number, decision in enumerate(Decision.objects.filter(transcript=transcript, state="proposed").order_by("pk")):
        is_ana = transcript.student_id == cast.people["ana"].pk
        if leave_first and not number and not is_ana:
            continue
        _recognise(decision, by, at)


def _recognise(decision: Decision, by: Actor, at: datetime) -> None:
    if decision.result.passed:
        recognition.recognise(
            decision, by=by, now=at, home_code=decision.home_code or "OPT-VSM", home_title=decision.home_title or "Optativa",
            home_credits=decision.home_credits or Decimal(4), home_grade=decision.home_grade, because="As promised in the learning agreement.",
        )  # fmt: skip
    else:
        recognition.refuse(decision, by=by, now=at, because="The course was not passed.")


def _credential(host: Actor, transcript: Transcript, at: datetime) -> None:
    if Result.objects.filter(enrolment__student=transcript.student_id, state="final", passed=True).exists():
        credentials.issue_credentials(transcript, by=host, now=at)
        _work(at)


def _begun(noun: str, verb: str, name: str, record: Any, by: Actor) -> list[Any]:
    """The rows that the form of an act begins with."""
    begin = TABLE[noun, verb].asks[name].start
    return list(begin(record, by)) if begin else []


def _work(at: datetime) -> None:
    """Let the worker do what is due at that moment of the past."""
    with clock.stopped_at(at):
        drain()


def _of(offerings: list[Offering], key: str, cast: Cast) -> list[Offering]:
    return [o for o in offerings if o.opportunity.organisation_id == cast.organisations[key].pk]


def _student(application: Application, at: datetime) -> Actor:
    return actor_of(application.student, at)
