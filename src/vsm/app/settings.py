"""Django's settings, derived from the typed `vsm.config.settings()`."""

from pathlib import Path

from whitenoise.compress import Compressor

from vsm.app.databases import database
from vsm.app.mail import mail
from vsm.config import settings as configured

_own = configured()
_package = Path(__file__).resolve().parents[1]

SECRET_KEY = _own.secret_key
DEBUG = _own.debug
ALLOWED_HOSTS = list(_own.hosts)
CSRF_TRUSTED_ORIGINS = [_own.base_url]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "django_tasks",
    "ninja",
    "vsm.kit",
    *(
        f"vsm.exchange.{slice_}"
        for slice_ in (
            "institutions", "people", "agreements", "catalogue", "applications", "allocation",
            "learning_agreements", "sessions", "teams", "mobilities", "recognition", "credentials",
            "programmes",
            "placements", "preparations",
            "emergencies",
            "collaborations", "events", "statistics",
        )
    ),
    *(f"vsm.observatory.{slice_}" for slice_ in ("sources", "estimates", "exchange_series", "casebook", "publications")),
    "vsm.web",
    "vsm.app.apps.CompositionConfig",
]  # fmt: skip

MIDDLEWARE = [
    "vsm.web.headers.SecurityHeaders",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "vsm.web.reader.ReaderMiddleware",
    "vsm.web.refusals.RefusalMiddleware",
]

ROOT_URLCONF = "vsm.app.urls"
WSGI_APPLICATION = "vsm.app.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_package / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "vsm.web.reader.page",
            ],
            "builtins": ["django.templatetags.i18n", "vsm.web.templatetags.look"],
        },
    }
]
FORM_RENDERER = "vsm.web.forms.Renderer"

DATABASES = {"default": database(_own.database_url, _own.data)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "vsm.web.passwords.LongOrSecondFactor"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator", "OPTIONS": {"user_attributes": ("email", "name")}},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_ADAPTER = "vsm.web.accounts.InvitedOnly"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_USER_DISPLAY = "vsm.web.accounts.shown_as"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _own.is_secure
MFA_FORMS = {"add_webauthn": "vsm.web.security_keys.AddKeyForm", "edit_webauthn": "vsm.web.security_keys.RenameKeyForm"}
MFA_TOTP_ISSUER = "OpenVSM"
MFA_TOTP_TOLERANCE = 1  # the code before and after, for clocks that differ (RFC 6238, section 5.2)

LANGUAGE_CODE = "es"
LANGUAGES = [("es", "Español"), ("pt-br", "Português"), ("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [_package / "locale"]
FORMAT_MODULE_PATH = ["vsm.app.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = _own.data / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "vsm.app.static_files.Storage"},
}
# Only what pages ask for is kept and compressed: a first start must not wait for source maps.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

TASKS = {"default": {"BACKEND": "vsm.kit.jobs.LeasedBackend", "QUEUES": ["default", "long"]}}

DEFAULT_FROM_EMAIL = _own.mail_from
globals().update(mail(_own.mail_url, _own.data))

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _own.is_secure
SECURE_HSTS_SECONDS = 31_536_000 if _own.is_secure else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _own.is_secure else None
SECURE_CONTENT_TYPE_NOSNIFF = True
# No other site learns an address that is itself a right to act. Stricter would lock people out: under "no-referrer" a browser
# sends its forms with `Origin: null`, which the protection against forgery refuses.
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "vsm.web.refusals.stale_form"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS: list[str] = []

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
