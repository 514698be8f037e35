"""How a key signs its requests: RFC 9421 with HMAC-SHA-256, and the digest of the body as RFC 9530 has it.

A key that signs has two halves, "mzn_....signing secret": the client sends the first and signs with the second.
"""

import base64
import hmac
import secrets
import time
import urllib.parse
from collections.abc import Mapping
from hashlib import sha256

# Signed where they are sent; the server refuses a signature that leaves one out.
COVERED = (
    "content-digest",
    "content-type",
    "idempotency-key",
    "if-match",
    "mizan-version",
    "range",
    "upload-checksum",
    "upload-length",
    "upload-metadata",
    "upload-offset",
)


def halves(key: str) -> tuple[str, bytes]:
    """What goes with each request, and what signs it: empty where the key does not sign."""
    shown, _stop, secret = key.partition(".")
    return shown, secret.encode()


def signed(
    key: str,
    secret: bytes,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    now: float | None = None,
    nonce: str = "",
) -> dict[str, str]:
    """The headers to add. Each signature opens once: sign again when you send again."""
    added = {"Content-Digest": f"sha-256={_bytes(sha256(body).digest())}"} if body is not None else {}
    sent = {name.lower(): value.strip() for name, value in {**headers, **added}.items()}
    place = urllib.parse.urlsplit(url)
    said = {"@method": method, "@path": place.path or "/", "@query": f"?{place.query}"}
    said |= {name: sent[name] for name in COVERED if name in sent}
    moment = int(time.time() if now is None else now)
    prefix = "_".join(key.split("_")[:2])
    names = " ".join(f'"{name}"' for name in said)
    facts = f'({names});created={moment};nonce="{nonce or secrets.token_urlsafe(24)}";keyid="{prefix}"'
    lines = [*(f'"{name}": {value}' for name, value in said.items()), f'"@signature-params": {facts}']
    signature = _bytes(hmac.new(secret, "\n".join(lines).encode(), sha256).digest())
    return {**added, "Signature-Input": f"mizan={facts}", "Signature": f"mizan={signature}"}


def _bytes(value: bytes) -> str:
    return f":{base64.b64encode(value).decode()}:"
