# mypy: allow-untyped-decorators
"""The lottery of `lottery.number` for millions of students: HMAC-SHA-256 over a column of ids, compiled.

Source: FIPS 180-4 (SHA-256), RFC 2104 (HMAC). A test compares it with the standard library.
"""

import hashlib
from typing import Any

import numpy as np
from numba import njit, prange

Array = Any  # a NumPy array; Numba infers element types

_PRIMES = [n for n in range(2, 312) if all(n % d for d in range(2, int(n**0.5) + 1))]


def _fraction(prime: int, root: int) -> int:
    """The first 32 bits of the fraction of a prime's square or cube root, in whole numbers."""
    scaled, low, high = prime << (32 * root), 0, prime << 32
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**root <= scaled else (low, middle)
    return low & 0xFFFFFFFF


START = np.array([_fraction(prime, 2) for prime in _PRIMES[:8]], np.uint32)
ROUND = np.array([_fraction(prime, 3) for prime in _PRIMES[:64]], np.uint32)


@njit(cache=True, inline="always")
def _turn(word: Any, by: int) -> Any:
    return np.uint32((word >> np.uint32(by)) | (word << np.uint32(32 - by)))


@njit(cache=True)
def _compress(state: Array, words: Array) -> None:
    """One block: 16 words in words[:16], room for 64."""
    for t in range(16, 64):
        small, large = words[t - 15], words[t - 2]
        one = _turn(small, 7) ^ _turn(small, 18) ^ np.uint32(small >> np.uint32(3))
        two = _turn(large, 17) ^ _turn(large, 19) ^ np.uint32(large >> np.uint32(10))
        words[t] = np.uint32(words[t - 16] + one + words[t - 7] + two)
    a, b, c, d, e, f, g, h = state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]
    for t in range(64):
        one = np.uint32(h + (_turn(e, 6) ^ _turn(e, 11) ^ _turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[t] + words[t])
        two = np.uint32((_turn(a, 2) ^ _turn(a, 13) ^ _turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c)))
        h, g, f, e, d, c, b, a = g, f, e, np.uint32(d + one), c, b, a, np.uint32(one + two)
    state[0], state[1], state[2], state[3] = state[0] + a, state[1] + b, state[2] + c, state[3] + d
    state[4], state[5], state[6], state[7] = state[4] + e, state[5] + f, state[6] + g, state[7] + h


@njit(cache=True)
def _digest(state: Array, data: Array, begin: int, end: int, words: Array) -> None:
    """SHA-256 of a 64-byte block (already in `state`) followed by data[begin:end]."""
    length, at, ended = end - begin, begin, False
    while True:
        for word in range(16):
            value = np.uint32(0)
            for _ in range(4):
                byte = np.uint32(0)
                if at < end:
                    byte = np.uint32(data[at])
                elif at == end and not ended:
                    byte, ended = np.uint32(0x80), True
                value = np.uint32((value << np.uint32(8)) | byte)
                at += 1
            words[word] = value
        if ended and at - begin - length >= 9:  # the mark and the length fit
            bits = np.uint64((64 + length) * 8)
            words[14], words[15] = np.uint32(bits >> np.uint64(32)), np.uint32(bits & np.uint64(0xFFFFFFFF))
            _compress(state, words)
            return
        _compress(state, words)


def _numbers(data: Array, offsets: Array, inner: Array, outer: Array) -> Array:
    found = np.empty(len(offsets) - 1, np.int64)
    for each in prange(len(offsets) - 1):
        words, state, block = np.empty(64, np.uint32), inner.copy(), np.empty(32, np.uint8)
        _digest(state, data, offsets[each], offsets[each + 1], words)
        for word in range(8):
            for byte in range(4):
                block[4 * word + byte] = np.uint8((state[word] >> np.uint32(24 - 8 * byte)) & np.uint32(255))
        state = outer.copy()
        _digest(state, block, 0, 32, words)
        found[each] = np.int64((np.uint64(state[0]) << np.uint64(21)) | (np.uint64(state[1]) >> np.uint64(11)))
    return found


_one_by_one = njit(cache=True)(_numbers)
_side_by_side = njit(cache=True, parallel=True)(_numbers)
WORTH_THREADS = 100_000  # below, waking them takes longer than the work


def numbers(seed: str, data: Array, offsets: Array) -> Array:
    """The lottery numbers of the ids data[offsets[i]:offsets[i + 1]] (UTF-8 bytes), as `lottery.number` gives them."""
    key = seed.encode()
    key = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    states = []
    for pad in (0x36, 0x5C):
        state, words = START.copy(), np.zeros(64, np.uint32)
        words[:16] = np.frombuffer(bytes(each ^ pad for each in key), ">u4")
        _compress(state, words)
        states.append(state)
    draw = _side_by_side if len(offsets) > WORTH_THREADS else _one_by_one
    return draw(data, offsets, *states)
