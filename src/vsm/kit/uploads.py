"""A file that somebody hands in, the same from a form, from JSON (base64) and from the command line."""

import hashlib

from pydantic import Base64Bytes, BaseModel, Field

LIMIT = 5 * 1024 * 1024


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
