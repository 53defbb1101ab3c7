"""Signed JSON: how a JWT is made, and how each part of one is checked.

Algorithm. We sign with Ed25519 and name it `EdDSA` in the header. RFC 9864 (2025) prefers the name `Ed25519`, but the
older name is what independent verifiers accept (tried in November 2026): PyPI PyJWT 2.15 and Authlib 1.9 and npm jose 5
know only `EdDSA`; jwcrypto 1.6, jose 6 and did-jwt 8 know both. We verify both names, and ES256 and RS256 for what
others issued (Open Badges 3.0 §8.2.3 asks for RS256). Each algorithm is bound to one kind of key, so a public key can
never be used as an HMAC secret (RFC 8725 §3.1), and `none` is no row of the table.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.keys import EPOCH, PublicKey, SigningKey, imported, moment_of, public_key
from vsm.kit.verdict import Reason

# alg → (kty, crv): what kind of key may stand behind the name in the header
ALGORITHMS: Mapping[str, tuple[str, str]] = {
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
    "ES256": ("EC", "P-256"),
    "RS256": ("RSA", ""),
}
SIGNING_ALGORITHM = "EdDSA"
# Open Badges 3.0 §8.2.3 allows these header members and no others; `crit` and `b64` are refused by their absence
HEADER_MEMBERS = frozenset({"alg", "kid", "jwk", "typ", "cty"})
MAX_TOKEN_BYTES = 2**18
MIN_RSA_BITS = 2048
TOLERANCE = timedelta(seconds=60)


class Outcome(StrEnum):
    """What became of one check. `not-checked` is an answer of its own: neither trust nor distrust follows from it."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True)
class Check:
    """One row of a verification: which check, its outcome, and the reason unless it passed."""

    name: str
    outcome: Outcome
    reason: Reason | None = None

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.PASSED


@dataclass(frozen=True)
class JwtVerification:
    """Every check of a token, in order; `header` and `payload` are empty when the form itself is broken."""

    checks: tuple[Check, ...]
    header: Mapping[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    key: PublicKey | None = None

    @property
    def ok(self) -> bool:
        return all(check.passed for check in self.checks)

    def outcome_of(self, name: str) -> Outcome:
        return next(check.outcome for check in self.checks if check.name == name)


def sign_jwt(payload: Mapping[str, Any], key: SigningKey, *, typ: str = "JWT", kid: str = "") -> str:
    """The compact JWS of `payload`. `kid` defaults to the thumbprint; pass the URL of the JWK if there is one."""
    name = kid or key.kid
    if not key.public.answers_to(name):
        raise Invalid(Reason("kid-mismatch", N_("%(kid)s does not name the signing key."), {"kid": name}))
    header = {"alg": SIGNING_ALGORITHM, "typ": typ, "kid": name}
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return jws.serialize_compact(header, body, key.private, registry=_REGISTRY)


def read_jwt(token: str | bytes) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and payload, *unverified*. Raises `Invalid` when the form is broken: not three base64url parts, a part
    that is no JSON object, a member given twice (RFC 7515 §4), or more than `MAX_TOKEN_BYTES`."""
    raw = token.encode(errors="replace") if isinstance(token, str) else token
    if len(raw) > MAX_TOKEN_BYTES:
        raise Invalid(Reason("too-large", N_("This is larger than %(limit)s bytes."), {"limit": MAX_TOKEN_BYTES}))
    parts = raw.split(b".")
    if len(parts) != 3 or not all(parts[:2]):
        raise Invalid(Reason("not-a-jwt", N_("This is not a signed credential (three parts with dots between them).")))
    header, payload = (_json_object(_base64url(part)) for part in parts[:2])
    _base64url(parts[2])
    return header, payload


def parse_json(text: bytes) -> Any:
    """Strict JSON: UTF-8, no member twice, no NaN. Raises `Invalid`; deep nesting and endless numbers included."""
    try:
        return json.loads(text.decode(), object_pairs_hook=_unique_members, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Invalid(Reason("not-json", N_("Part of this is not valid JSON."))) from error


def verify_jwt(
    token: str | bytes,
    *,
    keys: Sequence[PublicKey] | None,
    now: datetime,
    issuer: str = "",
    tolerance: timedelta = TOLERANCE,
    types: Iterable[str] = ("JWT", "vc+jwt"),
) -> JwtVerification:
    """Check a token against the keys its issuer has published. Never raises for what the token contains.

    `keys` is None when the issuer's keys could not be had: whatever needs them is then *not checked*. `issuer`, if
    given, must equal `iss`. `tolerance` allows for clocks that differ; it widens `nbf` and `exp`, not the key's window.
    """
    try:
        header, payload = read_jwt(token)
    except Invalid as error:
        rest = tuple(Check(name, Outcome.NOT_CHECKED, _UNREADABLE) for name in _TABLE)
        return JwtVerification((Check("form", Outcome.FAILED, error.reasons[0]), *rest))
    text = token if isinstance(token, str) else token.decode("ascii")
    candidate = _Candidate(
        text, header, payload, keys, _named_key(header, keys), now, issuer, tolerance, frozenset(types)
    )
    checks = tuple(_row(name, rule(candidate)) for name, rule in _TABLE.items())
    return JwtVerification((Check("form", Outcome.PASSED), *checks), header, payload, candidate.key)


@dataclass(frozen=True)
class _Candidate:
    token: str
    header: Mapping[str, Any]
    payload: Mapping[str, Any]
    keys: Sequence[PublicKey] | None
    key: PublicKey | None
    now: datetime
    issuer: str
    tolerance: timedelta
    types: frozenset[str]


_Answer = tuple[Outcome, Reason | None]
_PASSED: _Answer = (Outcome.PASSED, None)
_UNREADABLE = Reason("unreadable", N_("Not checked: the credential cannot be read."))
_NO_KEYS = Reason("keys-unavailable", N_("Not checked: the issuer's keys could not be had."))
_NO_KEY = Reason("key-unknown", N_("Not checked: the issuer has not published the key that this names."))


def _header(candidate: _Candidate) -> _Answer:
    header = candidate.header
    extra = sorted(set(header) - HEADER_MEMBERS)
    if extra:
        return _failed(
            "header-member", N_("The header has members that are not allowed: %(members)s."), members=", ".join(extra)
        )
    if not isinstance(header.get("alg"), str) or header["alg"] not in ALGORITHMS:
        return _failed("algorithm", N_("The algorithm is not allowed: %(alg)s."), alg=str(header.get("alg"))[:40])
    if "typ" in header and header["typ"] not in candidate.types:
        return _failed(
            "type", N_("This is not a credential but a token of another type: %(typ)s."), typ=str(header["typ"])[:40]
        )
    return _PASSED


def _key_known(candidate: _Candidate) -> _Answer:
    if candidate.keys is None:
        return Outcome.NOT_CHECKED, _NO_KEYS
    if candidate.key is None:
        return _failed("key-unknown", N_("The issuer has not published the key that this credential names."))
    return _PASSED


def _signature(candidate: _Candidate) -> _Answer:
    if candidate.key is None:
        return Outcome.NOT_CHECKED, _NO_KEYS if candidate.keys is None else _NO_KEY
    if not _fits(candidate.header.get("alg"), candidate.key.jwk):
        return _failed("algorithm-key", N_("The algorithm does not belong to the issuer's key."))
    try:
        jws.deserialize_compact(candidate.token, imported(candidate.key), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError):
        return _failed(
            "altered", N_("The signature does not match: the credential was altered, or signed by somebody else.")
        )
    return _PASSED


def _key_window(candidate: _Candidate) -> _Answer:
    if candidate.key is None:
        return Outcome.NOT_CHECKED, _NO_KEYS if candidate.keys is None else _NO_KEY
    if candidate.key.distrusted:
        return _failed(
            "key-distrusted", N_("The issuer has withdrawn this key; ask for the credential to be issued again.")
        )
    dated = moment_of(candidate.payload.get("nbf"))
    if dated is None:
        return _failed("no-date", N_("The credential does not say when it was issued."))
    if not candidate.key.covers(dated):
        return _failed("key-window", N_("The issuer's key was not in use on the day this is dated."))
    return _PASSED


def _issuer(candidate: _Candidate) -> _Answer:
    claimed = candidate.payload.get("iss")
    if not isinstance(claimed, str) or not claimed:
        return _failed("no-issuer", N_("The credential does not say who issued it."))
    if candidate.issuer and claimed != candidate.issuer:
        return _failed("issuer", N_("The credential names another issuer: %(issuer)s."), issuer=claimed[:200])
    return _PASSED


def _not_before(candidate: _Candidate) -> _Answer:
    if "nbf" not in candidate.payload:
        return _PASSED
    starts = moment_of(candidate.payload["nbf"])
    if starts is None:
        return _failed("date", N_("A date in the credential cannot be read."))
    if candidate.now + candidate.tolerance < starts:
        return _failed("not-yet-valid", N_("The credential is not valid before %(date)s."), date=starts.isoformat())
    return _PASSED


def _expiry(candidate: _Candidate) -> _Answer:
    if "exp" not in candidate.payload:
        return _PASSED
    ends = moment_of(candidate.payload["exp"])
    if ends is None:
        return _failed("date", N_("A date in the credential cannot be read."))
    if candidate.now - candidate.tolerance >= ends:
        return _failed("expired", N_("The credential expired on %(date)s."), date=ends.isoformat())
    return _PASSED


_TABLE: Mapping[str, Callable[[_Candidate], _Answer]] = {
    "header": _header,
    "key": _key_known,
    "signature": _signature,
    "key-window": _key_window,
    "issuer": _issuer,
    "not-before": _not_before,
    "expiry": _expiry,
}


class _Registry(jws.JWSRegistry):
    """Exactly our algorithms. joserfc warns at the name EdDSA; the module docstring says why we keep it."""

    max_header_length = 2**12
    max_payload_length = MAX_TOKEN_BYTES

    def get_alg(self, name: str) -> Any:
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(f"Algorithm of '{name}' is not allowed")
        return self.algorithms[name]


_REGISTRY = _Registry()


def _row(name: str, answer: _Answer) -> Check:
    return Check(name, *answer)


def _failed(code: str, text: str, **params: object) -> _Answer:
    return Outcome.FAILED, Reason(code, text, params)


def _named_key(header: Mapping[str, Any], keys: Sequence[PublicKey] | None) -> PublicKey | None:
    """The issuer's published key that the header names. A key that travels in the header (`jwk`) proves nothing by
    itself: it is only another way to name one of the published keys."""
    kid, jwk = header.get("kid"), header.get("jwk")
    if keys is None:
        return None
    if isinstance(kid, str):
        return next((key for key in keys if key.answers_to(kid)), None)
    if not isinstance(jwk, dict):
        return None
    try:
        thumbprint = public_key(jwk, valid_from=EPOCH).kid
    except Invalid:
        return None
    return next((key for key in keys if key.kid == thumbprint), None)


def _fits(alg: object, jwk: Mapping[str, str]) -> bool:
    return isinstance(alg, str) and ALGORITHMS.get(alg) == (jwk["kty"], jwk.get("crv", "")) and not _too_short(jwk)


def _too_short(jwk: Mapping[str, str]) -> bool:
    # RFC 7518 §3.3: RSA keys of 2048 bits or more. The modulus is big-endian without leading zeros.
    return jwk["kty"] == "RSA" and len(_base64url(jwk["n"].encode())) * 8 < MIN_RSA_BITS


def _base64url(part: bytes) -> bytes:
    try:
        decoded = base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(Reason("not-base64url", N_("Part of this is not base64url."))) from error
    # Unused bits of the last character must be zero, else several texts would carry one signature (RFC 4648 §3.5).
    if _unpadded(decoded).encode() != part:
        raise Invalid(Reason("not-base64url", N_("Part of this is not base64url.")))
    return decoded


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _json_object(text: bytes) -> Mapping[str, Any]:
    value = parse_json(text)
    if not isinstance(value, dict):
        raise Invalid(Reason("not-json", N_("Part of this is not valid JSON.")))
    return value


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is given twice")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
