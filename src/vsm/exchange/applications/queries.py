"""What doors and the allocation read about calls and applications."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from vsm.exchange.agreements.queries import category_choices, category_label, signed_of, terms_of
from vsm.exchange.applications.models import Application, Call, CallOffering
from vsm.exchange.applications.rules import (
    DOCUMENT_KINDS,
    CallFacts,
    CallSeats,
    CallTerms,
    Choice,
    Cover,
    Facts,
    eligible,
    obstacles,
)
from vsm.exchange.applications.states import CallState, State
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of, organisation_ref
from vsm.exchange.people.models import StudentRecord
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.kit.verdict import Verdict

CALL_STATES = {
    CallState.DRAFT.value: (_("Draft"), "neutral"),
    CallState.PUBLISHED.value: (_("Published"), "good"),
    CallState.ALLOCATED.value: (_("Seats given"), "info"),
    CallState.CLOSED.value: (_("Closed"), "neutral"),
}
STATES = {
    State.DRAFT.value: (_("Draft"), "neutral"),
    State.SUBMITTED.value: (_("Submitted"), "info"),
    State.NOMINATED.value: (_("Nominated"), "info"),
    State.NOT_NOMINATED.value: (_("Not nominated"), "bad"),
    State.PLACED.value: (_("Seat offered"), "good"),
    State.WAITING.value: (_("On the waiting list"), "warn"),
    State.UNPLACED.value: (_("No seat"), "bad"),
    State.WITHDRAWN.value: (_("Withdrawn"), "neutral"),
}
PHASES = {
    "coming": _("Coming soon"),
    "applying": _("Open for applications"),
    "nominating": _("Homes nominate"),
    "allocating": _("Seats are being given"),
    "answered": _("Answered"),
    "closed": _("Closed"),
}


@dataclass(frozen=True)
class Wish:
    """What the allocation reads of one nominated application, and all that it reads: no time of any kind."""

    application_id: str
    home_id: str
    choices: tuple[str, ...]
    seats_wanted: int
    band: int


def for_call(call: Call) -> list[Wish]:
    """The nominated applications of a call in order of their ids; when somebody submitted plays no part."""
    found = Application.objects.filter(call=call, state=State.NOMINATED, nomination__isnull=False)
    rows = found.values_list("pk", "home_id", "choices", "seats_wanted", "nomination__band")
    wishes = [Wish(str(pk), str(home), tuple(map(str, choices)), wanted, band) for pk, home, choices, wanted, band in rows.order_by()]
    return sorted(wishes, key=lambda wish: wish.application_id)


def offerings_open(now: datetime) -> Any:
    """A query set of the ids of offerings that one can apply for at this moment."""
    open_calls = Call.objects.filter(state=CallState.PUBLISHED, opens_at__lte=now, closes_at__gt=now)
    return CallOffering.objects.filter(call__in=open_calls).values("offering_id")


def eligibility(application: Application, on: datetime) -> Verdict:
    """Whether the application may be submitted at this moment, with every obstacle."""
    return eligible(facts_of(application), terms_of_call(application.call), on)


def lasting_obstacles(application: Application) -> Verdict:
    """What stands against the application whatever the time: what home looks at before it nominates."""
    return Verdict.of(obstacles(facts_of(application), terms_of_call(application.call)))


def facts_of(application: Application) -> Facts:
    """The facts that the rules judge: six queries, however many choices there are."""
    record = StudentRecord.objects.filter(person_id=application.student_id).select_related("home").first()
    wanted = [str(pk) for pk in application.choices]
    seats = dict(CallOffering.objects.filter(call_id=application.call_id).values_list("offering_id", "seats"))
    found = {str(o.pk): o for o in Offering.objects.filter(pk__in=wanted).select_related("opportunity__organisation")}
    offerings = [found[pk] for pk in wanted if pk in found]
    covers = _covers(record, {o.opportunity.organisation_id for o in offerings})
    others = Application.objects.filter(call_id=application.call_id, student_id=application.student_id).exclude(state=State.WITHDRAWN)
    share = record.share_passed if record else None
    return Facts(
        home_id=str(record.home_id) if record else "",
        home=record.home.name if record else "",
        has_record=record is not None,
        share_passed=Decimal(str(share)) if share is not None else None,
        languages=record.languages if record else {},
        choices=[_choice(o, seats.get(o.pk), covers.get(o.opportunity.organisation_id, ())) for o in offerings],
        seats_wanted=application.seats_wanted,
        documents=frozenset(application.documents.values_list("kind", flat=True)),
        has_another=others.exclude(pk=application.pk).exists(),
    )


def terms_of_call(call: Call) -> CallTerms:
    """The call as the rules take it."""
    return CallTerms(
        opens_at=call.opens_at, closes_at=call.closes_at, nominate_by=call.nominate_by, category=call.category,
        max_choices=call.max_choices, max_seats=call.max_seats, minimum_share_passed=Decimal(str(call.minimum_share_passed)),
        required_documents=tuple(call.required_documents), is_published=call.state != CallState.DRAFT,
        is_over=call.state in (CallState.ALLOCATED, CallState.CLOSED),
    )  # fmt: skip


def call_facts(call: Call) -> CallFacts:
    """The call as the publishing checks take it."""
    return CallFacts(
        call.title, call.opens_at, call.closes_at, call.nominate_by,
        [
            CallSeats(row.offering.opportunity.title, row.seats, row.offering.seats, row.offering.state == "published", row.offering.starts_on)
            for row in offerings_of(call)
        ],
    )  # fmt: skip


def offerings_of(call: Call) -> list[CallOffering]:
    """The offerings of a call with their seats, by title in the reader's language."""
    found = call.call_offerings.select_related("offering__opportunity__organisation", "offering__term").prefetch_related("offering__meetings")
    return sorted(found, key=lambda row: (title_of(row.offering).casefold(), row.offering.code))


def ranked(application: Application) -> list[Offering]:
    """The chosen offerings in the student's order, with opportunity and host."""
    wanted = [str(pk) for pk in application.choices]
    found = {str(o.pk): o for o in Offering.objects.filter(pk__in=wanted).select_related("opportunity__organisation")}
    return [found[pk] for pk in wanted if pk in found]


def own_application(call: Call, actor: Actor) -> Application | None:
    """The reader's own application in this call, if there is one that is not withdrawn."""
    return Application.objects.filter(call=call, student_id=actor.person_id).exclude(state=State.WITHDRAWN).first() if actor.person_id else None


def to_nominate(home_id: UUID, now: datetime) -> list[Application]:
    """The submitted applications of a home's students that it can still nominate, by call and name."""
    open_calls = Q(call__state=CallState.PUBLISHED, call__nominate_by__gt=now)
    found = Application.objects.filter(open_calls, home_id=home_id, state=State.SUBMITTED).select_related("call", "student__student_record")
    return list(found.order_by("call__nominate_by", "call__code", "student__name", "id"))


def title_of(offering: Any) -> str:
    """An offering's title in the reader's language."""
    return text_in(offering.opportunity.title, get_language() or "en")


def call_title(call: Any) -> str:
    return text_in(call.title, get_language() or "en") or str(call.code)


def call_ref(call: Any) -> Ref:
    return Ref("call", call.pk, call_title(call))


def document_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(kind, gettext(label)) for kind, label in DOCUMENT_KINDS.items()]


def _choice(offering: Any, seats: int | None, covers: tuple[Cover, ...]) -> Choice:
    opportunity = offering.opportunity
    return Choice(
        id=str(offering.pk), title=opportunity.title, host_id=str(opportunity.organisation_id), host=opportunity.organisation.name,
        starts_on=offering.starts_on, level=opportunity.level, language=opportunity.language, isced_f=opportunity.isced_f,
        cefr=opportunity.cefr, seats=seats, is_published=offering.state == "published", covers=covers,
    )  # fmt: skip


def _covers(record: StudentRecord | None, hosts: set[UUID]) -> dict[UUID, tuple[Cover, ...]]:
    if record is None:
        return {}
    found: dict[UUID, list[Cover]] = {host: [] for host in hosts}
    for agreement in signed_of(record.home_id, hosts):
        partner = agreement.second_id if agreement.first_id == record.home_id else agreement.first_id
        found[partner].append(Cover(agreement.code, terms_of(agreement), agreement.starts_on, agreement.ends_on))
    return {host: tuple(covers) for host, covers in found.items()}


def _in_phase(found: Any, value: str) -> Any:
    """The same borders as `Call.phase`. A list is asked for at the present moment, so the clock is read here."""
    now = clock.now()
    published = found.filter(state=CallState.PUBLISHED)
    return {
        "coming": published.filter(opens_at__gt=now),
        "applying": published.filter(opens_at__lte=now, closes_at__gt=now),
        "nominating": published.filter(closes_at__lte=now, nominate_by__gt=now),
        "allocating": published.filter(nominate_by__lte=now),
        "answered": found.filter(state=CallState.ALLOCATED),
        "closed": found.filter(state=CallState.CLOSED),
    }.get(value, found.none())


def _by_id(column: str) -> Any:
    def narrow(found: Any, value: str) -> Any:
        try:
            return found.filter(**{column: UUID(value)})
        except ValueError:
            return found.none()

    return narrow


def _organisation_choices(column: str, model: Any) -> Any:
    def choices(actor: Actor) -> list[tuple[str, str]]:
        ids = model.objects.visible_to(actor).values_list(column, flat=True).distinct().order_by()
        return sorted(((str(o.pk), name_of(o)) for o in Organisation.objects.filter(pk__in=ids)), key=lambda pair: pair[1])

    return choices


def _call_choices(actor: Actor) -> list[tuple[str, str]]:
    ids = Application.objects.visible_to(actor).values_list("call_id", flat=True).distinct().order_by()
    return [(str(call.pk), call_title(call)) for call in Call.objects.filter(pk__in=ids)]


def _phase(call: Call) -> str:
    return call.phase(clock.now()) if call.state != CallState.DRAFT else ""


def _offering_facts(call: Call) -> list[dict[str, Any]]:
    return [{"offering": str(row.offering_id), "seats": row.seats} for row in call.call_offerings.all()]


def _band(application: Application) -> int | None:
    nomination = getattr(application, "nomination", None)
    return nomination.band if nomination else None


CALL = resource(
    Resource(
        "call", "calls", Call, _("Call"), _("Calls"), call_title,
        fields=(
            Shown("title", _("Title"), lambda c: c.title, "localized", listed=True, detail=False),
            Shown("organisation", _("Institution"), lambda c: organisation_ref(c.organisation), "ref", listed=True, sort="organisation__schac"),
            Shown("phase", _("Phase"), _phase, listed=True, words=PHASES, otherwise=_("Not published")),
            Shown("opens_at", _("Applications open"), lambda c: c.opens_at, "moment", listed=True, sort="opens_at", detail=False),
            Shown("closes_at", _("Applications close"), lambda c: c.closes_at, "moment", listed=True, sort="closes_at", detail=False),
            Shown("nominate_by", _("Homes nominate until"), lambda c: c.nominate_by, "moment", detail=False),
            Shown("code", _("Code"), lambda c: c.code, sort="code"),
            Shown("state", _("State"), lambda c: c.state, "state", sort="state"),
            Shown("category", _("Category"), lambda c: c.category, words=category_label),
            Shown("zone", _("Time zone of the call"), lambda c: c.zone, "zone"),
            Shown("max_choices", _("Most choices"), lambda c: c.max_choices, "integer", detail=False),
            Shown("max_seats", _("Most seats for one student"), lambda c: c.max_seats, "integer", detail=False),
            Shown("minimum_share_passed", _("Least share of the degree passed"), lambda c: c.minimum_share_passed or None, "number", detail=False),
            Shown("required_documents", _("Documents asked for"), lambda c: [gettext(DOCUMENT_KINDS.get(kind, kind)) for kind in c.required_documents], "list", detail=False),
            Shown("respond_hours", _("Hours to answer an offer"), lambda c: c.respond_hours, "integer", detail=False),
            Shown("description", _("Description"), lambda c: c.description, "localized", detail=False),
            Shown("offerings", _("Offerings and seats"), _offering_facts, "json", detail=False),
            Shown("seed_commitment", _("Sealed lottery seed"), lambda c: c.seed_commitment, "digest", detail=False),
        ),
        filters=(
            Filter("phase", _("Phase"), _in_phase, choices=lambda _actor: [(value, str(label)) for value, label in PHASES.items()]),
            state_filter(CALL_STATES),
            Filter("partner", _("Institution"), _by_id("organisation_id"), choices=_organisation_choices("organisation_id", Call)),
            Filter("category", _("Category"), lambda found, value: found.filter(category=value), choices=lambda _actor: category_choices()),
        ),
        order="-opens_at", related=("organisation",), prefetch=("call_offerings",), states=CALL_STATES,
        sections=(
            Section(_("Applications"), "application", lambda call: {"call": call}),
            Section(_("Allocation"), "run", lambda call: {"call": call}),
        ),
        starts=(("organisation", "open_call"),),
        empty=_("No calls yet. A call opens a host's courses to its partners' students."),
    )
)  # fmt: skip

APPLICATION = resource(
    Resource(
        "application", "applications", Application, _("Application"), _("Applications"), lambda a: f"{a.student.name} · {call_title(a.call)}",
        fields=(
            Shown("student", _("Student"), lambda a: a.student.name, listed=True, sort="student__folded"),
            Shown("call", _("Call"), lambda a: call_ref(a.call), "ref", listed=True, sort="call__code"),
            Shown("home", _("Home institution"), lambda a: organisation_ref(a.home), "ref", listed=True, sort="home__schac"),
            Shown("state", _("State"), lambda a: a.state, "state", listed=True, sort="state"),
            Shown("submitted_at", _("Submitted"), lambda a: a.submitted_at, "moment", listed=True, sort="submitted_at"),
            Shown("choices", _("Choices, best first"), lambda a: a.choices, "list", detail=False),
            Shown("seats_wanted", _("Seats wanted"), lambda a: a.seats_wanted, "integer"),
            Shown("motivation", _("Motivation"), lambda a: a.motivation, "long_text"),
            Shown("needs", _("Needs"), lambda a: a.needs, "long_text"),
            Shown("documents", _("Documents"), lambda a: [d.kind for d in a.documents.all()], "list", detail=False),
            Shown("band", _("Priority band"), _band, "integer"),
            Shown("remark", _("Remark of the home institution"), lambda a: a.nomination.because if _band(a) else a.declined_because, "long_text"),
        ),
        filters=(
            state_filter(STATES),
            Filter("call", _("Call"), _by_id("call_id"), choices=_call_choices),
            Filter("home", _("Home institution"), _by_id("home_id"), choices=_organisation_choices("home_id", Application)),
            Filter("partner", _("Institution of the call"), _by_id("call__organisation_id"), choices=_organisation_choices("call__organisation_id", Application)),
        ),
        related=("call__organisation", "student", "home", "nomination"), prefetch=("documents",), states=STATES,
        sections=(
            Section(_("Seats"), "seat", lambda application: {"application": application}),
            Section(_("Learning agreements"), "learning_agreement", lambda application: {"application": application}),
        ),
        empty=_("No applications yet. Choose a call to apply in."),
    )
)  # fmt: skip
