"""The worker's door to the webhooks.

A call may take 15 seconds, and the worker has few processes: each hands its calls to threads of its own and takes the
next task, so that receivers who hang keep nobody else waiting. A call that dies with its process is found by the sweep.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from uuid import UUID

from django.db import connections

from audit import context
from compliance.outbox.work import task
from compliance.platform.webhooks import delivering, events

THREADS = 32
log = logging.getLogger(__name__)


@cache
def _threads() -> ThreadPoolExecutor:
    """Made on first use: in the process that works, not in the one that it was forked from."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="webhook")


@task("webhooks.deliver")
def deliver(*, delivery_id: str, **later: object) -> None:
    _threads().submit(_deliver, UUID(delivery_id), context.current())


def _deliver(delivery_id: UUID, here: context.Context) -> None:
    """No connection is held while the receiver has the word: there are more calls than connections."""
    with context.use(here):
        try:
            held = delivering.claim(delivery_id)
            connections.close_all()
            if held is not None:
                delivering.finish(held, delivering.send(held))
        except Exception as error:  # nobody waits for the result of a thread; the sweep finds the row again
            log.warning("delivery %s was interrupted: %s", delivery_id, type(error).__name__)
        finally:
            connections.close_all()


@task("webhooks.sweep", time_limit=100)
def sweep(**later: object) -> None:
    delivering.sweep()


@task("webhooks.forget_old")
def forget_old(**later: object) -> None:
    events.forget_old()
