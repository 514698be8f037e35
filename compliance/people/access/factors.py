"""The second factor: who needs one, and how its secrets are kept."""

import base64
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.utils import timezone

from audit.actors import INSTALLATION
from compliance.keys.services import open_sealed, seal
from compliance.people.access.models import Emergency
from compliance.people.models import User
from compliance.policy.staff import staff_rules

FIRST_RANK = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes only stand in for these
PURPOSE = "access.factor"
SEALED = "sealed:"


def is_needed(user: User) -> bool:
    """Whether a role of the user asks for a second factor. Never of a sign-in for emergencies."""
    if settings.SECOND_FACTOR != "required" or Emergency.objects.filter(user=user).exists():
        return False
    asking = staff_rules(on=timezone.localdate()).second_factor.roles
    return bool(user.memberships.filter(role__in=asking).exists())


def has_one(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FIRST_RANK).exists())


def is_missing(user: User) -> bool:
    return is_needed(user) and not has_one(user)


class Factors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's way to keep factors: secrets sealed, and the last one stays where a role needs it."""

    def get_totp_issuer(self) -> str:
        return "Mizan"

    def encrypt(self, text: str) -> str:
        return SEALED + base64.b64encode(seal(INSTALLATION, PURPOSE, text.encode())).decode()

    def decrypt(self, encrypted_text: str) -> str:
        kept = base64.b64decode(encrypted_text.removeprefix(SEALED))
        return open_sealed(INSTALLATION, PURPOSE, kept).decode()

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        if authenticator.type not in FIRST_RANK or not is_needed(authenticator.user):
            return True
        others = Authenticator.objects.filter(user=authenticator.user, type__in=FIRST_RANK).exclude(pk=authenticator.pk)
        return bool(others.exists())
