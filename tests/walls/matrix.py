"""Every route x method x principal, as the product's own walls decide it, without running a view.

Nothing is decided here: the session middleware says who a cookie is, the rule middleware whether they pass, the API's
own authentication which key does. The checked-in file `matrix.csv` is what they said when somebody last looked at it:
a change of it is to be reviewed like a change of the code. To write it anew, see `test_matrix.py`.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends.db import SessionStore
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from audit import access
from audit.actors import system
from audit.perform import Denied
from compliance.people.access import sessions
from compliance.people.access.middleware import SessionMiddleware
from compliance.people.models import User
from compliance.people.roles import ROLES
from compliance.people.services import create_user, deactivate_user, join
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from tests.world import PASSWORD

FILE = Path(__file__).with_name("matrix.csv")
BACKEND = "compliance.people.access.backend.StaffBackend"
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
PEOPLE = tuple(name for name in ROLES if name != "integration")
NOBODY = ("anonymous", "disabled", "expired", "revoked")  # who is treated as a stranger
KEYS = ("key", "foreign_key", "ended_key")
PRINCIPALS = (*NOBODY, "no_role", *PEOPLE, *KEYS)
IN, SIGN_IN, NO, CLOSED, CONFIRM = "in", "sign_in", "no", "closed", "confirm"
HEAD = ("route", "name", "methods", "rule", "confirms", *PRINCIPALS)
SAMPLES = {
    "uuid": "00000000-0000-0000-0000-000000000001",
    "int": "1",
    "str": "KYC-26-000001-9",
    "slug": "approve",
    "path": "a",
}


@dataclass(frozen=True)
class Route:
    address: str
    pattern: URLPattern

    @property
    def path(self):
        parts = [
            SAMPLES[part.strip("<>").split(":")[0] if ":" in part else "str"] if part.startswith("<") else part
            for part in self.address.split("/")
        ]
        return "/" + "/".join(parts)

    @property
    def is_plain(self):
        """Written with converters, not as a regular expression."""
        return not set("^(?$") & set(self.address)

    @property
    def view(self):
        return self.pattern.callback

    @property
    def name(self):
        return self.pattern.name or ""

    @property
    def operations(self):
        """By method, what ninja answers with; empty where a page answers."""
        found = getattr(self.view, "__self__", None) or _held(self.view, "operations")
        rows = getattr(found, "operations", ())
        return {method: operation for operation in rows for method in operation.methods}

    @property
    def methods(self):
        if self.operations:
            return tuple(sorted(self.operations))
        named = _held_list(self.view)
        if named is None and (cls := getattr(self.view, "view_class", None)):
            named = [verb.upper() for verb in cls.http_method_names if hasattr(cls, verb)]
        return tuple(sorted(set(named or METHODS) & set(METHODS) - {"OPTIONS"}))


def _held(view, attribute):
    """What a wrapped function closes over and has this attribute."""
    for cell in getattr(view, "__closure__", None) or ():
        held = cell.cell_contents
        if hasattr(held, attribute):
            return held
        if callable(held) and (found := _held(held, attribute)) is not None:
            return found
    return None


def _held_list(view):
    """The methods that `require_http_methods` was given, wherever it stands among the decorators."""
    seen = []
    while view is not None:
        names = getattr(getattr(view, "__code__", None), "co_freevars", ())
        for name, cell in zip(names, getattr(view, "__closure__", None) or (), strict=True):
            if name == "request_method_list":
                seen.append(set(cell.cell_contents))
        view = getattr(view, "__wrapped__", None)
    return sorted(set.intersection(*seen)) if seen else None


def routes():
    return sorted(_walk(get_resolver().url_patterns), key=lambda route: (route.address, route.name))


def _walk(patterns, prefix="") -> Iterator[Route]:
    for pattern in patterns:
        address = prefix + str(getattr(pattern.pattern, "_route", pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, address)
        else:
            yield Route(address, pattern)


class Walls:
    """One request of each principal through what stands before a view. Needs a world and an audit context."""

    def __init__(self, world):
        self.factory = RequestFactory()
        self.rules = access.RuleMiddleware(lambda request: HttpResponse())
        self.requests = {name: self._of_staff(user) for name, user in _staff(world).items()}
        self.requests |= {"anonymous": (AnonymousUser(), SessionStore())}
        self.requests |= {name: self._over(world, name) for name in ("disabled", "expired", "revoked")}
        self.tokens = _tokens(world)
        self.asked = set()  # (address, name, method, principal): each question that was really put

    def _of_staff(self, user, fresh=True):
        session = SessionStore()
        session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), BACKEND
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        request = self._bare(user, session)
        sessions.open_session(request, user, factors_used="password")
        if fresh:
            session["signed_in_at"] = timezone.now().timestamp()
        return user, session

    def _bare(self, user, session, method="GET", path="/"):
        request = self.factory.generic(method, path)
        request.user, request.session, request.htmx = user, session, False
        request._messages = CookieStorage(request)
        return request

    def _over(self, world, how):
        """Somebody whose session or sign-in ended: who they are now is what the session middleware says."""
        user = _person(world, f"{how} person", "officer")
        _same, session = self._of_staff(user)
        rows = sessions.Session.objects.filter(user=user)
        if how == "disabled":
            deactivate_user(user, by=system())
        elif how == "revoked":
            rows.update(ended_at=timezone.now(), ended_for="revoked")
        else:
            rows.update(seen_at=timezone.now() - timedelta(hours=2))
        request = self._bare(User.objects.get(pk=user.pk), session)
        SessionMiddleware(lambda request: HttpResponse())(request)
        return request.user, session

    def page(self, route, principal, method):
        """What a browser meets: in, sign_in, confirm, no, closed."""
        user, session = self.requests.get(principal) or self.requests["anonymous"]
        self.asked.add((route.address, route.name, method, principal))
        request = self._bare(user, session, method, route.path)
        request.resolver_match = SimpleNamespace(func=route.view, view_name=route.name)
        try:
            answer = self.rules.process_view(request, route.view, (), {})
        except Http404:
            return CLOSED
        except Denied:
            return NO
        if answer is None:
            return IN
        return SIGN_IN if answer.url.startswith("/accounts/login/") else CONFIRM

    def operation(self, route, method, principal):
        """What a caller of the API meets: in, sign_in (401), no (403)."""
        operation = route.operations[method]
        self.asked.add((route.address, route.name, method, principal))
        scopes = [callback.scope for callback in operation.auth_callbacks]
        token = self.tokens(principal, scopes[0]) if principal in KEYS else ""
        request = self.factory.get("/api/v1/ping", headers={"Authorization": f"Bearer {token}"} if token else {})
        user, session = self.requests.get(principal) or self.requests["anonymous"]
        request.user, request.session = user, session
        request.resolver_match = SimpleNamespace(route="", view_name="")
        try:
            return IN if all(callback(request) for callback in operation.auth_callbacks) else SIGN_IN
        except Denied:
            return NO

    def row(self, route):
        """The line of the file."""
        operations, needed = route.operations, access.rule_of(SimpleNamespace(func=route.view, view_name=route.name))
        facts = {"route": "/" + route.address, "name": route.name, "methods": " ".join(route.methods)}
        if operations:
            asked = {op.auth_callbacks[0].scope.value if op.auth_callbacks else "" for op in operations.values()}
            cells = {
                who: " ".join(sorted({self.operation(route, method, who) for method in operations}))
                for who in PRINCIPALS
            }
            return facts | {"rule": " ".join(sorted(asked)), "confirms": ""} | cells
        fresh = getattr(route.view, "fresh", False)
        cells = {
            who: " ".join(sorted({self.page(route, who, method) for method in route.methods})) for who in PRINCIPALS
        }
        return facts | {"rule": str(needed), "confirms": self._confirms(route, cells) if fresh else ""} | cells

    def _confirms(self, route, cells):
        """For which methods somebody who signed in hours ago is asked again; the question, where one is asked first."""
        who = next(name for name in PRINCIPALS if cells[name] == IN)
        user, session = self.requests[who]
        kept = session.pop("signed_in_at", None)
        try:
            asked = [method for method in route.methods if self.page(route, who, method) == CONFIRM]
            return " ".join([*asked, getattr(route.view.fresh, "__name__", "")]).strip()
        finally:
            if kept is not None:
                session["signed_in_at"] = kept


def _staff(world):
    people = {role: _person(world, role, role) for role in PEOPLE}
    return people | {"no_role": _person(world, "no role", None)}


def _person(world, name, role):
    email = f"{name.replace(' ', '-').replace('_', '-')}-{world.team.slug}@example.com"
    user = create_user(email=email, name=name, password=PASSWORD, by=system())
    if role:
        until = timezone.now() + timedelta(days=1) if ROLES[role].ends else None
        join(user, world.team, role, by=system(), until=until)
    return User.objects.get(pk=user.pk)


def _tokens(world):
    """By principal and scope: a key with this scope alone, one with every other, one that was revoked."""
    made = {}

    def token(principal, scope):
        if (principal, scope) not in made:
            others = [one for one in Scope if one not in (scope, Scope.PING)] or [Scope.PING]
            scopes = others if principal == "foreign_key" else [scope]
            made[principal, scope] = key_of(world.licensee, world.alice, scopes, ended=principal == "ended_key")
        return made[principal, scope]

    return token


def key_of(licensee, owner, scopes, *, ended=False):
    """`note_use` and limits are not what is asked here."""
    key, secret = issue_key(
        owner=owner,
        licensee=licensee,
        name="matrix",
        scopes=[scope.value for scope in scopes],
        expires_at=timezone.now() + timedelta(days=1),
        created_by=owner,
        by=system(),
    )
    if ended:
        type(key).objects.filter(pk=key.pk).update(revoked_at=timezone.now())
    return secret


def matrix(world):
    """Every row. Refusals are counted, not written: what they look like is asked elsewhere."""
    refused = Counter()
    count = mock.Mock(side_effect=lambda action, **facts: refused.update([action]))
    auth = import_module("compliance.platform.auth")
    with mock.patch.object(access, "record_refusal", count), mock.patch.object(auth, "record_refusal", count):
        walls = Walls(world)
        rows = [walls.row(route) for route in routes()]
    return rows, refused, walls


def read():
    with FILE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(rows):
    with FILE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEAD, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
