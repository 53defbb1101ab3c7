"""Text as people search it: without accents and case, the same on SQLite and PostgreSQL."""

import unicodedata


def fold(text: str) -> str:
    """`Álgebra` → `algebra`, `ñandú` → `nandu`: NFKD, combining marks removed, casefolded, spaces squeezed."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(text.casefold().split())
