"""`platform simulate`: the example platform of clients/python against this installation, or any other."""

import json
import signal
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from importlib import import_module
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from audit.actors import system
from compliance.people.models import Licensee, User
from compliance.platform import services
from compliance.platform.scopes import Scope
from compliance.platform.webhooks.services import add_endpoint, disable

CLIENT = settings.BASE_DIR / "clients" / "python"
PLAYERS = [Scope.ACCOUNTS_READ, Scope.ACCOUNTS_WRITE, Scope.CUSTOMERS_WRITE]
MONEY = [Scope.LIMITS_CHECK, Scope.MONEY_WRITE, Scope.TRANSACTIONS_WRITE]
NEEDS = [*PLAYERS, *MONEY, Scope.CASES_READ, Scope.EVENTS_READ, Scope.EXCLUSIONS_WRITE, Scope.GATE_READ]


def the_simulator() -> Any:
    """The client stands beside the product and imports nothing of it, as its users do."""
    if str(CLIENT) not in sys.path:
        sys.path.append(str(CLIENT))
    return import_module("mizan_client.simulator")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--url", default=settings.BASE_URL, help=f"of Mizan ({settings.BASE_URL})")
    parser.add_argument(
        "--licensee", metavar="SLUG", help="make a key and an endpoint here for the run, instead of --key-file"
    )
    parser.add_argument("--by", metavar="EMAIL", help="who owns that key")
    # The other verbs work without the client, also `openapi --write`, which mends its types after a merge.
    with suppress(ImportError, SyntaxError):
        the_simulator().add_arguments(parser)


def simulate(options: dict[str, Any], *, licensee: Licensee | None, by: User | None, write: Any) -> dict[str, Any]:
    """What came of it. Its own key and endpoint end with it."""
    try:
        simulator = the_simulator()
    except (ImportError, SyntaxError) as error:
        raise CommandError(f"{CLIENT}: {error}. The simulator is part of the client.", returncode=2) from None
    try:
        if licensee is None:
            if options["key_file"] is None:
                raise CommandError("--key-file or --licensee: name one.", returncode=2)
            given = {"key": simulator.secret_of(options["key_file"])}
            given["secret"] = simulator.secret_of(options["endpoint_file"])
            report: dict[str, Any] = simulator.simulate(options, url=options["url"], write=write, **given)
        else:
            report = _with_a_key_of_its_own(simulator, options, licensee, by, write)
    except (OSError, KeyError, json.JSONDecodeError) as error:
        raise CommandError(f"{options['url']}: {error}", returncode=2) from None
    write(simulator.told(report, as_json=options["json"]))
    return report


def _with_a_key_of_its_own(
    simulator: Any, options: dict[str, Any], licensee: Licensee, by: User | None, write: Any
) -> dict[str, Any]:
    if settings.IN_PRODUCTION and not licensee.is_test:
        raise CommandError(f"{licensee.slug} has real players. Add a test licensee: people add-licensee --test.")
    if by is None:
        raise CommandError("--by: name who owns the key of the run.", returncode=2)
    options = options | {"listen": _a_port(options["listen"])}
    facts: dict[str, Any] = {"licensee": licensee, "name": "simulator", "created_by": by, "by": by}
    ends = timezone.now() + timedelta(seconds=options["seconds"] + 3600)
    key, token = services.issue_key(owner=by, scopes=NEEDS, expires_at=ends, rate_per_minute=None, **facts)
    endpoint, secret = add_endpoint(url=f"http://{options['listen']}/", **facts)
    try:
        with _asked_to_end():
            found: dict[str, Any] = simulator.simulate(
                {**options, "real": True}, url=options["url"], key=token, secret=secret, write=write
            )
            return found
    finally:
        services.revoke_key(key, by=by)
        disable(endpoint, by=system())


def _a_port(listen: str) -> str:
    """Port 0 is one that is free now: the endpoint has to name it before anybody listens there."""
    host, _colon, port = listen.rpartition(":")
    if port != "0":
        return listen
    with socket.socket() as probe:
        probe.bind((host, 0))
        return f"{host}:{probe.getsockname()[1]}"


@contextmanager
def _asked_to_end() -> Iterator[None]:
    """SIGTERM is no crash here: what was made for the run ends with it."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    former = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
