"""`vsm observatory`: sources and their releases; what the Observatory makes of them."""

import argparse
import json
import sys
from pathlib import Path

from vsm.cli.who import acting, as_argument
from vsm.config import settings
from vsm.exchange.institutions.models import Hub
from vsm.kit import clock, files
from vsm.observatory.estimates.actions import run_study
from vsm.observatory.publications.actions import publish_brief
from vsm.observatory.publications.queries import bundle, permalink
from vsm.observatory.sources.actions import fetch, load
from vsm.observatory.sources.models import Release
from vsm.observatory.sources.observations import INBOUND
from vsm.observatory.sources.queries import (
    RELEASE,
    break_told,
    breaks_followed,
    bundle_of,
    damaged,
    decisions,
    remark,
    series_there,
)
from vsm.observatory.sources.registry import sources


def observatory_arguments(parser: argparse.ArgumentParser) -> None:
    tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    taking = tasks.add_parser("load", help="take in a release from a file, checked")
    taking.add_argument("file", type=Path)
    taking.add_argument("--format", default="", dest="format_", help="its layout, when it is not recognised")
    taking.add_argument("--edition", default="", help="the publisher's name of this edition, for example 2025-09")
    taking.add_argument("--sha256", default="", help="what the file must be, where its fingerprint is known")
    taking.add_argument("--licence", default="", help="of a table of your own, for example CC-BY-4.0")
    taking.add_argument("--attribution", default="", help="who made the figures of a table of your own")
    taking.add_argument("--json", action="store_true")
    as_argument(taking)
    fetching = tasks.add_parser("fetch", help="get a source from its publisher and take it in; goes on where it stopped")
    fetching.add_argument("source")
    fetching.add_argument("--only", default="", metavar="FILE", help="one of its files, for example OPRI.zip")
    fetching.add_argument("--edition", default="", metavar="YYYYMM", help="the month of a release; without it the newest that is there")
    fetching.add_argument("--from", default="", dest="mirror", metavar="URL", help="scheme and host of a mirror with the publisher's paths")
    fetching.add_argument("--sha256", default="", help="what the file must be; with --only")
    fetching.add_argument("--json", action="store_true")
    as_argument(fetching)
    exporting = tasks.add_parser("export", help="write the observations of a release, with its licence, into a ZIP; refused where they may not be passed on")
    exporting.add_argument("release", help="its id, as `vsm list release` shows it")
    exporting.add_argument("--out", type=Path, required=True, metavar="FILE")
    as_argument(exporting)
    running = tasks.add_parser("run", help="run a study from the newest releases and keep its facts")
    running.add_argument("study")
    running.add_argument("--source", default="", metavar="own:SERIES", help="a series of a table of your own in place of what publishers tell")
    running.add_argument("--json", action="store_true")
    as_argument(running)
    briefing = tasks.add_parser("brief", help="publish a brief from the newest facts, or write the newest edition into a folder")
    briefing.add_argument("name")
    briefing.add_argument("--out", type=Path, metavar="DIR", help="write its PDFs and its bundle of figures there")
    as_argument(briefing)
    computing = tasks.add_parser("indicator", help="an indicator of the catalogue as CSV; without a name, the catalogue")
    computing.add_argument("name", nargs="?", default="")
    computing.add_argument("--regions", type=Path, metavar="FILE", help="a grouping of countries of your own (YAML, CSV) in place of the regions of the SDG")
    computing.add_argument("--flows", default="", metavar="SERIES", help="the series of flows, for example flows.top10")
    computing.add_argument("--out", type=Path, metavar="FILE")
    tasks.add_parser("verify", help="whether the observations of every release are what they were when it was taken in")
    listing = tasks.add_parser("sources", help="the sources that are known, with their licences")
    listing.add_argument("--json", action="store_true")


def observatory(args: argparse.Namespace) -> int:
    """Do one task; each says what it did, or why not and what next."""
    return TASKS[args.task](args)


def _load(args: argparse.Namespace) -> int:
    if not args.file.is_file():
        print(f"{args.file} is not a file that can be read.", file=sys.stderr)
        return 2
    release = load(args.file, by=acting(args), now=clock.now(), format_=args.format_, edition=args.edition, expected=args.sha256, licence=args.licence, attribution=args.attribution, progress=_progress)
    _say([release], args)
    return 0


def _fetch(args: argparse.Namespace) -> int:
    _say(fetch(args.source, by=acting(args), now=clock.now(), only=args.only, edition=args.edition, mirror=args.mirror, expected=args.sha256, progress=_progress), args)
    return 0


def _say(releases: list[Release], args: argparse.Namespace) -> None:
    told = [_told(release) for release in releases]
    if args.json:
        print(json.dumps(told[0] if args.task == "load" else told, ensure_ascii=False, indent=1))
        return
    for release in releases:
        print(f"{release.source}: {release.rows} observations, {len(release.checks)} checks passed ({release.file_name}, SHA-256 {release.sha256[:16]}…)")
        if any(code == "agrees-with-uis" and not facts["compared"] for code, _passed, facts in release.checks):
            print("Its totals were not compared: no totals of UIS are loaded for these hosts and years.", file=sys.stderr)
        for found in filter(None, (remark(code, facts) for code, _passed, facts in release.checks)):
            print(found, file=sys.stderr)


def _told(release: Release) -> dict[str, object]:
    return {"id": str(release.pk), "source": release.source, "edition": release.edition, "rows": release.rows, "sha256": release.sha256, "checks": release.checks}


def _export(args: argparse.Namespace) -> int:
    release = RELEASE.seen_by(acting(args), args.release)
    args.out.write_bytes(bundle_of(release))
    print(f"{args.out}: {release.rows} observations of {release.source}, with their licence.")
    return 0


def _sources(args: argparse.Namespace) -> int:
    rows = [{"source": s.slug, "publisher": s.publisher, "licence": s.licence, "redistribute": s.redistribute, "formats": list(s.formats)} for s in sources().values()]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    for row in [] if args.json else rows:
        print(f"{row['source']:14} {row['licence']:22} {'may be passed on' if row['redistribute'] else 'may not be passed on':22} {row['publisher']}")
    return 0


def _verify(args: argparse.Namespace) -> int:
    del args
    wrong = damaged()
    for release in wrong:
        print(f"{release.source} ({release.file_name}, {release.pk}): its observations are gone or were changed. Load the same file again, or restore the data folder from a backup.", file=sys.stderr)
    if not wrong:
        count = Release.objects.filter(state="loaded").count()
        print(f"{count} release{'' if count == 1 else 's'}, each as it was taken in.")
    return 1 if wrong else 0


def _run(args: argparse.Namespace) -> int:
    run = run_study(Hub.objects.get(), by=acting(args), now=clock.now(), kind=args.study, source=args.source)
    failed = [code for code, passed, _figure, _asked in run.gates if not passed]
    if args.json:
        print(json.dumps({"id": str(run.pk), "kind": run.kind, "number": run.number, "digest": run.digest, "experimental": run.experimental, "gates": run.gates, "facts": run.facts}, ensure_ascii=False, indent=1))
    else:
        print(f"{run.kind} {run.number}: {len(run.facts)} facts, {'experimental, failed: ' + ', '.join(failed) if failed else 'every gate passed'}")
    return 0


def _brief(args: argparse.Namespace) -> int:
    edition = publish_brief(Hub.objects.get(), by=acting(args), now=clock.now(), slug=args.name)
    url = permalink(edition)
    print(f"{edition.slug}, edition {edition.number}: {len(edition.facts)} figures, {url}")
    if not settings().address:
        print("VSM_BASE_URL is not set, so an edition that is published now prints where it stands here, without an address.", file=sys.stderr)
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        for language, digest in edition.pdfs.items():
            (args.out / f"{edition.slug}.{language}.pdf").write_bytes(files.get(digest))
        (args.out / f"{edition.slug}.zip").write_bytes(bundle(edition, url))
        print(f"Written to {args.out}: {len(edition.pdfs)} PDFs and the bundle.")
    return 0


def _indicator(args: argparse.Namespace) -> int:
    from vsm import observatory
    from vsm.observatory.indicators.catalogue import catalogue, gets, missing

    if args.name not in catalogue():
        for each in catalogue().values():
            print(f"{each.id:20} {each.unit:9} {each.bounds:12} {each.name['en']}", file=sys.stderr if args.name else sys.stdout)
        return 2 if args.name else 0
    options = {name: told for name, told in (("regions", observatory.regions(args.regions) if args.regions else None), ("flows", args.flows)) if told}
    wanted = catalogue()[args.name]
    if not wanted.needs:
        print(f"{args.name} compares two distributions that you give it: see docs/handbook/analyst.md, In a notebook.", file=sys.stderr)
        return 2
    try:
        found = observatory.indicator(args.name, **options).to_pandas()
    except TypeError as cause:  # an option that it does not take, or one that only a notebook can give
        print(f"{args.name}: {cause}. See docs/handbook/analyst.md, In a notebook.", file=sys.stderr)
        return 2
    found.to_csv(args.out or sys.stdout, index=False)
    if found.empty:
        lacking = missing(wanted, series_there())
        names, commands = ", ".join(" / ".join(some) for some in lacking), dict.fromkeys(gets()[some[0]] for some in lacking if some[0] in gets())
        print(f"No figures. Not loaded: {names}." if names else "No figures.", *(f"Get it with ./vsm observatory fetch {command}, or load the file." for command in commands), file=sys.stderr)
    if INBOUND in wanted.source and (choices := decisions("uis", INBOUND)):
        told = "; ".join(break_told(*each) for each in breaks_followed(f"{geo} {each.year} {each.decision}" for geo, some in choices.items() for each in some if each.decision != "keep"))
        print(f"As published. Studies follow what was decided about breaks, this does not: {told}.", file=sys.stderr)
    return 0


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"{done} of {total}", end="\n" if done >= total else "\r", file=sys.stderr, flush=True)


TASKS = {"brief": _brief, "export": _export, "fetch": _fetch, "indicator": _indicator, "load": _load, "run": _run, "sources": _sources, "verify": _verify}
