"""Is it alive, is it ready: `GET /healthz` and `GET /readyz`.

Answered by the first middleware: no host check, redirect, session or rule stands before them, because load balancers
ask by address and without TLS. Outsiders learn the names of the checks; the reasons go to the log.
"""

import logging
import tempfile
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)

SEQUENCER_SILENT_FOR = 15.0  # seconds; it gives a sign of life every second


class NotReady(Exception):
    """A check failed; the text is for the log."""


class HealthMiddleware:
    """Answers the two addresses and hands everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = {"/healthz": alive, "/readyz": ready}.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = answer()
        response["Cache-Control"] = "no-store"
        return response


def alive() -> HttpResponse:
    """200 while the process answers at all; asks no database."""
    return JsonResponse({"status": "alive"})


def ready() -> HttpResponse:
    """200 when every check passes, else 503 with the names of those that fail. Alarms are named beside them."""
    checks = {name: passes(name, check) for name, check in CHECKS.items()}
    everything = all(checks.values())
    body = {
        "status": "ready" if everything else "not ready",
        "checks": {name: "ok" if passed else "failing" for name, passed in checks.items()},
        "alarms": {name: "off" if passes(name, check) else "on" for name, check in ALARMS.items()},
    }
    return JsonResponse(body, status=200 if everything else 503)


def passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception:  # whatever breaks inside a check is a failed check, never an error page
        logger.warning("readiness check %s failed", name, exc_info=True)
        return False
    return True


def database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


_migrated = False


def migrations() -> None:
    """Every migration of this code has run. Asked until it is true once: no process sees fewer of them later."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise NotReady("migrations are missing: run `manage.py migrate` with the owner role")
        _migrated = True


def shared_cache() -> None:
    cache.set("readyz", "yes", 60)
    if cache.get("readyz") != "yes":
        raise NotReady("the cache does not keep what it is given")


def broker() -> None:
    """The queue takes messages: its folder can be written to, or its server answers."""
    app = import_string("compliance.celery.app")  # makes the folders of a new installation
    folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("data_folder_out")
    if folder:
        with tempfile.TemporaryFile(dir=str(folder)) as probe:
            probe.write(b"ready?")
    else:
        with app.connection_for_write() as queue:
            queue.ensure_connection(max_retries=1, timeout=2)


def keys() -> None:
    if problems := import_string("compliance.keys.providers.provider")().health():
        raise NotReady("; ".join(problems))


def shreds() -> None:
    """The database knows every shred that the file beside the keys does: it is no backup from before one."""
    import_string("compliance.keys.tombstones.refuse_if_unreplayed")()


def policy() -> None:
    """Every policy reads and is whole; raises with what is wrong in which file."""
    import_string("compliance.policy.book.book")()


def malware() -> None:
    """The scanner that is set up, if any, finds a test file at 49 MB."""
    if problems := import_string("documents.malware.health")():
        raise NotReady("; ".join(problems))


def sequencer() -> None:
    """Entries are placed in the log: the sequencer gave a sign of life and refuses nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT log, refusal, extract(epoch FROM clock_timestamp() - beat_at) FROM audit_state")
        for log, refusal, silent in cursor.fetchall():
            if refusal:
                raise NotReady(f"the sequencer refuses to go on with the log {log}: {refusal}")
            if silent is None or silent > SEQUENCER_SILENT_FOR:
                raise NotReady(f"the sequencer gives no sign of life for the log {log}")


def anchors() -> None:
    """Somebody outside confirmed the log lately. In production, that nobody is asked to is an alarm too."""
    if not settings.AUDIT_ANCHORS and settings.IN_PRODUCTION:
        raise NotReady("no anchor is set up: nothing outside confirms the log (docs/how-to/anchor-the-log.md)")
    for log, name, since in import_string("audit.anchors.placing.late")():
        raise NotReady(f"the anchor {name} has not confirmed the log {log} since {since or 'ever'}")


def reconciliation() -> None:
    """The log was held against itself in one of the last two nights, and agreed."""
    for log in ("main", "aml"):
        import_string("audit.reconciliation.ensure_reconciled")(log)


def rights() -> None:
    """The last nightly look at all rights found nothing."""
    import_string("compliance.people.access.alarms.ensure_rights_in_order")()


def emergency() -> None:
    """Nobody used a sign-in for emergencies in the last day."""
    import_string("compliance.people.access.alarms.ensure_no_emergency")()


def exceptions() -> None:
    """Every exceptional access to a restricted case was reviewed in time."""
    import_string("cases.glass.alarms.ensure_reviewed")()


def endpoints() -> None:
    """No receiver of a licensee's events was switched off by its own silence, or by saying that it is gone."""
    import_string("compliance.platform.webhooks.alarms.ensure_no_endpoint_gave_up")()


def outbox() -> None:
    """Nothing that should have left the house was given up and waits for a person."""
    import_string("compliance.outbox.alarms.ensure_nothing_parked")()


def monitoring() -> None:
    """No rule that watches transactions broke while it was asked."""
    import_string("cases.types.monitoring.rules.book.ensure_rules_work")()


CHECKS: dict[str, Callable[[], None]] = {
    "database": database,
    "migrations": migrations,
    "cache": shared_cache,
    "broker": broker,
    "keys": keys,
    "shreds": shreds,
    "policy": policy,
    "malware": malware,
    "sequencer": sequencer,
}
# Somebody must look, but nothing is better served elsewhere: these leave the answer at 200.
ALARMS: dict[str, Callable[[], None]] = {
    "anchors": anchors,
    "reconciliation": reconciliation,
    "rights": rights,
    "emergency": emergency,
    "exceptions": exceptions,
    "endpoints": endpoints,
    "outbox": outbox,
    "monitoring": monitoring,
}
