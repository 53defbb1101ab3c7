"""Others can verify what we sign: jwcrypto always, and the npm packages `jose` and `did-jwt` where npm is at hand."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from jwcrypto import jwk, jws

from tests.standards.open_badges.conftest import LIST, Office
from vsm.kit.keys import write_jwk_set
from vsm.standards.did import did_web, did_web_document
from vsm.standards.open_badges.model import Credential, Issuer
from vsm.standards.open_badges.write import claims_of, sign, write

NPM = Path(__file__).parents[1] / "npm"
DID = did_web("andes.example", "issuers", "andes")
ALTERATIONS = {"header": 0, "payload": 1, "signature": 2}


def altered(token: str, part: int) -> str:
    parts = token.split(".")
    middle = len(parts[part]) // 2
    parts[part] = parts[part][:middle] + ("A" if parts[part][middle] != "A" else "B") + parts[part][middle + 1 :]
    return ".".join(parts)


def read_by_jwcrypto(office: Office, token: str) -> dict[str, object]:
    """Only the published key set and the token: nothing of ours takes part."""
    keys = jwk.JWKSet.from_json(json.dumps(write_jwk_set([office.key.public])))
    received = jws.JWS()
    received.deserialize(token)
    kid = received.jose_header["kid"].rpartition("/")[2]
    received.verify(keys.get_key(kid))
    payload: dict[str, object] = json.loads(received.payload)
    return payload


def test_jwcrypto_verifies_the_credential_and_reads_the_same_claims(office: Office) -> None:
    assert read_by_jwcrypto(office, office.signed()) == claims_of(write(office.credential))


def test_jwcrypto_verifies_the_status_list(office: Office) -> None:
    assert office.status is not None
    assert read_by_jwcrypto(office, office.status.decode())["id"] == LIST


@pytest.mark.parametrize("part", ALTERATIONS.values(), ids=ALTERATIONS.keys())
def test_jwcrypto_refuses_an_altered_credential(office: Office, part: int) -> None:
    with pytest.raises((jws.InvalidJWSSignature, jws.InvalidJWSObject, KeyError)):
        read_by_jwcrypto(office, altered(office.signed(), part))


@pytest.fixture(scope="session")
def node_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The verifier with its packages beside it. Without them: skipped by name, or installed under VSM_REQUIRE=npm."""
    if (NPM / "node_modules").is_dir() and shutil.which("node"):
        return NPM / "verify.mjs"
    if "npm" not in os.environ.get("VSM_REQUIRE", "").split(","):
        pytest.skip("npm packages are not installed: (cd tests/standards/npm && npm install --no-package-lock)")
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "verify.mjs"):
        shutil.copy(NPM / name, folder)
    install = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=300)
    return folder / "verify.mjs"


def answers_of_node(program: Path, office: Office, token: str) -> dict[str, object]:
    question = {
        "jwt": token,
        "keys": write_jwk_set([office.key.public]),
        "did": did_web_document(DID, [office.key.public]),
        "now": int(office.now.timestamp()),
    }
    finished = subprocess.run(
        ["node", program], input=json.dumps(question), capture_output=True, text=True, check=True, timeout=60
    )
    answers: dict[str, object] = json.loads(finished.stdout)
    return answers


@pytest.fixture
def by_did(office: Office) -> Credential:
    return replace(office.credential, issuer=Issuer(DID, "Universidad de los Andes Ficticia"))


def test_npm_jose_and_did_jwt_verify_the_credential(office: Office, by_did: Credential, node_program: Path) -> None:
    signed = sign(by_did, office.key, key_url=f"{DID}#{office.key.kid}")
    claims = claims_of(write(by_did))
    assert answers_of_node(node_program, office, signed) == {"jose": claims, "did-jwt": claims}


def test_npm_jose_and_did_jwt_refuse_an_altered_credential(
    office: Office, by_did: Credential, node_program: Path
) -> None:
    signed = altered(sign(by_did, office.key, key_url=f"{DID}#{office.key.kid}"), ALTERATIONS["payload"])
    assert answers_of_node(node_program, office, signed) == {"jose": None, "did-jwt": None}
