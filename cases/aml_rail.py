"""What a kind of the AML side adds to that side's part of the rail. Everybody else has no such part."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Link:
    """`route` names the page, `shows(user)` says whether it exists for this person, `count(user)` what waits there."""

    route: str
    label: str | Promise
    shows: Callable[[Any], bool]
    count: Callable[[Any], int | None] = lambda user: None


_links: dict[str, Link] = {}


def register(link: Link) -> None:
    if link.route in _links:
        raise ValueError(f"{link.route} stands in the rail already")
    _links[link.route] = link


def links() -> list[Link]:
    return list(_links.values())
