"""How letters leave: by SMTP as `VSM_MAIL_URL` says, or into files under the data folder when it says nothing."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from vsm.config import WrongSetting

PORTS = {"smtp": 587, "smtps": 465}


def mail(url: str, data: Path) -> dict[str, Any]:
    """Django's EMAIL_* settings for `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465` (TLS from the start)."""
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": str(data / "mail")}
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise WrongSetting("VSM_MAIL_URL", parts.scheme, "write smtp://user:password@host:587 or smtps://user:password@host:465.")
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp" and not local,
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 20,
    }
