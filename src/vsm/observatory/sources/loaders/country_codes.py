"""Where the UN puts each country: the public-domain table country-codes (datasets/country-codes, ODC-PDDL 1.0), a row for each.

Series `un.region`, `un.subregion` and `un.intermediate` tell the M49 number of the region; `un.ldc`, `un.lldc` and `un.sids` are 1
for each member of the group. Year 0 is "as the list has it today". A row without an alpha-3 code is counted and not taken.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.geography import Country, countries
from vsm.observatory.sources.checks import Check, each_cell_once
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import header_of, shaped, unreadable

ALPHA3 = "ISO3166-1-Alpha-3"
# What `Country` knows → its column.
CODES = {"m49": "M49", "region": "Region Code", "subregion": "Sub-region Code", "intermediate": "Intermediate Region Code"}
GROUPS = {"LDC": "Least Developed Countries (LDC)", "LLDC": "Land Locked Developing Countries (LLDC)", "SIDS": "Small Island Developing States (SIDS)"}
COLUMNS = {ALPHA3, *CODES.values(), *GROUPS.values()}
MEMBER = "x"
MOST_NAMED = 5  # countries that differ from what ships, by their codes


def recognises(path: Path, head: bytes) -> bool:
    return path.suffix.lower() == ".csv" and set(header_of(head)) >= COLUMNS


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    import pyarrow as pa

    rows = list(_rows(path))
    coded: dict[str, tuple[int, dict[str, str]]] = {}  # by alpha-3: the line and its cells
    wrong: list[Reason] = []
    for line, row in rows:
        wrong += _faults(line, row, coded)
        if row.get(ALPHA3):
            coded.setdefault(row[ALPHA3], (line, row))
    empty = [column for column in GROUPS.values() if not any(row.get(column) for _line, row in coded.values())]
    text = N_("No country has an x under “%(column)s”: the column is lost. Take the table from its publisher again.")
    Invalid.because(wrong or (Reason("group-empty", text, {"column": column}) for column in empty))
    found = {geo: _country(geo, row) for geo, (_line, row) in coded.items()}
    cells = [(name, geo, value) for geo, country in found.items() for name, value in _cells(country)]
    series, geo, value = (pa.array(column) for column in zip(*cells, strict=True))
    table = shaped(len(cells), series=series, geo=geo, year=0, value=value)
    progress(len(rows), len(rows))
    return Taken(table, (each_cell_once(table), _as_it_ships(found, len(rows) - len(found))))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of the file, each with its number and what stands in the columns that are read: nothing of a line that has more
    or fewer cells than the header."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            header = [name.strip() for name in next(lines, [])]
            if any(header.count(column) != 1 for column in COLUMNS):
                raise unreadable(path.name, ", ".join(sorted(column for column in COLUMNS if header.count(column) != 1)))
            for cells in filter(None, lines):
                named = dict(zip(header, cells, strict=False))
                yield lines.line_num, {column: named[column].strip() for column in COLUMNS} if len(cells) == len(header) else {}
    except (UnicodeDecodeError, csv.Error) as cause:
        raise unreadable(path.name, str(cause)) from cause


def _faults(line: int, row: Mapping[str, str], before: Mapping[str, tuple[int, object]]) -> Iterator[Reason]:
    if not row:
        yield Reason("line-columns", N_("Line %(line)s has more or fewer cells than the header."), {"line": line})
        return
    geo = row[ALPHA3]
    if not geo:
        return
    if geo not in countries():
        yield Reason("line-place", N_("Line %(line)s: “%(value)s” is no country (three letters, ISO 3166-1)."), {"line": line, "value": geo[:40]})
    if geo in before:
        yield Reason("line-twice", N_("Line %(line)s: %(geo)s stands already in line %(first)s."), {"line": line, "geo": geo[:40], "first": before[geo][0]})
    for column in CODES.values():
        if row[column] and not (row[column].isascii() and row[column].isdigit() and len(row[column]) <= 3):
            text = N_("Line %(line)s: “%(value)s” under “%(column)s” is no number of M49 (at most three digits).")
            yield Reason("line-code", text, {"line": line, "value": row[column][:40], "column": column})
    for column in GROUPS.values():
        if row[column] not in {"", MEMBER}:
            text = N_("Line %(line)s: “%(value)s” under “%(column)s” is neither x nor empty.")
            yield Reason("line-flag", text, {"line": line, "value": row[column][:40], "column": column})


def _country(geo: str, row: Mapping[str, str]) -> Country:
    """A country as the file has it, written as ours are: publishers drop the zeros in front of "004"."""
    codes = {name: row[column].zfill(3) if row[column] else "" for name, column in CODES.items()}
    return replace(countries()[geo], groups=frozenset(group for group, column in GROUPS.items() if row[column]), **codes)


def _cells(country: Country) -> Iterator[tuple[str, float]]:
    for name in ("region", "subregion", "intermediate"):
        if code := getattr(country, name):
            yield f"un.{name}", float(code)
    for group in sorted(country.groups):
        yield f"un.{group.lower()}", 1.0


def _as_it_ships(found: Mapping[str, Country], uncoded: int) -> Check:
    """Whose codes or groups are others here than in this program: worth knowing, for the UN moves countries, and no fault."""
    differ = [geo for geo, country in countries().items() if found.get(geo) != country]
    return Check("as-it-ships", {"countries": len(found), "uncoded": uncoded, "differ": len(differ), "first": differ[:MOST_NAMED]})


LOADER = Loader("country-codes-csv", "country-codes", recognises, read)
