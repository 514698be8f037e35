"""Background work about people."""

from importlib import import_module

from django.conf import settings

from compliance.outbox.work import task
from compliance.people import staff
from compliance.people.access import rights, sessions
from compliance.people.conflicts import own


@task("people.clear_sessions")
def clear_sessions(**later: object) -> None:
    """Remove sessions that ended. Deleting them twice does nothing."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    sessions.forget_old()


@task("people.end_roles")
def end_roles(**later: object) -> None:
    """Take the roles whose time is over. They have given no right since then; ending them twice does nothing."""
    staff.end_what_is_over()


@task("people.check_rights")
def check_rights(**later: object) -> None:
    """Look every night for rights that nobody should have, for sign-ins that nobody uses, and for who plays here."""
    own.meet_everybody()
    rights.check()
