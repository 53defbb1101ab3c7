"""Letters about exchanges of classes: invitations between teachers, the plan, joining, teams, check-ins."""

from typing import Any

from django_tasks import task

from vsm.app.letters import write
from vsm.exchange.collaborations.exchange_queries import signed_sides
from vsm.exchange.collaborations.models import Exchange, Participant, PartnerInvitation
from vsm.exchange.people.models import Person


@task()
def invitation_sent(invitation_id: str) -> None:
    found = _invitation(invitation_id)
    write(
        "partner_invitation_sent", found.partner.teacher, f"/partner-invitations/{found.pk}/", organisation_id=found.partner.organisation_id,
        teacher=found.wish.teacher.name, institution=found.wish.organisation.name, title=found.wish.title, own=found.partner.title, score=found.score,
        message=found.message, respond_by=found.respond_by,
    )  # fmt: skip


@task()
def invitation_answered(invitation_id: str) -> None:
    """To whoever waits for the answer; of one that was overtaken or expired both are told."""
    found = _invitation(invitation_id)
    people = [found.wish.teacher] if found.state in {"accepted", "declined"} else [found.wish.teacher, found.partner.teacher]
    for person in people:
        other = found.partner if person == found.wish.teacher else found.wish
        exchange = getattr(found, "exchange", None)
        path = f"/exchanges/{exchange.pk}/" if exchange else f"/partner-invitations/{found.pk}/"
        write("partner_invitation_answered", person, path, teacher=other.teacher.name, title=other.title, state=found.state, because=found.because)


@task()
def plan_presented(exchange_id: str) -> None:
    """To the teachers who have not signed yet."""
    exchange = _exchange(exchange_id)
    version = exchange.current_version
    signed = set(signed_sides(version)) if version else set()
    for side, person in (("first", exchange.first_teacher), ("second", exchange.second_teacher)):
        if side not in signed:
            write("exchange_plan", person, f"/exchanges/{exchange.pk}/sign_plan/", title=exchange.title, what="presented")


@task()
def plan_returned(exchange_id: str, because: str) -> None:
    _teachers("exchange_plan", exchange_id, what="returned", because=because)


@task()
def plan_agreed(exchange_id: str) -> None:
    _teachers("exchange_plan", exchange_id, what="agreed")


@task()
def exchange_cancelled(exchange_id: str, because: str) -> None:
    """To both teachers, and to whoever was on a class list already."""
    exchange = _exchange(exchange_id)
    people = [exchange.first_teacher, exchange.second_teacher, *(each.person for each in exchange.participants.filter(state="active").select_related("person"))]
    for person in people:
        write("exchange_cancelled", person, f"/exchanges/{exchange.pk}/", title=exchange.title, because=because)


@task()
def exchange_started(exchange_id: str) -> None:
    _participants("exchange_started", exchange_id)


@task()
def exchange_finished(exchange_id: str) -> None:
    _participants("exchange_finished", exchange_id, states=("completed", "incomplete"))


@task()
def participant_joined(participant_id: str) -> None:
    participant = _participant(participant_id)
    partner = participant.exchange.second if participant.side == "first" else participant.exchange.first
    if participant.state == "active":
        _to(participant, "participant_joined", partner=partner.name, teacher=participant.teacher.name)


@task()
def participant_left(participant_id: str) -> None:
    """To both teachers, by the code: the partner's teacher learns no name this way."""
    participant = _participant(participant_id)
    for person in (participant.exchange.first_teacher, participant.exchange.second_teacher):
        write("participant_left", person, f"/exchanges/{participant.exchange_id}/", title=participant.exchange.title, code=participant.code)


@task()
def team_changed(participant_id: str) -> None:
    participant = _participant(participant_id)
    if participant.state == "active" and participant.team is not None:
        _to(participant, "team_changed", number=participant.team.number)


@task()
def check_in_due(participant_id: str) -> None:
    participant = _participant(participant_id)
    write("check_in_due", participant.person, f"/participants/{participant.pk}/check_in/", organisation_id=participant.organisation.pk, title=participant.exchange.title)


def _to(participant: Participant, kind: str, **facts: Any) -> None:
    write(kind, participant.person, f"/participants/{participant.pk}/", organisation_id=participant.organisation.pk, title=participant.exchange.title, starts_on=participant.exchange.starts_on, **facts)


def _participants(kind: str, exchange_id: str, states: tuple[str, ...] = ("active",)) -> None:
    for participant in Participant.objects.filter(exchange_id=exchange_id, state__in=states).select_related("person", "exchange__first", "exchange__second"):
        _to(participant, kind, state=participant.state)


def _teachers(kind: str, exchange_id: str, **facts: Any) -> None:
    exchange = _exchange(exchange_id)
    people: tuple[Person, Person] = (exchange.first_teacher, exchange.second_teacher)
    for person in people:
        write(kind, person, f"/exchanges/{exchange.pk}/", title=exchange.title, **facts)


def _exchange(pk: str) -> Exchange:
    found: Exchange = Exchange.objects.select_related("first", "second", "first_teacher", "second_teacher").get(pk=pk)
    return found


def _participant(pk: str) -> Participant:
    found: Participant = Participant.objects.select_related("person", "team", "exchange__first", "exchange__second", "exchange__first_teacher", "exchange__second_teacher").get(pk=pk)
    return found


def _invitation(pk: str) -> PartnerInvitation:
    found: PartnerInvitation = PartnerInvitation.objects.select_related("wish__teacher", "wish__organisation", "partner__teacher", "partner__organisation").get(pk=pk)
    return found
