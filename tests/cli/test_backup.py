"""Backups restore, or say that they do not."""

import gzip
import io
import shutil
import sqlite3
import tarfile
import zlib
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.races.ground import Play, ran
from vsm.kit.backup import DATABASE, MANIFEST, Backup, Source, make, put_in_place, unpack
from vsm.kit.errors import Invalid, Refused, Unavailable

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A data folder with a small database, a file and a key."""
    data = tmp_path / "data"
    for name, content in {"files/ab/abc": b"file", "keys/passphrase": b"secret", "observatory/abc.parquet": b"observations", "static/site.css": b"made again"}.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(content)
    with closing(sqlite3.connect(data / DATABASE)) as database:
        database.execute("CREATE TABLE kit_audithead (id INTEGER, seq INTEGER, digest TEXT)")
        database.execute("INSERT INTO kit_audithead VALUES (1, 7, 'abc')")
        database.execute("CREATE TABLE words (word TEXT)")
        database.executemany("INSERT INTO words VALUES (?)", [("word " * 50,)] * 100)
        database.commit()
    return Source.of(data, "")


@pytest.fixture
def made(source: Source, tmp_path: Path) -> Backup:
    return make(source, tmp_path / "backups", now=NOW, version="1.2.3")


def folder(tmp_path: Path, name: str) -> Path:
    (tmp_path / name).mkdir()
    return tmp_path / name


def test_a_backup_holds_what_cannot_be_made_again_and_nothing_else(made: Backup) -> None:
    with tarfile.open(made.path) as tar:
        assert sorted(tar.getnames()) == ["files/ab/abc", "keys/passphrase", MANIFEST, "observatory/abc.parquet", DATABASE]
    assert (made.entries, made.audit_seq, made.path.name) == (4, 7, "vsm-backup-20270301T120000Z.tar.gz")
    assert made.path.stat().st_mode & 0o077 == 0, "it holds keys"


def test_a_restored_folder_is_what_was_backed_up(made: Backup, source: Source, tmp_path: Path) -> None:
    unpacked, elsewhere = folder(tmp_path, "unpacked"), Source.of(tmp_path / "elsewhere", "")
    assert unpack(made.path, unpacked)["version"] == "1.2.3"
    assert put_in_place(unpacked, elsewhere, now=NOW, force=False) is None
    for name in ("files/ab/abc", "keys/passphrase", "observatory/abc.parquet"):
        assert (elsewhere.data / name).read_bytes() == (source.data / name).read_bytes()
    assert {name: (elsewhere.data / name).stat().st_mode & 0o077 for name in ("keys", "keys/passphrase")} == {"keys": 0, "keys/passphrase": 0}
    with closing(sqlite3.connect(elsewhere.database)) as database:
        assert database.execute("SELECT count(*) FROM words").fetchone() == (100,)


def rewritten(archive: Path, to: Path, change: dict[str, bytes | None]) -> Path:
    """The archive with members changed (bytes), left out (None) or added."""
    with tarfile.open(archive) as old, tarfile.open(to, "w:gz") as new:
        contents = {name: old.extractfile(name).read() for name in old.getnames()}  # type: ignore[union-attr] -- only files are inside
        for name, content in {**contents, **change}.items():
            if content is not None:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                new.addfile(entry, io.BytesIO(content))
    return to


def codes(archive: Path, into: Path) -> list[str]:
    with pytest.raises(Invalid) as refusal:
        unpack(archive, into)
    return [reason.code for reason in refusal.value.reasons]


@pytest.mark.parametrize("name", [DATABASE, "files/ab/abc", "keys/passphrase"])
def test_one_flipped_bit_is_found(made: Backup, tmp_path: Path, name: str) -> None:
    with tarfile.open(made.path) as tar:
        content = bytearray(tar.extractfile(name).read())  # type: ignore[union-attr] -- a file
    content[len(content) // 2] ^= 1
    assert codes(rewritten(made.path, tmp_path / "changed.tar.gz", {name: bytes(content)}), folder(tmp_path, "u"))[0] == "altered"


def test_unchanged_contents_written_anew_pass(made: Backup, tmp_path: Path) -> None:
    """The control of the tests around it: the rewriting itself is not what is found."""
    unpack(rewritten(made.path, tmp_path / "same.tar.gz", {}), folder(tmp_path, "u"))


def test_what_is_missing_and_what_is_foreign_is_named(made: Backup, tmp_path: Path) -> None:
    changed = rewritten(made.path, tmp_path / "changed.tar.gz", {"keys/passphrase": None, "keys/another": b"x"})
    assert codes(changed, folder(tmp_path, "u")) == ["missing", "foreign"]


def test_a_cut_archive_is_no_backup(made: Backup, tmp_path: Path) -> None:
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(made.path.read_bytes()[: made.size // 2])
    assert codes(cut, folder(tmp_path, "u")) == ["not-a-backup"]


def test_a_byte_that_turned_in_the_archive_makes_it_no_backup_and_a_missing_one_is_told(made: Backup, tmp_path: Path) -> None:
    found, content = set(), gzip.decompress(made.path.read_bytes())
    for place in range(40, made.size - 40, 7):
        turned = bytearray(made.path.read_bytes())
        turned[place] ^= 0xFF
        with suppress(OSError, EOFError, zlib.error):
            if gzip.decompress(turned) == content:
                continue  # a repeat that points to another place where the same stands: nothing is spoiled
        (spoiled := tmp_path / "turned.tar.gz").write_bytes(bytes(turned))
        found |= set(codes(spoiled, folder(tmp_path, f"u{place}")))
    assert "not-a-backup" in found
    assert codes(tmp_path / "nowhere.tar.gz", folder(tmp_path, "u")) == ["no-such-file"]


def test_an_archive_with_a_date_that_no_clock_has_is_no_backup(tmp_path: Path) -> None:
    """As a byte that turned in it can write; the system refuses it with an error of arithmetic."""
    with tarfile.open(dated := tmp_path / "dated.tar.gz", "w:gz", format=tarfile.GNU_FORMAT) as tar:
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mtime = 2, 2**80
        tar.addfile(entry, io.BytesIO(b"{}"))
    assert codes(dated, folder(tmp_path, "u")) == ["not-a-backup"]


def test_an_archive_is_unpacked_once_and_to_its_end(made: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last eight bytes are gzip's checksum and length, which tar never reads."""
    read, whole = 0, gzip.GzipFile.read

    def counting(self: gzip.GzipFile, size: int | None = -1) -> bytes:
        nonlocal read
        data = whole(self, size)
        read += len(data)
        return data

    monkeypatch.setattr(gzip.GzipFile, "read", counting)
    unpack(made.path, folder(tmp_path, "u"))
    content = made.path.read_bytes()
    assert read == len(gzip.decompress(content))
    for place in (-8, -1):
        turned = bytearray(content)
        turned[place] ^= 1
        (spoiled := tmp_path / "turned.tar.gz").write_bytes(bytes(turned))
        assert codes(spoiled, folder(tmp_path, f"u{place}")) == ["not-a-backup"]


def test_an_archive_without_its_manifest_is_told_as_damaged(made: Backup, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refusal:
        unpack(rewritten(made.path, tmp_path / "headless.tar.gz", {MANIFEST: None}), folder(tmp_path, "u"))
    [reason] = refusal.value.reasons
    assert (reason.code, reason.params) == ("not-a-backup", {"file": "headless.tar.gz"}), "no path of this machine"


def test_an_archive_cannot_write_outside_its_folder(made: Backup, tmp_path: Path) -> None:
    assert codes(rewritten(made.path, tmp_path / "slip.tar.gz", {"../outside": b"x"}), folder(tmp_path, "u")) == ["not-a-backup"]
    assert not (tmp_path / "outside").exists()


def test_restoring_over_data_takes_force_and_moves_them_aside(made: Backup, source: Source, tmp_path: Path) -> None:
    (source.data / "keys/passphrase").write_bytes(b"a newer secret")
    (source.data / f"{DATABASE}-wal").write_bytes(b"what belongs to the old database")
    unpacked = folder(tmp_path, "unpacked")
    unpack(made.path, unpacked)
    with pytest.raises(Refused):
        put_in_place(unpacked, source, now=NOW, force=False)
    assert (source.data / "keys/passphrase").read_bytes() == b"a newer secret"
    aside = put_in_place(unpacked, source, now=NOW, force=True)
    assert aside is not None
    assert (aside / "keys/passphrase").read_bytes() == b"a newer secret"
    assert (source.data / "keys/passphrase").read_bytes() == b"secret"
    assert not (source.data / f"{DATABASE}-wal").exists(), "an old log would spoil the restored database"


def test_the_oldest_backups_go(source: Source, tmp_path: Path) -> None:
    for day in range(5):
        make(source, tmp_path / "backups", now=NOW + timedelta(days=day), version="1", keep=3)
    assert [path.name[11:19] for path in sorted((tmp_path / "backups").iterdir())] == ["20270303", "20270304", "20270305"]


def test_a_broken_attempt_leaves_nothing_that_looks_like_a_backup(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(tarfile.TarFile, "add", full)
    with pytest.raises(OSError, match="no space"):
        make(source, tmp_path / "backups", now=NOW, version="1")
    assert list((tmp_path / "backups").iterdir()) == []


def test_without_a_database_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        make(Source.of(tmp_path, ""), tmp_path / "backups", now=NOW, version="1")


@pytest.mark.committed
def test_backups_under_constant_writes_restore_with_everything_acknowledged(play: Play, environment: dict[str, str]) -> None:
    if environment["DATABASE_URL"] and not shutil.which("pg_dump"):
        pytest.skip("pg_dump: apt install postgresql-client")
    answer = play("tests.cli.drill:drill", backups=3)
    for drill in answer["drills"]:
        assert (drill["missing"], drill["file"]) == (0, True)
        # The audit chain of the restored data, walked in a process that sees nothing else.
        chain = ran({**environment, "VSM_DATA": drill["data"], "DATABASE_URL": drill["database"]}, "tests.cli.drill:chain")
        assert chain == {"links": drill["audit_seq"], "faults": []}, "the manifest says where the log ends"
        assert chain["links"] >= drill["before"]
    assert sum(drill["during"] for drill in answer["drills"]) > 0, "nobody wrote meanwhile: this run proves nothing"
