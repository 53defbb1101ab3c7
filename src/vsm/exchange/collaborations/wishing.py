"""What is done with partner wishes: written, published, invited, answered, paired at a fair."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django_tasks import task
from pydantic import BaseModel, Field

from vsm import rulebook
from vsm.exchange.catalogue.queries import bandwidth_choices, spoken_choices, weekday_choices
from vsm.exchange.catalogue.queries import level_choices as degree_choices
from vsm.exchange.collaborations import fair as fairs
from vsm.exchange.collaborations.matching import Match, compare
from vsm.exchange.collaborations.models import Exchange, FairEntry, PartnerFair, PartnerInvitation, PartnerWish
from vsm.exchange.collaborations.states import (
    FAIR_STEPS,
    INVITATION_STEPS,
    WISH_STEPS,
    FairState,
    InvitationState,
    WishState,
)
from vsm.exchange.collaborations.wish_queries import (
    entry_choices,
    fair_choices,
    field_choices,
    level_choices,
    open_invitations,
    partner_choices,
)
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.rules import teaches
from vsm.exchange.people.models import Person, is_zone, zones
from vsm.exchange.people.queries import holders
from vsm.exchange.people.rules import Role
from vsm.kit import clock
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.jobs import every
from vsm.kit.localized import text_in
from vsm.kit.verdict import Reason

TEACHER = ("self@teacher", "coordinator@organisation")
Localized = dict[str, str]


class SpokenRow(BaseModel):
    """A language in which the class can work, and how well."""

    language: Annotated[str, Ask(_("Language"), choices=spoken_choices)] = Field(max_length=8)
    level: Annotated[Literal["A1", "A2", "B1", "B2", "C1", "C2", "native"], Ask(_("Level (CEFR)"), choices=level_choices)]


class WindowRow(BaseModel):
    """Hours of the week in which the class can meet live, on its own clock."""

    weekday: Annotated[int, Ask(_("Weekday"), choices=weekday_choices)] = Field(ge=0, le=6, description="0 is Monday, 6 is Sunday.")
    starts: Annotated[time, Ask(_("From"))]
    ends: Annotated[time, Ask(_("Until"))]


def _title(wish: Any, _actor: Actor) -> Any:
    return wish.title if isinstance(wish, PartnerWish) else None


def _languages(wish: Any, _actor: Actor) -> list[SpokenRow]:
    return [SpokenRow(language=code, level=level) for code, level in wish.languages.items()] if isinstance(wish, PartnerWish) else []


def _windows(wish: Any, _actor: Actor) -> list[WindowRow]:
    if not isinstance(wish, PartnerWish):
        return []
    return [WindowRow(weekday=day, starts=time.fromisoformat(starts), ends=time.fromisoformat(ends)) for day, starts, ends in wish.windows]


def _zone(record: Any, _actor: Actor) -> str:
    return str(record.zone)


def teacher_choices(organisation: Any, actor: Actor) -> list[tuple[str, str]]:
    """Oneself, or for an office whoever teaches there."""
    place = organisation.organisation_id if isinstance(organisation, PartnerWish) else organisation.pk
    if not actor.holds(Role.COORDINATOR, place) and not actor.is_system:
        return [(str(actor.person_id), actor.label)]
    return [(str(each.pk), each.name) for each in holders(Role.INSTRUCTOR, place, clock.now())]


_Title = Annotated[Localized, Ask(_("Title"), kind="localized", start=_title)]
_Topic = Annotated[Localized, Ask(_("Topic"), _("What the classes would work on, and what you hope for."), kind="localized", start=lambda w, _a: getattr(w, "topic", None))]
_Field = Annotated[str, Ask(_("Field (ISCED-F)"), choices=field_choices, limit=4)]
_Level = Annotated[str, Ask(_("Level"), choices=degree_choices)]
_Languages = Annotated[list[SpokenRow], Ask(_("Languages of the class"), start=_languages)]
_Starts = Annotated[date, Ask(_("Your class teaches from"))]
_Ends = Annotated[date, Ask(_("Your class teaches until"))]
_Weeks = Annotated[int, Ask(_("Weeks wanted"), _("Most exchanges take 5 to 8 weeks; a first one rather fewer."))]
_Size = Annotated[int, Ask(_("Students in the class"))]
_Hours = Annotated[int, Ask(_("Hours for each student"), _("The whole work for the exchange, meetings included."))]
_Zone = Annotated[str, Ask(_("Time zone"), choices=lambda _r, _a: [(zone, zone.replace("_", " ")) for zone in sorted(zones())], start=_zone)]
_Windows = Annotated[list[WindowRow], Ask(_("Possible meeting hours"), _("On your own clock. Leave it empty if your class can only work in its own time."), start=_windows)]
_Off = Annotated[list[str], Ask(_("Weeks without teaching"), _("The Monday of each holiday or exam week, one a line (2027-03-29)."))]
_Calendar = Annotated[str, Ask(_("About the academic calendar"), _("Anything a partner should know: exams, placements, holidays."), kind="long_text", limit=1000)]
_Tools = Annotated[list[str], Ask(_("Tools"), _("What your class knows and may use, one a line."))]
_Band = Annotated[Literal["text", "audio", "video"], Ask(_("Connection"), _("The best that all your students can count on."), choices=bandwidth_choices)]


@action("write_wish", on=Organisation, label=_("Look for a partner class"), allow=("instructor@id", "coordinator@id"), tone="primary", when=teaches)
def write_wish(
    organisation: Organisation, *, by: Actor, now: datetime, title: _Title, topic: _Topic, isced_f: _Field, languages: _Languages, starts_on: _Starts,
    ends_on: _Ends, weeks: _Weeks, class_size: _Size, hours: _Hours, zone: _Zone, level: _Level = "bachelor", windows: _Windows = [],  # noqa: B006 -- never changed; pydantic copies it
    weeks_off: _Off = [], calendar: _Calendar = "", tools: _Tools = [], bandwidth: _Band = "video",  # noqa: B006 -- never changed; pydantic copies it
    teacher: Annotated[UUID | None, Ask(_("Teacher"), _("For offices: whose class it is."), choices=teacher_choices)] = None,
) -> PartnerWish:  # fmt: skip
    """Write down what you look for. Nobody sees it before you publish it."""
    who = teacher or by.person_id
    if who is None or str(who) not in dict(teacher_choices(organisation, by)):
        raise Invalid(Reason("teacher", N_("The teacher must have the role of instructor at this institution."), {}, "teacher"))
    wish = PartnerWish(organisation=organisation, teacher=Person.objects.get(pk=who))
    _fill(
        wish, title=title, topic=topic, isced_f=isced_f, level=level, languages=languages, starts_on=starts_on, ends_on=ends_on, weeks=weeks,
        class_size=class_size, hours=hours, zone=zone, windows=windows, weeks_off=weeks_off, calendar=calendar, tools=tools, bandwidth=bandwidth,
    )  # fmt: skip
    wish.save()
    return wish


@action("edit", on=PartnerWish, label=_("Edit"), allow=TEACHER, step=WISH_STEPS["edit"])
def edit_wish(
    wish: PartnerWish, *, by: Actor, now: datetime, title: _Title, topic: _Topic, isced_f: _Field, languages: _Languages, starts_on: _Starts,
    ends_on: _Ends, weeks: _Weeks, class_size: _Size, hours: _Hours, zone: _Zone, level: _Level = "bachelor", windows: _Windows = [],  # noqa: B006 -- never changed; pydantic copies it
    weeks_off: _Off = [], calendar: _Calendar = "", tools: _Tools = [], bandwidth: _Band = "video",  # noqa: B006 -- never changed; pydantic copies it
) -> PartnerWish:  # fmt: skip
    """Change what you look for. Invitations that wait keep the score of the day on which they were sent."""
    _fill(
        wish, title=title, topic=topic, isced_f=isced_f, level=level, languages=languages, starts_on=starts_on, ends_on=ends_on, weeks=weeks,
        class_size=class_size, hours=hours, zone=zone, windows=windows, weeks_off=weeks_off, calendar=calendar, tools=tools, bandwidth=bandwidth,
    )  # fmt: skip
    wish.save()
    return wish


@action("publish", on=PartnerWish, label=_("Publish"), allow=TEACHER, step=WISH_STEPS["publish"], tone="primary")
def publish_wish(wish: PartnerWish, *, by: Actor, now: datetime) -> PartnerWish:
    """Show it, with your name, to teachers and offices of every institution here."""
    if wish.ends_on <= now.date() + timedelta(weeks=wish.weeks):
        text = N_("There are not %(weeks)s weeks left until %(ends)s. Change the dates first.")
        raise Refused(Reason("too-late", text, {"weeks": wish.weeks, "ends": wish.ends_on}))
    wish.published_at = now
    return wish


@action("close", on=PartnerWish, label=_("Stop looking"), allow=TEACHER, step=WISH_STEPS["close"], tone="warning")
def close_wish(wish: PartnerWish, *, by: Actor, now: datetime, because: str = "") -> PartnerWish:
    """Take it out of the directory. Invitations that wait are answered: you look no longer."""
    for each in open_invitations([wish]):
        supersede(each, by=SYSTEM, now=now)
    return wish


@action("invite", on=PartnerWish, label=_("Invite a partner"), allow=("self@teacher",), step=WISH_STEPS["invite"], tone="primary")
def invite(
    wish: PartnerWish, *, by: Actor, now: datetime,
    partner: Annotated[UUID, Ask(_("Partner wish"), _("Best fit first; the number is the score out of 100."), choices=partner_choices)],
    message: Annotated[str, Ask(_("Message"), _("Say in two sentences what you would like to do together."), kind="long_text", limit=2000)] = "",
    days: Annotated[int | None, Ask(_("Days to answer"), start=lambda _w, _a: _usual_days(clock.now()))] = None,
) -> PartnerInvitation:  # fmt: skip
    """Ask another teacher. They accept or decline until the day given; both must want it."""
    other = PartnerWish.objects.filter(pk=partner, state=WishState.PUBLISHED).first()
    if other is None:
        raise Refused(Reason("not-looking", N_("This teacher is not looking any more. Choose another wish."), {}, "partner"))
    match = compare(wish.facts, other.facts)
    Refused.because(match.obstacles)
    if PartnerInvitation.objects.filter(wish__in=(wish, other), partner__in=(wish, other), state=InvitationState.SENT).exists():
        raise Refused(Reason("already-open", N_("An invitation between the two of you waits for an answer already."), {}, "partner"))
    return _send(wish, other, match, now=now, message=message, days=days)


@action("accept", on=PartnerInvitation, label=_("Accept"), allow=("self@partner.teacher",), step=INVITATION_STEPS["accept"], tone="primary")
def accept(invitation: PartnerInvitation, *, by: Actor, now: datetime) -> Exchange:
    """Both want it: the exchange opens for planning, and every other invitation of the two is answered for you.

    Refused when one of the two has been matched meanwhile, or the time to answer is over.
    """
    if invitation.respond_by <= now:
        raise Refused(Reason("too-late", N_("The time to answer ended on %(at)s. Send an invitation yourself."), {"at": invitation.respond_by}))
    # In one order for everybody, so that two acceptances which share a wish wait for each other and never in a circle.
    held = list(PartnerWish.objects.select_for_update(of=("self",)).filter(pk__in=(invitation.wish_id, invitation.partner_id)).order_by("pk"))
    if any(wish.state != WishState.PUBLISHED for wish in held):
        raise Refused(Reason("matched-meanwhile", N_("One of the two wishes has been matched or closed meanwhile. Look for another partner.")))
    invitation.answered_at = now
    invitation.state = InvitationState.ACCEPTED
    invitation.save()
    for each in open_invitations(held):
        supersede(each, by=SYSTEM, now=now)
    for wish in held:
        match_wish(wish, by=SYSTEM, now=now)
    exchange = Exchange(
        title=_joined(invitation.wish.title, invitation.partner.title), first=invitation.wish.organisation, second=invitation.partner.organisation,
        first_teacher=invitation.wish.teacher, second_teacher=invitation.partner.teacher, invitation=invitation, zone=invitation.wish.zone,
    )  # fmt: skip
    exchange.save()
    emit("partner_invitation.answered", invitation_id=str(invitation.pk))
    return exchange


@action("decline", on=PartnerInvitation, label=_("Decline"), allow=("self@partner.teacher",), step=INVITATION_STEPS["decline"])
def decline(
    invitation: PartnerInvitation, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why? (the other teacher reads this)"), kind="long_text", limit=2000)],
) -> PartnerInvitation:  # fmt: skip
    """Say no, with a reason that helps the other to look on."""
    invitation.answered_at, invitation.because = now, because.strip()
    emit("partner_invitation.answered", invitation_id=str(invitation.pk))
    return invitation


@action("withdraw", on=PartnerInvitation, label=_("Withdraw"), allow=("self@wish.teacher",), step=INVITATION_STEPS["withdraw"], tone="warning")
def withdraw(invitation: PartnerInvitation, *, by: Actor, now: datetime, because: str = "") -> PartnerInvitation:
    """Take the question back."""
    invitation.answered_at, invitation.because = now, because
    return invitation


@action("expire", on=PartnerInvitation, label=_("Expire"), allow=(), step=INVITATION_STEPS["expire"])
def expire(invitation: PartnerInvitation, *, by: Actor, now: datetime) -> PartnerInvitation:
    """Nobody answered in time."""
    emit("partner_invitation.answered", invitation_id=str(invitation.pk))
    return invitation


@action("supersede", on=PartnerInvitation, label=_("Overtaken"), allow=(), step=INVITATION_STEPS["supersede"])
def supersede(invitation: PartnerInvitation, *, by: Actor, now: datetime) -> PartnerInvitation:
    """One of the two has found somebody else, or looks no longer."""
    invitation.answered_at = now
    emit("partner_invitation.answered", invitation_id=str(invitation.pk))
    return invitation


@action("match", on=PartnerWish, label=_("Match"), allow=(), step=WISH_STEPS["match"])
def match_wish(wish: PartnerWish, *, by: Actor, now: datetime) -> PartnerWish:
    """Found: out of the directory."""
    return wish


@action("release", on=PartnerWish, label=_("Release"), allow=(), step=WISH_STEPS["release"])
def release_wish(wish: PartnerWish, *, by: Actor, now: datetime) -> PartnerWish:
    """The exchange was cancelled before it ran: the teacher looks again."""
    return wish


@action("open_fair", on=Organisation, label=_("Hold a partner fair"), allow=("coordinator@id",), when=teaches)
def open_fair(
    organisation: Organisation, *, by: Actor, now: datetime,
    title: Annotated[Localized, Ask(_("Title"), kind="localized")],
    closes_at: Annotated[datetime, Ask(_("Teachers rank until"))],
) -> PartnerFair:  # fmt: skip
    """Invite teachers to bring their wishes, rank each other, and be paired in one go."""
    if closes_at <= now:
        raise Invalid(Reason("closes-at", N_("The fair must close in the future."), {}, "closes_at"))
    made = PartnerFair(organisation=organisation, title=title, closes_at=closes_at)
    made.save()
    return made


@action("join_fair", on=PartnerWish, label=_("Bring it to a fair"), allow=("self@teacher",), step=WISH_STEPS["join_fair"])
def join_fair(
    wish: PartnerWish, *, by: Actor, now: datetime, fair: Annotated[UUID, Ask(_("Partner fair"), choices=fair_choices)]
) -> FairEntry:
    """Enter the fair. Rank whom you would like on the entry's own page; whom you leave out follows by score."""
    found = PartnerFair.objects.filter(pk=fair, state="open", closes_at__gt=now).first()
    if found is None:
        raise Refused(Reason("fair-closed", N_("This fair takes no more wishes."), {}, "fair"))
    entry, _made = FairEntry.objects.get_or_create(fair=found, wish=wish)
    return entry


@action("rank", on=FairEntry, label=_("Rank partners"), allow=("self@wish.teacher",), tone="primary", when=lambda entry: entry.fair.state == "open")
def rank(
    entry: FairEntry, *, by: Actor, now: datetime,
    choices: Annotated[list[UUID], Ask(_("Best first"), kind="ranking", choices=entry_choices, limit=8, start=lambda e, _a: e.ranked)],
) -> FairEntry:  # fmt: skip
    """Say whom you would like, best first. Only the fair's office reads it."""
    possible = {value for value, _label in entry_choices(entry, by)}
    if any(str(choice) not in possible for choice in choices) or len(set(choices)) != len(choices):
        raise Invalid(Reason("ranking", N_("Rank wishes of this fair that fit yours, each once."), {}, "choices"))
    if entry.fair.closes_at <= now or entry.fair.state != FairState.OPEN:
        raise Refused(Reason("fair-closed", N_("The time to rank is over.")))
    entry.ranked = [str(choice) for choice in choices]
    entry.save()
    return entry


@action("propose_pairs", on=PartnerFair, label=_("Propose pairs"), allow=("coordinator@organisation",), step=FAIR_STEPS["propose_pairs"], tone="primary", due=lambda fair: fair.state == FairState.OPEN)
def propose_pairs(
    fair: PartnerFair, *, by: Actor, now: datetime,
    seed: Annotated[str, Ask(_("Seed of the tie-breaks"), _("Any words, announced beforehand: with them anybody can compute the proposal again."), limit=64)],
) -> PartnerFair:  # fmt: skip
    """Compute a stable proposal from everybody's ranks and the scores. Look at it; announcing is a second act."""
    entries = list(fair.entries.filter(wish__state=WishState.PUBLISHED).select_related("wish"))
    if len(entries) < 2:
        raise Refused(Reason("too-few", N_("At least two wishes that still look for a partner are needed.")))
    facts = {str(each.wish_id): each.wish.facts for each in entries}
    scores = {(a, b): compare(facts[a], facts[b]).score for a in facts for b in facts if a < b}
    found = fairs.propose({str(each.wish_id): each.ranked for each in entries}, scores, seed)
    fair.seed, fair.proposed_at = seed, now
    fair.outcome = {
        "pairs": [{"wishes": list(pair), "score": scores[pair], "places": [found.place_of(wish) for wish in pair]} for pair in found.pairs],
        "alone": list(found.alone), "is_stable": found.is_stable, "blocking": [list(pair) for pair in found.blocking],
    }  # fmt: skip
    return fair


@action("announce", on=PartnerFair, label=_("Announce the proposal"), allow=("coordinator@organisation",), step=FAIR_STEPS["announce"], tone="primary")
def announce(fair: PartnerFair, *, by: Actor, now: datetime) -> PartnerFair:
    """Send each proposed pair an invitation to answer. A proposal binds nobody: both must still want it."""
    fair.announced_at = now
    for pair in fair.outcome["pairs"]:
        held = {str(wish.pk): wish for wish in PartnerWish.objects.filter(pk__in=pair["wishes"], state=WishState.PUBLISHED)}
        ids = [wish.pk for wish in held.values()]
        if len(held) == 2 and not PartnerInvitation.objects.filter(wish__in=ids, partner__in=ids, state=InvitationState.SENT).exists():
            one, other = (held[wish] for wish in pair["wishes"])
            _send(one, other, compare(one.facts, other.facts), now=now, message="", days=None)
    return fair


@every(900)
@task()
def expire_invitations() -> None:
    """Close what nobody answered in time."""
    now = clock.now()
    for invitation in PartnerInvitation.objects.filter(state=InvitationState.SENT, respond_by__lte=now):
        expire(invitation, by=SYSTEM, now=now)


def _usual_days(now: datetime) -> int:
    return int(rulebook.threshold("partner-invitation-days").at(now.date()).value)


def _send(wish: PartnerWish, other: PartnerWish, match: Match, *, now: datetime, message: str, days: int | None) -> PartnerInvitation:
    days = days if days is not None else _usual_days(now)
    if not 1 <= days <= 60:
        raise Invalid(Reason("days", N_("Between 1 and 60 days, please."), {}, "days"))
    invitation = PartnerInvitation(
        wish=wish, partner=other, message=message.strip(), score=match.score, parts={part.slug: round(part.value, 3) for part in match.parts},
        respond_by=now + timedelta(days=days),
    )  # fmt: skip
    invitation.save()
    emit("partner_invitation.sent", invitation_id=str(invitation.pk))
    return invitation


def _joined(one: Localized, other: Localized) -> Localized:
    """A working title of the exchange: both titles, until the plan gives a better one."""
    return {code: " + ".join(dict.fromkeys(filter(None, (text_in(one, code), text_in(other, code))))) for code in sorted({*one, *other})}


def _fill(wish: PartnerWish, *, languages: list[SpokenRow], windows: list[WindowRow], weeks_off: list[str], **facts: Any) -> None:
    problems = list(_problems(languages=languages, windows=windows, weeks_off=weeks_off, **facts))
    Invalid.because(problems)
    for name, value in facts.items():
        setattr(wish, name, value)
    wish.languages = {row.language: row.level for row in languages}
    wish.windows = sorted([row.weekday, f"{row.starts:%H:%M}", f"{row.ends:%H:%M}"] for row in windows)
    wish.weeks_off = sorted({_monday(date.fromisoformat(day)).isoformat() for day in weeks_off})


def _problems(*, languages: list[SpokenRow], windows: list[WindowRow], weeks_off: list[str], **facts: Any) -> Iterable[Reason]:
    if not any(facts["title"].values()):
        yield Reason("title", N_("Give a title in at least one language."), {}, "title")
    if facts["isced_f"][:3] not in dict(field_choices()):
        yield Reason("isced-f", N_("Choose a field of the list (ISCED-F 2013)."), {}, "isced_f")
    if not languages or len({row.language for row in languages}) != len(languages):
        yield Reason("languages", N_("Name at least one language of the class, each once."), {}, "languages")
    for name, low, high in (("weeks", 1, 52), ("class_size", 1, 1000), ("hours", 1, 500)):
        if not low <= facts[name] <= high:
            yield Reason("range", N_("A number between %(low)s and %(high)s is expected."), {"low": low, "high": high}, name)
    yield from _problems_of_time(windows, weeks_off, facts)


def _problems_of_time(windows: list[WindowRow], weeks_off: list[str], facts: dict[str, Any]) -> Iterable[Reason]:
    if facts["ends_on"] <= facts["starts_on"]:
        yield Reason("dates", N_("The teaching ends before it starts."), {}, "ends_on")
    elif facts["weeks"] * 7 > (facts["ends_on"] - facts["starts_on"]).days + 3:
        yield Reason("weeks", N_("So many weeks do not fit between the two days."), {}, "weeks")
    if not is_zone(facts["zone"]):
        yield Reason("zone", N_("“%(zone)s” is not a time zone of the IANA database (example: America/Lima)."), {"zone": facts["zone"]}, "zone")
    if any(row.ends <= row.starts for row in windows):
        yield Reason("windows", N_("Hours must end after they start; write hours over midnight as two lines."), {}, "windows")
    if any(not _is_day(day) for day in weeks_off):
        yield Reason("weeks-off", N_("Write each week as the date of its Monday, for example 2027-03-29."), {}, "weeks_off")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
