"""The one typed settings object, and the only place that reads the environment.

Every variable is optional: with none of them OpenVSM runs on this computer, on SQLite, with its data under `var/`.
A wrong value stops the start with an instruction.
"""

import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("all", "web", "worker")
ENGINES = ("spark", "clickhouse", "trino")


class WrongSetting(SystemExit):
    """A setting that cannot be used; the message says which, why and what to write instead."""

    def __init__(self, name: str, value: str, advice: str) -> None:
        super().__init__(f"{name}={value!r} cannot be used: {advice}")


@dataclass(frozen=True)
class Settings:
    """Documented in docs/handbook/operator.md; a test compares the two."""

    data: Path
    database_url: str
    address: str
    """The public address where one was given, else empty: what is printed and kept names no address that nobody has."""
    hosts: tuple[str, ...]
    debug: bool
    role: str
    demo: bool
    mail_url: str
    mail_from: str
    require: frozenset[str]
    secret_key: str
    key_passphrase: str
    observatory_engine: str

    @property
    def base_url(self) -> str:
        return self.address or "http://localhost:8000"

    @property
    def is_postgres(self) -> bool:
        return self.database_url.startswith(("postgres://", "postgresql://"))

    @property
    def is_secure(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or "localhost"


@lru_cache
def settings() -> Settings:
    """Read the environment once."""
    data = Path(_read("VSM_DATA") or ROOT / "var").resolve()
    role = _read("VSM_ROLE") or "all"
    if role not in ROLES:
        raise WrongSetting("VSM_ROLE", role, f"choose one of {', '.join(ROLES)}.")
    address = _read("VSM_BASE_URL").rstrip("/")
    if address and (urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).hostname):
        raise WrongSetting("VSM_BASE_URL", address, "write the public address, for example https://vsm.example.edu.")
    database_url = _read("DATABASE_URL")
    if database_url and not database_url.startswith(("postgres://", "postgresql://", "sqlite:///")):
        raise WrongSetting("DATABASE_URL", database_url, "write postgresql://user:password@host:5432/name, or leave it out for SQLite.")
    host = urlsplit(address).hostname or "localhost"
    return Settings(
        data=data,
        database_url=database_url,
        address=address,
        hosts=tuple(filter(None, _read("VSM_HOSTS").split(","))) or (host, "localhost", "127.0.0.1", "[::1]", "testserver"),
        debug=_flag("VSM_DEBUG"),
        role=role,
        demo=_flag("VSM_DEMO"),
        mail_url=_read("VSM_MAIL_URL"),
        mail_from=_read("VSM_MAIL_FROM") or f"OpenVSM <no-reply@{host}>",
        require=frozenset(filter(None, _read("VSM_REQUIRE").split(","))),
        secret_key=_read("VSM_SECRET_KEY") or _kept_secret(data / "secret-key"),
        key_passphrase=_read("VSM_KEY_PASSPHRASE"),
        observatory_engine=_engine(_read("VSM_OBSERVATORY_ENGINE")),
    )


def open_for_analysis(data: str | Path = "") -> None:
    """Let a notebook be a process of this program: its data folder where one is named, and Django's bootstrap variables. A
    notebook runs inside an event loop, where Django would refuse its own blocking calls though nothing else waits."""
    if data:
        os.environ["VSM_DATA"] = str(data)
        settings.cache_clear()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vsm.app.settings")
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


def _engine(address: str) -> str:
    """Empty for DuckDB inside this process."""
    if address in {"", "duckdb"}:
        return ""
    parts = urlsplit(address)
    if parts.scheme not in ENGINES or not parts.hostname:
        shown = f"{parts.scheme}://{parts.hostname or ''}"  # an address may hold a password
        raise WrongSetting("VSM_OBSERVATORY_ENGINE", shown, f"write the address of one of {', '.join(ENGINES)}, for example clickhouse://user:password@host:8123/vsm, or leave it out.")
    return address


def _read(name: str) -> str:
    return os.environ.get(name, "").strip()


def _flag(name: str) -> bool:
    value = _read(name).lower()
    if value not in {"", "0", "1", "true", "false", "yes", "no"}:
        raise WrongSetting(name, value, "write 1 or 0.")
    return value in {"1", "true", "yes"}


def _kept_secret(path: Path) -> str:
    """A secret made once and kept beside the data, so that sessions survive a restart."""
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        pass
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    except OSError as cause:
        raise WrongSetting("VSM_DATA", str(path.parent), f"the folder cannot be written ({cause.strerror}). Choose another with --data DIR.") from cause
    with os.fdopen(handle, "w") as file:
        secret = secrets.token_urlsafe(48)
        file.write(secret)
    return secret
