"""The Python client: its README runs, it tries again without doing twice, and takes nothing for ours that is not."""

import json
import re
import secrets
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.conf import settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audit import context
from compliance.people.models import Account
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from compliance.platform.webhooks import signing
from tests.papers import a_file
from tests.world import a_world

FOLDER = settings.BASE_DIR / "clients" / "python"
sys.path.insert(0, str(FOLDER))
import mizan_client  # noqa: E402
from mizan_client import Mizan, NotGenuine, Problem, verify  # noqa: E402

PAGE = (FOLDER / "README.md").read_text()
SECRET = signing.new_secret()
BODY = json.dumps({"id": "evt_1", "type": "platform.test", "data": {}}).encode()


def blocks():
    return re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_examples_of_the_readme_run(committed, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "front.jpg").write_bytes(a_file())
    world = a_world()
    facts = {"owner": world.bob, "licensee": world.licensee, "name": "client", "created_by": world.bob}
    expires_at = timezone.now() + timedelta(hours=1)
    scopes = [scope for scope in Scope if not scope.startswith("staff")]
    with context.use(context.new("test")):
        _row, key = issue_key(**facts, scopes=scopes, expires_at=expires_at, by=world.bob, signs=True)
    first, webhooks = blocks()
    reference = f"P-{secrets.token_hex(4)}"
    exec(first, {"url": committed.url, "key": key, "reference": reference})
    said = capsys.readouterr().out
    assert Account.objects.filter(reference=reference).count() == 1
    assert re.search(r"KYC-\d\d-\d{6}-\d received", said)
    assert "('identity_front', 'pending')" in said
    assert "1 taken" in said
    assert "422 invalid ['/reference']" in said
    assert re.search(r"TR \['TR-\d{4}-\d\d-\d\d'\]", said)
    headers = signing.headers([SECRET], "evt_1", int(timezone.now().timestamp()), BODY)
    names = {"secret": SECRET, "headers": headers, "body": BODY}
    exec(webhooks, names)
    assert names["status"] == 204
    names["body"] = BODY + b" "
    exec(webhooks, names)
    assert names["status"] == 400


@contextmanager
def an_api(*answers):
    """Answers in turn: (status, headers, body), or None to break the connection. The requests that came."""
    left, got = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("Content-Length", 0))
            got.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
            status, headers, body = (left.pop(0) if len(left) > 1 else left[0]) or (None, {}, {})
            if status is None:
                self.connection.close()
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if status != 204:
                self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    waits = []
    try:
        yield Mizan(f"http://127.0.0.1:{server.server_port}", key="mzn_x", sleep=waits.append), got, waits
    finally:
        server.shutdown()
        server.server_close()


def test_it_tries_again_under_the_same_key_and_waits_as_long_as_it_is_asked():
    busy = (429, {"Retry-After": "7"}, {"code": "too_many_requests"})
    with an_api(busy, None, (503, {}, {}), (201, {}, {"id": "c-1"})) as (mizan, got, waits):
        assert mizan.register_customer(full_name="Alice", birth_date="1990-01-01", nationality="GB") == "c-1"
    assert len({headers["Idempotency-Key"] for _method, _path, headers, _body in got}) == 1
    assert len({body for _method, _path, _headers, body in got}) == 1
    assert (len(got), waits[0]) == (4, 7.0)
    assert all(0.2 < wait < 3 for wait in waits[1:])


def test_an_answer_that_is_cut_off_is_asked_for_again_under_the_same_key():
    cut = (201, {"Content-Length": "98"}, b"")
    with an_api(cut, (201, {}, {"id": "c-1"})) as (mizan, got, waits):
        assert mizan.register_customer(full_name="Alice", birth_date="1990-01-01", nationality="GB") == "c-1"
    assert len({headers["Idempotency-Key"] for _method, _path, headers, _body in got}) == len(waits) == 1
    with an_api(cut) as (mizan, got, _waits), pytest.raises(ConnectionError, match="cut off"):
        mizan.register_customer(full_name="Alice", birth_date="1990-01-01", nationality="GB")


@pytest.mark.parametrize(("status", "code"), [(422, "invalid"), (404, "not_found"), (409, "wrong_state")])
def test_what_another_try_would_not_change_is_raised_at_once(status, code):
    document = {"code": code, "detail": "No.", "request_id": "r-1", "errors": [{"pointer": "/x"}]}
    with an_api((status, {}, document)) as (mizan, got, _waits), pytest.raises(Problem, match=code) as raised:
        mizan.case("KYC-26-000001-0")
    assert (raised.value.status, raised.value.request_id, raised.value.errors[0]["pointer"]) == (status, "r-1", "/x")
    assert len(got) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", ["cases", "confirm"])
def test_the_key_goes_to_the_address_that_was_given_and_nowhere_else(status, call):
    with an_api((200, {}, {"items": [], "next": None})) as (elsewhere, asked_elsewhere, _waits):
        moved = (status, {"Location": f"{elsewhere._url}/api/v1/cases"}, {})
        with an_api(moved) as (mizan, got, _waits), pytest.raises(Problem) as raised:
            list(mizan.cases()) if call == "cases" else mizan.confirm_limit("P/1", "LIM-1")
    assert (raised.value.status, len(got), asked_elsewhere) == (status, 1, [])


@pytest.mark.parametrize(
    "answer", [(503, {}, {"code": "gate_closed"}), (500, {}, {}), (429, {}, {}), (200, {}, b"<html>"), None]
)
def test_the_gate_fails_closed(answer):
    with an_api(answer) as (mizan, _got, _waits):
        gate = mizan.gate("P/1 ş")
    assert gate["stop"] is True
    assert not any(gate[effect]["allowed"] for effect in mizan_client.EFFECTS)


def test_pages_are_read_to_their_end():
    pages = [(200, {}, {"items": [{"reference": "a"}], "next": "x"}), (200, {}, {"items": [], "next": None})]
    with an_api(*pages) as (mizan, got, _waits):
        assert [one["reference"] for one in mizan.accounts(brand="lale")] == ["a"]
    assert [path.partition("?")[2] for _method, path, _headers, _body in got] == [
        "limit=100&brand=lale",
        "limit=100&brand=lale&after=x",
    ]


@given(st.binary(max_size=80), st.integers(-400, 400), st.integers(0, 79), st.sampled_from(["", " v1,AAAA", " v1a,x"]))
def test_it_takes_exactly_what_was_signed_within_five_minutes(body, late, place, more):
    now = 1_795_000_000
    body = json.dumps(list(body)).encode()
    headers = signing.headers([SECRET], "evt_1", now, body)
    headers["webhook-signature"] += more
    if abs(late) <= 300:
        assert verify([signing.new_secret(), SECRET], headers, body, now=now + late) == json.loads(body)
    else:
        with pytest.raises(NotGenuine):
            verify(SECRET, headers, body, now=now + late)
    altered = bytearray(body)
    altered[place % len(body)] ^= 1
    with pytest.raises(NotGenuine):
        verify(SECRET, headers, bytes(altered), now=now)


def test_orders_to_stop_are_read_to_their_end():
    full = [{"id": f"o-{number}"} for number in range(200)]
    with an_api((200, {}, full), (200, {}, [{"id": "o-200"}])) as (mizan, got, _waits):
        assert len(mizan.stop_orders()) == 201
    assert [path.partition("?")[2] for _method, path, _headers, _body in got] == ["limit=200", "limit=200&after=o-199"]


LEFT_OUT = {
    **dict.fromkeys(
        ("begin_upload", "continue_upload", "standing_of_upload", "give_up_upload"), "any tus client does it"
    ),
    **dict.fromkeys(("checkpoint", "inclusion", "consistency"), "an auditor's tool, with a key of its own"),
    **dict.fromkeys(("read_brand", "read_licensee", "read_policy"), "the list is short and says the same"),
    **dict.fromkeys(("read_contact", "read_proposal"), "the list says the same"),
    "deactivate": "of the system that keeps staff, with a key of its own",
}
FILE = {"name": 'a "b".jpg', "purpose": "identity_front", "document_type": "passport"}


def every_call(mizan):
    """Each method once, with what it needs."""
    for name in ("accounts", "customers", "cases", "contacts", "proposals", "restrictions", "daily_counts", "events"):
        list(getattr(mizan, name)())
    list(mizan.evidence("K-1", status="returned"))
    for name in ("document", "one_evidence"):
        getattr(mizan, name)("K-1", "d-1")
    mizan.change_contact("P/1", email="isil@example.com")
    mizan.transactions(["x", "y&z"])
    for name in ("ping", "licensee", "brands", "policies", "stop_orders"):
        getattr(mizan, name)()
    for name in ("customer", "person", "case", "documents", "gate", "account", "limits", "exclusions", "restriction"):
        getattr(mizan, name)("P/1 ş")
    for name in ("confirm_limit", "withdraw_limit", "test_passed"):
        getattr(mizan, name)("P/1", "LIM-1")
    for name in ("ask_return", "confirm_return", "take_back_return"):
        getattr(mizan, name)("P/1", "e-1")
    for name in ("player_link", "ask_registers", "withdraw_verification"):
        getattr(mizan, name)("P/1")
    mizan.register_customer(full_name="Alice", birth_date="1990-01-01", nationality="GB")
    mizan.open_account(customer="c", brand="b", reference="r")
    mizan.open_verification(account="r", level="L1")
    mizan.report_trait("P/1", what="device", value="tok_12345678")
    mizan.report_counts("2026-11-20", {"accounts": 1})
    mizan.ask_limit("P/1", measure="deposit", span="day", amount=None)
    mizan.check_limits("P/1", act="deposit", currency="EUR")
    mizan.release("P/1", "PAY/1")
    mizan.report_money("P/1", currency="EUR", events=[])
    mizan.report_transactions([{"source_id": "x"}])
    mizan.keep_out("P/1", kind="time_out", period={"amount": 24, "unit": "hour"})
    mizan.confirm_stop("o-1", ["sessions"])
    mizan.hand_in("K-1", b"bytes", **FILE)
    mizan.original("K-1", "d-1", reason="audit")


def test_every_operation_can_be_called_or_is_left_out_on_purpose():
    """Against the description as it was written down: no address that it does not have, and none forgotten."""
    described = json.loads((settings.BASE_DIR / "docs" / "reference" / "openapi.json").read_text())["paths"]
    known = {
        operation["operationId"]: re.compile(f"{method.upper()} " + re.sub(r"\{\w+\}", "[^/]+", path))
        for path, methods in described.items()
        for method, operation in methods.items()
    }
    page = {"items": [{}], "next": None, "has_more": False, "released": True, "id": "x"}
    with an_api((200, {}, page)) as (mizan, got, _waits):
        every_call(mizan)
    asked = {f"{method} {path.partition('?')[0]}" for method, path, _headers, _body in got}
    named = {name: [one for one in asked if pattern.fullmatch(one)] for name, pattern in known.items()}
    assert asked == {one for found in named.values() for one in found}
    assert {name for name, found in named.items() if not found} == LEFT_OUT.keys()
    public = {name for name in dir(mizan_client.Mizan) if not name.startswith("_")}
    assert len(public) == len(known) - len(LEFT_OUT)


def test_a_file_is_sent_whole_and_what_was_refused_is_asked_for_anew():
    """The API keeps what it refused under its key: only a new one finds that there is room by now."""
    busy, full, taken = (503, {}, {}), (422, {}, {"code": "too_many_files"}), (201, {}, {"id": "d-1"})
    with an_api(busy, full, busy, taken) as (mizan, got, _waits):
        with pytest.raises(Problem, match="too_many_files"):
            mizan.hand_in("K-1", b"bytes\r\n--x", **FILE)
        assert mizan.hand_in("K-1", b"bytes\r\n--x", **FILE) == {"id": "d-1"}
        mizan.hand_in("K-1", b"bytes", **FILE, idempotency_key="mine")
    keys = [headers["Idempotency-Key"] for _method, _path, headers, _body in got]
    assert (keys[0], keys[2], keys[4]) == (keys[1], keys[3], "mine")
    assert keys[0] != keys[2]
    headers, body = got[0][2], got[0][3]
    read = message_from_bytes(f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body)
    parts = {one.get_param("name", header="content-disposition"): one for one in read.get_payload()}
    assert parts["file"].get_payload(decode=True) == b"bytes\r\n--x"
    assert (parts["file"].get_filename(), parts["file"].get_content_type()) == ("a %22b%22.jpg", "image/jpeg")
    assert parts["purpose"].get_payload() == "identity_front"


def test_an_answer_without_a_body_is_none():
    with an_api((204, {}, None)) as (mizan, _got, _waits):
        assert mizan.report_trait("P-1", what="device", value="tok_12345678") is None
