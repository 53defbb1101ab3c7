"""The sources by name, with licence and attribution, read from `registry.yaml` beside this module. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from vsm.kit.localized import LANGUAGES
from vsm.rulebook.reading import parse


@dataclass(frozen=True, kw_only=True)
class Source:
    """Somebody who publishes figures. `licence` is an SPDX identifier (`LicenseRef-…` where there is none).

    `redistribute`: whether its data may be passed on; `share_alike`: whether what contains it must carry its licence.
    `formats` are the layouts in which it comes, `fetch` its files and the address of each
    (`{edition}` stands for the month of a release, 202509), `ships` the files in this
    package (patterns below `vsm`) that hold something of it.
    """

    slug: str
    title: Mapping[str, str]
    about: Mapping[str, str]
    publisher: str
    licence: str
    redistribute: bool
    share_alike: bool
    verified: bool
    attribution: str
    homepage: str
    cadence: str
    fetch: Mapping[str, str]
    formats: tuple[str, ...]
    ships: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether this installation makes it: no file of anybody holds it."""
        return not self.formats and not self.ships


@cache
def sources() -> Mapping[str, Source]:
    """All sources in the order of the file. Raises ValueError when the file is wrong: a fault of this program."""
    told = parse(files(__package__).joinpath("registry.yaml").read_text("utf-8"))
    found = {entry["slug"]: _source(entry) for entry in told["sources"]}
    if len(found) != len(told["sources"]):
        raise ValueError("registry.yaml: a source stands twice")
    return found


def _source(entry: Mapping[str, object]) -> Source:
    facts = dict(entry)
    for name in ("redistribute", "share_alike", "verified"):
        if facts[name] not in {"yes", "no"}:
            raise ValueError(f"registry.yaml, {facts['slug']}: {name} must be yes or no")
        facts[name] = facts[name] == "yes"
    source = Source(**{**facts, "formats": tuple(facts["formats"]), "ships": tuple(facts.get("ships", ()))})  # type: ignore[arg-type]  # -- read from a file
    if set(source.title) != set(LANGUAGES) or set(source.about) != set(LANGUAGES):
        raise ValueError(f"registry.yaml, {source.slug}: title and about must stand in all four languages")
    return source
