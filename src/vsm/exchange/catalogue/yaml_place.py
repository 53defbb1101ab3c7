"""A place in a mapping file that reads itself and notes what is wrong with it, so all mistakes are told at once."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason


class Place:
    """A value, the path to it, and the list of mistakes shared by the whole file. Every scalar is text."""

    def __init__(self, value: Any, path: str, mistakes: list[Reason]) -> None:
        self.value, self.path, self.mistakes = value, path, mistakes

    def wrong(self, text: str, **params: object) -> None:
        self.mistakes.append(Reason("mapping-mistake", text, {"place": self.path or "/", **params}, self.path))

    def parts(self, allowed: Iterable[str] | None = None, required: Iterable[str] = ()) -> dict[str, "Place"]:
        if not isinstance(self.value, dict):
            self.wrong(N_("%(place)s: expected keys with values."))
            return {}
        known = None if allowed is None else list(allowed)
        for key in self.value:
            if known is not None and key not in known:
                self.wrong(
                    N_("%(place)s: the key “%(key)s” is unknown. Known here: %(known)s."),
                    key=key,
                    known=", ".join(known),
                )
        for key in required:
            if key not in self.value:
                self.wrong(N_("%(place)s: the key “%(key)s” is missing."), key=key)
        return {key: self.at(key) for key in self.value if known is None or key in known}

    def at(self, key: str) -> "Place":
        return Place(self.value[key], f"{self.path}.{key}".lstrip("."), self.mistakes)

    def text(self) -> str:
        if isinstance(self.value, str):
            return self.value
        self.wrong(N_("%(place)s: expected one value."))
        return ""

    def texts(self) -> tuple[str, ...]:
        if isinstance(self.value, list) and self.value and all(isinstance(item, str) for item in self.value):
            return tuple(self.value)
        self.wrong(N_("%(place)s: expected a list of values."))
        return ()

    def choice(self, options: Sequence[str]) -> str:
        if self.value in options:
            return str(self.value)
        self.wrong(N_("%(place)s: “%(value)s” is none of %(options)s."), value=self.value, options=", ".join(options))
        return options[0]

    def flag(self) -> bool:
        return self.choice(("true", "false")) == "true"

    def whole(self) -> int:
        if isinstance(self.value, str) and self.value.isascii() and self.value.isdigit() and len(self.value) < 10:
            return int(self.value)
        self.wrong(N_("%(place)s: “%(value)s” is not a whole number."), value=self.value)
        return 0

    def period(self) -> tuple[date, date]:
        try:
            first, last = (date.fromisoformat(text) for text in self.value)
        except (TypeError, ValueError):
            self.wrong(N_("%(place)s: expected two dates, [YYYY-MM-DD, YYYY-MM-DD]."))
            return date.min, date.min
        if last < first:
            self.wrong(N_("%(place)s: the period ends before it starts."))
        return first, last
