"""Our signatures are those of Standard Webhooks: its own library is the other side (experience W8, W9)."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from compliance.platform.webhooks import signing

NOW = 1_700_000_000
SECRETS = st.binary(min_size=24, max_size=64).map(lambda key: "whsec_" + base64.b64encode(key).decode())


def the_present():
    """The library compares with its own clock, and a suite may run for longer than its five minutes."""
    return int(datetime.now(UTC).timestamp())


@given(SECRETS, SECRETS, st.binary(max_size=200), st.uuids())
def test_the_library_takes_what_we_sign_with_one_secret_or_two(secret, former, body, name):
    body, now = b'"' + base64.b64encode(body) + b'"', the_present()
    signed = signing.headers([secret, former], f"evt_{name.hex}", now, body)
    for known in (secret, former):
        assert Webhook(known).verify(body, signed) == json.loads(body)
    assert signing.verify([former], signed, body, now=now) == f"evt_{name.hex}"


@given(SECRETS, st.binary(min_size=1, max_size=60), st.data())
def test_one_byte_changed_is_refused_by_both(secret, body, data):
    body, now = base64.b64encode(body), the_present()
    signed = signing.headers([secret], "evt_1", now, body)
    place = data.draw(st.integers(0, len(body) - 1))
    altered = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(altered, signed)
    with pytest.raises(signing.NotGenuine, match="wrong_signature"):
        signing.verify([secret], signed, altered, now=now)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"webhook-timestamp": str(NOW - 301)}, "not_now"),
        ({"webhook-timestamp": str(NOW + 301)}, "not_now"),
        ({"webhook-timestamp": "1" * 400}, "unsigned"),
        ({"webhook-timestamp": "٣"}, "unsigned"),
        ({"webhook-id": ""}, "unsigned"),
        ({"webhook-signature": ""}, "wrong_signature"),
        ({"webhook-signature": "v1a,AAAA"}, "wrong_signature"),
        ({"webhook-signature": "v1,"}, "wrong_signature"),
    ],
)
def test_what_is_old_unsigned_or_of_another_form_is_refused(change, code):
    secret, body = signing.new_secret(), b"{}"
    moment = int(change["webhook-timestamp"]) if code == "not_now" else NOW
    signed = signing.headers([secret], "evt_1", moment, body) | change
    with pytest.raises(signing.NotGenuine, match=code):
        signing.verify([secret], signed, body, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_ not base64", "x" * 200])
def test_a_secret_that_anybody_could_guess_signs_nothing(secret):
    with pytest.raises(signing.BadSecret):
        signing.sign(secret, "evt_1", NOW, b"")


def test_no_secret_at_all_accepts_nothing():
    signed = signing.headers([signing.new_secret()], "evt_1", NOW, b"")
    with pytest.raises(signing.NotGenuine):
        signing.verify([], signed, b"", now=NOW)
