"""AWS KMS: one KMS key per epoch, found by its alias, because a key's own rotation never destroys what it rotated.

    alias/<prefix>-kek-1, -2, ...   symmetric keys that wrap; the highest number wraps now
    alias/<prefix>-mac              an HMAC key, the installation secret

What a wrapping is bound to stands in the EncryptionContext, which CloudTrail shows: ids only, never a name.
"""

import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from compliance.keys.providers.interface import KEY_BYTES, KeyUnavailable, Wrapped

DERIVED_FOR = 300  # seconds that a derived key is kept
EPOCHS_FOR = 60  # seconds that the list of epochs is kept; a rotation elsewhere shows after that
WAITING_DAYS = 7  # KMS deletes a key no sooner; until then somebody with the right may still bring it back

T = TypeVar("T")


class AwsKms:
    """Region, address and credentials are boto3's own (AWS_REGION, AWS_ENDPOINT_URL_KMS, the role of the machine)."""

    name = "aws"

    def __init__(self, *, prefix: str, **client: Any) -> None:
        self._prefix = prefix
        config = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2})
        self._kms = boto3.client("kms", config=config, **client)
        self._derived: dict[str, tuple[float, bytes]] = {}
        self._known: tuple[float, dict[int, str]] | None = None

    @classmethod
    def from_settings(cls) -> "AwsKms":
        return cls(prefix=settings.AWS_KMS_PREFIX)

    def wrap(self, key: bytes, *, aad: bytes) -> Wrapped:
        epoch = self.epoch()
        answer = self._ask(
            lambda: self._kms.encrypt(KeyId=self._usable_key(epoch), Plaintext=key, EncryptionContext=_context(aad))
        )
        return Wrapped(epoch, bytes(answer["CiphertextBlob"]))

    def unwrap(self, wrapped: Wrapped, *, aad: bytes) -> bytes:
        # The key is the row's epoch, never the one that the ciphertext names.
        key = self._usable_key(wrapped.epoch)
        answer = self._ask(
            lambda: self._kms.decrypt(KeyId=key, CiphertextBlob=wrapped.blob, EncryptionContext=_context(aad))
        )
        return _key(answer["Plaintext"])

    def rewrap(self, wrapped: Wrapped, *, aad: bytes) -> Wrapped:
        epoch, source = self.epoch(), self._usable_key(wrapped.epoch)
        answer = self._ask(
            lambda: self._kms.re_encrypt(
                CiphertextBlob=wrapped.blob,
                SourceKeyId=source,
                SourceEncryptionContext=_context(aad),
                DestinationKeyId=self._usable_key(epoch),
                DestinationEncryptionContext=_context(aad),
            )
        )
        return Wrapped(epoch, bytes(answer["CiphertextBlob"]))

    def rewrap_many(self, rows: Sequence[tuple[Wrapped, bytes]]) -> list[Wrapped]:
        return [self.rewrap(wrapped, aad=aad) for wrapped, aad in rows]

    def derive(self, purpose: str) -> bytes:
        kept = self._derived.get(purpose)
        if kept and kept[0] > time.monotonic():
            return kept[1]
        message = b"mizan/1|" + purpose.encode()
        answer = self._ask(
            lambda: self._kms.generate_mac(KeyId=self._mac, Message=message, MacAlgorithm="HMAC_SHA_256")
        )
        key = _key(answer["Mac"])
        self._derived[purpose] = (time.monotonic() + DERIVED_FOR, key)
        return key

    def rotate(self) -> int:
        epoch = max(self._every_epoch(), default=0) + 1
        self._make(self._alias(epoch), "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
        self._known = None
        return epoch

    def destroy_epoch(self, epoch: int) -> datetime:
        self._known = None
        if epoch == self.epoch():
            raise ValueError("epoch: this is the current one. Rotate first.")
        key = self._every_epoch().get(epoch)
        if key is None:
            raise KeyUnavailable(f"KMS has no {self._alias(epoch)}.")
        answer = self._ask(lambda: self._kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=WAITING_DAYS))
        self._known = None
        final: datetime = answer["DeletionDate"]
        return final.astimezone(UTC)

    def epoch(self) -> int:
        usable = self._usable()
        if not usable:
            raise KeyUnavailable(
                f"KMS has no usable {self._alias(1)}. A new installation makes it with `manage.py keys ensure`."
            )
        return max(usable)

    def epochs(self) -> list[int]:
        self._known = None
        return sorted(self._usable())

    def health(self) -> list[str]:
        try:
            self._known = None
            self.epoch()
            self._ask(lambda: self._kms.describe_key(KeyId=self._mac))
            self.derive("health")
        except KeyUnavailable as error:
            return [str(error)]
        return []

    def exists(self) -> bool:
        return bool(self._every_epoch())

    def create(self) -> None:
        if self.exists():
            raise FileExistsError(self.place())
        self._make(self._mac, "HMAC_256", "GENERATE_VERIFY_MAC")
        self._make(self._alias(1), "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
        self._known = None

    def place(self) -> str:
        return f"{self._kms.meta.endpoint_url} alias/{self._prefix}-kek-*"

    @property
    def _mac(self) -> str:
        return f"alias/{self._prefix}-mac"

    def _alias(self, epoch: int) -> str:
        return f"alias/{self._prefix}-kek-{epoch}"

    def _make(self, alias: str, spec: str, usage: str) -> None:
        made = self._ask(lambda: self._kms.create_key(KeySpec=spec, KeyUsage=usage, Description="Mizan"))
        key = made["KeyMetadata"]["KeyId"]
        self._ask(lambda: self._kms.create_alias(AliasName=alias, TargetKeyId=key) or {})

    def _every_epoch(self) -> dict[int, str]:
        """Epoch and key id of all aliases of ours, those of destroyed epochs too: a number is never used again."""
        pattern = re.compile(re.escape(f"alias/{self._prefix}-kek-") + r"(\d+)$")
        pages = self._ask(lambda: list(self._kms.get_paginator("list_aliases").paginate()))
        return {
            int(found[1]): str(alias["TargetKeyId"])
            for page in pages
            for alias in page["Aliases"]
            if (found := pattern.match(alias["AliasName"])) and "TargetKeyId" in alias
        }

    def _usable_key(self, epoch: int) -> str:
        if epoch not in self._usable():
            self._known = None  # made elsewhere since we looked, perhaps
        try:
            return self._usable()[epoch]
        except KeyError:
            raise KeyUnavailable(f"KMS has no usable {self._alias(epoch)}: it was disabled or destroyed.") from None

    def _usable(self) -> dict[int, str]:
        if self._known is None or self._known[0] < time.monotonic():
            usable = {epoch: key for epoch, key in self._every_epoch().items() if self._is_enabled(key)}
            self._known = (time.monotonic() + EPOCHS_FOR, usable)
        return self._known[1]

    def _is_enabled(self, key: str) -> bool:
        about = self._ask(lambda: self._kms.describe_key(KeyId=key))
        return bool(about["KeyMetadata"]["KeyState"] == "Enabled")

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in ("InvalidCiphertextException", "IncorrectKeyException", "AccessDeniedException"):
                raise KeyUnavailable(
                    f"KMS does not open this ({code}): it belongs to another installation, the row was changed, or "
                    "this machine's role lacks the right."
                ) from None
            raise KeyUnavailable(f"KMS refuses ({code}).") from None
        except BotoCoreError as error:
            raise KeyUnavailable(f"KMS does not answer ({type(error).__name__}).") from None


def _context(aad: bytes) -> dict[str, str]:
    return {"mizan": aad.decode()}


def _key(found: object) -> bytes:
    key = bytes(found) if isinstance(found, bytes) else b""
    if len(key) != KEY_BYTES:
        raise KeyUnavailable("KMS answered with something that is no key of ours.")
    return key
