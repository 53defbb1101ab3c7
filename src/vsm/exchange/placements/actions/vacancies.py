"""What a vetted host offers: a vacancy, which the public catalogue shows too."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue import actions as catalogue
from vsm.exchange.catalogue.queries import bandwidth_choices, cefr_choices, language_choices, level_choices
from vsm.exchange.placements.models import Host, PlacementApplication, Vacancy
from vsm.exchange.placements.queries.vacancies import limit_for
from vsm.exchange.placements.rules.vacancies import Work, not_vetted, vacancy_problems
from vsm.exchange.placements.states import VACANCY_STEPS, ApplicationState, HostState
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

CATEGORY = "placement"
HOST_OFFICE = ("coordinator@organisation",)
Localized = dict[str, str]

Title = Annotated[Localized, Ask(_("Title"), _("In each language in which it is offered; one is enough."), kind="localized", start=lambda r, _a: _opportunity(r, "title"))]
Tasks = Annotated[Localized, Ask(_("Tasks"), _("What the student will do, week by week if you can."), kind="localized", start=lambda r, _a: _opportunity(r, "description"))]
Outcomes = Annotated[Localized, Ask(_("Learning outcomes"), _("What the student can do afterwards."), kind="localized", start=lambda r, _a: _opportunity(r, "learning_outcomes"))]
HoursAWeek = Annotated[Decimal, Ask(_("Hours a week"))]
StartsOn = Annotated[date, Ask(_("First day"), start=lambda r, _a: _offering(r, "starts_on"))]
EndsOn = Annotated[date, Ask(_("Last day"), start=lambda r, _a: _offering(r, "ends_on"))]
Places = Annotated[int, Ask(_("Places"), start=lambda r, _a: _offering(r, "seats"))]
ApplyBy = Annotated[datetime, Ask(_("Apply until"), _("Offers are made afterwards; nobody wins by being first."))]
Speaks = Annotated[str, Ask(_("Language of work"), choices=language_choices, start=lambda r, _a: _opportunity(r, "language"))]
Cefr = Annotated[str, Ask(_("Least level of that language (CEFR)"), choices=cefr_choices, start=lambda r, _a: _opportunity(r, "cefr"))]
Level = Annotated[str, Ask(_("Level of the studies"), choices=level_choices, start=lambda r, _a: _opportunity(r, "level") or "bachelor")]
IscedF = Annotated[str, Ask(_("Field of study (ISCED-F)"), _("Two to four digits, for example 0311 for economics."), limit=4, start=lambda r, _a: _opportunity(r, "isced_f"))]
CoreFrom = Annotated[time | None, Ask(_("Core hours from"), _("On your clock: when the student should be reachable."))]
CoreTo = Annotated[time | None, Ask(_("Core hours to"))]
PayPeriod = Annotated[
    Literal["none", "hour", "month", "total"],
    Ask(
        _("Remuneration"), _("Students read this plainly."), start=lambda r, _a: getattr(r, "pay_period", "none"),
        choices=lambda _r, _a: [("none", str(_("nothing is paid"))), ("hour", str(_("an hour"))), ("month", str(_("a month"))), ("total", str(_("in all")))],
    ),
]  # fmt: skip
Pay = Annotated[Decimal | None, Ask(_("Amount"))]
Currency = Annotated[str, Ask(_("Currency"), _("Three letters, for example UYU."), limit=3)]
Equipment = Annotated[str, Ask(_("Equipment"), _("What is needed, and who provides it."), kind="long_text", limit=2000)]
Bandwidth = Annotated[str, Ask(_("Connection"), choices=bandwidth_choices, start=lambda r, _a: _offering(r, "bandwidth") or "video")]
Accessibility = Annotated[Localized, Ask(_("Accessibility"), _("Captions, screen readers, breaks, recordings…"), kind="localized", start=lambda r, _a: _opportunity(r, "accessibility"))]
SupervisorName = Annotated[str, Ask(_("Supervisor"), limit=200)]
SupervisorEmail = Annotated[str, Ask(_("Mail address of the supervisor"), limit=254)]
RespondHours = Annotated[int, Ask(_("Hours to answer an offer"))]


def _opportunity(record: Any, name: str) -> Any:
    return getattr(record.offering.opportunity, name) if isinstance(record, Vacancy) else None


def _offering(record: Any, name: str) -> Any:
    return getattr(record.offering, name) if isinstance(record, Vacancy) else None


@action("add_vacancy", on=Host, label=_("Add a vacancy"), allow=HOST_OFFICE, tone="primary", when=lambda h: h.state in {HostState.VETTING, HostState.VETTED}, due=lambda h: h.state == HostState.VETTED)
def add_vacancy(
    host: Host, *, by: Actor, now: datetime, title: Title, tasks: Tasks, learning_outcomes: Outcomes, hours_per_week: HoursAWeek, starts_on: StartsOn,
    ends_on: EndsOn, places: Places, apply_by: ApplyBy, language: Speaks, isced_f: IscedF, supervisor_name: SupervisorName, supervisor_email: SupervisorEmail,
    code: Annotated[str, Ask(_("Code"), _("Your own, for example DATA-1."), limit=64)],
    cefr: Cefr = "", level: Level = "bachelor", core_from: CoreFrom = None, core_to: CoreTo = None, pay_period: PayPeriod = "none", pay: Pay = None,
    currency: Currency = "", equipment: Equipment = "", bandwidth: Bandwidth = "video", accessibility: Accessibility = {}, respond_hours: RespondHours = 120,  # noqa: B006 -- never changed
) -> Vacancy:  # fmt: skip
    """Describe work for students, as a draft. It can be published once the host is vetted."""
    organisation = host.organisation
    if organisation is None:
        raise Refused(not_vetted())
    Invalid.because(_problems(host, now, locals()))
    opportunity = catalogue.add_opportunity(
        organisation, by=SYSTEM, now=now, code=code, title=title, description=tasks, learning_outcomes=learning_outcomes, accessibility=accessibility,
        isced_f=isced_f, level=level, credits=Decimal(0), credit_system=organisation.credit_system, language=language, cefr=cefr, category=CATEGORY,
    )  # fmt: skip
    offering = catalogue.add_offering(
        opportunity, by=SYSTEM, now=now, code=f"{starts_on:%Y-%m}", seats=places, starts_on=starts_on, ends_on=ends_on, zone=host.zone, bandwidth=bandwidth,
        mode="mixed" if core_from else "asynchronous",
    )  # fmt: skip
    vacancy = Vacancy(
        host=host, organisation=organisation, offering=offering, hours_per_week=hours_per_week, core_from=core_from, core_to=core_to, pay=pay if pay_period != "none" else None,
        currency=currency.upper(), pay_period=pay_period, equipment=equipment, supervisor_name=supervisor_name, supervisor_email=supervisor_email.strip().lower(),
        apply_by=apply_by, respond_hours=respond_hours,
    )  # fmt: skip
    vacancy.save()
    return vacancy


@action("edit", on=Vacancy, label=_("Edit"), allow=HOST_OFFICE, step=VACANCY_STEPS["edit"])
def edit_vacancy(
    vacancy: Vacancy, *, by: Actor, now: datetime, title: Title, tasks: Tasks, learning_outcomes: Outcomes, hours_per_week: HoursAWeek, starts_on: StartsOn,
    ends_on: EndsOn, places: Places, apply_by: ApplyBy, language: Speaks, isced_f: IscedF, supervisor_name: SupervisorName, supervisor_email: SupervisorEmail,
    cefr: Cefr = "", level: Level = "bachelor", core_from: CoreFrom = None, core_to: CoreTo = None, pay_period: PayPeriod = "none", pay: Pay = None,
    currency: Currency = "", equipment: Equipment = "", bandwidth: Bandwidth = "video", accessibility: Accessibility = {}, respond_hours: RespondHours = 120,  # noqa: B006 -- never changed
) -> Vacancy:  # fmt: skip
    """Give the whole vacancy anew: what is left out becomes empty. What was promised to those who applied may not become less."""
    problems = _problems(vacancy.host, now, locals())
    if vacancy.applications.filter(submitted_at__isnull=False).exists():
        problems += _worse(vacancy, apply_by, pay_period, pay)
    Invalid.because(problems)
    offering, opportunity = vacancy.offering, vacancy.offering.opportunity
    catalogue.edit_opportunity(
        opportunity, by=SYSTEM, now=now, title=title, credits=Decimal(0), language=language, level=level, isced_f=isced_f, credit_system=opportunity.credit_system,
        cefr=cefr, description=tasks, learning_outcomes=learning_outcomes, accessibility=accessibility,
    )  # fmt: skip
    catalogue.edit_offering(
        offering, by=SYSTEM, now=now, seats=places, starts_on=starts_on, ends_on=ends_on, mode="mixed" if core_from else "asynchronous", bandwidth=bandwidth, zone=offering.zone,
    )  # fmt: skip
    vacancy.hours_per_week, vacancy.core_from, vacancy.core_to = hours_per_week, core_from, core_to
    vacancy.pay, vacancy.currency, vacancy.pay_period = (pay if pay_period != "none" else None), currency.upper(), pay_period
    vacancy.equipment, vacancy.apply_by, vacancy.respond_hours = equipment, apply_by, respond_hours
    vacancy.supervisor_name, vacancy.supervisor_email = supervisor_name, supervisor_email.strip().lower()
    vacancy.save()
    return vacancy


@action("publish", on=Vacancy, label=_("Publish"), allow=HOST_OFFICE, step=VACANCY_STEPS["publish"], tone="primary")
def publish(vacancy: Vacancy, *, by: Actor, now: datetime) -> Vacancy:
    """Let everybody find it. Refused while the host is not vetted, or when its last day to apply has passed."""
    reasons = [] if vacancy.host.is_vetted_on(now.date()) else [not_vetted()]
    if vacancy.apply_by <= now:
        reasons.append(Reason("apply-by-past", N_("The closing of applications lies in the past."), {}, "apply_by"))
    Refused.because(reasons)
    catalogue.publish_opportunity(vacancy.offering.opportunity, by=SYSTEM, now=now)
    vacancy.offering.refresh_from_db()
    catalogue.publish_offering(vacancy.offering, by=SYSTEM, now=now)
    return vacancy


@action("withdraw", on=Vacancy, label=_("Withdraw"), allow=HOST_OFFICE, step=VACANCY_STEPS["withdraw"], tone="warning")
def withdraw_vacancy(
    vacancy: Vacancy, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why? (those who applied read this)"), kind="long_text", limit=2000)],
) -> Vacancy:  # fmt: skip
    """Take it back. Whoever applied is told; placements that were accepted stay."""
    from vsm.exchange.placements.actions.selecting import not_select, withdraw_offer

    for application in PlacementApplication.objects.filter(vacancy=vacancy, state__in=[ApplicationState.SUBMITTED, ApplicationState.SHORTLISTED]):
        not_select(application, by=SYSTEM, now=now, because=because)
    for application in PlacementApplication.objects.filter(vacancy=vacancy, state=ApplicationState.OFFERED):
        withdraw_offer(application, by=SYSTEM, now=now, because=because)
    if vacancy.offering.opportunity.state == "published":
        catalogue.withdraw_opportunity(vacancy.offering.opportunity, by=SYSTEM, now=now, because=because)
    return vacancy


def _problems(host: Host, now: datetime, given: dict[str, Any]) -> list[Reason]:
    work = Work(**{name: given[name] for name in Work.__dataclass_fields__})
    missing = [name for name in ("title", "tasks", "learning_outcomes") if not any(text.strip() for text in given[name].values())]
    return [
        *vacancy_problems(work, now, limit_for(host.country, on=now.date())),
        *(Reason("text-missing", N_("Write it in at least one language."), {}, name) for name in missing),
    ]


def _worse(vacancy: Vacancy, apply_by: datetime, pay_period: str, pay: Decimal | None) -> list[Reason]:
    found = []
    if apply_by < vacancy.apply_by:
        found.append(Reason("apply-by-earlier", N_("Students count on the day until which they may apply: it can only become later."), {}, "apply_by"))
    if vacancy.pay and (pay_period != vacancy.pay_period or (pay or 0) < vacancy.pay):
        found.append(Reason("pay-less", N_("Students have applied for %(pay)s: it cannot become less."), {"pay": vacancy.pay}, "pay"))
    return found
