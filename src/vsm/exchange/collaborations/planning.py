"""The exchange plan: drafted in versions, presented, signed by both teachers, put into force; and what follows from it."""

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from vsm.exchange.catalogue.queries import spoken_choices
from vsm.exchange.collaborations.exchange_queries import is_asked_to_sign, side_label, signed_sides, signing_sides
from vsm.exchange.collaborations.meeting import keep_meetings_within
from vsm.exchange.collaborations.models import Exchange, ExchangeTask, PlanSignature, PlanVersion
from vsm.exchange.collaborations.rules import (
    KINDS,
    MOST_TASKS,
    PHASE_WORDS,
    Period,
    Phase,
    Plan,
    Side,
    Task,
    as_json,
    differences,
    digest_of,
    told,
    wall_of,
    why_incomplete,
    why_not_sign,
)
from vsm.exchange.collaborations.states import EXCHANGE_STEPS, ExchangeState
from vsm.exchange.people.models import is_zone, zones
from vsm.exchange.sessions.rules import resolve
from vsm.kit.actions import Ask, action
from vsm.kit.actors import Actor
from vsm.kit.errors import Conflict, Invalid, NotAllowed, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

TEACHERS = ("self@first_teacher", "self@second_teacher")
Localized = dict[str, str]
END_OF_DAY = time(23, 59)


class PhaseRow(BaseModel):
    """When a phase runs, both days included."""

    phase: Annotated[Literal["icebreaker", "collaboration", "reflection"], Ask(_("Phase"), choices=lambda _r, _a: [(slug, _now(word)) for slug, word in PHASE_WORDS.items()])]
    starts_on: Annotated[date, Ask(_("From"))]
    ends_on: Annotated[date, Ask(_("Until"))]


class TaskRow(BaseModel):
    """A task. An empty code makes a new one; keep the code of a task that only changes."""

    code: Annotated[str, Ask(_("Code"), limit=8)] = Field(default="", max_length=8)
    title: Annotated[str, Ask(_("Task"), limit=200)] = Field(max_length=200)
    phase: Annotated[Literal["icebreaker", "collaboration", "reflection"], Ask(_("Phase"), choices=lambda _r, _a: [(slug, _now(word)) for slug, word in PHASE_WORDS.items()])] = "collaboration"
    kind: Annotated[Literal["team", "individual"], Ask(_("Who hands it in"), choices=lambda _r, _a: [(slug, _now(word)) for slug, word in KINDS.items()])] = "team"
    due_on: Annotated[date, Ask(_("Due on"))]
    due_time: Annotated[time, Ask(_("At"))] = END_OF_DAY
    hours: Annotated[str, Ask(_("Hours"), limit=6)] = Field(default="", max_length=6)
    instructions: Annotated[str, Ask(_("Instructions"), limit=1000)] = Field(default="", max_length=1000)


def _plan(exchange: Any) -> Plan | None:
    version = exchange.current_version
    return version.text if version else None


def _from_plan(name: str, otherwise: Any = "") -> Any:
    """What a form field begins with: what the current version says."""

    def start(exchange: Any, _actor: Actor) -> Any:
        plan = _plan(exchange)
        return getattr(plan, name) if plan else otherwise

    return start


def _phases(exchange: Any, _actor: Actor) -> list[PhaseRow]:
    plan = _plan(exchange)
    return [PhaseRow.model_validate(vars(each)) for each in plan.phases] if plan else []


def _tasks(exchange: Any, _actor: Actor) -> list[TaskRow]:
    plan = _plan(exchange)
    if plan is None:
        return []
    return [
        TaskRow.model_validate(
            {**{name: getattr(each, name) for name in ("title", "phase", "kind", "hours", "instructions")}, "code": each.key, "due_on": each.due[:10], "due_time": each.due[11:]}
        )
        for each in plan.tasks
    ]


def _side_fact(side: Side, name: str) -> Any:
    def start(exchange: Any, _actor: Actor) -> Any:
        plan = _plan(exchange)
        return getattr(plan, side.value).get(name, "") if plan else ""

    return start


def _languages(exchange: Any, _actor: Actor) -> list[str]:
    plan = _plan(exchange)
    wishes = exchange.invitation.wish, exchange.invitation.partner
    return list(plan.languages) if plan else sorted(set(wishes[0].languages) & set(wishes[1].languages))


def _tools(exchange: Any, _actor: Actor) -> list[str]:
    plan = _plan(exchange)
    wishes = exchange.invitation.wish, exchange.invitation.partner
    return list(plan.tools) if plan else sorted(set(wishes[0].tools) & set(wishes[1].tools))


def _title(exchange: Any, _actor: Actor) -> Localized:
    plan = _plan(exchange)
    return dict(plan.title) if plan else exchange.title


def _zone(exchange: Any, _actor: Actor) -> str:
    plan = _plan(exchange)
    return plan.zone if plan else exchange.zone


def _hours(exchange: Any, _actor: Actor) -> Any:
    plan = _plan(exchange)
    return plan.hours if plan else min(exchange.invitation.wish.hours, exchange.invitation.partner.hours)


def _number(name: str, otherwise: int) -> Any:
    def start(exchange: Any, _actor: Actor) -> int:
        plan = _plan(exchange)
        return int(getattr(plan, name)) if plan else otherwise

    return start


def _fingerprint(exchange: Any, _actor: Actor) -> str:
    version = exchange.current_version
    return version.digest if version else ""


@action("draft_plan", on=Exchange, label=_("Draft the plan"), allow=TEACHERS, step=EXCHANGE_STEPS["draft_plan"], tone="primary", due=lambda exchange: not exchange.current)
def draft_plan(
    exchange: Exchange, *, by: Actor, now: datetime,
    title: Annotated[Localized, Ask(_("Title"), kind="localized", start=_title)],
    zone: Annotated[str, Ask(_("Time zone of the plan"), _("Due times are kept on this clock; everybody reads them on their own."), choices=lambda _r, _a: [(zone, zone.replace("_", " ")) for zone in sorted(zones())], start=_zone)],
    languages: Annotated[list[str], Ask(_("Languages of the exchange"), choices=spoken_choices, start=_languages)],
    tools: Annotated[list[str], Ask(_("Tools"), _("One a line."), start=_tools)],
    phases: Annotated[list[PhaseRow], Ask(_("Phases"), _("Icebreaker, collaboration, reflection: each begins after the one before."), start=_phases)],
    tasks: Annotated[list[TaskRow], Ask(_("Tasks"), _("An empty code makes a new task; keep the code of one that only changes."), start=_tasks)],
    hours: Annotated[Decimal, Ask(_("Hours for each student"), start=_hours)],
    facilitation: Annotated[str, Ask(_("Facilitation"), _("Who facilitates which team, and how students reach them."), kind="long_text", limit=4000, start=_from_plan("facilitation"))],
    assessment: Annotated[str, Ask(_("Assessment"), _("What counts in each class, and who marks it."), kind="long_text", limit=4000, start=_from_plan("assessment"))],
    conduct: Annotated[str, Ask(_("Code of conduct"), _("Students agree to it when they join."), kind="long_text", limit=4000, start=_from_plan("conduct"))],
    first_counts_as: Annotated[str, Ask(_("First class: counts as"), _("A course or part of it at that home; empty if it counts for nothing."), limit=255, start=_side_fact(Side.FIRST, "counts_as"))] = "",
    first_credits: Annotated[str, Ask(_("First class: credits at home"), _("Empty: no credit."), limit=8, start=_side_fact(Side.FIRST, "credits"))] = "",
    second_counts_as: Annotated[str, Ask(_("Second class: counts as"), limit=255, start=_side_fact(Side.SECOND, "counts_as"))] = "",
    second_credits: Annotated[str, Ask(_("Second class: credits at home"), _("Empty: no credit."), limit=8, start=_side_fact(Side.SECOND, "credits"))] = "",
    share_tasks: Annotated[int, Ask(_("Share of tasks for a certificate (per cent)"), start=_number("share_tasks", 70))] = 70,
    share_check_ins: Annotated[int, Ask(_("Share of check-ins for a certificate (per cent)"), start=_number("share_check_ins", 60))] = 60,
    needs_reflection: Annotated[bool, Ask(_("A reflection is needed for a certificate"), start=_from_plan("needs_reflection", True))] = True,
    because: Annotated[str, Ask(_("Why is it changed?"), _("Both teachers read this."), kind="long_text", limit=2000)] = "",
) -> Exchange:  # fmt: skip
    """Write the next version of the plan. A version already signed by both stays in force until this one is signed.

    Signatures under earlier versions do not count for it.
    """
    Invalid.because(_unusable(zone=zone, phases=phases, tasks=tasks, hours=hours, credits={"first_credits": first_credits, "second_credits": second_credits}, shares={"share_tasks": share_tasks, "share_check_ins": share_check_ins}, title=title))
    before = exchange.current_version
    facts: dict[str, Any] = {
        "first": _side(exchange, Side.FIRST, first_counts_as, first_credits), "second": _side(exchange, Side.SECOND, second_counts_as, second_credits),
        "title": {code: text for code, text in title.items() if text}, "zone": zone, "languages": tuple(languages), "tools": tuple(tools), "hours": _amount(str(hours)),
        "phases": tuple(Period(phase=row.phase, starts_on=row.starts_on.isoformat(), ends_on=row.ends_on.isoformat()) for row in sorted(phases, key=lambda row: list(Phase).index(Phase(row.phase)))),
        "tasks": _coded(tasks), "facilitation": facilitation.strip(), "assessment": assessment.strip(), "conduct": conduct.strip(),
        "share_tasks": str(share_tasks), "share_check_ins": str(share_check_ins), "needs_reflection": needs_reflection,
    }  # fmt: skip
    plan = Plan(exchange=str(exchange.pk), number=exchange.current + 1, follows=before.digest if before else "", **facts)
    if before and not differences(before.text, plan):
        raise Refused(Reason("unchanged", N_("Nothing differs from version %(number)s, so no new version was made."), {"number": before.number}))
    PlanVersion.objects.create(exchange=exchange, number=plan.number, content=as_json(plan), digest=digest_of(plan), by_id=by.person_id, at=now, because=because)
    exchange.current, exchange.waiting_for = plan.number, ""
    if exchange.state == ExchangeState.SIGNING:
        exchange.state = ExchangeState.PLANNING
    exchange.save()
    return exchange


@action(
    "present_plan", on=Exchange, label=_("Present the plan for signature"), allow=TEACHERS, step=EXCHANGE_STEPS["present_plan"], tone="primary",
    when=lambda e: e.current > e.signed_version and not e.waiting_for,
)  # fmt: skip
def present_plan(exchange: Exchange, *, by: Actor, now: datetime) -> Exchange:
    """Ask both teachers to sign the current version. Refused with everything that is still missing in it."""
    version = _current(exchange)
    if exchange.waiting_for or version.number == exchange.signed_version:
        raise Refused(Reason("presented", N_("This version is presented or in force already. Draft a new one to change it.")))
    Refused.because(why_incomplete(version.text))
    exchange.waiting_for = _missing(version)
    if exchange.state == ExchangeState.PLANNING:
        exchange.state = ExchangeState.SIGNING
    exchange.save()
    emit("exchange.plan_presented", exchange_id=str(exchange.pk))
    return exchange


@action("sign_plan", on=Exchange, label=_("Read and sign the plan"), allow=TEACHERS, step=EXCHANGE_STEPS["sign_plan"], tone="primary", when=lambda e: bool(e.waiting_for), waits_for=is_asked_to_sign)
def sign_plan(
    exchange: Exchange, *, by: Actor, now: datetime,
    digest: Annotated[str, Ask(_("Fingerprint of the text"), _("Of the version that you have read: the signature is bound to it."), kind="hidden", start=_fingerprint, limit=64)],
) -> Exchange:  # fmt: skip
    """Sign the very text whose fingerprint was read, for your class. The second signature puts it into force.

    Conflict, with every difference, when the text has changed since it was read.
    """
    version = _current(exchange)
    _require_presented(exchange)
    sides = signing_sides(exchange, by)
    if not sides or by.person_id is None:
        raise NotAllowed(Reason("not-a-teacher", N_("Only the two teachers sign the plan.")))
    if digest != version.digest:
        raise _stale(exchange, version, digest)
    signed = signed_sides(version)
    side = next((each for each in sides if each not in signed), sides[0])
    Refused.because(why_not_sign(side, sides=sides, signed=signed, person=by.person_id))
    PlanSignature.objects.create(version=version, side=side, person_id=by.person_id, at=now, digest=digest)
    exchange.waiting_for = _missing(version)
    if not exchange.waiting_for:
        _put_in_force(exchange, version, now)
    exchange.save()
    if not exchange.waiting_for:
        emit("exchange.agreed", exchange_id=str(exchange.pk))
    return exchange


@action("return_plan", on=Exchange, label=_("Return the plan for changes"), allow=TEACHERS, step=EXCHANGE_STEPS["return_plan"], when=lambda e: bool(e.waiting_for))
def return_plan(
    exchange: Exchange, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("What should change?"), kind="long_text", limit=2000)],
) -> Exchange:  # fmt: skip
    """Do not sign, and say what should change."""
    _require_presented(exchange)
    exchange.waiting_for = ""
    if exchange.state == ExchangeState.SIGNING:
        exchange.state = ExchangeState.PLANNING
    exchange.save()
    emit("exchange.plan_returned", exchange_id=str(exchange.pk), because=because.strip())
    return exchange


def _put_in_force(exchange: Exchange, version: PlanVersion, now: datetime) -> None:
    """Dates, meetings, title and tasks follow the text: tasks keep their row by their code, so what was handed in stays with them."""
    plan = version.text
    exchange.signed_version, exchange.title, exchange.zone = version.number, dict(plan.title), plan.zone
    exchange.starts_on, exchange.ends_on = plan.starts_on, plan.ends_on
    keep_meetings_within(exchange, first=plan.starts_on, last=plan.ends_on, now=now)
    if exchange.state == ExchangeState.SIGNING:
        exchange.state = ExchangeState.AGREED
    held = {task.key: task for task in exchange.tasks.all()}
    for each in plan.tasks:
        task = held.pop(each.key, None) or ExchangeTask(exchange=exchange, key=each.key)
        task.title, task.phase, task.kind, task.hours, task.instructions = each.title, each.phase, each.kind, each.hours, each.instructions
        task.wall_due, task.is_planned = each.due, True
        task.due_at = resolve(datetime.strptime(each.due, "%Y-%m-%dT%H:%M"), plan.zone).instant  # noqa: DTZ007 -- a wall time, whose zone is the plan's
        task.save()
    for task in held.values():
        task.is_planned = False
        task.save()


def _current(exchange: Exchange) -> PlanVersion:
    version: PlanVersion | None = exchange.current_version
    if version is None:
        raise Refused(Reason("no-version", N_("There is no text yet. Draft a version first.")))
    return version


def _require_presented(exchange: Exchange) -> None:
    if not exchange.waiting_for:
        raise Refused(Reason("not-presented", N_("No version waits for a signature at the moment.")))


def _missing(version: PlanVersion) -> str:
    signed = signed_sides(version)
    return " ".join(side.value for side in Side if side.value not in signed)


def _stale(exchange: Exchange, version: PlanVersion, digest: str) -> Conflict | Invalid:
    read = next((each for each in exchange.versions.all() if each.digest == digest), None)
    if read is None:
        return Invalid(Reason("unknown-digest", N_("This is not the fingerprint of any version of this plan. Open it again and read what you sign."), {}, "digest"))
    text = N_("You read version %(read)s; version %(current)s has taken its place. Nothing was signed. Read what changed, then sign that.")
    return Conflict(Reason("text-changed", text, {"read": read.number, "current": version.number}), *map(told, differences(read.text, version.text)))


def _side(exchange: Exchange, side: Side, counts_as: str, credits_: str) -> dict[str, Any]:
    organisation = exchange.first if side is Side.FIRST else exchange.second
    teacher = exchange.first_teacher if side is Side.FIRST else exchange.second_teacher
    return {
        "organisation": str(organisation.pk), "name": organisation.name, "country": organisation.country, "teacher": str(teacher.pk), "teacher_name": teacher.name,
        "credits": _amount(credits_) if credits_.strip() else "", "credit_system": organisation.credit_system if credits_.strip() else "", "counts_as": counts_as.strip(),
    }  # fmt: skip


def _coded(rows: list[TaskRow]) -> tuple[Task, ...]:
    """Tasks with a code each: given ones are kept, new ones take the next free number."""
    taken, number, made = {row.code.strip() for row in rows}, 0, []
    for row in rows:
        code = row.code.strip()
        while not code:
            number += 1
            code = f"T{number}" if f"T{number}" not in taken else ""
        taken.add(code)
        made.append(
            Task(
                key=code, title=row.title.strip(), phase=row.phase, kind=row.kind, due=wall_of(row.due_on, row.due_time),
                hours=_amount(row.hours) if row.hours.strip() else "", instructions=row.instructions.strip(),
            )
        )  # fmt: skip
    return tuple(sorted(made, key=lambda task: (task.due, task.key)))


def _unusable(
    *, zone: str, phases: list[PhaseRow], tasks: list[TaskRow], hours: Decimal, credits: dict[str, str], shares: dict[str, int], title: Localized,  # noqa: A002 -- the domain's word
) -> Iterable[Reason]:  # fmt: skip
    if not any(title.values()):
        yield Reason("title", N_("Give a title in at least one language."), {}, "title")
    if not is_zone(zone):
        yield Reason("zone", N_("“%(zone)s” is not a time zone of the IANA database (example: America/Lima)."), {"zone": zone}, "zone")
    if not phases:
        yield Reason("phases", N_("Give the days of at least one phase."), {}, "phases")
    if len({row.phase for row in phases}) != len(phases):
        yield Reason("phase-twice", N_("A phase stands twice."), {}, "phases")
    if not hours.is_finite() or not 0 < hours <= 500:
        yield Reason("hours", N_("A number between %(low)s and %(high)s is expected."), {"low": 1, "high": 500}, "hours")
    yield from _unusable_tasks(tasks)
    text = N_("“%(given)s” is not an amount of credits.")
    yield from (Reason("bad-credits", text, {"given": given}, name) for name, given in credits.items() if given.strip() and not _is_amount(given))
    yield from (Reason("share", N_("A share lies between 0 and 100 per cent."), {}, name) for name, share in shares.items() if not 0 <= share <= 100)


def _unusable_tasks(tasks: list[TaskRow]) -> Iterable[Reason]:
    codes = [row.code.strip() for row in tasks if row.code.strip()]
    if len(set(codes)) != len(codes):
        yield Reason("code-twice", N_("Two tasks have the same code."), {}, "tasks")
    if len(tasks) > MOST_TASKS:
        yield Reason("too-many-tasks", N_("At most %(limit)s tasks: students must be able to see the plan whole."), {"limit": MOST_TASKS}, "tasks")
    text = N_("“%(given)s” is not a number of hours.")
    yield from (Reason("task-hours", text, {"given": row.hours}, "tasks") for row in tasks if row.hours.strip() and not _is_amount(row.hours))


def _is_amount(text: str) -> bool:
    try:
        number = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return False
    return number.is_finite() and 0 <= number <= 999


def _amount(text: str) -> str:
    number = Decimal(text.strip().replace(",", "."))
    return format(number.normalize(), "f") if number else "0"


def plan_sides(exchange: Exchange) -> dict[str, str]:
    """Side → its institution's name, for pages."""
    return {side.value: side_label(exchange, side.value) for side in Side}
