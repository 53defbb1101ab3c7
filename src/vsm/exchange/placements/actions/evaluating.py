"""Evaluations halfway and at the end, by both sides; each is read by the other only when both are in."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from vsm.exchange.placements.models import Evaluation, Placement
from vsm.exchange.placements.queries.placements import OCCASIONS, occasions_open, side_of
from vsm.exchange.placements.rules.running import answer_problems, due_on, is_open
from vsm.exchange.placements.states import OVER, PLACEMENT_STEPS, EvaluationState
from vsm.kit import clock
from vsm.kit.actions import NOTED, Ask, action, note
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.localized import text_in
from vsm.kit.verdict import Reason
from vsm.rulebook.placements import instrument

NOTED[Evaluation.noun, "open_both"] = _("Both evaluations opened")


def _scale(_record: Any, _actor: Any) -> list[tuple[str, str]]:
    asked = instrument(clock.now().date())
    words = {asked.least: str(_("not at all")), asked.most: str(_("fully"))}
    return [("", "—"), *((str(n), f"{n} · {words[n]}" if n in words else str(n)) for n in range(asked.least, asked.most + 1))]


class Answer(BaseModel):
    """One line of the instrument."""

    criterion: Annotated[str, Field(max_length=32), Ask(_("Line"), kind="hidden")]
    question: Annotated[str, Ask(_("Statement"), kind="read_only")] = ""
    score: Annotated[Literal["", "1", "2", "3", "4", "5"], Ask(_("How far is it so?"), choices=_scale)] = ""
    comment: Annotated[str, Field(max_length=1000), Ask(_("Comment"), limit=1000)] = ""


def _occasions(placement: Placement, _actor: Actor) -> list[tuple[str, str]]:
    return [(slug, str(OCCASIONS[slug])) for slug in occasions_open(placement, placement.today(clock.now()))]


def _is_due(placement: Placement) -> bool:
    return bool(occasions_open(placement, placement.today(clock.now())))


def _lines(placement: Placement, actor: Actor) -> list[Answer]:
    """The questions of this person's side, with what they have said before where it is still sealed."""
    side = side_of(placement, actor)
    held = placement.evaluations.filter(side=side, state=EvaluationState.SEALED).order_by("-at").first()
    said = held.answers if held else {}
    return [
        Answer(criterion=each.slug, question=text_in(each.name, get_language() or "en"), score=said.get(each.slug, {}).get("score", ""), comment=said.get(each.slug, {}).get("comment", ""))
        for each in instrument(clock.now().date()).asked_of(side)
    ]


@action("evaluate", on=Placement, label=_("Evaluate"), allow=("self@student", "self@mentor", "coordinator@host.organisation"), step=PLACEMENT_STEPS["evaluate"], when=_is_due)
def evaluate(
    placement: Placement, *, by: Actor, now: datetime,
    occasion: Annotated[Literal["mid", "final"], Ask(_("When?"), choices=_occasions)],
    answers: Annotated[list[Answer], Ask(_("Statements"), _("From 1 (not at all) to 5 (fully). The other side reads this when both are in."), start=_lines)],
    comment: Annotated[str, Ask(_("In your own words"), kind="long_text", limit=4000)] = "",
) -> Evaluation:  # fmt: skip
    """Say how it goes. It stays sealed, and can be changed, until the other side's is in; then both are read by everybody who takes part."""
    side = side_of(placement, by)
    if side not in {"student", "host"}:
        raise NotAllowed(Reason("not-a-side", N_("The student and the host evaluate; home reads both.")))
    if not is_open(occasion, starts_on=placement.starts_on, ends_on=placement.ends_on, on=placement.today(now), is_over=placement.state in OVER):
        due = due_on(occasion, starts_on=placement.starts_on, ends_on=placement.ends_on)
        raise Refused(Reason("too-early", N_("This evaluation is due on %(day)s; it opens shortly before."), {"day": due}))
    asked = instrument(now.date())
    given = {each.criterion: each.score for each in answers}
    Invalid.because(answer_problems(given, [each.slug for each in asked.asked_of(side)], asked.least, asked.most))
    held = Evaluation.objects.filter(placement=placement, occasion=occasion, side=side).first()
    if held is not None and held.state == EvaluationState.SHOWN:
        raise Refused(Reason("already-shown", N_("Both evaluations are in and read: they stay as they are.")))
    evaluation = held or Evaluation(placement=placement, occasion=occasion, side=side)
    evaluation.answers = {each.criterion: {"score": each.score, "comment": each.comment.strip()} for each in answers}
    evaluation.comment, evaluation.by_id, evaluation.at = comment.strip(), by.person_id, now
    evaluation.save()
    _open_both(placement, occasion, by=by, now=now)
    evaluation.refresh_from_db()
    return evaluation


def _open_both(placement: Placement, occasion: str, *, by: Actor, now: datetime) -> None:
    both = list(Evaluation.objects.filter(placement=placement, occasion=occasion))
    if len(both) < 2:
        return
    for each in both:
        each.state = EvaluationState.SHOWN
        each.save()
        note(each, "open_both", by=by, now=now, changes={"state": ["sealed", "shown"]})
    emit("evaluations.shown", placement_id=str(placement.pk), occasion=occasion)
