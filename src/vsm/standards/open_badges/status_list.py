"""Bitstring Status List 1.0 (W3C Recommendation, May 2025): one bit a credential, thousands in one small document.

The list is gzip (RFC 1952) of the bits, then base64url without padding after the multibase letter `u`; index 0 is the
left-most bit of the first byte; at least 16 kB, 131,072 entries (§2.2), so that asking for a list does not tell whose
credential is meant. Give indices out at random for the same reason.
"""

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.keys import SigningKey
from vsm.kit.signing import sign_jwt
from vsm.kit.verdict import Reason
from vsm.standards.open_badges.shapes import VC_CONTEXT, as_list, moment
from vsm.standards.open_badges.write import claims_of, write_moment

MIN_ENTRIES = 131_072
# A few kilobytes of gzip can hold gigabytes of zeros: nothing longer than 16 million entries is unpacked.
MAX_BYTES = 2**21

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(frozen=True)
class StatusList:
    """The unpacked bits. Immutable: a change makes a new list."""

    bits: bytes

    @classmethod
    def empty(cls, entries: int = MIN_ENTRIES) -> "StatusList":
        """All bits 0. Raises `Invalid` below the minimum or for a number that does not fill whole bytes."""
        if entries < MIN_ENTRIES or entries % 8 or entries > MAX_BYTES * 8:
            raise Invalid(
                Reason("list-size", N_("A status list needs %(minimum)s entries or more."), {"minimum": MIN_ENTRIES})
            )
        return cls(bytes(entries // 8))

    @classmethod
    def decoded(cls, text: str) -> "StatusList":
        """From `encodedList`. Raises `Invalid`: not multibase base64url, not gzip, cut, too short, or too long."""
        if not text.startswith("u") or not _BASE64URL.fullmatch(text):
            raise _malformed()
        try:
            packed = base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
            unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            bits = unpacker.decompress(packed, MAX_BYTES)
        except (binascii.Error, zlib.error) as error:
            raise _malformed() from error
        if not unpacker.eof or len(bits) * 8 < MIN_ENTRIES:
            raise _malformed()
        return cls(bits)

    @property
    def entries(self) -> int:
        return len(self.bits) * 8

    def is_set(self, index: int) -> bool:
        """The bit at `index`. Raises IndexError outside the list."""
        if not 0 <= index < self.entries:
            raise IndexError(index)
        return bool(self.bits[index // 8] & 0x80 >> index % 8)

    def changed(self, changes: Mapping[int, bool]) -> "StatusList":
        """A list with these bits set or cleared. Raises IndexError outside the list."""
        bits = bytearray(self.bits)
        for index, value in changes.items():
            if not 0 <= index < self.entries:
                raise IndexError(index)
            mask = 0x80 >> index % 8
            bits[index // 8] = bits[index // 8] | mask if value else bits[index // 8] & ~mask
        return StatusList(bytes(bits))

    def encoded(self) -> str:
        """As `encodedList`; the same bits always give the same text (no time stamp inside the gzip)."""
        packed = gzip.compress(self.bits, mtime=0)
        return "u" + base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


@dataclass(frozen=True)
class StatusListCredential:
    """A published list. `id` is the URL it is served at, `issuer` signs it, `valid_until` asks for a fresher one."""

    id: str
    issuer: str
    purpose: str
    bits: StatusList
    valid_from: datetime
    valid_until: datetime | None = None


def write_status_list(published: StatusListCredential) -> dict[str, Any]:
    """The unsigned `BitstringStatusListCredential` (§2.2)."""
    document: dict[str, Any] = {
        "@context": [VC_CONTEXT],
        "id": published.id,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": published.issuer,
        "validFrom": write_moment(published.valid_from),
        "credentialSubject": {
            "id": f"{published.id}#list",
            "type": "BitstringStatusList",
            "statusPurpose": published.purpose,
            "encodedList": published.bits.encoded(),
        },
    }
    if published.valid_until is not None:
        document["validUntil"] = write_moment(published.valid_until)
    return document


def sign_status_list(published: StatusListCredential, key: SigningKey, *, key_url: str) -> str:
    """The list as a compact JWS of type `vc+jwt`, ready to serve at `published.id`."""
    return sign_jwt(claims_of(write_status_list(published)), key, typ="vc+jwt", kid=key_url)


def read_status_list(document: object) -> tuple[StatusListCredential, ...]:
    """The lists in one document: one list may serve several purposes (§2.2). Raises `Invalid` when it is none."""
    try:
        value: Any = document
        subject = value["credentialSubject"]
        issuer = value["issuer"]["id"] if isinstance(value["issuer"], dict) else value["issuer"]
        if "BitstringStatusListCredential" not in as_list(value["type"]) or subject["type"] != "BitstringStatusList":
            raise _malformed()
        if subject.get("statusSize", 1) != 1 or not isinstance(issuer, str):
            raise _malformed()
        bits = StatusList.decoded(subject["encodedList"])
        ends = moment(value["validUntil"]) if "validUntil" in value else None
        return tuple(
            StatusListCredential(value["id"], issuer, purpose, bits, moment(value["validFrom"]), ends)
            for purpose in as_list(subject["statusPurpose"])
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _malformed() from error


def _malformed() -> Invalid:
    return Invalid(Reason("not-a-status-list", N_("This is not a readable status list.")))
