"""Vault's transit engine: the wrapping key never leaves it, each version of the key is an epoch.

The key is `derived`: Vault derives one key per row from the row's own context, so that a wrapping moved to another row
does not open, and a rewrap happens inside Vault (the transit API documents `context` for encrypt, decrypt and rewrap).
The installation secret is the HMAC key of a second transit key, which is never rotated.
"""

import base64
import binascii
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import hvac
from django.conf import settings
from hvac.exceptions import InvalidPath, InvalidRequest, VaultError
from requests.exceptions import RequestException

from compliance.keys.providers.interface import KEY_BYTES, KeyUnavailable, Wrapped

KEY_TYPE = "aes256-gcm96"
BATCH = 1000
SECONDS = 4  # a request that needs a key does not wait longer for Vault
DERIVED_FOR = 300  # seconds that a derived key is kept

T = TypeVar("T")


class VaultTransit:
    """`token` is read at each call: an agent may renew the file that holds it."""

    name = "vault"

    def __init__(
        self, address: str, token: Callable[[], str], *, key: str, mount: str = "transit", namespace: str = ""
    ) -> None:
        self._address, self._token, self._namespace = address, token, namespace
        self._key, self._secret, self._mount = key, f"{key}-derive", mount
        self._local = threading.local()
        self._derived: dict[str, tuple[float, bytes]] = {}

    @classmethod
    def from_settings(cls) -> "VaultTransit":
        def token() -> str:
            if settings.VAULT_TOKEN_FILE:
                return Path(settings.VAULT_TOKEN_FILE).read_text().strip()
            return str(settings.VAULT_TOKEN)

        return cls(
            settings.VAULT_ADDR,
            token,
            key=settings.VAULT_TRANSIT_KEY,
            mount=settings.VAULT_TRANSIT_MOUNT,
            namespace=settings.VAULT_NAMESPACE,
        )

    def wrap(self, key: bytes, *, aad: bytes) -> Wrapped:
        asked = {"plaintext": _text(key), "context": _text(aad)}
        answer = self._ask(lambda transit: transit.encrypt_data(self._key, mount_point=self._mount, **asked))
        return _wrapped(answer.get("ciphertext"))

    def unwrap(self, wrapped: Wrapped, *, aad: bytes) -> bytes:
        asked = {"ciphertext": wrapped.blob.decode(), "context": _text(aad)}
        if _wrapped(asked["ciphertext"]).epoch != wrapped.epoch:
            raise KeyUnavailable("The row names another epoch than its wrapping: it was changed.")
        answer = self._ask(lambda transit: transit.decrypt_data(self._key, mount_point=self._mount, **asked))
        return _key(answer.get("plaintext"))

    def rewrap(self, wrapped: Wrapped, *, aad: bytes) -> Wrapped:
        return self.rewrap_many([(wrapped, aad)])[0]

    def rewrap_many(self, rows: Sequence[tuple[Wrapped, bytes]]) -> list[Wrapped]:
        out: list[Wrapped] = []
        for start in range(0, len(rows), BATCH):
            batch = [
                {"ciphertext": wrapped.blob.decode(), "context": _text(aad)}
                for wrapped, aad in rows[start : start + BATCH]
            ]
            out += self._rewrapped(batch)
        return out

    def _rewrapped(self, batch: list[dict[str, str]]) -> list[Wrapped]:
        # The library asks for a single ciphertext even where only the batch counts.
        answer = self._ask(
            lambda transit: transit.rewrap_data(self._key, ciphertext="", batch_input=batch, mount_point=self._mount)
        )
        results = answer.get("batch_results", [])
        if len(results) != len(batch) or any(result.get("error") for result in results):
            raise KeyUnavailable(f"Vault does not open every key of a batch with its key {self._key!r}.")
        return [_wrapped(result.get("ciphertext")) for result in results]

    def derive(self, purpose: str) -> bytes:
        kept = self._derived.get(purpose)
        if kept and kept[0] > time.monotonic():
            return kept[1]
        asked = {"hash_input": _text(b"mizan/1|" + purpose.encode()), "key_version": 1, "algorithm": "sha2-256"}
        answer = self._ask(lambda transit: transit.generate_hmac(self._secret, mount_point=self._mount, **asked))
        key = _key(str(answer.get("hmac")).rpartition(":")[2])
        self._derived[purpose] = (time.monotonic() + DERIVED_FOR, key)
        return key

    def rotate(self) -> int:
        self._ask(lambda transit: transit.rotate_key(self._key, mount_point=self._mount))
        return self.epoch()

    def destroy_epoch(self, epoch: int) -> datetime:
        """Vault trims from the oldest on: all epochs up to this one go."""
        if epoch >= self.epoch():
            raise ValueError("epoch: this is the current one. Rotate first.")
        least = epoch + 1
        # One after the other: hvac refuses the two together when they are equal, which Vault allows.
        for name in ("min_encryption_version", "min_decryption_version"):
            self._configure(**{name: least})
        self._ask(lambda transit: transit.trim_key(self._key, least, mount_point=self._mount))
        return datetime.now(UTC)

    def _configure(self, **versions: int) -> None:
        self._ask(lambda transit: transit.update_key_configuration(self._key, mount_point=self._mount, **versions))

    def epoch(self) -> int:
        return int(self._about(self._key)["latest_version"])

    def epochs(self) -> list[int]:
        about = self._about(self._key)
        oldest = max(int(about["min_decryption_version"]), int(about.get("min_available_version") or 1))
        return list(range(oldest, int(about["latest_version"]) + 1))

    def health(self) -> list[str]:
        try:
            about = self._about(self._key)
            self.derive("health")
            self._about(self._secret)
        except KeyUnavailable as error:
            return [str(error)]
        if about["type"] != KEY_TYPE or not about["derived"]:
            return [f"Vault's key {self._key!r} must be of type {KEY_TYPE} and derived. Make another one."]
        return []

    def exists(self) -> bool:
        try:
            self._about(self._key)
        except _NoSuchKey:
            return False
        return True

    def create(self) -> None:
        if self.exists():
            raise FileExistsError(self.place())
        self._ask(
            lambda transit: transit.create_key(self._key, derived=True, key_type=KEY_TYPE, mount_point=self._mount)
        )
        self._ask(lambda transit: transit.create_key(self._secret, key_type=KEY_TYPE, mount_point=self._mount))

    def place(self) -> str:
        return f"{self._address}/v1/{self._mount}/keys/{self._key}"

    def _about(self, key: str) -> dict[str, Any]:
        about = self._ask(lambda transit: transit.read_key(key, mount_point=self._mount))
        if missing := {"type", "derived", "latest_version", "min_decryption_version"} - about.keys():
            raise KeyUnavailable(f"Vault's answer about its key {key!r} lacks {', '.join(sorted(missing))}.")
        return about

    def _ask(self, call: Callable[[Any], T]) -> dict[str, Any]:
        """The data of Vault's answer; KeyUnavailable in whatever way it fails."""
        try:
            answer = call(self._client().secrets.transit)
            # Changes are answered with 204 and no body.
            return dict(answer.get("data") or {}) if isinstance(answer, dict) else {}
        except InvalidPath:
            raise _NoSuchKey(
                f"Vault has no such key at {self.place()}. A new installation makes it with `manage.py keys ensure`."
            ) from None
        except InvalidRequest:
            raise KeyUnavailable(
                f"Vault's key {self._key!r} does not open this: it belongs to another installation, its epoch was "
                "destroyed, or the row was changed."
            ) from None
        except (VaultError, RequestException, OSError, KeyError, ValueError) as error:
            # The text of these may hold the address with credentials: the kind is enough for the operator.
            raise KeyUnavailable(f"Vault at {self._address} does not answer ({type(error).__name__}).") from None

    def _client(self) -> hvac.Client:
        """One connection a thread: a session of `requests` is not to be shared."""
        client = getattr(self._local, "client", None)
        if client is None:
            client = hvac.Client(url=self._address, namespace=self._namespace or None, timeout=SECONDS)
            self._local.client = client
        client.token = self._token()
        return client


class _NoSuchKey(KeyUnavailable):
    pass


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _key(text: object) -> bytes:
    try:
        key = base64.b64decode(str(text), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyUnavailable("Vault answered with something that is no key of ours.")
    return key


def _wrapped(ciphertext: object) -> Wrapped:
    """Vault writes `vault:v3:<base64>`: the epoch is the version."""
    scheme, version, body = [*str(ciphertext).split(":"), "", ""][:3]
    if scheme != "vault" or not version[1:].isdecimal() or not body:
        raise KeyUnavailable("Vault answered with something that is no ciphertext.")
    return Wrapped(int(version[1:]), str(ciphertext).encode())
