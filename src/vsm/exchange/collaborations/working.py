"""What happens while an exchange runs: weekly check-ins, work handed in, facilitators' contacts, start, end, cancelling."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_tasks import task

from vsm.exchange.collaborations.exchange_queries import asks_check_in, local_day, monday_of, watched
from vsm.exchange.collaborations.meeting import cancel_meetings, keep_meetings_within
from vsm.exchange.collaborations.models import (
    CheckIn,
    CheckInReminder,
    Contact,
    Exchange,
    ExchangeTask,
    Participant,
    Submission,
)
from vsm.exchange.collaborations.rules import Side, why_no_certificate
from vsm.exchange.collaborations.states import EXCHANGE_STEPS, PARTICIPANT_STEPS, ExchangeState, ParticipantState
from vsm.exchange.collaborations.teaming import team_of, without_team
from vsm.exchange.collaborations.wishing import release_wish
from vsm.kit import clock, files
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.jobs import every
from vsm.kit.uploads import Upload
from vsm.kit.verdict import Reason

TEACHERS = ("self@first_teacher", "self@second_teacher")
Answer = Literal["1", "2", "3", "4", "5"]


def _scale(low: str, high: str) -> Any:
    return lambda _r, _a: [("", "—"), ("1", f"1 · {_now(low)}"), ("2", "2"), ("3", "3"), ("4", "4"), ("5", f"5 · {_now(high)}")]


@action("check_in", on=Participant, label=_("Weekly check-in"), allow=("self@person",), step=PARTICIPANT_STEPS["check_in"], tone="primary", when=lambda p: p.exchange.state == "running")
def check_in(
    participant: Participant, *, by: Actor, now: datetime,
    team_works: Annotated[Answer, Ask(_("How does your team work together?"), choices=_scale(N_("not at all"), N_("very well")))],
    keeps_up: Annotated[Answer, Ask(_("Can you keep up with the work?"), choices=_scale(N_("not at all"), N_("easily")))],
    wants_help: Annotated[bool, Ask(_("I would like somebody to get in touch with me"))] = False,
    words: Annotated[str, Ask(_("In words, if you like"), _("Only your own teacher reads this."), kind="long_text", limit=1000)] = "",
) -> CheckIn:  # fmt: skip
    """Answer two questions about this week. Answering again in the same week replaces the answer."""
    exchange = participant.exchange
    today = local_day(exchange, now)
    if exchange.state != ExchangeState.RUNNING or exchange.starts_on is None or exchange.ends_on is None or not monday_of(exchange.starts_on) <= today <= exchange.ends_on:
        raise Refused(Reason("not-running", N_("Check-ins are asked between %(starts)s and %(ends)s."), {"starts": exchange.starts_on or "—", "ends": exchange.ends_on or "—"}))
    made = CheckIn.objects.filter(participant=participant, week=monday_of(today)).first() or CheckIn(participant=participant, week=monday_of(today))
    made.team_works, made.keeps_up, made.wants_help, made.words, made.at = int(team_works), int(keeps_up), wants_help, words.strip(), now
    made.save()
    return made


def _is_taking_part(exchange_task: ExchangeTask, actor: Actor) -> bool:
    return any((each.person_id, each.state) == (actor.person_id, ParticipantState.ACTIVE) for each in exchange_task.exchange.participants.all())


@action("hand_in", on=ExchangeTask, label=_("Hand in"), allow=("person",), tone="primary", when=lambda t: t.is_planned and t.exchange.state == "running", waits_for=_is_taking_part)
def hand_in(
    exchange_task: ExchangeTask, *, by: Actor, now: datetime,
    text: Annotated[str, Ask(_("Text"), kind="long_text", limit=20_000)] = "",
    link: Annotated[str, Ask(_("Link"), _("To the document, video or board; it must open for both classes."), limit=200)] = "",
    file: Annotated[Upload | None, Ask(_("File"), _("At most 5 MB."))] = None,
) -> Submission:  # fmt: skip
    """Hand in words, a link or a file, for yourself or for your team. The latest counts; earlier ones are kept.

    After the due time it is taken all the same, and marked as late.
    """
    participant = _participant(exchange_task, by)
    if exchange_task.exchange.state != ExchangeState.RUNNING or not exchange_task.is_planned:
        raise Refused(Reason("not-open", N_("Nothing is handed in here at the moment: the exchange does not run, or the task has left the plan.")))
    Invalid.because(_why_not_taken(text, link, file))
    members, team_name = _team(participant) if exchange_task.kind == "team" else ([participant], "")
    if exchange_task.kind == "team" and not team_name:
        raise Refused(Reason("no-team", N_("You are in no team yet. Ask your teacher; individual tasks can be handed in.")))
    made = Submission(
        task=exchange_task, participant=participant, team_name=team_name, text=text.strip(), link=link.strip(), at=now, is_late=now > exchange_task.due_at,
        file_name=file.name if file else "", file_type=file.media_type if file else "", file_digest=files.put(file.data) if file else "",
    )  # fmt: skip
    made.save()
    made.members.set(members)
    return made


@action("note_contact", on=Participant, label=_("Note a contact"), allow=("self@exchange.first_teacher", "self@exchange.second_teacher"), step=PARTICIPANT_STEPS["note_contact"])
def note_contact(
    participant: Participant, *, by: Actor, now: datetime,
    how: Annotated[str, Ask(_("What was done, and what came of it?"), _("Only the two teachers read this."), limit=500)],
) -> Participant:  # fmt: skip
    """Write down that somebody got in touch, so that nobody asks twice and the next step is clear."""
    if not how.strip():
        raise Invalid(Reason("how", N_("Say in a few words what was done."), {}, "how"))
    if by.person_id is None:
        raise NotAllowed(Reason("not-a-teacher", N_("Only the two teachers note contacts.")))
    Contact.objects.create(participant=participant, by_id=by.person_id, at=now, how=how.strip())
    participant.save()
    return participant


@action("start", on=Exchange, label=_("Start the exchange"), allow=TEACHERS, step=EXCHANGE_STEPS["start"], tone="primary", due=lambda exchange: not any(_why_not_start(exchange, clock.now())))
def start(exchange: Exchange, *, by: Actor, now: datetime) -> Exchange:
    """Open tasks and check-ins for both classes. Refused while a class is empty, somebody has no team, or it is too early."""
    Refused.because(_why_not_start(exchange, now))
    exchange.started_at = now
    emit("exchange.started", exchange_id=str(exchange.pk))
    return exchange


@action("finish", on=Exchange, label=_("Finish the exchange"), allow=TEACHERS, step=EXCHANGE_STEPS["finish"], tone="primary", when=lambda e: e.ends_on is not None and e.ends_on <= clock.now().date())
def finish(exchange: Exchange, *, by: Actor, now: datetime) -> Exchange:
    """Close tasks and check-ins and settle, by the plan's criteria, who has completed. Certificates are a second act."""
    plan = exchange.version_in_force.text if exchange.version_in_force else None
    if plan is None or exchange.ends_on is None:
        raise Refused(Reason("no-plan", N_("There is no plan in force.")))
    if local_day(exchange, now) < exchange.ends_on:
        raise Refused(Reason("too-early", N_("The plan runs until %(ends)s. Sign a new version if it should end before."), {"ends": exchange.ends_on}))
    for each in watched(exchange, now):
        settle = fall_short if list(why_no_certificate(plan, each.achieved)) else complete
        settle(each.participant, by=SYSTEM, now=now)
    exchange.finished_at = now
    keep_meetings_within(exchange, first=exchange.starts_on or exchange.ends_on, last=local_day(exchange, now), now=now)
    emit("exchange.finished", exchange_id=str(exchange.pk))
    return exchange


@action("complete", on=Participant, label=_("Complete"), allow=(), step=PARTICIPANT_STEPS["complete"])
def complete(participant: Participant, *, by: Actor, now: datetime) -> Participant:
    """The plan's criteria are met."""
    return participant


@action("fall_short", on=Participant, label=_("End without certificate"), allow=(), step=PARTICIPANT_STEPS["fall_short"])
def fall_short(participant: Participant, *, by: Actor, now: datetime) -> Participant:
    """The exchange is over and the plan's criteria are not met."""
    return participant


@action("cancel", on=Exchange, label=_("Cancel the exchange"), allow=TEACHERS, step=EXCHANGE_STEPS["cancel"], tone="warning")
def cancel(
    exchange: Exchange, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Why? (the other teacher reads this)"), kind="long_text", limit=2000)]
) -> Exchange:
    """Give up before it runs. Both wishes go back to the directory, so that both can look again."""
    exchange.waiting_for = ""
    for wish in (exchange.invitation.wish, exchange.invitation.partner):
        if wish.state == "matched":
            release_wish(wish, by=SYSTEM, now=now)
    cancel_meetings(exchange, now=now, because=because)
    emit("exchange.cancelled", exchange_id=str(exchange.pk), because=because.strip())
    return exchange


@every(3600)
@task()
def remind_of_check_ins() -> None:
    """From Thursday on, once a week, write to whoever has not checked in yet."""
    now = clock.now()
    for exchange in Exchange.objects.filter(state=ExchangeState.RUNNING):
        if local_day(exchange, now).weekday() < 3:
            continue
        for participant in exchange.participants.filter(state=ParticipantState.ACTIVE).select_related("exchange"):
            week = asks_check_in(participant, now)
            if week is not None and CheckInReminder.objects.get_or_create(participant=participant, week=week)[1]:
                emit("participant.check_in_due", participant_id=str(participant.pk))


def _participant(exchange_task: ExchangeTask, by: Actor) -> Participant:
    found = exchange_task.exchange.participants.filter(person_id=by.person_id, state=ParticipantState.ACTIVE).first() if by.person_id else None
    if found is None:
        raise NotAllowed(Reason("not-taking-part", N_("Only those who take part hand in.")))
    return found  # type: ignore[no-any-return]  # -- a manager whose rows Django types as Any


def _team(participant: Participant) -> tuple[list[Participant], str]:
    """Whoever is in the participant's team today, and the team's name; nobody and no name without a team."""
    team = team_of(participant)
    return (list(team.members), team.name) if team else ([], "")


def _why_not_taken(text: str, link: str, file: Upload | None) -> list[Reason]:
    problems = []
    if not text.strip() and not link.strip() and file is None:
        problems.append(Reason("nothing", N_("Write something, give a link, or choose a file."), {}, "text"))
    if link.strip() and urlsplit(link.strip()).scheme not in {"http", "https"}:
        problems.append(Reason("link", N_("A link begins with https://."), {}, "link"))
    return problems


def _why_not_start(exchange: Exchange, now: datetime) -> list[Reason]:
    problems = []
    for side in Side:
        if not exchange.participants.filter(side=side.value, state=ParticipantState.ACTIVE).exists():
            word = {Side.FIRST: N_("The first class has no students yet. Read its list."), Side.SECOND: N_("The second class has no students yet. Read its list.")}[side]
            problems.append(Reason("class-empty", word))
    alone = len(without_team(exchange))
    if not problems and alone:
        problems.append(Reason("without-team", N_("%(count)s students are in no team yet."), {"count": alone}))
    if exchange.starts_on and local_day(exchange, now) < exchange.starts_on - timedelta(days=7):
        problems.append(Reason("too-early", N_("It can be started from %(day)s on, a week before the plan begins."), {"day": exchange.starts_on - timedelta(days=7)}))
    return problems
