"""Every request has a context, and every answer says its id."""

import json
import logging
import sys

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from audit import context
from audit.logs import JsonLines, scrub
from audit.middleware import ContextMiddleware


class Session(dict):
    session_key = "k" * 32


def answered(path="/cases/", view=None, session=None, **headers):
    """What a view sees as its context, and the response."""
    seen = []

    def default(request):
        seen.append(context.current())
        return HttpResponse("ok")

    request = RequestFactory().get(path, **headers)
    request.session = session
    response = ContextMiddleware(view or default)(request)
    return seen[0] if seen else None, response


def test_the_answer_carries_the_id_of_the_context():
    here, response = answered()
    assert response["X-Request-Id"] == here.request_id
    assert len(here.request_id) == 32
    assert here.source == "web"


def test_an_id_from_outside_is_not_taken_over():
    here, response = answered(HTTP_X_REQUEST_ID="0" * 32)
    assert response["X-Request-Id"] != "0" * 32
    assert here.request_id != answered()[0].request_id


def test_it_knows_the_address_the_program_and_the_interface():
    here, _ = answered("/api/v1/cases/", REMOTE_ADDR="203.0.113.9", HTTP_USER_AGENT="x" * 1000)
    assert (here.source, here.address, here.user_agent) == ("api", "203.0.113.9", "x" * 300)


def test_a_directory_comes_as_a_platform_does():
    assert answered("/scim/v2/Users")[0].source == "api"
    assert answered("/scimitar/")[0].source == "web"


def test_a_session_is_known_by_its_digest_and_its_factors():
    session = Session(account_authentication_methods=[{"method": "password"}, {"method": "mfa", "type": "totp"}])
    here, _ = answered(session=session)
    assert here.authentication == "password+totp"
    assert len(here.session) == 16
    assert "k" * 8 not in here.session


def test_after_the_request_there_is_no_context():
    answered()
    with pytest.raises(context.MissingContext):
        context.current()


def test_what_streams_out_later_still_knows_its_request():
    seen, closed = [], []

    def chunks():
        try:
            for _ in range(3):
                seen.append(context.current().request_id)
                yield b"x"
        finally:
            closed.append(context.current().request_id)

    _, response = answered(view=lambda request: StreamingHttpResponse(chunks()))
    stream = iter(response.streaming_content)
    next(stream)
    with pytest.raises(context.MissingContext):
        context.current()  # between two chunks another request may run in this thread
    assert b"".join(stream) == b"xx"
    assert {*seen, *closed} == {response["X-Request-Id"]}


def line(message, *arguments, exc_info=None):
    record = logging.LogRecord("mizan", logging.ERROR, "file.py", 1, message, arguments, exc_info)
    return json.loads(JsonLines().format(record))


def test_a_log_line_is_one_json_object_with_the_requests_id():
    with context.use(context.new("test")) as here:
        found = line("entry %s", 5)
    assert found["text"] == "entry 5"
    assert found["request"] == here.request_id
    assert found["at"].endswith("+00:00")
    assert "request" not in line("outside")


def test_an_exception_is_told_by_type_and_place_without_its_words():
    try:
        raise ValueError("duplicate key: isil@example.com")
    except ValueError:
        found = line("failed", exc_info=sys.exc_info())
    assert found["error"] == "ValueError"
    assert "test_middleware.py" in found["places"][-1]
    assert "isil" not in json.dumps(found)


@pytest.mark.parametrize(
    "personal",
    [
        "isil@example.com",
        "+90 532 123 45 67",
        "17291716060",
        "05321234567",
        "4111 1111 1111 1111",
        "TR33 0006 1005 1978 6457 8413 26",
    ],
)
def test_what_looks_personal_is_blanked(personal):
    assert scrub(f"for {personal} now") == "for … now"


@pytest.mark.parametrize(
    "harmless",
    [
        "KYC-26-004813-9",
        "6f0c0a52-5d9c-4a3f-9a3e-0d5a3b1c2d4e",
        "in 1234 ms",
        "/cases/KYC-26-004813-9/",
        "01a20073-1234-7939-8669-123456789012",
    ],
)
def test_what_does_not_is_kept(harmless):
    assert scrub(f"for {harmless} now") == f"for {harmless} now"
