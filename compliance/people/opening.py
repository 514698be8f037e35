"""What else happens in the transaction that opens an account. Packages above name themselves here as they start."""

from collections.abc import Callable

from audit.actors import Acts
from compliance.people.models import Account

_followers: list[Callable[[Account, Acts], None]] = []


def also(follow: Callable[[Account, Acts], None]) -> None:
    """Have `follow(account, by)` called in the transaction of every account that is opened."""
    _followers.append(follow)


def tell(account: Account, *, by: Acts) -> None:
    for follow in _followers:
        follow(account, by)
