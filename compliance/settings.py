"""All settings. Each value is read once from the environment by name; a missing one names itself and the fix.

`X_FILE` stands in for every secret `X` (a file that holds the value, as container platforms mount them).
"""

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from celery.schedules import crontab, schedule
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

DEVELOPMENT, TEST, PRODUCTION = "development", "test", "production"


def required(name: str, fix: str) -> str:
    """The value of `name` or of the file that `name`_FILE points to; without either, an error that says what to do."""
    file = env.str(f"{name}_FILE", None)
    value = Path(file).read_text().strip() if file else env.str(name, None)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {fix} (`python3 dev.py run` sets everything up by itself.)")
    return str(value)


def optional(name: str, default: str = "") -> str:
    file = env.str(f"{name}_FILE", None)
    return Path(file).read_text().strip() if file else str(env.str(name, default))


def database(url: str) -> dict[str, Any]:
    """A Django database entry from `postgresql://user:password@host:port/name?host=/socket/folder`."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ImproperlyConfigured("DATABASE_URL must start with postgresql:// (PostgreSQL is the only database).")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = query.pop("host", None) or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": query,
    }


# ---------------------------------------------------------------------------------------------- where we are
MIZAN_ENV = required("MIZAN_ENV", "Set it to production, development or test.")
if MIZAN_ENV not in (DEVELOPMENT, TEST, PRODUCTION):
    raise ImproperlyConfigured(f"MIZAN_ENV is {MIZAN_ENV!r}. Set it to production, development or test.")
IN_PRODUCTION = MIZAN_ENV == PRODUCTION
DEBUG = False
VERSION = "0.1.0"

SECRET_KEY = required("SECRET_KEY", "Set it to at least 50 random characters.")
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY is shorter than 50 characters. Set it to at least 50 random characters.")

BASE_URL = env.str("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
if IN_PRODUCTION and not BASE_URL.startswith("https://"):
    raise ImproperlyConfigured("BASE_URL must start with https:// in production.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [urlsplit(BASE_URL).hostname or "localhost", "127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = [BASE_URL]

DATA_DIR = Path(required("MIZAN_DATA_DIR", "Set it to the folder that holds documents, keys and work files.")).resolve()
KEY_FILE = Path(env.str("KEY_FILE", str(DATA_DIR / "keys" / "keys.json")))
LOG_KEY_DIR = Path(env.str("LOG_KEY_DIR", str(DATA_DIR / "keys" / "log")))
KEY_PROVIDER = env.str("KEY_PROVIDER", "file")
if KEY_PROVIDER not in ("file", "vault", "aws"):
    raise ImproperlyConfigured(f"KEY_PROVIDER is {KEY_PROVIDER!r}. Set it to file, vault or aws.")
if KEY_PROVIDER == "vault":
    VAULT_ADDR = required("VAULT_ADDR", "Set it to the address of Vault, such as https://vault.example.com:8200.")
    if IN_PRODUCTION and not VAULT_ADDR.startswith("https://"):
        raise ImproperlyConfigured("VAULT_ADDR must start with https:// in production.")
    # The file is read at each call: an agent may renew it.
    VAULT_TOKEN_FILE = env.str("VAULT_TOKEN_FILE", "")
    VAULT_TOKEN = required("VAULT_TOKEN", "Set VAULT_TOKEN_FILE to the file that Vault's agent writes.")
    VAULT_NAMESPACE = env.str("VAULT_NAMESPACE", "")
    VAULT_TRANSIT_MOUNT = env.str("VAULT_TRANSIT_MOUNT", "transit")
    VAULT_TRANSIT_KEY = env.str("VAULT_TRANSIT_KEY", "mizan")
AWS_KMS_PREFIX = env.str("AWS_KMS_PREFIX", "mizan")
# What was shredded, by id: a restored database is compared with it before it serves (manage.py keys replay-shreds).
TOMBSTONES_FILE = Path(env.str("TOMBSTONES_FILE", str(KEY_FILE.with_name("shredded.jsonl"))))
VAULT_DIR = Path(env.str("VAULT_DIR", str(DATA_DIR / "vault")))
# Where documents lie: a bucket of an S3-compatible store when one is named (boto3), else VAULT_DIR.
S3_BUCKET = env.str("S3_BUCKET", "")
S3_PREFIX = env.str("S3_PREFIX", "")
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", "")
S3_REGION = env.str("S3_REGION", "")
VAULT_STORAGE = "documents.s3.S3Storage" if S3_BUCKET else "documents.storage.LocalStorage"
# Where ClamAV's daemon listens: unix:/path or host:port. Empty: nothing is scanned, and every document says so.
CLAMD = env.str("CLAMD", "")
# What is kept for one customer at most: a stolen session or a script must not fill the disk.
CUSTOMER_FILES = env.int("CUSTOMER_FILES", 500)
CUSTOMER_BYTES = env.int("CUSTOMER_BYTES", 5 * 1024**3)
# The program that reads print; empty: pictures are not read. Tests that need it name it.
TESSERACT = env.str("TESSERACT", "" if MIZAN_ENV == TEST else shutil.which("tesseract") or "")

# ---------------------------------------------------------------------------------------------- applications
INSTALLED_APPS = [
    "audit",
    "compliance.keys",
    "compliance.policy",
    "compliance.outbox",
    "compliance.people",
    "compliance.people.suspicions",
    "compliance.proposals",
    "compliance.platform",
    "documents",
    "documents.keeping",
    "cases",
    "cases.contacts",
    "cases.clocks",
    "cases.drafts",
    "cases.types.verification",
    "cases.demo",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_fsm",
    "guardian",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]
MIDDLEWARE = [
    "compliance.health.HealthMiddleware",
    "compliance.platform.problems.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "audit.middleware.ContextMiddleware",
    "compliance.keys.guard.ReplayGuard",
    "compliance.people.middleware.PreferencesMiddleware",
    "audit.access.RuleMiddleware",
]
ROOT_URLCONF = "compliance.urls"
WSGI_APPLICATION = "compliance.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cases.shell.shell",
            ],
            "libraries": {"look": "compliance.look"},
            "builtins": ["compliance.look", "django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------------------------------------- data stores
_database_url = required("DATABASE_URL", "Set it to the application role's postgresql:// address.")
DATABASES = {
    "default": database(_database_url),
    # A second connection of the same role: refusals written here survive the rollback of their request.
    "log": database(_database_url),
}

CACHE_URL = optional("CACHE_URL")
CACHES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

CELERY_BROKER_URL = optional("CELERY_BROKER_URL") or "folder://"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
if CELERY_BROKER_URL == "folder://":
    BROKER_DIR = DATA_DIR / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        "store_processed": False,
        "polling_interval": 0.05,
    }
    # Remote control keeps its table in a file that a kill can cut; one machine needs none.
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
else:
    # A request that wakes a worker does not wait for a broker that is away: the sweep finds the row.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 1800,
        "max_retries": 1,
        "interval_start": 0,
        "interval_max": 0.2,
        "socket_connect_timeout": 2,
    }
CELERY_BEAT_SCHEDULE = {
    # The broker is a hint, the database is the truth: the sweeps find what a lost message forgot.
    "outbox.sweep": {"task": "outbox.sweep", "schedule": schedule(5)},
    "documents.sweep": {"task": "documents.sweep", "schedule": schedule(10)},
    "documents.scrub": {"task": "documents.scrub", "schedule": schedule(3600)},
    "documents.sweep_files": {"task": "documents.sweep_files", "schedule": schedule(3600)},
    "proposals.expire": {"task": "proposals.expire", "schedule": schedule(60)},
    "cases.expire_evidence": {"task": "cases.expire_evidence", "schedule": schedule(900)},
    "verification.lapse": {"task": "verification.lapse", "schedule": schedule(60)},
    "clocks.sweep": {"task": "clocks.sweep", "schedule": schedule(60)},
    "drafts.forget_old": {"task": "drafts.forget_old", "schedule": schedule(86_400)},
    "people.clear_sessions": {"task": "people.clear_sessions", "schedule": schedule(86_400)},
    "platform.sweep": {"task": "platform.sweep", "schedule": schedule(3600)},
    "audit.anchor": {"task": "audit.anchor", "schedule": schedule(60)},
    "audit.reconcile": {"task": "audit.reconcile", "schedule": crontab(hour="3", minute="17")},
}

# Without a mail server a letter would lie in a file and count as sent.
MAIL_FIX = "Set it to smtp+tls://user:password@host:587."
EMAIL_URL = required("EMAIL_URL", MAIL_FIX) if IN_PRODUCTION else optional("EMAIL_URL")
if EMAIL_URL:
    _mail = urlsplit(EMAIL_URL)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 587
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
    EMAIL_USE_TLS = _mail.scheme == "smtp+tls"
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(DATA_DIR / "mail")
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", "Mizan <no-reply@localhost>")

# ---------------------------------------------------------------------------------------------- people
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "compliance.people.sign_in.ClosedSignUp"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# How many proxies of ours stand before us: the address of a request is the one that the outermost of them saw.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
SESSION_COOKIE_AGE = 60 * 60 * 10
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"

ANONYMOUS_USER_NAME = None

# ---------------------------------------------------------------------------------------------- the log
AUDIT_SEALER = "compliance.keys.sealer.SubjectSealer"
AUDIT_ORIGIN = env.str("AUDIT_ORIGIN", urlsplit(BASE_URL).hostname or "localhost")
AUDIT_TICK_SECONDS = env.float("AUDIT_TICK_SECONDS", 0.2)
AUDIT_ANCHOR_EVERY = env.int("AUDIT_ANCHOR_EVERY", 3600)  # seconds between two checkpoints that one anchor confirms
AUDIT_ANCHOR_ALARM_AFTER = env.int("AUDIT_ANCHOR_ALARM_AFTER", 6 * 3600)  # seconds without a confirmation
# Which anchors may see the AML log's checkpoints: its size tells how busy that side is; a time stamp shows a digest.
_anchors_of_aml = env.list("AUDIT_ANCHOR_AML", ["file", "tsa", "bucket", "witness"])
AUDIT_ANCHORS: dict[str, dict[str, Any]] = {}  # audit/anchors/__init__.py says what each is


def _anchor(name: str, anchor: str, /, **options: Any) -> None:
    logs = ("main", "aml") if name in _anchors_of_aml else ("main",)
    AUDIT_ANCHORS[name] = {"ANCHOR": anchor, "OPTIONS": options, "LOGS": logs}


if _file := optional("AUDIT_ANCHOR_FILE"):
    _anchor("file", "audit.anchors.file.AppendOnlyFile", path=_file)
if _url := optional("AUDIT_ANCHOR_TSA_URL"):
    _chain = required("AUDIT_ANCHOR_TSA_CHAIN", "Set it to a PEM file with the authority's certificates.")
    _anchor("tsa", "audit.anchors.timestamps.TimeStamps", url=_url, chain=_chain)
if _bucket := optional("AUDIT_ANCHOR_BUCKET"):
    _days = env.int("AUDIT_ANCHOR_BUCKET_DAYS", 3650)
    _endpoint, _prefix = optional("AUDIT_ANCHOR_BUCKET_ENDPOINT"), optional("AUDIT_ANCHOR_BUCKET_PREFIX")
    _anchor(
        "bucket",
        "audit.anchors.bucket.LockedBucket",
        bucket=_bucket,
        days=_days,
        endpoint=_endpoint,
        prefix=_prefix,
    )
if _url := optional("AUDIT_ANCHOR_WITNESS_URL"):
    _vkey = required("AUDIT_ANCHOR_WITNESS_VKEY", "Set it to the witness's verifier key, name+hash+key.")
    _anchor("witness", "audit.anchors.witness.Witness", url=_url, vkey=_vkey)
_letters: list[str] = env.list("AUDIT_ANCHOR_MAIL", [])
if _letters:
    _anchor("mail", "audit.anchors.mail.Letters", to=_letters)
AUDIT_PROPOSE_EXPORT = "proposals:export"  # the page where a larger export is asked for
AUDIT_EXPORT_ALONE = 10_000  # entries that one person exports on the page; above, policy's "audit.export" asks two

# ---------------------------------------------------------------------------------------------- words
LANGUAGE_CODE = "en"
# Arabic has no texts: the tests show with it what becomes of a page that is written from right to left.
LANGUAGES = [("en", "English"), ("tr", "Türkçe"), *([("ar", "العربية")] if MIZAN_ENV == TEST else [])]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
TEXTS_DIR = BASE_DIR / "texts"

# ---------------------------------------------------------------------------------------------- the web
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles" if IN_PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "documents.storage.NoDefaultStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IN_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not IN_PRODUCTION
WHITENOISE_AUTOREFRESH = MIZAN_ENV == DEVELOPMENT
FILE_UPLOAD_HANDLERS = ["documents.uploads.RefusingUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 10

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if BASE_URL.startswith("https://"):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", True)
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if env.bool("BEHIND_TLS_PROXY", False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# ---------------------------------------------------------------------------------------------- logs
LOG_FORMAT = env.str("LOG_FORMAT", "json" if IN_PRODUCTION else "console")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "console": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "audit.logs.JsonLines"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {"django.request": {"level": "ERROR"}, "fontTools": {"level": "WARNING"}},
}
