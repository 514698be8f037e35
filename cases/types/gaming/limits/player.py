"""The player as who acts, and how the operator's platform hands a player who is signed in there over to our pages.

The platform asks for a link and sends the browser there. The link opens once and within five minutes; what it opens is
a signed cookie for these pages only, half an hour long. No password of a player is kept here.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.core import signing
from django.core.cache import cache

from audit.actors import Actor
from compliance.people.models import Account

LINK_SECONDS, VISIT_SECONDS = 300, 1800
COOKIE, PATH = "mizan_player", "/my/"
_LINK, _VISIT = "limits.link", "limits.visit"


@dataclass(frozen=True, slots=True)
class Player:
    """Who holds an account and acts on it. Never staff, and never a second person."""

    account_id: UUID
    is_active: bool = True
    human_id: UUID | None = None

    @property
    def audit_actor(self) -> Actor:
        return Actor("player", str(self.account_id))


def link_token(account: Account) -> str:
    return signing.dumps({"account": str(account.pk), "once": uuid4().hex}, salt=_LINK)


def opened(token: str) -> Account | None:
    """The account of a link that is fresh and was not opened before; None of any other."""
    said = _said(token, _LINK, LINK_SECONDS)
    if said is None or not cache.add(f"limits-link:{said['once']}", True, timeout=LINK_SECONDS * 2):
        return None
    return _account(said["account"])


def visit_token(account: Account) -> str:
    return signing.dumps({"account": str(account.pk)}, salt=_VISIT)


def visiting(token: str) -> Account | None:
    """Whose visit the cookie carries; None when there is none, or it is over."""
    said = _said(token, _VISIT, VISIT_SECONDS)
    return _account(said["account"]) if said else None


def _said(token: str, salt: str, seconds: int) -> dict[str, Any] | None:
    try:
        said: dict[str, Any] = signing.loads(token, salt=salt, max_age=seconds)
    except signing.BadSignature:
        return None
    return said


def _account(pk: str) -> Account | None:
    rows = Account.objects.select_related("licensee", "customer", "brand")
    return rows.filter(pk=pk, released_at=None).first()
