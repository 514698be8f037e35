"""What a role or a person can do, made from the code itself: rights in words, and the pages that ask for them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.auth.models import Permission
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language

from compliance.people.models import User
from compliance.people.roles import RIGHTS, ROLES, Role
from compliance.policy.staff import Span, staff_rules


@dataclass(frozen=True, slots=True)
class Right:
    """One right in words, and the addresses that ask for it."""

    name: str
    words: str | Promise
    pages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Portrait:
    role: type[Role]
    rights: tuple[Right, ...]
    on_queues: tuple[Right, ...]
    needs_factor: bool
    session: Span
    apart: tuple[tuple[type[Role], str], ...]


def of_role(role: type[Role]) -> Portrait:
    rules = staff_rules(on=timezone.localdate())
    language = str(get_language())[:2]
    apart = []
    for other in ROLES.values():
        rule = rules.separation.against(role.name, [other.name])
        if rule is not None:
            apart.append((other, rule.why.get(language, rule.why["en"])))
    return Portrait(
        role=role,
        rights=tuple(_rights(role.permissions)),
        on_queues=tuple(_rights(role.queue_permissions)),
        needs_factor=role.name in rules.second_factor.roles,
        session=rules.sessions.of([role.name]),
        apart=tuple(apart),
    )


def of_person(user: User) -> tuple[Right, ...]:
    """The rights that hold for this person now, as the product itself asks for them; none for a closed sign-in."""
    if not user.is_active:
        return ()
    held = sorted(user.get_all_permissions())
    known = Permission.objects.filter(group__user=user).values_list("content_type__app_label", "codename").distinct()
    names = {f"{app}.{codename}" for app, codename in known}
    return tuple(_rights(name for name in held if name in names))


def _rights(names: Iterable[str]) -> Iterator[Right]:
    for name in names:
        yield Right(name, RIGHTS.get(name, name), pages().get(name, ()))


@cache
def pages() -> dict[str, tuple[str, ...]]:
    """Addresses by the right that their route asks for."""
    found: dict[str, list[str]] = {}
    for route, pattern in _walk(get_resolver().url_patterns):
        needed = getattr(pattern.callback, "rule", None)
        if isinstance(needed, str) and "." in needed:
            found.setdefault(needed, []).append(f"/{route}")
    return {name: tuple(sorted(routes)) for name, routes in found.items()}


def _walk(patterns: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(getattr(pattern.pattern, "_route", pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern
