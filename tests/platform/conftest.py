"""A licensee, Alice who owns a key, and a client that calls with it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils import timezone

from audit import context
from compliance.people.models import Licensee, User
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key


@pytest.fixture
def in_context():
    with context.use(context.new("test")) as here:
        yield here


@pytest.fixture
def alice(db):
    return User.objects.create_user("alice@example.com", name="Alice")


@pytest.fixture
def licensee(db):
    return Licensee.objects.create(name="Lale", slug="lale", jurisdiction="TR")


@pytest.fixture
def issue(alice, licensee, in_context):
    """Make a key with these scopes; its row and its secret."""

    def issue(*scopes, **extra):
        given = {
            "owner": alice,
            "licensee": licensee,
            "name": "CRM",
            "scopes": scopes,
            "expires_at": timezone.now() + timedelta(days=1),
            "created_by": alice,
            "by": alice,
        }
        key, token = issue_key(**given | extra)
        return SimpleNamespace(row=key, token=token, headers={"Authorization": f"Bearer {token}"})

    return issue


@pytest.fixture
def key(issue):
    return issue(*Scope)


@pytest.fixture
def api(db):
    """Calls as the platform does; a failure of ours is answered, not raised into the test."""
    return Client(raise_request_exception=False)
