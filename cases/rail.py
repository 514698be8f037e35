"""What a kind adds to the rail: to everybody's work, or to the AML side's part. Everybody else has no such part."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Link:
    """`route` names the page, `shows(user)` says whether it exists for this person, `count(user)` what waits there.
    `aml`: in the part of the AML side.
    """

    route: str
    label: str | Promise
    shows: Callable[[Any], bool]
    count: Callable[[Any], int | None] = lambda user: None
    aml: bool = True


_links: dict[str, Link] = {}


def register(link: Link) -> None:
    if link.route in _links:
        raise ValueError(f"{link.route} stands in the rail already")
    _links[link.route] = link


def links(*, aml: bool) -> list[Link]:
    return [link for link in _links.values() if link.aml == aml]
