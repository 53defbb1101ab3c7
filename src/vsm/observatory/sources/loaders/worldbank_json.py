"""What the World Bank's API answers (JSON): a list of two, `[{page, pages, …, lastupdated}, [{indicator, country, countryiso3code,
date, value}, …]]`.

A page of several is refused: half a series looks like a series. Null is missing. What is no country gets its name with "WB: "
before it, as in the bank's own files. Source: datahelpdesk.worldbank.org, Basic call structures.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.geography import countries
from vsm.observatory.sources.checks import each_cell_once
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import shaped, unreadable
from vsm.observatory.sources.loaders.uis_json import answer
from vsm.observatory.sources.loaders.worldbank import KOSOVO


def recognises(path: Path, head: bytes) -> bool:
    return head.lstrip().startswith(b"[") and b'"per_page"' in head and b'"countryiso3code"' in head


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    import pyarrow as pa

    told = answer(path)
    try:
        facts, rows = told
        pages = int(facts["pages"])
        cells = [(row["indicator"]["id"], _geo(row), int(row["date"]), row["value"]) for row in rows]
    except (ValueError, TypeError, KeyError) as cause:
        message = told[0].get("message") if isinstance(told, list) and told and isinstance(told[0], dict) else None
        raise unreadable(path.name, str(message or cause)) from cause
    if pages != 1:
        text = N_("%(file)s is page %(page)s of %(pages)s. Ask for all at once, with per_page=20000 in the address, or load the bank's CSV.")
        raise Invalid(Reason("one-page-of-many", text, {"file": path.name, "page": facts.get("page"), "pages": pages}))
    if not cells:
        raise unreadable(path.name, "0")
    try:
        series, geo, year, value = (pa.array(column, kind) for column, kind in zip(zip(*cells, strict=True), (pa.string(), pa.string(), pa.int16(), pa.float64()), strict=True))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as cause:
        raise unreadable(path.name, str(cause)) from cause
    table = shaped(len(cells), series=series, geo=geo, year=year, value=value)
    progress(table.num_rows, table.num_rows)
    updated = str(facts.get("lastupdated") or "")
    return Taken(table, (each_cell_once(table),), edition=updated, published_on=_day(updated))


def _geo(row: dict[str, Any]) -> str:
    code = str(row["countryiso3code"])
    return code if code in countries() or code == KOSOVO else f"WB: {row['country']['value']}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


LOADER = Loader("worldbank-json", "worldbank", recognises, read)
