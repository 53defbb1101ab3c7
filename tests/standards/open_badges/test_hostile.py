"""Letters from people who mean harm: each must end in an outcome, never in an exception, never in `valid`."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from tests.standards.open_badges.conftest import ISSUER, KEYS, Office
from vsm.kit.signing import Outcome
from vsm.standards.open_badges.verify import Standing, verify
from vsm.standards.open_badges.write import claims_of, write


def segment(value: Mapping[str, Any] | bytes) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed_raw(office: Office, header: Mapping[str, Any] | bytes, payload: Mapping[str, Any] | bytes) -> str:
    """A signature that is good, over exactly these bytes: what a careless library could make."""
    text = f"{segment(header)}.{segment(payload)}"
    return f"{text}.{segment(office.key.private.private_key.sign(text.encode()))}"


def good_header(office: Office, **more: object) -> dict[str, object]:
    return {"alg": "EdDSA", "typ": "JWT", "kid": KEYS + office.key.kid, **more}


def payload_of(office: Office) -> dict[str, Any]:
    return claims_of(write(office.credential))


def failed(office: Office, token: str | bytes) -> list[str]:
    verification = office.verify(token)
    assert verification.standing is Standing.INVALID
    return [check.name for check in verification.checks if check.outcome is Outcome.FAILED]


def test_the_raw_signer_of_these_tests_makes_valid_credentials(office: Office) -> None:
    assert office.verify(signed_raw(office, good_header(office), payload_of(office))).ok


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, 0, ["EdDSA"], "HS256", "PS256", "ES256K"])
def test_an_algorithm_that_is_not_in_the_table_is_refused(office: Office, alg: object) -> None:
    assert "header" in failed(office, signed_raw(office, good_header(office, alg=alg), payload_of(office)))


def test_no_signature_at_all_is_refused(office: Office) -> None:
    text = f"{segment(good_header(office, alg='none'))}.{segment(payload_of(office))}."
    assert failed(office, text) == ["header", "signature"]


@pytest.mark.parametrize("secret", ["x", "jwk", "pem", "raw"])
def test_the_public_key_is_no_hmac_secret(office: Office, secret: str) -> None:
    public = office.key.private
    secrets = {
        "x": str(office.key.public.jwk["x"]).encode(),
        "jwk": json.dumps(dict(office.key.public.jwk)).encode(),
        "pem": public.as_pem(private=False),
        "raw": base64.urlsafe_b64decode(office.key.public.jwk["x"] + "="),
    }
    text = f"{segment(good_header(office, alg='HS256'))}.{segment(payload_of(office))}"
    forged = f"{text}.{segment(hmac.digest(secrets[secret], text.encode(), hashlib.sha256))}"
    assert failed(office, forged) == ["header", "signature"]


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_an_algorithm_of_another_kind_of_key_is_refused(office: Office, alg: str) -> None:
    assert failed(office, signed_raw(office, good_header(office, alg=alg), payload_of(office))) == ["signature"]


@pytest.mark.parametrize("kid", ["", "unknown", KEYS, KEYS + "unknown", 7, None, "https://evil.example/keys/x"])
def test_a_key_that_the_issuer_has_not_published_is_refused(office: Office, kid: object) -> None:
    assert "key" in failed(office, signed_raw(office, good_header(office, kid=kid), payload_of(office)))


def test_a_key_that_travels_in_the_header_is_not_trusted(office: Office) -> None:
    own = OKPKey.generate_key("Ed25519")
    header = {"alg": "EdDSA", "typ": "JWT", "jwk": own.as_dict(private=False)}
    text = f"{segment(header)}.{segment(payload_of(office))}"
    assert "key" in failed(office, f"{text}.{segment(own.private_key.sign(text.encode()))}")


def test_a_published_key_may_be_named_by_carrying_it(office: Office) -> None:
    header = {"alg": "EdDSA", "typ": "JWT", "jwk": dict(office.key.public.jwk)}
    assert office.verify(signed_raw(office, header, payload_of(office))).ok


@pytest.mark.parametrize(
    "member",
    [
        {"crit": ["b64"]},
        {"b64": False},
        {"jku": "https://evil.example"},
        {"x5u": "https://evil.example"},
        {"zip": "DEF"},
    ],
    ids=["crit", "b64", "jku", "x5u", "zip"],
)
def test_a_header_that_asks_for_more_is_refused(office: Office, member: dict[str, object]) -> None:
    assert "header" in failed(office, signed_raw(office, good_header(office, **member), payload_of(office)))


@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt", "dpop+jwt", 7, ""])
def test_a_token_of_another_trade_is_refused(office: Office, typ: object) -> None:
    assert "header" in failed(office, signed_raw(office, good_header(office, typ=typ), payload_of(office)))


def test_a_changed_character_anywhere_is_noticed(office: Office) -> None:
    token = office.signed()
    chosen = [*random.Random(7).sample(range(len(token)), 300), 0, len(token) - 1]
    for position in chosen:
        other = "A" if token[position] != "A" else "B"
        altered = token[:position] + other + token[position + 1 :]
        assert office.verify(altered).standing is Standing.INVALID, position


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_bit_in_each_part_is_noticed(office: Office, part: int) -> None:
    parts = office.signed().split(".")
    raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    raw[len(raw) // 2] ^= 1
    parts[part] = segment(bytes(raw))
    assert office.verify(".".join(parts)).standing is Standing.INVALID


def test_the_last_character_of_the_signature_has_one_spelling(office: Office) -> None:
    token = office.signed()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = [letter for letter in alphabet if office.verify(token[:-1] + letter).ok]
    assert accepted == [token[-1]]


@pytest.mark.parametrize("part", ["header", "payload", "deep"])
def test_a_member_given_twice_is_refused_although_the_signature_is_good(office: Office, part: str) -> None:
    header = json.dumps(good_header(office)).encode()
    payload = json.dumps(payload_of(office)).encode()
    if part == "header":
        header = header.replace(b"{", b'{"alg": "EdDSA", ', 1)
    if part == "payload":
        payload = payload.replace(b"{", b'{"iss": "https://famous.example", ', 1)
    if part == "deep":
        payload = payload.replace(b'"creditsEarned"', b'"creditsEarned": 60.0, "creditsEarned"', 1)
    assert failed(office, signed_raw(office, header, payload)) == ["form"]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b"{",
        b'{"iss": NaN}',
        b'{"nbf": 1e999}',
        b'{"nbf": ' + b"9" * 5000 + b"}",
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"[" * 100_000,
        b'\xff\xfe{"iss": 1}',
        b'{"iss": "\\ud800"}',
        b'{"issuer": {"id": ["x"]}, "type": 7, "credentialStatus": [null]}',
    ],
    ids=[
        *("nothing", "null", "list", "text", "empty", "cut", "nan", "infinity", "long-number"),
        *("deep-object", "deep-list", "utf-16", "lone-surrogate", "wrong-types"),
    ],
)
def test_a_payload_that_is_no_credential_ends_in_an_outcome(office: Office, payload: bytes) -> None:
    assert office.verify(signed_raw(office, good_header(office), payload)).standing is Standing.INVALID


@pytest.mark.parametrize("claim", ["nbf", "exp"])
@pytest.mark.parametrize("date", [True, "1784561400", None, [], 10**30, -(10**30), 1e300])
def test_a_date_that_is_no_date_is_refused(office: Office, claim: str, date: object) -> None:
    assert not office.verify(signed_raw(office, good_header(office), {**payload_of(office), claim: date})).ok


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: b"",
        lambda rng: b".",
        lambda rng: b"..",
        lambda rng: b"a.b.c.d",
        lambda rng: b"{" * 1_000_000,
        lambda rng: b"A" * 1_000_000,
        lambda rng: b"." * 1_000_000,
        lambda rng: rng.randbytes(1_000_000),
        lambda rng: b'{"jwt": "' + b"A" * 1_000_000 + b'"}',
        lambda rng: b'{"jwt": {"jwt": 1}}',
        lambda rng: b'{"type": "EnvelopedVerifiableCredential", "id": "data:text/html,x"}',
        lambda rng: b'{"type": ["EnvelopedVerifiableCredential"], "id": ["data:application/vc+jwt,x"]}',
        lambda rng: b"%PDF-1.7\n" + rng.randbytes(5000),
        lambda rng: "ñandú.ñandú.ñandú".encode(),
        lambda rng: b"e30=.e30=.e30=",
    ],
)
def test_garbage_is_refused_at_the_form(office: Office, make: Callable[[random.Random], bytes]) -> None:
    assert failed(office, make(random.Random(1))) == ["form"]


@settings(max_examples=200)
@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode()))
def test_no_bytes_crash_the_verifier(data: bytes) -> None:
    answer = verify(
        data, resolve_keys=lambda issuer: None, resolve_status=lambda url: None, now=datetime(2026, 11, 23, tzinfo=UTC)
    )
    assert answer.standing is not Standing.VALID


def test_a_wrong_issuer_with_good_keys_of_its_own_is_not_the_issuer_we_know(office: Office) -> None:
    payload = payload_of(office)
    payload["issuer"]["id"] = payload["iss"] = ISSUER + "/"
    assert office.verify(signed_raw(office, good_header(office), payload)).standing is Standing.NOT_CHECKED
