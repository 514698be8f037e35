"""The embedded PostgreSQL: found, made, started and stopped with the process that asked for it.

Life of a cluster: `start` locks the data folder, makes the database on the first start, runs the server on a private
socket, and prepares roles, grants and extensions; `stop` ends it fast. When the starting process dies, however it dies,
the kernel tells the server to stop.

What lies in the data folder: `postgres/` (PostgreSQL's own), `postgres.json` (passwords and where the socket is, 0600),
`postgres.lock` (held while a server runs), `log/postgres.log`.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from urllib.parse import quote

from compliance.embedded import processes
from compliance.embedded.binaries import Binaries, PostgresError, find_binaries, reachable
from compliance.embedded.folder import (
    clear_stale,
    give,
    here,
    locked,
    refuse_other_major,
    remove_dead_socket,
    says_ready,
    short_temporary_folder,
    tail,
    write_private,
)
from compliance.embedded.processes import NOBODY, Account

OWNER, APPLICATION, SEQUENCER, AUDITOR = "mizan_owner", "mizan_app", "mizan_sequencer", "mizan_auditor"
AML_AUDITOR = "mizan_aml_auditor"
ROLES = (OWNER, APPLICATION, SEQUENCER, AUDITOR, AML_AUDITOR)
SUPERUSER = "postgres"
DATABASE = "mizan"

READY_WITHIN = 60.0  # seconds; crash recovery of a large cluster takes a while
STOPPED_WITHIN = 30.0
_PORT = 5432  # only names the socket file
_SOCKET = f".s.PGSQL.{_PORT}"


class Cluster:
    """A PostgreSQL server on `data_dir`/postgres, reached over a private socket with passwords.

    `durable=False` waits for no disk: a commit survives kill -9 of the server, not a power cut. For tests only.
    """

    def __init__(self, data_dir: Path | str, *, durable: bool = True, binaries: Binaries | None = None) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._binaries = binaries

    # Life

    def __enter__(self) -> Cluster:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Make the cluster if there is none, start it, prepare roles and the database; ready when this returns."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = locked(self.data_dir / "postgres.lock", self.data_dir)
        try:
            self._binaries = self._binaries or find_binaries()
            refuse_other_major(self._folder, self._binaries)
            account = Account(NOBODY, NOBODY) if os.geteuid() == 0 else None
            if account is not None:
                self._binaries = reachable(self._binaries, account)
                if self._binaries.major < 16:  # it needs the folder by its full name
                    os.chown(self.data_dir, -1, account.gid)
                    self.data_dir.chmod(0o710)
            give(self._folder, account)
            clear_stale(self._folder)
            self._remember_new(account)
            if not (self._folder / "PG_VERSION").exists():
                self._make(account)
            self._serve(account)
            self._prepare()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Fast stop: sessions are ended, committed work is on disk. Harmless when nothing runs."""
        if self._process is not None:
            processes.end(self._process, by=signal.SIGINT, within=STOPPED_WITHIN)
            self._process = None
        if self._lock is not None:
            with contextlib.suppress(PostgresError):
                shutil.rmtree(self.socket_dir, ignore_errors=True)
            self._lock.close()
            self._lock = None

    def kill(self) -> None:
        """Kill -9 the server, as a power cut would. For fault tests; `restart` recovers."""
        if self._process is None:
            raise PostgresError("This process did not start the server, so it does not kill it.")
        processes.kill_group(self._process)

    def restart(self) -> None:
        """Start the server again after `kill` or `died`, on the same socket and with the same passwords."""
        account = Account(NOBODY, NOBODY) if os.geteuid() == 0 else None
        clear_stale(self._folder)
        self._serve(account)

    @property
    def died(self) -> bool:
        """Whether the server we started ended by itself."""
        return self._process is not None and self._process.poll() is not None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    # Use

    @property
    def socket_dir(self) -> Path:
        return Path(self._known()["socket"])

    def url(self, role: str = APPLICATION, database: str = DATABASE) -> str:
        """The connection URL of one role on one database, as DATABASE_URL takes it."""
        return f"postgresql://{role}:{self.password(role)}@/{quote(database)}?host={quote(str(self.socket_dir))}"

    def password(self, role: str) -> str:
        return str(self._known()["passwords"][role])

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """A database owned by mizan_owner: a copy of `template`, which nobody may use meanwhile, else an empty one."""
        copy = f' TEMPLATE "{template}" STRATEGY file_copy' if template else ""
        self.sql(f'CREATE DATABASE "{name}" OWNER {OWNER}{copy}')
        self.sql(_statements("connect"), database=name)
        if template is None:
            self.sql(_statements("rights"), database=name)

    def drop_database(self, name: str) -> None:
        """Drop a database, ending the sessions on it."""
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def sql(self, text: str, *, database: str = "postgres", role: str = SUPERUSER) -> str:
        """Run SQL through psql as `role` and return the plain output; PostgresError when the server refuses it."""
        binaries = self._binaries or find_binaries()
        environment = binaries.environment() | {
            "PGPASSWORD": self.password(role),
            "PGHOST": str(self.socket_dir),
            "PGPORT": str(_PORT),
            "PGCONNECT_TIMEOUT": "10",
            "PSQLRC": os.devnull,
        }
        done = subprocess.run(
            [binaries.path("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-U", role, "-d", database],
            input=text,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise PostgresError(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout

    def answers(self) -> bool:
        """Whether a server answers with the passwords in this data folder."""
        try:
            return self.sql("SELECT 1").strip() == "1"
        except (PostgresError, OSError):
            return False

    # Steps

    @property
    def _folder(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def _memory(self) -> Path:
        return self.data_dir / "postgres.json"

    def _known(self) -> dict[str, Any]:
        try:
            return json.loads(self._memory.read_text())  # type: ignore[no-any-return]
        except FileNotFoundError:
            raise PostgresError(
                f"{self._memory} is missing: it holds the database passwords. Put it back from a backup, "
                f"or remove {self._folder} to start with an empty database."
            ) from None

    def _remember_new(self, account: Account | None) -> None:
        """Passwords once, a fresh private socket folder at every start."""
        if self._memory.exists():
            known = self._known()
            remove_dead_socket(Path(known["socket"]), _SOCKET)  # left behind by kill -9
            known["passwords"] = _passwords() | known["passwords"]  # a role may be newer than this folder
        elif (self._folder / "PG_VERSION").exists():
            known = self._known()  # raises, naming what is missing
        else:
            known = {"passwords": _passwords()}
        # Always short: a socket's path has about 100 bytes, and the data folder's may be longer.
        known["socket"] = tempfile.mkdtemp(prefix="mizan-", dir=short_temporary_folder())
        if account is not None:
            os.chown(known["socket"], account.uid, account.gid)
        write_private(self._memory, json.dumps(known, indent=1))

    def _make(self, account: Account | None) -> None:
        """initdb beside the final place, then rename: a half-made cluster is never taken for a whole one."""
        assert self._binaries is not None
        fresh = self.data_dir / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password_file = self.socket_dir / "password"
        write_private(password_file, self.password(SUPERUSER))
        if account is not None:
            os.chown(fresh, account.uid, account.gid)
            os.chown(password_file, account.uid, account.gid)
        command: list[str | Path] = [
            self._binaries.path("initdb"),
            "-D",
            here(fresh, self._binaries, account),
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--data-checksums",
            *self._binaries.locale(),
        ]
        if not self.durable:
            command.append("--no-sync")
        try:
            processes.run_as(command, env=self._binaries.environment(), cwd=fresh, account=account)
        except RuntimeError as error:
            raise PostgresError(f"The database could not be made: {error}") from error
        finally:
            password_file.unlink()
        fresh.rename(self._folder)

    def _serve(self, account: Account | None) -> None:
        assert self._binaries is not None
        log = self.data_dir / "log" / "postgres.log"
        log.parent.mkdir(mode=0o700, exist_ok=True)
        settings = {
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": _in_list(self.socket_dir),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "shared_buffers": "128MB",
            "max_connections": "200",
            "jit": "off",
        }
        if not self.durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with log.open("ab") as output:
            self._process = processes.start(
                [self._binaries.path("postgres"), "-D", here(self._folder, self._binaries, account), *options],
                env=self._binaries.environment(),
                cwd=self._folder,
                output=output,
                dies_with=signal.SIGINT,
                account=account,
            )
        self._wait_until_it_answers(log)

    def _wait_until_it_answers(self, log: Path) -> None:
        assert self._process is not None
        deadline = time.monotonic() + READY_WITHIN
        while not (says_ready(self._folder) and self.answers()):
            if self._process.poll() is not None:
                raise PostgresError(f"PostgreSQL ended while starting. The end of {log}:\n{tail(log)}")
            if time.monotonic() > deadline:
                raise PostgresError(
                    f"PostgreSQL does not answer after {READY_WITHIN:.0f} s. The end of {log}:\n{tail(log)}"
                )
            time.sleep(0.02)

    def _prepare(self) -> None:
        """Roles, the database and its rights; safe to repeat, so a start that was cut off is finished by the next."""
        known = self._known()
        if known.get("prepared") == list(ROLES):
            return
        self.sql(_statements("roles"))
        for role in ROLES:
            self.sql(f"ALTER ROLE {role} PASSWORD '{known['passwords'][role]}'")
        if not self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"):
            self.sql(f'CREATE DATABASE "{DATABASE}" OWNER {OWNER}')
        for name in ("connect", "rights"):
            self.sql(_statements(name), database=DATABASE)
        write_private(self._memory, json.dumps(known | {"prepared": list(ROLES)}, indent=1))


def _statements(name: str) -> str:
    """What `manage.py audit roles` runs too, for a database of the operator's own."""
    return (Path(__file__).parent / "roles" / f"{name}.sql").read_text()


def _passwords() -> dict[str, str]:
    return {role: secrets.token_hex(24) for role in (SUPERUSER, *ROLES)}


def _in_list(path: Path) -> str:
    """One element of a comma-separated setting."""
    return '"' + str(path).replace('"', '""') + '"'
