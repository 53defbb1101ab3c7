"""The award: conferred with a frozen diploma supplement and a signed credential, or withdrawn."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue import labels
from vsm.exchange.catalogue.categories import category
from vsm.exchange.credentials.actions import certify, withdraw_award
from vsm.exchange.credentials.awards import Award
from vsm.exchange.programmes.awarding import average, why_not_award
from vsm.exchange.programmes.facts import SUPPLEMENT_FACTS, day_at, facts_missing, progress
from vsm.exchange.programmes.models import Conferral, ModuleAttempt, Study
from vsm.exchange.programmes.paper import every_language, pdf_of
from vsm.exchange.programmes.states import CONFERRAL_STEPS, STUDY_STEPS, AttemptState
from vsm.exchange.programmes.studying import close_pauses
from vsm.exchange.programmes.supplement import SECTIONS, ModuleResult, Supplement, as_json, digest_of
from vsm.kit import files
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.i18n import N_
from vsm.kit.localized import LANGUAGES, text_in
from vsm.kit.names import language_name
from vsm.kit.verdict import Reason
from vsm.rulebook import credit_system, grade_scale
from vsm.rulebook.isced_f import fields_of

HOST_OFFICE = ("registrar@programme.organisation",)
# Open Badges 3.0 has a type for each level of degree.
DEGREES = {"short-cycle": "AssociateDegree", "bachelor": "BachelorDegree", "master": "MasterDegree", "doctorate": "DoctoralDegree"}


@action("award", on=Study, label=_("Confer the award"), allow=HOST_OFFICE, step=STUDY_STEPS["award"], tone="primary", when=lambda study: _is_near(study))
def award(
    study: Study, *, by: Actor, now: datetime,
    distinction: Annotated[str, Ask(_("Distinction"), _("If the institution gives one, in its own words."), limit=100)] = "",
    family_names: Annotated[str, Ask(_("Last name(s)"), _("As in the identity document (1.1). Left empty with the first names, the whole name stands in 1.1."), limit=200)] = "",
    given_names: Annotated[str, Ask(_("First name(s)"), _("As in the identity document (1.2)."), limit=200)] = "",
    born_on: Annotated[date | None, Ask(_("Date of birth"), _("Stands on the supplement (1.3) if given; it is kept nowhere else."))] = None,
    additional: Annotated[str, Ask(_("Additional information"), _("Diploma supplement 6.1, about this student."), kind="long_text", limit=2000)] = "",
    because: Annotated[str, Ask(_("Remark (shown in the history)"), kind="long_text", limit=2000)] = "",
) -> Conferral:  # fmt: skip
    """Confer the award: freeze the diploma supplement with all eight sections, typeset it, and request a signed credential.

    Refused with everything that is missing: credits, results, or facts of the supplement that nobody has stated.
    """
    programme, host = study.programme, study.programme.organisation
    today = day_at(host.zone, now)
    missing = [_item_label(SUPPLEMENT_FACTS[name]) for name in facts_missing(programme)]
    taking = ModuleAttempt.objects.filter(enrolment__study=study, state=AttemptState.TAKING).count()
    found = progress(study, today)
    names = family_names.strip(), given_names.strip()
    if any(names) and not all(names):
        raise Invalid(Reason("half-a-name", N_("Give both, last and first names, or neither."), {}, "given_names" if names[0] else "family_names"))
    Refused.because(why_not_award(found, taking=taking, award_title=programme.award_title, missing_facts=missing))
    passed = _passed(study)
    mean = average([(each.grade, each.module.credits) for each in passed], host.grade_scale, today)
    number = f"{study.number}-{study.conferrals.count() + 1}"
    language = programme.opportunity.language if programme.opportunity.language in LANGUAGES else "en"
    facts = _items(study, today, mean, distinction, names if all(names) else (study.student.name, ""), born_on, additional, by)
    kept = as_json(
        Supplement(
            number=number, language=language, conferred_on=today.isoformat(), items=facts, credit_system=programme.opportunity.credit_system,
            results=tuple(ModuleResult(code=e.module.code, title=e.module.title, credits=_plain(e.module.credits), grade=e.grade, term=e.enrolment.term.code) for e in passed),
        )
    )  # fmt: skip
    conferral = Conferral(
        study=study, number=number, title=programme.award_title, conferred_on=today, average=mean, distinction=distinction.strip(),
        supplement=kept, digest=digest_of(kept), language=language, because=because.strip(),
    )  # fmt: skip
    conferral.pdf_digest = files.put(pdf_of(conferral, language))
    conferral.save()
    close_pauses(study, now)
    study.ended_on = today
    certify(host, by=by, now=now, person=study.student, award=_award(conferral, found.total), home=study.home, because=because)
    return conferral


@action("withdraw", on=Conferral, label=_("Withdraw the award"), allow=("registrar@study.programme.organisation",), step=CONFERRAL_STEPS["withdraw"], tone="warning")
def withdraw_conferral(
    conferral: Conferral, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Why? (the student and every verifier can read this)"), kind="long_text", limit=2000)]
) -> Conferral:
    """Take the award back: its credential is revoked, and the studies are open again, so that a mistake can be put right."""
    withdraw_award(Conferral.noun, conferral.pk, by=by, now=now, because=because.strip())
    conferral.because = because.strip()
    return_award(conferral.study, by=SYSTEM, now=now)
    return conferral


@action("return_award", on=Study, label=_("Open again"), allow=(), step=STUDY_STEPS["return_award"])
def return_award(study: Study, *, by: Actor, now: datetime) -> Study:
    """The award was withdrawn: the studies go on."""
    study.ended_on = None
    return study


def _is_near(study: Any) -> bool:
    """Whether the button should show: the modules passed reach the total. The action itself looks closely."""
    passed = ModuleAttempt.objects.filter(enrolment__study=study, state=AttemptState.PASSED).values_list("module_id", "module__credits").distinct()
    total: Decimal = study.programme.opportunity.credits
    return sum((amount for _module, amount in passed), Decimal(0)) >= total


def _passed(study: Study) -> list[ModuleAttempt]:
    """The passing result of each module, in the order of the terms."""
    found = ModuleAttempt.objects.filter(enrolment__study=study, state=AttemptState.PASSED).select_related("module", "enrolment__term")
    return sorted(found, key=lambda each: (each.enrolment.term.starts_on, each.module.position))


def _items(study: Study, today: date, mean: str, distinction: str, names: tuple[str, str], born_on: date | None, additional: str, by: Actor) -> dict[str, Any]:
    """Every item of the model by its number; 4.3 is a table of its own. An account has one name: unless the registrar parts it, it stands whole in 1.1."""
    programme, opportunity, host = study.programme, study.programme.opportunity, study.programme.organisation
    system, scale, said = credit_system(opportunity.credit_system), grade_scale(host.grade_scale), programme.supplement
    return {
        "1.1": names[0],
        "1.2": names[1],
        "1.3": born_on.isoformat() if born_on else "",
        "1.4": study.number,
        "2.1": programme.award_title,
        "2.2": _fields(opportunity.isced_f),
        "2.3": _joined(host.name, said["status"]),
        "2.4": _joined(host.name, said["status"]),
        "2.5": {code: language_name(opportunity.language, code) for code in LANGUAGES},
        "3.1": every_language(lambda: labels.level_label(opportunity.level)),
        "3.2": every_language(lambda: _duration(programme.months, opportunity.credits, system.name)),
        "3.3": said["access"],
        "4.1": every_language(lambda: str(_("Online, at a distance, in terms of the institution’s calendar"))),
        "4.2": said["outcomes"],
        "4.3": "",
        "4.4": _joined(scale.name, _in_words(scale.at(today))),
        "4.5": " · ".join(filter(None, (distinction.strip(), mean))),
        "5.1": said["further_study"],
        "5.2": said["professional"],
        "6.1": additional.strip(),
        "6.2": {**said.get("further_information", {})} or host.website,
        "7.1": today.isoformat(),
        "7.2": by.label,
        "7.3": every_language(lambda: str(_("Registrar"))),
        "7.4": every_language(lambda: str(_("Signed electronically: the credential of this award carries the institution’s signature."))),
        "8": said["national_system"],
    }  # fmt: skip


def _award(conferral: Conferral, total: Decimal) -> Award:
    study, opportunity = conferral.study, conferral.study.programme.opportunity
    outcomes = study.programme.supplement["outcomes"]
    return Award(
        source=(Conferral.noun, conferral.pk), kind=DEGREES.get(opportunity.level, category(opportunity.category).certified_as), title=conferral.title,
        description=opportunity.description or opportunity.title, criteria=outcomes, language=conferral.language, started=study.started_on,
        ended=conferral.conferred_on, credits=total, credit_system=opportunity.credit_system, hours=opportunity.workload_hours,
        results=tuple(
            (name, value)
            for name, value in (
                (every_language(lambda: str(_("Average"))), conferral.average),
                (every_language(lambda: str(_("Distinction"))), conferral.distinction),
                (every_language(lambda: str(_("Diploma supplement, SHA-256"))), conferral.digest),
            )
            if value
        ),
        isced_f=opportunity.isced_f,
    )  # fmt: skip


def _item_label(number: str) -> str:
    return next(items[number] for _title, items in SECTIONS.values() if number in items)


def _fields(isced_f: str) -> dict[str, str]:
    known = fields_of(isced_f)
    return {code: f"{known[-1].name[code]} (ISCED-F {isced_f})" if known else f"ISCED-F {isced_f}" for code in LANGUAGES}


def _joined(name: Mapping[str, str], said: Mapping[str, str]) -> dict[str, str]:
    """Both texts in each language that both have; what only one has stands in the others' English or first language."""
    return {code: ". ".join(filter(None, (text_in(name, code), text_in(said, code)))) for code in {*LANGUAGES, *name, *said}}


def _duration(months: int, amount: Decimal, system: Mapping[str, str]) -> str:
    years = number_format((Decimal(months) / 12).quantize(Decimal("0.1")).normalize(), use_l10n=True)
    return str(_("%(credits)s credits (%(system)s), %(years)s years")) % {"credits": number_format(amount.normalize(), use_l10n=True), "system": labels.in_reader(system), "years": years}


def _in_words(value: Any) -> dict[str, str]:
    if value.letters:
        marks = ", ".join(letter.grade for letter in value.letters)
        return every_language(lambda: str(_("Grades, best first: %(marks)s")) % {"marks": marks})
    facts = {"worst": value.worst, "best": value.best, "pass": value.pass_mark}
    return every_language(lambda: str(_("Grades from %(worst)s to the best, %(best)s; passing mark %(pass)s")) % {name: number_format(mark, use_l10n=True) for name, mark in facts.items()})


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f") if number else "0"
