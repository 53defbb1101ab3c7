"""Text in several languages: `{"es": "...", "pt-br": "..."}`, stored as JSON, shown with a fallback.

The shape maps one to one to the language arrays of OEAPI and the European Learning Model.
"""

import re
from collections.abc import Mapping

LANGUAGES = ("es", "pt-br", "en", "fr")


def unbroken(text: str, language: str) -> str:
    """In French no line begins with a colon or ends with an opening quotation mark: those spaces do not break."""
    return re.sub(" (?=[:;?!»])|(?<=«) ", "\u00a0", text) if language == "fr" else text


def text_in(texts: Mapping[str, str] | str | None, language: str) -> str:
    """The text in `language`, else its parent (`pt` for `pt-br` and back), else English, else whatever there is; to be read, not to be kept."""
    return text_and_language(texts, language)[0]


def text_and_language(texts: Mapping[str, str] | str | None, language: str) -> tuple[str, str]:
    """The chosen text and the language it is really in (needed to mark `lang` on a fragment)."""
    if not texts:
        return "", language
    if isinstance(texts, str):
        return texts, language
    parent = language.split("-")[0]
    relatives = [key for key in texts if key.split("-")[0] == parent]
    for key in (language, parent, *relatives, "en", *texts):
        if texts.get(key):
            return unbroken(texts[key], key), key
    return "", language
