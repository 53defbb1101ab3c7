"""`vsm backup` and `vsm restore`."""

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from vsm.cli.readiness import forget_ready
from vsm.cli.saying import speak
from vsm.config import ROOT, settings
from vsm.kit import clock
from vsm.kit.backup import DATABASE, Source, make, must_be_empty, put_in_place, unpack


def backup_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=Path, metavar="DIR", help="where to (default: backups/ in the data folder; better another disk)")
    parser.add_argument("--keep", type=int, default=14, metavar="N", help="how many stay (default 14)")


def backup(args: argparse.Namespace) -> int:
    """Take a backup while everything runs."""
    speak("en")
    own = settings()
    made = make(Source.of(own.data, own.database_url), args.to or own.data / "backups", now=clock.now(), version=_version(), keep=max(1, args.keep))
    print(f"{made.path} ({made.size / 2**20:.1f} MiB, {made.entries} entries, audit log up to {made.audit_seq})")
    print("It holds personal data and keys: keep it where only operators can read it. Try it: vsm restore FILE, on another computer.")
    return 0


def restore_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", type=Path, metavar="DIR", help="restore into this data folder instead")
    parser.add_argument("--force", action="store_true", help="replace what is there (it is moved aside, not deleted)")
    parser.add_argument("--check", action="store_true", help="only check the backup")


def restore(args: argparse.Namespace) -> int:
    """Unpack beside the data folder, check everything, then put it in place. Stop OpenVSM first."""
    own = settings()
    data: Path = (args.data or own.data).resolve()
    data.parent.mkdir(parents=True, exist_ok=True)
    now = clock.now()
    target = Source.of(data, own.database_url)
    if not (args.check or args.force):
        must_be_empty(target)  # told before a large archive is unpacked and examined
    with tempfile.TemporaryDirectory(dir=data.parent, prefix=".restoring-") as work:
        unpacked = Path(work)
        manifest = unpack(args.file, unpacked)
        print(f"Whole: {len(manifest['digests'])} entries, made {manifest['made_at']} by version {manifest['version']}.")
        if (unpacked / DATABASE).exists() and _doctor(unpacked, ""):
            print("Not restored: the audit log in this backup does not hold together.", file=sys.stderr)
            return 1
        if args.check:
            return 0
        aside = put_in_place(unpacked, target, now=now, force=args.force)
    forget_ready(data)
    if aside:
        print(f"What was there before: {aside}")
    print(f"Restored to {data}. The next `vsm up` or `vsm migrate` builds the search index again.")
    return 0


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


def _doctor(data: Path, database_url: str) -> int:
    """Examine these data in a process of their own: this one may be bound to others."""
    environment = {**os.environ, "VSM_DATA": str(data), "DATABASE_URL": database_url}  # noqa: TID251 -- handed on to the child
    return subprocess.run([sys.executable, "-m", "vsm", "doctor", "--only", "audit log"], env=environment, check=False).returncode
