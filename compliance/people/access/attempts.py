"""Wrong passwords and codes of one sign-in in a row. The most that staff.toml allows locks it.

The limits by minute (settings) slow a guesser down; this one stops who has months. Neither ever closes the sign-in for
emergencies: whoever knows its address would close the last way in.
"""

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from audit.actors import system
from audit.record import record
from compliance.outbox.services import post
from compliance.people.access.letters import LOCKED
from compliance.people.access.models import Attempts
from compliance.people.models import User
from compliance.policy.staff import staff_rules

NOT_FOR_EMERGENCIES = Q(user__emergency=None)


@transaction.atomic
def failed(user: User | None) -> None:
    """One more. For an address that nobody has it asks the same of nobody, so that both answers take as long.

    What is locked counts no further: a right password that comes too late must take as long as a wrong one.
    """
    rows = Attempts.objects.filter(user=user, locked_at=None)
    if not rows.update(failed=F("failed") + 1) and user is not None:
        Attempts.objects.get_or_create(user=user, defaults={"failed": 1})
    most = staff_rules(on=timezone.localdate()).attempts.most_in_a_row
    if rows.filter(NOT_FOR_EMERGENCIES, failed__gte=most).update(locked_at=Now()) and user is not None:
        record("access.lock_sign_in", by=system(), about=user, details={"failed": most})
        post(LOCKED, payload={"user_id": user.pk})


def is_locked(user: User | None) -> bool:
    return Attempts.objects.filter(NOT_FOR_EMERGENCIES, user=user, locked_at__isnull=False).exists()


def opens_emergency(login: str, password: str) -> bool:
    """Whether this is the right password of a sign-in for emergencies. For any other address it takes as long."""
    user = User.objects.filter(email=login.strip().lower(), emergency__isnull=False).first()
    return bool((user or User()).check_password(password))  # without one Django weighs it for nothing


def forget(user: User) -> None:
    """They showed the password or a code: the count begins anew. What is locked stays so."""
    Attempts.objects.filter(user=user, locked_at=None).update(failed=0)


def unlock(user: User) -> None:
    """They have a new password."""
    Attempts.objects.filter(user=user).update(failed=0, locked_at=None)
