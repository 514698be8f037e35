"""A key that signs opens nothing without a signature: of exactly these bytes, now, and once."""

import json
import re
from datetime import timedelta
from unittest import mock

import pytest
import time_machine
from django.conf import settings as product
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import Entry
from audit.perform import ConditionsNotMet
from compliance.people.models import Human
from compliance.platform import services, signatures
from compliance.platform.apikeys import asking
from compliance.platform.models import ApiKey, KeyRequest, UsedNonce
from compliance.platform.scopes import Scope
from compliance.platform.services import HALVES, rotate_key
from compliance.policy import staff
from tests.signer import JSON, Signer, reasons, refused
from tests.world import a_world, an_administrator

THINGS = "/api/v1/try/things"
THING = b'{"name": "a", "size": 1}'
DAY = timedelta(days=1)
tried_here = pytest.mark.urls("tests.platform.operations")


@pytest.fixture
def signer(issue):
    return Signer(issue(*Scope, signs=True).token)


@tried_here
def test_what_was_signed_opens_once_and_a_repeat_is_signed_anew(signer):
    assert signer.send("GET", "/api/v1/try/list?limit=3").status_code == 200
    before, named = Human.objects.count(), {"Idempotency-Key": "k-1"}
    full = named | {"Content-Type": JSON}
    by = signer.signature("POST", THINGS, THING, full)
    first = signer.send("POST", THINGS, THING, dict(named), by=by)
    assert (first.status_code, Human.objects.count()) == (201, before + 1)
    assert refused(signer.send("POST", THINGS, THING, dict(named), by=by))
    again = signer.send("POST", THINGS, THING, dict(named))
    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
    assert Human.objects.count() == before + 1 and reasons() == {"used_before"}


@tried_here
def test_every_part_of_a_request_is_signed(signer, issue, api):
    other = Signer(issue(*Scope, signs=True).token)
    full = {"Content-Type": JSON, "Idempotency-Key": "k-1"}

    def by(method="POST", path=THINGS, body=THING, headers=full, who=signer, **facts):
        return who.signature(method, path, body, headers, **facts)

    now, before = timezone.now().timestamp(), Human.objects.count()
    wrong = [
        by(method="PUT"),
        by(path="/api/v1/try/others"),
        by(path=THINGS + "?a=1"),
        by(body=THING + b" "),
        by(headers={"Content-Type": JSON}),  # the idempotency key is not signed
        by(headers={"Content-Type": "text/plain", "Idempotency-Key": "k-1"}),
        by(now=now - 302),
        by(now=now + 302),
        by(nonce="short"),
        by(who=other),
        {**by(), "Signature": by()["Signature"]},
        {name: value for name, value in by().items() if name != "Signature"},
        {name: value for name, value in by().items() if name != "Signature-Input"},
        {name: value for name, value in by().items() if name != "Content-Digest"},
        by() | {"Content-Digest": "sha-512=:AAAA:"},
        {},
    ]
    for one in wrong:
        assert refused(signer.send("POST", THINGS, THING, {"Idempotency-Key": "k-1"}, by=one or {"X": "1"})), one
    assert Human.objects.count() == before
    assert signer.send("POST", THINGS, THING, {"Idempotency-Key": "k-1"}, by=by(now=now - 290)).status_code == 201
    for header in ("Upload-Offset", "Mizan-Version", "Range", "If-Match"):
        assert refused(
            signer.raw("GET", "/api/v1/try/list", None, {header: "0"} | by("GET", "/api/v1/try/list", None, {}))
        )
    answers = {signer.raw("GET", "/api/v1/try/list", None, one).json()["detail"] for one in ({}, by())}
    assert len(answers) == 1  # nobody learns which part did not fit
    whole = {"Authorization": f"Bearer {signer.key}{HALVES}{signer.secret}"}
    assert api.get("/api/v1/ping", headers=whole).json()["code"] == "not_authenticated"


@tried_here
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.sampled_from(["path", "body", "Signature", "Signature-Input", "Content-Digest"]), data=st.data())
def test_a_change_of_any_byte_is_refused(signer, where, data):
    path, full, before = THINGS + "?limit=10&x=%C4%B1", {"Content-Type": JSON}, Human.objects.count()
    by = signer.signature("POST", path, THING, full)
    text = {"path": path, "body": THING.decode(), **by}[where]
    low = len(THINGS) + 1 if where == "path" else 0
    at = data.draw(st.integers(low, len(text) - 1))
    letter = data.draw(st.sampled_from("ax0=/").filter(lambda one: one != text[at]))
    changed = text[:at] + letter + text[at + 1 :]
    body = changed.encode() if where == "body" else THING
    answer = signer.send(
        "POST", changed if where == "path" else path, body, by=by | ({where: changed} if where in by else {})
    )
    # Two bits of the last letter of base64 stand for nothing.
    spelt = where == "Signature" and at == len("mizan=:") + 42
    assert refused(answer) or (spelt and answer.status_code == 201)
    assert spelt or Human.objects.count() == before


def test_unsigned_nothing_opens_whatever_the_operation(signer):
    api = Client().get("/api/v1/openapi.json", headers={"Authorization": f"Bearer {signer.key}"})
    assert refused(api)
    document = json.loads((product.BASE_DIR / "docs" / "reference" / "openapi.json").read_text())
    asked = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            named = {one["name"]: one["schema"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            sample = {
                name: "0" * 8 + "-0000-0000-0000-" + "0" * 12 if one.get("format") == "uuid" else "1"
                for name, one in named.items()
            }
            answer = signer.raw(method.upper(), path.format(**sample), b"{}" if method != "get" else None, {})
            assert answer.status_code == 401, (method, path, answer.content)
            assert method == "head" or refused(answer), (method, path)
            asked += 1
    assert asked > 60
    for method in ("GET", "PATCH", "DELETE"):
        assert signer.raw(method, f"/scim/v2/Users/{Human.objects.first().pk}", None, {}).status_code == 401
    assert reasons() == {"unsigned"}
    unsigned = Entry.objects.using("log").filter(
        action="platform.sign_in", outcome="refused", object_id=str(ApiKey.objects.get().pk)
    )
    assert unsigned.count() == 1  # and who repeats it does not fill the log


def test_without_room_for_the_nonce_nothing_opens_and_old_ones_go(signer):
    with mock.patch.object(UsedNonce.objects, "create", side_effect=OperationalError):
        assert signer.send("GET", "/api/v1/ping").status_code == 503
        assert signer.send("GET", "/api/v1/accounts/P-1/gate").json()["stop"] is True
    assert signer.send("GET", "/api/v1/ping").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=9)):
        assert signatures.forget_old_nonces() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert signatures.forget_old_nonces() == 1


def test_the_signing_half_is_sealed_and_a_replacement_keeps_to_it(issue, alice):
    made = issue("cases:read", signs=True)
    bearer, _stop, secret = made.token.partition(HALVES)
    stored = ApiKey.objects.values().get(pk=made.row.pk)
    assert secret not in str(stored) and secret.encode() not in bytes(stored["signing_sealed"])
    assert services.find_key(bearer) == made.row and services.find_key(made.token) is None
    new, token = rotate_key(made.row, overlap=DAY / 2, created_by=alice, by=alice)
    assert new.signs and Signer(token).send("GET", "/api/v1/ping").status_code == 200
    assert Signer(made.token).send("GET", "/api/v1/ping").status_code == 200
    mixed = Signer(f"{token.partition(HALVES)[0]}{HALVES}{secret}")
    assert refused(mixed.send("GET", "/api/v1/ping"))
    plain, token = rotate_key(new, overlap=DAY / 2, signs=False, created_by=alice, by=alice)
    assert not plain.signs and HALVES not in token


def test_the_rules_may_ask_every_wide_key_of_a_licensee_to_sign(issue, monkeypatch, alice):
    text = staff.FILE.read_text(encoding="utf-8")
    asked = staff.read(text.replace("signed = []", 'signed = [{ licensees = ["lale"] }]'))
    monkeypatch.setattr(staff, "versions", lambda: asked)
    with pytest.raises(ConditionsNotMet, match="sign"):
        issue("cases:read", "money:write")
    assert not issue("cases:read").row.signs
    wide = issue("money:write", signs=True).row
    with pytest.raises(ConditionsNotMet, match="sign"):
        rotate_key(wide, overlap=DAY, signs=False, created_by=alice, by=alice)


def test_it_is_chosen_on_the_page_at_issue_and_at_replacement(db, client, in_context):
    world = a_world()
    dave, frank = an_administrator(world), an_administrator(world)
    facts = {"licensee": str(world.licensee.pk), "owner": str(world.bob.pk), "name": "CRM", "signs": "on"}
    facts["last_day"] = (timezone.localdate() + 30 * DAY).isoformat()
    client.force_login(dave, backend="compliance.people.access.backend.StaffBackend")
    page = client.post(reverse("platform:keys:new"), facts | {"scopes": ["cases:read"]}).content.decode()
    token = re.search(r"mzn_[0-9a-f]{8}_[\w-]{43}\.[\w-]{43}", page)[0]
    assert "Up to the full stop" in page and Signer(token).send("GET", "/api/v1/ping").status_code == 200
    key = reverse("platform:keys:key", args=[ApiKey.objects.get().pk])
    assert "Signed, each of them" in client.get(key).content.decode()
    client.post(f"{key}replace/", {"hours": "24"})
    assert not ApiKey.objects.get(replaces__isnull=False).signs

    client.post(reverse("platform:keys:new"), facts | {"scopes": ["money:write"], "reason": "connect"})
    asked = KeyRequest.objects.get()
    proposal = asking.proposal_of(asked)
    client.force_login(frank, backend="compliance.people.access.backend.StaffBackend")
    assert "Signed, each of them" in client.get(f"/approvals/{proposal.pk}/").content.decode()
    KeyRequest.objects.update(signs=False)  # what was confirmed is what was asked for
    assert client.post(f"/approvals/{proposal.pk}/confirm/").status_code == 409


def test_the_command_asks_the_second_administrator_for_a_wide_key(db, client, capsys, in_context):
    world = a_world()
    dave, frank = an_administrator(world), an_administrator(world)
    who = ["--owner", world.bob.email, "--licensee", world.licensee.slug, "--name", "CRM"]
    call_command("platform", "issue-key", *who, "--by", dave.email, "--scopes", "cases:read", "--signed", "--json")
    narrow = json.loads(capsys.readouterr().out)["secret"]
    assert Signer(narrow).send("GET", "/api/v1/ping").status_code == 200
    call_command("platform", "issue-key", *who, "--by", dave.email, "--scopes", "money:write", "--rate", "60", "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["secret"] is None and ApiKey.objects.count() == 1
    client.force_login(frank, backend="compliance.people.access.backend.StaffBackend")
    assert client.post(said["confirm"].removeprefix(product.BASE_URL) + "confirm/").status_code == 302
    client.force_login(dave, backend="compliance.people.access.backend.StaffBackend")
    assert "mzn_" in client.post(said["shown"].removeprefix(product.BASE_URL)).content.decode()
    made = ApiKey.objects.get(rate_per_minute=60)
    call_command("platform", "rotate-key", made.prefix, "--by", dave.email)
    assert "No key was made yet." in capsys.readouterr().out and ApiKey.objects.count() == 2
    for by in (world.bob.email, world.alice.email):  # the owner, and somebody without the right
        with pytest.raises(CommandError):
            call_command("platform", "issue-key", *who, "--by", by, "--scopes", "log:read")
    assert KeyRequest.objects.count() == 2
