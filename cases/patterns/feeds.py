"""What is counted once and read by several kinds of case, which stay strangers: monitoring counts transactions and
answers; whoever needs more counted says so, and hears whose numbers changed.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cases.patterns.expressions import Series
from cases.patterns.state import State
from compliance.people.models import Customer, Licensee

Needs = Callable[[Licensee], Iterable[Series]]
Follows = Callable[[Collection[UUID]], None]
Reads = Callable[[Customer], "Counted | None"]


@dataclass(frozen=True, slots=True)
class Counted:
    """A customer's buckets, with every series that was asked for, and the moment of the newest transaction in them."""

    state: State
    last_at: datetime


_needs: list[Needs] = []
_followers: list[Follows] = []
_readers: list[Reads] = []


def needs(find: Needs) -> None:
    """Have the series of `find(licensee)` counted along, for each of its players."""
    _needs.append(find)


def wanted(licensee: Licensee) -> list[Series]:
    return [one for find in _needs for one in find(licensee)]


def when_changed(follow: Follows) -> None:
    """Have `follow(customer ids)` called in the transaction in which something new of these players is known.

    It must be cheap, take no lock but its own, and not raise.
    """
    _followers.append(follow)


def changed(customers: Collection[UUID]) -> None:
    for follow in _followers if customers else ():
        follow(customers)


def read_by(read: Reads) -> None:
    """Who counts says how it is read."""
    _readers.append(read)


def counted(customer: Customer) -> Counted | None:
    """What is counted of a customer's transactions; None where there is none."""
    return next((found for read in _readers if (found := read(customer))), None)
