"""The signer: the one place that opens private keys. Only the worker's process comes here, never the web's.

What the store holds (on disk) and what the site publishes (in the database) are brought together each time the signer
opens: a worker that died after it made a key and before it committed leaves nothing that its successor cannot finish.
"""

import os
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db.models import Max

from vsm.config import settings
from vsm.exchange.credentials import addresses
from vsm.exchange.credentials.award_badge import award_badge
from vsm.exchange.credentials.badge import badge
from vsm.exchange.credentials.models import RENEW_AFTER, Credential, IssuerKey, StatusList
from vsm.exchange.credentials.rules import free_index
from vsm.exchange.credentials.states import State
from vsm.exchange.institutions.models import Organisation
from vsm.kit.errors import Unavailable
from vsm.kit.i18n import N_
from vsm.kit.key_store import KeyStore
from vsm.kit.keys import SigningKey
from vsm.kit.verdict import Reason
from vsm.standards.open_badges.model import StatusEntry
from vsm.standards.open_badges.status_list import MIN_ENTRIES, StatusListCredential, sign_status_list
from vsm.standards.open_badges.status_list import StatusList as Bits
from vsm.standards.open_badges.write import sign

SIGNING_ROLES = ("all", "worker")
# With a list older than this, verifiers say "not checked". It is signed anew daily: a worker may be away for a weekend.
LIST_VALIDITY = timedelta(days=7)
# A random place is found in two draws on average as long as half of the list is free.
LIST_FULL = MIN_ENTRIES // 2

# Unlocking costs 210,000 rounds of PBKDF2 by design; the worker does it once for each key and keeps it in memory.
_UNLOCKED: dict[str, SigningKey] = {}


@dataclass(frozen=True)
class Signer:
    """The opened keys of one institution, within one task. Get one with `at`."""

    organisation_id: UUID
    base: str
    store: KeyStore
    now: datetime

    @classmethod
    def at(cls, organisation_id: UUID, now: datetime) -> "Signer":
        """Open the institution's keys, making the first when there is none, and publish their public halves.

        Signers of one institution wait for each other. Raises `Unavailable` outside the worker, and when the key store
        cannot be opened.
        """
        own = settings()
        if own.role not in SIGNING_ROLES:
            text = N_("This process cannot sign: only the worker opens the keys. Start one: ./vsm worker.")
            raise Unavailable(Reason("not-the-signer", text))
        # The row's lock, on PostgreSQL, lasts until the task commits; `no_key` lets others refer to the row meanwhile.
        Organisation.objects.select_for_update(no_key=True).get(pk=organisation_id)
        signer = cls(organisation_id, own.base_url, _store(organisation_id, now), now)
        signer.publish_keys()
        return signer

    @property
    def issuer(self) -> str:
        return addresses.issuer(self.base, self.organisation_id)

    def key(self) -> SigningKey:
        """The newest key in use. Raises `Unavailable` when there is none."""
        in_use = [key for key in self.store.public_keys() if key.covers(self.now)]
        if in_use and in_use[-1].kid in _UNLOCKED:
            return replace(_UNLOCKED[in_use[-1].kid], public=in_use[-1])
        found = self.store.active(self.now)
        _UNLOCKED[found.kid] = found
        return found

    def sign(self, credential: Credential, status: StatusEntry) -> str:
        """The signed text of a requested credential."""
        key = self.key()
        unsigned = (badge if credential.result_id else award_badge)(credential, base=self.base, issuer=self.issuer, status=status, now=self.now)
        return sign(unsigned, key, key_url=addresses.key(self.base, self.organisation_id, key.kid))

    def reserve(self) -> tuple[StatusList, int]:
        """A status list with room, published not long ago, and a place on it by chance that nobody has.

        One that is due for its daily renewal is signed anew here: whoever verifies the credential need not wait for it.
        """
        status_list = self._open_list()
        if status_list.signed_at is None or status_list.signed_at < self.now - RENEW_AFTER:
            self.publish(status_list)
        given = Credential.objects.filter(status_list=status_list)
        index = free_index(MIN_ENTRIES, lambda index: given.filter(status_index=index).exists(), secrets.randbelow)
        return status_list, index

    def publish(self, status_list: StatusList) -> None:
        """Sign the list as the records stand now."""
        revoked = Credential.objects.filter(status_list=status_list, state=State.REVOKED)
        bits = Bits.empty().changed(dict.fromkeys(revoked.values_list("status_index", flat=True), True))
        moment = self.now.replace(microsecond=0)
        told = StatusListCredential(
            status_list.url, status_list.issuer, "revocation", bits, moment, moment + LIST_VALIDITY
        )
        key = self.key()
        key_url = addresses.key(self.base, self.organisation_id, key.kid)
        status_list.token, status_list.signed_at = sign_status_list(told, key, key_url=key_url), self.now
        status_list.save()

    def rotate(self, *, requested_at: datetime, leaked: bool) -> None:
        """Put a new key in the place of those in use; done once however often it is asked for the same request.

        A leaked key is distrusted from now on: nothing that it signed verifies any more, whatever its date says.
        """
        asked = requested_at.replace(microsecond=0)
        before = [key for key in self.store.public_keys() if key.valid_from < asked]
        if not any(key.valid_from >= asked for key in self.store.public_keys()):
            self.store.rotate(now=self.now)
        for key in before:
            if leaked and not key.distrusted and (key.retired_at is None or key.retired_at >= asked):
                self.store.distrust(key.kid, at=self.now)
        self.publish_keys()
        for status_list in StatusList.objects.filter(organisation_id=self.organisation_id):
            self.publish(status_list)

    def publish_keys(self) -> None:
        """Make the published history say what the store says; keys are never taken out of it."""
        for key in self.store.public_keys():
            IssuerKey.objects.update_or_create(
                kid=key.kid,
                organisation_id=self.organisation_id,
                defaults={
                    "public_jwk": dict(key.jwk),
                    "valid_from": key.valid_from,
                    "retired_at": key.retired_at,
                    "distrusted": key.distrusted,
                },
            )

    def _open_list(self) -> StatusList:
        mine = StatusList.objects.filter(organisation_id=self.organisation_id)
        newest = mine.filter(issuer=self.issuer).order_by("-number").first()
        if newest is not None and Credential.objects.filter(status_list=newest).count() < LIST_FULL:
            return newest
        number = (mine.aggregate(last=Max("number"))["last"] or 0) + 1
        url = addresses.status_list(self.base, self.organisation_id, number)
        opened = StatusList(organisation_id=self.organisation_id, number=number, issuer=self.issuer, url=url)
        opened.save()
        self.publish(opened)
        return opened


def _store(organisation_id: UUID, now: datetime) -> KeyStore:
    folder = settings().data / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory, passphrase = folder / str(organisation_id), _passphrase(folder)
    if not (directory / "keys.json").exists():
        return KeyStore.create(directory, passphrase, now=now)
    if any(key.kid in _UNLOCKED for key in KeyStore(directory, passphrase).public_keys()):
        return KeyStore(directory, passphrase)  # proved when the key was unlocked
    return KeyStore.open(directory, passphrase)


def _passphrase(folder: Path) -> str:
    """The one that was configured (VSM_KEY_PASSPHRASE), else one kept beside the keys, made when first needed."""
    if settings().key_passphrase:
        return settings().key_passphrase
    path = folder / "passphrase"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    with os.fdopen(handle, "w") as file:
        made = secrets.token_urlsafe(32)
        file.write(made)
    return made
