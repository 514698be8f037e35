"""Signing in through the page, as a browser does."""

from django.test import Client

PASSWORD = "correct horse battery staple"


def type_in(visitor, email, password=PASSWORD):
    return visitor.post(
        "/accounts/login/", {"login": email, "password": password}, headers={"User-Agent": "test browser"}
    )


def again(user):
    """Another browser in which this person typed the right password."""
    client = Client(REMOTE_ADDR="192.0.2.7")
    assert type_in(client, user.email).status_code == 302
    return client


def lets_in(client):
    return client.get("/profile/").status_code == 200
