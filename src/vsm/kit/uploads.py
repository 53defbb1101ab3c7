"""A file that somebody hands in, the same from a form, from JSON (base64) and from the command line; what it is and how it is called."""

import hashlib
from collections.abc import Mapping

from pydantic import Base64Bytes, BaseModel, Field

LIMIT = 5 * 1024 * 1024
ENDINGS: Mapping[str, tuple[str, ...]] = {"application/pdf": ("pdf",), "image/jpeg": ("jpg", "jpeg"), "image/png": ("png",), "text/plain": ("txt", "csv", "md", "json", "jwt")}


class Upload(BaseModel):
    """`data` is base64 in JSON, raw bytes in Python."""

    name: str = Field(max_length=255)
    media_type: str = Field(default="application/octet-stream", max_length=100)
    data: Base64Bytes

    @classmethod
    def of(cls, name: str, media_type: str, data: bytes) -> "Upload":
        return cls.model_construct(name=name, media_type=media_type, data=data)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def media_type_of(data: bytes) -> str:
    """The type by the first bytes, whatever the sender says: PDF, JPEG, PNG or plain text; "" for everything else.

    Signatures: ISO 32000-1 §7.5.2 (PDF), ISO/IEC 10918-1 Annex B (JPEG SOI), PNG specification §5.2.
    """
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "text/plain" if _is_text(data) else ""


def document_name(name: str, media_type: str = "") -> str:
    """A file name without folders and control characters, at most 120 characters, never empty.

    With its type it also ends as files of that type do: text called `.bat` would run on the computer of whoever opens it.
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(char for char in last if char.isprintable()).strip(" .")
    stem, dot, ending = kept.rpartition(".")
    endings = ENDINGS.get(media_type)
    if endings and ending.lower() not in endings:
        return f"{kept[:110] or 'document'}.{endings[0]}"
    if dot and len(ending) <= 8:
        return f"{stem[:110]}.{ending}" if stem else f"document.{ending}"
    return kept[:120] or "document"


def _is_text(data: bytes) -> bool:
    if not data:
        return False
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\t\r\n\f\ufeff" for char in text)
