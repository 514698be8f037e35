"""What must be right before anything is served: policies, texts, settings. No server asks by itself."""

from django.conf import settings
from django.core.checks import run_checks
from django.core.checks.messages import ERROR
from django.core.exceptions import ImproperlyConfigured

from compliance import starting


def or_refuse() -> None:
    """Run Django's checks, ours among them; refuse to start when one finds an error, naming each and its fix.

    In production also with what only a trial may have (compliance/starting.py).
    """
    errors = [str(found) for found in run_checks() if found.level >= ERROR and not found.is_silenced()]
    if settings.IN_PRODUCTION:
        errors += starting.refusals()
    if errors:
        raise ImproperlyConfigured("\n".join(errors))
