"""What happens to calls and applications: opened, published, ranked, submitted, nominated, withdrawn.

Nothing here depends on who was first: an application counts the same whenever it was submitted before the closing.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from vsm.exchange.agreements.queries import category_choices
from vsm.exchange.applications.models import Application, Call, CallOffering, Document, Nomination
from vsm.exchange.applications.queries import (
    call_facts,
    call_title,
    document_choices,
    eligibility,
    offerings_of,
    terms_of_call,
    title_of,
    to_nominate,
)  # fmt: skip
from vsm.exchange.applications.rules import (
    DOCUMENT_KINDS,
    MOST_BANDS,
    document_problems,
    edit_problems,
    limit_problems,
    nomination_obstacles,
    phase_obstacles,
    phase_problems,
    publishing_problems,
    seat_problems,
)  # fmt: skip
from vsm.exchange.applications.states import CALL_STEPS, STEPS, CallState, State
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of
from vsm.exchange.institutions.rules import teaches
from vsm.exchange.people.models import StudentRecord, is_zone, zones
from vsm.exchange.people.rules import Role
from vsm.kit import clock, files
from vsm.kit.actions import NOTED, Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.uploads import Upload, document_name, media_type_of
from vsm.kit.verdict import Reason

OFFICE = ("coordinator@organisation",)
HOME = ("coordinator@home",)
STUDENT = ("self@student",)
MOST_LISTED = 500
NOTED[Call.noun, "seats"] = _("Seats changed")
NOTED |= {
    (Application.noun, "band"): _("Priority band set"), (Application.noun, "keep_document"): _("Document kept"), (Application.noun, "drop_document"): _("Document taken out"),
}  # fmt: skip


# Calls ----------------------------------------------------------------------------------------------------------------


def _zone_choices(_record: Any, _actor: Any) -> list[tuple[str, str]]:
    return [(zone, zone.replace("_", " ")) for zone in sorted(zones())]


def _offering_choices(call: Call, _actor: Actor) -> list[tuple[str, str]]:
    """What the call's institution teaches after nominations end; a network chooses among everybody's."""
    found = Offering.objects.exclude(state="withdrawn").filter(opportunity__category=call.category, starts_on__gt=call.nominate_by.date())
    if call.organisation.kind != "network":
        found = found.filter(opportunity__organisation=call.organisation)
    chosen = Offering.objects.filter(call_offerings__call=call)
    listed = {o.pk: o for o in [*chosen.select_related("opportunity"), *found.select_related("opportunity")[:MOST_LISTED]]}
    named = ((str(pk), f"{title_of(o)} · {o.opportunity.code} {o.code}") for pk, o in listed.items())
    return [("", "—"), *sorted(named, key=lambda pair: pair[1].casefold())]


class OfferingSeats(BaseModel):
    """Seats that the call gives in one offering."""

    offering: Annotated[UUID, Ask(_("Offering"), choices=_offering_choices)]
    seats: Annotated[int, Field(ge=0, le=10_000), Ask(_("Seats"))]


Title = Annotated[dict[str, str], Ask(_("Title"), kind="localized")]
Description = Annotated[dict[str, str], Ask(_("Description"), kind="localized")]
Zone = Annotated[str, Ask(_("Time zone of the call"), _("Deadlines are told in this zone, beside the reader's own."), choices=_zone_choices, start=lambda record, _actor: record.zone)]
OpensAt = Annotated[datetime, Ask(_("Applications open"), _("Enter the time in your own zone, the one named at the top of the page."))]
ClosesAt = Annotated[datetime, Ask(_("Applications close"))]
NominateBy = Annotated[datetime, Ask(_("Homes nominate until"))]
MaxChoices = Annotated[int, Ask(_("Most choices"), _("How many courses a student may rank."))]
MaxSeats = Annotated[int, Ask(_("Most seats for one student"))]
MinimumShare = Annotated[Decimal, Ask(_("Least share of the degree passed"), _("Between 0 and 1: 0.2 is a fifth."))]
Required = Annotated[list[str], Ask(_("Documents asked for"), choices=document_choices)]
RespondHours = Annotated[int, Ask(_("Hours to answer an offer"))]
Category = Annotated[str, Ask(_("Category"), choices=category_choices)]


@action("open_call", on=Organisation, label=_("Open a call"), allow=("coordinator@id",), when=teaches)
def open_call(
    organisation: Organisation, *, by: Actor, now: datetime,
    code: Annotated[str, Ask(_("Code"), _("For example 2027-1-online."), limit=64)],
    title: Title,
    zone: Zone,
    opens_at: OpensAt,
    closes_at: ClosesAt,
    nominate_by: NominateBy,
    description: Description = {},  # noqa: B006 -- never changed; pydantic copies it
    category: Category = "course",
    max_choices: MaxChoices = 5,
    max_seats: MaxSeats = 2,
    minimum_share_passed: MinimumShare = Decimal(0),
    required_documents: Required = [],  # noqa: B006 -- never changed; pydantic copies it
    respond_hours: RespondHours = 72,
) -> Call:  # fmt: skip
    """Prepare a call: its phases and limits. It stays a draft that only the office sees until it is published."""
    facts = {
        "code": code.strip(), "title": title, "description": description, "category": category, "zone": zone, "opens_at": opens_at,
        "closes_at": closes_at, "nominate_by": nominate_by, "max_choices": max_choices, "max_seats": max_seats,
        "minimum_share_passed": minimum_share_passed, "required_documents": _in_order(required_documents), "respond_hours": respond_hours,
    }  # fmt: skip
    found = _call_problems(facts)
    if Call.objects.filter(code=facts["code"]).exists():
        found.append(Reason("code-taken", N_("A call with the code “%(code)s” is already here. Choose another."), {"code": code}, "code"))
    Invalid.because(found)
    call = Call(organisation=organisation, **facts)
    call.save()
    return call


@action("edit", on=Call, label=_("Edit"), allow=OFFICE, step=CALL_STEPS["edit"])
def edit_call(
    call: Call, *, by: Actor, now: datetime,
    title: Title,
    zone: Zone,
    opens_at: OpensAt,
    closes_at: ClosesAt,
    nominate_by: NominateBy,
    description: Description = {},  # noqa: B006 -- never changed; pydantic copies it
    category: Category = "course",
    max_choices: MaxChoices = 5,
    max_seats: MaxSeats = 2,
    minimum_share_passed: MinimumShare = Decimal(0),
    required_documents: Required = [],  # noqa: B006 -- never changed; pydantic copies it
    respond_hours: RespondHours = 72,
    because: str = "",
) -> Call:  # fmt: skip
    """Change a draft freely; of a published call only texts, and deadlines to later: students rely on the rest."""
    after = {
        "code": call.code, "title": title, "description": description, "category": category, "zone": zone,
        "opens_at": _kept(call.opens_at, opens_at), "closes_at": _kept(call.closes_at, closes_at), "nominate_by": _kept(call.nominate_by, nominate_by),
        "max_choices": max_choices, "max_seats": max_seats, "minimum_share_passed": minimum_share_passed,
        "required_documents": _in_order(required_documents), "respond_hours": respond_hours,
    }  # fmt: skip
    before = {name: getattr(call, name) for name in after}
    found = _call_problems(after)
    Invalid.because(found or edit_problems(before, after, is_published=call.state != CallState.DRAFT))
    for name, value in after.items():
        setattr(call, name, value)
    call.save()
    return call


@action("choose_offerings", on=Call, label=_("Choose offerings and seats"), allow=OFFICE, step=CALL_STEPS["choose_offerings"])
def choose_offerings(
    call: Call, *, by: Actor, now: datetime,
    rows: Annotated[
        list[OfferingSeats],
        Ask(
            _("Offerings"), _("Once the call is published, offerings can be added and seats raised, but nothing taken away."),
            start=lambda call, _actor: [OfferingSeats(offering=row.offering_id, seats=row.seats) for row in offerings_of(call)],
        ),
    ],
) -> Call:  # fmt: skip
    """Say in which offerings the call gives seats, and how many."""
    found = {o.pk: o for o in Offering.objects.filter(pk__in=[row.offering for row in rows]).select_related("opportunity")}
    problems = list(_row_problems(call, rows, found))
    before = {str(row.offering_id): row.seats for row in offerings_of(call)}
    after = {str(row.offering): row.seats for row in rows}
    titles = {str(row.offering_id): row.offering.opportunity.title for row in offerings_of(call)}
    Invalid.because(problems or seat_problems(before, after, titles, is_published=call.state != CallState.DRAFT))
    call.call_offerings.all().delete()
    CallOffering.objects.bulk_create(CallOffering(call=call, offering_id=row.offering, seats=row.seats) for row in rows)
    if before != after:
        note(call, "seats", by=by, now=now, changes={"seats": [before, after]})
    call.save()
    return call


@action("publish", on=Call, label=_("Publish"), allow=OFFICE, step=CALL_STEPS["publish"], tone="primary")
def publish(call: Call, *, by: Actor, now: datetime) -> Call:
    """Show the call to everybody. Refused with every problem at once while it is not complete."""
    Refused.because(publishing_problems(call_facts(call), now))
    emit("call.published", call_id=str(call.pk))
    return call


@action("return_to_draft", on=Call, label=_("Return to draft"), allow=OFFICE, step=CALL_STEPS["return_to_draft"], tone="warning")
def return_to_draft(call: Call, *, by: Actor, now: datetime, because: str = "") -> Call:
    """Take a published call back, as long as nobody has begun an application in it."""
    if call.applications.exists():
        raise Refused(Reason("has-applications", N_("Students have begun applications in this call. Edit what may still change, or close it.")))
    return call


@action("close", on=Call, label=_("Close"), allow=OFFICE, step=CALL_STEPS["close"], tone="warning")
def close(
    call: Call, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why?"), _("Students who still wait for a seat are told that there is none. Seats already given are kept."), kind="long_text", limit=2000)] = "",
) -> Call:  # fmt: skip
    """End the call. Whoever is still nominated or on a waiting list gets no seat and is told."""
    for application in call.applications.filter(state__in=[State.NOMINATED, State.WAITING]):
        leave_unplaced(application, by=SYSTEM, now=now, because=because)
    emit("call.closed", call_id=str(call.pk))
    return call


@action("note_allocated", on=Call, label=_("Note that seats are given"), allow=(), step=CALL_STEPS["note_allocated"])
def note_allocated(call: Call, *, by: Actor, now: datetime) -> Call:
    """The allocation has been published."""
    return call


# The student ----------------------------------------------------------------------------------------------------------


@action("apply", on=Call, label=_("Apply"), allow=("student@anywhere",), step=CALL_STEPS["apply"], tone="primary")
def apply(call: Call, *, by: Actor, now: datetime) -> Application:
    """Begin an application. It can be prepared before the call opens, and saved as often as one likes."""
    record = StudentRecord.objects.filter(person_id=by.person_id).first() if by.person_id else None
    found = []
    if record is None or not by.holds(Role.STUDENT, record.home_id):
        found.append(Reason("no-study-record", N_("Your institution has not registered your studies here. Ask its international office to register you.")))
    found += [reason for reason in phase_obstacles(terms_of_call(call), now) if reason.code != "call-coming"]
    if record and Application.objects.filter(call=call, student_id=record.person_id).exclude(state=State.WITHDRAWN).exists():
        found.append(Reason("already-applied", N_("You have an application in this call already. Open it from your desk.")))
    if record is None or found:
        raise Refused(*found)
    application = Application(call=call, student_id=record.person_id, home_id=record.home_id)
    application.save()
    return application


def _rank_choices(application: Application, _actor: Actor) -> list[tuple[str, str]]:
    rows = [row for row in offerings_of(application.call) if row.seats and row.offering.state == "published"]
    return [(str(row.offering_id), f"{title_of(row.offering)} · {name_of(row.offering.opportunity.organisation)}") for row in rows]


@action("rank", on=Application, label=_("Choose and rank courses"), allow=STUDENT, step=STEPS["rank"], tone="primary")
def rank(
    application: Application, *, by: Actor, now: datetime,
    choices: Annotated[
        list[UUID],
        Ask(_("Your choices, the one you want most first"), _("A refused first choice costs you nothing at the second."), kind="ranking", choices=_rank_choices, limit=lambda application, _actor: application.call.max_choices),
    ],
    seats_wanted: Annotated[int, Ask(_("How many courses do you want to take?"))] = 1,
) -> Application:  # fmt: skip
    """Save the ranked list. Obstacles of single choices are shown on the application's page and count at submission."""
    call = application.call
    known = set(CallOffering.objects.filter(call=call, offering_id__in=choices).values_list("offering_id", flat=True))
    problems = []
    if len(set(choices)) != len(choices):
        problems.append(Reason("choice-repeated", N_("The same course stands twice. Each may be ranked once."), {}, "choices"))
    if len(choices) > call.max_choices:
        problems.append(Reason("too-many-choices", N_("You ranked %(count)s courses; this call allows %(most)s. Remove the last ones."), {"count": len(choices), "most": call.max_choices}, "choices"))
    if set(choices) - known:
        problems.append(Reason("not-in-call", N_("At least one choice is not part of this call. Choose from its list."), {}, "choices"))
    if not 1 <= seats_wanted <= call.max_seats:
        problems.append(Reason("seats-wanted", N_("You ask for %(wanted)s seats; this call gives one student 1 to %(most)s."), {"wanted": seats_wanted, "most": call.max_seats}, "seats_wanted"))
    Invalid.because(problems)
    application.choices, application.seats_wanted = [str(pk) for pk in choices], seats_wanted
    application.save()
    return application


@action("describe", on=Application, label=_("Motivation and needs"), allow=STUDENT, step=STEPS["describe"])
def describe(
    application: Application, *, by: Actor, now: datetime,
    motivation: Annotated[str, Ask(_("Why do you want to take these courses?"), kind="long_text", limit=4000)] = "",
    needs: Annotated[str, Ask(_("What do you need to take part?"), _("For example captions, a weak connection, a screen reader, times you cannot attend. Your home institution sees it once you submit, the host once you are nominated."), kind="long_text", limit=2000)] = "",
) -> Application:  # fmt: skip
    """Save what the application says in words."""
    application.motivation, application.needs = motivation, needs
    application.save()
    return application


@action("attach", on=Application, label=_("Attach a document"), allow=STUDENT, step=STEPS["attach"])
def attach(
    application: Application, *, by: Actor, now: datetime,
    kind: Annotated[str, Ask(_("What is it?"), _("A file of the same kind that is there already is replaced."), choices=document_choices)],
    file: Annotated[Upload, Ask(_("File"), _("PDF, JPEG, PNG or plain text, at most 5 MB."))],
) -> Application:  # fmt: skip
    """Keep a file with the application. Its type is read from its bytes; what it says about itself is ignored."""
    if application.state == State.SUBMITTED and now >= application.call.closes_at:
        raise Refused(Reason("call-closed", N_("Applications closed on %(closes)s: documents stay as they are."), {"closes": application.call.closes_at}))
    name = document_name(file.name, media_type_of(file.data))
    Invalid.because(document_problems(kind=kind, name=name, data=file.data))
    digest = files.put(file.data)
    before = application.documents.filter(kind=kind).first()
    application.documents.filter(kind=kind).delete()
    Document(application=application, kind=kind, name=name, media_type=media_type_of(file.data), size=len(file.data), digest=digest, at=now).save()
    note(application, "keep_document", by=by, now=now, changes={kind: [f"{before.name} {before.digest}" if before else "", f"{name} {digest}"]})
    application.save()
    return application


def _held_documents(application: Application, _actor: Actor) -> list[tuple[str, str]]:
    labels = dict(document_choices())
    return [(document.kind, labels.get(document.kind, document.kind)) for document in application.documents.all()]


@action(
    "remove_document", on=Application, label=_("Remove a document"), allow=STUDENT, step=STEPS["remove_document"],
    when=lambda application: bool(application.documents.all()),
)  # fmt: skip
def remove_document(
    application: Application, *, by: Actor, now: datetime,
    kind: Annotated[str, Ask(_("Which one?"), choices=_held_documents)],
) -> Application:  # fmt: skip
    """Take a file out of the draft."""
    gone = application.documents.filter(kind=kind).first()
    if gone is None:
        raise Invalid(Reason("no-document", N_("There is no such document in this application."), {}, "kind"))
    note(application, "drop_document", by=by, now=now, changes={kind: [f"{gone.name} {gone.digest}", ""]})
    gone.delete()
    application.save()
    return application


@action("submit", on=Application, label=_("Submit"), allow=STUDENT, step=STEPS["submit"], tone="primary")
def submit(application: Application, *, by: Actor, now: datetime) -> Application:
    """Hand it to the home institution; refused with every obstacle at once. The moment gives no advantage."""
    Refused.unless(eligibility(application, now))
    application.submitted_at = now
    emit("application.submitted", application_id=str(application.pk))
    return application


@action("reopen", on=Application, label=_("Reopen to change"), allow=STUDENT, step=STEPS["reopen"])
def reopen(application: Application, *, by: Actor, now: datetime) -> Application:
    """Make it a draft again, while the call is open. It must be submitted again before the call closes."""
    if now >= application.call.closes_at:
        raise Refused(Reason("call-closed", N_("Applications closed on %(closes)s: it can be withdrawn, but no longer changed."), {"closes": application.call.closes_at}))
    application.submitted_at = None
    return application


@action("withdraw", on=Application, label=_("Withdraw"), allow=(*STUDENT, *HOME), step=STEPS["withdraw"], tone="warning")
def withdraw(
    application: Application, *, by: Actor, now: datetime,
    because: Annotated[
        str,
        Ask(_("Why? (if you want to say)"), _("What happens: the application ends. A seat that it holds, or its place on a waiting list, goes to the next student at once. While the call is open you can begin a new one."), kind="long_text", limit=2000),
    ] = "",
) -> Application:  # fmt: skip
    """End it, at any time. Seats and places on waiting lists that it holds go to the next; home is told if it was submitted."""
    emit("application.withdrawn", application_id=str(application.pk))
    return application


# The home institution -------------------------------------------------------------------------------------------------


Band = Annotated[int, Ask(_("Priority band"), _("1 goes first where seats are short; within a band a published lottery decides."))]


@action("nominate", on=Application, label=_("Nominate"), allow=HOME, step=STEPS["nominate"], tone="primary")
def nominate(
    application: Application, *, by: Actor, now: datetime,
    band: Band = 1,
    because: Annotated[str, Ask(_("Remark"), _("The student and the office of the call can read it."), kind="long_text", limit=2000)] = "",
) -> Application:  # fmt: skip
    """Stand behind the student. From now on the office of the call sees the application."""
    Refused.because(nomination_obstacles(terms_of_call(application.call), now))
    if not 1 <= band <= MOST_BANDS:
        raise Invalid(Reason("band", N_("A priority band is a number from 1 to %(most)s."), {"most": MOST_BANDS}, "band"))
    Nomination.objects.filter(application=application).delete()
    Nomination(application=application, band=band, by_id=by.person_id, at=now, because=because).save()
    application.declined_because = ""
    note(application, "band", by=by, now=now, changes={"band": [None, band]})
    emit("application.nominated", application_id=str(application.pk))
    return application


@action("decline_nomination", on=Application, label=_("Do not nominate"), allow=HOME, step=STEPS["decline_nomination"])
def decline_nomination(
    application: Application, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Reason"), _("The student reads it."), kind="long_text", limit=2000)],
) -> Application:  # fmt: skip
    """Answer the student that home does not nominate, and why."""
    application.declined_because = because
    emit("application.not_nominated", application_id=str(application.pk))
    return application


@action("return_nomination", on=Application, label=_("Take the decision back"), allow=HOME, step=STEPS["return_nomination"])
def return_nomination(application: Application, *, by: Actor, now: datetime, because: str = "") -> Application:
    """Make it undecided again, until nominations end. The office of the call no longer sees it."""
    Refused.because(nomination_obstacles(terms_of_call(application.call), now))
    Nomination.objects.filter(application=application).delete()
    application.declined_because = ""
    return application


class Nominee(BaseModel):
    """One line of the nomination table. Without a band the application stays as it is."""

    application: Annotated[UUID, Ask(_("Application"), kind="hidden")]
    student: Annotated[str, Ask(_("Student"), kind="read_only")] = ""
    band: Annotated[int | None, Ask(_("Priority band"))] = None
    call: Annotated[str, Ask(_("Call"), kind="read_only")] = ""
    first_choice: Annotated[str, Ask(_("First choice"), kind="read_only")] = ""
    share_passed: Annotated[str, Ask(_("Degree passed"), kind="read_only")] = ""


def _nominees(organisation: Organisation, _actor: Actor) -> list[Nominee]:
    """The table as it stands at the moment when the form is drawn."""
    waiting = to_nominate(organisation.pk, clock.now())
    firsts = {str(o.pk): title_of(o) for o in Offering.objects.filter(pk__in=[a.choices[0] for a in waiting if a.choices]).select_related("opportunity")}
    return [_nominee(application, firsts.get(next(iter(application.choices), ""), "")) for application in waiting]


def _nominee(application: Application, first_choice: str) -> Nominee:
    record = getattr(application.student, "student_record", None)
    share = record.share_passed if record else None
    return Nominee(
        application=application.pk, student=application.student.name, call=call_title(application.call),
        first_choice=first_choice, share_passed="" if share is None else f"{share:.0%}",
    )  # fmt: skip


@action("nominate_many", on=Organisation, label=_("Nominate students"), allow=("coordinator@id",), when=teaches)
def nominate_many(
    organisation: Organisation, *, by: Actor, now: datetime,
    rows: Annotated[list[Nominee], Ask(_("Submitted applications"), _("Give a priority band to each student whom you nominate; leave the others empty. Band 1 goes first."), start=_nominees)],
    because: Annotated[str, Ask(_("Remark for all"), kind="long_text", limit=2000)] = "",
) -> Organisation:  # fmt: skip
    """Nominate several of our students at once. If one line is refused, nothing is done and every refusal is named."""
    wanted = {row.application: row.band for row in rows if row.band is not None}
    found = {a.pk: a for a in Application.objects.filter(pk__in=wanted, home=organisation).select_related("student", "call")}
    if not wanted:
        raise Invalid(Reason("no-band", N_("No line has a priority band: nobody would be nominated."), {}, "rows"))
    problems = [Reason("foreign", N_("At least one line is not an application of your institution."), {}, "rows")] if set(wanted) - set(found) else []
    for pk, application in found.items():
        try:
            nominate(application, by=by, now=now, band=wanted[pk], because=because)
        except Refused as refusal:
            problems += [Reason(reason.code, N_("%(student)s: %(reason)s"), {"student": application.student.name, "reason": reason}, "rows") for reason in refusal.reasons]
    Invalid.because(problems)
    return organisation


# The allocation's answers ---------------------------------------------------------------------------------------------


@action("place", on=Application, label=_("Offer a seat"), allow=(), step=STEPS["place"])
def place(application: Application, *, by: Actor, now: datetime, because: str = "") -> Application:
    """The allocation has a seat for this student."""
    return application


@action("put_on_waiting_list", on=Application, label=_("Put on the waiting list"), allow=(), step=STEPS["put_on_waiting_list"])
def put_on_waiting_list(application: Application, *, by: Actor, now: datetime, because: str = "") -> Application:
    """No seat yet; the student waits in the order of the published rules."""
    return application


@action("leave_unplaced", on=Application, label=_("No seat"), allow=(), step=STEPS["leave_unplaced"])
def leave_unplaced(application: Application, *, by: Actor, now: datetime, because: str = "") -> Application:
    """There is no seat for this student in this call."""
    return application


def _call_problems(facts: dict[str, Any]) -> list[Reason]:
    naive = [name for name in ("opens_at", "closes_at", "nominate_by") if facts[name].tzinfo is None]
    found = [Reason("naive-time", N_("A time needs its time zone."), {}, name) for name in naive]
    if not naive:
        found += phase_problems(opens_at=facts["opens_at"], closes_at=facts["closes_at"], nominate_by=facts["nominate_by"])
    if not is_zone(facts["zone"]):
        found.append(Reason("zone", N_("“%(zone)s” is not a time zone of the IANA database (example: America/Lima)."), {"zone": facts["zone"]}, "zone"))
    if not facts["code"]:
        found.append(Reason("code", N_("Give it a code."), {}, "code"))
    if not any(facts["title"].values()):
        found.append(Reason("title", N_("Give the title in at least one language."), {}, "title"))
    if facts["category"] not in dict(category_choices()):
        found.append(Reason("category-unknown", N_("“%(category)s” is no category of virtual mobility."), {"category": facts["category"]}, "category"))
    limits = ("max_choices", "max_seats", "minimum_share_passed", "respond_hours", "required_documents")
    return [*found, *limit_problems(**{name: facts[name] for name in limits})]


def _row_problems(call: Call, rows: list[OfferingSeats], found: dict[UUID, Any]) -> list[Reason]:
    problems = []
    if len({row.offering for row in rows}) != len(rows):
        problems.append(Reason("offering-twice", N_("An offering stands twice. Write its seats in one line."), {}, "rows"))
    for line, row in enumerate(rows, start=1):
        offering = found.get(row.offering)
        if offering is None or (call.organisation.kind != "network" and offering.opportunity.organisation_id != call.organisation_id):
            problems.append(Reason("offering-foreign", N_("Line %(line)s: this is not an offering of your institution."), {"line": line}, "rows"))
        elif offering.opportunity.category != call.category:
            problems.append(Reason("offering-category", N_("Line %(line)s: %(offering)s is of another category than the call."), {"line": line, "offering": offering.opportunity.title}, "rows"))
    return problems


def _in_order(kinds: list[str]) -> list[str]:
    """Known kinds in our own order, each once, then whatever is not known (so that it can be refused by name)."""
    return [*(kind for kind in DOCUMENT_KINDS if kind in kinds), *sorted(set(kinds) - set(DOCUMENT_KINDS))]


def _kept(stored: datetime, given: datetime) -> datetime:
    """A form shows minutes: what comes back unchanged keeps the seconds that are stored."""
    return stored if given == stored.replace(second=0, microsecond=0) else given
