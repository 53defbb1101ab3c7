"""From the vacancy to the accepted place."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from tests.exchange.placements.given import NOW, STARTED, VACANCY, World, fresh
from tests.exchange.placements.test_way import refused
from vsm.exchange.applications.models import Application, Call, Document
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.people.models import StudentRecord
from vsm.exchange.placements.actions import duties, hosts, running, selecting, vacancies
from vsm.exchange.placements.actions.selecting import SlotRow
from vsm.exchange.placements.models import HAS_PLACE, Interview, Placement, PlacementApplication
from vsm.exchange.placements.queries.vacancies import INTERVIEW, offerings_open, slot_choices
from vsm.exchange.placements.queries.vacancies import VACANCY as RESOURCE
from vsm.kit import clock
from vsm.kit.actions import available
from vsm.kit.actors import ANONYMOUS
from vsm.kit.jobs import drain
from vsm.kit.models import Message
from vsm.kit.uploads import Upload
from vsm.web.student.placements import vacancy_part

pytestmark = pytest.mark.django_db
CLOSED = VACANCY["apply_by"] + timedelta(hours=1)


def slots(world: World, vacancy: object, *rows: tuple[int, int], who: str = "Mario") -> None:
    made = [SlotRow(day=date(2026, 8, day), starts=time(hour), with_whom=who) for day, hour in rows]
    selecting.offer_interviews(fresh(vacancy), by=world.by("elena"), now=NOW, slots=made)


def test_a_vacancy_stands_in_the_public_catalogue_under_its_category(world: World) -> None:
    vacancy = world.vacancy()
    offering = Offering.objects.visible_to(ANONYMOUS).get(pk=vacancy.offering_id)
    assert (offering.opportunity.category, offering.state, offering.seats, offering.opportunity.credits) == ("placement", "published", 1, 0)
    assert list(Offering.objects.filter(pk__in=offerings_open(NOW))) == [offering]
    assert list(Offering.objects.filter(pk__in=offerings_open(CLOSED))) == []
    assert RESOURCE.visible_to(ANONYMOUS).count() == 1


def test_a_host_that_is_not_vetted_publishes_nothing(world: World) -> None:
    vacancy = vacancies.add_vacancy(world.host, by=world.by("elena"), now=NOW, **{**VACANCY, "code": "X"})
    hosts.suspend(fresh(world.host), by=world.by("nora"), now=NOW, because="x")
    assert refused(vacancies.publish, fresh(vacancy), by=world.by("elena"), now=NOW) == ["host-not-vetted"]
    assert RESOURCE.visible_to(ANONYMOUS).count() == 0


def test_what_was_promised_to_those_who_applied_may_not_become_less(world: World) -> None:
    vacancy = world.vacancy(pay_period="month", pay=Decimal(9000), currency="uyu")
    world.submitted(vacancy)
    less = {**VACANCY, "pay_period": "month", "pay": Decimal(8000), "currency": "UYU", "apply_by": VACANCY["apply_by"] - timedelta(days=1)}
    assert refused(vacancies.edit_vacancy, fresh(vacancy), by=world.by("elena"), now=NOW, **less) == ["apply-by-earlier", "pay-less"]
    assert fresh(vacancy).currency == "UYU"


def test_every_obstacle_to_applying_is_told_at_once(world: World) -> None:
    StudentRecord.objects.filter(person=world.people["ana"]).update(languages={"es": "A2"})
    application = selecting.apply(world.vacancy(), by=world.by("ana"), now=NOW)
    hosts.suspend(fresh(world.host), by=world.by("nora"), now=NOW, because="x")
    assert refused(selecting.submit, fresh(application), by=world.by("ana"), now=CLOSED) == ["closed", "host-not-vetted", "motivation-missing", "language"]


def test_applying_twice_is_one_application(world: World) -> None:
    vacancy = world.vacancy()
    first, second = (selecting.apply(fresh(vacancy), by=world.by("ana"), now=NOW) for _again in range(2))
    assert first.pk == second.pk


def test_documents_handed_in_for_a_call_are_reused(world: World) -> None:
    call = Call(organisation=world.home, code="C", title={}, zone="UTC", opens_at=NOW - timedelta(days=9), closes_at=NOW, nominate_by=NOW)
    call.save()
    earlier = Application(call=call, student=world.people["ana"], home=world.home)
    earlier.save()
    Document(application=earlier, kind="transcript", name="notas.pdf", media_type="application/pdf", size=9, digest="a" * 64, at=NOW).save()
    application = selecting.apply(world.vacancy(), by=world.by("ana"), now=NOW)
    selecting.reuse_documents(application, by=world.by("ana"), now=NOW, documents=[f"transcript:{'a' * 64}"])
    assert list(application.documents.values_list("kind", "name", "digest")) == [("transcript", "notas.pdf", "a" * 64)]
    beto = selecting.apply(fresh(application).vacancy, by=world.by("beto"), now=NOW)
    assert refused(selecting.reuse_documents, beto, by=world.by("beto"), now=NOW, documents=[f"transcript:{'a' * 64}"]) == ["no-document"]


def test_a_file_that_is_none_is_refused(world: World) -> None:
    application = selecting.apply(world.vacancy(), by=world.by("ana"), now=NOW)
    page = Upload.of("cv.pdf", "application/pdf", b"\x00\x01<html>")
    assert refused(selecting.attach, application, by=world.by("ana"), now=NOW, kind="cv", file=page)[-1:] == ["document-type"]


def test_the_host_sees_an_application_when_it_is_submitted_and_home_too(world: World) -> None:
    application = selecting.apply(world.vacancy(), by=world.by("ana"), now=NOW)
    seen = lambda: {name for name in ("ana", "elena", "bia", "nora", "dora", "mario") if PlacementApplication.objects.visible_to(world.by(name)).exists()}  # noqa: E731 -- short enough to read where it is used
    assert seen() == {"ana"}
    selecting.edit_application(application, by=world.by("ana"), now=NOW, motivation="Because.")
    selecting.submit(fresh(application), by=world.by("ana"), now=NOW)
    assert seen() == {"ana", "elena", "bia"}


# Interviews -----------------------------------------------------------------------------------------------------------


def test_slots_keep_the_hosts_wall_time_and_are_told_on_the_students_clock(world: World) -> None:
    vacancy = world.vacancy()
    application = selecting.shortlist(world.submitted(vacancy), by=world.by("elena"), now=NOW)
    slots(world, vacancy, (24, 10))
    assert Interview.objects.get().starts_at == datetime(2026, 8, 24, 13, tzinfo=UTC)
    with timezone.override("America/Lima"):
        (_pk, told), = slot_choices(fresh(application), world.by("ana"))
    assert told == "Mon 24 Aug 2026, 08:00–08:30 (America/Lima) · 10:00 America/Montevideo · Mario"


def test_an_hour_that_the_clock_skips_is_refused(world: World) -> None:
    vacancy = world.vacancy()
    Offering.objects.filter(pk=vacancy.offering_id).update(zone="America/Santiago")
    made = [SlotRow(day=date(2026, 9, 6), starts=time(0, 15), with_whom="Mario"), SlotRow(day=date(2026, 9, 6), starts=time(1, 15), with_whom="Mario")]
    assert refused(selecting.offer_interviews, fresh(vacancy), by=world.by("elena"), now=NOW, slots=made)[0] == "no-such-hour"


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31), date(2026, 7, 31)])
def test_a_slot_outside_of_the_time_until_the_work_ends_is_refused(world: World, day: date) -> None:
    made = [SlotRow(day=day, starts=time(23), with_whom="Mario")]
    assert refused(selecting.offer_interviews, world.vacancy(), by=world.by("elena"), now=NOW, slots=made) == ["slot-outside"]


def test_the_same_person_is_not_offered_twice_at_once_even_for_two_vacancies(world: World) -> None:
    slots(world, world.vacancy(), (24, 10))
    other = world.vacancy()
    with pytest.raises(Exception, match="slots-overlap"):
        slots(world, other, (24, 10), who="mario")
    slots(world, other, (24, 10), who="Elena")


def test_choosing_another_slot_frees_the_first_and_a_taken_one_is_no_choice(world: World) -> None:
    vacancy = world.vacancy()
    ana, beto = (selecting.shortlist(world.submitted(vacancy, name), by=world.by("elena"), now=NOW) for name in ("ana", "beto"))
    slots(world, vacancy, (24, 10), (24, 12))
    early, late = Interview.objects.order_by("starts_at")
    selecting.book(fresh(ana), by=world.by("ana"), now=NOW, slot=early.pk)
    assert refused(selecting.book, fresh(beto), by=world.by("beto"), now=NOW, slot=early.pk) == ["slot-taken"]
    selecting.book(fresh(ana), by=world.by("ana"), now=NOW, slot=late.pk)
    selecting.book(fresh(beto), by=world.by("beto"), now=NOW, slot=early.pk)
    assert list(Interview.objects.order_by("starts_at").values_list("application__student__name", "state")) == [("beto", "booked"), ("ana", "booked")]


def test_open_slots_are_seen_by_the_shortlisted_and_the_host_only(world: World) -> None:
    vacancy = world.vacancy()
    selecting.shortlist(world.submitted(vacancy), by=world.by("elena"), now=NOW)
    slots(world, vacancy, (24, 10))
    assert {name for name in ("ana", "beto", "elena", "bia", "dora") if INTERVIEW.visible_to(world.by(name)).exists()} == {"ana", "elena"}
    assert INTERVIEW.visible_to(ANONYMOUS).count() == 0


def test_a_cancelled_slot_tells_whoever_had_it(world: World) -> None:
    vacancy = world.vacancy()
    ana = selecting.shortlist(world.submitted(vacancy), by=world.by("elena"), now=NOW)
    slots(world, vacancy, (24, 10))
    with clock.stopped_at(NOW):
        selecting.book(fresh(ana), by=world.by("ana"), now=NOW, slot=Interview.objects.get().pk)
        selecting.cancel_interview(Interview.objects.get(), by=world.by("elena"), now=NOW, because="Mario is ill.")
        drain()
    letter = Message.objects.get(to=world.people["ana"].email, subject__startswith="Your interview was cancelled")
    assert "Mario is ill." in letter.body
    assert Interview.objects.get().state == "cancelled"


def test_the_notes_of_a_conversation_are_not_in_what_the_student_reads(world: World) -> None:
    vacancy = world.vacancy()
    ana = selecting.shortlist(world.submitted(vacancy), by=world.by("elena"), now=NOW)
    slots(world, vacancy, (24, 10))
    selecting.book(fresh(ana), by=world.by("ana"), now=NOW, slot=Interview.objects.get().pk)
    held = NOW + timedelta(days=22)
    assert refused(selecting.record_interview, Interview.objects.get(), by=world.by("elena"), now=NOW, held=True) == ["not-yet"]
    selecting.record_interview(Interview.objects.get(), by=world.by("elena"), now=held, held=True, outcome="secret-note")
    assert "secret-note" not in str(INTERVIEW.values(INTERVIEW.seen_by(world.by("ana"), Interview.objects.get().pk)))


# Offers ---------------------------------------------------------------------------------------------------------------


def test_no_place_is_offered_before_everybody_could_apply(world: World) -> None:
    vacancy = world.vacancy()
    world.submitted(vacancy)
    assert refused(selecting.make_offers, fresh(vacancy), by=world.by("elena"), now=NOW) == ["still-open", "not-ranked"]


def test_the_place_goes_by_rank_then_to_the_next_when_declined_or_expired(world: World) -> None:
    vacancy = world.vacancy(respond_hours=24)
    ana, beto = world.offered(vacancy, "ana", "beto")
    assert [fresh(each).state for each in (ana, beto)] == ["offered", "shortlisted"]
    selecting.decline(ana, by=world.by("ana"), now=CLOSED + timedelta(hours=1))
    assert [fresh(each).state for each in (ana, beto)] == ["declined", "offered"]
    with clock.stopped_at(CLOSED + timedelta(hours=26)):
        duties.expire_placement_offers.call()
        drain()
    assert fresh(beto).state == "expired"


def test_a_vacancy_with_every_place_taken_says_so_and_takes_nobody_even_when_its_closing_is_moved(world: World) -> None:
    vacancy = world.vacancy()
    ana, = world.offered(vacancy)
    later = CLOSED + timedelta(hours=1)
    with clock.stopped_at(later):
        vacancies.edit_vacancy(fresh(vacancy), by=world.by("elena"), now=later, **{**VACANCY, "apply_by": CLOSED + timedelta(days=7)})
        assert [act.verb for act in available(fresh(vacancy), world.by("beto")) if act.verb == "apply"] == ["apply"]
        assert list(offerings_open(later)) == [vacancy.offering_id]
        selecting.accept(ana, by=world.by("ana"), now=later)
        assert list(offerings_open(later)) == []
        assert (fresh(vacancy).places_free, fresh(vacancy).takes_applications(later)) == (0, False)
        assert [act.verb for act in available(fresh(vacancy), world.by("beto"))] == []
        assert refused(selecting.apply, fresh(vacancy), by=world.by("beto"), now=later) == ["filled"]
        assert "All places are taken" in render_to_string("placements/vacancy.html", vacancy_part(fresh(vacancy), world.by("beto")))
        elena = world.by("elena")
        assert [act.verb for act in available(fresh(vacancy), elena) if act.tone_on(fresh(vacancy)) == "primary"] == ["close"]


@pytest.mark.parametrize(("who", "state"), [("ana", "offered"), ("bia", "offered"), ("elena", "shortlisted")])
def test_a_place_given_up_before_the_first_day_goes_to_the_next_unless_the_host_took_it_back(world: World, who: str, state: str) -> None:
    vacancy = world.vacancy()
    ana, beto = world.offered(vacancy, "ana", "beto")
    selecting.accept(ana, by=world.by("ana"), now=CLOSED + timedelta(hours=1))
    running.cancel(Placement.objects.get(application=ana), by=world.by(who), now=CLOSED + timedelta(hours=2), because="It cannot be.")
    assert (Placement.objects.get(application=ana).state, fresh(beto).state, fresh(vacancy).is_filled) == ("cancelled", state, state == "shortlisted")
    told = {each.pk for each in PlacementApplication.objects.all() if each.has_place}
    assert set(PlacementApplication.objects.filter(HAS_PLACE).values_list("pk", flat=True)) == told, "the database is told the same"


def test_a_filled_vacancy_closes_by_itself_on_the_first_day_and_whoever_waits_reads_why_in_their_language(world: World) -> None:
    world.people["beto"].language = "es"
    world.people["beto"].save()
    vacancy, open_one = world.vacancy(), world.vacancy()
    ana, beto = world.offered(vacancy, "ana", "beto")
    selecting.accept(ana, by=world.by("ana"), now=CLOSED + timedelta(hours=1))
    for at, states in ((STARTED - timedelta(days=1), ["published", "shortlisted"]), (STARTED, ["closed", "not-selected"])):
        with clock.stopped_at(at):
            duties.keep_placements.call()
            drain()
        assert [fresh(each).state for each in (vacancy, beto)] == states
    assert fresh(beto).because == "Todos los cupos están ocupados y el trabajo ya comenzó."
    assert fresh(open_one).state == "published"


def test_an_offer_is_not_accepted_after_its_time(world: World) -> None:
    application, = world.offered(world.vacancy(respond_hours=24))
    assert refused(selecting.accept, application, by=world.by("ana"), now=CLOSED + timedelta(hours=25)) == ["offer-expired"]


def test_only_the_shortlisted_can_be_ranked_each_once(world: World) -> None:
    vacancy = world.vacancy()
    ana, beto = world.submitted(vacancy), world.submitted(vacancy, "beto")
    selecting.shortlist(ana, by=world.by("elena"), now=NOW)
    assert refused(selecting.rank, fresh(vacancy), by=world.by("elena"), now=NOW, ranking=[ana.pk, ana.pk, beto.pk]) == ["ranked-twice", "not-shortlisted"]


def test_who_is_not_selected_reads_why(world: World) -> None:
    application = world.submitted(world.vacancy())
    assert refused(selecting.not_select, application, by=world.by("elena"), now=NOW, because=" ") == ["because"]
    with clock.stopped_at(NOW):
        selecting.not_select(fresh(application), by=world.by("elena"), now=NOW, because="Another field.")
        drain()
    assert "Another field." in Message.objects.get(to=world.people["ana"].email).body


def test_two_placements_at_once_may_not_come_to_more_hours_than_the_law_allows(world: World) -> None:
    world.placement()
    second, = world.offered(world.vacancy())
    assert refused(selecting.accept, second, by=world.by("ana"), now=CLOSED + timedelta(hours=2)) == ["hours-together"]


def test_accepting_opens_the_placement_with_the_first_draft_of_its_agreement(world: World) -> None:
    placement = world.placement()
    version = placement.agreement.current_version
    assert (placement.state, placement.agreement.state, version.number) == ("preparing", "draft", 1)
    assert (version.text.tasks, version.text.hours_per_week, version.text.mentor["email"]) == ("Clean the survey data.", "20", "mario@host.example")


def test_withdrawing_the_vacancy_tells_everybody_and_frees_what_was_offered(world: World) -> None:
    vacancy = world.vacancy(places=1)
    ana, beto = world.offered(vacancy, "ana", "beto")
    vacancies.withdraw_vacancy(fresh(vacancy), by=world.by("elena"), now=CLOSED, because="The project ended.")
    assert [fresh(each).state for each in (ana, beto)] == ["expired", "not-selected"]
    assert not Placement.objects.exists()
    assert fresh(vacancy).offering.opportunity.state == "withdrawn"


def test_somebody_who_is_no_student_here_cannot_apply(world: World) -> None:
    assert refused(selecting.apply, world.vacancy(), by=world.by("bia"), now=NOW) == ["role"]
    StudentRecord.objects.filter(person=world.people["beto"]).delete()
    assert refused(selecting.apply, world.vacancy(), by=world.by("beto"), now=NOW) == ["no-student-record"]
