"""Getting a file from a publisher: resumable, bounded, and only from public addresses, or a mirror that the operator names.

The name is resolved once and the connection goes to that very address, so that a name that points into the local network
(or changes its mind between check and use) reaches nothing. Redirects are followed a few times, each one checked anew, and
never from https to http. What is there of a broken download is kept with its ETag and asked for with Range and If-Range;
a whole one that was not taken in yet stays with its fingerprint, and comes again only if the publisher has another by now.
"""

import hashlib
import http.client
import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from vsm.kit.errors import Refused, Unavailable
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

PIECE = 1 << 18
REDIRECTS = {301, 302, 303, 307, 308}
# Answers after which trying again helps; others are final.
PASSING = {408, 425, 429, 500, 502, 503, 504}

NOT_MODIFIED = 304
# No status of HTTP; browsers use it in this sense.
TOO_MANY_REDIRECTS = 310

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds for the whole and for each silence; tries; bytes; redirects. `private`: a mirror in one's own
    network may be asked as well, and there without TLS."""

    deadline: float = 1800.0
    silence: float = 30.0
    tries: int = 6
    size: int = 4 << 30
    redirects: int = 5
    private: bool = False
    wait: Callable[[float], None] = field(default=time.sleep)


class NotThere(Refused):
    """The publisher has no such file (404 or 410)."""


class _Broken(Exception):
    """It stopped on the way; what came is kept."""


def fetch(url: str, into: Path, *, limits: Limits | None = None, progress: Progress = lambda _done, _total: None) -> str:
    """Get `url` into the file `into`; its SHA-256. Goes on where an earlier call stopped.

    A file that an earlier call got whole is not sent again while the publisher says that it is the same. `discard` it when done.
    Raises `NotThere` (404), `Refused` (an address that is not public, too large, another final answer) and `Unavailable` when
    the network does not give it within the tries and the deadline; then what came is kept for the next call.
    """
    limits = limits or Limits()
    until = time.monotonic() + limits.deadline
    partial, memory = into.with_name(into.name + ".part"), into.with_name(into.name + ".part.json")
    into.parent.mkdir(parents=True, exist_ok=True)
    held = _whole(into, url)
    cause = ""
    for attempt in range(limits.tries):
        if attempt:
            limits.wait(min(2.0**attempt, max(0.0, until - time.monotonic())))
        if time.monotonic() >= until:
            cause = cause or "deadline"
            break
        try:
            told = _attempt(url, partial, memory, held, limits, until, progress)
        except (_Broken, OSError, http.client.HTTPException) as broken:
            cause = str(broken) or type(broken).__name__
            continue
        if told is None:
            return _digest(into)
        memory.unlink(missing_ok=True)
        partial.replace(into)
        digest = _digest(into)
        _fingerprint(into).write_text(json.dumps({"url": url, "told": told, "sha256": digest}), "utf-8")
        return digest
    raise unreachable(url, cause)


def discard(path: Path) -> None:
    """Forget a file that was taken in."""
    path.unlink()
    _fingerprint(path).unlink(missing_ok=True)


def _whole(path: Path, url: str) -> str:
    """What the publisher told of the file that is here (ETag or date), if it is of this address and undamaged."""
    try:
        kept = json.loads(_fingerprint(path).read_text("utf-8"))
        return str(kept["told"]) if (kept["url"], kept["sha256"]) == (url, _digest(path)) else ""
    except (OSError, ValueError, KeyError):
        return ""


def _fingerprint(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unreachable(url: str, cause: str) -> Unavailable:
    text = N_("%(url)s could not be reached (%(cause)s). Try again: it goes on where it stopped. Without a network, get the file elsewhere and load it: vsm observatory load FILE.")
    return Unavailable(Reason("source-unreachable", text, {"url": url, "cause": cause[:200]}))


def _attempt(url: str, partial: Path, memory: Path, held: str, limits: Limits, until: float, progress: Progress) -> str | None:
    """What the publisher tells of the file that came; None where the one `held` is the same."""
    mark = _mark(memory, url) if partial.exists() and not held else ""
    have = partial.stat().st_size if mark else 0
    headers = {"User-Agent": "OpenVSM", "Accept-Encoding": "identity", **({"Range": f"bytes={have}-", "If-Range": mark} if have else {})}
    if held:
        headers["If-None-Match" if held.startswith(('"', "W/")) else "If-Modified-Since"] = held
    connection, answer = _open(url, headers, limits, until)
    try:
        if answer.status == NOT_MODIFIED:
            return None
        if answer.status == 416:
            memory.unlink(missing_ok=True)  # what is here is not a beginning of what is there
            raise _Broken("416")
        begin = have if answer.status == 206 and _begins(answer, have) else 0
        length = answer.getheader("Content-Length")
        total = begin + int(length) if length and length.isdigit() else 0
        _check_size(url, total, limits)
        told = answer.getheader("ETag") or answer.getheader("Last-Modified") or ""
        # A weak ETag does not promise equal bytes (RFC 9110 §13.1.5): such a download starts anew.
        memory.write_text(json.dumps({"url": url, "mark": "" if told.startswith("W/") else told}), "utf-8")
        done = _receive(answer, partial, begin, total, limits, until, progress)
        if total and done != total:
            raise _Broken(f"{done} / {total}")
        return told
    finally:
        connection.close()


def _receive(answer: http.client.HTTPResponse, partial: Path, begin: int, total: int, limits: Limits, until: float, progress: Progress) -> int:
    done = begin
    with partial.open("r+b" if begin else "wb") as file:
        file.seek(begin)
        file.truncate()
        # read1: give what has come, so that a slow line is seen and a broken one loses nothing.
        while piece := answer.read1(PIECE):
            done += len(piece)
            _check_size(partial.name, done, limits)
            file.write(piece)
            progress(done, total)
            if time.monotonic() >= until:
                raise _Broken("deadline")
    return done


def _open(url: str, headers: dict[str, str], limits: Limits, until: float) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    for _hop in range(limits.redirects + 1):
        connection = _connection(url, limits, until)
        parts = urlsplit(url)
        try:
            connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else "") or "/", headers=headers)
            answer = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        if answer.status in {200, 206, 416} or (answer.status == NOT_MODIFIED and headers.keys() & {"If-None-Match", "If-Modified-Since"}):
            return connection, answer
        connection.close()
        target = answer.getheader("Location")
        if answer.status not in REDIRECTS or not target:
            raise _final(url, answer.status)
        following = urljoin(url, target)
        if parts.scheme == "https" and urlsplit(following).scheme != "https":
            raise _final(url, answer.status)
        url = following
    raise _final(url, TOO_MANY_REDIRECTS)


def _final(url: str, status: int) -> Exception:
    if status in PASSING:
        return _Broken(str(status))
    text = N_("%(url)s answers %(status)s. Look at the publisher's page for where the file is now, and load it: vsm observatory load FILE.")
    return (NotThere if status in {404, 410} else Refused)(Reason("source-answers", text, {"url": url, "status": status}))


def _connection(url: str, limits: Limits, until: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    if not host or not (secure or (limits.private and parts.scheme == "http")):
        raise _not_public(url)
    port = parts.port or (443 if secure else 80)
    found = [entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    is_public = all(ipaddress.ip_address(str(address)).is_global for address in found)
    if (not is_public and not limits.private) or (is_public and not secure):
        raise _not_public(url)
    timeout = max(0.1, min(limits.silence, until - time.monotonic()))
    made = http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context()) if secure else http.client.HTTPConnection(host, port, timeout=timeout)
    plain = socket.create_connection((str(found[0]), port), timeout=timeout)
    made.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
    return made


def _not_public(url: str) -> Refused:
    text = N_("%(url)s is no public https address; nothing was asked there. If you have the file, load it: vsm observatory load FILE.")
    return Refused(Reason("address-not-public", text, {"url": url}))


def _check_size(name: str, size: int, limits: Limits) -> None:
    if size > limits.size:
        text = N_("%(url)s is larger than %(limit)s bytes: more than any release. It was not taken.")
        raise Refused(Reason("source-too-large", text, {"url": name, "limit": limits.size}))


def _begins(answer: http.client.HTTPResponse, have: int) -> bool:
    return (answer.getheader("Content-Range") or "").startswith(f"bytes {have}-")


def _mark(memory: Path, url: str) -> str:
    """The ETag (or date) of what is here in part, if it is of this address."""
    try:
        told = json.loads(memory.read_text("utf-8"))
        return str(told["mark"]) if told["url"] == url else ""
    except (OSError, ValueError, KeyError):
        return ""
