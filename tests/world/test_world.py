"""The demo world is as rich as it promises, and everything in it came about by actions."""

from typing import Any

from vsm.app.settings import PASSWORD_HASHERS
from vsm.demo import World, accounts
from vsm.demo.teams import make_teams
from vsm.exchange.applications.models import Call
from vsm.exchange.catalogue.models import Offering, Opportunity
from vsm.exchange.credentials.models import Credential
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import StudentRecord
from vsm.exchange.recognition.models import Decision, Transcript
from vsm.exchange.teams.models import Team
from vsm.kit import audit
from vsm.kit.models import AuditEvent, Job, Message


def test_it_has_institutions_in_many_zones_and_offerings_in_four_languages(world: World) -> None:
    universities = Organisation.objects.filter(kind="university")
    assert universities.count() >= 8
    assert universities.values("zone").distinct().count() >= 8
    assert Offering.objects.filter(state="published").count() >= 60
    assert set(Opportunity.objects.values_list("language", flat=True)) == {"es", "pt-br", "en", "fr"}
    assert StudentRecord.objects.count() >= 120


def test_it_has_a_call_at_each_stage_of_its_life(world: World) -> None:
    phases = {stage: call.phase(world.now) for stage, call in ((s, Call.objects.get(pk=c.pk)) for s, c in world.stages.calls.items())}
    assert phases == {
        "draft": "coming", "coming": "coming", "applying": "applying", "nominating": "nominating", "allocating": "allocating",
        "answered": "answered", "running": "answered", "over": "answered",
    }  # fmt: skip


def test_ana_has_a_transcript_decisions_and_a_signed_credential(world: World) -> None:
    ana = world.people["ana"]
    assert Transcript.objects.filter(student=ana, state="issued").exists()
    assert set(Decision.objects.filter(enrolment__student=ana).values_list("state", flat=True)) == {"recognised"}
    assert Credential.objects.filter(person=ana, state="issued").exclude(token="").exists()


def test_its_history_is_whole_and_nothing_failed_on_the_way(world: World) -> None:
    assert AuditEvent.objects.count() > 1000
    assert audit.verify() == []
    assert list(Job.objects.filter(state="dead").values_list("path", "error")) == []
    assert Message.objects.filter(state="waiting").count() == 0
    assert set(Message.objects.values_list("language", flat=True)) == {"es", "pt-br", "en", "fr"}


def test_every_account_that_is_printed_can_sign_in(world: World, settings: Any) -> None:
    from django.contrib.auth.hashers import check_password

    settings.PASSWORD_HASHERS = PASSWORD_HASHERS  # with which the world was made
    listed = accounts()
    assert {account.who.split()[0] for account in listed} >= {"Ana", "Bia", "Carlos", "Dora", "Olga"}
    stored = {person.email: person.password for person in world.people.values()}
    assert all(check_password(*pair) for pair in {(account.password, stored[account.email]) for account in listed})


def test_teams_are_formed_however_the_lottery_mixed_the_countries(world: World) -> None:
    """Running courses are filled by a lottery that is drawn anew each time: all who got in may be of one country."""
    Organisation.objects.filter(kind="university").update(country="PE")
    for team in Team.objects.all():
        team.memberships.all().delete()
    formation = make_teams(world.cast, world.offerings["running"], world.now)
    assert formation is not None
    assert formation.state == "published"
