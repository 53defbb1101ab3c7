"""Which countries the World Bank puts into which class: its list of countries (JSON of `v2/country?format=json&per_page=400`), or
the classes as Our World in Data gives them (`Entity,Year,` and a class). Series `wb.income` and `wb.region`; the value is the
number of the class in `geography/regions.yaml`; year 0 is "as the list has it today".
"""

import csv
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path

from vsm.kit.folding import fold
from vsm.observatory.geography import groupings, sets
from vsm.observatory.sources.checks import each_cell_once
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import shaped, unreadable

INCOME, REGION = "wb.income", "wb.region"
# Series → the grouping of its classes, and what the bank's list calls it.
SERIES: Mapping[str, tuple[str, str]] = {INCOME: ("income", "income"), REGION: ("bank", "region")}
UNCLASSED = ("inx", "not classified")  # the bank has no class for it


def recognises(path: Path, head: bytes) -> bool:
    if path.suffix.lower() == ".csv":
        return _series_of(head) is not None
    return head.lstrip().startswith(b"[") and b'"per_page"' in head and b'"incomeLevel"' in head


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    import pyarrow as pa

    with path.open("rb") as file:
        only = _series_of(file.read(4096)) if path.suffix.lower() == ".csv" else None
    rows = []
    for series in (only,) if only else SERIES:
        grouping, by = SERIES[series]
        numbers = {_plain(word): region.class_ for region in groupings()[grouping].values() for word in (region.bank_id, region.name["en"])}
        numbers |= dict.fromkeys(UNCLASSED, 0)
        found = sets.read(path, by=by).memberships
        unknown = sorted({each.region for each in found if _plain(each.region) not in numbers})
        if unknown:
            raise unreadable(path.name, ", ".join(unknown)[:200])
        undated = _year_of(path) if only else 0
        rows += [(series, each.geo, each.since or undated, float(number)) for each in found if (number := numbers[_plain(each.region)])]
    columns = zip(zip(*rows, strict=True), (pa.string(), pa.string(), pa.int16(), pa.float64()), strict=True)
    series_, geo, year, value = (pa.array(column, kind) for column, kind in columns)
    table = shaped(len(rows), series=series_, geo=geo, year=year, value=value)
    progress(table.num_rows, table.num_rows)
    return Taken(table, (each_cell_once(table),))


def _year_of(path: Path) -> int:
    """The year of a list that tells one year alone, which `sets` takes to hold for ever."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next((int(row[1]) for row in itertools.islice(csv.reader(file), 1, None) if len(row) > 1 and row[1].isdigit()), 0)


def _plain(word: str) -> str:
    return fold(word).replace("-", " ").replace("&", "and")


def _series_of(head: bytes) -> str | None:
    """What a list of classes is about, told by its third column."""
    line = head.decode("utf-8-sig", "replace").splitlines()[0].lower() if head else ""
    if not line.startswith("entity,year,") or ("world bank" not in line and "income" not in line):
        return None
    return INCOME if "income" in line else REGION


LOADER = Loader("worldbank-classes", "worldbank", recognises, read)
