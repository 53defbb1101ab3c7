"""The lottery that orders students of equal priority: drawn from a seed, checkable by anybody who can compute a hash.

**The number.** HMAC-SHA-256 (RFC 2104) with the seed as key and the student's id as message, both UTF-8; the first 53
bits are the number, divided by 2**53 when shown (0 ≤ number < 1; lower goes first). 53 bits are exact both as a JSON
number and as a float. Where each offering draws its own lottery, the message is "offering, line feed, student". Nobody's number depends on who else applies, so a late withdrawal cannot reshuffle the others.

**The seed.** Whoever knows the seed before the call closes can compute the numbers in advance, and whoever chooses it
afterwards can choose the winners. Hence commit and reveal: draw a secret seed, publish `commitment(seed)` before the
call closes, publish the seed with the outcome; everybody compares. The coordinator could still try many seeds *before*
committing if the applicants' ids are known by then; when that matters, several institutions commit to a part each and
`joint_seed` combines them: nobody can then steer the result as long as one part was drawn at random and kept secret,
and every part committed to is revealed.
"""

import hashlib
import hmac
from collections.abc import Mapping

from vsm.exchange.allocation.problem import canonical_json

BITS = 53
SCALE = 1 << BITS


def number(seed: str, student_id: str) -> int:
    """The student's lottery number as a whole number in [0, 2**53); lower goes first."""
    digest = hmac.digest(seed.encode(), student_id.encode(), "sha256")
    return int.from_bytes(digest[:8]) >> (64 - BITS)


def number_at(seed: str, student_id: str, offering_id: str) -> int:
    """Her number at one offering, where each offering draws its own: the message is offering, line feed, student."""
    digest = hmac.digest(seed.encode(), f"{offering_id}\n{student_id}".encode(), "sha256")  # no id holds a line feed
    return int.from_bytes(digest[:8]) >> (64 - BITS)


def commitment(seed: str) -> str:
    """What is published before the call closes: SHA-256 of the seed, in hexadecimal.

    It hides the seed only if the seed cannot be guessed: draw at least 128 random bits (`secrets.token_hex(16)`).
    """
    return hashlib.sha256(seed.encode()).hexdigest()


def reveals(seed: str, committed: str) -> bool:
    """Whether `seed` is the one whose commitment was published."""
    return hmac.compare_digest(commitment(seed).encode(), committed.strip().lower().encode())


def joint_seed(parts: Mapping[str, str]) -> str:
    """One seed from the revealed parts of several institutions (id → part), each committed to beforehand.

    ValueError without parts. The order of the mapping does not matter; whose part is whose does.
    """
    if not parts:
        raise ValueError("A joint seed needs at least one part.")
    return hashlib.sha256(canonical_json(sorted(parts.items()))).hexdigest()


def shown(lottery: int, beside: int | None = None) -> str:
    """The number as a decimal fraction: two digits, or as many as it takes to differ from the number `beside` it.

    Digits are cut off, not rounded: 0.999 must not read as 1.00, and of two different numbers the lower reads lower.
    """
    digits = 2
    while beside is not None and beside != lottery and _cut(lottery, digits) == _cut(beside, digits):
        digits += 1
    return f"0.{_cut(lottery, digits):0{digits}d}"


def _cut(lottery: int, digits: int) -> int:
    tens: int = 10**digits
    return lottery * tens // SCALE
