"""Online events: places and turns, guests by link, reminders once, attendance, feedback that names nobody, the calendar."""

from datetime import datetime, timedelta
from typing import Any

import icalendar
import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import translation

from tests.exchange.collaborations.given import NOW, World, actor, fresh, give_role, person
from tests.exchange.collaborations.given import world as made_world
from vsm.exchange.credentials.models import Credential
from vsm.exchange.events import actions
from vsm.exchange.events.actions import PresentRow, Speaker
from vsm.exchange.events.models import Feedback, OnlineEvent, Registration
from vsm.exchange.events.queries import EVENT_STATES, calendar_of, came, link_token, places_left, registration_of
from vsm.exchange.events.rules import Asking, answer_until, reminders_due, turns
from vsm.exchange.people.models import Person
from vsm.exchange.statistics.attendance import Answers, answers_of
from vsm.kit import clock
from vsm.kit.actions import available
from vsm.kit.actors import ANONYMOUS, SYSTEM
from vsm.kit.errors import Invalid, NotAllowed, NotFound, Refused
from vsm.kit.jobs import drain
from vsm.kit.models import Job, Message

pytestmark = pytest.mark.django_db
STARTS = NOW + timedelta(days=10)


@pytest.fixture
def world(db: None) -> World:
    cache.clear()
    return made_world()


def event(world: World, *, publish: bool = True, **facts: Any) -> OnlineEvent:
    made = actions.announce_event(
        world.bogota, by=actor(world.office), now=NOW,
        **{
            "title": {"en": "Open webinar", "es": "Seminario abierto"}, "description": {"en": "About virtual exchange."}, "starts_at": STARTS, "ends_at": STARTS + timedelta(minutes=90),
            "zone": "America/Bogota", "languages": ["es"], "captions": ["es", "en"], "join_url": "https://meet.example/room", "dial_in": "+57 1 555 0100", **facts,
        },
    )  # fmt: skip
    return actions.publish_event(made, by=actor(world.office), now=NOW) if publish else made


def comes(held: OnlineEvent, name: str, after: int = 0) -> Registration:
    """Somebody with an account registers, some minutes after the others."""
    who = person(name, "America/Lima")
    return actions.register(held, by=actor(who), now=NOW + timedelta(minutes=after))


def guest(held: OnlineEvent, email: str = "guest@elsewhere.example", now: datetime = NOW) -> Registration:
    return actions.register_guest(held, by=SYSTEM, now=now, name="Gast", email=email, language="fr", zone="Europe/Paris")


# Pure ----------------------------------------------------------------------------------------------------------------


def test_turns_go_to_who_waits_longest_as_far_as_places_are_free() -> None:
    waiting = [Asking("b", NOW), Asking("a", NOW), Asking("c", NOW - timedelta(minutes=1))]
    assert [turns(3, 3, waiting), turns(4, 3, waiting), turns(5, 3, waiting), turns(None, 3, waiting), turns(1, 3, waiting)] == [(), ("c",), ("c", "a"), ("c", "a", "b"), ()]


def test_an_offered_place_is_held_for_hours_but_not_beyond_the_beginning() -> None:
    start = NOW + timedelta(hours=12)
    end = start + timedelta(minutes=20)
    assert answer_until(NOW, start, end, 4) == NOW + timedelta(hours=4)
    assert answer_until(NOW, start, end, 24) == start - timedelta(hours=1)
    assert answer_until(start - timedelta(minutes=40), start, end, 24) == start - timedelta(minutes=10)
    assert answer_until(start - timedelta(minutes=1), start, end, 24) == end


def test_a_reminder_is_due_within_its_time_and_not_for_who_has_just_registered() -> None:
    early, start = NOW - timedelta(days=9), NOW + timedelta(hours=24)
    assert [reminders_due(start, early, start - timedelta(hours=h)) for h in (25, 24, 2, 1, 0)] == [(), ("day",), ("day",), ("day", "hour"), ()]
    assert reminders_due(start, start - timedelta(hours=20), start - timedelta(minutes=30)) == ("hour",)


@pytest.mark.parametrize(("language", "words"), [("es", ["Anunciado", "Cancelado", "Realizado"]), ("fr", ["Annoncé", "Annulé", "Tenu"])])
def test_the_state_of_an_event_agrees_with_the_word_event(language: str, words: list[str]) -> None:
    with translation.override(language):
        assert [str(EVENT_STATES[state][0]) for state in ("published", "cancelled", "held")] == words


# Acts ----------------------------------------------------------------------------------------------------------------


def test_a_draft_is_seen_by_its_organisers_and_an_announced_event_by_everybody(world: World) -> None:
    draft = event(world, publish=False)
    assert [OnlineEvent.objects.visible_to(each).count() for each in (actor(world.office), actor(world.remy), ANONYMOUS)] == [1, 0, 0]
    actions.publish_event(draft, by=actor(world.office), now=NOW)
    assert OnlineEvent.objects.visible_to(ANONYMOUS).count() == 1


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"ends_at": STARTS}, "ends"), ({"closes_at": STARTS + timedelta(days=1)}, "closes"), ({"capacity": 0}, "capacity"), ({"zone": "Mars/Base"}, "zone"),
        ({"languages": []}, "languages"), ({"join_url": "javascript:x"}, "address"), ({"about_url": "//evil.example"}, "address"), ({"title": {}}, "title"),
        ({"kind": "party"}, "kind"), ({"subjects": ["brief:gossip"]}, "subject"),
    ],
)  # fmt: skip
def test_an_event_that_cannot_be_is_refused_with_its_reason(world: World, facts: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        event(world, **facts)
    assert [reason.code for reason in refused.value.reasons] == [code]


def test_an_event_without_a_way_in_or_in_the_past_is_not_published(world: World) -> None:
    with pytest.raises(Refused) as refused:
        event(world, join_url="", dial_in="", starts_at=NOW - timedelta(days=1), ends_at=NOW)
    assert [reason.code for reason in refused.value.reasons] == ["past", "no-way-in"]


def test_who_comes_after_the_last_place_waits_and_moves_up_in_order(world: World) -> None:
    held = event(world, capacity=2)
    ana, beto, cleo, dani = (comes(held, name, after) for after, name in enumerate(("Ana", "Beto", "Cleo", "Dani")))
    assert ([each.state for each in (ana, beto, cleo, dani)], places_left(held)) == (["registered", "registered", "waiting", "waiting"], 0)
    actions.cancel_registration(ana, by=actor(ana.person), now=NOW + timedelta(hours=1))
    assert ([fresh(each).state for each in (cleo, dani)], fresh(cleo).respond_by) == (["offered", "waiting"], NOW + timedelta(hours=25))
    actions.take_place(fresh(cleo), by=actor(cleo.person), now=NOW + timedelta(hours=2))
    assert fresh(cleo).state == "registered"


def test_an_offer_ends_with_the_event_also_when_the_event_is_moved(world: World) -> None:
    held = event(world, capacity=1)
    ana, beto = comes(held, "Ana"), comes(held, "Beto", 1)
    actions.cancel_registration(ana, by=actor(ana.person), now=NOW + timedelta(hours=1))
    soon = NOW + timedelta(hours=3)
    facts = {name: getattr(held, name) for name in ("title", "description", "zone", "languages", "capacity", "join_url")}
    actions.edit_event(fresh(held), by=actor(world.office), now=NOW + timedelta(hours=2), **facts, starts_at=soon, ends_at=soon + timedelta(minutes=30))
    assert (fresh(beto).state, fresh(beto).respond_by) == ("offered", soon + timedelta(minutes=30))


def test_a_place_is_used_and_given_up_until_the_event_ends_though_who_came_is_noted(world: World) -> None:
    held = event(world)
    ana = comes(held, "Ana")
    assert (fresh(ana).attended, [entry.verb for entry in available(fresh(ana), actor(ana.person))]) == (None, ["cancel"])
    actions.take_attendance(fresh(held), by=actor(world.office), now=STARTS, present=[PresentRow(registration=ana.pk, was_there=False)])
    assert fresh(ana).attended is False
    actions.join(fresh(ana), by=SYSTEM, now=STARTS + timedelta(minutes=10))
    link = f"/online-events/mine/{link_token(ana)}/"
    with clock.stopped_at(STARTS + timedelta(minutes=10)):
        assert "Join now" in Client().get(link, headers={"accept-language": "en"}).content.decode()
    over = STARTS + timedelta(minutes=90)
    for deed in (actions.join, actions.cancel_registration):
        with pytest.raises(Refused) as refused:
            deed(fresh(ana), by=SYSTEM, now=over)
        assert [reason.code for reason in refused.value.reasons] == ["over"]
    actions.give_feedback(fresh(ana), by=actor(ana.person), now=over, useful="5", could_follow="3")
    with clock.stopped_at(over):
        page = Client().get(link, headers={"accept-language": "en"}).content.decode()
        assert ("This event is over." in page, [words in page for words in ("Join now", "The door opens", "Give up my place", "You have a place")]) == (True, [False] * 4)
        assert [entry.verb for entry in available(fresh(ana), actor(ana.person))] == []


def test_the_door_of_an_event_that_was_called_off_stays_shut(world: World) -> None:
    held = event(world)
    ana = comes(held, "Ana")
    actions.cancel_event(fresh(held), by=actor(world.office), now=NOW, because="Illness.")
    with clock.stopped_at(STARTS):
        answer = Client().post(f"/online-events/mine/{link_token(ana)}/join/")
    assert (answer.status_code, fresh(ana).joined_at) == (302, None)


def test_an_offered_place_that_nobody_takes_goes_to_the_next(world: World) -> None:
    held = event(world, capacity=1)
    ana, beto, cleo = (comes(held, name, after) for after, name in enumerate(("Ana", "Beto", "Cleo")))
    actions.cancel_registration(ana, by=actor(ana.person), now=NOW + timedelta(hours=1))
    with clock.stopped_at(NOW + timedelta(hours=24)):
        actions.refill_waiting_lists.call()
    assert fresh(beto).state == "offered"
    with clock.stopped_at(NOW + timedelta(hours=25)):
        actions.refill_waiting_lists.call()
    assert [fresh(each).state for each in (beto, cleo)] == ["expired", "offered"]
    with pytest.raises(Refused):
        actions.take_place(fresh(beto), by=actor(beto.person), now=NOW + timedelta(hours=26))


def test_nobody_slips_past_who_waits(world: World) -> None:
    held = event(world, capacity=1)
    ana = comes(held, "Ana")
    beto = comes(held, "Beto", 1)
    actions.cancel_registration(ana, by=actor(ana.person), now=NOW + timedelta(hours=1))
    assert (fresh(beto).state, comes(held, "Cleo", 90).state) == ("offered", "waiting")


def test_more_places_go_to_the_waiting_list(world: World) -> None:
    held = event(world, capacity=1)
    comes(held, "Ana")
    waiting = [comes(held, name, 1 + after) for after, name in enumerate(("Beto", "Cleo", "Dani"))]
    facts = {name: getattr(held, name) for name in ("title", "description", "starts_at", "ends_at", "zone", "languages", "join_url")}
    actions.edit_event(held, by=actor(world.office), now=NOW, capacity=3, **facts)
    assert [fresh(each).state for each in waiting] == ["offered", "offered", "waiting"]


def test_registration_closes(world: World) -> None:
    held = event(world, closes_at=NOW + timedelta(days=1))
    with pytest.raises(Refused):
        actions.register(held, by=actor(world.dora), now=NOW + timedelta(days=2))


def test_a_guest_has_a_place_only_after_the_mailed_link(world: World) -> None:
    held = event(world, capacity=1)
    asked = guest(held)
    assert (asked.state, places_left(held)) == ("unconfirmed", 1)
    done = actions.by_link(link_token(asked), "confirm", now=NOW)
    assert (done.state, places_left(held)) == ("registered", 0)


def test_a_forged_link_is_like_an_absent_one(world: World) -> None:
    token = link_token(guest(event(world)))
    for forged in (token[:-1] + ("a" if token[-1] != "a" else "b"), "x", token.partition(":")[0]):
        with pytest.raises(NotFound):
            registration_of(forged)


def test_an_address_registers_once_and_may_come_back_after_giving_up(world: World) -> None:
    held = event(world)
    asked = guest(held)
    actions.by_link(link_token(asked), "confirm", now=NOW)
    assert guest(held).pk == asked.pk
    actions.by_link(link_token(asked), "cancel", now=NOW)
    again = guest(held)
    assert (again.pk, again.state, Registration.objects.count()) == (asked.pk, "unconfirmed", 1)


@pytest.mark.parametrize(("name", "email", "code"), [("", "a@b.example", "name"), ("A", "nobody", "email"), ("A", "a@b@c.example", "email"), ("A", "a b@c.example", "email")])
def test_a_guest_needs_a_name_and_an_address(world: World, name: str, email: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.register_guest(event(world), by=SYSTEM, now=NOW, name=name, email=email, language="en", zone="UTC")
    assert [reason.code for reason in refused.value.reasons] == [code]


def test_each_reminder_goes_once_however_often_the_task_runs(world: World) -> None:
    held = event(world)
    comes(held, "Ana")
    for hours, expected in ((25, 0), (24, 1), (23, 1), (1, 2), (0.5, 2)):
        with clock.stopped_at(STARTS - timedelta(hours=hours)):
            actions.send_reminders.call()
        assert Job.objects.filter(path__endswith="event_letters.reminder").count() == expected


def test_an_event_that_is_moved_is_reminded_of_anew_and_takes_registrations_until_its_new_time(world: World) -> None:
    held = event(world)
    comes(held, "Ana")
    later = STARTS + timedelta(days=7)
    facts = {name: getattr(held, name) for name in ("title", "description", "zone", "languages", "join_url", "closes_at")}
    with clock.stopped_at(STARTS - timedelta(hours=2)):
        actions.send_reminders.call()
        actions.edit_event(fresh(held), by=actor(world.office), now=clock.now(), **facts, starts_at=later, ends_at=later + timedelta(hours=1))
    assert fresh(held).closes_at == later
    for hours, expected in ((25, 1), (23, 2)):
        with clock.stopped_at(later - timedelta(hours=hours)):
            actions.send_reminders.call()
        assert Job.objects.filter(path__endswith="event_letters.reminder").count() == expected


def test_letters_go_out_in_the_readers_language_and_zone_with_the_calendar(world: World) -> None:
    with clock.stopped_at(NOW):
        asked = guest(event(world))
        drain()
        actions.by_link(link_token(asked), "confirm", now=NOW)
        drain()
    first, second = Message.objects.order_by("created_at", "id")
    assert (first.to, first.language, first.calendar) == ("guest@elsewhere.example", "fr", "")
    assert f"/online-events/mine/{link_token(asked)}/" in first.body
    assert "Europe/Paris" in second.body
    assert b"meet.example" in second.calendar.encode()


def test_attendance_asks_for_feedback_that_names_nobody(world: World) -> None:
    held = event(world)
    people = [comes(held, f"P{n}", n) for n in range(11)]
    actions.join(people[0], by=SYSTEM, now=STARTS)
    rows = actions._present(fresh(held), actor(world.office))
    assert [row.was_there for row in rows] == [True, *[False] * 10]
    with clock.stopped_at(STARTS + timedelta(hours=2)):
        held = actions.take_attendance(held, by=actor(world.office), now=STARTS + timedelta(hours=2), present=[PresentRow(registration=each.pk, was_there=True) for each in people])
        drain()
        assert [entry.verb for entry in available(fresh(people[0]), actor(people[0].person))] == ["give_feedback"]
    assert Message.objects.filter(kind="event_held").count() == 11
    for each in people[:9]:
        actions.give_feedback(fresh(each), by=actor(each.person), now=STARTS, useful="5", could_follow="3", words="Good.")
    assert (came(held), answers_of(held)) == ((11, 11), None)
    actions.give_feedback(fresh(people[9]), by=actor(people[9].person), now=STARTS, useful="4", could_follow="4")
    assert answers_of(held) == Answers(10, 4.9, 3.1, ("Good.",) * 9)
    assert {field.name for field in Feedback._meta.concrete_fields} == {"id", "event", "useful", "could_follow", "words"}
    with pytest.raises(Refused):
        actions.give_feedback(fresh(people[0]), by=actor(people[0].person), now=STARTS, useful="1", could_follow="1")


def test_certificates_of_attendance_go_to_those_who_were_there_and_have_an_account(world: World) -> None:
    held = event(world)
    there, absent, visitor = comes(held, "Ana"), comes(held, "Beto", 1), guest(held)
    actions.by_link(link_token(visitor), "confirm", now=NOW)
    rows = [PresentRow(registration=each.pk, was_there=each.pk != absent.pk) for each in (there, absent, visitor)]
    with clock.stopped_at(STARTS + timedelta(hours=2)):
        held = actions.take_attendance(held, by=actor(world.office), now=STARTS + timedelta(hours=2), present=rows)
    for _time in range(2):
        actions.certify(held, by=actor(world.office), now=STARTS + timedelta(hours=3))
    issued = Credential.objects.get()
    assert (issued.person, issued.award["hours"], issued.award["title"]["es"].endswith("Seminario abierto")) == (there.person, "1.5", True)


def test_a_guests_name_and_address_are_forgotten_and_the_counts_stay(world: World) -> None:
    held = event(world)
    asked, never = guest(held), guest(held, "never@elsewhere.example")
    actions.by_link(link_token(asked), "confirm", now=NOW)
    token = link_token(asked)
    Registration.objects.filter(pk=never.pk).update(created_at=NOW)
    with clock.stopped_at(STARTS + timedelta(days=91)):
        actions.forget_guests.call()
    kept = Registration.objects.get()
    assert (kept.name, kept.email, kept.state) == ("—", f"{asked.pk}@forgotten.invalid", "registered")
    with pytest.raises(NotFound):
        registration_of(token)


def test_registrations_are_for_the_person_and_the_organiser(world: World) -> None:
    mine = comes(event(world), "Ana")
    seen = [Registration.objects.visible_to(each).count() for each in (actor(mine.person), actor(world.office), actor(world.remy), ANONYMOUS)]
    assert seen == [1, 1, 0, 0]
    with pytest.raises(NotAllowed):
        actions.cancel_registration(mine, by=actor(world.remy), now=NOW)


def test_the_calendar_entry_stands_in_the_organisers_zone_and_tells_the_way_in_to_those_with_a_place(world: World) -> None:
    held = event(world)
    public, private = (icalendar.Calendar.from_ical(calendar_of(held, language="en", url="https://x.example/", joins=joins)) for joins in (False, True))
    entry = public.walk("VEVENT")[0]
    assert (entry.decoded("dtstart").isoformat(), entry["dtstart"].params["TZID"], str(entry["summary"])) == ("2027-01-21T10:00:00-05:00", "America/Bogota", "Open webinar")
    assert ("meet.example" in public.to_ical().decode(), "meet.example" in private.to_ical().decode()) == (False, True)


def test_a_recording_is_published_only_of_an_event_that_announced_it(world: World) -> None:
    quiet, told = event(world), event(world, is_recorded=True)
    over = STARTS + timedelta(days=1)
    with pytest.raises(Refused, match="Nobody was told"):
        actions.add_recording(quiet, by=actor(world.office), now=over, recording_url="https://video.example/1")
    kept = actions.add_recording(told, by=actor(world.office), now=over, recording_url="https://video.example/1", transcript_url="https://video.example/1.txt")
    assert (kept.recording_url, kept.transcript_url) == ("https://video.example/1", "https://video.example/1.txt")


def test_nothing_is_recorded_before_an_event_and_none_is_called_off_after_it(world: World) -> None:
    held = event(world, is_recorded=True)
    verbs = {}
    for moment in (STARTS - timedelta(hours=1), STARTS + timedelta(hours=3)):
        with clock.stopped_at(moment):
            verbs[moment] = {each.verb for each in available(held, actor(world.office))}
    before, after = verbs.values()
    assert ("add_recording" in before, "cancel" in before, "add_recording" in after, "cancel" in after) == (False, True, True, False)
    with pytest.raises(Refused, match="nothing recorded yet"):
        actions.add_recording(held, by=actor(world.office), now=STARTS - timedelta(hours=1), recording_url="https://video.example/1")
    with pytest.raises(Refused, match="ended on"):
        actions.cancel_event(held, by=actor(world.office), now=STARTS + timedelta(hours=3), because="Too late.")


def test_whoever_had_a_place_is_told_once_where_the_recording_is(world: World) -> None:
    told = event(world, is_recorded=True)
    asked = guest(told)
    actions.by_link(link_token(asked), "confirm", now=NOW)
    for address in ("https://video.example/1", "https://video.example/2"):
        actions.add_recording(fresh(told), by=actor(world.office), now=STARTS + timedelta(days=1), recording_url=address)
    with clock.stopped_at(STARTS + timedelta(days=2)):
        drain()
    assert [(letter.to, "https://video.example/" in letter.body) for letter in Message.objects.filter(kind="event_recorded")] == [("guest@elsewhere.example", True)]


def test_nobody_who_has_registered_is_recorded_by_a_later_change(world: World) -> None:
    held = event(world)
    facts = {name: getattr(held, name) for name in ("title", "description", "starts_at", "ends_at", "zone", "languages", "join_url", "dial_in")}
    comes(held, "Ana")
    with pytest.raises(Refused) as refused:
        actions.edit_event(held, by=actor(world.office), now=NOW, **facts, is_recorded=True)
    assert [reason.code for reason in refused.value.reasons] == ["recorded-late"]


# Pages ---------------------------------------------------------------------------------------------------------------


def browser() -> Client:
    return Client(headers={"accept-language": "en"})


def test_a_visitor_registers_confirms_and_gives_up_without_an_account(world: World) -> None:
    with clock.stopped_at(NOW):
        held, client = event(world), browser()
        assert "Register" in client.get(f"/online-events/{held.pk}/").content.decode()
        sent = client.post(f"/online-events/{held.pk}/register/", {"name": "Gast", "email": "Guest@Elsewhere.example", "needs": "captions"})
        assert (sent.status_code, "guest@elsewhere.example" in sent.content.decode()) == (200, True)
        mine = f"/online-events/mine/{link_token(Registration.objects.get())}/"
        assert "Confirm my registration" in client.get(mine).content.decode()
        assert client.post(mine, {"verb": "confirm"}).status_code == 302
        shown = client.get(mine)
        assert ("You have a place." in shown.content.decode(), shown["Cache-Control"], "meet.example" in shown.content.decode()) == (True, "private, no-store", False)
        # Under "no-referrer" a browser would send the form from a nameless origin, and it would be refused.
        assert shown["Referrer-Policy"] == "same-origin"
        assert client.post(mine, {"verb": "cancel"}).status_code == 302
        assert Registration.objects.get().state == "cancelled"


def test_the_door_opens_a_quarter_of_an_hour_before_and_notes_who_came_through(world: World) -> None:
    with clock.stopped_at(NOW):
        asked = guest(event(world))
        token = link_token(actions.by_link(link_token(asked), "confirm", now=NOW))
    client = browser()
    with clock.stopped_at(STARTS - timedelta(minutes=16)):
        # Times as the letter told them, until the browser says where it is.
        assert "(Europe/<wbr>Paris)" in client.get(f"/online-events/mine/{token}/").content.decode()
        client.cookies["vsm_zone"] = "America/Lima"
        assert "(America/<wbr>Lima)" in client.get(f"/online-events/mine/{token}/").content.decode()
        assert client.post(f"/online-events/mine/{token}/join/")["Location"] == f"/online-events/mine/{token}/"
    with clock.stopped_at(STARTS - timedelta(minutes=14)):
        assert client.get(f"/online-events/mine/{token}/join/")["Location"] == f"/online-events/mine/{token}/"
        opened = client.post(f"/online-events/mine/{token}/join/")
        assert (opened.status_code, opened["Refresh"], 'href="https://meet.example/room"' in opened.content.decode()) == (200, "0; url=https://meet.example/room", True)
    assert Registration.objects.get().joined_at == STARTS - timedelta(minutes=14)


def test_the_page_tells_nobody_who_is_registered_and_fills_nobodys_mailbox(world: World) -> None:
    with clock.stopped_at(NOW):
        held, client = event(world), browser()
        answers = [client.post(f"/online-events/{held.pk}/register/", {"name": "Gast", "email": "guest@elsewhere.example"}) for _time in range(3)]
        drain()
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].content.decode().count("guest@elsewhere.example") == answers[2].content.decode().count("guest@elsewhere.example")
    assert Message.objects.count() == 1


def test_one_address_of_the_network_registers_ten_within_ten_minutes(world: World) -> None:
    with clock.stopped_at(NOW):
        held, client = event(world), browser()
        statuses = [client.post(f"/online-events/{held.pk}/register/", {"name": "G", "email": f"g{n}@elsewhere.example"}).status_code for n in range(11)]
    assert statuses == [200] * 10 + [429]


def test_the_list_of_events_asks_the_same_for_one_and_for_three(world: World, django_assert_num_queries: Any) -> None:
    client = browser()
    event(world)
    client.get("/online-events/")
    with django_assert_num_queries(3):
        assert client.get("/online-events/").status_code == 200
    event(world)
    event(world)
    with django_assert_num_queries(3):
        assert client.get("/online-events/").content.decode().count('role="rowheader"') == 3


def test_a_list_is_narrowed_by_the_states_that_its_reader_sees_there(world: World) -> None:
    event(world)
    event(world, publish=False)
    office = Client(headers={"accept-language": "en"})
    office.force_login(world.office)
    pages = [client.get(f"/online-events/{query}").content.decode() for client in (browser(), office) for query in ("", "?state=cancelled")]
    assert [[word for word in ("draft", "published", "cancelled", "held") if f'<option value="{word}"' in page] for page in pages] == [
        ["published"], ["published", "cancelled"], ["draft", "published"], ["draft", "published", "cancelled"],
    ]  # fmt: skip


def test_how_many_came_to_one_event_is_read_by_whoever_organises_it(world: World) -> None:
    held = event(world)
    people = [comes(held, f"P{n}", n) for n in range(13)]
    office = Client(headers={"accept-language": "en"})
    office.force_login(world.office)
    with clock.stopped_at(STARTS + timedelta(hours=2)):
        held = actions.take_attendance(held, by=actor(world.office), now=STARTS + timedelta(hours=2), present=[PresentRow(registration=each.pk, was_there=n < 12) for n, each in enumerate(people)])
        for each in people[:12]:
            actions.give_feedback(fresh(each), by=actor(each.person), now=STARTS, useful="5", could_follow="3", words="Slower, please.")
        pages = [client.get(f"/online-events/{held.pk}/").content.decode().partition("How it was")[2] for client in (browser(), office)]
    figures = ['<span class="number">13</span>', '<span class="number">12</span>', "about 10 answers", "Slower, please."]
    assert [[figure in page for figure in figures] for page in pages] == [[False, False, True, False], [True, True, True, True]]


def test_everything_announced_is_one_calendar_and_each_event_linked_data(world: World) -> None:
    with clock.stopped_at(NOW):
        shown, client = event(world, speakers=[Speaker(name="Pilar Rincón", affiliation="Cerros")], subjects=["brief:lac"]), browser()
        event(world, publish=False)
        feed = icalendar.Calendar.from_ical(client.get("/online-events/calendar.ics").content)
        assert ([str(each["summary"]) for each in feed.walk("VEVENT")], b"meet.example" in feed.to_ical()) == (["Open webinar"], False)
        told = client.get(f"/online-events/{shown.pk}/event.jsonld").json()
    assert (told["@type"], told["startDate"], told["performer"], "url" in told["about"][0]) == (
        "EducationEvent", "2027-01-21T10:00:00-05:00", [{"@type": "Person", "name": "Pilar Rincón", "affiliation": "Cerros"}], False,
    )  # fmt: skip


def test_an_instructor_organises_too(world: World) -> None:
    give_role(world.dora, world.bogota, "instructor")
    made = actions.announce_event(world.bogota, by=actor(world.dora), now=NOW, title={"en": "Mine"}, description={}, starts_at=STARTS, ends_at=STARTS + timedelta(hours=1), zone="Asia/Manila", languages=["en"], dial_in="+63 2 555")
    assert actions.publish_event(made, by=actor(world.dora), now=NOW).state == "published"


def test_whoever_is_registered_is_led_to_the_own_place_until_it_is_given_up(world: World) -> None:
    with clock.stopped_at(NOW):
        held = event(world)
        place = comes(held, "Ana")
        ana = Client(headers={"accept-language": "en"})
        ana.force_login(place.person)
        assert [entry.verb for entry in available(held, actor(place.person))] == []
        assert ana.get(f"/online-events/{held.pk}/register/").headers["Location"] == f"/registrations/{place.pk}/"
        actions.cancel_registration(fresh(place), by=actor(place.person), now=NOW)
        assert [entry.verb for entry in available(held, actor(place.person))] == ["register"]
        assert ana.get(f"/online-events/{held.pk}/register/").status_code == 200


def test_whoever_publishes_briefs_presents_them_too(world: World) -> None:
    olga = Person.objects.create_user("olga@hub.example", None, is_operator=True, name="Olga")
    made = actions.announce_event(world.bogota, by=actor(olga), now=NOW, title={"en": "Launch"}, description={}, starts_at=STARTS, ends_at=STARTS + timedelta(hours=1), zone="America/Bogota", languages=["en"], dial_in="+57 1 555", kind="launch")
    made = actions.publish_event(made, by=actor(olga), now=NOW)
    assert (made.state, [entry.verb for entry in available(made, actor(olga))]) == ("published", ["edit", "cancel", "register"])


def test_a_member_reads_too_that_it_is_recorded_and_finds_the_own_place_first(world: World) -> None:
    quiet, told = event(world), event(world, is_recorded=True)
    ana = person("Ana", "America/Lima")
    client = browser()
    client.force_login(ana, backend="allauth.account.auth_backends.AuthenticationBackend")
    with clock.stopped_at(NOW):
        assert [b"in the recording" in client.get(f"/online-events/{each.pk}/register/").content for each in (quiet, told)] == [False, True]
        mine = actions.register(told, by=actor(ana), now=NOW)
        shown = client.get(f"/registrations/{mine.pk}/").content.decode()
    assert 0 < shown.index(f"/online-events/mine/{link_token(mine)}/") < shown.index(f"/registrations/{mine.pk}/cancel/")


def test_a_moment_in_a_french_letter_is_said_as_in_a_sentence(world: World) -> None:
    held = event(world)
    with clock.stopped_at(NOW):
        actions.by_link(link_token(guest(held)), "confirm", now=NOW)
        drain()
    assert {" 2027 à " in letter.body for letter in Message.objects.filter(kind="registration_confirmed")} == {True}
