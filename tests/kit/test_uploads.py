"""What a file really is, and under which name it is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsm.kit.uploads import document_name, media_type_of


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"%PDF-1.7 ...", "application/pdf"), (b"\xff\xd8\xff\xe0JFIF", "image/jpeg"), (b"\x89PNG\r\n\x1a\n....", "image/png"),
        ("Notas: ñandú\r\n\tfin".encode(), "text/plain"), (b"MZ\x90\x00", ""), (b"PK\x03\x04", ""), (b"GIF89a\x00", ""), (b"\xffnot utf-8", ""),
        (b"text\x00with nul", ""), (b"\x1b[31mterminal", ""), (b"", ""),
    ],
)  # fmt: skip
def test_a_files_type_is_read_from_its_bytes(data: bytes, media_type: str) -> None:
    assert media_type_of(data) == media_type


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("notes.pdf", "notes.pdf"), ("../../etc/passwd", "passwd"), ("C:\\Users\\ana\\cv.PDF", "cv.PDF"), ("a\r\nb\x00.png", "ab.png"), ("", "document"), ("...", "document"),
        ("x" * 300 + ".pdf", "x" * 110 + ".pdf"), ("/", "document"),
    ],
)  # fmt: skip
def test_a_file_name_has_no_folders_and_no_control_characters(given_name: str, kept: str) -> None:
    assert document_name(given_name) == kept


@pytest.mark.parametrize(
    ("given_name", "media_type", "kept"),
    [
        ("cv.PDF", "application/pdf", "cv.PDF"), ("me.jpeg", "image/jpeg", "me.jpeg"), ("grades.csv", "text/plain", "grades.csv"), ("run.bat", "text/plain", "run.bat.txt"),
        ("notes.exe", "application/pdf", "notes.exe.pdf"), ("scan", "image/png", "scan.png"), ("...", "image/png", "document.png"), ("x" * 300, "text/plain", "x" * 110 + ".txt"),
    ],
)  # fmt: skip
def test_a_kept_file_ends_as_its_bytes_say(given_name: str, media_type: str, kept: str) -> None:
    assert document_name(given_name, media_type) == kept


@given(st.text(max_size=400))
def test_whatever_a_file_is_called_its_kept_name_is_safe(name: str) -> None:
    kept = document_name(name)
    assert kept
    assert len(kept) <= 120
    assert "/" not in kept
    assert kept.isprintable()
