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


def new_ids(count: int) -> list[str]:
    """So many UUIDv7 of one moment, as 32 hexadecimal digits: with one question to the system, and without the objects.

    They stand in order, so that an index of them grows at its end.
    """
    moment = f"{time.time_ns() // 1_000_000 & ((1 << 48) - 1):012x}7"
    drawn = os.urandom(10 * count).hex()
    return sorted(f"{moment}{drawn[at : at + 3]}{'89ab'[int(drawn[at + 3], 16) & 3]}{drawn[at + 4 : at + 19]}" for at in range(0, 20 * count, 20))
