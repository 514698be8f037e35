"""Who may touch staff and read what is masked. Cases have their own rules (cases.permissions)."""

from typing import Any

from django.db import models

from audit.actors import Acts, System
from audit.perform import Denied
from audit.record import ObjectRef, record_refusal

MANAGE_STAFF = "people.manage_staff"
REVEAL = "people.reveal_customer"
# Any of these lets a person into the compartment of the AML side.
AML_RIGHTS = ("suspicions.read_suspicions", "monitoring.investigate", "audit.view_aml_entry")


def has_right(by: Acts, permission: str) -> bool:
    """A right that holds everywhere. The product itself has all; an API key has none of these."""
    if isinstance(by, System):
        return True
    asked = getattr(by, "has_perm", None)
    return bool(by.is_active and asked and asked(permission))


def on_the_aml_side(user: Any) -> bool:
    """Whether the pages of the AML side exist for this person, who leaves no traces outside of it (practice.md 4)."""
    return bool(user.is_active and any(user.has_perm(right) for right in AML_RIGHTS))


def require(by: Acts, permission: str, *, action: str, about: models.Model | ObjectRef) -> None:
    """Refuse, and record the refusal, unless `by` holds the right."""
    if not has_right(by, permission):
        record_refusal(action, by=by, about=about, reason="no_right")
        raise Denied("no_right")


def require_active(by: Acts, *, action: str, about: models.Model | ObjectRef) -> None:
    """For acts whose right the caller checks (a queue's grant, a scope): at least somebody who is still here."""
    if not by.is_active:
        record_refusal(action, by=by, about=about, reason="inactive")
        raise Denied("inactive")
