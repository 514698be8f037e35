"""Signing in through the page. Each attempt is an entry; a failed one survives the rollback of its request."""

import contextvars

import pytest
from django.core.cache import cache
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from audit import context
from audit.actors import system
from compliance.people import services as people
from compliance.people import sign_in
from compliance.people.models import User

PASSWORD = "correct horse battery staple"
PAGE = "/accounts/login/"


@pytest.fixture
def dan(house):
    """Somebody with a password, and no context left over from making them: the page must bring its own."""
    cache.clear()  # allauth counts failed attempts there
    user = people.create_user(email="dan@example.com", name="Dan", password=PASSWORD, by=system())
    people.join(user, house.team, "auditor", by=system())
    return user


@pytest.fixture
def visitor():
    return Client(raise_request_exception=False)


def type_in(visitor, email="dan@example.com", password=PASSWORD):
    return visitor.post(PAGE, {"login": email, "password": password}, HTTP_USER_AGENT="test browser")


def test_the_right_password_signs_in_and_is_recorded(dan, visitor, entries):
    assert type_in(visitor).status_code == 302
    assert visitor.session["_auth_user_id"] == str(dan.pk)
    [entry] = entries("people.sign_in")
    assert entry["actor"]["id"] == entry["object"]["id"] == str(dan.pk)
    assert entry["src"]["app"] == "web"
    assert entry["data"] == {"factors": "password"}
    assert entry["sealed"]["n"] > 0


def test_the_address_may_be_typed_in_capitals(dan, visitor):
    assert type_in(visitor, email="DAN@Example.com").status_code == 302


def test_a_wrong_password_is_recorded_on_the_other_connection(dan, visitor, entries):
    assert type_in(visitor, password="wrong horse").status_code == 200
    assert "_auth_user_id" not in visitor.session
    assert entries("people.sign_in") == []
    [entry] = entries("people.fail_sign_in", using="log")
    assert entry["actor"] == {"t": "anonymous", "id": "anonymous"}
    assert (entry["out"], entry["reason"]) == ("refused", {"code": "wrong_password"})
    assert entry["object"] == {"t": "user", "id": str(dan.pk)}


def test_what_a_stranger_typed_is_sealed(dan, visitor, entries):
    type_in(visitor, email="my-password-by-mistake@example.com")
    [entry] = entries("people.fail_sign_in", using="log")
    assert entry["reason"] == {"code": "unknown"}
    assert entry["object"] == {"t": "user", "id": "unknown"}
    assert "mistake" not in str(entry)
    assert entry["sealed"]["n"] > 0


def test_a_known_and_an_unknown_address_read_the_same(dan, visitor):
    def said(response):
        return response.content.decode().replace("dan@example.com", "").replace("who@example.com", "")

    known, unknown = type_in(visitor, password="wrong horse"), type_in(Client(), email="who@example.com")
    assert known.status_code == unknown.status_code == 200
    assert ("is-wrong" in said(known), "error" in said(known)) == (
        "is-wrong" in said(unknown),
        "error" in said(unknown),
    )


def test_a_closed_sign_in_stays_out(dan, visitor, entries):
    people.deactivate_user(dan, by=system())
    type_in(visitor)
    assert "_auth_user_id" not in visitor.session
    assert entries("people.sign_in") == []
    assert entries("people.fail_sign_in", using="log")[-1]["reason"] == {"code": "inactive"}


def test_closing_a_sign_in_ends_its_sessions(dan, visitor):
    type_in(visitor)
    assert visitor.get(reverse("profile")).status_code == 200
    people.deactivate_user(dan, by=system())
    answer = visitor.get(reverse("profile"))
    assert answer.status_code == 302
    assert answer.url.startswith(PAGE)


def test_signing_out_is_recorded(dan, visitor, entries):
    type_in(visitor)
    visitor.post("/accounts/logout/")
    assert "_auth_user_id" not in visitor.session
    assert entries("people.sign_out")[0]["actor"]["id"] == str(dan.pk)


def test_nobody_signs_in_when_it_cannot_be_recorded(dan, visitor, monkeypatch):
    def refuses(*args, **kwargs):
        raise DatabaseError("the log is full")

    monkeypatch.setattr(sign_in, "record", refuses)
    assert type_in(visitor).status_code == 500
    assert visitor.get(reverse("profile")).status_code == 302


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_signs_up(db, method):
    answer = getattr(Client(), method)(
        "/accounts/signup/", {"email": "eve@example.com", "password1": PASSWORD, "password2": PASSWORD}
    )
    assert answer.status_code in (200, 404)
    assert not User.objects.filter(email="eve@example.com").exists()


def test_a_sign_in_outside_our_middleware_is_recorded_too(dan, entries, monkeypatch):
    """Django's own `login` without a context, as its test client and scripts use it."""
    with monkeypatch.context() as patch:
        patch.setattr(context, "_current", contextvars.ContextVar("empty"))
        with pytest.raises(context.MissingContext):
            context.current()
        Client().force_login(dan, backend="compliance.people.access.backend.StaffBackend")
    [entry] = entries("people.sign_in")
    assert entry["data"] == {"factors": "none"}


def test_a_changed_password_is_recorded(dan, visitor, entries):
    type_in(visitor)
    new = "another horse battery staple"
    visitor.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert entries("people.change_password")[0]["actor"]["id"] == str(dan.pk)
    assert dan.__class__.objects.get(pk=dan.pk).check_password(new)
