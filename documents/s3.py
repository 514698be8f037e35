"""The vault in an S3-compatible store, with the promises of the local one: a file is whole or not there.

Loaded only where a setting names it: boto3 is an extra. An upload becomes a file by one request,
CompleteMultipartUpload (or PutObject for small files), with `If-None-Match: *`: nothing is ever overwritten. Parts
carry SHA-256 checksums that the store compares. What was begun and not completed is aborted by the sweep, and by a
lifecycle rule where one is set.
"""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from documents.storage import Missing

PART = 6 * 1024 * 1024  # bytes; S3 wants 5 MiB at least
_AHEAD = 1024 * 1024  # bytes that one request reads
_GONE = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})
_TAKEN = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
_CHECKSUM = "SHA256"


@contextmanager
def _as_os_errors(name: str) -> Iterator[None]:
    """What the store or the way to it says, as the errors of a disk; Missing when there is no such file."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code"))
        if code in _GONE:
            raise Missing(name) from None
        if code in _TAKEN:
            raise FileExistsError(f"{name} is there already") from None
        raise OSError(f"the store refused {name}: {code}") from error
    except BotoCoreError as error:
        raise OSError(f"the store cannot be reached for {name}: {type(error).__name__}") from error


@contextmanager
def _writing(name: str) -> Iterator[None]:
    try:
        with _as_os_errors(name):
            yield
    except Missing:
        raise OSError(f"the upload of {name} is gone") from None


class S3Put:
    """One file on its way in. A failed request ends it: nothing is tried again on our side but what boto3 repeats."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client, self._at = client, {"Bucket": bucket, "Key": key}
        self._buffer = bytearray()
        self._upload = ""
        self._parts: list[dict[str, Any]] = []
        self._forget: weakref.finalize[..., Any] | None = None

    def write(self, data: memoryview) -> None:
        self._buffer += data
        while len(self._buffer) >= PART:
            self._send(bytes(self._buffer[:PART]))
            del self._buffer[:PART]

    def commit(self) -> None:
        with _writing(self._at["Key"]):
            if not self._upload:
                body = bytes(self._buffer)
                self._client.put_object(**self._at, Body=body, IfNoneMatch="*", ChecksumAlgorithm=_CHECKSUM)
                return
        self._send(bytes(self._buffer))
        with _writing(self._at["Key"]):
            self._client.complete_multipart_upload(
                **self._at, UploadId=self._upload, MultipartUpload={"Parts": self._parts}, IfNoneMatch="*"
            )
        if self._forget is not None:
            self._forget.detach()

    def discard(self) -> None:
        self._buffer.clear()
        if self._forget is not None:
            self._forget()

    def _send(self, body: bytes) -> None:
        with _writing(self._at["Key"]):
            if not self._upload:
                begun = self._client.create_multipart_upload(**self._at, ChecksumAlgorithm=_CHECKSUM)
                self._upload = begun["UploadId"]
                self._forget = weakref.finalize(self, _abort, self._client, self._at | {"UploadId": self._upload})
            number = len(self._parts) + 1
            sent = self._client.upload_part(
                **self._at, UploadId=self._upload, PartNumber=number, Body=body, ChecksumAlgorithm=_CHECKSUM
            )
        part = {"PartNumber": number, "ETag": sent["ETag"]}
        self._parts.append(part | {k: sent[k] for k in ("ChecksumSHA256",) if k in sent})


class S3File:
    """A stored file, read a mebibyte at a time; all of it from the version that was there when it was opened."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client, self._at = client, {"Bucket": bucket, "Key": key}
        with _as_os_errors(key):
            head = client.head_object(**self._at)
        self.size: int = head["ContentLength"]
        self._version = {"IfMatch": head["ETag"]}
        self._window, self._start = b"", 0

    def read_at(self, offset: int, length: int) -> bytes:
        stop = min(offset + length, self.size)
        if stop <= offset:
            return b""
        if not self._start <= offset <= stop <= self._start + len(self._window):
            last = min(max(stop, offset + _AHEAD), self.size) - 1
            with _as_os_errors(self._at["Key"]):
                answer = self._client.get_object(**self._at, **self._version, Range=f"bytes={offset}-{last}")
                self._window, self._start = answer["Body"].read(), offset
        return self._window[offset - self._start : stop - self._start]

    def close(self) -> None:
        self._window = b""


class S3Storage:
    """Keys as the local vault's paths: `<two hex digits>/<document id>.kvlt` and `orphans/<document id>.kvlt`."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._client, self._bucket, self._prefix = client, bucket, prefix

    @classmethod
    def from_settings(cls) -> "S3Storage":
        """Who we are, boto3 finds by itself: environment, profile or the machine's role."""
        retries: Any = {"max_attempts": 3, "mode": "standard"}
        client = boto3.client(
            "s3",
            endpoint_url=settings.S3_ENDPOINT_URL or None,
            region_name=settings.S3_REGION or None,
            config=Config(retries=retries, connect_timeout=5, read_timeout=30),
        )
        return cls(client, settings.S3_BUCKET, settings.S3_PREFIX)

    def begin(self, document: UUID) -> S3Put:
        return S3Put(self._client, self._bucket, self._key(document))

    def open(self, document: UUID) -> S3File:
        return S3File(self._client, self._bucket, self._key(document))

    def delete(self, document: UUID) -> bool:
        """Remove the file; False when there was none. Buckets that keep versions need a rule that ends them."""
        key = self._key(document)
        try:
            with _as_os_errors(key):
                self._client.head_object(Bucket=self._bucket, Key=key)
                self._client.delete_object(Bucket=self._bucket, Key=key)
        except Missing:
            return False
        return True

    def remove_abandoned(self, *, before: float) -> int:
        """Abort uploads begun before the time `before` (seconds since 1970): their writer died."""
        begun = []
        with _as_os_errors("uploads"):
            for page in self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            ):
                begun += [one for one in page.get("Uploads", ()) if one["Initiated"] < _moment(before)]
        for one in begun:
            with suppress(Missing), _as_os_errors(one["Key"]):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=one["Key"], UploadId=one["UploadId"])
        return len(begun)

    def documents(self, *, before: float) -> Iterator[UUID]:
        """Ids of the files last written before `before`."""
        return (document for folder, document in self._listed(before) if folder != "orphans")

    def set_aside(self, document: UUID) -> None:
        """Move the file among the orphans, where its time starts anew. Raises FileNotFoundError."""
        self._move(self._key(document), self._aside(document))

    def bring_back(self, document: UUID) -> None:
        """Undo `set_aside`. Raises FileNotFoundError."""
        self._move(self._aside(document), self._key(document))

    def remove_aside(self, document: UUID) -> None:
        with _as_os_errors(str(document)):
            self._client.delete_object(Bucket=self._bucket, Key=self._aside(document))

    def aside(self, *, before: float) -> list[UUID]:
        """Ids of the files set aside before the time `before`."""
        return [document for folder, document in self._listed(before, "orphans/") if folder == "orphans"]

    def _listed(self, before: float, below: str = "") -> Iterator[tuple[str, UUID]]:
        """(folder, document) of every file last written before the time."""
        paginator = self._client.get_paginator("list_objects_v2")
        with _as_os_errors("the list"):
            for page in paginator.paginate(Bucket=self._bucket, Prefix=self._prefix + below):
                for one in page.get("Contents", ()):
                    folder, _, name = one["Key"].removeprefix(self._prefix).rpartition("/")
                    if name.endswith(".kvlt") and one["LastModified"] < _moment(before):
                        yield folder, UUID(name.removesuffix(".kvlt"))

    def _move(self, source: str, target: str) -> None:
        """A copy, then the removal of what was copied: killed between, the file lies in both places, never in none."""
        try:
            with _as_os_errors(source):
                self._client.copy_object(
                    Bucket=self._bucket, Key=target, CopySource={"Bucket": self._bucket, "Key": source}
                )
                self._client.delete_object(Bucket=self._bucket, Key=source)
        except Missing:
            raise FileNotFoundError(source) from None

    def _aside(self, document: UUID) -> str:
        return f"{self._prefix}orphans/{document}.kvlt"

    def _key(self, document: UUID) -> str:
        return f"{self._prefix}{document.hex[:2]}/{document}.kvlt"


def _abort(client: Any, upload: dict[str, str]) -> None:
    """What cannot be aborted now, the sweep aborts."""
    with suppress(ClientError, BotoCoreError):
        client.abort_multipart_upload(**upload)


def _moment(seconds: float) -> datetime:
    latest = datetime.max.replace(tzinfo=UTC)
    return datetime.fromtimestamp(seconds, UTC) if seconds < latest.timestamp() else latest
