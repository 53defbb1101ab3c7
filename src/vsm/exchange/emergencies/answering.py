"""What a student answers: how they are, and what should become of their courses. Each answer is theirs; silence is none."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.emergencies.links import case_id_of
from vsm.exchange.emergencies.models import Case, CheckIn, Hold
from vsm.exchange.emergencies.planning import free_seats, permitted_pairs
from vsm.exchange.emergencies.states import CASE_STEPS, OVER, Safety, State
from vsm.exchange.emergencies.texts import Plans, amended_of, chosen, plans_for
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Conflict, Invalid, NotFound, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

STUDENT = ("self@student",)
OFFICES = ("coordinator@home", "registrar@home", "coordinator@host")
URGENCY = {Safety.HELP: 0, Safety.SAFE: 3}
KEEP = "in-person"


class Chosen(BaseModel):
    """The form that a student wants for one course: the key of one of its alternatives, or `in-person` to leave it as it is."""

    course: Annotated[UUID, Ask(_("Course"), kind="hidden")]
    form: Annotated[str, Field(max_length=36), Ask(_("How it goes on"), limit=36)]


def _chosen_now(case: Case, _actor: Actor) -> list[Chosen]:
    return [Chosen(course=UUID(line["course"]), form=line["form"] or KEEP) for line in case.lines]


def _digest(case: Case, _actor: Actor) -> str:
    text = amended_of(case)
    return text.digest if text else ""


@action("check_in", on=Case, label=_("Say how you are"), allow=(*STUDENT, *OFFICES), step=CASE_STEPS["check_in"], when=lambda case: case.state not in OVER or case.safety == Safety.HELP)
def check_in(
    case: Case, *, by: Actor, now: datetime,
    answer: Annotated[Literal["safe", "help"], Ask(_("How are you?"), choices=lambda _r, _a: [("safe", str(_("I am safe"))), ("help", str(_("I need help")))])],
    message: Annotated[str, Ask(_("Where are you, what do you need? (optional)"), kind="long_text", limit=1000)] = "",
) -> Case:  # fmt: skip
    """Keep what was told, and put the case into the office's order: help first, then the silent, then the safe.

    An office that reached somebody by telephone enters it for them. A call for help tells both offices at once.
    """
    via = "link" if by.is_system else "page" if by.person_id == case.student_id else "office"
    CheckIn(case=case, answer=answer, message=message.strip(), via=via, at=now).save()
    case.safety, case.told_at, case.urgency = Safety(answer), now, URGENCY[Safety(answer)]
    case.save()
    if Safety(answer) is Safety.HELP and not case.emergency.is_drill:
        emit("emergency.help_needed", case_id=str(case.pk))
    return case


def check_in_by_link(token: str, *, now: datetime, answer: Literal["safe", "help"], message: str) -> Case:
    """The link itself is the right to tell; it shows nothing of the case. NotFound for a link that is not ours."""
    return check_in(case_by_link(token), by=SYSTEM, now=now, answer=answer, message=message)


def case_by_link(token: str) -> Case:
    """The case that a link names. Raises NotFound."""
    pk = case_id_of(token)
    found = Case.objects.select_related("student", "emergency").filter(pk=pk).first() if pk else None
    if found is None:
        raise NotFound(Reason("no-such-link", N_("This link is not one of ours, or a part of it is missing. Copy it whole, or call your international office.")))
    return found  # type: ignore[no-any-return]  # -- a Case, found through a query set of its own


@action("choose", on=Case, label=_("Choose for each course"), allow=STUDENT, step=CASE_STEPS["choose"])
def choose(
    case: Case, *, by: Actor, now: datetime,
    choices: Annotated[list[Chosen], Ask(_("Courses"), start=_chosen_now)],
) -> Case:  # fmt: skip
    """Change the proposal: another form for a course, or none. Nothing is agreed to by it; the new text is shown to accept."""
    _require_open(case)
    wanted = {str(each.course): "" if each.form == KEEP else each.form for each in choices}
    plans = plans_for(case)
    # Two students may want the last seat at the same moment: the runs are locked before the seats are counted.
    runs = {UUID(form.offering) for by_key in plans.values() for form in by_key.values() if form.kind == "equivalent"}
    list(Offering.objects.select_for_update(of=("self",)).filter(pk__in=runs).order_by("pk").values_list("pk", flat=True))
    Invalid.because(_why_not_choose(case, wanted, plans))
    held = {UUID(form.offering) for form in chosen(case.lines, plans).values() if form.kind == "equivalent"}
    case.lines = [{**line, "form": wanted[line["course"]], "is_answered": True} if line["course"] in wanted else line for line in case.lines]
    needed = {UUID(form.offering) for form in chosen(case.lines, plans).values() if form.kind == "equivalent"}
    Hold.objects.filter(case=case, released_at=None, offering__in=held - needed).update(released_at=now)
    for offering in sorted(needed - held):
        Hold(case=case, offering_id=offering).save()
    case.consent, case.answered_at = "", None
    return case


@action(
    "accept", on=Case, label=_("Agree and go on online"), allow=STUDENT, step=CASE_STEPS["accept"], tone="primary",
    when=lambda case: any(line["form"] for line in case.lines),
)  # fmt: skip
def accept(
    case: Case, *, by: Actor, now: datetime,
    digest: Annotated[str, Ask(_("Fingerprint of the text"), _("Of the text that you have read: your consent is bound to it."), kind="hidden", start=_digest, limit=64)],
) -> Case:  # fmt: skip
    """Consent to the amended learning agreement as it was shown. It counts as the student's signature under just that text."""
    _require_open(case)
    text = amended_of(case)
    if text is None:
        raise Refused(Reason("nothing-to-accept", N_("There is no online form for any of your courses yet. Choose one, defer the stay, or wait: your office goes on looking.")))
    if digest != text.digest:
        raise Conflict(Reason("text-changed", N_("The text has changed since you opened it. Nothing was agreed to: read it again.")))
    case.consent, case.answered_at, case.because = text.digest, now, ""
    return case


@action("take_back", on=Case, label=_("Take my consent back"), allow=STUDENT, step=CASE_STEPS["take_back"])
def take_back(case: Case, *, by: Actor, now: datetime) -> Case:
    """As long as it was not carried out."""
    case.consent, case.answered_at = "", None
    return case


@action("defer", on=Case, label=_("Defer my stay"), allow=STUDENT, step=CASE_STEPS["defer"])
def defer(
    case: Case, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("When would you like to go? (your office reads this)"), kind="long_text", limit=2000)] = "",
) -> Case:  # fmt: skip
    """Not now and not online: the stay will be at another time. The agreement in force stays as it is until then."""
    _require_open(case)
    case.answered_at, case.because, case.consent = now, because.strip(), ""
    Hold.objects.filter(case=case, released_at=None).update(released_at=now)
    emit("emergency.deferred", case_id=str(case.pk))
    return case


@action("stay", on=Case, label=_("Stay in person"), allow=STUDENT, step=CASE_STEPS["stay"], tone="warning")
def stay(
    case: Case, *, by: Actor, now: datetime,
    have_read: Annotated[bool, Ask(_("I have read the safety information on my page"))] = False,
    because: Annotated[str, Ask(_("Why? (your office reads this)"), kind="long_text", limit=2000)] = "",
) -> Case:  # fmt: skip
    """Remain where they are and as they study. The office knows, and goes on asking how they are."""
    if not have_read:
        raise Invalid(Reason("not-read", N_("Confirm that you have read the safety information: staying is your decision, and it must be an informed one."), {}, "have_read"))
    _require_open(case)
    case.answered_at, case.because, case.consent = now, because.strip(), ""
    Hold.objects.filter(case=case, released_at=None).update(released_at=now)
    return case


@action("finish_online", on=Case, label=_("Finish online"), allow=STUDENT, step=CASE_STEPS["finish_online"], when=lambda case: case.emergency.state == State.LIFTED)
def finish_online(case: Case, *, by: Actor, now: datetime) -> Case:
    """After the restriction is lifted: rather finish the courses online than change back in the middle."""
    if case.emergency.state != State.LIFTED:
        raise Refused(Reason("not-lifted", N_("The restriction is not lifted yet: your courses are online anyway.")))
    return case


def _require_open(case: Case) -> None:
    if case.emergency.state != State.DECLARED:
        raise Refused(Reason("emergency-over", N_("The restriction is over: nothing has to be decided any more.")))


def _why_not_choose(case: Case, wanted: dict[str, str], plans: Plans) -> Iterable[Reason]:
    lines = {line["course"]: line for line in case.lines}
    for course in wanted:
        if course not in lines:
            yield Reason("no-such-course", N_("One of the courses is not part of your stay."), {}, "choices")
    runs = [form for form in ({course: line["form"] for course, line in lines.items()} | wanted).values() if form and not form.startswith("here")]
    if len(set(runs)) < len(runs):
        yield Reason("run-twice", N_("The same online course stands for two of yours: choose different ones."), {}, "choices")
    asked = {course: form for course, form in wanted.items() if form and course in lines and form != lines[course]["form"]}
    forms = {course: plans.get(lines[course]["plan"], {}).get(form) for course, form in asked.items()}
    full = {str(pk) for pk, free in free_seats([UUID(form.offering) for form in forms.values() if form and form.kind == "equivalent"]).items() if not free}
    hosts = {UUID(form.host) for form in forms.values() if form and form.host}
    permitted = permitted_pairs({case.home_id}, hosts, case.affected_from)
    for course, form in forms.items():
        named = {"course": lines[course]["code"]}
        if form is None:
            yield Reason("no-such-form", N_("%(course)s: this is not one of its forms. Choose one of those on the page."), named, "choices")
        elif form.host and form.host != str(case.host_id) and (case.home_id, UUID(form.host)) not in permitted:
            yield Reason("no-agreement", N_("%(course)s: your institution has no agreement with the one that teaches this."), named, "choices")
        elif form.kind == "equivalent" and form.offering in full:
            yield Reason("no-seat", N_("%(course)s: the last seat of this course has just been taken. Choose another form."), named, "choices")
