"""The wide daily tables of OxCGRT's legacy release: a row for each country, a column for each day ("01Jan2020").

C8 (international travel) is 0 to 4, C1 (school closing) 0 to 3, the indices 0 to 100. The file says in its name which one
it is. Trap: from November 2021 on C8 = 4 can mean that only the unvaccinated were shut out (the United States become 4 on
the day they reopened), so doses are taken up to October 2021. Source: OxCGRT codebook; Hale et al. (2021).
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.sources.checks import Check, each_cell_once
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import unreadable
from vsm.observatory.sources.observations import schema

if TYPE_CHECKING:
    import pyarrow

# What a file name begins with → series, least and greatest value.
TABLES = {"c8_": ("C8", 0, 4), "c1_": ("C1", 0, 3), "stringency_index": ("SI", 0, 100)}


def recognises(path: Path, head: bytes) -> bool:
    return b'"country_code","country_name","01Jan2020"' in head[:200] or b"country_code,country_name,01Jan2020" in head[:200]


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    import pyarrow as pa
    from pyarrow import csv

    found = next((facts for begins, facts in TABLES.items() if path.name.lower().startswith(begins)), None)
    if found is None:
        text = N_("%(file)s is a table of OxCGRT, but its name does not say which one. Give it the publisher's name, for example c8_internationaltravel.csv.")
        raise Invalid(Reason("oxcgrt-unnamed", text, {"file": path.name}))
    parts: list[pyarrow.Table] = []
    try:
        raw = csv.read_csv(path, convert_options=csv.ConvertOptions(null_values=["", "NA"]))
        days = {name: day for name in raw.column_names if (day := _day(name))}
        codes = raw["country_code"].to_pylist()
        for number, (name, day) in enumerate(days.items(), start=1):
            parts.append(_cells(found[0], codes, day, raw[name].cast(pa.float64())))
            progress(number, len(days))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as cause:  # cut short, or a word where a number stands
        raise unreadable(path.name, str(cause)) from cause
    table = pa.concat_tables(parts)
    return Taken(table, (each_cell_once(table), *_checks(table, found)), edition="legacy 2022-07")


def _cells(series: str, codes: list[str], day: date, values: Any) -> "pyarrow.Table":
    import pyarrow as pa

    count = len(codes)
    columns = {
        "series": [series] * count, "geo": codes, "geo2": [""] * count, "year": [day.year] * count, "day": [day] * count, "value": values,
        "qualifier": [""] * count, "magnitude": [""] * count,
    }  # fmt: skip
    return pa.table(columns, schema=schema())


def _day(name: str) -> date | None:
    try:
        return datetime.strptime(name, "%d%b%Y").date()  # noqa: DTZ007 -- a day has no zone
    except ValueError:
        return None


def _checks(table: "pyarrow.Table", facts: tuple[str, int, int]) -> Iterator[Check]:
    import pyarrow.compute as pc

    series, low, high = facts
    span = pc.min_max(table["value"]).as_py()
    told = {"series": series, "least": span["min"], "greatest": span["max"]}
    outside = span["min"] is None or span["min"] < low or span["max"] > high
    text = N_("%(series)s runs from %(low)s to %(high)s, this file from %(least)s to %(greatest)s: it is another table, or damaged.")
    yield Check("values-in-range", told, Reason("values-out-of-range", text, {**told, "low": low, "high": high}) if outside else None)


LOADER = Loader("oxcgrt-csv", "oxcgrt", recognises, read)
