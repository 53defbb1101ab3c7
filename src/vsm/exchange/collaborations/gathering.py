"""Who takes part: class lists read from a file (checked first) or from an offering, consent to share a name, leaving."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.catalogue.queries import title_of as offering_title
from vsm.exchange.collaborations.exchange_queries import managed_sides, side_choices
from vsm.exchange.collaborations.models import Exchange, Participant, RosterFile
from vsm.exchange.collaborations.roster_sheet import Line, read_roster
from vsm.exchange.collaborations.rules import Side
from vsm.exchange.collaborations.states import (
    EXCHANGE_STEPS,
    PARTICIPANT_STEPS,
    ROSTER_STEPS,
    ParticipantState,
    RosterState,
)
from vsm.exchange.institutions import actions as institutions
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Membership, Person, is_zone, zones
from vsm.exchange.people.rules import Role
from vsm.exchange.sessions.models import Enrolment
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.saying import say_reason
from vsm.kit.uploads import Upload
from vsm.kit.verdict import Reason

KEEPERS = ("self@first_teacher", "self@second_teacher", "coordinator@first", "coordinator@second")
_Side = Annotated[str, Ask(_("Class"), choices=side_choices, limit=8)]


def offering_choices(exchange: Any, actor: Actor) -> list[tuple[str, str]]:
    """Offerings of one's own institution that have students."""
    places = [exchange.first_id if side == Side.FIRST else exchange.second_id for side in managed_sides(exchange, actor)]
    found = Offering.objects.filter(opportunity__organisation_id__in=places, enrolments__state="enrolled").select_related("opportunity").distinct()
    return [(str(each.pk), f"{offering_title(each)} · {each.code}") for each in found.order_by("-starts_on")[:100]]


@action("import_roster", on=Exchange, label=_("Read a class list"), allow=KEEPERS, step=EXCHANGE_STEPS["import_roster"])
def import_roster(
    exchange: Exchange, *, by: Actor, now: datetime,
    file: Annotated[Upload, Ask(_("CSV file"), _("Columns email and name; if you like student_number, zone, languages (es:native en:B2), gender, skills."))],
    side: _Side = "",
) -> RosterFile:  # fmt: skip
    """Check a class list without changing anything: every bad line is named. Applying it is a second act.

    The same file read again changes nothing; students who are not in the file stay.
    """
    held = _own_side(exchange, by, side)
    lines, problems = read_roster(file.data, zones())
    problems += list(_foreign(exchange, held, lines))
    kept = sorted(problems, key=lambda pair: pair[0])
    new, changed, unchanged = _compared(exchange, held, lines)
    read = RosterFile(
        exchange=exchange, side=held, by_id=by.person_id, name=file.name[:255], digest=file.digest, new=new, changed=changed, unchanged=unchanged,
        problems=[[line, reason.code, say_reason(reason)] for line, reason in kept], lines=[] if kept else [_kept(line) for line in lines],
        state=RosterState.REFUSED if kept else RosterState.CHECKED,
    )  # fmt: skip
    read.save()
    return read


@action("apply", on=RosterFile, label=_("Apply the class list"), allow=("self@by",), step=ROSTER_STEPS["apply"], tone="primary")
def apply_roster(roster: RosterFile, *, by: Actor, now: datetime) -> RosterFile:
    """Enter the students. Who is unknown here gets an account by mail; each is asked before the partner class reads a name."""
    exchange = Exchange.objects.select_for_update(of=("self",)).get(pk=roster.exchange_id)
    if exchange.state not in EXCHANGE_STEPS["import_roster"].before:
        raise Refused(Reason("exchange-over", N_("This exchange takes nobody in any more.")))
    lines = [_line(each) for each in roster.lines]
    # What was checked may have become wrong meanwhile: somebody on the list joined the partner class.
    Invalid.because(Reason(reason.code, N_("Line %(line)s: %(problem)s"), {"line": line, "problem": reason}) for line, reason in _foreign(exchange, roster.side, lines))
    for line in lines:
        _enter(exchange, roster.side, _person(exchange, roster.side, line, now), line, by=by, now=now)
    roster.lines = []
    return roster


@action("take_from_offering", on=Exchange, label=_("Take the class from a course"), allow=KEEPERS, step=EXCHANGE_STEPS["take_from_offering"])
def take_from_offering(
    exchange: Exchange, *, by: Actor, now: datetime,
    offering: Annotated[UUID, Ask(_("Course"), _("Everybody enrolled in it joins; doing it again adds who came later."), choices=offering_choices)],
    side: _Side = "",
) -> Exchange:  # fmt: skip
    """Enter everybody who is enrolled in a course of your institution."""
    held = _own_side(exchange, by, side)
    place = exchange.first_id if held == Side.FIRST else exchange.second_id
    found = Offering.objects.filter(pk=offering, opportunity__organisation_id=place).first()
    if found is None:
        raise Invalid(Reason("offering", N_("This is not a course of your institution."), {}, "offering"))
    enrolled = Enrolment.objects.filter(offering=found, state="enrolled").select_related("student__student_record")
    for enrolment in enrolled:
        record = getattr(enrolment.student, "student_record", None)
        spoken = tuple(sorted((record.languages if record else {}).items()))
        line = Line(line=0, email=enrolment.student.email, name=enrolment.student.name, student_number=record.student_number if record else "", zone=enrolment.student.zone, languages=spoken)
        _enter(exchange, held, enrolment.student, line, by=by, now=now)
    if not enrolled:
        raise Refused(Reason("nobody-enrolled", N_("Nobody is enrolled in this course.")))
    exchange.save()
    return exchange


@action("share_name", on=Participant, label=_("Share my name with the partner class"), allow=("self@person",), step=PARTICIPANT_STEPS["share_name"], tone="primary", when=lambda p: not p.shares_name)
def share_name(participant: Participant, *, by: Actor, now: datetime) -> Participant:
    """The partner class reads your name instead of your code. You can take it back at any time."""
    participant.shares_name, participant.answered_sharing_at = True, now
    participant.save()
    return participant


@action("hide_name", on=Participant, label=_("Keep my name to my own class"), allow=("self@person",), step=PARTICIPANT_STEPS["hide_name"], when=lambda p: p.shares_name or p.answered_sharing_at is None)
def hide_name(participant: Participant, *, by: Actor, now: datetime) -> Participant:
    """The partner class reads your code. You take part all the same."""
    participant.shares_name, participant.answered_sharing_at = False, now
    participant.save()
    return participant


@action("leave", on=Participant, label=_("Leave the exchange"), allow=("self@person", "self@teacher", "coordinator@organisation"), step=PARTICIPANT_STEPS["leave"], tone="warning")
def leave(
    participant: Participant, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why?"), _("Only your own class’s teacher and office read this."), kind="long_text", limit=1000)] = "",
) -> Participant:  # fmt: skip
    """End taking part. The teachers are told, so that the team is not left short."""
    participant.left_at, participant.because = now, because.strip()
    emit("participant.left", participant_id=str(participant.pk))
    return participant


@action("rejoin", on=Participant, label=_("Come back"), allow=("self@teacher", "coordinator@organisation"), step=PARTICIPANT_STEPS["rejoin"], when=lambda p: p.exchange.state not in ("finished", "cancelled"))
def rejoin(participant: Participant, *, by: Actor, now: datetime) -> Participant:
    """Take part again, with what was handed in and checked in before."""
    if participant.exchange.state not in EXCHANGE_STEPS["import_roster"].before:
        raise Refused(Reason("exchange-over", N_("This exchange takes nobody in any more.")))
    participant.left_at, participant.because = None, ""
    emit("participant.joined", participant_id=str(participant.pk))
    return participant


def _own_side(exchange: Exchange, by: Actor, side: str) -> str:
    sides = managed_sides(exchange, by)
    if not sides:
        raise NotAllowed(Reason("not-your-class", N_("Only the class’s own teacher and office read its list.")))
    if side and side not in sides:
        raise Invalid(Reason("not-your-class", N_("Only the class’s own teacher and office read its list."), {}, "side"))
    if not side and len(sides) > 1:
        raise Invalid(Reason("side-missing", N_("You keep both classes: say which one this is."), {}, "side"))
    return side or sides[0]


def _foreign(exchange: Exchange, side: str, lines: Iterable[Line]) -> Iterator[tuple[int, Reason]]:
    """Lines about somebody who belongs elsewhere: a class list must not reach into another institution's people."""
    place = exchange.first_id if side == Side.FIRST else exchange.second_id
    by_email = {line.email: line for line in lines}
    known = {person.email: person for person in Person.objects.filter(email__in=by_email)}
    own = set(Membership.objects.filter(person__in=known.values(), organisation_id=place).values_list("person__email", flat=True))
    partners = set(exchange.participants.exclude(side=side).filter(person__email__in=by_email).values_list("person__email", flat=True))
    numbers = {line.student_number: line for line in by_email.values() if line.student_number}
    taken = dict(Person.objects.filter(student_record__home_id=place, student_record__student_number__in=numbers).values_list("student_record__student_number", "email"))
    for email, line in by_email.items():
        if email in partners:
            yield line.line, Reason("partner-class", N_("This address belongs to somebody in the partner class."))
        elif email in known and email not in own:
            yield line.line, Reason("elsewhere", N_("This address belongs to somebody of another institution. Ask your office to give them a role at yours first."))
        elif taken.get(line.student_number, email) != email:
            yield line.line, Reason("number-differs", N_("The student number %(number)s belongs to another address."), {"number": line.student_number})


def _compared(exchange: Exchange, side: str, lines: Iterable[Line]) -> tuple[int, int, int]:
    """How many lines are new, would change something, or say what is known already."""
    held = {each.person.email: each for each in exchange.participants.filter(side=side).select_related("person")}
    new = changed = unchanged = 0
    for line in lines:
        participant = held.get(line.email)
        if participant is None:
            new += 1
        elif _differs(participant, line):
            changed += 1
        else:
            unchanged += 1
    return new, changed, unchanged


def _facts(participant: Participant, line: Line) -> dict[str, Any]:
    """What the line says about the participant; what it leaves out stays as it is."""
    given = {
        "student_number": line.student_number, "zone": line.zone, "languages": dict(line.languages), "gender": line.gender, "skills": list(line.skills),
    }  # fmt: skip
    return {name: value for name, value in given.items() if value and getattr(participant, name) != value}


def _differs(participant: Participant, line: Line) -> bool:
    return bool(_facts(participant, line)) or participant.state == ParticipantState.LEFT


def _person(exchange: Exchange, side: str, line: Line, now: datetime) -> Person:
    """Who it is; somebody unknown gets an account without password and a link to choose one."""
    organisation: Organisation = exchange.first if side == Side.FIRST else exchange.second
    person: Person | None = Person.objects.filter(email=line.email).first()
    if person is None:
        teacher = exchange.first_teacher if side == Side.FIRST else exchange.second_teacher
        person = Person(email=line.email, name=line.name, language=teacher.language, zone=line.zone or organisation.zone)
        person.set_unusable_password()
        person.save()
        institutions.invite(organisation, by=SYSTEM, now=now, email=line.email, role=Role.STUDENT, language=teacher.language)  # type: ignore[arg-type]  # -- one of our four, by the column's choices
    Membership.objects.get_or_create(person=person, organisation=organisation, role=Role.STUDENT, ends_on=None, defaults={"starts_on": now.date()})
    return person


def _enter(exchange: Exchange, side: str, person: Person, line: Line, *, by: Actor, now: datetime) -> None:
    participant: Participant | None = exchange.participants.filter(person=person).first()
    if participant is not None:
        if participant.side != side:
            raise Refused(Reason("partner-class", N_("This address belongs to somebody in the partner class.")))
        if not _differs(participant, line):
            return
        for name, value in _facts(participant, line).items():
            setattr(participant, name, value)
        if participant.state == ParticipantState.LEFT:
            participant.state, participant.left_at = ParticipantState.ACTIVE, None
        participant.save()
        note(participant, "import_roster", by=by, now=now)
        return
    fallback = exchange.first.zone if side == Side.FIRST else exchange.second.zone
    zone = line.zone or (person.zone if is_zone(person.zone) else "") or fallback
    participant = Participant(
        exchange=exchange, side=side, person=person, code=_code(exchange, side), student_number=line.student_number, zone=zone,
        languages=dict(line.languages), gender=line.gender, skills=list(line.skills), joined_at=now,
    )  # fmt: skip
    participant.save()
    note(participant, "import_roster", by=by, now=now)
    emit("participant.joined", participant_id=str(participant.pk))


def _code(exchange: Exchange, side: str) -> str:
    """`CO-07`: the country of the class and a running number, which says nothing about the person."""
    country = exchange.first.country if side == Side.FIRST else exchange.second.country
    other = exchange.second.country if side == Side.FIRST else exchange.first.country
    prefix = country if country != other else f"{country}{1 if side == Side.FIRST else 2}"
    return f"{prefix}-{exchange.participants.filter(side=side).count() + 1:02d}"


def _kept(line: Line) -> dict[str, Any]:
    return {**vars(line), "languages": [list(pair) for pair in line.languages], "skills": list(line.skills)}


def _line(kept: dict[str, Any]) -> Line:
    return Line(**{**kept, "languages": tuple((code, level) for code, level in kept["languages"]), "skills": tuple(kept["skills"])})
