"""Somebody who signs requests to the API as our client does, and then sends those, or something else."""

import json
import sys

from django.conf import settings
from django.test import Client

from audit.models import Entry
from compliance.platform.services import HALVES

sys.path.insert(0, str(settings.BASE_DIR / "clients" / "python"))
from mizan_client.signing import signed  # noqa: E402

JSON = "application/json"


class Signer:
    """Sends what it signed, or something else."""

    def __init__(self, token):
        self.client = Client(raise_request_exception=False)
        self.key, _stop, self.secret = token.partition(HALVES)

    def signature(self, method, path, body=None, headers=None, **facts):
        return signed(
            self.key, self.secret.encode(), method, f"https://mizan.example.com{path}", headers or {}, body, **facts
        )

    def send(self, method, path, body=None, headers=None, *, by=None, **facts):
        headers = headers or {}
        kind = headers.pop("Content-Type", JSON)
        full = headers | ({"Content-Type": kind} if body is not None else {})
        return self.raw(method, path, body, headers | (by or self.signature(method, path, body, full, **facts)), kind)

    def raw(self, method, path, body, headers, kind=JSON):
        headers = {"Authorization": f"Bearer {self.key}"} | headers
        return self.client.generic(method, path, body or b"", content_type=kind, headers=headers)


def refused(answer):
    return (
        answer.status_code == 401 and answer.json()["code"] == "not_signed" and answer["WWW-Authenticate"] == "Bearer"
    )


def reasons():
    entries = Entry.objects.using("log").filter(action="platform.sign_in", outcome="refused")
    return {json.loads(bytes(entry.entry))["reason"]["code"] for entry in entries}
