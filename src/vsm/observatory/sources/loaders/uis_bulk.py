"""The bulk release of UIS: OPRI.zip or SDG.zip with `…_DATA_NATIONAL.csv` (INDICATOR_ID, COUNTRY_ID, YEAR, VALUE, MAGNITUDE,
QUALIFIER), and `…_DATA_REGIONAL.csv` with REGION_ID where the release has it.

Of some thousand indicators those of tertiary education are kept: their code names ISCED 5T8, or they are totals or origins of
mobile students. A ZIP is not trusted: how many files, how large and how much denser than their text is limited.
"""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.sources.checks import each_cell_once
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import csv_table, shaped, unreadable
from vsm.observatory.sources.loaders.uis_api import INBOUND, regions_make_the_world
from vsm.observatory.sources.loaders.uis_origins import as_flows, origins

if TYPE_CHECKING:
    import pyarrow

ENROLMENT = "25053"
TERTIARY = r"(^|\.)5T8(\.|$)"
MEMBER = re.compile(r"^(?:.*/)?(OPRI|SDG)_DATA_(NATIONAL|REGIONAL)\.csv$", re.IGNORECASE)
MOST_FILES, MOST_BYTES, MOST_DENSE = 64, 6 << 30, 150


def recognises(path: Path, head: bytes) -> bool:
    if not head.startswith(b"PK\x03\x04") or path.suffix.lower() != ".zip":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(MEMBER.match(name) for name in archive.namelist()[:MOST_FILES])
    except zipfile.BadZipFile:
        return path.name.upper() in {"OPRI.ZIP", "SDG.ZIP"}  # cut short: `read` says so


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    import pyarrow as pa

    try:
        with zipfile.ZipFile(path) as archive:
            members = _safe(path, archive)
            total = sum(member.file_size for member in members)
            parts: list[pyarrow.Table] = []
            done = 0
            for member in members:
                with archive.open(member) as file:
                    parts.append(_part(_Counted(file, path.name, done, total, progress), member))
                done += member.file_size
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as cause:
        raise unreadable(path.name, str(cause)) from cause
    progress(total, total)
    table = as_flows(pa.concat_tables(parts))
    return Taken(table, (each_cell_once(table), regions_make_the_world(table)), edition=_edition(path))


def _safe(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    wanted = [entry for entry in entries if MEMBER.match(entry.filename)]
    size, packed = sum(entry.file_size for entry in wanted), sum(entry.compress_size for entry in wanted)
    if len(entries) > MOST_FILES or size > MOST_BYTES or (size > 1 << 20 and size > MOST_DENSE * max(packed, 1)):
        text = N_("%(file)s would unpack to %(size)s bytes in %(files)s files: more than a release of UIS can have. It is not opened; take it from UIS again.")
        raise Invalid(Reason("archive-too-large", text, {"file": path.name, "size": size, "files": len(entries)}))
    if not wanted:
        raise unreadable(path.name, "OPRI_DATA_NATIONAL.csv, SDG_DATA_NATIONAL.csv: 0")
    return wanted


def _part(file: "_Counted", member: zipfile.ZipInfo) -> "pyarrow.Table":
    import pyarrow as pa
    import pyarrow.compute as pc

    place = "REGION_ID" if "REGIONAL" in member.filename.upper() else "COUNTRY_ID"
    columns = {"INDICATOR_ID": "string", place: "string", "YEAR": "int16", "VALUE": "float64", "MAGNITUDE": "string", "QUALIFIER": "string"}
    raw = csv_table(file, member.filename, columns, nulls=("", "NA"))
    named = pc.is_in(raw["INDICATOR_ID"], value_set=pa.array([INBOUND, ENROLMENT, *origins()]))
    raw = raw.filter(pc.or_(named, pc.match_substring_regex(raw["INDICATOR_ID"], TERTIARY)))
    # NIL is a true zero, also where the cell is empty.
    value = pc.if_else(pc.equal(raw["MAGNITUDE"], "NIL"), 0.0, raw["VALUE"])
    return shaped(raw.num_rows, series=raw["INDICATOR_ID"], geo=raw[place], year=raw["YEAR"], value=value, qualifier=raw["QUALIFIER"], magnitude=raw["MAGNITUDE"])


def _edition(path: Path) -> str:
    """The month of the release where the path names it, as in `bdds/202509/OPRI.zip`."""
    found = re.search(r"(?<!\d)(20\d\d)(0[1-9]|1[0-2])(?!\d)", str(Path(path.parent.name) / path.name))
    return f"{found[1]}-{found[2]}" if found else ""


class _Counted:
    """A file that tells how much was read, and refuses to give more than the archive promised."""

    def __init__(self, file: IO[bytes], name: str, done: int, total: int, progress: Callable[[int, int], None]) -> None:
        self._file, self._name, self._done, self._total, self._progress = file, name, done, total, progress
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size if size >= 0 else 1 << 20)
        self._done += len(piece)
        if self._done > self._total:
            raise unreadable(self._name, f"> {self._total} bytes")
        self._progress(self._done, self._total)
        return piece

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


LOADER = Loader("uis-bulk-zip", "uis", recognises, read)
