"""What remains of a placement: the certificate, and home's own decision whether it counts for credit."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from vsm import rulebook
from vsm.exchange.catalogue.categories import category
from vsm.exchange.credentials.actions import certify, withdraw_award
from vsm.exchange.credentials.awards import Award
from vsm.exchange.placements.actions.vacancies import CATEGORY
from vsm.exchange.placements.models import Evaluation, Placement, PlacementCredit
from vsm.exchange.placements.queries.conduct import mean_of
from vsm.exchange.placements.queries.placements import hours_by_state
from vsm.exchange.placements.rules.agreement import amount
from vsm.exchange.placements.rules.running import Proposal, credits_for, why_not_certified
from vsm.exchange.placements.states import PLACEMENT_STEPS, CreditState, EvaluationState, HoursState
from vsm.kit import clock
from vsm.kit.actions import Ask, action
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.localized import LANGUAGES, text_in
from vsm.kit.verdict import Reason

REGISTRY = ("registrar@home", "coordinator@home")


def proposal_for(placement: Placement, now: datetime) -> Proposal:
    """What the confirmed hours come to in home's credit system, by the rulebook of the day."""
    value = rulebook.credit_system(placement.home.credit_system).at(now.date())
    return credits_for(hours_by_state(placement)["confirmed"], value, rulebook.rounding().step)


def _proposed(placement: Placement, _actor: Actor) -> Decimal:
    return proposal_for(placement, clock.now()).value


@action("decide_credits", on=Placement, label=_("Decide about credit"), allow=REGISTRY, step=PLACEMENT_STEPS["decide_credits"], tone="primary")
def decide_credits(
    placement: Placement, *, by: Actor, now: datetime,
    decision: Annotated[Literal["recognised", "refused"], Ask(_("Decision"), choices=lambda _r, _a: [("recognised", _now("recognised")), ("refused", _now("not recognised"))])],
    because: Annotated[str, Ask(_("Why? (the student reads this)"), kind="long_text", limit=2000)],
    credits: Annotated[Decimal | None, Ask(_("Credits at home"), _("What the confirmed hours come to is proposed."), start=_proposed)] = None,  # noqa: A002 -- the word of the field
    home_code: Annotated[str, Ask(_("Code at home"), limit=64)] = "",
    home_title: Annotated[str, Ask(_("Title at home"), limit=255)] = "",
) -> PlacementCredit:  # fmt: skip
    """Home alone says whether the placement counts, and as what. The calculation with its source is kept with the decision.

    Deciding again replaces the decision; a certificate that was given is given anew with what it says now.
    """
    is_recognised = decision == CreditState.RECOGNISED.value
    problems = []
    if is_recognised and (credits is None or not 0 < credits < 1000):
        problems.append(Reason("bad-credits", N_("Give the credits, more than 0."), {}, "credits"))
    if is_recognised and not (home_code.strip() or home_title.strip()):
        problems.append(Reason("home-course-missing", N_("Name the home course, or the part of the degree, that it counts for."), {}, "home_code"))
    Invalid.because(problems)
    proposal, system = proposal_for(placement, now), rulebook.credit_system(placement.home.credit_system)
    held = PlacementCredit.objects.filter(placement=placement).first() or PlacementCredit(placement=placement)
    held.hours, held.credit_system = hours_by_state(placement)["confirmed"], system.slug
    held.proposed, held.low, held.high = proposal.value, proposal.low, proposal.high
    held.citation, held.rulebook_version = str(system.at(now.date()).reference), rulebook.version()
    held.state, held.credits = decision, (credits or Decimal(0)) if is_recognised else Decimal(0)
    held.home_code, held.home_title = (home_code.strip(), home_title.strip()) if is_recognised else ("", "")
    held.decided_by_id, held.decided_at, held.because = by.person_id, now, because.strip()
    held.save()
    emit("placement_credit.decided", credit_id=str(held.pk))
    if placement.certified_at is not None:
        _certify(placement, by=by, now=now)
    return held


@action("certify", on=Placement, label=_("Give the certificate"), allow=("coordinator@host.organisation", "self@mentor", *REGISTRY), step=PLACEMENT_STEPS["certify"], tone="primary", when=lambda p: p.certified_at is None)
def certify_placement(placement: Placement, *, by: Actor, now: datetime) -> Placement:
    """Certify hours, days, tasks and what both sides said at the end, signed and verifiable. Credit stands in it only if home has said so."""
    unanswered = placement.hours.filter(state=HoursState.LOGGED).count()
    final = set(placement.evaluations.filter(occasion="final", state=EvaluationState.SHOWN).values_list("side", flat=True))
    Refused.because(why_not_certified(confirmed=hours_by_state(placement)["confirmed"], unanswered=unanswered, final_sides=final))
    _certify(placement, by=by, now=now)
    placement.certified_at = now
    placement.save()
    return placement


@action("withdraw_certificate", on=Placement, label=_("Withdraw the certificate"), allow=("registrar@home",), step=PLACEMENT_STEPS["withdraw_certificate"], tone="warning", when=lambda p: p.certified_at is not None)
def withdraw_certificate(placement: Placement, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Why? (the student reads this)"), kind="long_text", limit=2000)]) -> Placement:
    """Revoke it: whoever verifies it is told. A right one can be given afterwards."""
    withdraw_award(Placement.noun, placement.pk, by=by, now=now, because=because.strip())
    placement.certified_at = None
    placement.save()
    return placement


def _certify(placement: Placement, *, by: Actor, now: datetime) -> None:
    host = placement.host.organisation
    if host is None:
        raise Refused(Reason("no-issuer", N_("The host is not an organisation here, so it cannot certify.")))
    certify(host, by=by, now=now, person=placement.student, award=award_of(placement), home=placement.home)


def award_of(placement: Placement) -> Award:
    """What the certificate says, in the four languages."""
    version = placement.agreement.version_in_force
    if version is None:
        raise Refused(Reason("unsigned", N_("The agreement is not signed by all three. Nothing starts before it is.")))
    opportunity, text = placement.application.vacancy.offering.opportunity, version.text
    credit = PlacementCredit.objects.filter(placement=placement, state=CreditState.RECOGNISED).first()
    finals = {each.side: each for each in Evaluation.objects.filter(placement=placement, occasion="final", state=EvaluationState.SHOWN)}
    results: list[tuple[dict[str, str], str]] = []
    if "host" in finals and (mean := mean_of(finals["host"])) is not None:
        results.append((_in_all(N_("Evaluation by the host: mean on a scale of 1 to 5, not validated")), str(mean)))
    facts = {"host": placement.host.name, "hours": "", "weekly": text.hours_per_week}
    return Award(
        source=(Placement.noun, placement.pk), kind=category(CATEGORY).certified_as,
        title=_in_all(N_("Remote placement: %(title)s"), title=opportunity.title),
        description=_in_all(N_("A remote placement at %(host)s, under an agreement signed by student, host and home institution; %(weekly)s hours a week were agreed, and every hour counted here was confirmed by the mentor."), **facts),
        criteria={language: f"{_in_all(N_('Tasks'))[language]}:\n\n{text.tasks}\n\n{_in_all(N_('Learning outcomes'))[language]}:\n\n{text.outcomes}" for language in LANGUAGES},
        language=placement.student.language, started=placement.started_on, ended=placement.ended_on or placement.ends_on,
        hours=_plain(hours_by_state(placement)["confirmed"]), credits=_plain(credit.credits) if credit else None, credit_system=credit.credit_system if credit else "",
        results=tuple(results), isced_f=opportunity.isced_f,
    )  # fmt: skip


def _plain(number: Decimal) -> Decimal:
    """Without zeros at the end and without exponent: the credential's text must not depend on how a column rounds."""
    return Decimal(amount(number) or 0)


def _in_all(text: str, **facts: Any) -> dict[str, str]:
    """A sentence of ours in every language."""
    made = {}
    for language in LANGUAGES:
        with translation.override(language):
            told = {name: text_in(value, language) if isinstance(value, dict) else number_format(value) if isinstance(value, Decimal) else value for name, value in facts.items()}
            made[language] = _now(text) % told
    return made
