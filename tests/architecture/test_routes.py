"""Every route names its rule, and strangers get nothing from it."""

import uuid

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from audit.access import Rule, rule_of

SAMPLES = {"uuid": str(uuid.UUID(int=1)), "int": "1", "str": "KYC-26-000001-0", "slug": "approve", "path": "a"}
# Open to the world, each with its reason.
PUBLIC = {
    "security_txt": "says whom to tell about a weakness",
    "csp_report": "takes what browsers report; changes nothing",
    "receive": "takes messages whose signature fits; whoever asks otherwise gets 401",
    "directory-start": "to the operator's own directory, which asks who it is",
    "directory-out": "after the sign-out: a link to where the directory's own word leads, nothing else",
    "directory-back": "back from there: opens nothing without what the directory signed for this very sign-in",
    "scim-users": "asks for a key of the API with the scope staff:write; whoever has none gets 401",
    "scim-user": "the same",
    "set_language": "changes a cookie of the visitor's own",
    "my-limits-enter": "opens, once, a link that the platform made for a player who is signed in there",
    "my-limits": "a player's own page: without the visit that the link opened it shows nothing; so the six below",
    "my-limits-set": "says what would follow",
    "my-limits-ask": "the player asks",
    "my-limits-receipt": "what became of it",
    "my-limits-confirm": "the player confirms",
    "my-break": "a player's own page, as those of limits: without the visit it shows nothing; so the three below",
    "my-break-effect": "says what would follow",
    "my-break-start": "the player is kept out",
    "my-break-receipt": "what holds",
    "my-limits-withdraw": "the player keeps the limit",
    "account_login": "the sign-in page",
    "account_logout": "ends a session",
    "account_signup": "says that sign-up is closed",
    "account_inactive": "says that the sign-in is switched off",
    "account_reset_password": "asks for a link by e-mail",
    "account_reset_password_done": "says the same whether the address is known or not",
    "account_reset_password_from_key": "asks for the new password; the key is in the address",
    "account_reset_password_from_key_done": "says that it is set",
    "mfa_login_webauthn": "a sign-in with a passkey instead of a password",
    "mfa_authenticate": "the second step of a sign-in that has begun",
}


def walk(patterns, prefix=""):
    for pattern in patterns:
        route = prefix + str(getattr(pattern.pattern, "_route", pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern


ROUTES = sorted(walk(get_resolver().url_patterns), key=lambda found: found[0])


class Match:
    def __init__(self, pattern):
        self.func = pattern.callback
        self.view_name = pattern.name


def concrete(route):
    parts = []
    for part in route.split("/"):
        if part.startswith("<"):
            converter = part.strip("<>").split(":")[0] if ":" in part else "str"
            part = SAMPLES[converter]
        parts.append(part)
    return "/" + "/".join(parts)


STAFF_ROUTES = [found for found in ROUTES if rule_of(Match(found[1])) not in (Rule.PUBLIC, Rule.KEY, Rule.CLOSED)]


def test_there_are_routes():
    assert len(ROUTES) > 20


@pytest.mark.parametrize(("route", "pattern"), ROUTES, ids=[route for route, _pattern in ROUTES])
def test_every_route_names_its_rule(route, pattern):
    assert rule_of(Match(pattern)) is not None


@pytest.mark.parametrize(
    ("route", "pattern"),
    STAFF_ROUTES,
    ids=[route for route, _pattern in STAFF_ROUTES],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_are_sent_to_the_sign_in(route, pattern, method, client, db):
    response = getattr(client, method)(concrete(route))
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_only_named_pages_are_open_to_the_world():
    opened = {pattern.name for _route, pattern in ROUTES if rule_of(Match(pattern)) == Rule.PUBLIC}
    assert opened == set(PUBLIC)


def test_closed_routes_are_there_for_nobody(client, world):
    closed = {pattern.name for _route, pattern in ROUTES if rule_of(Match(pattern)) == Rule.CLOSED}
    assert closed == {"account_email", "account_confirm_email", "account_email_verification_sent"}
    client.force_login(world.alice)
    for address in (reverse("account_email"), reverse("account_confirm_email", args=["key"])):
        assert client.get(address).status_code == 404


def test_a_view_without_a_rule_is_refused(client, db, settings):
    settings.ROOT_URLCONF = "tests.architecture.urls_without_rule"
    assert client.get("/open/").status_code == 404
