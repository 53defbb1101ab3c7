"""My desk: the student's to-do list (before, during, after), and the offices' pipeline that mirrors it.

Each step is told with its owner, its deadline and, if it is the reader's, its one next action.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from vsm.exchange.agreements.models import Agreement, AgreementSignature
from vsm.exchange.allocation.models import Appeal, Run, Seat
from vsm.exchange.allocation.states import OPEN_APPEALS
from vsm.exchange.applications.models import Application, Call
from vsm.exchange.credentials.models import Credential
from vsm.exchange.emergencies.models import Case
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.rules import teaches
from vsm.exchange.learning_agreements.models import LearningAgreement, Signature
from vsm.exchange.people.models import StudentRecord
from vsm.exchange.recognition.models import Decision, Result, Transcript
from vsm.exchange.sessions.models import Enrolment, Session
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.jobs import worker_seen
from vsm.kit.localized import text_in
from vsm.kit.models import Job
from vsm.kit.requests import Request

WAITING, YOURS, DONE = "waiting", "yours", "done"

# What further categories put on the desk: a person's steps as (part of the journey, `item(...)`), an office's buckets by role.
BEFORE, DURING, AFTER = "before", "during", "after"
STEPS: list[Callable[[Actor, datetime], Iterator[tuple[str, dict[str, Any]]]]] = []
BUCKETS: dict[str, list[Callable[[Any, datetime], list[dict[str, Any]]]]] = {"coordinator": [], "registrar": []}
# Pipelines of a person rather than an office: a mentor's, a safeguarding officer's.
PERSONAL: list[Callable[[Actor], Iterator[dict[str, Any]]]] = []


@login_required
def desk(request: Request) -> HttpResponse:
    now = clock.now()
    actor: Actor = request.actor
    context: dict[str, Any] = {"title": _("My desk"), "offices": list(_offices(actor, now)), "groups": []}
    groups = student_groups(actor, now)
    if StudentRecord.objects.filter(person_id=actor.person).exists() or any(group["items"] for group in groups):
        context["groups"] = groups
        context["sessions"] = Session.objects.visible_to(actor).filter(ends_at__gte=now, state="scheduled").select_related("offering__opportunity")[:3]
    context["worker_missing"] = bool(context["offices"]) and not worker_seen(now)
    return render(request, "desk.html", context)


def student_groups(actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Before, during and after, each with its items."""
    more = [step for steps in STEPS for step in steps(actor, now)]
    urgent = list(_emergencies(actor, now))
    return [
        *([{"title": _("Now"), "items": urgent}] if urgent else []),
        {"title": _("Before"), "items": [*_calls(actor, now), *_applications(actor, now), *_seats(actor, now), *_agreements(actor), *_of(BEFORE, more)]},
        {"title": _("During"), "items": [*_enrolments(actor, now), *_of(DURING, more)]},
        {"title": _("After"), "items": [*_transcripts(actor), *_decisions(actor), *_credentials(actor), *_of(AFTER, more)]},
    ]


def _of(part: str, steps: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [made for where, made in steps if where == part]


def _item(title: str, owner: str, *, state: str = WAITING, deadline: Any = None, url: str = "", action: str = "", now: datetime | None = None) -> dict[str, Any]:
    labels = {WAITING: (_("Waiting"), "info"), YOURS: (_("Your turn"), "warn"), DONE: (_("Done"), "good")}
    label, tone = labels[state]
    late = bool(now and deadline and state == YOURS and (deadline < now if isinstance(deadline, datetime) else deadline < timezone.localdate(now)))
    return {"title": title, "owner": owner, "deadline": deadline, "state": {"label": label, "tone": tone}, "url": url, "action_label": action, "late": late}


def _calls(actor: Actor, now: datetime) -> Iterator[dict[str, Any]]:
    mine = Application.objects.filter(student_id=actor.person_id).values("call_id")
    homes = StudentRecord.objects.filter(person_id=actor.person).values_list("home_id", flat=True)
    partners = Agreement.objects.filter(Q(first_id__in=homes) | Q(second_id__in=homes), state="signed")
    hosts = {party for pair in partners.values_list("first_id", "second_id") for party in pair} - set(homes)
    found = Call.objects.filter(state="published", opens_at__lte=now, closes_at__gt=now, call_offerings__offering__opportunity__organisation_id__in=hosts).exclude(pk__in=mine).distinct()
    for call in found.order_by("closes_at")[:5]:
        yield _item(_("Apply: %(call)s") % {"call": _in(call.title)}, _("You"), state=YOURS, deadline=call.closes_at, url=f"/calls/{call.pk}/apply/", action=_("Start"), now=now)


def _applications(actor: Actor, now: datetime) -> Iterator[dict[str, Any]]:
    for application in Application.objects.filter(student_id=actor.person_id, state__in=["draft", "submitted", "nominated", "waiting"]).select_related("call__organisation", "home"):
        call, url = application.call, f"/applications/{application.pk}/"
        title = _in(call.title)
        if application.state == "draft" and call.closes_at <= now:
            continue  # nothing can be done about it any more
        if application.state == "draft":
            yield _item(_("Finish and submit: %(call)s") % {"call": title}, _("You"), state=YOURS, deadline=call.closes_at, url=url, action=_("Continue"), now=now)
        elif application.state == "submitted":
            yield _item(_("Nomination: %(call)s") % {"call": title}, str(application.home), deadline=call.nominate_by, url=url, action=_("See"))
        elif application.state == "nominated":
            yield _item(_("Seats are being given: %(call)s") % {"call": title}, str(call.organisation), url=url, action=_("See"))
        else:
            yield _item(_("On the waiting list: %(call)s") % {"call": title}, str(call.organisation), url=url, action=_("See"))


def _seats(actor: Actor, now: datetime) -> Iterator[dict[str, Any]]:
    for seat in Seat.objects.filter(application__student_id=actor.person_id, state="offered").select_related("offering__opportunity"):
        title = _("Answer the offer of a seat: %(course)s") % {"course": _in(seat.offering.opportunity.title)}
        yield _item(title, _("You"), state=YOURS, deadline=seat.respond_by, url=f"/seats/{seat.pk}/", action=_("Accept or decline"), now=now)


def _agreements(actor: Actor) -> Iterator[dict[str, Any]]:
    for agreement in LearningAgreement.objects.filter(student_id=actor.person_id, state__in=["draft", "signing"]).select_related("home", "host"):
        title = _("Learning agreement with %(host)s") % {"host": _in(agreement.host.name)}
        url = f"/learning-agreements/{agreement.pk}/"
        signed = set(Signature.objects.filter(version__agreement=agreement, version__number=agreement.current).values_list("party", flat=True))
        if agreement.state == "draft":
            yield _item(title, _in(agreement.home.name), url=url, action=_("See"))
        elif "student" not in signed:
            yield _item(title, _("You"), state=YOURS, url=url, action=_("Read and sign"))
        else:
            owners = [_in(side.name) for party, side in (("home", agreement.home), ("host", agreement.host)) if party not in signed]
            yield _item(title, ", ".join(owners), url=url, action=_("See"))


def _emergencies(actor: Actor, now: datetime) -> Iterator[dict[str, Any]]:
    """How they are comes first, then what becomes of their courses. A drill asks students nothing."""
    mine = Case.objects.in_earnest().filter(student_id=actor.person_id, emergency__state="declared").exclude(state__in=["released", "covered"])
    for case in mine.select_related("emergency"):
        url, named = f"/emergency-cases/{case.pk}/", {"emergency": str(case.emergency)}
        if case.safety == "silent":
            yield _item(_("Say how you are: %(emergency)s") % named, _("You"), state=YOURS, url=f"{url}check_in/", action=_("I am safe / I need help"), now=now)
        if case.state == "proposed":
            yield _item(_("Decide how your courses go on: %(emergency)s") % named, _("You"), state=YOURS, deadline=case.respond_by, url=url, action=_("Read and decide"), now=now)


def _enrolments(actor: Actor, now: datetime) -> Iterator[dict[str, Any]]:
    for enrolment in Enrolment.objects.filter(student_id=actor.person_id, state="enrolled").select_related("offering__opportunity"):
        upcoming = Session.objects.filter(offering=enrolment.offering, state="scheduled", ends_at__gte=now).order_by("starts_at").first()
        title = _in(enrolment.offering.opportunity.title)
        if upcoming:
            yield _item(_("Next meeting: %(course)s") % {"course": title}, _("You"), deadline=upcoming.starts_at, url="/timetable/", action=_("Timetable"))
        else:
            yield _item(_("Results: %(course)s") % {"course": title}, _("Host institution"), url=f"/enrolments/{enrolment.pk}/", action=_("See"))


def _transcripts(actor: Actor) -> Iterator[dict[str, Any]]:
    for transcript in Transcript.objects.filter(student_id=actor.person_id, state="issued").select_related("host"):
        yield _item(_("Transcript of %(host)s") % {"host": _in(transcript.host.name)}, _in(transcript.host.name), state=DONE, url=f"/transcripts/{transcript.pk}/", action=_("Open"))


def _decisions(actor: Actor) -> Iterator[dict[str, Any]]:
    for decision in Decision.objects.filter(enrolment__student_id=actor.person_id).select_related("enrolment__offering__opportunity", "enrolment__home"):
        title = _("Recognition at home: %(course)s") % {"course": _in(decision.enrolment.offering.opportunity.title)}
        yield _item(title, _in(decision.enrolment.home.name), state=WAITING if decision.state == "proposed" else DONE, url=f"/decisions/{decision.pk}/", action=_("See"))


def _credentials(actor: Actor) -> Iterator[dict[str, Any]]:
    for credential in Credential.objects.filter(person_id=actor.person, state="issued").select_related("organisation"):
        yield _item(_("Credential: %(title)s") % {"title": credential.title}, _in(credential.organisation.name), state=DONE, url=f"/credentials/{credential.pk}/", action=_("Show and share"))


def _offices(actor: Actor, now: datetime) -> Iterator[dict[str, Any]]:
    """One pipeline for each organisation and role in which the actor works, in the order of the journey."""
    for organisation in Organisation.objects.filter(pk__in=actor.organisations("coordinator", "registrar")):
        makers = [make for role, first in (("coordinator", _coordinating), ("registrar", _registering)) if actor.holds(role, organisation.pk) for make in (first, *BUCKETS[role])]
        buckets = {(made["label"], made["url"]): made for make in makers for made in make(organisation, now)}  # what two offices see stands once
        yield {"title": _in(organisation.name), "url": f"/organisations/{organisation.pk}/", "buckets": list(buckets.values())}
    for own in PERSONAL:
        yield from own(actor)
    if teaches_somewhere(actor):
        yield {"title": _("Teaching"), "url": "/teaching/", "buckets": [_bucket(_("My courses"), Enrolment.objects.filter(offering__instructors=actor.person).values("offering").distinct().count(), "/teaching/")]}
    if actor.is_operator:
        yield {
            "title": _("This installation"), "url": "/messages/",
            "buckets": [
                _bucket(_("Work waiting"), Job.objects.filter(state="ready").count(), "/messages/"),
                _bucket(_("Work that failed for good"), Job.objects.filter(state="dead").count(), "/messages/?state=failed", "bad"),
                _bucket(_("Institutions"), Organisation.objects.count(), "/organisations/"),
            ],
        }  # fmt: skip


def teaches_somewhere(actor: Actor) -> bool:
    """Whether the reader is an instructor where there are courses: the mentors of a company have the same role there, and no class."""
    return any(map(teaches, Organisation.objects.filter(pk__in=actor.organisations("instructor"))))


def _coordinating(organisation: Any, now: datetime) -> list[dict[str, Any]]:
    if organisation.kind == "host":  # a company has none of the steps of a university
        return []
    applications = dict(Application.objects.filter(home=organisation).values_list("state").annotate(n=Count("pk")))
    agreements = LearningAgreement.objects.filter(Q(home=organisation) | Q(host=organisation))
    calls = Call.objects.filter(organisation=organisation)
    cases = Case.objects.in_earnest().filter(Q(home=organisation) | Q(host=organisation), emergency__state="declared")
    concerned = [
        _bucket(_("Need help in an emergency"), cases.filter(safety="help").count(), "/emergency-cases/?safety=help", "bad"),
        _bucket(_("No word yet in an emergency"), cases.filter(safety="silent").exclude(state__in=["released", "covered"]).count(), "/emergency-cases/?safety=silent", "warn"),
        _bucket(_("Have to decide in an emergency"), cases.filter(state="proposed").count(), "/emergency-cases/?state=proposed", "warn"),
    ]
    return [
        *(bucket for bucket in concerned if bucket["count"]),
        _bucket(_("Agreements to sign"), Agreement.objects.filter(Q(first=organisation) | Q(second=organisation), state="proposed").exclude(pk__in=_signed_by(organisation)).count(), "/agreements/?state=proposed", "warn"),
        _bucket(_("Calls open"), calls.filter(state="published", opens_at__lte=now, closes_at__gt=now).count(), "/calls/?state=published"),
        _bucket(_("To nominate"), applications.get("submitted", 0), "/applications/?state=submitted", "warn"),
        _bucket(pgettext("several", "Nominated"), applications.get("nominated", 0), "/applications/?state=nominated"),
        _bucket(_("Calls to allocate"), calls.filter(state="published", nominate_by__lte=now).exclude(runs__state__in=["preview", "published"]).count(), "/calls/?phase=allocating", "warn"),
        _bucket(_("Runs to publish"), Run.objects.filter(call__in=calls, state="preview").count(), "/runs/?state=preview", "warn"),
        _bucket(_("Appeals to answer"), Appeal.objects.filter(application__call__in=calls, state__in=OPEN_APPEALS).count(), "/appeals/?state=filed", "warn"),
        _bucket(_("Seats unanswered"), Seat.objects.filter(Q(application__home=organisation) | Q(application__call__organisation=organisation), state="offered").count(), "/seats/?state=offered"),
        _bucket(_("Waiting list"), applications.get("waiting", 0), "/applications/?state=waiting"),
        _bucket(_("Learning agreements to prepare"), agreements.filter(state="draft").count(), "/learning-agreements/?state=draft", "warn"),
        _bucket(_("Learning agreements to sign"), agreements.filter(state="signing").count(), "/learning-agreements/?state=signing", "warn"),
        _bucket(_("Online students here"), Enrolment.objects.filter(offering__opportunity__organisation=organisation, state="enrolled").count(), "/enrolments/?state=enrolled", "good"),
        _bucket(_("Studying abroad online"), Enrolment.objects.filter(home=organisation, state="enrolled").count(), "/enrolments/?state=enrolled", "good"),
    ]


def _signed_by(organisation: Any) -> Any:
    """Agreements that this party has signed in the text that stands now."""
    return AgreementSignature.objects.filter(organisation=organisation, voided_at=None).values("agreement_id")


def _registering(organisation: Any, now: datetime) -> list[dict[str, Any]]:
    return [
        _bucket(_("Results to confirm"), Result.objects.filter(enrolment__offering__opportunity__organisation=organisation, state="provisional").count(), "/results/?state=provisional", "warn"),
        _bucket(_("Transcripts issued"), Transcript.objects.filter(host=organisation, state="issued").count(), "/transcripts/"),
        _bucket(_("Recognition to decide"), Decision.objects.filter(enrolment__home=organisation, state="proposed").count(), "/decisions/?state=proposed", "warn"),
        _bucket(_("Credentials issued"), Credential.objects.filter(organisation=organisation, state="issued").count(), "/credentials/?state=issued", "good"),
    ]


def _bucket(label: str, count: int, url: str, tone: str = "neutral") -> dict[str, Any]:
    return {"label": label, "count": count, "url": url, "tone": tone if count else "neutral"}


def _in(texts: Any) -> str:
    return text_in(texts, get_language() or "en")


# For those who add to the desk.
item, bucket = _item, _bucket

urlpatterns = [path("desk/", desk, name="dashboard")]
