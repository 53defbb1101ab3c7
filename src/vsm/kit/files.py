"""The file store: content-addressed, write-once. A digest names the bytes; the same bytes are kept once."""

import hashlib
import os
from pathlib import Path

from vsm.config import settings


def put(data: bytes) -> str:
    """Keep these bytes; returns their SHA-256. On disk before this returns (file and folder are synced)."""
    digest = hashlib.sha256(data).hexdigest()
    path = _path(digest)
    if path.exists():
        return digest
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return digest


def get(digest: str) -> bytes:
    """The bytes of this digest. FileNotFoundError when they were never kept here."""
    return _path(digest).read_bytes()


def _path(digest: str) -> Path:
    if len(digest) != 64 or not all(char in "0123456789abcdef" for char in digest):
        raise FileNotFoundError(digest)
    return settings().data / "files" / digest[:2] / digest
