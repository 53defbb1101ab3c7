"""Identifiers: UUID version 7 (RFC 9562 §5.7), so that keys sort by creation and never collide between databases."""

import os
import secrets
import time
import uuid


def new_id() -> uuid.UUID:
    """A UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    chance = secrets.randbits(74)
    value = (milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | (chance >> 62) << 64 | 0b10 << 62 | chance & ((1 << 62) - 1)
    return uuid.UUID(int=value)


MOST_AT_ONCE = 1 << 24


def new_ids(count: int) -> list[str]:
    """So many UUIDv7 of one moment, as 32 hexadecimal digits: with one question to the system, and without the objects.

    They stand in order, so that an index of them grows at its end: 24 of the random bits count (RFC 9562 §6.2, method 1),
    48 stay random. ValueError beyond `MOST_AT_ONCE`.
    """
    if count > MOST_AT_ONCE:
        raise ValueError(f"{count} identifiers of one moment; there are {MOST_AT_ONCE}.")
    moment = f"{time.time_ns() // 1_000_000 & ((1 << 48) - 1):012x}7"
    drawn = os.urandom(6 * count).hex()
    return [f"{moment}{n >> 12:03x}8{n & 0xFFF:03x}{drawn[12 * n : 12 * n + 12]}" for n in range(count)]
