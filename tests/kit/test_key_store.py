"""The signer's key store: who may open it, what survives, and how keys come and go."""

import json
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc import jwe

from vsm.kit.errors import Invalid, Unavailable
from vsm.kit.key_store import KeyStore
from vsm.kit.signing import sign_jwt, verify_jwt

PASSPHRASE = "a sentence that only the operator knows"
NOW = datetime(2026, 7, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deriving a key from a passphrase is slow on purpose; one test below holds the real count."""
    monkeypatch.setattr("vsm.kit.key_store.ROUNDS", 1_000)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def store(directory: Path) -> KeyStore:
    return KeyStore.create(directory, PASSPHRASE, now=NOW)


def codes(error: Invalid | Unavailable) -> list[str]:
    return [reason.code for reason in error.reasons]


def token(store: KeyStore, when: datetime) -> str:
    return sign_jwt({"iss": "https://vsm.example", "nbf": int(when.timestamp())}, store.active(when))


def test_a_new_store_has_one_key_that_signs_today(store: KeyStore) -> None:
    (key,) = store.public_keys()
    assert store.active(NOW).public == key
    assert (key.valid_from, key.retired_at) == (NOW, None)


def test_the_same_key_is_there_after_opening_again(store: KeyStore, directory: Path) -> None:
    again = KeyStore.open(directory, PASSPHRASE)
    assert again.active(NOW).private.as_dict(private=True) == store.active(NOW).private.as_dict(private=True)


def test_nobody_but_the_owner_may_read_anything(store: KeyStore, directory: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (directory, *directory.iterdir())}
    assert modes == {"keys": 0o700, "keys.json": 0o600, f"{store.public_keys()[0].kid}.jwe": 0o600}


def test_the_private_key_is_nowhere_in_clear(store: KeyStore, directory: Path) -> None:
    secret = str(store.active(NOW).private.as_dict(private=True)["d"])
    assert len(secret) == 43
    assert [path.name for path in directory.iterdir() if secret.encode() in path.read_bytes()] == []


def test_guessing_a_passphrase_costs_what_owasp_asks(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    store = KeyStore.create(directory, PASSPHRASE, now=NOW)
    sealed = (directory / f"{store.public_keys()[0].kid}.jwe").read_bytes()
    header = jwe.extract_compact(sealed, jwe.default_registry).headers()
    assert {name: header[name] for name in ("alg", "enc", "p2c")} == {
        "alg": "PBES2-HS512+A256KW",
        "enc": "A256GCM",
        "p2c": 210_000,
    }


def test_the_wrong_passphrase_opens_nothing(store: KeyStore, directory: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        KeyStore.open(directory, PASSPHRASE + "?")
    assert codes(caught.value) == ["passphrase"]


def test_a_store_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        KeyStore.open(tmp_path / "nowhere", PASSPHRASE)
    assert codes(caught.value) == ["key-store-missing"]


def test_a_store_is_not_made_twice(store: KeyStore, directory: Path) -> None:
    with pytest.raises(Invalid) as caught:
        KeyStore.create(directory, PASSPHRASE, now=NOW)
    assert codes(caught.value) == ["key-store-exists"]
    assert len(store.public_keys()) == 1


def test_a_short_passphrase_is_refused_before_anything_is_written(directory: Path) -> None:
    with pytest.raises(Invalid) as caught:
        KeyStore.create(directory, "fourteen chars", now=NOW)
    assert (codes(caught.value), directory.exists()) == (["passphrase"], False)


@pytest.mark.parametrize("name", ["", "*.jwe", "keys.json"])
def test_a_store_that_others_may_read_is_not_opened(store: KeyStore, directory: Path, name: str) -> None:
    path = next(directory.glob(name)) if name else directory
    path.chmod(path.stat().st_mode | 0o040)
    with pytest.raises(Unavailable) as caught:
        KeyStore.open(directory, PASSPHRASE)
    assert codes(caught.value) == ["key-store-open"]


@pytest.mark.parametrize("spoil", [b"", b"{", b"[]", b'{"keys": 7}'])
def test_a_damaged_history_is_told_and_not_overwritten(store: KeyStore, directory: Path, spoil: bytes) -> None:
    (directory / "keys.json").write_bytes(spoil)
    for act in (lambda: KeyStore.open(directory, PASSPHRASE), lambda: store.generate(valid_from=NOW)):
        with pytest.raises(Unavailable) as caught:
            act()
        assert codes(caught.value) == ["key-store-damaged"]
    assert (directory / "keys.json").read_bytes() == spoil


def test_a_lost_private_key_is_told(store: KeyStore, directory: Path) -> None:
    (directory / f"{store.public_keys()[0].kid}.jwe").unlink()
    with pytest.raises(Unavailable) as caught:
        KeyStore.open(directory, PASSPHRASE)
    assert codes(caught.value) == ["key-missing"]


def test_a_private_key_put_in_anothers_place_is_refused(store: KeyStore, directory: Path) -> None:
    first, second = store.public_keys()[0].kid, store.generate(valid_from=NOW).kid
    (directory / f"{first}.jwe").write_bytes((directory / f"{second}.jwe").read_bytes())
    with pytest.raises(Invalid) as caught:
        KeyStore.open(directory, PASSPHRASE)
    assert codes(caught.value) == ["key-mismatch"]


def test_after_rotation_old_tokens_verify_and_new_ones_bear_the_new_key(store: KeyStore) -> None:
    before = token(store, NOW)
    later = NOW + timedelta(days=90)
    fresh = store.rotate(now=later)
    assert store.active(later).kid == fresh.kid
    history = store.public_keys()
    assert verify_jwt(before, keys=history, now=later).ok
    assert verify_jwt(token(store, later), keys=history, now=later).ok


def test_a_retired_key_does_not_verify_what_is_dated_later(store: KeyStore) -> None:
    old = store.active(NOW)
    later = NOW + timedelta(days=90)
    store.rotate(now=later)
    forged = sign_jwt({"iss": "https://vsm.example", "nbf": int(later.timestamp())}, old)
    assert not verify_jwt(forged, keys=store.public_keys(), now=later).ok


def test_a_distrusted_key_verifies_nothing_and_signs_nothing(store: KeyStore, directory: Path) -> None:
    before = token(store, NOW)
    store.distrust(store.public_keys()[0].kid, at=NOW + timedelta(days=1))
    assert not verify_jwt(before, keys=store.public_keys(), now=NOW).ok
    with pytest.raises(Unavailable) as caught:
        KeyStore.open(directory, PASSPHRASE).active(NOW)
    assert codes(caught.value) == ["no-active-key"]


@pytest.mark.parametrize("days", [-1, 31])
def test_a_window_is_never_moved_outside_what_was_announced(store: KeyStore, days: int) -> None:
    kid = store.public_keys()[0].kid
    store.retire(kid, at=NOW + timedelta(days=30))
    with pytest.raises(Invalid):
        store.retire(kid, at=NOW + timedelta(days=days))
    assert store.public_keys()[0].retired_at == NOW + timedelta(days=30)


def test_an_unknown_key_cannot_be_retired(store: KeyStore) -> None:
    with pytest.raises(Invalid):
        store.retire("unknown", at=NOW)


def test_a_key_for_next_month_waits(store: KeyStore) -> None:
    current = store.active(NOW).kid
    coming = store.generate(valid_from=NOW + timedelta(days=30)).kid
    assert [store.active(NOW + timedelta(days=days)).kid for days in (0, 29, 30)] == [current, current, coming]


def test_a_write_that_breaks_off_leaves_the_old_history(
    store: KeyStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (directory / "keys.json").read_bytes()

    def power_cut(descriptor: int) -> None:
        raise OSError(descriptor)

    monkeypatch.setattr(os, "fsync", power_cut)
    with pytest.raises(OSError):
        store.retire(store.public_keys()[0].kid, at=NOW)
    assert (directory / "keys.json").read_bytes() == before
    assert [path.name for path in directory.iterdir() if path.name.startswith(".")] == []


def test_keys_generated_at_once_are_all_kept(directory: Path, store: KeyStore) -> None:
    stores = [KeyStore.open(directory, PASSPHRASE) for _ in range(4)]
    threads = [threading.Thread(target=opened.generate, kwargs={"valid_from": NOW}) for opened in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(json.loads((directory / "keys.json").read_text())["keys"]) == 5
