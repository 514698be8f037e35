"""What a server in production refuses to start with: a secret out of an example, keys that others read, a database that
is not migrated. Each is named with its fix, and never its value.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string

LEAST_SIGNS = (
    10  # different ones in a random secret; 64 hexadecimal digits nearly always have more, a repeated word fewer
)
# How secrets that somebody typed begin. Long enough that no random one does.
SAMPLES = (
    *("change", "example", "django-insecure", "insecure", "password", "secret", "sample", "your-", "your_"),
    *("testtest", "xxxxxx", "abcdefgh", "01234567", "12345678"),
)
WEAK = {"", "admin", "changeme", "example", "mizan", "password", "postgres", "root", "secret", "test"}


def refusals() -> list[str]:
    """Why this installation must not serve, each with what to do; empty when nothing stands against it."""
    return [*_secrets(), *_files(), *_directory(), *_migrations()]


def check_installation(app_configs: object, **about: object) -> list[CheckMessage]:
    """For `manage.py check --deploy`: what a server would refuse, said before one starts."""
    return [Error(words, id="starting.E001") for words in (*_secrets(), *_files(), *_directory())]


def check_migrations(databases: Sequence[str] | None = None, **about: object) -> list[CheckMessage]:
    """The same of the database, for `manage.py check --deploy --database default`."""
    if "default" not in (databases or ()):
        return []
    return [Error(words, id="starting.E002") for words in _migrations()]


def is_sample(secret: str) -> bool:
    """Whether somebody typed it, or copied it from a page, instead of drawing it."""
    plain = secret.lower()
    return len(set(secret)) < LEAST_SIGNS or plain.startswith(SAMPLES)


def _secrets() -> Iterator[str]:
    if is_sample(settings.SECRET_KEY):
        yield 'SECRET_KEY is not random. Make one: python3 -c "import secrets; print(secrets.token_urlsafe(60))"'
    database = settings.DATABASES["default"]
    # A socket proves by the operating system who connects, a client certificate by itself: there is no password then.
    proved = not database["HOST"] or database["HOST"].startswith(("/", "@")) or "sslcert" in database["OPTIONS"]
    if not proved and database["PASSWORD"].lower() in WEAK:
        yield "DATABASE_URL has a password that everybody guesses. Give the role another one."


def _files() -> Iterator[str]:
    named = [Path(value) for name, value in os.environ.items() if name.endswith("_FILE") and name in SECRET_FILES]
    keys = [settings.KEY_FILE, *(settings.LOG_KEY_DIR.glob("*") if settings.LOG_KEY_DIR.is_dir() else ())]
    for path in {*named, *keys}:
        if path.is_file() and is_open(path):
            yield f"{path} can be read or changed by everybody on this machine. Run: chmod o-rwx {path}"


def is_open(path: Path) -> bool:
    """Whether others on this machine may write the file, or read it. Container platforms mount secrets read-only with
    0444 or 0644 for one container alone: reading is no matter there."""
    mode = path.stat().st_mode
    return bool(mode & 0o002) or bool(mode & 0o004 and not os.statvfs(path).f_flag & os.ST_RDONLY)


SECRET_FILES = frozenset(
    f"{name}_FILE"
    for name in (
        *("SECRET_KEY", "DATABASE_URL", "CACHE_URL", "CELERY_BROKER_URL", "EMAIL_URL"),
        *("CHECKS_SECRET", "MAILBOXES", "VAULT_TOKEN", "OIDC_CLIENT_SECRET"),
    )
)


def _directory() -> Iterator[str]:
    yield from import_string("compliance.people.access.oidc.services.refusals")()


def _migrations() -> Iterator[str]:
    try:
        import_string("compliance.health.migrations")()
    except Exception as error:  # also a database that is away: nothing is served without one
        yield f"{error} ({type(error).__name__})"
