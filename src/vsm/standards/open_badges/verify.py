"""Verify a credential: every check with its outcome, whatever is thrown at it.

Nothing here reaches for the network. `resolve_keys` and `resolve_status` are asked for what is needed and may answer
None: then the checks that depend on it are *not checked*, a category of its own. A credential whose status could not be
looked up is neither good nor bad, and the answer says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.keys import PublicKey, moment_of
from vsm.kit.signing import MAX_TOKEN_BYTES, Check, Outcome, parse_json, read_jwt, verify_jwt
from vsm.kit.verdict import Reason
from vsm.standards.open_badges.model import Credential, StatusEntry
from vsm.standards.open_badges.read import read
from vsm.standards.open_badges.shapes import as_list
from vsm.standards.open_badges.status_list import read_status_list

ResolveKeys = Callable[[str], Sequence[PublicKey] | None]
ResolveStatus = Callable[[str], bytes | None]

ENVELOPES = ("data:application/vc+jwt,", "data:application/jwt,")


class Standing(StrEnum):
    """The verdict in one word. The worst that was found speaks; `not-checked` only when nothing worse was."""

    VALID = "valid"
    INVALID = "invalid"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True)
class Verification:
    """All checks in order, and the credential where it could be read: show it only beside its `standing`."""

    checks: tuple[Check, ...]
    credential: Credential | None = None
    jwt: str = ""

    @property
    def standing(self) -> Standing:
        failed = {check.reason.code for check in self.checks if check.outcome is Outcome.FAILED and check.reason}
        if failed - _STANDING_OF.keys():
            return Standing.INVALID
        for code, standing in _STANDING_OF.items():
            if code in failed:
                return standing
        if any(check.outcome is Outcome.NOT_CHECKED for check in self.checks):
            return Standing.NOT_CHECKED
        return Standing.VALID

    @property
    def ok(self) -> bool:
        return self.standing is Standing.VALID

    def outcome_of(self, name: str) -> Outcome:
        return next(check.outcome for check in self.checks if check.name == name)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return tuple(check.reason for check in self.checks if check.reason is not None)


def verify(data: bytes, *, resolve_keys: ResolveKeys, resolve_status: ResolveStatus, now: datetime) -> Verification:
    """Verify a file: a bare JWT, JSON with a `jwt`, or an `EnvelopedVerifiableCredential`. Never raises for `data`.

    `resolve_keys(issuer)` gives the issuer's published key history, or None if it cannot be had (unknown issuer,
    offline). `resolve_status(url)` gives the bytes of a signed status list, or None.

    Checks, in order: form, header, key, signature, key-window, issuer, not-before, expiry (see `kit.signing`), then
    structure (a complete achievement credential), claims (the JWT's claims say what the credential says) and status.
    """
    try:
        jwt = jwt_in(data)
        _, payload = read_jwt(jwt)
    except Invalid as error:
        rest = tuple(Check(name, Outcome.NOT_CHECKED, _UNREADABLE) for name in _CHECKS[1:])
        return Verification((Check("form", Outcome.FAILED, error.reasons[0]), *rest))
    issuer = _issuer_of(payload)
    keys = resolve_keys(issuer) if issuer else None
    token = verify_jwt(jwt, keys=keys, now=now, issuer=issuer)
    structure, credential = _structure(payload)
    status = _status(payload, credential, keys, resolve_status, now)
    return Verification((*token.checks, *structure, _claims(payload, credential), *status), credential, jwt)


def jwt_in(data: bytes) -> str:
    """The JWT in a file. Raises `Invalid` when there is none: unsigned JSON says nothing about who wrote it."""
    if len(data) > 2 * MAX_TOKEN_BYTES:
        raise Invalid(Reason("too-large", N_("This is larger than %(limit)s bytes."), {"limit": 2 * MAX_TOKEN_BYTES}))
    text = data.removeprefix(b"\xef\xbb\xbf").strip()
    if not text.startswith(b"{"):
        return text.decode(errors="replace")
    document = parse_json(text)
    if isinstance(document.get("jwt"), str):
        return str(document["jwt"]).strip()
    enclosed = document.get("id")
    if "EnvelopedVerifiableCredential" in as_list(document.get("type")) and isinstance(enclosed, str):
        for prefix in ENVELOPES:
            if enclosed.startswith(prefix):
                return enclosed.removeprefix(prefix)
    raise Invalid(Reason("unsigned", N_("This file holds no signed credential.")))


_CHECKS = (
    *("form", "header", "key", "signature", "key-window", "issuer", "not-before", "expiry"),
    *("structure", "claims", "status"),
)
# What a failure means for the whole, worst first; every other failed check makes the credential invalid.
_STANDING_OF: Mapping[str, Standing] = {
    "revoked": Standing.REVOKED,
    "suspended": Standing.SUSPENDED,
    "expired": Standing.EXPIRED,
    "not-yet-valid": Standing.NOT_YET_VALID,
}
_STATUS_CODES = {
    "revocation": ("revoked", N_("The issuer has revoked this credential.")),
    "suspension": ("suspended", N_("The issuer has suspended this credential for the time being.")),
}
_UNREADABLE = Reason("unreadable", N_("Not checked: the credential cannot be read."))
_NO_LIST = Reason("status-unavailable", N_("Not checked: the issuer's status list could not be had."))
_STALE_LIST = Reason("status-stale", N_("Not checked: the issuer's status list at hand is out of date."))
_NO_METHOD = Reason("status-method", N_("Not checked: the credential uses a status method that we do not know."))


def _issuer_of(payload: Mapping[str, Any]) -> str:
    """Whom the credential itself names. Its keys are asked for, so an `iss` that differs cannot lend its own."""
    issuer = payload.get("issuer")
    named = issuer.get("id") if isinstance(issuer, dict) else issuer
    return named if isinstance(named, str) else ""


def _structure(payload: Mapping[str, Any]) -> tuple[tuple[Check, ...], Credential | None]:
    try:
        return (Check("structure", Outcome.PASSED),), read(payload)
    except Invalid as error:
        return tuple(Check("structure", Outcome.FAILED, reason) for reason in error.reasons), None


def _claims(payload: Mapping[str, Any], credential: Credential | None) -> Check:
    """OB 3.0 §8.2.6.1: `iss`, `sub`, `jti`, `nbf` and `exp` must say the same as the credential around them."""
    if credential is None:
        return Check("claims", Outcome.NOT_CHECKED, _UNREADABLE)
    wrong = [
        name
        for name, agrees in (
            ("iss", payload.get("iss") == credential.issuer.id),
            ("sub", payload.get("sub") == credential.learner.id and credential.learner.id != ""),
            ("jti", payload.get("jti") == credential.id),
            ("nbf", moment_of(payload.get("nbf")) == credential.valid_from.replace(microsecond=0)),
            ("exp", _same_end(payload.get("exp"), credential.valid_until)),
        )
        if not agrees
    ]
    if not wrong:
        return Check("claims", Outcome.PASSED)
    text = N_("The credential contradicts the token around it: %(claims)s.")
    return Check("claims", Outcome.FAILED, Reason("claims", text, {"claims": ", ".join(wrong)}))


def _same_end(claim: object, valid_until: datetime | None) -> bool:
    if valid_until is None:
        return claim is None
    return moment_of(claim) == valid_until.replace(microsecond=0)


def _status(
    payload: Mapping[str, Any],
    credential: Credential | None,
    keys: Sequence[PublicKey] | None,
    resolve_status: ResolveStatus,
    now: datetime,
) -> tuple[Check, ...]:
    if credential is None:
        return (Check("status", Outcome.NOT_CHECKED, _UNREADABLE),)
    named = as_list(payload.get("credentialStatus", []))
    checks = [_entry(entry, credential.issuer.id, keys, resolve_status, now) for entry in credential.status]
    if len(named) > len(checks):
        checks.append(Check("status", Outcome.NOT_CHECKED, _NO_METHOD))
    # No status at all is a credential that cannot be withdrawn: the standard allows it.
    return tuple(checks) or (Check("status", Outcome.PASSED),)


def _entry(
    entry: StatusEntry, issuer: str, keys: Sequence[PublicKey] | None, resolve_status: ResolveStatus, now: datetime
) -> Check:
    """Bitstring Status List 1.0 §3.2. The list must come from the credential's own issuer, signed and current."""
    if entry.purpose not in _STATUS_CODES:
        return Check("status", Outcome.NOT_CHECKED, _NO_METHOD)
    served = resolve_status(entry.list_url)
    if served is None or keys is None:
        return Check("status", Outcome.NOT_CHECKED, _NO_LIST)
    try:
        token = verify_jwt(jwt_in(served), keys=keys, now=now, issuer=issuer)
        published = next(
            found
            for found in read_status_list(token.payload)
            if (found.id, found.issuer, found.purpose) == (entry.list_url, issuer, entry.purpose)
        )
        is_set = published.bits.is_set(entry.index)
    except (Invalid, StopIteration, IndexError):
        return Check("status", Outcome.NOT_CHECKED, _NO_LIST)
    stale = token.outcome_of("expiry") is not Outcome.PASSED
    if not all(check.passed for check in token.checks if check.name != "expiry"):
        return Check("status", Outcome.NOT_CHECKED, _NO_LIST)
    if is_set:
        # Revocation cannot be undone, so even an old list proves it; suspension can, so it takes a current one.
        if stale and entry.purpose != "revocation":
            return Check("status", Outcome.NOT_CHECKED, _STALE_LIST)
        return Check("status", Outcome.FAILED, Reason(*_STATUS_CODES[entry.purpose]))
    return Check("status", Outcome.NOT_CHECKED, _STALE_LIST) if stale else Check("status", Outcome.PASSED)
