"""Taking a release in: read, checked, kept with its observations; refused with every reason, and then nothing is kept but why."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date, datetime
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from django.utils.translation import gettext_lazy as _

from vsm.exchange.institutions.models import Hub
from vsm.kit import files as kept_files
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.uploads import Upload
from vsm.kit.verdict import Reason
from vsm.observatory.sources import breaks, fetching
from vsm.observatory.sources.checks import Check, faults
from vsm.observatory.sources.licences import OWN_LICENCES
from vsm.observatory.sources.loaders import MODULES, Taken, loader, own, recognised
from vsm.observatory.sources.models import OwnTable, Release, SeriesBreak
from vsm.observatory.sources.observations import country_series, covered, folder, keep, published_totals
from vsm.observatory.sources.queries import is_whole, licence_choices
from vsm.observatory.sources.registry import sources
from vsm.observatory.sources.states import BREAK_STEPS, TABLE_STEPS, State, TableState

Progress = Callable[[int, int], None]
OWN = "own"
# Sources whose yearly counts of countries are looked through for breaks.
WATCHED = ("uis", OWN)


def load(
    path: Path, *, by: Actor, now: datetime, format_: str = "", edition: str = "", published_on: date | None = None, url: str = "", expected: str = "",
    licence: str = "", attribution: str = "", progress: Progress = lambda _done, _total: None,
) -> Release:  # fmt: skip
    """Take a file in. The same file again under the same terms gives the release that is there. `licence` and `attribution` belong to a table of
    one's own; what publishers tell stands under theirs. Raises `Invalid` with every reason: the file is not the `expected` one
    (its SHA-256), of no known layout, cannot be read, or fails a check (then a refused release keeps the reasons)."""
    sha256 = _digest(path)
    if expected and expected.strip().lower() != sha256:
        text = N_("%(file)s has the SHA-256 %(found)s, not %(expected)s: it is another file, or it was damaged on the way. Get it again.")
        raise Invalid(Reason("other-checksum", text, {"file": path.name, "found": sha256, "expected": expected.strip().lower()[:64]}))
    if not path.stat().st_size:
        raise Invalid(Reason("file-empty", N_("%(file)s is empty. Get it again."), {"file": path.name}))
    found = loader(format_) if format_ in MODULES else recognised(path)
    if found is None or (format_ and format_ not in MODULES):
        text = N_("%(file)s has none of the layouts that are known: %(known)s. Say which one it is with --format, or add it as a table of your own.")
        raise Invalid(Reason("format-unknown", text, {"file": path.name, "known": ", ".join(MODULES)}))
    Invalid.because(_against_licence(found.source, licence))
    terms = {"licence": licence, "attribution": attribution.strip()}
    held: Release | None = Release.objects.filter(source=found.source, sha256=sha256, state=State.LOADED, **terms).first()
    if held and is_whole(held):
        return held
    taken = found.read(path, progress)
    if held:
        return _mended(held, taken)
    checks = (*taken.checks, *found.against(taken.table, published_totals()))
    wrong = faults(checks)
    # Kept before the record names it: a crash in between leaves a file that nothing points to, and no more.
    digest, rows = keep(taken.table) if not wrong else ("", 0)
    release = take_in(
        Hub.objects.get(), by=replace(by, is_system=by.is_operator or by.is_system), now=now, source=found.source, format_=found.format,
        edition=edition or taken.edition, published_on=published_on or taken.published_on, file_name=path.name[:255], url=url,
        size=path.stat().st_size, sha256=sha256, digest=digest, rows=rows, checks=[check.as_json() for check in checks],
        covers=covered(taken.table) if digest else [], **terms,
    )  # fmt: skip
    Invalid.because(wrong)
    if found.source in WATCHED:
        propose_breaks(Hub.objects.get(), by=replace(by, is_system=by.is_operator or by.is_system), now=now)
    return release


def _against_licence(source: str, licence: str) -> Iterator[Reason]:
    if licence and source != OWN:
        text = N_("The licence of “%(source)s” is its publisher’s. One can be named for a table of your own only.")
        yield Reason("licence-given", text, {"source": source}, "licence")
    if licence and licence not in OWN_LICENCES:
        yield Reason("licence-unknown", N_("“%(licence)s” is none of the licences that are known: %(known)s."), {"licence": licence[:40], "known": ", ".join(OWN_LICENCES)}, "licence")


def _mended(held: Release, taken: Taken) -> Release:
    """Write the observations of a release again that are gone or damaged: the same file gives the same."""
    digest, _rows = keep(taken.table)
    if digest != held.digest:
        text = N_("The observations of %(file)s are damaged here, and reading the file again gives others than it gave then. Restore the data folder from a backup.")
        raise Invalid(Reason("observations-differ", text, {"file": held.file_name}))
    return held


def fetch(
    source: str, *, by: Actor, now: datetime, only: str = "", edition: str = "", mirror: str = "", expected: str = "", limits: fetching.Limits | None = None,
    progress: Progress = lambda _done, _total: None,
) -> list[Release]:  # fmt: skip
    """Get a source's files (or the one named `only`, which may have an `expected` SHA-256) from its publisher, or from a
    `mirror` (scheme and host; it may be private), and take them in. Raises `Invalid` when nothing of it can be fetched, and what
    `fetching.fetch` and `load` raise."""
    entry = sources().get(source)
    limits = limits or fetching.Limits(private=bool(mirror))  # whoever names a mirror vouches for it: it may stand in their own network
    files_ = {name: url for name, url in (entry.fetch if entry else {}).items() if only in {"", name}}
    if not entry or not files_:
        text = N_("Nothing of “%(source)s” can be fetched. Known: %(known)s. Get the file from %(homepage)s and load it: vsm observatory load FILE.")
        if not entry or not entry.homepage:
            text = N_("Nothing of “%(source)s” can be fetched. Known: %(known)s. If you have a file, load it: vsm observatory load FILE.")
        known = ", ".join(f"{each.slug} ({', '.join(each.fetch)})" for each in sources().values() if each.fetch)
        raise Invalid(Reason("nothing-to-fetch", text, {"source": f"{source} {only}".strip(), "known": known, "homepage": entry.homepage if entry else ""}))
    taken = []
    for name, url in files_.items():
        path, found = _fetched(source, name, _mirrored(url, mirror), [edition] if edition else _editions(now), limits, progress)
        taken.append(load(path, by=by, now=now, edition=_month(found), url=found, expected=expected if only else "", progress=progress))
        fetching.discard(path)  # its observations are kept, and its fingerprint; the publisher has the file
    return taken


def _fetched(source: str, name: str, url: str, editions: list[str], limits: fetching.Limits | None, progress: Progress) -> tuple[Path, str]:
    """The newest edition that is there, as a file; and its address."""
    candidates = list(dict.fromkeys(url.format(edition=each) for each in editions)) if "{edition}" in url else [url]
    for number, address in enumerate(candidates, start=1):
        # One folder for each address: a part of an older edition is never continued with a newer one.
        into = folder() / "fetched" / source / hashlib.sha256(address.encode()).hexdigest()[:12] / name
        try:
            fetching.fetch(address, into, limits=limits, progress=progress)
        except fetching.NotThere:
            if number == len(candidates):
                raise
        else:
            return into, address
    raise AssertionError("unreachable: the last candidate returns or raises")


def _editions(now: datetime) -> list[str]:
    """The months in which UIS publishes (February and September) up to now, newest first, for two years and a half."""
    months = [f"{year}{month}" for year in range(now.year, now.year - 3, -1) for month in ("09", "02")]
    return [month for month in months if month <= f"{now:%Y%m}"][:5]


def _month(address: str) -> str:
    found = re.search(r"/(20\d\d)(0[1-9]|1[0-2])/", address)
    return f"{found[1]}-{found[2]}" if found else ""


def _mirrored(url: str, mirror: str) -> str:
    return mirror.rstrip("/") + "/" + url.split("/", 3)[3] if mirror else url


def ship(*, now: datetime) -> Release:
    """Take in the totals that the program carries; once, however often it is called."""
    with as_file(files(__package__).joinpath("facts.csv")) as path:
        release = load(path, by=SYSTEM, now=now)
    propose_breaks(Hub.objects.get(), by=SYSTEM, now=now)
    return release


def ship_region(*, now: datetime) -> Release:
    """Take in the figures of Latin America and the Caribbean that the program carries; once."""
    with as_file(files(__package__).joinpath("facts_lac.csv")) as path:
        return load(path, by=SYSTEM, now=now)


@action("take_in", on=Hub, label=_("Take in a release"), allow=())
def take_in(
    hub: Hub, *, by: Actor, now: datetime, source: str, format_: str, edition: str, published_on: date | None, file_name: str, url: str,
    size: int, sha256: str, digest: str, rows: int, checks: list[Any], covers: list[str], licence: str = "", attribution: str = "",
) -> Release:  # fmt: skip
    """Keep what is known of a release whose file `load` has read; without `digest` it was refused."""
    release = Release(
        source=source, format=format_, edition=edition, published_on=published_on, retrieved_at=now, file_name=file_name, url=url, size=size,
        sha256=sha256, digest=digest, rows=rows, checks=checks, covers=covers, licence=licence, attribution=attribution, state=State.LOADED if digest else State.REFUSED,
    )  # fmt: skip
    release.save()
    return release


@action("propose_breaks", on=Hub, label=_("Look for breaks in series"), allow=("operator",))
def propose_breaks(hub: Hub, *, by: Actor, now: datetime) -> Hub:
    """Look for breaks in the inbound series of every country that is loaded, and propose those that are new, with the known
    ones. Nothing is applied; what was decided before stays."""
    held = set(SeriesBreak.objects.values_list("source", "series", "geo", "year"))
    found = {(each.source, each.series, each.geo, each.year): (each.evidence(), each.note) for each in breaks.known_breaks()}
    for (source, series, geo), values in country_series(WATCHED).items():
        for evidence in breaks.detected(values):
            found.setdefault((source, series, geo, evidence.year), (evidence, {}))
    for (source, series, geo, year), (evidence, note) in sorted(found.items(), key=lambda each: each[0]):
        if (source, series, geo, year) not in held:
            SeriesBreak(source=source, series=series, geo=geo, year=year, evidence=asdict(evidence), note=dict(note)).save()
    return hub


def _decide(each: SeriesBreak, by: Actor, now: datetime, because: str) -> SeriesBreak:
    each.reason, each.decided_by, each.decided_at = because.strip(), by.label, now
    return each


@action("flag", on=SeriesBreak, label=_("Flag it"), allow=("operator",), step=BREAK_STEPS["flag"])
def flag(each: SeriesBreak, *, by: Actor, now: datetime, because: str) -> SeriesBreak:
    """The figures stay; the year is marked wherever they are shown."""
    return _decide(each, by, now, because)


@action("splice", on=SeriesBreak, label=_("Splice it"), allow=("operator",), step=BREAK_STEPS["splice"])
def splice(each: SeriesBreak, *, by: Actor, now: datetime, because: str) -> SeriesBreak:
    """The years before are scaled to the new level; growth within both parts stays."""
    return _decide(each, by, now, because)


@action("drop", on=SeriesBreak, label=_("Leave the year out"), allow=("operator",), step=BREAK_STEPS["drop"])
def drop(each: SeriesBreak, *, by: Actor, now: datetime, because: str) -> SeriesBreak:
    """The year is left out of what is computed; the observation stays where it is."""
    return _decide(each, by, now, because)


@action("keep", on=SeriesBreak, label=_("Keep it: it is real"), allow=("operator",), step=BREAK_STEPS["keep"])
def keep_as_is(each: SeriesBreak, *, by: Actor, now: datetime, because: str) -> SeriesBreak:
    """No break: students came or left. Nothing changes, and it is not proposed again."""
    return _decide(each, by, now, because)


@action("reconsider", on=SeriesBreak, label=_("Take the decision back"), allow=("operator",), step=BREAK_STEPS["reconsider"])
def reconsider(each: SeriesBreak, *, by: Actor, now: datetime, because: str) -> SeriesBreak:
    """It is proposed again; the history keeps what was decided and why."""
    _decide(each, by, now, because)
    each.reason, each.decided_by, each.decided_at = "", "", None
    return each


@action("hand_in_table", on=Hub, label=_("Add a table of your own"), allow=("operator",))
def hand_in_table(
    hub: Hub, *, by: Actor, now: datetime,
    file: Annotated[Upload, Ask(_("File"), _("CSV or Parquet with the columns geo, year, value and, if you like, geo2, series, qualifier. At most 5 MB; larger files go through the command line."))],
    licence: Annotated[str, Ask(_("Licence"), _("Under which these figures stand. Only where it lets them be passed on can others export them."), choices=licence_choices)],
    attribution: Annotated[str, Ask(_("Attribution"), _("Who made these figures. Readers see it wherever they stand."), limit=300)],
    edition: Annotated[str, Ask(_("Edition"), _("For example 2026, or first half of 2026."), limit=80)] = "",
) -> OwnTable:  # fmt: skip
    """Read and check a table; its page tells what was understood and what is wrong. Nothing counts until you keep it."""
    Invalid.because(_against_licence(OWN, licence))
    told: dict[str, Any] = {}
    checks: tuple[Check, ...] = ()
    with _laid_out(file.name, file.data) as path:
        try:
            told |= own.outline(path)
            reading = own.PARQUET if path.suffix.lower() == ".parquet" else own.LOADER
            taken = reading.read(path, lambda _done, _total: None)
            told |= own.summary(taken.table)
            checks = (*taken.checks, *reading.against(taken.table, published_totals()))
            problems: Sequence[Reason] = faults(checks)
        except Invalid as refusal:
            problems = refusal.reasons
    table = OwnTable(
        file_name=file.name[-255:], digest=kept_files.put(file.data), size=len(file.data), edition=edition.strip(), licence=licence, attribution=attribution.strip(), found=told,
        checks=[check.as_json() for check in checks], problems=[asdict(reason) for reason in problems], state=TableState.FAULTY if problems else TableState.READ,
    )  # fmt: skip
    table.save()
    return table


@action("keep", on=OwnTable, label=_("Keep it as a source"), allow=("operator",), step=TABLE_STEPS["keep"], tone="primary")
def keep_table(table: OwnTable, *, by: Actor, now: datetime) -> Release:
    """Its figures count from now on, under the source “own”, and everybody can read its page. Checked once more: other totals may have come since."""
    with _laid_out(table.file_name, kept_files.get(table.digest)) as path:
        format_ = "own-parquet" if path.suffix.lower() == ".parquet" else "own-csv"
        table.release = load(path, by=by, now=now, format_=format_, edition=table.edition, licence=table.licence, attribution=table.attribution)
    return table.release


@action("discard", on=OwnTable, label=_("Discard this table"), allow=("operator",), step=TABLE_STEPS["discard"], tone="warning")
def discard_table(table: OwnTable, *, by: Actor, now: datetime) -> OwnTable:
    """It never counts and cannot be kept any more; its page stays for the history. The same file can be handed in again."""
    return table


@contextmanager
def _laid_out(name: str, data: bytes) -> Iterator[Path]:
    """A file that was handed in, under its name (60 letters fit every file system), for as long as it is read."""
    with TemporaryDirectory() as room:
        path = Path(room, re.sub(r"[^\w .-]", "-", name)[-60:].lstrip(".") or "table.csv")
        path.write_bytes(data)
        yield path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
