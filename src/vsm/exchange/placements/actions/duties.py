"""What time does: vettings end, offers expire, placements start, people are reminded once. Each record is a job of its own."""

from datetime import timedelta

from django_tasks import task

from vsm.exchange.placements.actions import hosts, running, safeguarding, selecting
from vsm.exchange.placements.models import Concern, Host, Placement, PlacementApplication, Vacancy
from vsm.exchange.placements.queries.placements import evaluations_standing, standing_of
from vsm.exchange.placements.rules.running import why_not_start
from vsm.exchange.placements.states import ApplicationState, ConcernState, HostState, PlacementState, VacancyState
from vsm.kit import clock
from vsm.kit.actors import SYSTEM
from vsm.kit.events import emit
from vsm.kit.jobs import every
from vsm.rulebook.placements import days_for


@every(60)
@task()
def expire_placement_offers() -> None:
    """Offers whose time has passed."""
    overdue = PlacementApplication.objects.filter(state=ApplicationState.OFFERED, respond_by__lte=clock.now()).order_by("respond_by")
    for pk in overdue.values_list("pk", flat=True):
        expire_placement_offer.enqueue(application_id=str(pk))


@task()
def expire_placement_offer(application_id: str) -> None:
    """Expire one offer, unless it was answered in the meantime."""
    application = PlacementApplication.objects.get(pk=application_id)
    now = clock.now()
    if application.state == ApplicationState.OFFERED and application.respond_by and application.respond_by <= now:
        selecting.expire_offer(application, by=SYSTEM, now=now)


@every(3600)
@task()
def keep_placements() -> None:
    """What is due by the day: each host, placement, vacancy and concern that something may happen to gets a job."""
    now, today = clock.now(), clock.now().date()
    soon = today + timedelta(days=days_for("vetting-reminder", today))
    for pk in Host.objects.filter(state=HostState.VETTED, valid_until__lte=soon).values_list("pk", flat=True):
        look_at_host.enqueue(host_id=str(pk))
    for pk in Placement.objects.filter(state__in=[PlacementState.READY, PlacementState.RUNNING, PlacementState.COMPLETED]).values_list("pk", flat=True):
        look_at_placement.enqueue(placement_id=str(pk))
    for pk in Vacancy.objects.filter(state=VacancyState.PUBLISHED, offers_made=True, offering__starts_on__lte=today).values_list("pk", flat=True):
        look_at_vacancy.enqueue(vacancy_id=str(pk))
    for pk in Concern.objects.filter(state=ConcernState.RAISED, acknowledge_by__lte=now, reminded_at=None).values_list("pk", flat=True):
        remind_of_concern.enqueue(concern_id=str(pk))


@task()
def look_at_host(host_id: str) -> None:
    """Expire a vetting whose last day has passed; remind once before it does."""
    host, now = Host.objects.get(pk=host_id), clock.now()
    if host.state != HostState.VETTED or host.valid_until is None:
        return
    if host.valid_until < now.date():
        hosts.expire(host, by=SYSTEM, now=now)
    elif host.reminded_for != host.valid_until:
        hosts.remind(host, by=SYSTEM, now=now)


@task()
def look_at_vacancy(vacancy_id: str) -> None:
    """Close what has all its places taken once the work has begun: before that a place may come free for the next."""
    selecting.close_filled(Vacancy.objects.get(pk=vacancy_id), now=clock.now())


@task()
def look_at_placement(placement_id: str) -> None:
    """Start what may start; tell once what keeps it from starting; remind once of each evaluation, and of a certificate, that is late."""
    placement, now = Placement.objects.select_related("host", "home", "agreement").get(pk=placement_id), clock.now()
    today = placement.today(now)
    if placement.state == PlacementState.READY and placement.starts_on <= today <= placement.ends_on:
        if not list(why_not_start(standing_of(placement), today)):
            running.start(placement, by=SYSTEM, now=now)
        elif "not-started" not in placement.reminded:
            _remind(placement, "not-started")
            emit("placement.held_up", placement_id=str(placement.pk))
        return
    late_after = timedelta(days=days_for("evaluation-in", now.date()))
    for each in evaluations_standing(placement, now) if placement.started_on else ():
        mark = f"evaluation-{each['occasion']}"
        if not each["shown"] and each["due"] + late_after <= today and mark not in placement.reminded:
            _remind(placement, mark)
            emit("evaluation.late", placement_id=str(placement.pk), occasion=each["occasion"])
    owed = timedelta(days=days_for("certificate-issued", now.date()))
    is_owed = placement.state == PlacementState.COMPLETED and placement.certified_at is None and placement.ended_on is not None
    if is_owed and placement.ended_on + owed <= today and "certificate" not in placement.reminded:
        _remind(placement, "certificate")
        emit("certificate.late", placement_id=str(placement.pk))


@task()
def remind_of_concern(concern_id: str) -> None:
    """The first answer to a concern is overdue."""
    concern, now = Concern.objects.get(pk=concern_id), clock.now()
    if concern.state == ConcernState.RAISED and concern.acknowledge_by <= now and concern.reminded_at is None:
        safeguarding.remind_officer(concern, by=SYSTEM, now=now)


def _remind(placement: Placement, mark: str) -> None:
    """Noted with the reminder itself, in the job's own transaction: nobody is reminded twice."""
    placement.reminded = [*placement.reminded, mark]
    placement.save()
