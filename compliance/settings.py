"""All settings. Each value is read once from the environment by name; a missing one names itself and the fix.

`X_FILE` stands in for every secret `X` (a file that holds the value, as container platforms mount them).
"""

import shutil
from ipaddress import ip_network
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
    # compliance/wsgi.py limits what a page may ask; workers and commands take their time. A pooler takes no options.
    if (longest := env.str("DATABASE_STATEMENT_TIMEOUT", "")) and not env.bool("DATABASE_POOLER", False):
        query["options"] = f"{query.get('options', '')} -c statement_timeout={longest}".strip()
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # A pooler in transaction mode gives each transaction another connection: no cursor and no prepared statement
        # (audit.prepared) outlives one there.
        "DISABLE_SERVER_SIDE_CURSORS": env.bool("DATABASE_POOLER", False),
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
# Beside it lies the same on who is kept out of play (manage.py exclusions reconcile).
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
    "compliance.people.access",
    "compliance.people.conflicts",
    "compliance.people.suspicions",
    "compliance.people.duty",
    "compliance.people.sameness",
    "compliance.people.exclusions",
    "compliance.proposals",
    "compliance.rulebook",
    "compliance.platform",
    "compliance.platform.webhooks",
    "compliance.platform.inbound",
    "documents",
    "documents.keeping",
    "cases",
    "cases.contacts",
    "cases.clocks",
    "cases.drafts",
    "cases.tags",
    "cases.macros",
    "cases.relations",
    "cases.corrections",
    "cases.former",
    "cases.presence",
    "cases.bulk",
    "cases.quality",
    "cases.glass",
    "cases.marks",
    "cases.looking",
    "cases.notices",
    "cases.mail",
    "cases.types.verification",
    "cases.types.gaming",
    "cases.types.verification.risk",
    "cases.types.verification.checks",
    "cases.types.verification.amounts",
    "cases.types.verification.campaigns",
    "cases.types.gaming.limits",
    "cases.types.gaming.markers",
    "cases.types.monitoring",
    "cases.types.monitoring.reports",
    "cases.types.monitoring.transactions",
    "cases.types.monitoring.rules",
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
    "compliance.isolation.IsolationMiddleware",
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
    "compliance.people.access.middleware.SessionMiddleware",
    "compliance.keys.guard.ReplayGuard",
    "compliance.people.middleware.PreferencesMiddleware",
    "audit.access.RuleMiddleware",
    "cases.drafts.middleware.DraftsMiddleware",
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
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # Above it rows that still count go, by their name: with Django's 300 a stranger's tries would push out the
        # counts of tries. What ended goes by the hour (platform.sweep).
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    }
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
    "cases.wake_due": {"task": "cases.wake_due", "schedule": schedule(30)},
    "cases.raise_priorities": {"task": "cases.raise_priorities", "schedule": schedule(60)},
    "cases.give_out": {"task": "cases.give_out", "schedule": schedule(30)},
    "bulk.sweep": {"task": "bulk.sweep", "schedule": schedule(15)},
    "presence.forget": {"task": "presence.forget", "schedule": schedule(3600)},
    "gaming.ask_registers": {"task": "gaming.ask_registers", "schedule": schedule(15)},
    "gaming.recount": {"task": "gaming.recount", "schedule": schedule(15)},
    "gaming.sweep": {"task": "gaming.sweep", "schedule": schedule(30)},
    "verification.lapse": {"task": "verification.lapse", "schedule": schedule(60)},
    "campaigns.sweep": {"task": "campaigns.sweep", "schedule": schedule(60)},
    "amounts.sweep": {"task": "amounts.sweep", "schedule": schedule(5)},
    "risk.sweep": {"task": "risk.sweep", "schedule": schedule(3600)},
    "limits.sweep": {"task": "limits.sweep", "schedule": schedule(60)},
    "people.sweep_holds": {"task": "people.sweep_holds", "schedule": schedule(60)},
    "people.remind_unanswered": {"task": "people.remind_unanswered", "schedule": schedule(300)},
    "people.draw_holds": {"task": "people.draw_holds", "schedule": schedule(600)},
    "monitoring.count": {"task": "monitoring.count", "schedule": schedule(5)},
    "monitoring.sweep_backtests": {"task": "monitoring.sweep_backtests", "schedule": schedule(30)},
    "monitoring.add_months": {"task": "monitoring.add_months", "schedule": schedule(21_600)},
    "clocks.sweep": {"task": "clocks.sweep", "schedule": schedule(60)},
    "quality.draw": {"task": "quality.draw", "schedule": schedule(600)},
    "drafts.forget_old": {"task": "drafts.forget_old", "schedule": schedule(86_400)},
    "looking.watch": {"task": "looking.watch", "schedule": schedule(300)},
    "looking.forget_reasons": {"task": "looking.forget_reasons", "schedule": schedule(86_400)},
    "mail.poll": {"task": "mail.poll", "schedule": schedule(60)},
    "mail.empty_old": {"task": "mail.empty_old", "schedule": schedule(86_400)},
    "notices.sweep": {"task": "notices.sweep", "schedule": schedule(30)},
    "notices.forget_old": {"task": "notices.forget_old", "schedule": schedule(86_400)},
    "people.clear_sessions": {"task": "people.clear_sessions", "schedule": schedule(86_400)},
    "exclusions.sweep": {"task": "exclusions.sweep", "schedule": schedule(30)},
    "people.end_roles": {"task": "people.end_roles", "schedule": schedule(60)},
    "people.check_rights": {"task": "people.check_rights", "schedule": crontab(hour="3", minute="41")},
    "inbound.forget_old": {"task": "inbound.forget_old", "schedule": schedule(3600)},
    "platform.sweep": {"task": "platform.sweep", "schedule": schedule(3600)},
    "webhooks.sweep": {"task": "webhooks.sweep", "schedule": schedule(5)},
    "webhooks.forget_old": {"task": "webhooks.forget_old", "schedule": schedule(3600)},
    "audit.anchor": {"task": "audit.anchor", "schedule": schedule(60)},
    "audit.reconcile": {"task": "audit.reconcile", "schedule": crontab(hour="3", minute="17")},
}

# National registers of excluded players, as NAME=dotted.path.of.the.adapter; the law of the licensee says which count.
# One that is not named here, or does not answer, is a closed door, never an open one. The simulator is for trials.
SIMULATOR = "cases.types.gaming.registers.simulator.Simulator"
_simulated = [] if MIZAN_ENV != DEVELOPMENT else ["GAMSTOP", "OASIS", "SPELPAUS", "CRUKS", "ROFUS", "RGIAJ", "RUA"]
_registers: list[str] = env.list("REGISTERS", [f"{name}={SIMULATOR}" for name in _simulated])
REGISTERS = dict(one.split("=", 1) for one in _registers)
if IN_PRODUCTION and SIMULATOR in REGISTERS.values():
    raise ImproperlyConfigured("REGISTERS names the simulator. In production name the register's own adapter.")
REGISTERS_COUNT = MIZAN_ENV != TEST  # tests that need them say so

# Networks of your own that webhooks may call, beside the public internet: 10.20.0.0/16,10.30.0.7/32.
_ours: list[str] = env.list("WEBHOOK_NETWORKS", [] if IN_PRODUCTION else ["127.0.0.0/8"])
WEBHOOK_NETWORKS = [ip_network(net) for net in _ours]

VERIFIED_BEFORE_PLAY = MIZAN_ENV != TEST  # whoever opens an account waits for play where policy says so; as above

# Who answers electronic checks of a verification: "simulator" (never in production) or the address of your bridge to
# the register, the bank or the vendor; empty: nobody, and two persons confirm by hand what the law asks for before any
# service. CHECKS_SECRET signs what we send.
_answers = "simulator" if MIZAN_ENV == DEVELOPMENT else ""
CHECKS = {
    "population_register": env.str("CHECKS_POPULATION_REGISTER", _answers),
    "verification_transfer": env.str("CHECKS_VERIFICATION_TRANSFER", _answers),
    "idv": env.str("CHECKS_IDV", _answers),
    "occupation": env.str("CHECKS_OCCUPATION", _answers),
    "bank_contract": env.str("CHECKS_BANK_CONTRACT", _answers),
}
CHECKS_COUNT = MIZAN_ENV != TEST  # whether what nobody is set up to answer stands against an approval; as above
CHECKS_SECRET = optional("CHECKS_SECRET")
if IN_PRODUCTION and "simulator" in CHECKS.values():
    raise ImproperlyConfigured("CHECKS_*: the simulator answers nothing true. Name the address of your bridge.")

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
# Where players write to, one mailbox for each licensee, parted by spaces (cases/mail/boxes.py says how). It holds
# passwords: MAILBOXES_FILE names a file with it.
MAILBOXES = optional("MAILBOXES").split()
# The host of our own mail server that checks senders; what it says in Authentication-Results is believed, nobody else.
MAIL_AUTHORITY = env.str("MAIL_AUTHORITY", "")
# Without one nobody checks senders: a person puts every letter to its case, unless this says to believe them.
MAIL_UNCHECKED = env.bool("MAIL_UNCHECKED", not IN_PRODUCTION)

# ---------------------------------------------------------------------------------------------- people
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "compliance.people.access.backend.StaffBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "compliance.people.access.passwords.LengthValidator"},
    {"NAME": "compliance.people.access.passwords.ExpectedValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# The operator's own directory, beside passwords and passkeys (docs/how-to/sign-in-with-a-directory.md).
OIDC_ISSUER = env.str("OIDC_ISSUER", "")
if OIDC_ISSUER:
    if IN_PRODUCTION and not OIDC_ISSUER.startswith("https://"):
        raise ImproperlyConfigured("OIDC_ISSUER must start with https:// in production.")
    OIDC_CLIENT_ID = required("OIDC_CLIENT_ID", "Set it to the id that your directory gave to Mizan.")
    OIDC_CLIENT_SECRET = required("OIDC_CLIENT_SECRET", "Set OIDC_CLIENT_SECRET_FILE to a file with the secret.")
OIDC_NAME = env.str("OIDC_NAME", urlsplit(OIDC_ISSUER).hostname or "")  # what the button says
OIDC_SCOPES = env.str("OIDC_SCOPES", "openid email profile")
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", "groups")
OIDC_ROLES = env.str("OIDC_ROLES", "")  # a TOML file: which group has which role in which team
# What the directory says when it asked for a second factor (in amr, or as acr). Named none: we ask ourselves.
OIDC_AMR: list[str] = env.list("OIDC_AMR", [])
OIDC_ACR: list[str] = env.list("OIDC_ACR", [])
# Whether somebody who is nobody here yet, and in a group of OIDC_ROLES, gets a sign-in when they come.
OIDC_PROVISION = env.bool("OIDC_PROVISION", False)
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
# No letter goes to an address that nobody signs in with; a worker writes the others, so that both answers take as long.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_FORMS = {"reset_password": "compliance.people.access.forms.AskForLink"}
# Attempts in a shared cache: per address, and per sign-in ("key"). A window that is over forgets.
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "20/m/ip,5/5m/key", "reset_password": "20/m/ip,5/m/key"}
AUDIT_CONFIRM = "compliance.people.access.confirmation.ask"
# How many proxies of ours stand before us: the address of a request is the one that the outermost of them saw.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
# Whether a role that asks for a second factor (policy/staff.toml) gets it: "optional" is for trying the product out.
SECOND_FACTOR = env.str("SECOND_FACTOR", "required" if IN_PRODUCTION else "optional")
if SECOND_FACTOR not in ("required", "optional") or (IN_PRODUCTION and SECOND_FACTOR != "required"):
    raise ImproperlyConfigured(f"SECOND_FACTOR is {SECOND_FACTOR!r}. In production it is required; leave it out.")
# Whether who looks at a player without a case of theirs says why (cases/looking). "off" is for tests and trials.
PANELS_FAIL_ALONE = MIZAN_ENV != TEST  # a part of a case's page that breaks leaves the rest; tests want to see it break
LOOK_REASON = env.str("LOOK_REASON", "off" if MIZAN_ENV == TEST else "asked")
if LOOK_REASON not in ("asked", "off") or (IN_PRODUCTION and LOOK_REASON != "asked"):
    raise ImproperlyConfigured(f"LOOK_REASON is {LOOK_REASON!r}. In production it is asked; leave it out.")
MFA_ADAPTER = "compliance.people.access.factors.Factors"
MFA_FORMS = {"login_webauthn": "compliance.people.access.passkeys.PasskeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not BASE_URL.startswith("https://")  # a passkey on http://localhost
# The longest session of any role; each has shorter limits of its own (policy/staff.toml).
SESSION_COOKIE_AGE = 60 * 60 * 12
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
RELEASES_URL = env.str("RELEASES_URL", "")  # where auditors find verify.py of each version; shown beside its SHA-256
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
        "report-uri": ["/csp-report/"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# Whom to tell about a weakness of this installation, such as mailto:security@example.com (/.well-known/security.txt).
SECURITY_CONTACT = env.str("SECURITY_CONTACT", "")
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
