"""Issuers by address and by bare key."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from vsm.kit.errors import Invalid
from vsm.kit.keys import generate_key
from vsm.standards.did import did_jwk, did_web, did_web_document, did_web_url, key_of_did_jwk

KEY = generate_key(valid_from=datetime(2026, 1, 1, tzinfo=UTC)).public


@pytest.mark.parametrize(
    ("parts", "did", "url"),
    [
        (("vsm.example",), "did:web:vsm.example", "https://vsm.example/.well-known/did.json"),
        (("vsm.example", "i", "uni"), "did:web:vsm.example:i:uni", "https://vsm.example/i/uni/did.json"),
        (("localhost:8000", "i"), "did:web:localhost%3A8000:i", "https://localhost:8000/i/did.json"),
    ],
)
def test_an_address_and_its_did_belong_together(parts: tuple[str, ...], did: str, url: str) -> None:
    assert did_web(*parts) == did
    assert did_web_url(did) == url


def test_the_document_lists_every_trusted_key_and_lets_only_current_ones_sign() -> None:
    retired = replace(
        generate_key(valid_from=datetime(2025, 1, 1, tzinfo=UTC)).public, retired_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    leaked = replace(generate_key(valid_from=datetime(2025, 1, 1, tzinfo=UTC)).public, distrusted=True)
    document = did_web_document("did:web:vsm.example", [leaked, retired, KEY])
    assert [method["id"] for method in document["verificationMethod"]] == [
        f"did:web:vsm.example#{retired.kid}",
        f"did:web:vsm.example#{KEY.kid}",
    ]
    assert document["assertionMethod"] == [f"did:web:vsm.example#{KEY.kid}"]
    assert document["verificationMethod"][1]["publicKeyJwk"] == {**KEY.jwk, "kid": KEY.kid}


def test_a_bare_key_is_its_own_identifier() -> None:
    assert key_of_did_jwk(did_jwk(KEY) + "#0").jwk == KEY.jwk
    assert key_of_did_jwk(did_jwk(KEY)).kid == KEY.kid


@pytest.mark.parametrize("did", ["", "did:jwk:", "did:jwk:!!", "did:jwk:W10", "did:key:z6Mk", "did:jwk:e30", "x" * 9])
def test_what_is_no_bare_key_is_refused(did: str) -> None:
    with pytest.raises(Invalid):
        key_of_did_jwk(did)
