"""What the worker does for credentials. The signer is loaded inside the tasks: the web process, which knows these
tasks by name in order to enqueue them, never loads the code that opens keys."""

from datetime import datetime
from uuid import UUID

from django_tasks import task

from vsm.exchange.credentials import actions
from vsm.exchange.credentials.models import RENEW_AFTER, Credential, StatusList
from vsm.exchange.credentials.states import State
from vsm.kit import clock
from vsm.kit.actors import SYSTEM
from vsm.kit.i18n import N_
from vsm.kit.jobs import every
from vsm.standards.open_badges.model import StatusEntry

_OVERTAKEN = N_("The transcript was replaced or contradicted before the credential could be signed.")
_RELATED = ("transcript", "person", "organisation")


@task()
def sign_credential(credential_id: str) -> None:
    """On credential.requested: sign once. One whose course cannot be certified any more is revoked instead."""
    from vsm.exchange.credentials.signer import Signer

    now = clock.now()
    signer = Signer.at(Credential.objects.get(pk=credential_id).organisation_id, now)
    # Read after the signer's lock: another worker may have signed it while we waited.
    credential = Credential.objects.select_related(*_RELATED).get(pk=credential_id)
    if credential.state != State.REQUESTED:
        return
    if not actions.still_certifiable(credential):
        actions.revoke(credential, by=SYSTEM, now=now, because=actions.told(credential.person, _OVERTAKEN))
        return
    status_list, index = signer.reserve()
    token = signer.sign(credential, StatusEntry(status_list.url, index))
    actions.sign(credential, by=SYSTEM, now=now, token=token, list_id=status_list.pk, index=index)


@task()
def publish_revocation(credential_id: str) -> None:
    """On credential.revoked: sign the status list anew, so that every verifier learns of it."""
    _publish(Credential.objects.get(pk=credential_id).status_list)


@task()
def rotate_keys(organisation_id: str, requested_at: str, leaked: str = "") -> None:
    """On issuer.rotation_requested: a new key, the old one retired (distrusted if it leaked), the lists signed anew."""
    from vsm.exchange.credentials.signer import Signer

    signer = Signer.at(UUID(organisation_id), clock.now())
    signer.rotate(requested_at=datetime.fromisoformat(requested_at), leaked=bool(leaked))


@task()
def renew_status_list(list_id: int) -> None:
    _publish(StatusList.objects.get(pk=list_id))


@every(3600)
@task()
def renew_status_lists() -> None:
    """Sign each list anew once a day. A list is a job of its own: one damaged key store must not stop the others."""
    due = StatusList.objects.filter(signed_at__lt=clock.now() - RENEW_AFTER)
    for pk in due.values_list("pk", flat=True):
        renew_status_list.enqueue(list_id=pk)


def _publish(status_list: StatusList | None) -> None:
    from vsm.exchange.credentials.signer import Signer

    if status_list is None:
        return
    signer = Signer.at(status_list.organisation_id, clock.now())
    signer.publish(status_list)
