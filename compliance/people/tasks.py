"""Background work about people."""

from importlib import import_module

from django.conf import settings

from compliance.outbox.work import task


@task("people.clear_sessions")
def clear_sessions(**later: object) -> None:
    """Remove sessions that ended. Deleting them twice does nothing."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
