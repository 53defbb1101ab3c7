"""A preparation leads on: to joining for whoever has a stay to come, and to the certificate for whoever has completed it."""

from datetime import timedelta

from django.conf import settings
from django.test import Client

from vsm.demo import World
from vsm.exchange.credentials.models import Credential
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import actor_of
from vsm.exchange.preparations.models import Participation, Preparation
from vsm.kit.actions import available


def test_a_completed_preparation_leads_to_its_certificate(world: World) -> None:
    done = Participation.objects.filter(state="completed").select_related("student").first()
    assert done is not None
    credential = Credential.objects.get(source_noun="participation", source_id=done.pk)
    here = Client()
    here.force_login(done.student, backend=settings.AUTHENTICATION_BACKENDS[0])
    assert f'href="/credentials/{credential.pk}/"' in here.get(f"/participations/{done.pk}/").content.decode()


def test_only_who_has_a_stay_to_come_and_has_not_joined_is_offered_to_join(world: World) -> None:
    preparation = Preparation.objects.get(state="open")
    joined = preparation.participations.get(student__name="Flor Huamán Quispe")

    def is_offered(who: Person) -> bool:
        return "join" in {entry.verb for entry in available(preparation, actor_of(who, world.now))}

    assert (is_offered(joined.student), is_offered(world.people["bia"])) == (False, False)
    stay = joined.mobility
    Mobility(student=stay.student, home=stay.home, host=stay.host, country="PT", residence="PE", starts_on=stay.ends_on + timedelta(days=60), ends_on=stay.ends_on + timedelta(days=150)).save()
    assert is_offered(joined.student)
