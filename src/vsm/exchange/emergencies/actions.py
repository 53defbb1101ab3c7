"""What is done with an emergency: drafted and previewed, declared, proposed, carried out, lifted; and what institutions say of themselves."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from vsm.exchange.catalogue.queries import bandwidth_choices
from vsm.exchange.emergencies import answering, runs
from vsm.exchange.emergencies.models import Case, CoursePlan, Emergency, Run, Standing
from vsm.exchange.emergencies.planning import renew
from vsm.exchange.emergencies.queries import (
    ADMITS_LABELS,
    DIRECTION_LABELS,
    KIND_LABELS,
    ONLINE_LABELS,
    choices_of,
    known_names,
    place_rows,
)
from vsm.exchange.emergencies.rules import Place, why_not_declare, why_not_lift
from vsm.exchange.emergencies.states import STEPS, CaseState, Safety
from vsm.exchange.emergencies.texts import amended_of
from vsm.exchange.institutions.models import Hub, Organisation
from vsm.exchange.institutions.queries import every_country, organisation_choices
from vsm.exchange.institutions.rules import teaches
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.mobilities.models import Course
from vsm.kit.actions import Ask, action
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

DECLARER = ("coordinator@declared_by", "operator")
OFFICE = ("coordinator@anywhere", "operator")
BACK_AFTER = timedelta(days=7)
ONLINE = (CaseState.SWITCHED, CaseState.FINISHING, CaseState.RETURNED)
"""Who went on online at some time."""


class PlaceRow(BaseModel):
    """One place: a country, a region or city in it, or an institution."""

    country: Annotated[str, Field(max_length=2), Ask(_("Country"), choices=every_country, limit=2)] = ""
    region: Annotated[str, Field(max_length=120), Ask(_("Region or city"), _("Empty: the whole country."), limit=120)] = ""
    institution: Annotated[UUID | None, Ask(_("Or one institution"), choices=organisation_choices)] = None


def _has(*states: CaseState) -> Callable[[Emergency], bool]:
    """Whether some case is in one of these states: a button without anybody to act for is not shown."""
    return lambda emergency: not emergency.case_states.isdisjoint(states)


def _awaits_side_of(emergency: Emergency, actor: Actor) -> bool:
    """Whether some amended agreement still lacks the signature of an office of this actor."""
    offices = actor.organisations("coordinator")
    cases = Case.objects.filter(emergency=emergency)
    ours = Q(waiting_for__contains="home", mobility_id__in=cases.filter(home__in=offices).values("mobility_id")) | Q(waiting_for__contains="host", mobility_id__in=cases.filter(host__in=offices).values("mobility_id"))
    return LearningAgreement.objects.filter(ours, state="signing").exists()


def _choices(labels: Any) -> Any:
    return lambda _r, _a: [(value, str(label)) for value, label in labels.items()]


def _place_rows(emergency: Any, _actor: Actor) -> list[PlaceRow]:
    return [PlaceRow(country=p["country"], region=p["region"], institution=UUID(p["institution"]) if p["institution"] else None) for p in place_rows(emergency)]


Title = Annotated[dict[str, str], Ask(_("What happened, in one line"), kind="localized")]
SafetyText = Annotated[dict[str, str], Ask(_("What people concerned should do"), _("Whom to call, where to go, what to avoid. Students read this on a small page that works with a weak connection."), kind="localized")]
Kind = Annotated[Literal["travel", "health", "conflict", "disaster"], Ask(_("Kind"), choices=_choices(KIND_LABELS))]
Places = Annotated[list[PlaceRow], Ask(_("Places concerned"), start=_place_rows)]
Directions = Annotated[list[str], Ask(_("What is restricted"), choices=_choices(DIRECTION_LABELS))]
Starts = Annotated[date, Ask(_("First day"))]
Ends = Annotated[date | None, Ask(_("Last day"), _("Empty: nobody knows yet."))]
Nationalities = Annotated[list[str], Ask(_("Only for these nationalities"), _("Countries, one a line. Empty: for all. Counts for borders, not for being there."), kind="countries")]
Residences = Annotated[list[str], Ask(_("Only for residents of"), _("Countries, one a line. Empty: for all."), kind="countries")]
Evidence = Annotated[list[str], Ask(_("Evidence"), _("Links to what an authority published, one a line."))]
RespondDays = Annotated[int, Ask(_("Days to answer a proposal"))]
Drill = Annotated[bool, Ask(_("This is a drill"), _("Everything is run through; no letter leaves, no agreement is changed, students see nothing."))]


@action("declare_emergency", on=Organisation, label=_("Prepare the declaration of an emergency"), allow=("coordinator@id",), when=teaches)
def declare_emergency(
    organisation: Organisation, *, by: Actor, now: datetime,
    title: Title, kind: Kind, places: Places, directions: Directions, starts_on: Starts, ends_on: Ends = None, safety: SafetyText = {},  # noqa: B006 -- never changed; pydantic copies it
    evidence: Evidence = [], nationalities: Nationalities = [], residences: Residences = [], respond_days: RespondDays = 7, is_drill: Drill = False,  # noqa: B006 -- as above
) -> Emergency:  # fmt: skip
    """Draft a declaration for the institution's own students abroad and its guests (a network: for its members'). The draft shows who would be found; nobody is told."""
    emergency = Emergency(declared_by=organisation, is_drill=is_drill)
    return _written(emergency, title=title, kind=kind, places=places, directions=directions, starts_on=starts_on, ends_on=ends_on, safety=safety, evidence=evidence, nationalities=nationalities, residences=residences, respond_days=respond_days)


@action("declare_emergency", on=Hub, label=_("Prepare the declaration of an emergency"), allow=("operator",))
def declare_emergency_for_all(
    hub: Hub, *, by: Actor, now: datetime,
    title: Title, kind: Kind, places: Places, directions: Directions, starts_on: Starts, ends_on: Ends = None, safety: SafetyText = {},  # noqa: B006 -- never changed; pydantic copies it
    evidence: Evidence = [], nationalities: Nationalities = [], residences: Residences = [], respond_days: RespondDays = 7, is_drill: Drill = False,  # noqa: B006 -- as above
) -> Emergency:  # fmt: skip
    """The same by the operator, for every institution here."""
    emergency = Emergency(declared_by=None, is_drill=is_drill)
    return _written(emergency, title=title, kind=kind, places=places, directions=directions, starts_on=starts_on, ends_on=ends_on, safety=safety, evidence=evidence, nationalities=nationalities, residences=residences, respond_days=respond_days)


@action("revise", on=Emergency, label=_("Revise the draft"), allow=DECLARER, step=STEPS["revise"])
def revise(
    emergency: Emergency, *, by: Actor, now: datetime,
    title: Title, kind: Kind, places: Places, directions: Directions, starts_on: Starts, ends_on: Ends = None, safety: SafetyText = {},  # noqa: B006 -- never changed; pydantic copies it
    evidence: Evidence = [], nationalities: Nationalities = [], residences: Residences = [], respond_days: RespondDays = 7,  # noqa: B006 -- as above
) -> Emergency:  # fmt: skip
    """Change the draft and look at the preview again."""
    return _written(emergency, title=title, kind=kind, places=places, directions=directions, starts_on=starts_on, ends_on=ends_on, safety=safety, evidence=evidence, nationalities=nationalities, residences=residences, respond_days=respond_days)


@action("declare", on=Emergency, label=_("Declare"), allow=DECLARER, step=STEPS["declare"], tone="primary")
def declare(emergency: Emergency, *, by: Actor, now: datetime, because: str = "") -> Emergency:
    """Declare it: everybody concerned is found and asked how they are, and the plan of each course is made.

    Offices of the institutions concerned are told once the search is done. In a drill nobody is.
    """
    emergency.declared_at = now
    runs.start(emergency, "find", by=by)
    return emergency


@action("find_again", on=Emergency, label=_("Search again"), allow=DECLARER, step=STEPS["find_again"])
def find_again(emergency: Emergency, *, by: Actor, now: datetime) -> Run:
    """Look for stays that were recorded or corrected since; make the plans anew."""
    return runs.start(emergency, "find", by=by)


@action("propose", on=Emergency, label=_("Propose online forms to all"), allow=OFFICE, step=STEPS["propose"], tone="primary", when=_has(CaseState.FOUND))
def propose(emergency: Emergency, *, by: Actor, now: datetime) -> Run:
    """Ask every student found so far, within what you may speak for.

    A home institution that proposes thereby signs, for its side, each amended agreement that its student agrees to. Nobody is
    switched without an answer.
    """
    organisation = _scope(emergency, by)
    total = _in_scope(emergency, organisation, CaseState.FOUND)
    if not total:
        raise Refused(Reason("nobody-to-ask", N_("Nobody waits for a proposal. Search again if stays were recorded since.")))
    return runs.start(emergency, "propose", by=by, organisation=organisation, total=total)


@action("remind", on=Emergency, label=_("Remind who has not answered"), allow=OFFICE, step=STEPS["remind"], when=_has(CaseState.PROPOSED))
def remind(emergency: Emergency, *, by: Actor, now: datetime) -> Run:
    """Write once more to everybody whose answer is missing."""
    organisation = _scope(emergency, by)
    total = _in_scope(emergency, organisation, CaseState.PROPOSED)
    if not total:
        raise Refused(Reason("nobody-silent", N_("Nobody has still to answer.")))
    return runs.start(emergency, "remind", by=by, organisation=organisation, total=total)


@action("carry_out", on=Emergency, label=_("Carry out what was agreed to"), allow=OFFICE, step=STEPS["carry_out"], when=_has(CaseState.ACCEPTED))
def carry_out(emergency: Emergency, *, by: Actor, now: datetime) -> Run:
    """Write the amended agreements and enrol online whoever has agreed, at once. It also happens by itself every quarter of an hour."""
    organisation = _scope(emergency, by)
    total = _in_scope(emergency, organisation, CaseState.ACCEPTED)
    if not total:
        raise Refused(Reason("nothing-agreed", N_("No consent waits to be carried out.")))
    return runs.start(emergency, "carry_out", by=by, organisation=organisation, total=total)


@action("countersign", on=Emergency, label=_("Sign the amended agreements for our side"), allow=("coordinator@anywhere",), step=STEPS["countersign"], when=lambda e: not e.is_drill and _has(*ONLINE)(e), waits_for=_awaits_side_of)
def countersign(emergency: Emergency, *, by: Actor, now: datetime) -> Run:
    """Sign all amended agreements of this emergency that wait for your institution's signature. In a drill there are none."""
    organisation = _own(emergency, by)
    return runs.start(emergency, "countersign", by=by, organisation=organisation, total=_in_scope(emergency, organisation, *ONLINE))


@action("let_answer", on=Emergency, label=_("Let the drill answer"), allow=DECLARER, step=STEPS["let_answer"], when=lambda e: e.is_drill and _has(CaseState.PROPOSED)(e))
def let_answer(
    emergency: Emergency, *, by: Actor, now: datetime,
    seed: Annotated[int, Ask(_("Seed"), _("The same seed gives the same answers."))] = 1,
) -> Emergency:  # fmt: skip
    """In a drill, answer for the students: of a hundred, 85 agree, 5 defer, 4 stay, 6 are silent; 3 need help."""
    if not emergency.is_drill:
        raise Refused(Reason("not-a-drill", N_("In earnest, students answer for themselves.")))
    rng = random.Random(seed)
    for case in Case.objects.filter(emergency=emergency, state=CaseState.PROPOSED).select_related("emergency").order_by("pk"):
        _answer_in_drill(case, rng, now)
    return emergency


@action("extend", on=Emergency, label=_("Change the last day"), allow=DECLARER, step=STEPS["extend"])
def extend(
    emergency: Emergency, *, by: Actor, now: datetime,
    ends_on: Annotated[date | None, Ask(_("Last day"), _("Empty: nobody knows yet."))] = None,
    because: str = "",
) -> Emergency:  # fmt: skip
    """It lasts longer, shorter, or nobody knows: who is concerned is found anew."""
    if ends_on is not None and ends_on < emergency.starts_on:
        text = N_("It ends on %(ends)s, before it starts on %(starts)s. Leave the end empty when nobody knows it.")
        raise Invalid(Reason("dates-reversed", text, {"starts": emergency.starts_on, "ends": ends_on}, "ends_on"))
    emergency.ends_on = ends_on
    emergency.save()
    runs.start(emergency, "find", by=by)
    return emergency


@action("lift", on=Emergency, label=_("Lift the restriction"), allow=DECLARER, step=STEPS["lift"], tone="warning")
def lift(
    emergency: Emergency, *, by: Actor, now: datetime,
    on: Annotated[date, Ask(_("First day without restriction"), start=lambda _r, _a: None)],
    return_on: Annotated[date | None, Ask(_("First day of classes in person again"), _("Empty: a week later."))] = None,
    because: str = "",
) -> Emergency:  # fmt: skip
    """It is over: whoever has not answered is asked nothing more, and everybody online may say whether they rather finish so.

    What was switched stays switched until you bring classes back; nothing is overwritten.
    """
    back = return_on or on + BACK_AFTER
    Refused.because(why_not_lift(starts_on=emergency.starts_on, on=on, return_on=back, today=now.date()))
    emergency.lifted_on, emergency.return_on = on, back
    runs.start(emergency, "release", by=by)
    emit("emergency.lifted_for_offices", emergency_id=str(emergency.pk))
    return emergency


@action("withdraw", on=Emergency, label=_("Withdraw the declaration"), allow=DECLARER, step=STEPS["withdraw"], tone="warning", when=lambda e: not _has(*ONLINE)(e))
def withdraw(emergency: Emergency, *, by: Actor, now: datetime, because: str = "") -> Emergency:
    """Take it back as a mistake, before anybody was switched. What was said in it stays in the history."""
    if _has(*ONLINE)(emergency):
        raise Refused(Reason("already-switched", N_("Students have gone on online because of it. Lift it instead: then they can come back.")))
    runs.start(emergency, "release", by=by)
    return emergency


@action("bring_back", on=Emergency, label=_("Bring classes back in person"), allow=DECLARER, step=STEPS["bring_back"], tone="primary", when=_has(CaseState.SWITCHED))
def bring_back(emergency: Emergency, *, by: Actor, now: datetime) -> Run:
    """Append the return of every student who did not choose to finish online; a further version of each agreement awaits all three."""
    total = _in_scope(emergency, None, CaseState.SWITCHED)
    if not total:
        raise Refused(Reason("nobody-online", N_("Nobody is online because of it any more.")))
    return runs.start(emergency, "bring_back", by=by, total=total)


@action("confirm_online", on=CoursePlan, label=_("Say how this course can go on"), allow=("coordinator@host", "operator"), tone="primary")
def confirm_online(
    plan: CoursePlan, *, by: Actor, now: datetime,
    live: Annotated[bool, Ask(_("Live, at its usual hours"))] = False,
    later: Annotated[bool, Ask(_("In one's own time: recordings and tasks, assessed alike"))] = False,
    bandwidth: Annotated[Literal["text", "audio", "video"], Ask(_("Connection"), choices=bandwidth_choices)] = "video",
) -> CoursePlan:  # fmt: skip
    """The host's word that the course goes on without a run of its own in the catalogue. Its alternatives are found anew."""
    course = Course.objects.filter(mobility__emergency_cases__emergency=plan.emergency, mobility__host=plan.host_id, code=plan.code).first()
    if course is None or not (live or later):
        plan.confirmed = {}
    else:
        plan.confirmed = {
            "here": live, "here-later": later, "bandwidth": bandwidth, "language": course.language,
            "starts_on": course.starts_on.isoformat(), "ends_on": course.ends_on.isoformat(),
        }  # fmt: skip
    renew(plan, now.date())
    plan.save()
    return plan


@action("say_standing", on=Organisation, label=_("Say whether you admit and teach online"), allow=("coordinator@id", "operator"), when=teaches)
def say_standing(
    organisation: Organisation, *, by: Actor, now: datetime,
    admits: Annotated[Literal["yes", "limited", "no"], Ask(_("Do you admit exchange students in person?"), choices=choices_of(ADMITS_LABELS))],
    online: Annotated[Literal["all", "some", "none"], Ask(_("Which of your courses are open online?"), choices=choices_of(ONLINE_LABELS))],
    since: Annotated[date, Ask(_("Since"))],
    note: Annotated[dict[str, str], Ask(_("In a few words"), kind="localized")] = {},  # noqa: B006 -- never changed; pydantic copies it
    link: Annotated[str, Ask(_("Link"), limit=200)] = "",
) -> Standing:  # fmt: skip
    """Say it once for all partners: it stands on the public status page and in its machine-readable form. What you said before stays there too."""
    problems = []
    if since > now.date() + timedelta(days=366):
        problems.append(Reason("too-far", N_("This day lies more than a year ahead: check it."), {}, "since"))
    if link and not link.startswith(("https://", "http://")):
        problems.append(Reason("no-link", N_("“%(link)s” is not a web address (https://…)."), {"link": link}, "link"))
    Invalid.because(problems)
    standing = Standing(organisation=organisation, admits=admits, online=online, since=since, note=note, link=link)
    standing.save()
    return standing


def _written(emergency: Emergency, *, places: list[PlaceRow], **facts: Any) -> Emergency:
    rows = [Place(country=row.country.strip().upper(), region=row.region.strip(), institution=str(row.institution or "")) for row in places]
    rows = [Place(institution=row.institution) if row.institution else row for row in rows if row.country or row.region or row.institution]
    for name in ("nationalities", "residences"):
        facts[name] = [code.strip().upper() for code in facts[name] if code.strip()]
    checked = {name: facts[name] for name in ("title", "kind", "directions", "starts_on", "ends_on", "nationalities", "residences", "evidence")}
    institutions = {str(pk) for pk in Organisation.objects.filter(pk__in=[row.institution for row in rows if row.institution]).values_list("pk", flat=True)}
    problems = list(why_not_declare(places=rows, known=known_names({row.country for row in rows if row.country}), institutions=institutions, **checked))
    if not 1 <= facts["respond_days"] <= 60:
        problems.append(Reason("respond-days", N_("Give between 1 and 60 days to answer."), {}, "respond_days"))
    Invalid.because(problems)
    for name, value in facts.items():
        setattr(emergency, name, value)
    emergency.places = [{"country": row.country, "region": row.region, "institution": row.institution} for row in rows]
    emergency.save()
    return emergency


def _scope(emergency: Emergency, by: Actor) -> Organisation | None:
    """None (all) for the declarer and the operator; else the coordinator's own institution that has students in it."""
    if by.is_system or by.is_operator or by.holds("coordinator", emergency.declared_by_id):
        return None
    return _own(emergency, by)


def _own(emergency: Emergency, by: Actor) -> Organisation:
    offices = by.organisations("coordinator")
    concerned = Organisation.objects.filter(Q(cases_out__emergency=emergency) | Q(cases_in__emergency=emergency), pk__in=offices).distinct().order_by("schac")
    found: Organisation | None = concerned.first()
    if found is None:
        raise NotAllowed(Reason("not-concerned", N_("No student of your institution, and no guest, is concerned by it.")))
    return found


def _in_scope(emergency: Emergency, organisation: Organisation | None, *states: CaseState) -> int:
    run = Run(emergency=emergency, organisation=organisation)
    return runs.cases_of(run, *states).count()


def _answer_in_drill(case: Case, rng: random.Random, now: datetime) -> None:
    draw = rng.random()
    text = amended_of(case)
    if draw < 0.85 and text is not None:
        case.state, case.consent, case.answered_at = CaseState.ACCEPTED, text.digest, now
    elif 0.85 <= draw < 0.90:
        case.state, case.answered_at = CaseState.DEFERRED, now
    elif 0.90 <= draw < 0.94:
        case.state, case.answered_at = CaseState.STAYING, now
    told = rng.random()
    if told < 0.90:
        answer = "help" if told < 0.03 else "safe"
        case.safety, case.told_at, case.urgency = answer, now, answering.URGENCY[Safety(answer)]
    case.save()
