"""Class lists: checked, applied, read again; whose list it is; names by consent."""

from datetime import date, timedelta

import pytest

from tests.exchange.collaborations import given
from tests.exchange.collaborations.given import NOW, World, actor, fresh, of_code, roster
from vsm.exchange.catalogue.models import Offering, Opportunity
from vsm.exchange.collaborations import actions
from vsm.exchange.collaborations.models import Exchange, Participant, RosterFile
from vsm.exchange.collaborations.queries import named_among, shown_name
from vsm.exchange.people.models import Invitation, Person
from vsm.exchange.sessions.models import Enrolment
from vsm.kit.actors import ANONYMOUS
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.uploads import Upload

pytestmark = pytest.mark.django_db


def read(world: World, exchange: Exchange, file: Upload) -> RosterFile:
    return actions.import_roster(exchange, by=actor(world.pilar), now=NOW, file=file)


def test_checking_changes_nothing_and_applying_enters_everybody(world: World) -> None:
    exchange = world.agreed()
    checked = read(world, exchange, roster("co", 3))
    assert (checked.state, checked.new, Participant.objects.count(), Person.objects.filter(email__startswith="co").count()) == ("checked", 3, 0, 0)
    applied = actions.apply_roster(checked, by=actor(world.pilar), now=NOW)
    assert (applied.state, applied.lines) == ("applied", [])
    assert list(exchange.participants.values_list("code", "side", "person__name", "shares_name")) == [(f"CO-0{n}", "first", f"Student CO {n}", False) for n in (1, 2, 3)]
    assert Invitation.objects.filter(organisation=world.bogota, role="student").count() == 3


def test_the_same_file_again_changes_nothing(world: World) -> None:
    exchange = world.agreed()
    actions.apply_roster(read(world, exchange, roster("co", 3)), by=actor(world.pilar), now=NOW)
    versions = dict(exchange.participants.values_list("code", "version"))
    again = read(world, exchange, roster("co", 3))
    assert (again.new, again.changed, again.unchanged) == (0, 0, 3)
    actions.apply_roster(again, by=actor(world.pilar), now=NOW)
    assert dict(exchange.participants.values_list("code", "version")) == versions
    assert Invitation.objects.count() == 3


def test_who_comes_later_is_added_and_who_changes_is_changed(world: World) -> None:
    exchange = world.agreed()
    actions.apply_roster(read(world, exchange, roster("co", 2)), by=actor(world.pilar), now=NOW)
    later = read(world, exchange, Upload.of("x.csv", "text/csv", b"email,name,languages\nco1@class-co.example,Student CO 1,en:C1\nco9@class-co.example,New,\n"))
    assert (later.new, later.changed, later.unchanged) == (1, 1, 0)
    actions.apply_roster(later, by=actor(world.pilar), now=NOW)
    assert (exchange.participants.count(), of_code(exchange, "CO-01").languages) == (3, {"en": "C1"})


def test_every_bad_line_is_named_and_nothing_can_be_applied(world: World) -> None:
    exchange = world.agreed()
    bad = roster("co", 1, "\nnobody,No Address,\nremy@lyon.example,Rémy,")
    refused = read(world, exchange, bad)
    assert (refused.state, [(line, code) for line, code, _text in refused.problems]) == ("refused", [(3, "bad-email"), (4, "elsewhere")])
    with pytest.raises(Refused):
        actions.apply_roster(refused, by=actor(world.pilar), now=NOW)


def test_nobody_reads_a_list_for_the_other_class(world: World) -> None:
    exchange = world.agreed()
    with pytest.raises(NotAllowed):
        actions.import_roster(exchange, by=actor(world.dora), now=NOW, file=roster("ph", 2))
    with pytest.raises(Invalid):
        actions.import_roster(exchange, by=actor(world.pilar), now=NOW, file=roster("fr", 2), side="second")
    assert RosterFile.objects.visible_to(actor(world.remy)).count() == 0


def test_somebody_of_the_partner_class_is_refused_by_line(world: World) -> None:
    exchange = world.gathered(2, 2)
    mixed = read(world, exchange, Upload.of("x.csv", "text/csv", b"email,name\nfr1@class-fr.example,Student FR 1\n"))
    assert [code for _line, code, _text in mixed.problems] == ["partner-class"]


def test_a_class_is_taken_from_those_enrolled_in_a_course(world: World) -> None:
    exchange = world.agreed()
    course = Opportunity(organisation=world.bogota, code="ENV1", title={"en": "Environment"}, credits=3, language="es", state="published")
    course.save()
    offering = Offering(opportunity=course, code="2027-1", starts_on=date(2027, 2, 1), ends_on=date(2027, 6, 1), zone="America/Bogota", seats=9, state="published")
    offering.save()
    for name in ("Ana", "Beto"):
        who = given.person(name, "America/Bogota")
        Enrolment(student=who, home=world.bogota, offering=offering, enrolled_at=NOW).save()
    for _time in range(2):
        exchange = actions.take_from_offering(exchange, by=actor(world.pilar), now=NOW, offering=offering.pk)
    assert sorted(exchange.participants.values_list("person__name", flat=True)) == ["Ana", "Beto"]
    with pytest.raises(Invalid):
        actions.take_from_offering(exchange, by=actor(world.remy), now=NOW, offering=offering.pk)


def test_a_name_is_shared_by_the_student_alone_and_can_be_taken_back(world: World) -> None:
    exchange = world.gathered(2, 2)
    ana, luc = of_code(exchange, "CO-01"), of_code(exchange, "FR-01")
    assert (shown_name(ana, actor(world.remy)), shown_name(ana, actor(world.pilar)), named_among(ana, luc)) == ("CO-01", "Student CO 1", "CO-01")
    assert not Participant.objects.visible_to(actor(world.remy)).filter(side="first").exists()
    with pytest.raises(NotAllowed):
        actions.share_name(ana, by=actor(world.pilar), now=NOW)
    ana = actions.share_name(ana, by=actor(ana.person), now=NOW)
    assert (shown_name(ana, actor(world.remy)), named_among(ana, luc)) == ("Student CO 1", "Student CO 1")
    ana = actions.hide_name(ana, by=actor(ana.person), now=NOW)
    assert (shown_name(ana, actor(world.remy)), Participant.objects.visible_to(actor(world.remy)).filter(side="first").count()) == ("CO-01", 0)


def test_participants_are_nobody_elses_business(world: World) -> None:
    exchange = world.gathered(2, 2)
    ana = of_code(exchange, "CO-01")
    assert [Participant.objects.visible_to(each).count() for each in (actor(ana.person), actor(world.office), actor(world.dora), ANONYMOUS)] == [1, 2, 0, 0]


def test_leaving_and_coming_back_keep_the_record(world: World) -> None:
    exchange = world.gathered(2, 2)
    ana = of_code(exchange, "CO-01")
    ana = actions.leave(ana, by=actor(ana.person), now=NOW + timedelta(days=1), because="A new job.")
    assert (ana.state, ana.because, Exchange.objects.visible_to(actor(ana.person)).exists()) == ("left", "A new job.", False)
    ana = actions.rejoin(ana, by=actor(world.pilar), now=NOW + timedelta(days=2))
    assert (ana.state, ana.left_at, fresh(ana).code) == ("active", None, "CO-01")
