"""Sets of regions: those of the Sustainable Development Goals, and any grouping of countries that a user makes. Pure.

A file of one's own is YAML

    name: Andean Community
    regions:
      andes: {name: Andean countries, countries: [BOL, COL, ECU, PER]}
      others: [CHL, {geo: VEN, since: 1973, until: 2005}]

or CSV with the columns `region,geo` and, where membership has changed, `since,until` (years, both counted in). A country may
stand in several regions. Every fault is told at once. Two layouts of others are read as well: the World Bank's list of
countries (`api.worldbank.org/v2/country?format=json&per_page=400`), by income or by region, and the lists of classes that
Our World in Data gives (`Entity,Year,` and a class), each year as it was.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from vsm.kit.errors import Invalid
from vsm.kit.folding import fold
from vsm.kit.i18n import N_
from vsm.kit.names import country_name
from vsm.kit.verdict import Reason
from vsm.observatory.geography import countries, members, regions
from vsm.rulebook.reading import parse

EVER = (0, 9999)
COLUMNS, MORE = ("region", "geo"), ("since", "until")
MOST_BYTES = 1 << 20
CODE = re.compile(r"[\w .()&’'-]{1,80}")


@dataclass(frozen=True, order=True)
class Membership:
    """`geo` (alpha-3) belongs to `region` from the year `since` to the year `until`."""

    region: str
    geo: str
    since: int = EVER[0]
    until: int = EVER[1]


@dataclass(frozen=True)
class RegionSet:
    """A grouping of countries. `names` gives the title of a region where it has one besides its code."""

    name: str
    memberships: tuple[Membership, ...]
    names: Mapping[str, str]

    @property
    def codes(self) -> list[str]:
        return list(dict.fromkeys(each.region for each in self.memberships))

    def members(self, region: str, year: int | None = None) -> frozenset[str]:
        """The countries of a region, ever or in a year; empty where there is no such region."""
        return frozenset(each.geo for each in self.memberships if each.region == region and (year is None or each.since <= year <= each.until))


def sdg(level: int = 1) -> RegionSet:
    """The regions of the Sustainable Development Goals of a level (1: the seven that make the world; 0: the world)."""
    chosen = [region for region in regions().values() if region.level == level]
    pairs = tuple(Membership(region.code, geo) for region in chosen for geo in sorted(members(region.code)))
    return RegionSet(f"SDG {level}", pairs, {region.code: region.name["en"] for region in chosen})


def of(groups: "RegionSet | Mapping[str, Iterable[str]] | Iterable[str]") -> RegionSet:
    """Any way of naming countries as a set: region → countries, or some countries alone, whose region has an empty code."""
    if isinstance(groups, RegionSet):
        return groups
    named = groups if isinstance(groups, Mapping) else {"": groups}
    return RegionSet("", tuple(Membership(region, geo) for region, inside in named.items() for geo in sorted(set(inside))), {})


def read(path: Path, *, by: str = "income") -> RegionSet:
    """A set from a YAML, CSV or JSON file; of the World Bank's list `by` income or by region. Raises `Invalid` with every
    fault: no such country, a region without countries, …"""
    if path.stat().st_size > MOST_BYTES:
        raise Invalid(Reason("regions-too-large", N_("%(file)s is larger than any grouping of countries."), {"file": path.name}))
    try:
        text = path.read_text("utf-8-sig")
        if path.suffix.lower() == ".json":
            name, found, names = _from_world_bank(json.loads(text), by)
        elif path.suffix.lower() == ".csv":
            name, found, names = _from_classes(path.stem, text) if text.startswith("Entity,Year,") else _from_csv(path.stem, text)
        else:
            name, found, names = _from_yaml(path.stem, text)
    except (UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as cause:
        told = N_("%(file)s is no grouping of countries: %(cause)s. Write region,geo lines (CSV), or name and regions (YAML) with lists of three-letter codes.")
        raise Invalid(Reason("regions-unreadable", told, {"file": path.name, "cause": str(cause)[:200]})) from cause
    Invalid.because(_faults(found))
    return RegionSet(name, tuple(found), names)


def _from_csv(stem: str, text: str) -> tuple[str, list[Membership], dict[str, str]]:
    reader = csv.DictReader(text.splitlines())
    header = tuple(reader.fieldnames or ())
    if not set(COLUMNS) <= set(header) <= {*COLUMNS, *MORE}:
        raise ValueError(", ".join(header)[:100])
    return stem, [_membership(row["region"], row) for row in reader], {}


def _from_yaml(stem: str, text: str) -> tuple[str, list[Membership], dict[str, str]]:
    told = parse(text)
    found: list[Membership] = []
    names: dict[str, str] = {}
    for code, entry in told["regions"].items():
        inside = entry["countries"] if isinstance(entry, Mapping) else entry
        if isinstance(entry, Mapping) and entry.get("name"):
            names[code] = str(entry["name"])
        if not isinstance(inside, list):
            raise TypeError(f"{code}: {inside}")
        found += [_membership(code, each if isinstance(each, Mapping) else {"geo": each}) for each in inside] or [Membership(code, "")]
    return str(told.get("name") or stem), found, names


def _from_world_bank(told: Any, by: str) -> tuple[str, list[Membership], dict[str, str]]:
    facts, rows = told
    if int(facts["pages"]) != 1:
        raise ValueError(f"page {facts['page']} / {facts['pages']}: per_page=400")
    key = {"income": "incomeLevel", "region": "region"}[by]
    # What is no country ("Arab World") has the region NA; what is no country of ISO 3166-1 has no place here.
    chosen = [row for row in rows if row["region"]["id"] != "NA" and row["id"] in countries()]
    found = sorted(Membership(row[key]["id"], row["id"]) for row in chosen)
    return f"World Bank, {by}", found, {row[key]["id"]: row[key]["value"].strip() for row in chosen}


# Names that Our World in Data writes otherwise than the CLDR does; and places without a code of ISO 3166-1.
ALIASES = {
    "congo": "COG", "democratic republic of congo": "COD", "cote d'ivoire": "CIV", "czech republic": "CZE", "faeroe islands": "FRO", "hong kong": "HKG", "macao": "MAC",
    "saint vincent and the grenadines": "VCT", "macedonia": "MKD", "myanmar": "MMR", "palestine": "PSE", "saint martin (french part)": "MAF", "sint maarten (dutch part)": "SXM", "swaziland": "SWZ", "timor": "TLS",
    "turkey": "TUR", "united states virgin islands": "VIR",
}  # fmt: skip
WITHOUT_CODE = {"channel islands", "kosovo", "world"}


def _from_classes(stem: str, text: str) -> tuple[str, list[Membership], dict[str, str]]:
    reader = csv.reader(text.splitlines())
    head = next(reader)
    rows = [row for row in reader if row and fold(row[0]) not in WITHOUT_CODE and row[2].strip()]
    if len(head) != 3 or not rows:
        raise ValueError(", ".join(head)[:100])
    always = len({row[1] for row in rows}) == 1
    return stem, sorted(Membership(row[2].strip(), _code_of(row[0]), *(EVER if always else (int(row[1]), int(row[1])))) for row in rows), {}


def _code_of(name: str) -> str:
    """The country of an English name; the name itself where it is none, which then is a fault."""
    plain = fold(name)
    return ALIASES.get(plain) or _names().get(plain.replace(" and ", " & ").replace("saint ", "st. "), name)


@cache
def _names() -> Mapping[str, str]:
    told = {each.iso3: fold(country_name(each.iso2, "en")) for each in countries().values()}
    return {name.replace(" and ", " & ").replace("saint ", "st. "): code for code, name in told.items()}


def _membership(region: Any, told: Mapping[str, Any]) -> Membership:
    since, until = (int(told.get(name) or default) for name, default in zip(MORE, EVER, strict=True))
    return Membership(str(region or "").strip(), str(told["geo"] or "").strip(), since, until)


def _faults(found: Iterable[Membership]) -> Iterator[Reason]:
    seen: set[tuple[str, str, int]] = set()
    some = False
    for each in found:
        some = True
        facts = {"region": each.region[:80], "geo": each.geo[:40]}
        if not CODE.fullmatch(each.region):
            yield Reason("region-unnamed", N_("“%(region)s” is no name of a region: letters, digits and spaces, at most 80."), facts)
        if each.geo not in countries():
            yield Reason("region-country", N_("%(region)s: “%(geo)s” is no country (three letters, ISO 3166-1)."), facts)
        if each.since > each.until:
            yield Reason("region-years", N_("%(region)s: %(geo)s leaves before it joins."), facts)
        if (each.region, each.geo, each.since) in seen:
            yield Reason("region-twice", N_("%(region)s: %(geo)s stands twice."), facts)
        seen.add((each.region, each.geo, each.since))
    if not some:
        yield Reason("regions-none", N_("The file names no region."), {})
