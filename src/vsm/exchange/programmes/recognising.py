"""Home's decision about a whole award: asked for, evaluated criterion by criterion, decided with reasons, appealed against."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from pydantic import BaseModel, Field

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of
from vsm.exchange.people.models import StudentRecord
from vsm.exchange.programmes.awarding import Finding, evaluation_problems, why_not_decide
from vsm.exchange.programmes.facts import day_at
from vsm.exchange.programmes.models import AwardRecognition, Conferral
from vsm.exchange.programmes.progress import months_later
from vsm.exchange.programmes.queries import FINDINGS, PURPOSES, choices, convention_choices, criterion_label
from vsm.exchange.programmes.states import CONFERRAL_STEPS, RECOGNITION_STEPS, RecognitionState
from vsm.kit import clock
from vsm.kit.actions import Ask, action
from vsm.kit.actors import Actor
from vsm.kit.errors import Conflict, Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook.programmes import convention as convention_of
from vsm.rulebook.programmes import criteria, limit

DECIDING = ("registrar@home",)
HOLDER = ("self@conferral.study.student",)


class FindingRow(BaseModel):
    """What home finds on one criterion."""

    criterion: Annotated[str, Ask(_("Criterion"), kind="hidden")]
    name: Annotated[str, Ask(_("Criterion"), kind="read_only")] = ""
    finding: Annotated[Literal["not-assessed", "no-difference", "difference", "substantial"], Ask(_("Finding"), choices=lambda _r, _a: choices(FINDINGS))] = "not-assessed"
    text: Annotated[str, Ask(_("What differs, and why it matters"), limit=1000)] = Field(default="", max_length=1000)


def home_choices(conferral: Any, _actor: Actor) -> list[tuple[str, str]]:
    """Universities other than the one that conferred it."""
    found = Organisation.objects.filter(kind="university").exclude(pk=conferral.study.programme.organisation_id)
    return sorted(((str(each.pk), name_of(each)) for each in found), key=lambda pair: pair[1])


def _home_now(conferral: Any, _actor: Actor) -> str | None:
    record = StudentRecord.objects.filter(person_id=conferral.study.student_id).first()
    held = record.home_id if record else conferral.study.home_id
    return str(held) if held else None


def finding_rows(recognition: Any, _actor: Actor) -> list[FindingRow]:
    kept = recognition.findings
    return [
        FindingRow.model_validate({"criterion": each.slug, "name": criterion_label(each.slug), **kept.get(each.slug, {})}) for each in criteria()
    ]


@action("ask_recognition", on=Conferral, label=_("Ask home to recognise it"), allow=("self@study.student",), step=CONFERRAL_STEPS["ask_recognition"], tone="primary")
def ask_recognition(
    conferral: Conferral, *, by: Actor, now: datetime,
    home: Annotated[UUID, Ask(_("Institution that decides"), choices=home_choices, start=_home_now)],
    purpose: Annotated[str, Ask(_("For what?"), choices=lambda _r, _a: choices(PURPOSES), limit=16)] = "further-study",
) -> AwardRecognition:  # fmt: skip
    """Ask an institution to recognise the whole award. It sees the award and its supplement from then on, and decides in time."""
    known = {value for value, _label in home_choices(conferral, by)}
    problems = []
    if str(home) not in known:
        problems.append(Reason("home-unknown", N_("This is not an institution that can decide on this award."), {}, "home"))
    if purpose not in PURPOSES:
        problems.append(Reason("purpose", N_("“%(value)s” is not one of: %(known)s."), {"value": purpose, "known": ", ".join(PURPOSES)}, "purpose"))
    Invalid.because(problems)
    if conferral.recognitions.filter(home_id=home, purpose=purpose).exists():
        raise Conflict(Reason("asked", N_("You have asked this institution for this purpose already: open that request.")))
    deciding = Organisation.objects.get(pk=home)
    recognition = AwardRecognition(conferral=conferral, home=deciding, purpose=purpose, asked_at=now, decide_by=_decide_by(deciding, now))
    recognition.save()
    emit("award_recognition.asked", recognition_id=str(recognition.pk))
    return recognition


@action("ask_for_more", on=AwardRecognition, label=_("Ask for information"), allow=DECIDING, step=RECOGNITION_STEPS["ask_for_more"])
def ask_for_more(recognition: AwardRecognition, *, by: Actor, now: datetime, question: Annotated[str, Ask(_("What is missing?"), kind="long_text", limit=2000)]) -> AwardRecognition:
    """Ask the holder. The time to decide counts anew from the answer."""
    if not question.strip():
        raise Invalid(Reason("question", N_("Say what is missing."), {}, "question"))
    recognition.question, recognition.questioned_at, recognition.answer = question.strip(), now, ""
    emit("award_recognition.questioned", recognition_id=str(recognition.pk))
    return recognition


@action("answer", on=AwardRecognition, label=pgettext_lazy("act", "Answer"), allow=HOLDER, step=RECOGNITION_STEPS["answer"], tone="primary")
def answer(recognition: AwardRecognition, *, by: Actor, now: datetime, answer: Annotated[str, Ask(_("Your answer"), kind="long_text", limit=5000)]) -> AwardRecognition:
    """Give the information that home asked for."""
    if not answer.strip():
        raise Invalid(Reason("answer", N_("Write an answer."), {}, "answer"))
    recognition.answer, recognition.decide_by = answer.strip(), _decide_by(recognition.home, now)
    emit("award_recognition.asked", recognition_id=str(recognition.pk))
    return recognition


@action("evaluate", on=AwardRecognition, label=_("Evaluate"), allow=DECIDING, step=RECOGNITION_STEPS["evaluate"], tone="primary", due=lambda recognition: not _is_evaluated(recognition))
def evaluate(
    recognition: AwardRecognition, *, by: Actor, now: datetime,
    findings: Annotated[list[FindingRow], Ask(_("Evaluation"), _("A difference is substantial only when it would keep the holder from the purpose asked for."), start=finding_rows)],
) -> AwardRecognition:  # fmt: skip
    """Compare the award with home’s own, criterion by criterion. A difference is named and explained, or it is none."""
    Invalid.because(evaluation_problems([Finding(row.criterion, row.finding, row.text) for row in findings], [each.slug for each in criteria()]))
    recognition.findings = {row.criterion: {"finding": row.finding, "text": row.text.strip()} for row in findings}
    recognition.save()
    return recognition


Basis = Annotated[str, Ask(_("On the basis of"), choices=convention_choices, limit=32)]
HomeTitle = Annotated[str, Ask(_("Recognised as"), _("The title or level at home that it stands for."), limit=200)]


@action("recognise", on=AwardRecognition, label=_("Recognise in full"), allow=DECIDING, step=RECOGNITION_STEPS["recognise"], tone="primary", due=lambda recognition: _is_evaluated(recognition))
def recognise_award(
    recognition: AwardRecognition, *, by: Actor, now: datetime, home_title: HomeTitle, convention: Basis,
    because: Annotated[str, Ask(_("Remark"), kind="long_text", limit=2000)] = "",
) -> AwardRecognition:  # fmt: skip
    """The award counts at home like home’s own."""
    return _decide(recognition, "full", by, now, home_title=home_title, convention=convention, because=because, advice="")


@action("recognise_partly", on=AwardRecognition, label=_("Recognise in part"), allow=DECIDING, step=RECOGNITION_STEPS["recognise_partly"])
def recognise_award_partly(
    recognition: AwardRecognition, *, by: Actor, now: datetime, home_title: HomeTitle, convention: Basis,
    because: Annotated[str, Ask(_("Why? (the holder reads this)"), kind="long_text", limit=2000)],
    advice: Annotated[str, Ask(_("What can still be done for full recognition"), kind="long_text", limit=2000)],
) -> AwardRecognition:  # fmt: skip
    """A part counts. The substantial difference is named, with what would make up for it."""
    return _decide(recognition, "partial", by, now, home_title=home_title, convention=convention, because=because, advice=advice)


@action("refuse", on=AwardRecognition, label=_("Do not recognise"), allow=DECIDING, step=RECOGNITION_STEPS["refuse"], tone="warning")
def refuse_award(
    recognition: AwardRecognition, *, by: Actor, now: datetime, convention: Basis,
    because: Annotated[str, Ask(_("Why? (the holder reads this)"), kind="long_text", limit=2000)],
    advice: Annotated[str, Ask(_("What can be done to obtain recognition later"), kind="long_text", limit=2000)],
) -> AwardRecognition:  # fmt: skip
    """Withhold recognition: only for a substantial difference that home has named, with reasons and advice."""
    return _decide(recognition, "refused", by, now, home_title="", convention=convention, because=because, advice=advice)


def is_late(recognition: AwardRecognition, now: datetime) -> bool:
    """Whether home has let the day pass on which it was to decide, on its own calendar."""
    return recognition.state == RecognitionState.ASKED and day_at(recognition.home.zone, now) > recognition.decide_by


def _can_appeal(recognition: AwardRecognition) -> bool:
    return recognition.state != RecognitionState.ASKED or is_late(recognition, clock.now())


@action("appeal", on=AwardRecognition, label=pgettext_lazy("act", "Appeal"), allow=HOLDER, step=RECOGNITION_STEPS["appeal"], when=_can_appeal)
def appeal(recognition: AwardRecognition, *, by: Actor, now: datetime, appeal_text: Annotated[str, Ask(_("What should be looked at again?"), kind="long_text", limit=5000)]) -> AwardRecognition:
    """Ask for a new decision; the first and its reasons stay in the history. Silence after its time counts as a decision against her."""
    is_silent = recognition.state == RecognitionState.ASKED
    if is_silent and not is_late(recognition, now):
        raise Refused(Reason("not-decided", N_("Home has until %(until)s to decide. You can appeal against its decision, or once that day has passed."), {"until": recognition.decide_by}))
    if not appeal_text.strip():
        raise Invalid(Reason("appeal_text", N_("Say what should be looked at again."), {}, "appeal_text"))
    recognition.appeal_text = appeal_text.strip()
    if not is_silent:  # who is late is given no more time
        recognition.decide_by = _decide_by(recognition.home, now)
    emit("award_recognition.asked", recognition_id=str(recognition.pk))
    return recognition


def _is_evaluated(recognition: AwardRecognition) -> bool:
    return all(recognition.findings.get(each.slug, {}).get("finding", "not-assessed") != "not-assessed" for each in criteria())


def _decide(recognition: AwardRecognition, outcome: str, by: Actor, now: datetime, *, home_title: str, convention: str, because: str, advice: str) -> AwardRecognition:
    findings = [Finding(criterion, each["finding"], each["text"]) for criterion, each in recognition.findings.items()]
    problems = list(why_not_decide(outcome, findings, convention=convention_of(convention) is not None, advice=advice))
    if outcome != "refused" and not home_title.strip():
        problems.append(Reason("home-title", N_("Say as what it is recognised."), {}, "home_title"))
    if recognition.conferral.state != "conferred":
        problems.append(Reason("award-withdrawn", N_("The award was withdrawn by the institution that conferred it.")))
    if recognition.conferral.study.student_id == by.person_id:
        problems.append(Reason("own-request", N_("Nobody decides on a request of their own.")))
    Refused.because(problems)
    recognition.home_title, recognition.convention, recognition.because, recognition.advice = home_title.strip(), convention, because.strip(), advice.strip()
    recognition.decided_by_id, recognition.decided_at = by.person_id, now
    emit("award_recognition.decided", recognition_id=str(recognition.pk))
    return recognition


def _decide_by(home: Organisation, now: datetime) -> date:
    today = day_at(home.zone, now)
    return months_later(today, int(limit("award-recognised-within", today)))
