"""What a verifier answers: every check with its outcome, and one word for the whole."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from tests.standards.open_badges.conftest import ISSUER, KEYS, LIST, Office
from vsm.kit.errors import Invalid
from vsm.kit.keys import generate_key, public_key
from vsm.kit.signing import Outcome, sign_jwt
from vsm.standards.open_badges.model import Issuer, Learner, StatusEntry
from vsm.standards.open_badges.status_list import (
    StatusList,
    StatusListCredential,
    sign_status_list,
    write_status_list,
)
from vsm.standards.open_badges.verify import Standing, Verification
from vsm.standards.open_badges.write import claims_of, write

INDEX = 94567
READABLE = StatusListCredential(LIST, ISSUER, "revocation", StatusList.empty(), datetime(2026, 7, 1, tzinfo=UTC))
ALL_CHECKS = [
    *("form", "header", "key", "signature", "key-window", "issuer", "not-before", "expiry"),
    *("structure", "claims", "status"),
]


def codes(verification: Verification) -> list[str]:
    return [reason.code for reason in verification.reasons]


def test_a_good_credential_passes_every_check(office: Office) -> None:
    verification = office.verify(office.signed())
    assert [check.name for check in verification.checks if check.passed] == ALL_CHECKS
    assert verification.standing is Standing.VALID
    assert verification.credential == office.credential


@pytest.mark.parametrize(
    "wrap",
    [
        lambda jwt: jwt.encode(),
        lambda jwt: b"\xef\xbb\xbf  " + jwt.encode() + b"\r\n",
        lambda jwt: json.dumps({"jwt": jwt}).encode(),
        lambda jwt: json.dumps(
            {
                "@context": "https://www.w3.org/ns/credentials/v2",
                "id": "data:application/vc+jwt," + jwt,
                "type": "EnvelopedVerifiableCredential",
            }
        ).encode(),
    ],
    ids=["bare", "with-bom-and-newline", "jwt-member", "enveloped"],
)
def test_the_same_credential_is_accepted_in_each_wrapping(office: Office, wrap: object) -> None:
    assert callable(wrap)
    assert office.verify(wrap(office.signed())).ok


def test_unsigned_json_is_no_credential(office: Office) -> None:
    verification = office.verify(json.dumps(write(office.credential)))
    assert (verification.standing, codes(verification)[0]) == (Standing.INVALID, "unsigned")


def test_a_revoked_credential_says_so_and_nothing_else(office: Office) -> None:
    office.publish(INDEX)
    verification = office.verify(office.signed())
    assert (verification.standing, codes(verification)) == (Standing.REVOKED, ["revoked"])


def test_revoking_a_neighbour_leaves_a_credential_alone(office: Office) -> None:
    office.publish(INDEX - 1, INDEX + 1)
    assert office.verify(office.signed()).ok


def test_a_suspended_credential_is_suspended_until_the_bit_is_cleared(office: Office) -> None:
    signed = office.signed(status=(StatusEntry(LIST, INDEX, "suspension"),))
    office.publish(INDEX, purpose="suspension")
    assert office.verify(signed).standing is Standing.SUSPENDED
    office.publish(purpose="suspension")
    assert office.verify(signed).ok


def test_without_the_status_list_the_answer_is_not_checked(office: Office) -> None:
    office.status = None
    verification = office.verify(office.signed())
    assert (verification.standing, codes(verification)) == (Standing.NOT_CHECKED, ["status-unavailable"])
    assert verification.outcome_of("signature") is Outcome.PASSED


def test_without_the_issuers_keys_the_answer_is_not_checked(office: Office) -> None:
    verification = office.verify(office.signed(), keys=None)
    unchecked = [check.name for check in verification.checks if check.outcome is Outcome.NOT_CHECKED]
    assert (verification.standing, unchecked) == (
        Standing.NOT_CHECKED,
        ["key", "signature", "key-window", "status"],
    )


def test_a_credential_without_status_cannot_be_withdrawn_and_is_valid(office: Office) -> None:
    office.status = None
    assert office.verify(office.signed(status=())).ok


def test_a_status_method_that_we_do_not_know_is_not_checked(office: Office) -> None:
    document = write(office.credential)
    document["credentialStatus"] = {"id": "https://andes.example/revoked", "type": "1EdTechRevocationList"}
    signed = sign_jwt(claims_of(document), office.key, kid=KEYS + office.key.kid)
    verification = office.verify(signed)
    assert (verification.standing, codes(verification)) == (Standing.NOT_CHECKED, ["status-method"])


def test_a_list_past_its_date_no_longer_clears_a_credential(office: Office) -> None:
    office.publish(valid_until=office.now - timedelta(days=1))
    verification = office.verify(office.signed())
    assert (verification.standing, codes(verification)) == (Standing.NOT_CHECKED, ["status-stale"])


def test_a_list_past_its_date_still_proves_a_revocation(office: Office) -> None:
    office.publish(INDEX, valid_until=office.now - timedelta(days=1))
    assert office.verify(office.signed()).standing is Standing.REVOKED


def test_a_list_past_its_date_does_not_prove_a_suspension(office: Office) -> None:
    signed = office.signed(status=(StatusEntry(LIST, INDEX, "suspension"),))
    office.publish(INDEX, purpose="suspension", valid_until=office.now - timedelta(days=1))
    assert office.verify(signed).standing is Standing.NOT_CHECKED


@pytest.mark.parametrize(
    "forge",
    [
        lambda office: office.publish(id="https://andes.example/status/2"),
        lambda office: office.publish(purpose="suspension"),
        lambda office: office.publish(issuer="https://other.example/issuer"),
        lambda office: office.publish(valid_from=office.now + timedelta(days=1)),
        lambda office: office.publish()[:-9] + b"AAAAAAAAA",
        lambda office: json.dumps(write_status_list(READABLE)).encode(),
        lambda office: office.signed().encode(),
        lambda office: b"<html>not found</html>",
        lambda office: b"",
    ],
    ids=[
        *(
            "another-list",
            "another-purpose",
            "another-issuer",
            "future",
            "altered",
            "unsigned",
            "a-badge",
            "html",
            "empty",
        ),
    ],
)
def test_a_list_that_does_not_prove_itself_counts_as_not_there(office: Office, forge: object) -> None:
    assert callable(forge)
    office.status = forge(office)
    verification = office.verify(office.signed())
    assert (verification.standing, codes(verification)) == (Standing.NOT_CHECKED, ["status-unavailable"])


def test_a_list_signed_by_a_stranger_counts_as_not_there(office: Office) -> None:
    stranger = generate_key(valid_from=datetime(2026, 1, 1, tzinfo=UTC))
    office.status = sign_status_list(READABLE, stranger, key_url=KEYS + stranger.kid).encode()
    assert codes(office.verify(office.signed())) == ["status-unavailable"]


def test_an_index_outside_the_list_is_not_checked(office: Office) -> None:
    signed = office.signed(status=(StatusEntry(LIST, 10**9),))
    assert office.verify(signed).standing is Standing.NOT_CHECKED


def test_an_expired_credential_is_expired(office: Office) -> None:
    signed = office.signed(valid_until=office.now - timedelta(days=1))
    verification = office.verify(signed)
    assert (verification.standing, codes(verification)) == (Standing.EXPIRED, ["expired"])


def test_a_credential_of_tomorrow_is_not_yet_valid(office: Office) -> None:
    signed = office.signed(valid_from=office.now + timedelta(days=1))
    assert office.verify(signed).standing is Standing.NOT_YET_VALID


def test_clocks_may_differ_by_a_minute(office: Office) -> None:
    assert office.verify(office.signed(valid_from=office.now + timedelta(seconds=59))).ok
    assert office.verify(office.signed(valid_until=office.now - timedelta(seconds=59))).ok
    assert not office.verify(office.signed(valid_from=office.now + timedelta(seconds=61))).ok
    assert not office.verify(office.signed(valid_until=office.now - timedelta(seconds=60))).ok


def test_revoked_weighs_more_than_expired_and_forged_more_than_both(office: Office) -> None:
    office.publish(INDEX)
    signed = office.signed(valid_until=office.now - timedelta(days=1))
    assert office.verify(signed).standing is Standing.REVOKED
    stranger = generate_key(valid_from=datetime(2026, 1, 1, tzinfo=UTC)).public
    assert office.verify(signed, keys=(stranger,)).standing is Standing.INVALID


def test_a_retired_key_verifies_what_it_signed_before(office: Office) -> None:
    signed = office.signed()
    retired = replace(office.key.public, retired_at=office.credential.valid_from + timedelta(seconds=1))
    fresh = generate_key(valid_from=office.now - timedelta(days=1))
    office.status = sign_status_list(replace(READABLE, valid_from=office.now), fresh, key_url=KEYS + fresh.kid).encode()
    assert office.verify(signed, keys=(retired, fresh.public)).ok


def test_a_key_retired_before_the_date_of_issue_verifies_nothing_dated_later(office: Office) -> None:
    signed = office.signed()
    retired = replace(office.key.public, retired_at=office.credential.valid_from)
    verification = office.verify(signed, keys=(retired,))
    assert (verification.standing, verification.outcome_of("key-window")) == (Standing.INVALID, Outcome.FAILED)


def test_a_key_is_not_believed_before_its_first_day(office: Office) -> None:
    later = replace(office.key.public, valid_from=office.credential.valid_from + timedelta(seconds=1))
    assert "key-window" in codes(office.verify(office.signed(), keys=(later,)))


def test_a_distrusted_key_verifies_nothing_whatever_the_date(office: Office) -> None:
    leaked = replace(office.key.public, distrusted=True)
    verification = office.verify(office.signed(), keys=(leaked,))
    assert (verification.standing, "key-distrusted" in codes(verification)) == (Standing.INVALID, True)


def test_a_credential_cannot_be_signed_outside_the_keys_window(office: Office) -> None:
    with pytest.raises(Invalid) as caught:
        office.signed(valid_from=datetime(2025, 12, 31, tzinfo=UTC))
    assert [reason.code for reason in caught.value.reasons] == ["key-window"]


def test_another_issuer_cannot_be_named_with_ones_own_key(office: Office) -> None:
    impostor = replace(office, key=generate_key(valid_from=datetime(2026, 1, 1, tzinfo=UTC)))
    verification = office.verify(impostor.signed())
    assert (verification.standing, verification.outcome_of("key")) == (Standing.INVALID, Outcome.FAILED)


def test_the_issuer_of_the_token_and_of_the_credential_must_be_one(office: Office) -> None:
    document = write(replace(office.credential, issuer=Issuer("https://famous.example/issuer")))
    claims = {**claims_of(document), "iss": ISSUER}
    verification = office.verify(sign_jwt(claims, office.key, kid=KEYS + office.key.kid), keys=(office.key.public,))
    assert verification.outcome_of("issuer") is Outcome.FAILED
    assert not verification.ok


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("jti", "urn:uuid:other"),
        ("sub", "urn:uuid:other"),
        ("sub", None),
        ("nbf", 1784561401),
        ("exp", 1900000000),
    ],
)
def test_a_token_that_contradicts_its_credential_is_invalid(office: Office, claim: str, value: object) -> None:
    claims = {**claims_of(write(office.credential)), claim: value}
    verification = office.verify(sign_jwt(claims, office.key, kid=KEYS + office.key.kid))
    assert (verification.standing, codes(verification)) == (Standing.INVALID, ["claims"])


def test_a_learner_without_an_id_cannot_be_the_subject_of_a_token(office: Office) -> None:
    signed = office.signed(learner=Learner("", office.credential.learner.identities))
    assert codes(office.verify(signed)) == ["claims"]


def test_what_is_signed_but_no_badge_is_told_with_every_problem(office: Office) -> None:
    claims = claims_of(write(office.credential))
    claims |= {"type": ["VerifiableCredential"], "validFrom": "yesterday"}
    verification = office.verify(sign_jwt(claims, office.key, kid=KEYS + office.key.kid))
    assert verification.outcome_of("signature") is Outcome.PASSED
    assert verification.credential is None
    assert codes(verification) == ["not-a-time", "not-a-type", "unreadable", "unreadable"]


def test_foreign_badges_with_rs256_and_a_key_of_their_own_name_verify(office: Office) -> None:
    rsa = RSAKey.generate_key(2048)
    published = public_key({**rsa.as_dict(private=False), "kid": "key-1"}, valid_from=datetime(2026, 1, 1, tzinfo=UTC))
    claims = json.dumps(claims_of(write(replace(office.credential, status=())))).encode()
    header = {"alg": "RS256", "typ": "JWT", "kid": ISSUER + "#key-1"}
    assert office.verify(jws.serialize_compact(header, claims, rsa), keys=(published,)).ok
