"""One installation of Mizan on one data folder: its secrets, its environment variables, its schema, its services."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compliance.embedded import processes
from compliance.embedded.environment import APPLICATION_LOCK, PYTHON, ROOT
from compliance.embedded.folder import write_private
from compliance.embedded.postgres import APPLICATION, DATABASE, OWNER, SEQUENCER, Cluster

# A caller's values for these would point a child at somebody else's installation.
_OURS = {
    "ALLOWED_HOSTS",
    "CACHE_URL",
    "CELERY_BROKER_URL",
    "DATABASE_URL",
    "KEY_FILE",
    "KEY_PROVIDER",
    "LOG_KEY_DIR",
    "PYTHONHOME",
    "PYTHONPATH",
    "SECRET_KEY",
    "TOMBSTONES_FILE",
    "VAULT_DIR",
    "VIRTUAL_ENV",
}

# One process for both: starting Django is most of the time.
_MIGRATE = """
import django
from django.core.management import call_command
django.setup()
call_command("migrate", interactive=False, verbosity=0)
call_command("createcachetable", verbosity=0)
call_command("keys", "ensure")
"""


class SetUpFailed(Exception):
    """A step of the set-up failed; the text holds what the step printed."""


@dataclass(frozen=True)
class Service:
    """A long-running process of the product and the database role it signs in as. SIGTERM lets it finish first."""

    name: str
    command: Sequence[str | Path]
    role: str


@dataclass(frozen=True)
class Installation:
    """Where an installation lives and how its processes find it."""

    data_dir: Path
    cluster: Cluster
    port: int = 8000
    kind: str = "development"  # MIZAN_ENV
    database: str = DATABASE
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, role: str = APPLICATION) -> dict[str, str]:
        """The variables of compliance/settings.py for a process that signs in to the database as `role`."""
        inherited = {
            name: value for name, value in os.environ.items() if not _OURS & {name, name.removesuffix("_FILE")}
        }
        return (
            inherited
            | {
                "BASE_URL": self.url,
                "DATABASE_URL": self.cluster.url(role, self.database),
                "DJANGO_SETTINGS_MODULE": "compliance.settings",
                "MIZAN_DATA_DIR": str(self.data_dir),
                "MIZAN_ENV": self.kind,
                "PYTHONUNBUFFERED": "1",
                "SECRET_KEY": self._secret_key(),
            }
            | self.extra
        )

    def manage(self, *arguments: str, role: str = APPLICATION) -> str:
        """Run a manage.py command to its end and return what it printed; SetUpFailed with all of it when it fails."""
        return self._python("manage.py", *arguments, role=role)

    def _python(self, *arguments: str, role: str) -> str:
        done = subprocess.run(
            [str(PYTHON), *arguments],
            cwd=ROOT,
            env=self.environment(role),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            preexec_fn=processes.leash(os.getpid(), signal.SIGTERM),
        )
        if done.returncode != 0:
            raise SetUpFailed(f"python {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}".rstrip())
        return done.stdout

    def update_schema(self) -> bool:
        """Migrate with the owner role, unless the data folder says this code's migrations ran; True when it did."""
        stamp = self.data_dir / f"schema-{self.database}"
        wanted = migrations_digest()
        if stamp.exists() and stamp.read_text() == wanted:
            return False
        self.migrate()
        stamp.write_text(wanted)
        return True

    def migrate(self) -> None:
        """Migrate with the owner role; the cache's table belongs to the schema."""
        self._python("-c", _MIGRATE, role=OWNER)

    def services(self, *, web_workers: int = 2, web_threads: int = 4) -> dict[str, Service]:
        """The web server, the worker, its clock, and the log's sequencer."""
        work = self.data_dir / "work"
        work.mkdir(mode=0o700, exist_ok=True)
        web: list[str | Path] = [
            *(PYTHON, "-m", "gunicorn", "compliance.wsgi:application", "--bind", f"127.0.0.1:{self.port}"),
            *("--preload", "--worker-class", "gthread", "--workers", str(web_workers), "--threads", str(web_threads)),
            *("--worker-tmp-dir", work, "--no-control-socket", "--timeout", "60", "--graceful-timeout", "10"),
        ]
        celery: tuple[str | Path, ...] = (PYTHON, "-m", "celery", "-A", "compliance.celery")
        worker = [*celery, "worker", "--concurrency", "2", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
        # Beside the worker, not in it (--beat): that one outlives a worker that is killed.
        clock: list[str | Path] = [
            *celery,
            "beat",
            "--schedule",
            work / "schedule",
            "--pidfile",
            "",
            "--loglevel",
            "WARNING",
        ]
        sequencer: list[str | Path] = [PYTHON, ROOT / "manage.py", "audit", "sequence"]
        return {
            "web": Service("web", web, APPLICATION),
            "worker": Service("worker", worker, APPLICATION),
            "clock": Service("clock", clock, APPLICATION),
            "sequencer": Service("sequencer", sequencer, SEQUENCER),
        }

    def simulator(self, *, licensee: str, by: str, currency: str) -> Service:
        """An invented platform at one licensee, whose players act once a second or so; a new day's work every day."""
        command: list[str | Path] = [
            *(PYTHON, ROOT / "manage.py", "platform", "simulate", "--licensee", licensee, "--by", by),
            *(
                "--currency",
                currency,
                "--accounts",
                "6",
                "--rate",
                "1",
                "--seconds",
                "86400",
                "--listen",
                "127.0.0.1:0",
            ),
        ]
        return Service("simulator", command, APPLICATION)

    def _secret_key(self) -> str:
        """Random, made once per data folder, readable by its owner only."""
        file = self.data_dir / "secret_key"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(60))
        return file.read_text()


def migrations_digest() -> str:
    """Changes whenever a migration of ours or a pinned library changes."""
    digest = hashlib.sha256(APPLICATION_LOCK.read_bytes())
    for package in ("audit", "cases", "compliance", "documents"):
        for file in sorted((ROOT / package).rglob("migrations/*")):
            if file.is_file() and file.suffix != ".pyc":
                digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
