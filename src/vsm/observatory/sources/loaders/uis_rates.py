"""Rates of tertiary education by country out of the SDG release of UIS, as others keep them (`geo,year,ind,v`; `ind` as
`ger_5t8_f`): gross enrolment of women and men, gross attendance by fifth of households and by place.

They get back the codes of UIS (`GER.5T8.F`), so that they are the same series as from SDG.zip. A file with any other indicator
is not of this layout.
"""

import re
from collections.abc import Callable
from pathlib import Path

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.geography import countries
from vsm.observatory.sources.checks import Check, each_cell_once
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import csv_table, mapped, named, shaped

KNOWN = re.compile(r"g[ae]r_5t8(_(f|m|gpia|rur|urb|q[1-5]))?")


def recognises(path: Path, head: bytes) -> bool:
    return named(path, head, ".csv", ("geo", "year", "ind", "v"))


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    raw = csv_table(path, path.name, {"geo": "string", "year": "int16", "ind": "string", "v": "float64"})
    progress(raw.num_rows, raw.num_rows)
    codes = sorted(set(raw["ind"].to_pylist()))
    strange = [code for code in codes if not KNOWN.fullmatch(code)]
    if strange:
        raise Invalid(Reason("indicators-unknown", N_("%(file)s has indicators that are no rates of tertiary education: %(codes)s."), {"file": path.name, "codes": ", ".join(strange[:10])}))
    series = mapped(raw["ind"], {code: code.upper().replace("_", ".") for code in codes})
    places = sorted(set(raw["geo"].to_pylist()) - set(countries()))
    text = N_("These are no countries of ISO 3166-1 with three letters: %(geo)s.")
    check = Check("countries", {"strange": places}, Reason("places-unknown", text, {"geo": ", ".join(places[:10])}) if places else None)
    table = shaped(raw.num_rows, series=series, geo=raw["geo"], year=raw["year"], value=raw["v"])
    return Taken(table, (each_cell_once(table), check))


LOADER = Loader("uis-rates-csv", "uis", recognises, read)
