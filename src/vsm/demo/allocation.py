"""The demo's call with reserved seats: rules fixed in time, students who say what applies to them, a result, two appeals."""

import random
from datetime import datetime, timedelta
from decimal import Decimal

from vsm.demo.calls import Stages
from vsm.demo.cast import Cast
from vsm.exchange.agreements.queries import promised
from vsm.exchange.allocation import actions as allocation
from vsm.exchange.allocation import appeals, policies, trials
from vsm.exchange.allocation.models import Appeal
from vsm.exchange.allocation.policies import ReserveRow
from vsm.exchange.applications import actions as applications
from vsm.exchange.applications.actions import OfferingSeats
from vsm.exchange.applications.models import Application, Call
from vsm.exchange.applications.queries import eligibility
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.people.queries import actor_of
from vsm.kit import clock
from vsm.kit.jobs import drain
from vsm.kit.uploads import Upload

STUDENTS = 14
TITLE = {
    "es": "Cupos reservados 2027", "pt-br": "Vagas reservadas 2027", "en": "Reserved seats 2027", "fr": "Places réservées 2027",
}  # fmt: skip
ABOUT = {
    "es": "Una convocatoria pequeña que reserva cupos para estudiantes de primera generación y de zonas rurales.",
    "pt-br": "Uma chamada pequena que reserva vagas para estudantes de primeira geração e de áreas rurais.",
    "en": "A small call that reserves seats for first-generation and rural students.",
    "fr": "Un petit appel qui réserve des places aux étudiants de première génération et de zones rurales.",
}
GROUPS = ("first-generation", "rural")
WORDS = "Mi oficina me dijo que estaba en el grupo de prioridad 1, y el resultado dice que estoy en el 2. Adjunté la carta a mi postulación."
ANSWER = "Revisamos la nominación: tu universidad la registró en el grupo 2 antes del cierre, y la carta dice lo mismo. El resultado se mantiene."
# The smallest problem with a bit of everything: ties, a reserve, somebody who wants two seats, somebody left without one.
SHEETS = {
    "offerings": "offering_id,capacity\ncerámica,2\nrobótica,1\nteatro,1\n",
    "students": "student_id,seats_wanted,groups\ne-01,1,rural\ne-02,1,\ne-03,2,rural|first-generation\ne-04,1,first-generation\ne-05,1,\n",
    "choices": (
        "student_id,rank,offering_id,priority\ne-01,1,cerámica,2\ne-01,2,robótica,1\ne-02,1,cerámica,1\ne-02,2,teatro,2\ne-03,1,cerámica,1\n"
        "e-03,2,teatro,1\ne-04,1,cerámica,2\ne-04,2,robótica,1\ne-05,1,robótica,1\ne-05,2,cerámica,2\n"
    ),
    "reserves": "offering_id,group,seats\ncerámica,first-generation,1\n",
}
LATE = "El aula virtual admite una persona más de lo previsto."


def make_reserved(cast: Cast, stages: Stages, offerings: list[Offering], now: datetime) -> Call:
    """From the rules to the appeals; and a trial of the call whose seats are being given, which the worker will compute."""
    rng = random.Random(75)
    chosen = [o for o in offerings if o.opportunity.organisation_id == cast.organisations["mapocho"].pk][:3]
    opens_at = (now - timedelta(days=48)).replace(minute=0, second=0, microsecond=0)
    call = _open(cast, chosen, opens_at)
    submitted = _submitted(cast, call, chosen, opens_at + timedelta(days=3), rng)
    _nominated(cast, submitted, opens_at + timedelta(days=24), rng)
    _result(cast, call, chosen, now)
    office = cast.office("mapocho", now)
    with clock.stopped_at(now):
        trials.try_out(stages.calls["allocating"], by=office, now=now, title="Comparar reglas antes de publicar")
        sheets = {name: Upload.of(f"{name}.csv", "text/csv", content.encode()) for name, content in SHEETS.items()}
        trial = trials.solve_files(
            cast.organisations["mapocho"], by=office, now=now, offerings=sheets["offerings"], students=sheets["students"], choices=sheets["choices"],
            reserves=sheets["reserves"], seed="maíz", title="Talleres de verano, desde archivos",
        )  # fmt: skip
        trials.compute_trial.call(str(trial.pk))
    return call


def _open(cast: Cast, chosen: list[Offering], opens_at: datetime) -> Call:
    before = opens_at - timedelta(days=5)
    organisation, by = cast.organisations["mapocho"], cast.office("mapocho", before)
    call = applications.open_call(
        organisation, by=by, now=before, code=f"mapocho-{opens_at:%Y-%m}-reserved", category="course", title=TITLE, description=ABOUT, zone=organisation.zone,
        opens_at=opens_at, closes_at=opens_at + timedelta(days=20), nominate_by=opens_at + timedelta(days=30), respond_hours=240, max_choices=3, max_seats=1,
        minimum_share_passed=Decimal("0.1"),
    )  # fmt: skip
    call = applications.choose_offerings(call, by=by, now=before, rows=[OfferingSeats(offering=o.pk, seats=3) for o in chosen])
    policies.set_rules(
        call, by=by, now=before, mechanism="deferred_acceptance", reserves=[ReserveRow(group=group, seats=1) for group in GROUPS],
        reciprocity="soft", balance=20, appeal_days=20,
    )  # fmt: skip
    call = allocation.commit_seed(call, by=by, now=before)
    return applications.publish(call, by=by, now=before)


def _submitted(cast: Cast, call: Call, chosen: list[Offering], at: datetime, rng: random.Random) -> list[Application]:
    """Students of three homes by turns, the last ones on each list, who have little else going on."""
    ana = cast.people["ana"].pk
    pools = [[record for record in reversed(cast.students[home]) if record.person_id != ana] for home in ("andina", "garoa", "cerros")]
    hosts = {o.opportunity.organisation_id for o in chosen}
    made: list[Application] = []
    for record in (record for row in zip(*pools, strict=False) for record in row):
        if len(made) == STUDENTS:
            break
        if not all(promised(record.home_id, host, at.date()) for host in hosts):
            continue
        by = actor_of(record.person, at)
        application = applications.apply(call, by=by, now=at)
        wishes = rng.sample(chosen, rng.choice([2, 3]))
        application = applications.rank(application, by=by, now=at, choices=[o.pk for o in wishes])
        if not eligibility(application, at).ok:
            applications.withdraw(application, by=by, now=at, because="")
            continue
        said = [group for group in GROUPS if rng.random() < 0.6]
        if said:
            with clock.stopped_at(at):
                policies.declare(application, by=by, now=at, groups=said, for_seats=True, for_statistics=True)
        made.append(applications.submit(application, by=by, now=at))
    return made


def _nominated(cast: Cast, submitted: list[Application], at: datetime, rng: random.Random) -> None:
    keys = {organisation.pk: key for key, organisation in cast.organisations.items()}
    for application in submitted:
        applications.nominate(application, by=cast.office(keys[application.home_id], at), now=at, band=rng.choice([1, 1, 2, 2]))


def _result(cast: Cast, call: Call, chosen: list[Offering], now: datetime) -> None:
    at = now - timedelta(days=4)
    by = cast.office("mapocho", at)
    with clock.stopped_at(at):
        call.refresh_from_db()
        run = allocation.publish(allocation.allocate(call, by=by, now=at), by=by, now=at)
        drain()
    later = at + timedelta(days=1)
    with clock.stopped_at(later):
        waiting = list(Application.objects.filter(call=call, state="waiting").select_related("student").order_by("pk")[:2])
        filed = [_appeal(application, later) for application in waiting]
        call.refresh_from_db()
        allocation.add_seats(call, by=by, now=later, offering=chosen[0].pk, seats=1, because=LATE)
        drain()
    answered = later + timedelta(days=1)
    with clock.stopped_at(answered):
        if len(filed) > 1:
            appeals.refuse(filed[1], by=cast.office("mapocho", answered), now=answered, answer=ANSWER)
        for seat in run.seats.filter(state="offered").select_related("application__student").order_by("pk")[:4]:
            allocation.accept(seat, by=actor_of(seat.application.student, answered), now=answered)
        drain()


def _appeal(application: Application, at: datetime) -> Appeal:
    return appeals.appeal(application, by=actor_of(application.student, at), now=at, words=WORDS, offering=application.choices[0])
