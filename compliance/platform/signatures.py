"""Requests that a key signs: HTTP Message Signatures (RFC 9421) with HMAC-SHA-256, and Content-Digest (RFC 9530).

A key is issued with a signing secret or without one. One that has it opens nothing unsigned: who finds the secret in
the header `Authorization` cannot use it, and nobody on the way can change, repeat or hold back for later what was sent.

Signed are method, path, query, the headers in `IF_SENT` that the request has, a moment and a nonce. The signature is
checked before a byte of the body is read; the body against its digest before anything is done with it. A file that is
taken in while it arrives is given on without its last bytes until the digest fits (`Checked`).
"""

import base64
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Protocol
from urllib.parse import unquote

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from http_message_signatures import HTTPMessageVerifier, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.resolvers import MappingKeyResolver

from audit.actors import INSTALLATION
from compliance.keys.services import open_sealed, seal
from compliance.platform import versions
from compliance.platform.models import ApiKey, UsedNonce

SECRET: Final = "platform.signing"
WINDOW: Final = timedelta(minutes=5)  # that the moment of a signature may lie off our clock, either way
ALWAYS: Final = ("@method", "@path", "@query")
IF_SENT: Final = (
    "Content-Digest",
    "Idempotency-Key",
    "If-Match",
    versions.HEADER,
    "Range",
    "Upload-Checksum",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
)
WITH_BODY: Final = ("Content-Digest", "Content-Type")
ARRIVING: Final = ("multipart/form-data", "application/offset+octet-stream")  # bodies that are never held as a whole
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_NONCE = re.compile(r"[\x21-\x7e]{16,128}")


class NotSigned(Exception):
    """The signature is missing or does not fit. `reason` is for the log: the caller is not told which it was."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            str(
                _(
                    "This key signs its requests. The signature is missing, does not fit what came, was used before, "
                    "or is not of the last five minutes."
                )
            )
        )
        self.reason = reason


class Source(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...

    def readline(self, size: int = -1, /) -> bytes: ...


def sealed(secret: str, *, of: ApiKey) -> bytes:
    """As it is stored: to check a signature we have to know the secret, so a digest would not do."""
    return seal(INSTALLATION, SECRET, secret.encode(), aad=of.pk.bytes)


def require(request: HttpRequest, key: ApiKey, *, arriving: bool, note: Callable[[NotSigned], None]) -> None:
    """Raises NotSigned where the key signs and this request is not signed by it, now and for the first time.

    `arriving`: the operation takes its body while it arrives; then a wrong body is found out, and `note` told, at its
    last byte. Of any other the whole body is read here.
    """
    if key.signing_sealed is None:
        return
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    created, nonce = _verified(request, key, with_body=length > 0)
    _use(key, nonce, created)
    header = request.headers.get("Content-Digest")
    if header is None:
        return
    digest = _digest(header)
    if arriving and length > 0 and request.content_type in ARRIVING:
        request._stream = Checked(request._stream, length, digest, note)  # type: ignore[assignment]
        request.signed_digest = ("sha256", digest)  # type: ignore[attr-defined]
    elif not hmac.compare_digest(sha256(request.body).digest(), digest):
        raise NotSigned("wrong_body")


class Checked:
    """A body on its way in. The read that would hand on its last byte raises NotSigned unless all is as signed."""

    def __init__(self, source: Source, length: int, digest: bytes, note: Callable[[NotSigned], None]) -> None:
        self._source, self._left, self._expected, self._note = source, length, digest, note
        self._seen = sha256()

    def read(self, size: int = -1, /) -> bytes:
        if self._left <= 0 or size == 0:
            return b""
        return self._passed(self._source.read(self._wanted(size)))

    def readline(self, size: int = -1, /) -> bytes:
        if self._left <= 0 or size == 0:
            return b""
        return self._passed(self._source.readline(self._wanted(size)))

    def _wanted(self, size: int) -> int:
        return self._left if size < 0 else min(size, self._left)

    def _passed(self, data: bytes) -> bytes:
        self._seen.update(data)
        self._left -= len(data)
        broke_off = not data
        if (broke_off or self._left <= 0) and not hmac.compare_digest(self._seen.digest(), self._expected):
            wrong = NotSigned("wrong_body")
            self._note(wrong)
            raise wrong
        return data


@dataclass(frozen=True, slots=True)
class _Message:
    """A request as the library wants it. Its scheme and host are not signed: a proxy may change them."""

    method: str
    url: str
    headers: Mapping[str, str]


class _Verifier(HTTPMessageVerifier):
    max_clock_skew = WINDOW


def _verified(request: HttpRequest, key: ApiKey, *, with_body: bool) -> tuple[datetime, str]:
    """The moment and the nonce of the one signature, which covers all that it has to."""
    names = [name for name in IF_SENT if name in request.headers]
    if with_body:
        names = [*names, *(name for name in WITH_BODY if name not in names)]
    secret = open_sealed(INSTALLATION, SECRET, bytes(key.signing_sealed or b""), aad=key.pk.bytes)
    verifier = _Verifier(
        signature_algorithm=algorithms.HMAC_SHA256,
        key_resolver=MappingKeyResolver(public_keys={key.prefix: secret}, private_keys={}),
    )
    if "Signature" not in request.headers or "Signature-Input" not in request.headers:
        raise NotSigned("unsigned")
    message = _Message(request.method or "", _url(request), dict(request.headers))
    try:
        # No age beyond the skew: so many seconds ago and so many ahead are taken alike.
        [found] = verifier.verify(
            message, max_age=timedelta(0), require_components=[*ALWAYS, *(name.lower() for name in names)]
        )
    except HTTPMessageSignaturesException as error:
        raise NotSigned("wrong_signature") from error
    nonce, created = found.nonce or "", found.parameters["created"]
    expires = found.parameters.get("expires")
    if not _NONCE.fullmatch(nonce) or (expires is not None and int(expires) < timezone.now().timestamp()):
        raise NotSigned("no_nonce" if not _NONCE.fullmatch(nonce) else "not_now")
    return datetime.fromtimestamp(int(created), tz=timezone.get_default_timezone()), nonce


def _url(request: Any) -> str:
    """With the path as it was spelt on the wire, where the server tells it and it is the one that was routed."""
    path = str(request.META.get("RAW_URI") or request.get_full_path()).split("?", 1)[0]
    if unquote(path) != request.path:
        raise NotSigned("other_path")
    query = request.META.get("QUERY_STRING", "")
    return f"https://mizan.invalid{path}" + (f"?{query}" if query else "")


def _use(key: ApiKey, nonce: str, created: datetime) -> None:
    """Once, in the database: a cache may forget. In a transaction of its own, so that nothing gives it back."""
    digest = sha256(nonce.encode()).digest()
    try:
        with transaction.atomic(durable=True):
            UsedNonce.objects.create(key=key, digest=digest, until=created + 2 * WINDOW)
    except IntegrityError:
        raise NotSigned("used_before") from None


def _digest(header: str) -> bytes:
    found = _DIGEST.fullmatch(header.strip())
    if found is None:
        raise NotSigned("no_digest")
    return base64.b64decode(found[1])


def forget_old_nonces() -> int:
    """Delete those whose signature is too old to be taken anyway. How many there were."""
    deleted, _by_model = UsedNonce.objects.filter(until__lt=timezone.now()).delete()
    return deleted
