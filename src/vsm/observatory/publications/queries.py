"""What doors read of publications: editions, what changed since the last, citations, the bundle of figures."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from vsm.config import settings
from vsm.kit.localized import text_in
from vsm.kit.resources import Resource, Shown, resource
from vsm.observatory.casebook.models import Case, VsmModel
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.estimates.models import EstimateRun
from vsm.observatory.publications.around import CASEBOOK, of_casebook
from vsm.observatory.publications.briefs import briefs
from vsm.observatory.publications.edition import Change, as_csv, changes
from vsm.observatory.publications.models import Publication
from vsm.observatory.publications.prose import filled
from vsm.observatory.sources.models import Release
from vsm.observatory.sources.queries import break_told, breaks_followed, title_of
from vsm.observatory.sources.registry import sources

KIND_LABELS: Mapping[str, Any] = {"brief": _("Brief"), "report": _("Report")}


def brief_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(slug, title_of_brief(slug, get_language() or "en")) for slug in briefs()]


def title_of_brief(slug: str, language: str) -> str:
    """Its title before it is published; titles name no figures."""
    return filled(text_in(briefs()[slug].title, language), {}, language)


def newest() -> list[Publication]:
    """The newest edition of each publication."""
    found: dict[str, Publication] = {}
    for publication in Publication.objects.order_by("slug", "-number"):
        found.setdefault(publication.slug, publication)
    return sorted(found.values(), key=lambda each: each.published_at, reverse=True)


def before(publication: Publication) -> Publication | None:
    """The edition before it; None for the first."""
    found: Publication | None = Publication.objects.filter(slug=publication.slug, number=publication.number - 1).first()
    return found


def changed_since_last(publication: Publication) -> list[Change]:
    """Figures that differ from the edition before; empty for a first one."""
    last = before(publication)
    return changes(facts_in(last), facts_in(publication)) if last else []


def vintages_since_last(publication: Publication) -> list[tuple[str, str, str]]:
    """Sources of which this edition began from another release: source, then, now ("" where there was or is none)."""
    last = before(publication)
    pairs = [{each["source"]: each for each in edition.vintages} for edition in (last, publication)] if last else [{}, {}]
    then, now = pairs
    apart = [slug for slug in sorted(set(then) | set(now)) if then.get(slug, {}).get("sha256") != now.get(slug, {}).get("sha256")]
    return [(slug, vintage_name(then.get(slug)), vintage_name(now.get(slug))) for slug in apart]


def vintage_name(vintage: Mapping[str, Any] | None) -> str:
    """An edition as its publisher calls it, with the day on which it was taken in, as the reader's language writes days."""
    if not vintage:
        return ""
    return ", ".join(filter(None, (edition_of(vintage), date_format(date.fromisoformat(vintage["taken"]), "DATE_FORMAT"))))


def edition_of(vintage: Mapping[str, Any]) -> str:
    """The publisher's name of an edition; empty where that is but the day on which it was taken in."""
    return "" if vintage["edition"] == vintage["taken"] else str(vintage["edition"])


def credit(vintages: Iterable[Mapping[str, Any]], facts: Iterable[Fact]) -> str:
    """Who published what a picture shows, in which edition, and which breaks were decided behind it. Totals that ship are a
    copy: they are named where no release of the source itself was loaded."""
    shown, there = list(facts), list(vintages)
    named = {fact.source for fact in shown}
    if named == {CASEBOOK}:
        return title_of(CASEBOOK)
    if "uis" in named and not any(each["source"] == "uis" for each in there):
        named |= {"facts"}
    told = "; ".join(f"{title_of(each['source'])}, {vintage_name(each)}" for each in [each for each in there if each["source"] in named] or there)
    decided = [break_told(*each) for each in breaks_followed(name for fact in shown for name in fact.extra.get("breaks", ()))]
    return f"{told}. {gettext('Breaks in the series behind it:')} {'; '.join(decided)}" if decided else told


def vintages_of(runs: Iterable[EstimateRun]) -> list[dict[str, Any]]:
    """The releases that runs began from, each once, as they are kept with an edition."""
    wanted = {release for run in runs for release in run.inputs.values()}
    return [
        {"source": release.source, "edition": release.edition or release.file_name, "taken": release.retrieved_at.date().isoformat(), "sha256": release.sha256, "release": str(release.pk)}
        for release in Release.objects.filter(pk__in=wanted).order_by("source") if release.source in sources()
    ]  # fmt: skip


def facts_in(publication: Publication) -> dict[str, Fact]:
    return {key: Fact.from_json(kept) for key, kept in publication.facts.items()}


def cases_named(slugs: Iterable[str]) -> dict[str, Case]:
    """Published cases of the casebook by slug: those that a recommendation points to and that are there to read."""
    return {case.slug: case for case in Case.objects.filter(slug__in=set(slugs), state="published")}


def casebook_facts() -> list[Fact]:
    """What the published part of the casebook holds, as facts."""
    models = VsmModel.objects.filter(state="published").values("origin", "credit", "bandwidth")
    cases = Case.objects.filter(state="published")
    regional = [{"slug": case.slug, "regions": case.facet_words()["region"], "claims": case.claims, "sources": case.sources} for case in cases]
    return of_casebook(list(models), regional)


def advice_in(publication: Publication, language: str) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Recommendations by audience as an edition kept them; the oldest editions kept sentences alone."""
    kept = (publication.content.get(language) or publication.content["en"])["advice"]
    return [(audience, [{"do": one, "because": "", "unknown": "", "facts": [], "cases": []} if isinstance(one, str) else one for one in items]) for audience, items in kept]


def subjects(language: str) -> list[tuple[str, str, str]]:
    """What an online event may be about: name, title and address of each brief; no address before it is published, so that
    an event can announce it."""
    there = set(Publication.objects.values_list("slug", flat=True))
    return [(f"brief:{slug}", title_of_brief(slug, language), f"/observatory/briefs/{slug}/" if slug in there else "") for slug in briefs()]


def reference(csl: Mapping[str, Any]) -> str:
    """A work of the list of references, in one line."""
    parts = csl.get("issued", {}).get("date-parts", [[]])[0]
    when = "-".join(f"{int(part):02d}" for part in parts)
    return ". ".join(filter(None, (csl.get("publisher", ""), when, csl.get("title", ""), csl.get("URL", ""))))


def permalink(publication: Publication) -> str:
    """The permanent address of an edition; its path alone where this installation was given no address."""
    return f"{settings().address}/observatory/briefs/{publication.slug}/{publication.digest}/"


def cited(publication: Publication, url: str, language: str) -> str:
    """How to cite it, in one line."""
    return f"OpenVSM Observatory ({publication.published_at.year}). {text_in(publication.title, language)}. {gettext('Edition')} {publication.number}. {url}"


def citation(publication: Publication, url: str, language: str) -> dict[str, str]:
    """As CSL-JSON and as BibTeX: whoever cites names an edition that never changes."""
    title, year = text_in(publication.title, language), publication.published_at.year
    csl = {
        "id": f"openvsm-{publication.slug}-{publication.number}", "type": "report", "title": title, "author": [{"literal": "OpenVSM Observatory"}], "publisher": "OpenVSM Observatory", "genre": publication.kind,
        "issued": {"date-parts": [[year, publication.published_at.month, publication.published_at.day]]}, "URL": url, "language": language,
        "version": str(publication.number),
    }  # fmt: skip
    escaped = "".join(f"\\{char}" if char in "&%$#_" else char for char in title if char not in "{}\\")
    bibtex = f"@techreport{{openvsm-{publication.slug}-{publication.number},\n  author = {{{{OpenVSM Observatory}}}},\n  title = {{{{{escaped}}}}},\n  institution = {{OpenVSM Observatory}},\n  number = {{{publication.number}}},\n  year = {{{year}}},\n  url = {{{url}}}\n}}\n"
    return {"csl": json.dumps([csl], ensure_ascii=False, indent=1), "bibtex": bibtex}


def bundle(publication: Publication, url: str) -> bytes:
    """A ZIP (Frictionless data package): the figures, one file for each picture, the recommendations with the figures that
    they rest on, what changed, how to cite, and the licence of each source."""
    facts = facts_in(publication)
    tables = {"facts.csv": (as_csv(facts), FIELDS), "recommendations.csv": (_advice_csv(publication), ADVICE_FIELDS), "changes.csv": (_changes_csv(publication), CHANGE_FIELDS)}
    pictures = [picture for _heading, _body, drawn in publication.content["en"]["sections"] for picture in drawn]
    for number, picture in enumerate(pictures, start=1):
        tables[f"figures/{number}.csv"] = (as_csv({key: facts[key] for key in picture.get("facts", ()) if key in facts}), FIELDS)
    named = sorted({fact.source for fact in facts.values() if fact.source})
    package = {
        "profile": "tabular-data-package", "name": f"openvsm-{publication.slug}", "id": publication.digest, "title": publication.title["en"], "version": str(publication.number),
        "created": publication.published_at.isoformat(), **({"homepage": url} if "://" in url else {}),
        "licenses": [{"name": sources()[slug].licence, "title": sources()[slug].licence, "path": "LICENCES.txt"} for slug in named],
        "sources": [{"title": sources()[slug].attribution, "path": sources()[slug].homepage} for slug in named], "vintages": publication.vintages,
        "resources": [_table(name, text, fields) for name, (text, fields) in tables.items()], "runs": publication.runs,
    }  # fmt: skip
    told = citation(publication, url, "en")
    others = {"datapackage.json": json.dumps(package, ensure_ascii=False, indent=1), "LICENCES.txt": _licences(named), "CITATION.json": told["csl"], "CITATION.bib": told["bibtex"]}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**{name: text for name, (text, _fields) in tables.items()}, **others}.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)
    return file.getvalue()


def _table(path: str, text: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """A resource of the package: where, how large, with which fingerprint, and what each column means."""
    body = text.encode()
    return {
        "name": path.removesuffix(".csv").replace("/", "-"), "path": path, "profile": "tabular-data-resource", "format": "csv", "mediatype": "text/csv", "encoding": "utf-8",
        "bytes": len(body), "hash": f"sha256:{hashlib.sha256(body).hexdigest()}",
        "schema": {"fields": [{"name": name, "type": TYPES.get(name, "string"), "description": told} for name, told in fields.items()], "missingValues": [""]},
    }  # fmt: skip


def _advice_csv(publication: Publication) -> str:
    rows = [
        (language, audience, one["do"], one["because"], one["unknown"], " ".join(one["facts"]), " ".join(one["cases"]))
        for language in publication.content for audience, items in advice_in(publication, language) for one in items
    ]  # fmt: skip
    return _csv(ADVICE_FIELDS, rows)


def _changes_csv(publication: Publication) -> str:
    def amounts(fact: Fact | None) -> tuple[Any, ...]:
        return (fact.value, fact.low, fact.high) if fact else (None, None, None)

    return _csv(CHANGE_FIELDS, [(each.key, *amounts(each.before), *amounts(each.after)) for each in changed_since_last(publication)])


def _csv(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    file = io.StringIO()
    out = csv.writer(file, lineterminator="\n")
    out.writerow(tuple(head))
    out.writerows(rows)
    return file.getvalue()


FIELDS: Mapping[str, str] = {
    "key": "name of the figure", "geo": "country (ISO 3166-1 alpha-3) or region", "geo2": "where a flow goes, else empty", "year": "calendar year", "value": "the figure; empty where only a range is known",
    "low": "lower end of the band", "high": "upper end of the band", "level": "share of cases that such bands cover", "unit": "students, share (0.05 is 5 per cent), index, …",
    "design": "what kind of claim it can carry", "coverage": "of how much of what was expected it speaks (0 to 1), empty where that is not told", "experimental": "True where a gate failed", "source": "who published what it follows from",
    "note": "what limits it, how well a number of the casebook is known, or a break: of an estimate one that it follows (country, year, decision), of a published count how the one in its year was decided",
}  # fmt: skip


ADVICE_FIELDS: Mapping[str, str] = {
    "language": "language of the text", "audience": "students, practitioners, leaders or funders", "do": "what is recommended", "because": "the figures that it rests on, in a sentence",
    "unknown": "what is not known of it", "facts": "keys of these figures in facts.csv", "cases": "entries of the casebook that show how others did it",
}  # fmt: skip
CHANGE_FIELDS: Mapping[str, str] = {
    "key": "name of the figure", "then": "in the edition before; empty where it was not there", "then_low": "lower end of its band then", "then_high": "upper end then",
    "now": "in this edition; empty where it is no longer there", "now_low": "lower end of its band now", "now_high": "upper end now",
}  # fmt: skip
TYPES: Mapping[str, str] = {"year": "integer", "experimental": "boolean"} | dict.fromkeys(("value", "low", "high", "level", "then", "then_low", "then_high", "now", "now_low", "now_high"), "number")


def _licences(named: Iterable[str]) -> str:
    return "".join(f"{slug}: {sources()[slug].licence}{' (share alike)' if sources()[slug].share_alike else ''}\n{sources()[slug].attribution}\n\n" for slug in named)


PUBLICATION = resource(
    Resource(
        "publication", "publications", Publication, _("Publication"), _("Publications"), lambda p: f"{text_in(p.title, get_language() or 'en')} · {p.number}",
        fields=(
            Shown("title", _("Title"), lambda p: text_in(p.title, get_language() or "en"), listed=True),
            Shown("kind", _("Kind"), lambda p: p.kind, sort="kind", words=KIND_LABELS),
            Shown("number", _("Edition"), lambda p: p.number, "integer", listed=True, sort="number"),
            Shown("published_at", _("Published"), lambda p: p.published_at, "moment", listed=True, sort="published_at"),
            Shown("experimental", _("Experimental"), lambda p: p.experimental, "bool", listed=True, sort="experimental"),
            Shown("digest", _("Fingerprint"), lambda p: p.digest, "digest"),
            Shown("runs", _("Runs of studies"), lambda p: p.runs, "json", detail=False),
            Shown("vintages", _("Releases used"), lambda p: p.vintages, "json", detail=False),
            Shown("advice", _("Recommendations"), lambda p: dict(advice_in(p, (get_language() or "en"))), "json", detail=False),
            Shown("facts", _("Facts"), lambda p: p.facts, "json", detail=False),
        ),
        order="-published_at", starts=(("hub", "publish_brief"),), empty=_("Nothing is published yet. The operator publishes: vsm observatory brief NAME."),
    )
)  # fmt: skip
