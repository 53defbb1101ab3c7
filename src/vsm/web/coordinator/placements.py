"""Placements on the desk: the student's own steps, and what waits in the offices of home, host and whoever vets."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from vsm.exchange.people.models import Person
from vsm.exchange.placements.models import (
    Concern,
    Host,
    HoursEntry,
    Placement,
    PlacementAgreement,
    PlacementApplication,
    Vacancy,
)
from vsm.exchange.placements.queries.hosts import checklist
from vsm.exchange.placements.queries.placements import occasions_open
from vsm.exchange.placements.queries.vacancies import vacancy_title
from vsm.exchange.placements.rules.running import due_on
from vsm.exchange.placements.states import OVER, HostState
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.saying import day_text
from vsm.web import desk

Item = dict[str, Any]
WAITING, YOURS, DONE = ("waiting", "info"), ("yours", "warn"), ("done", "good")


def steps(actor: Actor, now: datetime) -> Iterator[tuple[str, Item]]:
    """The student's own, by part of the journey."""
    yield from ((desk.BEFORE, made) for made in steps_before(actor, now))
    yield from ((desk.DURING, made) for made in steps_during(actor, now))
    yield from ((desk.AFTER, made) for made in steps_after(actor, now))


def steps_before(actor: Actor, now: datetime) -> Iterator[Item]:
    """Applications for placements, and agreements to sign."""
    found = PlacementApplication.objects.filter(student_id=actor.person_id, state__in=["draft", "submitted", "shortlisted", "offered"])
    for each in found.select_related("vacancy__host", "vacancy__offering__opportunity", "interview"):
        title, url = _("Placement: %(title)s") % {"title": vacancy_title(each.vacancy)}, f"/placement-applications/{each.pk}/"
        if each.state == "draft":
            yield _item(title, _("You"), YOURS, url, _("Complete and submit"), each.vacancy.apply_by)
        elif each.state == "offered":
            yield _item(title, _("You"), YOURS, url, _("Accept or decline"), each.respond_by)
        elif each.state == "shortlisted" and not hasattr(each, "interview") and each.vacancy.interviews.filter(state="open", starts_at__gt=now).exists():
            yield _item(title, _("You"), YOURS, f"{url}book/", _("Choose an interview slot"))
        else:
            deadline = each.interview.starts_at if hasattr(each, "interview") and each.interview.starts_at > now else None
            yield _item(title, each.vacancy.host.name, WAITING, url, _("See"), deadline)
    for placement in Placement.objects.filter(student_id=actor.person_id, state__in=["preparing", "ready"]).select_related("host", "home", "agreement"):
        title, agreement = _("Agreement with %(host)s") % {"host": placement.host.name}, placement.agreement
        if agreement.state == "signing" and "student" in agreement.waiting_for.split():
            yield _item(title, _("You"), YOURS, f"/placement-agreements/{agreement.pk}/sign/", _("Read and sign"))
        elif placement.state == "ready" and placement.insured_until:
            begins = _("Placement at %(host)s begins on %(day)s") % {"host": placement.host.name, "day": day_text(placement.starts_on)}
            yield _item(begins, placement.host.name, WAITING, f"/placements/{placement.pk}/", _("See"))
        else:
            yield _item(title, _in(placement.home.name), WAITING, f"/placements/{placement.pk}/", _("See"), placement.starts_on)


def steps_during(actor: Actor, now: datetime) -> Iterator[Item]:
    """Hours and evaluations of placements that run."""
    for placement in Placement.objects.filter(student_id=actor.person_id, state__in=["running", "interrupted", "suspended"]).select_related("host").prefetch_related("evaluations"):
        url, title = f"/placements/{placement.pk}/", _("Placement at %(host)s") % {"host": placement.host.name}
        if placement.hours.filter(state="returned").exists():
            yield _item(title, _("You"), YOURS, url, _("Correct hours"))
        elif placement.state == "running":
            yield _item(title, _("You"), YOURS, f"{url}log_hours/", _("Write down hours"), placement.ends_on)
        else:
            yield _item(title, placement.host.name, WAITING, url, _("See"))
        if placement.state != "suspended" and (asked := _unevaluated(placement, now)):
            yield _item(title, _("You"), YOURS, f"{url}evaluate/", _("Evaluate"), due_on(asked[0], starts_on=placement.starts_on, ends_on=placement.ends_on))


def steps_after(actor: Actor, now: datetime) -> Iterator[Item]:
    """Placements that are over: without both final evaluations there is no certificate."""
    for placement in Placement.objects.filter(student_id=actor.person_id, state__in=OVER).select_related("host").prefetch_related("evaluations"):
        title, url = _("Placement at %(host)s") % {"host": placement.host.name}, f"/placements/{placement.pk}/"
        if "final" in _unevaluated(placement, now):
            yield _item(title, _("You"), YOURS, f"{url}evaluate/", _("Evaluate"))
        else:
            yield _item(title, placement.host.name, DONE if placement.certified_at else WAITING, url, _("See"))


def _unevaluated(placement: Placement, now: datetime) -> list[str]:
    """The evaluations that the student can give today and has not given."""
    given = {each.occasion for each in placement.evaluations.all() if each.side == "student"}
    return [occasion for occasion in occasions_open(placement, placement.today(now)) if occasion not in given]


def buckets(organisation: Any, now: datetime) -> list[dict[str, Any]]:
    """What waits in this office about placements; nothing where there never was one."""
    if organisation.kind == "host":
        return _of_host(organisation, now)
    vetting = Host.objects.filter(vetter=organisation)
    out = Placement.objects.filter(home=organisation)
    found = []
    if vetting.exists():
        found += [
            _bucket(_("Hosts that ask to be vetted"), vetting.filter(state="applied").count(), "/hosts/?state=applied", "warn"),
            _bucket(_("Hosts being vetted"), vetting.filter(state="vetting").count(), "/hosts/?state=vetting", "warn"),
            _bucket(_("Vetted hosts"), vetting.filter(state="vetted").count(), "/hosts/?state=vetted", "good"),
        ]
    if out.exists():
        agreements = PlacementAgreement.objects.filter(placement__home=organisation)
        found += [
            _bucket(_("Placement agreements to prepare"), agreements.filter(state="draft").count(), "/placement-agreements/?state=draft", "warn"),
            _bucket(_("Placement agreements to sign"), agreements.filter(state="signing", waiting_for__contains="home").count(), "/placement-agreements/?waiting_for=home", "warn"),
            _bucket(_("Placements running"), out.filter(state="running").count(), "/placements/?state=running", "good"),
            *_to_decide(out),
        ]
    return found


def for_registrar(organisation: Any, _now: datetime) -> list[dict[str, Any]]:
    """Whether a placement counts for credit is a registrar's to say as well."""
    out = Placement.objects.filter(home=organisation)
    return _to_decide(out) if out.exists() else []


def _to_decide(out: Any) -> list[dict[str, Any]]:
    return [_bucket(_("Placements to decide about"), out.filter(state__in=OVER, credit=None).count(), "/placements/?credit=undecided", "warn")]


def of_one_person(actor: Actor) -> Iterator[dict[str, Any]]:
    """What waits for a mentor, and for a safeguarding officer: persons, not offices."""
    email = Person.objects.filter(pk=actor.person_id).values_list("email", flat=True).first()
    mentored = Placement.objects.filter(mentor_email=email, state__in=["running", "interrupted", "completed"])
    if mentored.exists():
        logged = HoursEntry.objects.filter(placement__in=mentored, state="logged").values("placement").distinct().count()
        yield {"title": _("Mentoring"), "url": "/placements/", "buckets": [
            _bucket(_("Placements with hours to confirm"), logged, "/placements/?hours=logged", "warn"),
            _bucket(_("Placements running"), mentored.filter(state="running").count(), "/placements/?state=running", "good"),
        ]}  # fmt: skip
    concerns = Concern.objects.visible_to(actor).exclude(raised_by_id=actor.person_id)
    if concerns.exists():
        yield {"title": _("Safeguarding"), "url": "/concerns/", "buckets": [
            _bucket(_("Concerns to acknowledge"), concerns.filter(state="raised").count(), "/concerns/?state=raised", "bad"),
            _bucket(_("Concerns open"), concerns.filter(state__in=["acknowledged", "acting"]).count(), "/concerns/?state=acting", "warn"),
        ]}  # fmt: skip


def _of_host(organisation: Any, now: datetime) -> list[dict[str, Any]]:
    applications = PlacementApplication.objects.filter(vacancy__organisation=organisation)
    agreements = PlacementAgreement.objects.filter(placement__host__organisation=organisation)
    return [
        *_to_hand_in(organisation, now),
        _bucket(_("Vacancies published"), Vacancy.objects.filter(organisation=organisation, state="published").count(), "/vacancies/?state=published"),
        _bucket(_("Applications to read"), applications.filter(state="submitted").count(), "/placement-applications/?state=submitted", "warn"),
        _bucket(pgettext("several", "Shortlisted"), applications.filter(state="shortlisted").count(), "/placement-applications/?state=shortlisted"),
        _bucket(_("Placement agreements to sign"), agreements.filter(state="signing", waiting_for__contains="host").count(), "/placement-agreements/?waiting_for=host", "warn"),
        _bucket(_("Placements running"), Placement.objects.filter(host__organisation=organisation, state="running").count(), "/placements/?state=running", "good"),
    ]


def _to_hand_in(organisation: Any, now: datetime) -> Iterator[dict[str, Any]]:
    """What a host that is not vetted has to do first."""
    for host in Host.objects.filter(organisation=organisation).exclude(state=HostState.VETTED):
        lacking = sum(1 for point in checklist(host, now.date()) if point.is_expired or (point.outcome not in {"met", "given"} and not point.criterion.optional))
        yield _bucket(_("Evidence to hand in"), lacking, f"/hosts/{host.pk}/", "warn")


def _item(title: str, owner: str, state: tuple[str, str], url: str, action: str, deadline: Any = None) -> Item:
    label = {"waiting": _("Waiting"), "yours": _("Your turn"), "done": _("Done")}[state[0]]
    now = clock.now()
    late = state == YOURS and deadline is not None and (deadline < now if isinstance(deadline, datetime) else deadline < timezone.localdate(now))
    return {"title": title, "owner": owner, "deadline": deadline, "state": {"label": label, "tone": state[1]}, "url": url, "action_label": action, "late": late}


def _bucket(label: str, count: int, url: str, tone: str = "neutral") -> dict[str, Any]:
    return {"label": label, "count": count, "url": url, "tone": tone if count else "neutral"}


def _in(texts: Any) -> str:
    return text_in(texts, get_language() or "en")


desk.STEPS.append(steps)
desk.BUCKETS["coordinator"].append(buckets)
desk.BUCKETS["registrar"].append(for_registrar)
desk.PERSONAL.append(of_one_person)
