"""Decentralized identifiers that an issuer of credentials may go by: `did:web` (an address) and `did:jwk` (a bare key).

Sources: the did:web method specification (W3C Credentials Community Group), the did:jwk method specification, and
Securing Verifiable Credentials using JOSE and COSE (W3C, 2025) for how keys stand in the document.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.keys import EPOCH, PublicKey, public_key
from vsm.kit.signing import parse_json
from vsm.kit.verdict import Reason


def did_jwk(key: PublicKey) -> str:
    """The identifier that is its own key, for an issuer without a web address."""
    jwk = json.dumps(dict(key.jwk), separators=(",", ":"), sort_keys=True).encode()
    return "did:jwk:" + base64.urlsafe_b64encode(jwk).rstrip(b"=").decode()


def key_of_did_jwk(did: str) -> PublicKey:
    """The key inside a `did:jwk`. Its window has no end: nobody can publish its retirement. Raises `Invalid`."""
    encoded = did.removeprefix("did:jwk:").partition("#")[0]
    try:
        jwk = parse_json(base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise _not_a_did_jwk() from error
    if not did.startswith("did:jwk:") or not isinstance(jwk, dict):
        raise _not_a_did_jwk()
    return public_key(jwk, valid_from=EPOCH)


def did_web(host: str, *path: str) -> str:
    """`did:web:` of a host (with its port, if any) and a path: `did_web("vsm.example", "issuers", "uni")`."""
    return ":".join(["did:web", host.replace(":", "%3A"), *path])


def did_web_document(did: str, keys: Iterable[PublicKey]) -> dict[str, Any]:
    """The DID document to serve at `did_web_url(did)`: every trusted key, retired ones too, as `JsonWebKey`
    (vc-jose-cose); only those that may still sign are listed under `assertionMethod`."""
    trusted = [key for key in keys if not key.distrusted]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"],
        "id": did,
        "verificationMethod": [
            {
                "id": f"{did}#{key.kid}",
                "type": "JsonWebKey",
                "controller": did,
                "publicKeyJwk": {**key.jwk, "kid": key.kid},
            }
            for key in trusted
        ],
        "assertionMethod": [f"{did}#{key.kid}" for key in trusted if key.retired_at is None],
    }


def did_web_url(did: str) -> str:
    """Where the document of a `did:web` stands (did:web method, Read)."""
    host, *path = did.removeprefix("did:web:").split(":")
    folder = path or [".well-known"]
    return "/".join([f"https://{host.replace('%3A', ':')}", *folder, "did.json"])


def _not_a_did_jwk() -> Invalid:
    return Invalid(Reason("not-a-did-jwk", N_("This is not a did:jwk identifier.")))
