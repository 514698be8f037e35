#!/usr/bin/env python3
"""Mizan on this machine: `python3 dev.py run`, `python3 dev.py test`, and what else its developers do daily.

Standard library only. Makes its own environment in .venv from a hashed lock and starts its own PostgreSQL.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from compliance.embedded import environment, processes
from compliance.embedded.environment import APPLICATION_LOCK, DEVELOPMENT_LOCK, PYTHON, ROOT, EnvironmentBroken
from compliance.embedded.installation import Installation, SetUpFailed
from compliance.embedded.postgres import APPLICATION, OWNER, SEQUENCER, Cluster, PostgresError
from compliance.embedded.sbom import dump
from compliance.embedded.scratch import scratch_folder, start_from_migrated
from compliance.embedded.supervisor import NotReady, Supervisor

PACKAGES = ("audit", "compliance", "documents", "cases")
OWNER_COMMANDS = {"migrate", "makemigrations", "createcachetable", "showmigrations", "sqlmigrate", "dbshell"}


class Stopped(BaseException):
    """Somebody asked us to stop: Ctrl+C, SIGTERM, a closed terminal, or our parent's death."""


class Refused(Exception):
    """The command cannot run as asked; the text names the cause and the fix."""


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    # Some images set it, and every process of ours would compile itself anew: 4.6 s to a start instead of 1.9.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    stop_with_our_parent()
    try:
        return int(options.verb(options))
    except Stopped:
        return 130
    except (EnvironmentBroken, NotReady, PostgresError, Refused, SetUpFailed) as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 1


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py", description=__doc__, allow_abbrev=False)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verb = verbs.add_parser("run", help="start Mizan with its own database, worker and sequencer", allow_abbrev=False)
    verb.add_argument("--port", type=int, default=8000, help="where the web server listens (default 8000)")
    verb.add_argument("--no-demo", dest="demo", action="store_false", help="do not load demo data on the first start")
    verb.add_argument(
        "--simulate", action="store_true", help="beside the demo, have an invented platform's players act"
    )
    verb.add_argument("--data", type=Path, default=ROOT / ".data", help="data folder (default .data)")
    verb.set_defaults(verb=run)

    # `rest` verbs hand everything on: argparse must not eat options that belong to pytest or manage.py.
    for name, act, words in (
        ("test", test, "run the tests on a real PostgreSQL; arguments go to pytest"),
        ("manage", manage, "manage.py in this environment, on the data folder's database"),
    ):
        verb = verbs.add_parser(name, help=words, add_help=False, allow_abbrev=False, prefix_chars="\0")
        verb.add_argument("rest", nargs=argparse.REMAINDER)
        verb.set_defaults(verb=act)

    verb = verbs.add_parser("check", help="format, lint, types, import rules, migrations, production settings")
    verb.set_defaults(verb=check)

    verb = verbs.add_parser("sbom", help="the parts of the product as CycloneDX, from a lock", allow_abbrev=False)
    verb.add_argument("--lock", default="server.txt", choices=["app.txt", "server.txt", "dev.txt"])
    verb.set_defaults(verb=sbom)
    verb = verbs.add_parser("bench", help="measure a promise: audit, vault, desk, ...", allow_abbrev=False)
    verb.add_argument("name")
    verb.add_argument("--json", action="store_true", help="print one JSON object")
    verb.add_argument("--quick", action="store_true", help="under 45 s, on smaller data")
    verb.add_argument("--minutes", help="soak: how long (default 60)")
    verb.add_argument("--rate", help="soak: requests a second (default 30)")
    verb.set_defaults(verb=bench)
    return parser.parse_args(arguments)


# Verbs


def run(options: argparse.Namespace) -> int:
    data_dir = options.data.absolute()
    with step("environment"):
        environment.ensure(APPLICATION_LOCK)
        environment.compile_texts()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_one(data_dir):
        refuse_busy(options.port)
        serve(data_dir, options.port, with_demo=options.demo, simulated=options.simulate)
    return 0


def serve(data_dir: Path, port: int, *, with_demo: bool, simulated: bool) -> None:
    """Start the database, then the services on it; end both when somebody stops us."""
    with Cluster(data_dir) as cluster:
        installation = Installation(data_dir, cluster, port=port)
        with step("database schema"):
            installation.update_schema()
        supervisor = Supervisor(installation, say=say)
        try:
            with step("services and demo data" if with_demo else "services"):
                supervisor.start_all()
                sign_ins = demo(installation, wanted=with_demo)
                supervisor.wait_until_ready()
            say(f"\nMizan runs at {installation.url}/   data: {data_dir}   logs: {data_dir / 'log'}")
            if sign_ins:
                say("\n" + sign_ins.rstrip())
            if simulated:
                simulate(supervisor, demo_is_there=bool(sign_ins))
            say("\nCtrl+C stops it.")
            watch(supervisor, cluster)
        finally:
            ignore_signals()
            supervisor.end_all()
            say("Stopped.")


def watch(supervisor: Supervisor, cluster: Cluster) -> None:
    """Mend what dies, until somebody stops us: that is how a run ends well."""
    with contextlib.suppress(Stopped):
        while True:
            time.sleep(0.2)
            if cluster.died:
                say("The database ended by itself; starting it again.")
                cluster.restart()
            supervisor.mend()
            processes.reap_adopted({*supervisor.pids(), cluster.pid})


def demo(installation: Installation, *, wanted: bool) -> str:
    """Load the demo on the first start of a data folder; return the sign-ins to print, empty without a demo."""
    remembered = installation.data_dir / "demo"  # "loaded" or "declined", once for the life of the folder
    if not remembered.exists():
        if wanted:
            sign_ins = installation.manage("demo", "seed")
            remembered.write_text("loaded")
            return sign_ins
        remembered.write_text("declined")
    return installation.manage("demo", "show") if remembered.read_text() == "loaded" else ""


def simulate(supervisor: Supervisor, *, demo_is_there: bool) -> None:
    """Start the simulator of an operator's platform, with players of its own."""
    if not demo_is_there:
        raise Refused("--simulate has its players in the demo, which this data folder was started without.")
    licensee, owner = supervisor.installation.manage("demo", "trial").split()
    supervisor.add(supervisor.installation.simulator(licensee=licensee, by=owner, currency="TRY"))
    say(f"\nSimulated players act. What they do: {supervisor.log('simulator')}")


def test(options: argparse.Namespace) -> int:
    environment.ensure(DEVELOPMENT_LOCK)
    environment.compile_texts()
    arguments = without_slow(options.rest)
    with scratch_folder() as folder:
        start_from_migrated(folder)
        with Cluster(folder, durable=False) as cluster:
            installation = Installation(
                folder,
                cluster,
                kind="test",
                extra={"MIZAN_TEST_CLUSTER": str(folder), "DJANGO_ALLOW_ASYNC_UNSAFE": "true"},
            )
            return hand_over([PYTHON, "-m", "pytest", *arguments], installation.environment(), cluster=cluster)


def without_slow(arguments: list[str]) -> list[str]:
    """The arguments for pytest, which leave slow tests out unless they choose marks themselves."""
    return arguments if any(part.startswith("-m") for part in arguments) else ["-m", "not slow", *arguments]


def check(options: argparse.Namespace) -> int:
    environment.ensure(DEVELOPMENT_LOCK)
    with tempfile.TemporaryDirectory() as folder:
        production = inherited() | {
            "BASE_URL": "https://mizan.invalid",
            "DATABASE_URL": f"postgresql://nobody:nothing@/nothing?host={folder}",
            "DJANGO_SETTINGS_MODULE": "compliance.settings",
            "MIZAN_DATA_DIR": folder,
            "MIZAN_ENV": "production",
            "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
            "PYTHONWARNINGS": "ignore::RuntimeWarning",  # makemigrations has no database to ask here, and needs none
            "SECRET_KEY": secrets.token_urlsafe(60),
        }
        steps = {
            "format": ["-m", "ruff", "format", "--check", "."],
            "lint": ["-m", "ruff", "check", "."],
            "types": ["-m", "mypy", *PACKAGES],
            "import rules": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
            "migrations": ["manage.py", "makemigrations", "--check", "--dry-run"],
            "texts": ["-m", "compliance.translation", "check"],
            "production settings": ["manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        }
        failed = [name for name, command in steps.items() if not passes(name, command, production)]
    say(f"check: {', '.join(failed)} failed." if failed else "check: all passed.")
    return 1 if failed else 0


def passes(name: str, command: Sequence[str], env: dict[str, str]) -> bool:
    began = time.monotonic()
    done = subprocess.run(
        [str(PYTHON), *command], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    passed = done.returncode == 0
    say(f"{'ok    ' if passed else 'FAILED'} {name} ({time.monotonic() - began:.1f} s)")
    if not passed:
        say(done.stdout.rstrip())
    return passed


def manage(options: argparse.Namespace) -> int:
    environment.ensure(APPLICATION_LOCK)
    data_dir = ROOT / ".data"
    if options.rest[:1] == ["--data"] and len(options.rest) > 1:
        data_dir, options.rest = Path(options.rest[1]).absolute(), options.rest[2:]
    with running_or_started(data_dir) as cluster:
        env = Installation(data_dir, cluster).environment(role_of(options.rest))
        return hand_over([PYTHON, ROOT / "manage.py", *options.rest], env)


def sbom(options: argparse.Namespace) -> int:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    say(dump(ROOT / "requirements" / options.lock, version=version))
    return 0


def role_of(command: list[str]) -> str:
    """The database role that may do what a manage.py command does."""
    if command[:2] == ["audit", "sequence"]:
        return SEQUENCER
    return OWNER if OWNER_COMMANDS & set(command[:1]) else APPLICATION


def bench(options: argparse.Namespace) -> int:
    environment.ensure(DEVELOPMENT_LOCK)
    environment.compile_texts()
    flags = [flag for flag in ("--json", "--quick") if getattr(options, flag[2:])]
    flags += [f"--{name}={value}" for name in ("minutes", "rate") if (value := getattr(options, name))]
    with scratch_folder() as folder, Cluster(folder) as cluster:
        installation = Installation(folder, cluster, kind="test", extra={"MIZAN_BENCH_CLUSTER": str(folder)})
        installation.update_schema()
        return hand_over([PYTHON, "-m", "bench", options.name, *flags], installation.environment())


# Steps


def say(line: str) -> None:
    print(line, flush=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Say how long a step of the start took, when one would notice."""
    began = time.monotonic()
    yield
    say(f"{name}: {time.monotonic() - began:.1f} s")


def inherited() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    }


@contextlib.contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder while we run; refuse a second start by name."""
    with (data_dir / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Refused(
                f"Mizan already runs on {data_dir} (process {lock.read().strip() or 'unknown'}). "
                "Stop it, or start this one with --data OTHER_FOLDER --port OTHER_PORT."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def refuse_busy(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise Refused(
                f"Port {port} cannot be used ({error}). Choose another: python3 dev.py run --port {port + 1}"
            ) from None


@contextlib.contextmanager
def running_or_started(data_dir: Path) -> Iterator[Cluster]:
    """The cluster of a data folder: the one that runs, else one started for this command."""
    cluster = Cluster(data_dir)
    if cluster.answers():
        yield cluster
    else:
        with cluster:
            yield cluster


def hand_over(command: Sequence[str | Path], env: dict[str, str], *, cluster: Cluster | None = None) -> int:
    """Run a command on this terminal and return its status; it ends with us, and Ctrl+C is its own business.

    A `cluster` that is killed meanwhile, as fault tests do, is started again.
    """
    child = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env=env,
        preexec_fn=processes.leash(os.getpid(), signal.SIGTERM),
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the child as well
    try:
        while (status := ended(child, within=0.2)) is None:
            if cluster is not None and cluster.died:
                cluster.restart()
    except BaseException:
        ignore_signals()
        child.terminate()
        ended(child, within=20)
        child.kill()
        child.wait()
        raise
    return status if status >= 0 else 128 - status


def ended(child: subprocess.Popen[bytes], *, within: float) -> int | None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        return child.wait(within)
    return None


# Signals


def stop_with_our_parent() -> None:
    """Turn every wish to end us into `Stopped`, so that what we started is ended in order."""
    parent = os.getppid()

    def stop(number: int, frame: FrameType | None) -> None:
        ignore_signals()
        raise Stopped

    def stop_if_orphaned(number: int, frame: FrameType | None) -> None:
        if os.getppid() != parent:  # Linux also sends it when only the thread that started us ended
            stop(number, frame)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    signal.signal(signal.SIGUSR1, stop_if_orphaned)
    processes.tell_when_parent_dies(signal.SIGUSR1)


def ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
