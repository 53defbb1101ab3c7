"""Signing keys: the published half with its window, the private half, and the published history.

`kid` is the RFC 7638 thumbprint (SHA-256, base64url). In a header it may stand alone, or as the end of a URL or DID URL
(`https://…/keys/<thumbprint>`, `did:web:…#<thumbprint>`), which vc-jose-cose recommends.

A key has a window [valid_from, retired_at). A retired key goes on verifying what was dated inside its window; a
distrusted key (it leaked: whoever has it can choose the date) verifies nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

PUBLIC_MEMBERS = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_KEY_TYPES: Mapping[str, type[OKPKey] | type[ECKey] | type[RSAKey]] = {"OKP": OKPKey, "EC": ECKey, "RSA": RSAKey}


@dataclass(frozen=True)
class PublicKey:
    """A published key. `jwk` holds the public members only; `kid` is its thumbprint; moments are aware.

    `name` is what another issuer calls its key (`key-1`); for our own it is empty.
    """

    kid: str
    jwk: Mapping[str, str]
    valid_from: datetime
    retired_at: datetime | None = None
    distrusted: bool = False
    name: str = ""

    def covers(self, moment: datetime) -> bool:
        """Whether what is dated `moment` may have been signed with this key."""
        return (
            not self.distrusted and self.valid_from <= moment and (self.retired_at is None or moment < self.retired_at)
        )

    def answers_to(self, kid: str) -> bool:
        """Whether `kid` is this key's thumbprint or name, alone or at the end of a URL or DID URL."""
        return any(
            kid == own or kid.endswith(("/" + own, "#" + own, ":" + own)) for own in (self.kid, self.name) if own
        )


@dataclass(frozen=True)
class SigningKey:
    """A private Ed25519 key with its published half. Never leaves the signer's process unencrypted."""

    public: PublicKey
    private: OKPKey = field(repr=False)

    @property
    def kid(self) -> str:
        return self.public.kid


def generate_key(*, valid_from: datetime) -> SigningKey:
    """A new Ed25519 key whose window opens at `valid_from`."""
    private = OKPKey.generate_key("Ed25519")
    return SigningKey(public_key(private.as_dict(private=False), valid_from=valid_from), private)


def signing_key(jwk: Mapping[str, Any], published: PublicKey) -> SigningKey:
    """The private `jwk` and its published half. Raises `Invalid` when they do not belong together."""
    try:
        private = OKPKey.import_key(dict(jwk))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Invalid(Reason("key-unreadable", N_("This is not an Ed25519 key."))) from error
    if not private.is_private or private.thumbprint() != published.kid:
        raise Invalid(
            Reason("key-mismatch", N_("The private key does not belong to %(kid)s."), {"kid": published.kid}),
        )
    return SigningKey(published, private)


def public_key(
    jwk: Mapping[str, Any], *, valid_from: datetime, retired_at: datetime | None = None, distrusted: bool = False
) -> PublicKey:
    """A published key from a JWK: private members are dropped, `kid` is recomputed. Raises `Invalid`."""
    members = PUBLIC_MEMBERS.get(str(jwk.get("kty")), ())
    kept = {name: jwk[name] for name in members if isinstance(jwk.get(name), str)}
    if not members or len(kept) < len(members):
        raise Invalid(Reason("key-unreadable", N_("This is not a public key of a kind we know.")))
    try:
        thumbprint = _KEY_TYPES[kept["kty"]].import_key(kept).thumbprint()
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Invalid(Reason("key-unreadable", N_("This is not a public key of a kind we know."))) from error
    name = jwk.get("kid")
    alias = name if isinstance(name, str) and name != thumbprint else ""
    return PublicKey(thumbprint, kept, valid_from, retired_at, distrusted, alias)


def imported(key: PublicKey) -> OKPKey | ECKey | RSAKey:
    """The key as joserfc wants it."""
    return _KEY_TYPES[key.jwk["kty"]].import_key(dict(key.jwk))


def moment_of(numeric_date: object) -> datetime | None:
    """A NumericDate (RFC 7519 §2: seconds since 1970, UTC) as an aware moment; None when it is none."""
    if isinstance(numeric_date, bool) or not isinstance(numeric_date, int | float):
        return None
    try:
        return datetime.fromtimestamp(numeric_date, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def write_jwk(key: PublicKey) -> dict[str, Any]:
    """One published key, as its own address serves it. The window is `nbf` and `exp`, distrust is `revoked`, as in the
    historical keys response of OpenID Federation 1.0."""
    jwk: dict[str, Any] = {**key.jwk, "kid": key.name or key.kid, "use": "sig", "nbf": int(key.valid_from.timestamp())}
    if key.retired_at is not None:
        jwk["exp"] = int(key.retired_at.timestamp())
    if key.distrusted:
        jwk["revoked"] = {"revoked_at": jwk.get("exp", jwk["nbf"]), "reason": "compromised"}
    return jwk


def write_jwk_set(keys: Iterable[PublicKey]) -> dict[str, Any]:
    """The published key history as a JWK set (RFC 7517 §5)."""
    return {"keys": [write_jwk(key) for key in keys]}


def read_jwk_set(document: object) -> tuple[PublicKey, ...]:
    """The keys of a JWK set; kinds we do not know are left out (RFC 7517 §5). Raises `Invalid` for another shape.

    A key without `nbf` counts from 1970: foreign issuers rarely publish windows.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Invalid(Reason("not-a-key-set", N_("This is not a JSON Web Key Set.")))
    return tuple(key for entry in entries for key in _key_of(entry))


def _key_of(jwk: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    try:
        return (
            public_key(
                jwk,
                valid_from=moment_of(jwk.get("nbf")) or EPOCH,
                retired_at=moment_of(jwk.get("exp")),
                distrusted="revoked" in jwk,
            ),
        )
    except Invalid:
        return ()
