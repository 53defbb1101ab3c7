"""The snippets of the handbook work as printed: whoever copies them gets the right answer."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.standards.open_badges.conftest import Office
from vsm.kit.keys import write_jwk
from vsm.kit.signing import read_jwt
from vsm.standards.open_badges.write import sign, write

PAGE = Path(__file__).parents[3] / "docs/handbook/verify.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def function(name: str) -> Callable[..., Any]:
    (snippet,) = (text for text in SNIPPETS if f"def {name}(" in text)
    names: dict[str, Any] = {}
    exec(snippet, names)
    found: Callable[..., Any] = names[name]
    return found


@pytest.fixture
def key_address(office: Office) -> Iterator[str]:
    """The issuer's key, served on loopback as its site would."""
    body = json.dumps(write_jwk(office.key.public)).encode()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Keep the tests' output quiet."""

    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/keys/{office.key.kid}"
        server.shutdown()
        thread.join()


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60)


def test_the_python_snippet_prints_the_credential_and_refuses_an_altered_one(
    office: Office, key_address: str, tmp_path: Path
) -> None:
    (program,) = (text for text in SNIPPETS if "jwcrypto" in text)
    token = sign(office.credential, office.key, key_url=key_address)
    file = tmp_path / "credential.jwt"
    file.write_text(token + "\n")
    good = run(program, str(file))
    assert (good.returncode, office.credential.id in good.stdout, key_address in good.stdout) == (0, True, True)
    head, body, signature = token.split(".")
    file.write_text(".".join([head, body[:-8] + ("A" * 8), signature]))
    bad = run(program, str(file))
    assert (bad.returncode, office.credential.id in bad.stdout) == (1, False)


def test_the_status_snippet_reads_the_bit(office: Office) -> None:
    _, payload = read_jwt(office.publish(94567))
    encoded = payload["credentialSubject"]["encodedList"]
    assert [function("is_set")(encoded, index) for index in (94566, 94567, 94568)] == [False, True, False]


def test_the_identity_snippet_knows_ana(office: Office) -> None:
    identity = write(office.credential)["credentialSubject"]["identifier"][0]
    assert [function("is_hers")(identity, plain) for plain in ("ana@lima.example", "dora@lima.example")] == [
        True,
        False,
    ]
