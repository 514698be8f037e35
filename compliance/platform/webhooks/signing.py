"""Signatures as Standard Webhooks has them: "v1," and base64 of HMAC-SHA256 over `id.timestamp.body`.

Several stand side by side while a secret is exchanged. Another form, such as v1a (Ed25519), would stand beside them.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

PREFIX: Final = "whsec_"
TOLERANCE: Final = 300  # seconds that sender and receiver may be apart
_BYTES: Final = (24, 64)


class BadSecret(ValueError):
    """Not whsec_ and base64 of 24 to 64 bytes."""


class NotGenuine(Exception):
    """The signature does not fit, or the moment is not now. `code` says which, for the log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSecret(BadSecret.__doc__) from error
    if not _BYTES[0] <= len(key) <= _BYTES[1]:
        raise BadSecret(BadSecret.__doc__)
    return key


def sign(secret: str, message_id: str, moment: int, body: bytes) -> str:
    signed = f"{message_id}.{moment}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, sha256).digest()).decode()


def headers(known: Iterable[str], message_id: str, moment: int, body: bytes) -> dict[str, str]:
    """What is sent along, one signature for each secret."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": " ".join(sign(secret, message_id, moment, body) for secret in known),
    }


def verify(known: Iterable[str], given: Mapping[str, str], body: bytes, *, now: float) -> str:
    """The message's id, when one of the known secrets signed it within five minutes. Raises NotGenuine.

    Every comparison takes the same time, and each secret is compared with each signature.
    """
    message_id, moment = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not message_id or not moment.isascii() or not moment.isdigit() or len(moment) > 12:
        raise NotGenuine("unsigned")
    expected = [sign(secret, message_id, int(moment), body).encode() for secret in known]
    offered = [one.encode() for one in given.get("webhook-signature", "").split(" ")[:10] if one.startswith("v1,")]
    fits = [hmac.compare_digest(one, other) for one in expected for other in offered]
    if True not in fits:
        raise NotGenuine("wrong_signature")
    if abs(now - int(moment)) > TOLERANCE:
        raise NotGenuine("not_now")
    return message_id
