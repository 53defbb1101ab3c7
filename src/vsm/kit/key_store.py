"""Where the signer keeps its keys: a directory that only the signer's process opens, never the web process.

    <directory>/            mode 700
        keys.json           the public history with windows, mode 600; published by whoever has opened the store
        <thumbprint>.jwe    one private key, mode 600

A private key is a JWK inside a JWE (RFC 7517 §7) under A256GCM and PBES2-HS512+A256KW with 210,000 rounds, the count
that OWASP's Password Storage Cheat Sheet gives for PBKDF2-HMAC-SHA512. Writes go to a new file that is flushed to disk
and then renamed, so that a power cut leaves the old or the new file and never half a key. A private key is on disk
before its public half is listed.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from vsm.kit.errors import Invalid, Unavailable
from vsm.kit.i18n import N_
from vsm.kit.keys import PublicKey, SigningKey, generate_key, read_jwk_set, signing_key, write_jwk_set
from vsm.kit.signing import parse_json
from vsm.kit.verdict import Reason

MIN_PASSPHRASE = 15
ROUNDS = 210_000

_JWE_ALGORITHMS = ["PBES2-HS512+A256KW", "A256GCM"]
_HISTORY = "keys.json"


class KeyStore:
    """An opened store. Get one with `create` or `open`; both prove the passphrase before they return."""

    def __init__(self, directory: Path, passphrase: str) -> None:
        self._directory = directory
        self._secret = OctKey.import_key(passphrase.encode())

    @classmethod
    def create(cls, directory: Path, passphrase: str, *, now: datetime) -> "KeyStore":
        """Make the directory with a first key, valid from `now`. Raises `Invalid`: weak passphrase, store exists."""
        if len(passphrase) < MIN_PASSPHRASE:
            raise Invalid(
                Reason(
                    "passphrase",
                    N_("The passphrase must have at least %(minimum)s characters."),
                    {"minimum": MIN_PASSPHRASE},
                    "passphrase",
                )
            )
        if (directory / _HISTORY).exists():
            raise Invalid(
                Reason(
                    "key-store-exists",
                    N_("There already are signing keys in %(directory)s."),
                    {"directory": str(directory)},
                )
            )
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        store = cls(directory, passphrase)
        store.generate(valid_from=now)
        return store

    @classmethod
    def open(cls, directory: Path, passphrase: str) -> "KeyStore":
        """Open an existing store. Raises `Unavailable` when it is missing, readable by others, damaged, or the
        passphrase is wrong; each message says what to do."""
        if not (directory / _HISTORY).is_file():
            raise _unavailable(
                "key-store-missing",
                N_("There are no signing keys in %(directory)s. Create them before the first credential is signed."),
                directory=str(directory),
            )
        _refuse_open_modes(directory)
        store = cls(directory, passphrase)
        for key in store.public_keys():
            if key.retired_at is None and not key.distrusted:
                store._unlocked(key)
        return store

    def public_keys(self) -> tuple[PublicKey, ...]:
        """The history to publish, oldest first; retired and distrusted keys stay in it for ever."""
        try:
            document = parse_json((self._directory / _HISTORY).read_bytes())
            return tuple(sorted(read_jwk_set(document), key=lambda key: (key.valid_from, key.kid)))
        except FileNotFoundError:
            return ()
        except Invalid as error:
            raise _unavailable(
                "key-store-damaged",
                N_("%(file)s is damaged. Restore it from a backup."),
                file=str(self._directory / _HISTORY),
            ) from error

    def active(self, now: datetime) -> SigningKey:
        """The key to sign with: the newest whose window covers `now`. Raises `Unavailable` when there is none."""
        covering = [key for key in self.public_keys() if key.covers(now)]
        if not covering:
            raise _unavailable("no-active-key", N_("No signing key is valid today. Generate a new one."))
        return self._unlocked(covering[-1])

    def generate(self, *, valid_from: datetime) -> SigningKey:
        """Add a key whose window opens at `valid_from` (whole seconds)."""
        key = generate_key(valid_from=valid_from.replace(microsecond=0))
        with self._locked():
            self._write(f"{key.kid}.jwe", self._sealed(key))
            self._write_history((*self.public_keys(), key.public))
        return key

    def retire(self, kid: str, *, at: datetime) -> PublicKey:
        """Close a key's window at `at`: what is dated before goes on verifying, nothing dated later does.

        Raises `Invalid` for a key that is unknown or whose window would become longer than it was announced.
        """
        with self._locked():
            key = self._found(kid)
            moment = at.replace(microsecond=0)
            if moment < key.valid_from or (key.retired_at is not None and moment > key.retired_at):
                raise Invalid(Reason("retirement-date", N_("A key can be retired only inside its window."), {}, "at"))
            return self._replaced(replace(key, retired_at=moment))

    def distrust(self, kid: str, *, at: datetime) -> PublicKey:
        """The key leaked: it verifies nothing any more, and what it signed must be issued again."""
        with self._locked():
            key = self._found(kid)
            ends = max(at.replace(microsecond=0), key.valid_from)
            return self._replaced(replace(key, distrusted=True, retired_at=min(ends, key.retired_at or ends)))

    def rotate(self, *, now: datetime) -> SigningKey:
        """Generate a key valid from `now` and retire at the same moment those that were active."""
        moment = now.replace(microsecond=0)
        before = [key for key in self.public_keys() if key.covers(moment)]
        fresh = self.generate(valid_from=moment)
        for key in before:
            self.retire(key.kid, at=moment)
        return fresh

    def _found(self, kid: str) -> PublicKey:
        for key in self.public_keys():
            if key.kid == kid:
                return key
        raise Invalid(Reason("key-unknown", N_("There is no key %(kid)s in this store."), {"kid": kid}, "kid"))

    def _replaced(self, changed: PublicKey) -> PublicKey:
        self._write_history(tuple(changed if key.kid == changed.kid else key for key in self.public_keys()))
        return changed

    def _sealed(self, key: SigningKey) -> bytes:
        protected = {"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2c": ROUNDS, "cty": "jwk+json"}
        private = json.dumps(key.private.as_dict(private=True)).encode()
        return jwe.encrypt_compact(protected, private, self._secret, algorithms=_JWE_ALGORITHMS).encode()

    def _unlocked(self, key: PublicKey) -> SigningKey:
        path = self._directory / f"{key.kid}.jwe"
        try:
            sealed = path.read_bytes()
        except OSError as error:
            raise _unavailable(
                "key-missing", N_("%(file)s cannot be read. Restore it from a backup."), file=str(path)
            ) from error
        try:
            opened = jwe.decrypt_compact(sealed, self._secret, algorithms=_JWE_ALGORITHMS).plaintext
        except (JoseError, ValueError) as error:
            raise _unavailable(
                "passphrase",
                N_("%(file)s does not open: the passphrase is wrong or the file is damaged."),
                file=str(path),
            ) from error
        return signing_key(parse_json(opened or b""), key)

    def _write_history(self, keys: tuple[PublicKey, ...]) -> None:
        self._write(_HISTORY, json.dumps(write_jwk_set(keys), indent=1, sort_keys=True).encode())

    def _write(self, name: str, content: bytes) -> None:
        temporary = self._directory / f".{name}.{secrets.token_hex(4)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._directory / name)
        finally:
            temporary.unlink(missing_ok=True)
        self._flush_directory()

    def _flush_directory(self) -> None:
        # A rename is on disk only when the directory is.
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Two commands that change the history at once would lose one change: read, change and write under a lock."""
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _refuse_open_modes(directory: Path) -> None:
    for path in (directory, *directory.iterdir()):
        if path.stat().st_mode & 0o077:
            raise _unavailable(
                "key-store-open",
                N_("Others may read %(path)s. Take the rights away: chmod -R go= %(directory)s"),
                path=str(path),
                directory=str(directory),
            )


def _unavailable(code: str, text: str, **params: object) -> Unavailable:
    return Unavailable(Reason(code, text, params))
