"""What home recognises: a proposal with its evidence, a decision with its reason, and the way to ask again."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_tasks import task

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.recognition import queries
from vsm.exchange.recognition.grades import read as read_grade
from vsm.exchange.recognition.models import Decision, Transcript
from vsm.exchange.recognition.proposals import Evidence, proposed
from vsm.exchange.recognition.rules import Home
from vsm.exchange.recognition.states import (
    DECISION_STEPS,
    DecisionState,
    TranscriptState,
)
from vsm.exchange.recognition.transcript import (
    Component,
)
from vsm.exchange.recognition.why import Because
from vsm.kit import clock
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

DECIDING = ("registrar@enrolment.home",)


@task()
def propose_decisions(transcript_id: str) -> None:
    """Prepare what home has to decide. Told by `transcript.issued`; may run twice."""
    propose(Transcript.objects.get(pk=transcript_id), by=SYSTEM, now=clock.now())


@action("propose", on=Transcript, label=_("Prepare the decisions"), allow=())
def propose(transcript: Transcript, *, by: Actor, now: datetime) -> Transcript:
    """For each completed course put a proposal with its evidence before home.

    A decision already made stands as long as its result does; where the host has corrected the result it is opened again.
    """
    if transcript.state != TranscriptState.ISSUED:
        return transcript
    home = transcript.home
    signed = queries.signed_text(transcript.agreement)
    today = now.astimezone(ZoneInfo(home.zone)).date()
    counted = Home(credit_system=home.credit_system, scale=home.grade_scale)
    known = {
        each.enrolment_id: each
        for each in Decision.objects.filter(enrolment__learning_agreement_id=transcript.agreement_id)
    }
    for component in queries.content_of(transcript)["components"]:
        if component["outcome"] == "withdrawn":
            continue
        decision = known.get(UUID(component["enrolment_id"]))
        if decision is not None and str(decision.result_id) == component["result_id"]:
            continue
        evidence = proposed(component, signed, counted, on=today)
        _put_before_home(decision, transcript, component, evidence, by=by, now=now)
    return transcript


@action(
    "recognise", on=Decision, label=_("Recognise"), allow=DECIDING, step=DECISION_STEPS["recognise"], tone="primary"
)
def recognise(
    decision: Decision, *, by: Actor, now: datetime,
    home_code: Annotated[str, Ask(_("Code of the course at home"), limit=64)],
    home_title: Annotated[str, Ask(_("Title of the course at home"), limit=255)],
    home_credits: Annotated[Decimal, Ask(_("Credits at home"))],
    home_grade: Annotated[str, Ask(_("Grade at home"), _("Leave empty to recognise the credit without a grade."), limit=16)] = "",
    because: Annotated[str, Ask(_("Why?"), _("Needed when something speaks against it, or when you give less than was promised or more than was proposed."), kind="long_text", limit=2000)] = "",
) -> Decision:  # fmt: skip
    """Record the course at home as agreed. Giving less than the signed learning agreement promised takes a reason."""
    Invalid.because(
        (
            *_faults(decision, home_code, home_title, home_credits, home_grade, now),
            *_unexplained(decision, home_credits, because),
        )
    )
    return _decide(decision, home_code, home_title, home_credits, home_grade, because, by=by, now=now)


@action(
    "recognise_partly",
    on=Decision,
    label=_("Recognise in part"),
    allow=DECIDING,
    step=DECISION_STEPS["recognise_partly"],
)
def recognise_partly(
    decision: Decision, *, by: Actor, now: datetime,
    home_code: Annotated[str, Ask(_("Code of the course at home"), limit=64)],
    home_title: Annotated[str, Ask(_("Title of the course at home"), limit=255)],
    home_credits: Annotated[Decimal, Ask(_("Credits at home"))],
    because: Because,
    home_grade: Annotated[str, Ask(_("Grade at home"), _("Leave empty to recognise the credit without a grade."), limit=16)] = "",
) -> Decision:  # fmt: skip
    """Record less than the whole course, and say why."""
    Invalid.because(_faults(decision, home_code, home_title, home_credits, home_grade, now))
    return _decide(decision, home_code, home_title, home_credits, home_grade, because, by=by, now=now)


@action("refuse", on=Decision, label=_("Refuse"), allow=DECIDING, step=DECISION_STEPS["refuse"], tone="warning")
def refuse(decision: Decision, *, by: Actor, now: datetime, because: Because) -> Decision:
    """Recognise nothing. The student reads the reason and how to ask for reconsideration.

    The home course that it was weighed against stays named, so that the next one who decides can find it.
    """
    return _decide(decision, decision.home_code, decision.home_title, None, "", because, by=by, now=now)


@action(
    "ask_again",
    on=Decision,
    label=_("Ask for reconsideration"),
    allow=("self@enrolment.student",),
    step=DECISION_STEPS["ask_again"],
)
def ask_again(
    decision: Decision, *, by: Actor, now: datetime,
    question: Annotated[str, Ask(_("What should be looked at again, and why?"), kind="long_text", limit=2000)],
) -> Decision:  # fmt: skip
    """Ask home to look at its decision again. The registrar reads it beside the evidence."""
    if not question.strip():
        raise Invalid(Reason("no-question", N_("Say what should be looked at again."), {}, "question"))
    decision.question, decision.questioned_at = question.strip(), now
    decision.save()
    emit("decision.questioned", decision_id=str(decision.pk))
    return decision


@action("reconsider", on=Decision, label=_("Reconsider"), allow=DECIDING, step=DECISION_STEPS["reconsider"])
def reconsider(decision: Decision, *, by: Actor, now: datetime, because: Because) -> Decision:
    """Open the decision again, with the proposal it began from. What was decided before stays in the history."""
    _begin_from(decision, decision.proposal)
    decision.because, decision.decided_at, decision.decided_by = because.strip(), None, None
    decision.question, decision.questioned_at = "", None
    return decision


def _put_before_home(
    decision: Decision | None,
    transcript: Transcript,
    component: Component,
    evidence: Evidence,
    *,
    by: Actor,
    now: datetime,
) -> None:
    is_new = decision is None
    decision = decision or Decision(enrolment_id=UUID(component["enrolment_id"]))
    if decision.state != DecisionState.PROPOSED:
        with translation.override(transcript.home.languages[0] if transcript.home.languages else "en"):
            because = _now("The host corrected the result: see edition %(edition)s of transcript %(number)s.") % {
                "edition": transcript.edition, "number": transcript.number,
            }  # fmt: skip
        decision = reconsider(decision, by=by, now=now, because=because)
    decision.result_id, decision.transcript, decision.proposal = UUID(component["result_id"]), transcript, evidence
    _begin_from(decision, evidence)
    decision.save()
    note(
        decision,
        "propose",
        by=by,
        now=now,
        changes={"home_credits": [None, evidence["home_credits"]], "home_grade": [None, evidence["home_grade"]]},
    )
    if is_new:
        emit("decision.proposed", decision_id=str(decision.pk))


def _begin_from(decision: Decision, evidence: Any) -> None:
    """Fill in what is proposed; the course at home is the one that the learning agreement names."""
    promise = evidence.get("promise") or {}
    decision.home_code, decision.home_title = promise.get("home_code", ""), promise.get("home_title", "")
    decision.home_credits = Decimal(evidence["home_credits"]) if evidence.get("home_credits") else None
    decision.home_grade = evidence.get("home_grade", "")


def _decide(
    decision: Decision, home_code: str, home_title: str, home_credits: Decimal | None, home_grade: str, because: str, *,
    by: Actor, now: datetime,
) -> Decision:  # fmt: skip
    decision.home_code, decision.home_title = home_code.strip(), home_title.strip()
    decision.home_credits, decision.home_grade = home_credits, home_grade.strip()
    decision.because, decision.decided_at, decision.decided_by_id = because.strip(), now, by.person_id
    decision.question, decision.questioned_at = "", None
    emit("decision.made", decision_id=str(decision.pk))
    return decision


def _faults(
    decision: Decision, home_code: str, home_title: str, home_credits: Decimal, home_grade: str, now: datetime
) -> Iterator[Reason]:
    if not (home_code.strip() or home_title.strip()):
        text = N_("Name the course at home, or the part of the degree, that it counts for.")
        yield Reason("home-course-missing", text, {}, "home_title")
    if not home_credits.is_finite() or home_credits <= 0:
        text = N_("Recognising needs credits above zero. To recognise nothing, refuse and say why.")
        yield Reason("no-credits", text, {}, "home_credits")
    elif home_credits >= 10_000 or -int(home_credits.as_tuple().exponent) > 2:
        text = N_("Credits are kept below 10,000 and with two decimals.")
        yield Reason("credits-out-of-range", text, {}, "home_credits")
    if home_grade.strip():
        yield from _faults_of_grade(decision.enrolment.home, home_grade, now)


def _faults_of_grade(home: Organisation, home_grade: str, now: datetime) -> Iterator[Reason]:
    try:
        mark = read_grade(home_grade, home.grade_scale, now.astimezone(ZoneInfo(home.zone)).date())
    except Invalid as refusal:
        yield from (Reason(each.code, each.text, each.params, "home_grade") for each in refusal.reasons)
        return
    if not mark.passed:
        text = N_("%(grade)s does not pass at home: credit cannot be recognised with it.")
        yield Reason("home-grade-fails", text, {"grade": mark.text}, "home_grade")


def _unexplained(decision: Decision, home_credits: Decimal, because: str) -> Iterator[Reason]:
    """What has to be answered with a reason: everything that speaks against it, a promise not kept, more than was proposed."""
    if because.strip():
        return
    proposed = Decimal(decision.proposal.get("home_credits") or 0)
    if proposed and home_credits.is_finite() and home_credits > proposed:
        text = N_("The agreement and the rules come to %(proposed)s credits. Say why you give %(given)s.")
        yield Reason("more-than-proposed", text, {"proposed": proposed, "given": home_credits}, "because")
    yield from _less_than_promised(decision, home_credits)
    for told in decision.proposal.get("obstacles", ()):
        obstacle = Reason(told["code"], told["text"], told["params"])
        text = N_("Say why you recognise it all the same: %(obstacle)s")
        yield Reason("obstacle-unanswered", text, {"obstacle": obstacle}, "because")


def _less_than_promised(decision: Decision, home_credits: Decimal) -> Iterator[Reason]:
    """The proposal holds the promise, in proportion where the host awarded fewer credits, and nothing where it failed."""
    promise = decision.proposal.get("promise")
    if not promise or not home_credits.is_finite():
        return
    if home_credits < Decimal(decision.proposal["home_credits"] or 0):
        text = N_(
            "The signed learning agreement (version %(version)s) promised more: %(promised)s credits. Say why you give %(given)s."
        )
        params = {"version": promise["version"], "promised": Decimal(promise["home_credits"]), "given": home_credits}
        yield Reason("less-than-promised", text, params, "because")
