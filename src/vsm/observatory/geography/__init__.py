"""Countries and the regions that publishers add them up to. Pure.

`countries.csv` holds codes alone: ISO 3166-1, the M49 regions of the UN Statistics Division and its groups (least
developed, landlocked, small islands), from the public-domain table country-codes (datasets/country-codes, ODC-PDDL 1.0).
Names of countries come from the Unicode CLDR.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from vsm.kit.localized import LANGUAGES, text_in
from vsm.kit.names import country_name
from vsm.rulebook.reading import parse


@dataclass(frozen=True)
class Country:
    """A country or area. `region`, `subregion`, `intermediate` are M49 codes (three digits; empty where there is none);
    `groups` of LDC, LLDC, SIDS."""

    iso3: str
    iso2: str
    m49: str
    region: str
    subregion: str
    intermediate: str
    groups: frozenset[str]


@dataclass(frozen=True)
class Region:
    """A set of countries. `level` 1 of the SDG regions make the world without overlap; 2 and 3 are parts of these, and -1 is
    of another grouping. `of` are the regions whose published totals make it; `class_` the value of `series` by which a list
    that is loaded tells its members; `bank_id` what the World Bank's own list calls it."""

    code: str
    level: int
    m49: tuple[str, ...]
    name: Mapping[str, str]
    of: tuple[str, ...] = ()
    class_: int = 0
    bank_id: str = ""
    series: str = ""

    @property
    def published(self) -> str:
        """The name as UIS writes it: "SDG: Sub-Saharan Africa"."""
        return f"SDG: {self.name['en']}"

    def holds(self, country: Country) -> bool:
        return "*" in self.m49 or bool({country.region, country.subregion, country.intermediate, *country.groups} & set(self.m49))


@cache
def countries() -> Mapping[str, Country]:
    """All countries by ISO 3166-1 alpha-3 code, in its order."""
    lines = files(__package__).joinpath("countries.csv").read_text("ascii").splitlines()
    return {
        row["iso3"]: Country(**{**row, "groups": frozenset(filter(None, row["groups"].split("|")))})  # type: ignore[arg-type]  # -- read from a file
        for row in csv.DictReader(lines)
    }


@cache
def regions() -> Mapping[str, Region]:
    """All SDG regions by code, the world first. Raises ValueError when the file is wrong."""
    return _told()["sdg"]


@cache
def groupings() -> Mapping[str, Mapping[str, Region]]:
    """The ways in which the world can be told apart, each with its regions by code: `sdg` the seven, `parts` the finest that
    publishers total, `m49` the continents, `un` groups that overlap, `income` and `bank` classes of the World Bank."""
    whole = {code: region for code, region in regions().items() if region.level == 1}
    unparted = {code: region for code, region in whole.items() if not _is_parted(code)}
    parts = {code: region for code, region in regions().items() if region.level == 2 and not any(members(code) <= members(each) for each in unparted)}
    parts |= unparted
    return {"sdg": whole, "parts": parts, **{name: found for name, found in _told().items() if name != "sdg"}}


def _is_parted(code: str) -> bool:
    """Whether publishers total parts of a region that make it."""
    inside = [members(each) for each, region in regions().items() if region.level == 2 and members(each) < members(code)]
    return bool(inside) and frozenset.union(*inside) == members(code)


@cache
def _told() -> dict[str, dict[str, Region]]:
    told = parse(files(__package__).joinpath("regions.yaml").read_text("utf-8"))
    found = {
        name: {
            entry["code"]: Region(
                entry["code"], int(entry.get("level", -1)), tuple(entry.get("m49", ())), entry["name"], tuple(entry.get("of", ())), int(entry.get("class", 0)), entry.get("id", ""),
                entry.get("series", ""),
            )
            for entry in entries
        }
        for name, entries in told.items()
    }  # fmt: skip
    if any(set(region.name) != set(LANGUAGES) for regions_ in found.values() for region in regions_.values()):
        raise ValueError("regions.yaml: every name must stand in all four languages")
    return found


@cache
def members(region: str) -> frozenset[str]:
    """The countries (alpha-3) of a region by its code; KeyError when there is none. Empty for a class of the World Bank:
    who is in it comes with the list of the day."""
    return frozenset(code for code, country in countries().items() if _places()[region].holds(country))


@cache
def _places() -> Mapping[str, Region]:
    """The regions of every grouping."""
    return {code: region for found in _told().values() for code, region in found.items()}


def published_as(name: str) -> Region | None:
    """The region that a publisher's name stands for: "SDG: Oceania"."""
    return next((region for region in regions().values() if region.published == name), None)


def name_of(geo: str, language: str) -> str:
    """A country's (alpha-3), a region's (code or published name) name in a language; what is unknown as it is."""
    country = countries().get(geo)
    if country:
        return country_name(country.iso2, language)
    region = _places().get(geo) or published_as(geo)
    return text_in(region.name, language) if region else geo


def aggregate(values: Mapping[str, float], region: str, expected: Iterable[str] = ()) -> tuple[float, float]:
    """The sum over a region's countries that have a value, and the share of the `expected` ones (default: all of the
    region) that do: a sum without its coverage is no figure."""
    asked = frozenset(expected) & members(region) or members(region)
    there = asked & set(values)
    return sum(values[code] for code in sorted(there)), len(there) / len(asked)
