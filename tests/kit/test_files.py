"""The file store: bytes under their digest, kept once."""

import hashlib

import pytest

from vsm.config import settings
from vsm.kit import files


def test_bytes_are_found_under_their_digest() -> None:
    digest = files.put(b"a transcript")
    assert digest == hashlib.sha256(b"a transcript").hexdigest()
    assert files.get(digest) == b"a transcript"


def test_the_same_bytes_are_kept_once() -> None:
    digest = files.put(b"twice")
    path = settings().data / "files" / digest[:2] / digest
    first = path.stat().st_mtime_ns
    assert files.put(b"twice") == digest
    assert path.stat().st_mtime_ns == first
    assert [entry.name for entry in path.parent.iterdir() if entry.name.startswith(digest)] == [digest]


@pytest.mark.parametrize("digest", ["", "0" * 64, "../secret-key", "..", "A" * 64, "0" * 63 + "/"])
def test_what_is_no_digest_or_was_never_kept_is_not_found(digest: str) -> None:
    with pytest.raises(FileNotFoundError):
        files.get(digest)


def test_a_broken_write_leaves_no_file_under_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        files.put(b"half")
    with pytest.raises(FileNotFoundError):
        files.get(hashlib.sha256(b"half").hexdigest())
