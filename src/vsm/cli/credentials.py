"""`vsm verify`: is this credential genuine? Nothing is fetched; what is not at hand is said to be unchecked."""

import argparse
import json
import sys
from pathlib import Path

from vsm.cli.saying import speak, table
from vsm.exchange.credentials.queries import issuer_keys, status_list_bytes
from vsm.kit import clock
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.keys import PublicKey, read_jwk_set
from vsm.kit.saying import say_reason
from vsm.kit.signing import parse_json
from vsm.kit.verdict import Reason
from vsm.standards.open_badges.verify import Verification
from vsm.standards.open_badges.verify import verify as verified


def verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="a JWT, JSON with a jwt, or an enveloped credential; - for standard input")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="the issuer's published keys (JWK set), for an issuer who is not here")
    parser.add_argument("--status", type=Path, metavar="FILE", help="the issuer's signed status list, likewise")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--language", default="en", choices=("es", "pt-br", "en", "fr"))


def verify(args: argparse.Namespace) -> int:
    """Print the verdict with every check; 0 only when it is valid."""
    speak(args.language)
    data = sys.stdin.buffer.read() if args.file == "-" else _read(Path(args.file))
    keys = read_jwk_set(parse_json(_read(args.keys))) if args.keys else None
    status = _read(args.status).strip() if args.status else None

    def keys_of(issuer: str) -> tuple[PublicKey, ...] | None:
        return keys if keys is not None else issuer_keys(issuer)

    def status_at(url: str) -> bytes | None:
        return status if status is not None else status_list_bytes(url)

    verdict = verified(data, resolve_keys=keys_of, resolve_status=status_at, now=clock.now())
    print(_as_json(verdict) if args.json else _as_text(verdict))
    return 0 if verdict.ok else 1


def _as_text(verdict: Verification) -> str:
    said = [(check.name, check.outcome, say_reason(check.reason) if check.reason else "") for check in verdict.checks]
    return f"{verdict.standing}\n\n{table(said)}"


def _as_json(verdict: Verification) -> str:
    checks = [
        {"check": check.name, "outcome": check.outcome, "reason": check.reason.code if check.reason else "", "text": say_reason(check.reason) if check.reason else ""}
        for check in verdict.checks
    ]
    return json.dumps({"standing": verdict.standing, "checks": checks}, ensure_ascii=False, indent=1)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise Invalid(Reason("file", N_("%(file)s cannot be read: %(cause)s."), {"file": str(path), "cause": cause.strerror})) from cause
