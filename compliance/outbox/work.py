"""How background work is declared: a task has a name, takes ids by keyword, and runs in an audit context of its own.

    @task("documents.inspect")
    def inspect(*, document_id: str, **later: object) -> None: ...

`**later` lets an old worker survive a newer caller. A task may run twice or late: it re-reads, re-checks state and
rights, and does nothing when there is nothing left to do.
"""

import uuid
from collections.abc import Callable
from typing import Any

from celery import Task, shared_task

from audit import context


class AuditedTask(Task):  # type: ignore[type-arg]
    """Every entry that a task writes names the task's own id as its request."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        request_id = getattr(self.request, "id", None) or uuid.uuid4().hex
        with context.use(context.new("task", request_id=request_id)):
            return super().__call__(*args, **kwargs)


def task(name: str, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Declare a function as the background task `name`. `options` are Celery's own, such as `time_limit` (seconds)."""
    return shared_task(name=name, base=AuditedTask, **options)
