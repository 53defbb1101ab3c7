"""What doors read of sources: releases, newest first, and which of them count on a day."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from vsm.kit.errors import Refused
from vsm.kit.localized import text_in
from vsm.kit.resources import Filter, Ref, Resource, Shown, resource, state_filter
from vsm.kit.saying import say_reason
from vsm.kit.verdict import Reason
from vsm.observatory.geography import name_of
from vsm.observatory.sources.breaks import Decision
from vsm.observatory.sources.licences import OWN_LICENCES, against_passing_on, as_licensed, notice
from vsm.observatory.sources.models import OwnTable, Release, SeriesBreak
from vsm.observatory.sources.observations import COLUMNS, path_of
from vsm.observatory.sources.registry import Source, sources
from vsm.observatory.sources.series import described
from vsm.observatory.sources.states import DECIDED, BreakState, State

BREAK_STATES = {
    "proposed": (pgettext_lazy("series_break", "Proposed"), "neutral"), "flagged": (_("Flagged"), "warn"), "spliced": (_("Spliced"), "good"), "dropped": (_("Left out"), "bad"),
    "kept": (_("Kept as it is"), "good"),
}  # fmt: skip
TESTS = {"jump": _("Jump between two years"), "cusum": _("Drift over several years (CUSUM)"), "known": _("Checking by hand")}
DECISIONS = {BreakState.FLAGGED: "flag", BreakState.SPLICED: "splice", BreakState.DROPPED: "drop", BreakState.KEPT: "keep"}
STATES = {"loaded": (_("Loaded"), "good"), "refused": (_("Refused"), "bad")}
TABLE_STATES = {
    "read": (_("To be kept or not"), "info"), "faulty": (_("To be corrected"), "bad"), "kept": (_("Kept as a source"), "good"),
    "discarded": (_("Discarded"), "neutral"),
}  # fmt: skip
LICENCE_NAMES = {
    "CC0-1.0": _("CC0: given to the public"), "CC-BY-4.0": _("CC BY 4.0: may be passed on with its attribution"),
    "CC-BY-SA-4.0": _("CC BY-SA 4.0: may be passed on with its attribution, under the same licence"),
    "CC-BY-SA-3.0-IGO": _("CC BY-SA 3.0 IGO: as figures of UNESCO are"), "LicenseRef-Unknown": _("None that is known: it is not passed on"),
}  # fmt: skip
CHECKS = {
    "each-cell-once": _("No place and year is told twice"), "countries": _("Every place is a country (ISO 3166-1)"), "no-count-is-negative": _("No count is below zero"), "regions-make-the-world": _("The regions add up to the world"),
    "agrees-with-uis": _("Totals by host agree with those of UIS"), "below-the-region": _("No region’s hosts exceed the region"), "can-be-compared": _("There is something to compare it with"),
    "values-in-range": _("Values are within their scale"), "as-far-there-as-back": _("It is as far there as back"), "countries-of-the-region": _("Every country belongs to the region"),
    "as-it-ships": _("Countries stand as in the list that ships with this program"), "institutions": _("At least three institutions agree"), "attacked": _("A program that knows every rule could not compute what is withheld"),
    "subtracted": _("Subtracting the vintage before tells of no institution, and not of a few people"), "protected": _("Small counts are withheld, and what would give them away"),
}  # fmt: skip


MOST_TOLD = 12  # series of a release that its page names by their codes

# The totals that the program ships are an older vintage of UIS: whatever a release of UIS tells counts instead.
OLDER = {"facts": "uis"}


def counting_releases(
    wanted: Sequence[str] = (), *, as_of: datetime | None = None, pinned: Mapping[str, str] | None = None
) -> list[tuple[Release, frozenset[str]]]:  # fmt: skip
    """The releases that count on `as_of`, each with what newer ones of its source tell instead of it (keys of `covers`).

    `pinned` (source → release id) takes one release of a source and no other. Raises KeyError when that is not here.
    """
    loaded = Release.objects.filter(state=State.LOADED).order_by("-retrieved_at", "-created_at")
    if wanted:
        loaded = loaded.filter(source__in=wanted)
    if as_of:
        loaded = loaded.filter(retrieved_at__lte=as_of)
    fixed = {source: _pinned(source, pk) for source, pk in (pinned or {}).items()}
    newest_first = [release for release in loaded if release.source not in fixed] + list(fixed.values())
    told: dict[str, set[str]] = {}
    counting = []
    for release in sorted(newest_first, key=lambda each: each.source in OLDER):
        newer = told.setdefault(OLDER.get(release.source, release.source), set())
        covers = frozenset(release.covers)
        if not covers <= newer:
            counting.append((release, covers & newer))
        newer |= covers
    return counting


def current_releases(wanted: Sequence[str] = (), *, as_of: datetime | None = None, pinned: Mapping[str, str] | None = None) -> list[Release]:
    """The releases that count on a day, without what of each."""
    return [release for release, _hidden in counting_releases(wanted, as_of=as_of, pinned=pinned)]


def _pinned(source: str, pk: str) -> Release:
    kept: Release | None = Release.objects.filter(state=State.LOADED, source=source, pk=UUID(str(pk))).first()
    if kept is None:
        raise KeyError(f"{source} has no release {pk} here")
    return kept


def remark(code: str, facts: Mapping[str, Any]) -> str:
    """What a check found that is no fault and still worth telling, in the reader's language; empty where there is nothing."""
    if code != "as-it-ships" or not facts["differ"]:
        return ""
    named = ", ".join(name_of(geo, get_language() or "en") for geo in facts["first"])
    text = ngettext(
        "%(count)s country stands otherwise than in the list that ships with this program: %(countries)s",
        "%(count)s countries stand otherwise than in the list that ships with this program: %(countries)s", facts["differ"],
    )  # fmt: skip
    return text % {"count": facts["differ"], "countries": named + (", …" if facts["differ"] > len(facts["first"]) else "")}


def licensed(release: Release) -> Source:
    """The source of a release with the licence and attribution under which that release stands."""
    return as_licensed(sources()[release.source], release.licence, release.attribution)


def licence_choices(_record: object, _actor: object) -> list[tuple[str, str]]:
    """Licences under which a table of one's own can stand."""
    return [(licence, str(LICENCE_NAMES[licence])) for licence in OWN_LICENCES]


def title_of(slug: str) -> str:
    entry = sources().get(slug)
    return text_in(entry.title, get_language() or "en") if entry else slug


def credited(source: Source) -> str:
    """Who is named as the source beside a picture: as its licence asks; of what is made here, its name in the reader's language."""
    return title_of(source.slug) if source.is_ours else source.attribution


def series_told(release: Release) -> list[str]:
    """What a release tells, in the reader's language: series that are described alike on one line, with the publisher's code
    where it is one; the first of those that nobody has described by their codes."""
    language = get_language() or "en"
    described_as: dict[str, list[str]] = {}
    for code in series_of(release):
        found = described(release.source, code)
        described_as.setdefault(text_in(found.title, language) if found else "", []).append(code)
    plain = described_as.pop("", [])
    told = [f"{title} ({codes[0]})" if len(codes) == 1 else gettext("%(title)s (%(count)s series)") % {"title": title, "count": len(codes)} for title, codes in described_as.items()]
    return [*told, *_shortened(plain, MOST_TOLD)]


def _shortened(told: list[str], most: int) -> list[str]:
    """The first of them, and how many more there are."""
    return [*told[:most], gettext("and %(count)s more") % {"count": len(told) - most}] if len(told) > most else told


RELEASE = resource(
    Resource(
        "release", "releases", Release, _("Release of a source"), _("Releases of sources"),
        lambda release: " · ".join(filter(None, (title_of(release.source), release.edition or release.file_name))),
        fields=(
            Shown("source", _("Source"), lambda r: title_of(r.source), listed=True, sort="source"),
            Shown("tells", _("What it tells"), lambda r: _shortened(series_told(r), 2), "list", listed=True, detail=False),
            Shown("edition", _("Edition"), lambda r: r.edition, listed=True, sort="edition"),
            Shown("published_on", _("Published on"), lambda r: r.published_on, "date", listed=True, sort="published_on"),
            Shown("retrieved_at", _("Taken in"), lambda r: r.retrieved_at, "moment", listed=True, sort="retrieved_at"),
            Shown("rows", _("Observations"), lambda r: r.rows, "integer", listed=True, sort="rows"),
            Shown("state", _("State"), lambda r: r.state, "state", listed=True, sort="state"),
            Shown("licence", _("Licence"), lambda r: licensed(r).licence if r.source in sources() else ""),
            Shown("attribution", _("Attribution"), lambda r: licensed(r).attribution if r.source in sources() else ""),
            Shown("format", _("Format"), lambda r: r.format),
            Shown("file_name", _("File"), lambda r: r.file_name),
            Shown("url", _("Address"), lambda r: r.url),
            Shown("size", _("Bytes"), lambda r: r.size, "integer"),
            Shown("sha256", _("Fingerprint of the file (SHA-256)"), lambda r: r.sha256, "digest"),
            Shown("series", _("Series"), series_told, "list"),
            Shown("digest", _("Fingerprint of the observations"), lambda r: r.digest, "digest"),
            Shown("checks", _("Checks"), lambda r: r.checks, "json", detail=False),
        ),
        filters=(
            state_filter(STATES),
            Filter(
                "source", _("Source"), lambda found, value: found.filter(source=value),
                choices=lambda _actor: [(slug, title_of(slug)) for slug in sources()],
            ),
        ),
        order="-retrieved_at", states=STATES, starts=(("hub", "hand_in_table"),),
        empty=_("No release yet. Fetch one or load a file: vsm observatory load FILE."),
    )
)  # fmt: skip


OWN_TABLE = resource(
    Resource(
        "own_table", "own-tables", OwnTable, _("Table of one’s own"), _("Tables of one’s own"), lambda table: table.file_name,
        fields=(
            Shown("file_name", _("File"), lambda t: t.file_name, listed=True, sort="file_name"),
            Shown("state", _("State"), lambda t: t.state, "state", listed=True, sort="state"),
            Shown("created_at", _("Handed in"), lambda t: t.created_at, "moment", listed=True, sort="created_at"),
            Shown("rows", _("Lines"), lambda t: t.found.get("rows"), "integer", listed=True),
            Shown("columns", _("Columns"), lambda t: t.found.get("columns", []), "list"),
            Shown("series", _("Series"), lambda t: t.found.get("series", []), "list"),
            Shown("places", _("Places"), lambda t: t.found.get("places"), "integer"),
            Shown("years", _("Years"), lambda t: f"{t.found['first']}–{t.found['last']}" if "first" in t.found else ""),
            Shown("flows", _("Flows from a place to another"), lambda t: t.found.get("flows"), "integer"),
            Shown("missing", _("Values left empty: not known"), lambda t: t.found.get("missing"), "integer"),
            Shown("edition", _("Edition"), lambda t: t.edition),
            Shown("licence", _("Licence"), lambda t: t.licence, words=LICENCE_NAMES),
            Shown("attribution", _("Attribution"), lambda t: t.attribution),
            Shown("release", _("Release of a source"), lambda t: Ref("release", t.release_id, RELEASE.title(t.release)) if t.release else None, "ref"),
            Shown("digest", _("Fingerprint of the file (SHA-256)"), lambda t: t.digest, "digest"),
            Shown("checks", _("Checks"), lambda t: t.checks, "json", detail=False),
            Shown("problems", _("What is wrong"), lambda t: [say_reason(Reason(**each)) for each in t.problems], "list", detail=False),
        ),
        filters=(state_filter(TABLE_STATES),), related=("release",), states=TABLE_STATES, starts=(("hub", "hand_in_table"),),
        empty=_("No table was handed in."),
    )
)  # fmt: skip


def _signed(change: float) -> str:
    """With its sign also above zero, and the decimal sign of the language."""
    return f"{'+' if change >= 0 else '−'}{number_format(abs(change), 2)}"


def series_of(release: Release) -> list[str]:
    """The publisher's codes of what a release tells."""
    return sorted({re.split("[@>]", key)[0] for key in release.covers})


def series_there(*, shipped: bool = False) -> frozenset[str]:
    """The series that are loaded, and those that the program brings itself (totals of regions) if asked."""
    return frozenset(code for release in current_releases() if shipped or not release.source.startswith("facts") for code in series_of(release))


def damaged() -> list[Release]:
    """Loaded releases whose observations are not what they were when they were taken in, or are gone: all are read."""
    return [release for release in Release.objects.filter(state=State.LOADED).order_by("retrieved_at") if not is_whole(release)]


def is_whole(release: Release) -> bool:
    """Whether the observations of a release are those that its digest names."""
    try:
        with path_of(release.digest).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == release.digest
    except OSError:
        return False


def decisions(source: str, series: str) -> dict[str, list[Decision]]:
    """What people have decided about a series, by place: `breaks.applied` takes it. What is only proposed is not here."""
    found: dict[str, list[Decision]] = {}
    for each in SeriesBreak.objects.filter(source=source, series=series, state__in=DECIDED).order_by("geo", "year"):
        found.setdefault(each.geo, []).append(Decision(each.year, DECISIONS[BreakState(each.state)]))
    return found


def _geo(each: SeriesBreak) -> str:
    return name_of(each.geo, get_language() or "en")


SERIES_BREAK = resource(
    Resource(
        "series_break", "series-breaks", SeriesBreak, _("Break in a series"), _("Breaks in series"),
        lambda each: f"{_geo(each)} · {each.series} · {each.year}",
        fields=(
            Shown("place", _("Place"), _geo, listed=True, sort="geo"),
            Shown("year", _("Year"), lambda b: str(b.year), listed=True, sort="year"),
            Shown("before", _("The year before"), lambda b: round(b.evidence["before"]), "integer", listed=True),
            Shown("after", _("From then on"), lambda b: round(b.evidence["after"]), "integer", listed=True),
            Shown("state", _("State"), lambda b: b.state, "state", listed=True, sort="state"),
            Shown("geo", _("Code"), lambda b: b.geo),
            Shown("source", _("Source"), lambda b: title_of(b.source)),
            Shown("series", _("Series"), lambda b: b.series),
            Shown("note", _("What is known"), lambda b: b.note, "localized"),
            Shown("test", _("Found by"), lambda b: str(TESTS.get(b.evidence["test"], b.evidence["test"]))),
            Shown("change", _("Change (log points)"), lambda b: _signed(b.evidence["change"])),
            Shown("reason", _("Reason for the decision"), lambda b: b.reason, "long_text"),
            Shown("decided_by", _("Decided by"), lambda b: b.decided_by),
            Shown("decided_at", _("Decided"), lambda b: b.decided_at, "moment"),
            Shown("evidence", _("Evidence"), lambda b: b.evidence, "json", detail=False),
        ),
        filters=(
            state_filter(BREAK_STATES),
            Filter("source", _("Source"), lambda found, value: found.filter(source=value), choices=lambda _actor: [(slug, title_of(slug)) for slug in sources()]),
            Filter("geo", _("Country (three letters)"), lambda found, value: found.filter(geo=value.upper()), kind="text"),
        ),
        order="geo year", starts=(("hub", "propose_breaks"),), states=BREAK_STATES,
        empty=_("No break is proposed. They are looked for when a release is taken in."),
    )
)  # fmt: skip


def breaks_at(cells: Collection[tuple[str, int]]) -> list[tuple[str, int, str]]:
    """Which of these (country, year) are breaks, decided or only proposed, and how each stands; those that are real are none."""
    found = SeriesBreak.objects.filter(geo__in={geo for geo, _year in cells}).exclude(state=BreakState.KEPT).order_by("geo", "year")
    return [cell for cell in dict.fromkeys(found.values_list("geo", "year", "state")) if cell[:2] in cells]


def breaks_followed(names: Iterable[str]) -> list[tuple[str, int, str]]:
    """The decisions that a study names ("DOM 2022 drop"): country, year, and how the break stood then."""
    after = {decision: str(state) for state, decision in DECISIONS.items()}
    return [(geo, int(year), after[decision]) for geo, year, decision in (name.split() for name in sorted(set(names)))]


def break_told(geo: str, year: int, state: str) -> str:
    """A break in a line, in the active language: "Dominican Republic 2022: Left out"."""
    return gettext("%(place)s %(year)s: %(state)s") % {"place": name_of(geo, get_language() or "en"), "year": year, "state": BREAK_STATES[state][0]}


def bundle_of(release: Release) -> bytes:
    """A ZIP of one release: its observations as CSV, what they are (`datapackage.json`) and the licence that they carry.

    One source in each bundle, so that a share-alike licence covers what it must and no more. Raises `Refused` where the
    source may not be passed on.
    """
    import pyarrow.parquet as pq
    from pyarrow import csv

    entry = licensed(release)
    Refused.because(against_passing_on(entry))
    observed = io.BytesIO()
    csv.write_csv(pq.read_table(path_of(release.digest)), observed)
    package = {
        "name": f"openvsm-{release.source}", "version": release.edition or release.sha256[:16], "homepage": entry.homepage,
        "licenses": [{"name": entry.licence, "title": entry.attribution}],
        "resources": [{"name": "observations", "path": "observations.csv", "schema": {"fields": [{"name": name} for name in COLUMNS]}}],
        "series": [asdict(each) | {"code": code} for code in series_of(release) if (each := described(release.source, code))],
        "sha256 of the file as it came": release.sha256,
    }  # fmt: skip
    told = io.BytesIO()
    with zipfile.ZipFile(told, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("observations.csv", observed.getvalue())
        archive.writestr("datapackage.json", json.dumps(package, ensure_ascii=False, indent=1))
        archive.writestr("LICENCE.txt", notice([entry]))
    return told.getvalue()
