"""Signing and checking JWTs: the table of checks, one row at a time."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from vsm.kit.errors import Invalid
from vsm.kit.keys import generate_key, moment_of, public_key, read_jwk_set, signing_key, write_jwk_set
from vsm.kit.signing import Outcome, parse_json, read_jwt, sign_jwt, verify_jwt

DAY = datetime(2026, 7, 20, tzinfo=UTC)
KEY = generate_key(valid_from=datetime(2026, 1, 1, tzinfo=UTC))
CLAIMS = {"iss": "https://vsm.example", "nbf": int(DAY.timestamp()), "name": "Ñandú"}

# RFC 8037, appendix A: the key, its thumbprint (A.3) and the signature of a text (A.4)
RFC_8037 = {
    "kty": "OKP",
    "crv": "Ed25519",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
RFC_8037_TOKEN = (
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
)


def test_the_thumbprint_is_that_of_the_standard() -> None:
    assert public_key(RFC_8037, valid_from=DAY).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_our_key_signs_the_bytes_of_the_standard() -> None:
    key = signing_key(RFC_8037, public_key(RFC_8037, valid_from=DAY))
    text, _, signature = RFC_8037_TOKEN.rpartition(".")
    assert key.private.private_key.sign(text.encode()) == base64.urlsafe_b64decode(signature + "==")


def test_a_published_key_never_holds_the_private_part() -> None:
    published = public_key(RFC_8037, valid_from=DAY)
    assert dict(published.jwk) == {name: RFC_8037[name] for name in ("kty", "crv", "x")}
    assert RFC_8037["d"] not in json.dumps(write_jwk_set([published]))
    assert RFC_8037["d"] not in repr(signing_key(RFC_8037, published))


def test_a_private_key_is_not_taken_for_another_published_one() -> None:
    with pytest.raises(Invalid):
        signing_key(RFC_8037, KEY.public)


def test_what_was_signed_verifies_and_says_the_same() -> None:
    verification = verify_jwt(sign_jwt(CLAIMS, KEY), keys=[KEY.public], now=DAY, issuer="https://vsm.example")
    assert verification.ok
    assert verification.payload == CLAIMS
    assert verification.header == {"alg": "EdDSA", "typ": "JWT", "kid": KEY.kid}
    assert [check.name for check in verification.checks] == [
        *("form", "header", "key", "signature", "key-window", "issuer", "not-before", "expiry"),
    ]


def test_the_signature_is_plain_ed25519_over_the_first_two_parts() -> None:
    text, _, signature = sign_jwt(CLAIMS, KEY).rpartition(".")
    raw = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(KEY.public.jwk["x"] + "="))
    raw.verify(base64.urlsafe_b64decode(signature + "=="), text.encode())


@pytest.mark.parametrize("prefix", ["", "https://vsm.example/keys/", "did:web:vsm.example#", "urn:jwk:"])
def test_a_key_may_be_named_by_a_url_that_ends_in_its_thumbprint(prefix: str) -> None:
    token = sign_jwt(CLAIMS, KEY, kid=prefix + KEY.kid)
    assert verify_jwt(token, keys=[KEY.public], now=DAY).ok


@pytest.mark.parametrize("name", ["x" + KEY.kid, KEY.kid + "#", "https://vsm.example/keys/"], ids=["before", "after", "without"])
def test_nothing_is_signed_under_a_name_that_is_not_the_keys(name: str) -> None:
    with pytest.raises(Invalid):
        sign_jwt(CLAIMS, KEY, kid=name)


def test_the_right_key_is_found_among_many() -> None:
    others = [generate_key(valid_from=DAY).public for _ in range(5)]
    verification = verify_jwt(sign_jwt(CLAIMS, KEY), keys=[*others, KEY.public], now=DAY)
    assert (verification.ok, verification.key) == (True, KEY.public)


@pytest.mark.parametrize(
    ("change", "now", "row", "code"),
    [
        ({"nbf": int(DAY.timestamp()) + 61}, DAY, "not-before", "not-yet-valid"),
        ({"exp": int(DAY.timestamp()) - 60}, DAY, "expiry", "expired"),
        ({"nbf": "soon"}, DAY, "not-before", "date"),
        ({"exp": True}, DAY, "expiry", "date"),
        ({"iss": "https://other.example"}, DAY, "issuer", "issuer"),
        ({"iss": None}, DAY, "issuer", "no-issuer"),
        ({"nbf": int(datetime(2025, 12, 31, tzinfo=UTC).timestamp())}, DAY, "key-window", "key-window"),
    ],
)
def test_each_row_fails_for_its_own_reason(change: dict[str, object], now: datetime, row: str, code: str) -> None:
    token = sign_jwt({**CLAIMS, **change}, KEY)
    verification = verify_jwt(token, keys=[KEY.public], now=now, issuer="https://vsm.example")
    assert (row, code) in [(check.name, check.reason.code) for check in verification.checks if check.reason]
    assert verification.outcome_of("signature") is Outcome.PASSED


def test_a_token_without_a_date_has_no_key_window_to_stand_in() -> None:
    verification = verify_jwt(sign_jwt({"iss": "https://vsm.example"}, KEY), keys=[KEY.public], now=DAY)
    assert [check.reason.code for check in verification.checks if check.reason] == ["no-date"]


def test_the_tolerance_is_the_callers_choice() -> None:
    token = sign_jwt({**CLAIMS, "exp": int(DAY.timestamp())}, KEY)
    late = DAY + timedelta(seconds=30)
    assert verify_jwt(token, keys=[KEY.public], now=late).ok
    assert not verify_jwt(token, keys=[KEY.public], now=late, tolerance=timedelta()).ok


def test_a_key_window_is_closed_at_its_start_and_open_at_its_end() -> None:
    key = replace(KEY.public, valid_from=DAY, retired_at=DAY + timedelta(days=1))
    moments = (DAY - timedelta(seconds=1), DAY, DAY + timedelta(hours=23), DAY + timedelta(days=1))
    assert [key.covers(moment) for moment in moments] == [False, True, True, False]


def test_without_keys_what_needs_them_is_not_checked_and_the_rest_is() -> None:
    verification = verify_jwt(sign_jwt(CLAIMS, KEY), keys=None, now=DAY)
    assert {check.name: check.outcome.value for check in verification.checks} == {
        "form": "passed",
        "header": "passed",
        "key": "not-checked",
        "signature": "not-checked",
        "key-window": "not-checked",
        "issuer": "passed",
        "not-before": "passed",
        "expiry": "passed",
    }


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (OKPKey.generate_key("Ed25519"), "Ed25519"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
        (ECKey.generate_key("P-256"), "ES256"),
        (RSAKey.generate_key(2048), "RS256"),
    ],
    ids=["Ed25519", "EdDSA", "ES256", "RS256"],
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_the_algorithms_of_others_verify_with_their_own_kind_of_key_only(
    key: OKPKey | ECKey | RSAKey, alg: str
) -> None:
    published = public_key(key.as_dict(private=False), valid_from=datetime(2026, 1, 1, tzinfo=UTC))
    header = {"alg": alg, "kid": published.kid}
    token = jws.serialize_compact(header, json.dumps(CLAIMS).encode(), key, algorithms=[alg])
    assert verify_jwt(token, keys=[published], now=DAY).ok
    stranger = replace(KEY.public, name=published.kid)
    assert verify_jwt(token, keys=[stranger], now=DAY).outcome_of("signature") is Outcome.FAILED


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_short_rsa_key_proves_nothing() -> None:
    short = RSAKey.generate_key(1024)
    published = public_key(short.as_dict(private=False), valid_from=datetime(2026, 1, 1, tzinfo=UTC))
    token = jws.serialize_compact({"alg": "RS256", "kid": published.kid}, json.dumps(CLAIMS).encode(), short)
    assert verify_jwt(token, keys=[published], now=DAY).outcome_of("signature") is Outcome.FAILED


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "OKP", "crv": "Ed25519"},
        {"kty": "OKP", "crv": "Ed25519", "x": 7},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        {"kty": ["OKP"]},
    ],
)
def test_what_is_no_public_key_is_refused(jwk: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        public_key(jwk, valid_from=DAY)


def test_the_published_history_reads_back_the_same() -> None:
    retired = replace(generate_key(valid_from=DAY).public, retired_at=DAY + timedelta(days=9))
    leaked = replace(generate_key(valid_from=DAY).public, retired_at=DAY + timedelta(days=9), distrusted=True)
    history = (KEY.public, retired, leaked)
    assert read_jwk_set(json.loads(json.dumps(write_jwk_set(history)))) == history


def test_a_foreign_key_set_is_read_with_its_own_names_and_without_what_we_do_not_know() -> None:
    ours = {**KEY.public.jwk, "kid": "key-1"}
    (key,) = read_jwk_set({"keys": [{"kty": "oct", "k": "c2VjcmV0"}, ours, {"kty": "AKP"}]})
    assert (key.name, key.kid, key.answers_to("https://x.example/jwks#key-1")) == ("key-1", KEY.kid, True)
    assert key.covers(datetime(1999, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": ["x"]}, "keys"])
def test_what_is_no_key_set_is_refused(document: object) -> None:
    with pytest.raises(Invalid):
        read_jwk_set(document)


@pytest.mark.parametrize("text", [b'{"a":1,"a":1}', b"NaN", b"\xff", b"{", b"[" * 99_999, b"1" * 9_999])
def test_json_is_read_strictly(text: bytes) -> None:
    with pytest.raises(Invalid):
        parse_json(text)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "\ud800.b.c", "e30.e30.=", "e30..e30", ".e30.e30"])
def test_a_broken_form_is_told_as_such(token: str) -> None:
    with pytest.raises(Invalid):
        read_jwt(token)
    verification = verify_jwt(token, keys=[KEY.public], now=DAY)
    assert [check.outcome.value for check in verification.checks] == ["failed", *["not-checked"] * 7]


def test_the_example_of_the_standard_has_a_good_form_but_no_json_in_it() -> None:
    with pytest.raises(Invalid) as caught:
        read_jwt(RFC_8037_TOKEN)
    assert [reason.code for reason in caught.value.reasons] == ["not-json"]


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1.5, datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)),
        *((value, None) for value in (True, None, "1", 10**30, float("inf"), float("nan"))),
    ],
)
def test_a_numeric_date_is_a_moment_or_nothing(value: object, moment: datetime | None) -> None:
    assert moment_of(value) == moment
