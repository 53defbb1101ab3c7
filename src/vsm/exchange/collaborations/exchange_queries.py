"""What doors and actions read about exchanges, participants, tasks, submissions and check-ins."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from vsm import rulebook
from vsm.exchange.collaborations.models import (
    CheckIn,
    Exchange,
    ExchangeTask,
    ExchangeTeam,
    Participant,
    PlanVersion,
    RosterFile,
    Submission,
)
from vsm.exchange.collaborations.rules import KINDS, PHASE_WORDS, SIDE_WORDS, Achieved, Side
from vsm.exchange.collaborations.states import ExchangeState, ParticipantState
from vsm.exchange.collaborations.warning import Limits, Signs, Standing, early_warning
from vsm.exchange.institutions.queries import name_of, organisation_ref
from vsm.exchange.people.queries import language_level_told, language_levels
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.kit.saying import day_text, wall_text

EXCHANGE_STATES = {
    "planning": (_("Being planned"), "neutral"), "signing": (_("Plan to be signed"), "warn"), "agreed": (pgettext_lazy("exchange", "Agreed"), "info"),
    "running": (_("Running"), "good"), "finished": (pgettext_lazy("exchange", "Finished"), "neutral"), "cancelled": (pgettext_lazy("exchange", "Cancelled"), "bad"),
}  # fmt: skip
PARTICIPANT_STATES = {
    "active": (_("Taking part"), "good"), "left": (pgettext_lazy("participant", "Left"), "neutral"), "completed": (pgettext_lazy("participant", "Completed"), "good"),
    "incomplete": (_("Ended without certificate"), "neutral"),
}  # fmt: skip
ROSTER_STATES = {"checked": (_("Checked, not applied yet"), "warn"), "refused": (_("Lines to correct"), "bad"), "applied": (_("Applied"), "good")}


def exchange_title(exchange: Any) -> str:
    return text_in(exchange.title, get_language() or "en")


def team_name(number: int) -> str:
    return _now("Team %(number)s") % {"number": number}


def exchange_ref(exchange: Any) -> Ref:
    return Ref("exchange", exchange.pk, exchange_title(exchange))


def signing_sides(exchange: Exchange, actor: Actor) -> tuple[str, ...]:
    """The classes that this person teaches: only a teacher signs, for their own class."""
    if actor.person_id is None:
        return ()
    teachers = {Side.FIRST.value: exchange.first_teacher_id, Side.SECOND.value: exchange.second_teacher_id}
    return tuple(side for side, teacher in teachers.items() if teacher == actor.person_id)


def managed_sides(exchange: Exchange, actor: Actor) -> tuple[str, ...]:
    """The classes whose roster this person keeps: the teacher, and the class's own office."""
    offices = {Side.FIRST.value: exchange.first_id, Side.SECOND.value: exchange.second_id}
    taught = signing_sides(exchange, actor)
    return tuple(side for side, office in offices.items() if side in taught or actor.is_system or actor.holds("coordinator", office))


def side_choices(exchange: Any, actor: Actor) -> list[tuple[str, str]]:
    return [(side, side_label(exchange, side)) for side in managed_sides(exchange, actor)]


def side_label(exchange: Any, side: str) -> str:
    return name_of(exchange.first if side == Side.FIRST else exchange.second)


def signed_sides(version: PlanVersion) -> dict[str, UUID]:
    """Side → who signed this version."""
    return {each.side: each.person_id for each in version.signatures.all()}


def is_asked_to_sign(exchange: Exchange, actor: Actor) -> bool:
    """Whether the plan is presented and the signature of a class that this person teaches is missing."""
    return any(side in exchange.waiting_for.split() for side in signing_sides(exchange, actor))


def is_facilitator(exchange: Exchange, actor: Actor) -> bool:
    return bool(signing_sides(exchange, actor)) or actor.is_system


def shown_name(participant: Participant, actor: Actor) -> str:
    """The name for one's own class, oneself, and everybody once it is shared; else the code."""
    known = participant.shares_name or participant.person_id == actor.person_id or participant.side in managed_sides(participant.exchange, actor)
    return participant.person.name if known else participant.code


def named_among(participant: Participant, reader: Participant) -> str:
    """What one participant is called to another: classmates know each other, the partner class by consent."""
    known = participant.shares_name or participant.side == reader.side
    return participant.person.name if known else participant.code


def limits_on(on: date) -> Limits:
    """The early warning's limits of that day."""
    value = {slug: int(rulebook.threshold(slug).at(on).value) for slug in LIMIT_SLUGS}
    return Limits(
        check_ins_watch=value["missed-check-ins-watch"], check_ins_act=value["missed-check-ins-act"], tasks_watch=value["missed-tasks-watch"],
        tasks_act=value["missed-tasks-act"], low=value["low-check-in-answer"], quiet_days=value["quiet-days-after-contact"],
    )  # fmt: skip


LIMIT_SLUGS = (
    "missed-check-ins-watch", "missed-check-ins-act", "missed-tasks-watch", "missed-tasks-act", "low-check-in-answer", "quiet-days-after-contact",
)  # fmt: skip


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def local_day(exchange: Exchange, now: datetime) -> date:
    """Today on the wall of the exchange's zone: a check-in's week is the same for everybody in it."""
    return now.astimezone(ZoneInfo(exchange.zone)).date()


def weeks_over(exchange: Exchange, participant: Participant, now: datetime) -> list[date]:
    """The Mondays of the weeks in which a check-in was asked of this participant and that are over."""
    if exchange.starts_on is None or exchange.ends_on is None or exchange.started_at is None:
        return []
    begins = max(exchange.starts_on, local_day(exchange, exchange.started_at), local_day(exchange, participant.joined_at))
    last = min(local_day(exchange, now), exchange.ends_on + timedelta(days=1), local_day(exchange, participant.left_at) if participant.left_at else date.max)
    week, found = monday_of(begins), []
    while week + timedelta(days=7) <= last or (week < last and exchange.ends_on < local_day(exchange, now) and week <= exchange.ends_on):
        found.append(week)
        week += timedelta(days=7)
    return found


def asks_check_in(participant: Participant, now: datetime) -> date | None:
    """The Monday of the week whose check-in this participant has still to make; None when nothing is asked."""
    exchange = participant.exchange
    if exchange.state != ExchangeState.RUNNING or participant.state != ParticipantState.ACTIVE:
        return None
    today = local_day(exchange, now)
    if exchange.starts_on is None or exchange.ends_on is None or not monday_of(exchange.starts_on) <= today <= exchange.ends_on:
        return None
    week = monday_of(today)
    return None if participant.check_ins.filter(week=week).exists() else week


@dataclass(frozen=True)
class Watched:
    """One participant as the facilitators' list shows them."""

    participant: Participant
    standing: Standing
    achieved: Achieved
    contacts: tuple[Any, ...]


def watched(exchange: Exchange, now: datetime, *, states: Iterable[str] = (ParticipantState.ACTIVE,)) -> list[Watched]:
    """Everybody with what the early warning says, the most urgent first. A fixed number of queries."""
    people = list(exchange.participants.filter(state__in=list(states)).select_related("person", "exchange__first", "exchange__second").prefetch_related("contacts__by"))
    check_ins: dict[UUID, dict[date, CheckIn]] = defaultdict(dict)
    for each in CheckIn.objects.filter(participant__exchange=exchange):
        check_ins[each.participant_id][each.week] = each
    handed = handed_in(exchange)
    tasks = list(exchange.tasks.filter(is_planned=True).order_by("due_at", "key"))
    limits = limits_on(now.date())
    found = []
    for person in people:
        asked = weeks_over(exchange, person, now)
        made = [check_ins[person.pk].get(week) for week in asked]
        current = check_ins[person.pk].get(monday_of(local_day(exchange, now)))
        answers = [(each.team_works, each.keeps_up) if each else None for each in made]
        if current and monday_of(local_day(exchange, now)) not in asked:
            answers.append((current.team_works, current.keeps_up))
        due = [task for task in tasks if task.due_at <= now and task.due_at > person.joined_at]
        missed = [task.title for task in due if task.pk not in handed[person.pk]]
        latest = current or next((each for each in reversed(made) if each), None)
        contacts = tuple(person.contacts.all())
        signs = Signs(
            check_ins=answers, missed_tasks=missed, wants_help=bool(latest and latest.wants_help and not any(each.at > latest.at for each in contacts)),
            contacted_at=contacts[0].at if contacts else None, contacts=len(contacts),
        )  # fmt: skip
        achieved = Achieved(
            tasks_due=len(due), tasks_done=len(due) - len(missed), weeks=len(asked), check_ins=sum(each is not None for each in made),
            reflected=any(task.phase == "reflection" and task.pk in handed[person.pk] for task in tasks),
        )  # fmt: skip
        found.append(Watched(person, early_warning(signs, limits, now), achieved, contacts))
    urgency = {"act": 0, "watch": 1, "fine": 2}
    return sorted(found, key=lambda each: (urgency[each.standing.level], each.participant.code))


def handed_in(exchange: Exchange) -> dict[UUID, set[UUID]]:
    """Participant → the tasks that were handed in by them or, while they were in it, by their team."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for task, participant in Submission.objects.filter(task__exchange=exchange).values_list("task_id", "participant_id"):
        found[participant].add(task)
    for task, member in Submission.members.through.objects.filter(submission__task__exchange=exchange).values_list("submission__task_id", "participant_id"):
        found[member].add(task)
    return found


def own_participations(person_id: UUID) -> Any:
    """The exchanges somebody takes part in, the running ones first."""
    return Participant.objects.filter(person_id=person_id).exclude(state=ParticipantState.LEFT).select_related("exchange__first", "exchange__second").order_by("-exchange__starts_on")


def _waiting(exchange: Any) -> list[str]:
    return [side_label(exchange, side) for side in exchange.waiting_for.split()]


def _plan_json(exchange: Any) -> Any:
    version = exchange.version_in_force or exchange.current_version
    return version.content if version else {}


def _organisation_filter(found: Any, value: str) -> Any:
    return found.filter(Q(first_id=UUID(value)) | Q(second_id=UUID(value)))


def _organisation_choices(actor: Actor) -> list[tuple[str, str]]:
    shown = Exchange.objects.visible_to(actor).select_related("first", "second")[:500]
    return sorted({(str(o.pk), name_of(o)) for each in shown for o in (each.first, each.second)}, key=lambda pair: pair[1])


EXCHANGE = resource(
    Resource(
        "exchange", "exchanges", Exchange, _("Exchange of two classes"), _("Exchanges"), exchange_title,
        fields=(
            Shown("title", _("Title"), lambda e: e.title, "localized", listed=True),
            Shown("first", _("First institution"), lambda e: organisation_ref(e.first), "ref", listed=True, sort="first__schac"),
            Shown("second", _("Second institution"), lambda e: organisation_ref(e.second), "ref", listed=True, sort="second__schac"),
            Shown("teachers", _("Teachers"), lambda e: [e.first_teacher.name, e.second_teacher.name], "list", listed=True),
            Shown("state", _("State"), lambda e: e.state, "state", listed=True, sort="state"),
            Shown("waiting_for", _("Signature missing of"), _waiting, "list"),
            Shown("starts_on", _("Starts"), lambda e: e.starts_on, "date", listed=True, sort="starts_on"),
            Shown("ends_on", _("Ends"), lambda e: e.ends_on, "date", listed=True, sort="ends_on"),
            Shown("zone", _("Time zone"), lambda e: e.zone, "zone"),
            Shown("balanced_at", _("Teams balanced again"), lambda e: e.balanced_at, "moment"),
            Shown("moved", _("Students who moved to another team then"), lambda e: e.moved, "integer"),
            Shown("version_in_work", _("Current version"), lambda e: e.current or None, "integer"),
            Shown("signed_version", _("Version in force"), lambda e: e.signed_version or None, "integer"),
            Shown("digest", _("Fingerprint of the current version"), lambda e: e.current_version.digest if e.current_version else "", "digest"),
            Shown("plan", _("Exchange plan"), _plan_json, "json", detail=False),
        ),
        filters=(
            state_filter(EXCHANGE_STATES),
            Filter("organisation", _("Institution"), _organisation_filter, choices=_organisation_choices),
        ),
        related=("first", "second", "first_teacher", "second_teacher", "invitation"), prefetch=("versions__signatures__person",), states=EXCHANGE_STATES,
        sections=(
            Section(_("Tasks"), "exchange_task", lambda e: {"exchange": e, "is_planned": True}),
            Section(_("Teams"), "exchange_team", lambda e: {"exchange": e}),
            Section(_("Participants"), "participant", lambda e: {"exchange": e}),
            Section(_("Class lists read"), "roster_file", lambda e: {"exchange": e}),
        ),
        empty=_("An exchange opens when two teachers want the same one: publish a partner wish and invite."),
    )
)  # fmt: skip

PARTICIPANT = resource(
    Resource(
        "participant", "participants", Participant, _("Participant"), _("Participants"), lambda p: p.person.name,
        fields=(
            Shown("person", _("Name"), lambda p: p.person.name, listed=True, sort="person__folded"),
            Shown("code", _("Code"), lambda p: p.code, listed=True, sort="code"),
            Shown("exchange", _("Exchange"), lambda p: exchange_ref(p.exchange), "ref", listed=True),
            Shown("class", _("Class"), lambda p: side_label(p.exchange, p.side), listed=True, sort="side"),
            Shown("team", _("Team"), lambda p: Ref("exchange_team", p.team_id, team_name(p.team.number)) if p.team else None, "ref", listed=True, sort="team__number"),
            Shown("state", _("State"), lambda p: p.state, "state", listed=True, sort="state"),
            Shown("shares_name", _("Shares the name with the partner class"), lambda p: p.shares_name, "bool", listed=True),
            Shown("zone", _("Time zone"), lambda p: p.zone, "zone"),
            Shown("languages", _("Languages (CEFR)"), lambda p: language_levels(p.languages), "list", words=language_level_told),
            Shown("skills", _("Skills"), lambda p: p.skills, "list"),
            Shown("joined_at", _("Joined"), lambda p: p.joined_at, "moment"),
            Shown("left_at", _("Left"), lambda p: p.left_at, "moment"),
            Shown("because", _("Why"), lambda p: p.because, "long_text"),
            Shown("home_credits", _("Credits recognised at home"), lambda p: p.home_credits, "number"),
            Shown("home_code", _("Code at home"), lambda p: p.home_code),
        ),
        filters=(
            state_filter(PARTICIPANT_STATES),
            Filter("side", _("Class"), lambda found, value: found.filter(side=value), choices=lambda _actor: [(side, _now(word)) for side, word in SIDE_WORDS.items()]),
            Filter("shares_name", _("Shares the name"), lambda found, value: found.filter(shares_name=value == "yes"), choices=lambda _actor: [("yes", _now("yes")), ("no", _now("no"))]),
        ),
        order="code", related=("person", "team", "exchange__first", "exchange__second", "exchange__first_teacher", "exchange__second_teacher"), states=PARTICIPANT_STATES,
        sections=(Section(_("Check-ins"), "check_in", lambda p: {"participant": p}),),
        empty=_("Nobody takes part yet: read in the class lists."),
    )
)  # fmt: skip

EXCHANGE_TEAM = resource(
    Resource(
        "exchange_team", "exchange-teams", ExchangeTeam, _("Team"), _("Teams"), lambda t: team_name(t.number),
        fields=(
            Shown("name", _("Team"), lambda t: team_name(t.number), listed=True, sort="number"),
            Shown("exchange", _("Exchange"), lambda t: exchange_ref(t.exchange), "ref", listed=True),
            Shown("students", _("Students"), lambda t: len([m for m in t.members.all() if m.state == ParticipantState.ACTIVE]), "integer", listed=True),
            Shown("codes", _("Who is in it"), lambda t: [m.code for m in t.members.all() if m.state == ParticipantState.ACTIVE], "list"),
            Shown("zones", _("Time zones"), lambda t: sorted({m.zone for m in t.members.all() if m.state == ParticipantState.ACTIVE}), "list", listed=True),
            Shown("formed_at", _("Formed"), lambda t: t.formed_at, "moment"),
        ),
        order="number", related=("exchange__first", "exchange__second"), prefetch=("members",),
        empty=_("No teams have been formed yet."),
    )
)  # fmt: skip

ROSTER_FILE = resource(
    Resource(
        "roster_file", "roster-files", RosterFile, _("Class list"), _("Class lists"), lambda r: r.name,
        fields=(
            Shown("name", _("File"), lambda r: r.name, listed=True, sort="name"),
            Shown("exchange", _("Exchange"), lambda r: exchange_ref(r.exchange), "ref", listed=True),
            Shown("class", _("Class"), lambda r: side_label(r.exchange, r.side), listed=True),
            Shown("state", _("State"), lambda r: r.state, "state", listed=True, sort="state"),
            Shown("new", _("New"), lambda r: r.new, "integer", listed=True),
            Shown("changed", _("Changed"), lambda r: r.changed, "integer", listed=True),
            Shown("unchanged", _("Unchanged"), lambda r: r.unchanged, "integer", listed=True),
            Shown("problems", _("Lines to correct"), lambda r: [f"{line}: {text}" for line, _code, text in r.problems], "list"),
            Shown("digest", _("Fingerprint of the file"), lambda r: r.digest, "digest"),
        ),
        filters=(state_filter(ROSTER_STATES),), related=("exchange__first", "exchange__second"), states=ROSTER_STATES,
    )
)  # fmt: skip

EXCHANGE_TASK = resource(
    Resource(
        "exchange_task", "exchange-tasks", ExchangeTask, _("Task"), _("Tasks"), lambda t: t.title,
        fields=(
            Shown("title", _("Title"), lambda t: t.title, listed=True, sort="title"),
            Shown("exchange", _("Exchange"), lambda t: exchange_ref(t.exchange), "ref"),
            Shown("phase", _("Phase"), lambda t: t.phase, listed=True, sort="phase", words=PHASE_WORDS),
            Shown("kind", _("Who hands it in"), lambda t: t.kind, listed=True, sort="kind", words=KINDS),
            Shown("due_at", _("Due"), lambda t: t.due_at, "moment", listed=True, sort="due_at"),
            Shown("wall_due", _("Due on the plan’s clock"), lambda t: f"{wall_text(t.due_at, ZoneInfo(t.exchange.zone))} ({t.exchange.zone})"),
            Shown("hours", _("Hours"), lambda t: t.hours, listed=True),
            Shown("instructions", _("Instructions"), lambda t: t.instructions, "long_text"),
        ),
        filters=(
            Filter("phase", _("Phase"), lambda found, value: found.filter(phase=value), choices=lambda _actor: [(slug, _now(word)) for slug, word in PHASE_WORDS.items()]),
        ),
        order="due_at", related=("exchange__first", "exchange__second"), prefetch=("exchange__participants",),
        sections=(Section(_("Handed in"), "submission", lambda t: {"task": t}),),
    )
)  # fmt: skip

SUBMISSION = resource(
    Resource(
        "submission", "submissions", Submission, _("Submission"), _("Submissions"), lambda s: f"{s.task.title} · {s.team_name or s.participant.code}",
        fields=(
            Shown("task", _("Task"), lambda s: Ref("exchange_task", s.task_id, s.task.title), "ref", listed=True, sort="task__title"),
            Shown("by", _("Handed in by"), lambda s: s.team_name or s.participant.code, listed=True),
            Shown("at", _("At"), lambda s: s.at, "moment", listed=True, sort="at"),
            Shown("is_late", _("Late"), lambda s: s.is_late, "bool", listed=True, sort="is_late"),
            Shown("text", _("Text"), lambda s: s.text, "long_text"),
            Shown("link", _("Link"), lambda s: s.link),
            Shown("file", _("File"), lambda s: s.file_name),
        ),
        filters=(Filter("late", _("Late"), lambda found, value: found.filter(is_late=value == "yes"), choices=lambda _actor: [("yes", _now("yes")), ("no", _now("no"))]),),
        order="-at", related=("task__exchange", "participant"),
    )
)  # fmt: skip

CHECK_IN = resource(
    Resource(
        "check_in", "check-ins", CheckIn, _("Check-in"), _("Check-ins"), lambda c: f"{c.participant.code} · {day_text(c.week)}",
        fields=(
            Shown("participant", _("Participant"), lambda c: Ref("participant", c.participant_id, c.participant.code), "ref", listed=True),
            Shown("week", _("Week of"), lambda c: c.week, "date", listed=True, sort="week"),
            Shown("team_works", _("The team works well (1–5)"), lambda c: c.team_works, "integer", listed=True, sort="team_works"),
            Shown("keeps_up", _("I can keep up (1–5)"), lambda c: c.keeps_up, "integer", listed=True, sort="keeps_up"),
            Shown("wants_help", _("Asks for help"), lambda c: c.wants_help, "bool", listed=True, sort="wants_help"),
            Shown("words", _("In words"), lambda c: c.words, "long_text"),
        ),
        filters=(Filter("help", _("Asks for help"), lambda found, value: found.filter(wants_help=value == "yes"), choices=lambda _actor: [("yes", _now("yes")), ("no", _now("no"))]),),
        order="-week", related=("participant__exchange",),
    )
)  # fmt: skip
