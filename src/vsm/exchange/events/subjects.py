"""What an event may be about. Parts above this one offer their things (a published brief); an event keeps only the name.

So an event leads to its brief and the brief to its events, and neither this slice nor the offering part imports the other:
`app/subscriptions.py` introduces them.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Subject(NamedTuple):
    """`name` is kept ("brief:covid-effect"); `title` is in the language asked for; `url` its page, empty while it is only announced."""

    name: str
    title: str
    url: str


OFFERED: list[Callable[[str], Iterable[tuple[str, str, str]]]] = []
"""Each gives (name, title, url) of what it offers, in a language."""


def subjects(language: str) -> dict[str, Subject]:
    """Everything that an event may be about, by name."""
    return {name: Subject(name, title, url) for offer in OFFERED for name, title, url in offer(language)}
