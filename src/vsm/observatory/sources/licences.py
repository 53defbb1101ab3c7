"""What licences allow: which data may stand in this package, and how it is named where it is passed on. Pure.

Every data file in the package is declared by a source of the registry that may be passed on; share-alike data keeps its
licence beside it (`NOTICE`, which is what `notice` writes) and in a bundle of its own.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.sources.registry import Source

# Endings of files that hold data, wherever they stand in the package.
DATA = (".csv", ".tsv", ".parquet", ".zip", ".gz", ".xz", ".xlsx", ".xls", ".ods", ".dta", ".rda", ".sav", ".sqlite3", ".duckdb", ".feather", ".arrow")


# Under which a table of one's own can stand: whether it may be passed on, and must then carry the same licence.
OWN_LICENCES = {"CC0-1.0": (True, False), "CC-BY-4.0": (True, False), "CC-BY-SA-4.0": (True, True), "CC-BY-SA-3.0-IGO": (True, True), "LicenseRef-Unknown": (False, False)}


def as_licensed(source: Source, licence: str, attribution: str) -> Source:
    """A source as one release of it stands, where that has a licence of its own."""
    if not licence:
        return source
    redistribute, share_alike = OWN_LICENCES[licence]
    return replace(source, licence=licence, redistribute=redistribute, share_alike=share_alike, attribution=attribution)


def against_passing_on(source: Source) -> list[Reason]:
    """Why the data of a source may not leave this installation."""
    if source.redistribute:
        return []
    text = N_("The data of “%(source)s” may not be passed on (%(licence)s). Pass on where it comes from instead: %(homepage)s")
    return [Reason("not-redistributable", text, {"source": source.slug, "licence": source.licence, "homepage": source.homepage or "—"})]


def notice(entries: Iterable[Source]) -> str:
    """Licence and attribution of each source, and what of it stands here."""
    return "".join(
        f"{each.slug}: {each.licence}{' (share alike)' if each.share_alike else ''}\n{each.attribution}\n" + "".join(f"{pattern}\n" for pattern in each.ships) + "\n" for each in entries
    )


def wrong_in_package(package: Path, known: Mapping[str, Source]) -> Iterator[str]:
    """What must not be in the package: data that no source declares, or that its source does not let us pass on; a notice
    that does not say what is there."""
    for path in sorted(package.rglob("*")):
        if path.suffix.lower() not in DATA:
            continue
        inside = path.relative_to(package).as_posix()
        owners = [each for each in known.values() if any(fnmatch(inside, pattern) for pattern in each.ships)]
        if not owners:
            yield f"{inside}: no source declares it (registry.yaml, ships)"
        yield from (f"{inside}: {each.slug} may not be passed on ({each.licence})" for each in owners if not each.redistribute)
    told = package / "observatory" / "sources" / "NOTICE"
    if not told.is_file() or told.read_text("utf-8") != notice(each for each in known.values() if each.ships):
        yield "observatory/sources/NOTICE: does not name the licences of what ships"
