"""Make everything ready to serve: each step looks first and works only when there is something to do."""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from django.apps import apps
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from vsm.cli.readiness import DEMO_FILE, folder_problem, note_ready
from vsm.config import ROOT, settings
from vsm.exchange.catalogue import indexing
from vsm.exchange.institutions.models import Hub, Organisation
from vsm.kit import clock
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Refused
from vsm.kit.messages import compile_changed
from vsm.observatory.casebook.actions import plant
from vsm.observatory.estimates.actions import run_study
from vsm.observatory.estimates.models import EstimateRun
from vsm.observatory.estimates.studies import STUDIES
from vsm.observatory.exchange_series.actions import take
from vsm.observatory.exchange_series.events import take_attendance
from vsm.observatory.exchange_series.queries import newest_vintage
from vsm.observatory.publications.actions import publish_brief
from vsm.observatory.publications.briefs import briefs
from vsm.observatory.publications.models import Publication
from vsm.observatory.sources.actions import ship, ship_region
from vsm.observatory.sources.models import Release

FACTS = ROOT / "src" / "vsm" / "observatory" / "sources"
UNSERVED = ["redoc*", "htmx-2*", "htmax*"]  # parts of packages that no page of ours asks for; brotli takes seconds for them


def migrate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="fill an empty database with the demo world")


def migrate(args: argparse.Namespace) -> int:
    """Every step in order; a progress line for each that had something to do."""
    problem = folder_problem(settings().data)
    if problem:
        print(problem, file=sys.stderr)
        return 1
    with step("Translations") as tell:
        tell(compile_translations())
    with step("Database") as tell:
        tell(migrate_database())
    with step("Static files") as tell:
        tell(collect_static())
    if args.demo:
        with step("Demo world") as tell:
            tell(seed())
    with step("Search index") as tell:
        tell(build_index())
    with step("Observatory") as tell:
        tell(", ".join(filter(None, (plant_casebook(), ship_facts(with_briefs=args.demo)))))  # briefs speak of the casebook
    note_ready(settings())
    return 0


def compile_translations() -> str:
    try:
        compiled = compile_changed()
    except OSError as cause:  # a read-only installation was compiled when it was installed
        return f"not compiled: {cause.strerror}"
    return f"{compiled} compiled" if compiled else ""


def migrate_database() -> str:
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if waiting and is_untouched():
        lay_out(executor)
    elif waiting:
        call_command("migrate", verbosity=0, interactive=False)
    if not Hub.objects.exists():
        Hub(name="OpenVSM", contact=django_settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].rstrip(">")).save()
    return f"{waiting} migrations" if waiting else ""


def is_untouched() -> bool:
    """Whether nothing was ever migrated here. Tables without a noted migration are those of a start that was
    interrupted while it laid them out; they are empty, and are laid out again."""
    noted = MigrationRecorder(connection)
    return not noted.has_table() or not noted.migration_qs.exists()


def lay_out(executor: MigrationExecutor) -> None:
    """Make today's tables at once and note every migration as done.

    Walking all steps of the past on an empty database gives the same tables (`./vsm lint` looks that the steps end at
    the records of today) and takes twenty times as long, most of it for SQLite, which copies a table for each new column.
    """
    tables = set(connection.introspection.table_names())
    with connection.constraint_checks_disabled(), connection.schema_editor() as editor:
        for name in sorted(tables):
            editor.execute(f"DROP TABLE {connection.ops.quote_name(name)}" + (" CASCADE" if connection.vendor == "postgresql" else ""))
    known = django_settings.MIGRATION_MODULES
    django_settings.MIGRATION_MODULES = {config.label: None for config in apps.get_app_configs()}
    try:
        call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)
    finally:
        django_settings.MIGRATION_MODULES = known
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    with transaction.atomic():
        for key in executor.loader.graph.nodes:
            recorder.record_applied(*key)


def collect_static() -> str:
    """Collect and compress when a source file has changed since."""
    target = Path(django_settings.STATIC_ROOT)
    mark = target / ".collected-from"
    lines = [(ROOT / "requirements.lock").read_text("ascii") if (ROOT / "requirements.lock").exists() else ""]
    for folder in sorted((ROOT / "src" / "vsm").rglob("static")):
        lines += [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in sorted(folder.rglob("*")) if path.is_file()]
    wanted = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    if mark.exists() and mark.read_text() == wanted:
        return ""
    call_command("collectstatic", verbosity=0, interactive=False, clear=True, ignore_patterns=UNSERVED)
    mark.write_text(wanted)
    return f"{sum(path.is_file() for path in target.rglob('*'))} files"


def seed() -> str:
    """Fill an empty database, in one transaction: an interrupted start leaves nothing half made."""
    mark = settings().data / DEMO_FILE
    if mark.exists():
        return ""
    if Organisation.objects.exists():
        return "left out: this database already holds institutions"
    from vsm import demo  # only here: no other installation need load its courses and names

    with transaction.atomic():
        demo.make_world(clock.now())
    accounts = [{"who": a.who, "role": a.role, "email": a.email, "password": a.password} for a in demo.accounts()]
    mark.write_text(json.dumps(accounts, ensure_ascii=False, indent=1), "utf-8")
    return f"{Organisation.objects.count()} institutions, {len(accounts)} accounts"


def build_index() -> str:
    if indexing.is_fresh():
        return ""
    return f"{indexing.catch_up()} offerings"


def ship_facts(*, with_briefs: bool) -> str:
    """World and regional totals of mobile students and the studies of them, so that a first start shows real figures
    without a network; in the demo also the briefs. What an installation has loaded or run itself stays as it is."""
    did = []
    for name, whose, shipping in (("facts.csv", "the world’s regions", ship), ("facts_lac.csv", "Latin America and the Caribbean", ship_region)):
        if not Release.objects.filter(file_name=name, sha256=hashlib.sha256((FACTS / name).read_bytes()).hexdigest()).exists():
            did.append(f"{shipping(now=clock.now()).rows} figures of {whose}")
    hub = Hub.objects.get()
    if with_briefs and newest_vintage() is None:
        did += _counted()
    waiting = sorted(set(STUDIES) - set(EstimateRun.objects.values_list("kind", flat=True)))
    did += [f"study {kind}" for kind in waiting if _ran(hub, kind)]
    if with_briefs:
        unpublished = sorted(set(briefs()) - set(Publication.objects.values_list("slug", flat=True)))
        did += [f"brief {slug}" for slug in unpublished if _published(hub, slug)]
    return ", ".join(did)


def _counted() -> list[str]:
    """Nothing where too few institutions have agreed to pool, as in a demo world made before anybody was asked."""
    taken = {"exchanges": take(now=clock.now()), "events": take_attendance(now=clock.now())}
    return [f"{each.rows} counts of the demo’s {what}" for what, each in taken.items() if each]


def _ran(hub: Hub, kind: str) -> bool:
    """False where what is loaded does not suffice: a study of countries waits for their figures."""
    try:
        run_study(hub, by=SYSTEM, now=clock.now(), kind=kind)
    except Refused:
        return False
    return True


def _published(hub: Hub, slug: str) -> bool:
    try:
        publish_brief(hub, by=SYSTEM, now=clock.now(), slug=slug)
    except Refused as refusal:
        print(f"Brief {slug} was not published: {refusal.reasons[0].params}", file=sys.stderr)
        return False
    return True


def plant_casebook() -> str:
    """The models and cases that the program brings."""
    planted = plant(now=clock.now())
    return f"{planted} casebook entries" if planted else ""


@contextmanager
def step(name: str) -> Iterator["Telling"]:
    """A line for a step: its name while it runs, then what it did and how long; nothing when it had nothing to do."""
    telling, began = Telling(), monotonic()
    if sys.stdout.isatty():
        print(f"  {name} …", end="\r", flush=True)
    yield telling
    if telling.did:
        print(f"  {name:14} {telling.did} ({monotonic() - began:.1f} s)", flush=True)


class Telling:
    """What a step did, empty for nothing."""

    did = ""

    def __call__(self, did: str) -> None:
        self.did = did
