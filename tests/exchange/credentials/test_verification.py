"""What we sign can be verified by others, from what we publish alone; and what is not ours, or no more, cannot.

The verifier here has no access to the records: keys and status lists come through the site's own public addresses.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from jwcrypto import jwk, jws

from tests.exchange.credentials import given
from tests.exchange.credentials.given import NOW, World, work
from vsm.exchange.credentials import actions, queries, tasks
from vsm.exchange.credentials.badge import badge
from vsm.exchange.credentials.models import IssuerKey
from vsm.exchange.credentials.signer import Signer
from vsm.kit import clock
from vsm.kit.keys import PublicKey, generate_key, read_jwk_set
from vsm.kit.signing import read_jwt, sign_jwt
from vsm.standards.open_badges.model import StatusEntry
from vsm.standards.open_badges.status_list import read_status_list
from vsm.standards.open_badges.verify import Standing, Verification, verify
from vsm.standards.open_badges.write import claims_of, write

# WhiteNoise warns where nobody has run collectstatic, as in a fresh clone.
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
LATER = NOW + timedelta(days=1)


def read_at(address: str) -> bytes | None:
    """GET, as anybody on the internet."""
    parts = urlsplit(address)
    assert parts.netloc == "testserver"
    answer = Client().get(parts.path)
    return answer.content if answer.status_code == 200 else None


def keys_of(issuer: str) -> tuple[PublicKey, ...] | None:
    served = read_at(issuer + "jwks.json")
    return read_jwk_set(json.loads(served)) if served else None


def verified(token: str, now: datetime = NOW + timedelta(minutes=1)) -> Verification:
    """By our standards package with what the site publishes; the site's own verdict must be the same."""
    outside = verify(token.encode(), resolve_keys=keys_of, resolve_status=read_at, now=now)
    assert queries.verdict_on(token.encode(), now=now) == outside
    return outside


def failures(found: Verification) -> list[str]:
    return [check.name for check in found.checks if not check.passed]


# Elsewhere ----------------------------------------------------------------------------------------------------------


def test_jwcrypto_verifies_it_with_the_key_that_the_header_leads_to(world: World) -> None:
    credential = world.issue()
    token = jws.JWS()
    token.deserialize(credential.token)
    token.verify(jwk.JWK.from_json(read_at(token.jose_header["kid"])))
    told = json.loads(token.payload)
    assert (told["id"], told["credentialSubject"]["result"][0]["value"]) == (f"urn:uuid:{credential.pk}", "6.2")
    assert token.jose_header["typ"] == "JWT"


def test_jwcrypto_verifies_the_status_list_by_the_published_key_set(world: World) -> None:
    credential = world.issue()
    token = jws.JWS()
    token.deserialize((read_at(credential.status_list.url) or b"").decode())
    keys = jwk.JWKSet.from_json(read_at(f"http://testserver/issuers/{world.host.pk}/jwks.json"))
    token.verify(keys.get_key(token.jose_header["kid"].rpartition("/")[2]))
    assert json.loads(token.payload)["credentialSubject"]["statusPurpose"] == "revocation"


def test_the_did_document_holds_the_same_keys(world: World) -> None:
    world.issue()
    document = json.loads(read_at(f"http://testserver/issuers/{world.host.pk}/did.json") or b"")
    assert document["id"] == f"did:web:testserver:issuers:{world.host.pk}"
    assert document["alsoKnownAs"] == [f"http://testserver/issuers/{world.host.pk}/"]
    assert [method["publicKeyJwk"]["kid"] for method in document["verificationMethod"]] == [IssuerKey.objects.get().kid]


def test_from_a_transcript_to_a_verified_credential(world: World) -> None:
    found = verified(world.issue().token)
    assert (found.standing, failures(found)) == (Standing.VALID, [])
    assert found.credential is not None
    assert found.credential.achievement.name == "Estadística"


# Revocation ---------------------------------------------------------------------------------------------------------


def test_a_revoked_credential_is_known_as_revoked_once_the_worker_ran_and_its_neighbours_stand(world: World) -> None:
    credential, other = world.issue(), world.credential("HIS-300")
    actions.revoke(credential, by=world.ines, now=LATER, because="Issued by mistake.")
    assert verified(credential.token).standing is Standing.VALID
    work(LATER)
    assert verified(credential.token, LATER).standing is Standing.REVOKED
    assert verified(other.token, LATER).standing is Standing.VALID
    (published,) = read_status_list(read_jwt(read_at(credential.status_list.url) or b"")[1])
    assert [i for i in range(published.bits.entries) if published.bits.is_set(i)] == [credential.status_index]


def test_a_list_that_nobody_signed_for_a_week_makes_it_not_checked(world: World) -> None:
    found = verified(world.issue().token, NOW + timedelta(days=8))
    assert (found.standing, failures(found)) == (Standing.NOT_CHECKED, ["status"])


# The matrix: {before, in, after the key's window} × {as issued, revoked, altered byte, wrong issuer} --------------------


def as_issued(world: World, token: str) -> str:
    return token


def revoked(world: World, token: str) -> str:
    actions.revoke(world.credential(), by=world.ines, now=LATER, because="Issued by mistake.")
    work(LATER)
    return token


def altered(world: World, token: str) -> str:
    header, payload, signature = token.split(".")
    middle = len(payload) // 2
    return ".".join(
        [header, payload[:middle] + ("A" if payload[middle] != "A" else "B") + payload[middle + 1 :], signature]
    )


def by_another_issuer(world: World, token: str) -> str:
    """The same words, signed by another institution of this site with its own good key."""
    another = Signer.at(world.home.pk, LATER)
    another.reserve()
    return sign_jwt(read_jwt(token)[1], another.key())


WINDOWS: dict[str, dict[str, object]] = {
    "before": {"valid_from": NOW + timedelta(hours=1)},
    "in": {},
    "after": {"retired_at": NOW - timedelta(hours=1), "valid_from": NOW - timedelta(days=9)},
}
DEEDS: dict[str, Callable[[World, str], str]] = {
    "as issued": as_issued, "revoked": revoked, "altered": altered, "wrong issuer": by_another_issuer,
}  # fmt: skip


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("deed", DEEDS)
def test_only_what_is_unaltered_unrevoked_its_issuer_s_and_in_the_key_s_window_is_valid(
    world: World, window: str, deed: str
) -> None:
    token = DEEDS[deed](world, world.issue().token)
    IssuerKey.objects.filter(organisation=world.host).update(**WINDOWS[window])
    standing = verified(token, LATER + timedelta(minutes=1)).standing
    if deed in {"altered", "wrong issuer"} or window != "in":
        assert standing is Standing.INVALID
    else:
        assert standing is {"as issued": Standing.VALID, "revoked": Standing.REVOKED}[deed]


# Keys change --------------------------------------------------------------------------------------------------------


def rotated(world: World, now: datetime, **inputs: object) -> None:
    actions.rotate_key(world.host, by=world.ines, now=now, **inputs)
    work(now)


def test_after_a_rotation_old_and_new_credentials_verify(world: World) -> None:
    old = world.issue()
    rotated(world, LATER)
    actions.revoke(world.credential("HIS-300"), by=world.ines, now=LATER, because="Misspelt name.")
    world.request(LATER + timedelta(hours=1))
    work(LATER + timedelta(hours=1))
    new = world.credential("HIS-300")
    now = LATER + timedelta(hours=2)
    assert old.kid != new.kid
    assert [verified(each.token, now).standing for each in (old, new)] == [Standing.VALID, Standing.VALID]
    windows = [(key.kid, key.retired_at is None) for key in queries.published_keys(world.host.pk)]
    assert windows == [(old.kid, False), (new.kid, True)]


def test_a_retired_key_signs_nothing_new_that_verifies(world: World) -> None:
    """Whoever kept the old private key can still sign, but only with dates on which it was in use."""
    world.issue()
    with_old_key = Signer.at(world.host.pk, NOW + timedelta(minutes=1))
    kept = with_old_key.key()
    rotated(world, LATER)
    credential = world.credential()
    entry = StatusEntry(credential.status_list.url, credential.status_index)
    base, issuer = with_old_key.base, with_old_key.issuer
    forged = badge(credential, base=base, issuer=issuer, status=entry, now=LATER + timedelta(days=3))
    found = verified(sign_jwt(claims_of(write(forged)), kept), LATER + timedelta(days=4))
    assert (found.standing, failures(found)) == (Standing.INVALID, ["key-window"])


def test_a_leaked_key_verifies_nothing_any_more_and_its_credentials_can_be_issued_again(world: World) -> None:
    old = world.issue()
    rotated(world, LATER, leaked=True, because="A backup was stolen.")
    assert verified(old.token, LATER + timedelta(hours=1)).standing is Standing.INVALID
    actions.revoke(old, by=world.ines, now=LATER, because="Its key leaked.")
    world.request(LATER + timedelta(hours=1))
    work(LATER + timedelta(hours=1))
    assert verified(world.credential().token, LATER + timedelta(hours=2)).standing is Standing.VALID


def test_a_rotation_delivered_twice_makes_one_key(world: World) -> None:
    world.issue()
    for _delivery in range(2):
        with clock.stopped_at(LATER):
            tasks.rotate_keys.call(organisation_id=str(world.host.pk), requested_at=LATER.isoformat(), leaked="yes")
    assert [key.distrusted for key in queries.published_keys(world.host.pk)] == [True, False]


# Strangers ----------------------------------------------------------------------------------------------------------


def test_an_issuer_elsewhere_is_not_checked_rather_than_refused(world: World) -> None:
    payload = dict(read_jwt(world.issue().token)[1])
    payload["issuer"] = {**payload["issuer"], "id": "https://elsewhere.example/issuer"}
    payload["iss"] = "https://elsewhere.example/issuer"
    token = sign_jwt(payload, generate_key(valid_from=NOW))
    found = queries.verdict_on(token.encode(), now=NOW + timedelta(minutes=1))
    assert found.standing is Standing.NOT_CHECKED


def test_no_institution_answers_for_the_keys_of_another(world: World) -> None:
    world.issue()
    kid = IssuerKey.objects.get().kid
    assert read_at(f"http://testserver/issuers/{world.home.pk}/keys/{kid}") is None
    assert read_at(f"http://testserver/issuers/{world.home.pk}/jwks.json") is None


def test_a_world_without_credentials_publishes_nothing(db: None) -> None:
    world = given.world()
    for part in ("jwks.json", "keys/unknown"):
        assert Client().get(f"/issuers/{world.host.pk}/{part}").status_code == 404
    assert Client().get(f"/status-lists/{world.host.pk}/1/").status_code == 404
