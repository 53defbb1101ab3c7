"""Facts of a publication that no study gives: what gates measured, and what the casebook holds. Pure.

Prose can only name facts, so what it says of how well something is known, or of programmes, must be a fact too.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vsm.observatory.casebook.rules import BANDWIDTHS, CREDITS, GRADES, ORIGINS
from vsm.observatory.estimates.facts import Fact

CASEBOOK = "casebook"
# How a model or case is counted, and by which words.
FACETS = {"origin": ORIGINS, "credit": CREDITS, "bandwidth": BANDWIDTHS}


def of_gates(kind: str, gates: Iterable[Sequence[Any]]) -> list[Fact]:
    """What each gate of a run measured ("gate.outlook.coverage-5"), how many it had and how many were passed."""
    rows = list(gates)
    facts = [
        Fact(key=f"gate.{kind}.{code}", value=figure, unit=_unit(code), design="descriptive", extra={"asked": asked, "passed": passed})
        for code, passed, figure, asked in rows
    ]  # fmt: skip
    counted = {"asked": len(rows), "passed": sum(bool(row[1]) for row in rows)}
    return [*facts, *(Fact(key=f"gates.{kind}.{name}", value=number, unit="count", design="descriptive") for name, number in counted.items())]


def of_casebook(models: Sequence[Mapping[str, Any]], cases: Sequence[Mapping[str, Any]]) -> list[Fact]:
    """How many models and cases there are, of which kind and where, how well their numbers are known, and each number that says
    what it counts ("case.stevens-survey.participants.2020-21").

    `models` have origin, credit and bandwidth; `cases` slug, regions, claims and sources. Where sources disagree, or one gives a
    span, the fact is a range without a middle.
    """
    kinds = [Fact(key=f"models.{name}.{word}", value=sum(model[name] == word for model in models), unit="count", design="descriptive", source=CASEBOOK) for name, words in FACETS.items() for word in words]
    where = Counter(region for case in cases for region in case["regions"])
    graded = Counter(claim["grade"] for case in cases for claim in case["claims"])
    return [
        _count("models", len(models)), _count("cases", len(cases)), _count("claims", graded.total()), *kinds,
        *(Fact(key=f"cases.region.{region}", value=number, unit="count", design="descriptive", geo=region, source=CASEBOOK) for region, number in sorted(where.items())),
        *(_count(f"claims.{grade}", graded[grade]) for grade in GRADES), *(fact for case in cases for fact in _claims(case)),
    ]  # fmt: skip


def works(facts: Iterable[Fact]) -> list[Mapping[str, Any]]:
    """What figures of the casebook were taken from, as CSL-JSON, each once, in order."""
    return list({work["id"]: work for fact in facts for work in fact.extra.get("works", ())}.values())


def _count(key: str, number: int) -> Fact:
    return Fact(key=key, value=number, unit="count", design="descriptive", source=CASEBOOK)


def _claims(case: Mapping[str, Any]) -> list[Fact]:
    """The numbers of a case by what they count and when; without a word for what is counted they cannot be laid beside others."""
    known, found = {source["id"]: source for source in case["sources"]}, dict[str, list[Mapping[str, Any]]]()
    for claim in case["claims"]:
        if claim["about"]:
            when = "-".join(part for part in claim["year"].replace("–", "-").replace("/", "-").split("-") if part)
            found.setdefault(".".join(filter(None, ("case", case["slug"], claim["about"], when))), []).append(claim)
    return [_claim(key, claims, known) for key, claims in found.items()]


def _claim(key: str, claims: Sequence[Mapping[str, Any]], known: Mapping[str, Any]) -> Fact:
    is_share = claims[0]["unit"] == "per-cent"
    ends = sorted(float(end) / (100 if is_share else 1) for claim in claims for end in (claim["value"], claim.get("to")) if end not in (None, ""))
    year, grades = claims[0]["year"][:4], sorted({claim["grade"] for claim in claims})
    return Fact(
        key=key, value=ends[0] if ends[0] == ends[-1] else None, low=None if ends[0] == ends[-1] else ends[0], high=None if ends[0] == ends[-1] else ends[-1],
        unit="share" if is_share else "students" if claims[0]["about"] in PEOPLE else "count", design="descriptive", year=int(year) if year.isdigit() else None, source=CASEBOOK,
        note=", ".join(grades), extra={"works": [known[claim["source"]] for claim in claims if claim["source"] in known]},
    )  # fmt: skip


PEOPLE = ("participants", "women", "men", "first-generation", "completed", "recognised")


def _unit(code: str) -> str:
    """Gates measure shares, errors of logarithms, or how many there are."""
    if code.startswith("coverage-") or code in {"told-share", "zeros-kept", "lower-bound-holds"}:
        return "share"
    return "log-points" if code == "better-than-naive" or code.startswith("misfit-") or code == "placebo-covers-zero" else "count"
