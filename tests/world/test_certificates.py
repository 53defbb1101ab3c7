"""What somebody has completed leads to what they got for it."""

from django.conf import settings
from django.test import Client

from vsm.demo import World
from vsm.exchange.credentials.models import Credential
from vsm.exchange.preparations.models import Participation


def test_a_completed_preparation_leads_to_its_certificate(world: World) -> None:
    done = Participation.objects.filter(state="completed").select_related("student").first()
    assert done is not None
    credential = Credential.objects.get(source_noun="participation", source_id=done.pk)
    here = Client()
    here.force_login(done.student, backend=settings.AUTHENTICATION_BACKENDS[0])
    assert f'href="/credentials/{credential.pk}/"' in here.get(f"/participations/{done.pk}/").content.decode()
