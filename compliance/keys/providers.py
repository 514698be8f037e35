"""Where the keys that wrap other keys live. One interface; the key file is the provider of a single machine.

A provider holds numbered epochs of a wrapping key and one installation secret. Neither ever is in the database or in
its backups.
"""

import base64
import binascii
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from audit.sealer import Unavailable

FORMAT = "mizan-keys/1"
KEY_BYTES = 32
_NONCE_BYTES = 12


class KeyUnavailable(Unavailable):
    """A key cannot be had now: the provider is out of reach, or the key file is missing, damaged or another one's.

    Pages and API answer 503. The text is for the operator and goes to the server's log.
    """


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key sealed under epoch `epoch` of a provider. `blob` is nonce, ciphertext and tag."""

    epoch: int
    blob: bytes


class Provider(Protocol):
    """Every method raises KeyUnavailable when the provider cannot do it; none ever guesses."""

    name: str

    def wrap(self, key: bytes, *, aad: bytes) -> Wrapped: ...
    def unwrap(self, wrapped: Wrapped, *, aad: bytes) -> bytes: ...
    def rewrap(self, wrapped: Wrapped, *, aad: bytes) -> Wrapped: ...
    def derive(self, purpose: str) -> bytes:
        """32 bytes for `purpose`, always the same, from the installation secret."""
        ...

    def rotate(self) -> int:
        """Start a new epoch, which wraps from now on, and return its number; older ones still unwrap."""
        ...

    def destroy_epoch(self, epoch: int) -> None:
        """Forget an epoch for good. What is still wrapped under it is lost; the current one is refused."""
        ...

    def health(self) -> list[str]:
        """What is wrong, each with its fix, in words for the operator; empty when all is well."""
        ...


@dataclass(frozen=True, slots=True)
class _Contents:
    current: int
    epochs: dict[int, bytes]
    secret: bytes


class LocalKeyFile:
    """A JSON file, mode 0600, in a folder of mode 0700. It is read again when it changed on disk."""

    name = "file"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, int, int], _Contents] | None = None

    def wrap(self, key: bytes, *, aad: bytes) -> Wrapped:
        contents = self._contents()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        kek = AESGCM(contents.epochs[contents.current])
        return Wrapped(contents.current, nonce + kek.encrypt(nonce, key, _bound(contents.current, aad)))

    def unwrap(self, wrapped: Wrapped, *, aad: bytes) -> bytes:
        try:
            kek = self._contents().epochs[wrapped.epoch]
        except KeyError:
            raise KeyUnavailable(
                f"The key file {self.path} has no epoch {wrapped.epoch}. Restore the one that belongs to this database."
            ) from None
        nonce, sealed = wrapped.blob[:_NONCE_BYTES], wrapped.blob[_NONCE_BYTES:]
        try:
            return AESGCM(kek).decrypt(nonce, sealed, _bound(wrapped.epoch, aad))
        except (InvalidTag, ValueError):
            raise KeyUnavailable(
                f"The key file {self.path} does not open this key: it belongs to another installation, or the row was "
                "changed. Restore the key file that belongs to this database."
            ) from None

    def rewrap(self, wrapped: Wrapped, *, aad: bytes) -> Wrapped:
        return self.wrap(self.unwrap(wrapped, aad=aad), aad=aad)

    def derive(self, purpose: str) -> bytes:
        # HKDF-Expand of one block (RFC 5869): the secret is uniformly random already.
        return hmac.digest(self._contents().secret, b"mizan/1|" + purpose.encode() + b"\x01", hashlib.sha256)

    def rotate(self) -> int:
        with self._locked():
            contents = _read(self.path)
            epoch = max(contents.epochs) + 1
            epochs = contents.epochs | {epoch: secrets.token_bytes(KEY_BYTES)}
            _write(self.path, _Contents(epoch, epochs, contents.secret))
        return epoch

    def destroy_epoch(self, epoch: int) -> None:
        with self._locked():
            contents = _read(self.path)
            if epoch == contents.current:
                raise ValueError("epoch: this is the current one. Rotate first.")
            epochs = {number: key for number, key in contents.epochs.items() if number != epoch}
            _write(self.path, _Contents(contents.current, epochs, contents.secret))

    def health(self) -> list[str]:
        try:
            _read(self.path)
        except KeyUnavailable as error:
            return [str(error)]
        return []

    def create(self) -> None:
        """Write a new file with new keys; FileExistsError when there is one."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        contents = _Contents(1, {1: secrets.token_bytes(KEY_BYTES)}, secrets.token_bytes(KEY_BYTES))
        _write(self.path, contents, replace=False)

    def exists(self) -> bool:
        return self.path.exists()

    def epoch(self) -> int:
        return self._contents().current

    def epochs(self) -> list[int]:
        return sorted(self._contents().epochs)

    def _contents(self) -> _Contents:
        try:
            found = os.stat(self.path)
        except OSError as error:
            raise _missing(self.path, error) from None
        mark = (found.st_ino, found.st_mtime_ns, found.st_size)
        if self._read is None or self._read[0] != mark:
            self._read = (mark, _read(self.path))
        return self._read[1]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time: two rotations at once would lose an epoch."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


@cache
def provider() -> LocalKeyFile:
    """The one provider of this process."""
    return LocalKeyFile(settings.KEY_FILE)


def _bound(epoch: int, aad: bytes) -> bytes:
    return f"kek|{epoch}|".encode() + aad


def _missing(path: Path, error: OSError) -> KeyUnavailable:
    return KeyUnavailable(
        f"The key file {path} cannot be read ({error.strerror}). A new installation makes it with "
        "`manage.py keys ensure`; an old one needs its backup of the file, without which no sealed data can be read."
    )


def _read(path: Path) -> _Contents:
    """The file's contents; KeyUnavailable, naming the file and the fix, when it is unsafe, short or malformed."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _missing(path, error) from None
    with os.fdopen(fd, "rb") as file:
        mode = stat.S_IMODE(os.fstat(fd).st_mode)
        if mode & 0o077:
            raise KeyUnavailable(f"The key file {path} can be read by others (mode {mode:04o}). Run: chmod 600 {path}")
        raw = file.read(1 << 20)
    try:
        return _parse(raw)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise KeyUnavailable(f"The key file {path} is damaged ({error}). Restore it from its backup.") from None


def _parse(raw: bytes) -> _Contents:
    data = json.loads(raw)
    if data["format"] != FORMAT:
        raise ValueError(f"format is {data['format']!r}, not {FORMAT!r}")
    epochs = {int(number): _key(f"epoch {number}", text) for number, text in data["epochs"].items()}
    current = data["current"]
    if current not in epochs:
        raise ValueError(f"epoch {current} is current but not there")
    return _Contents(current, epochs, _key("secret", data["secret"]))


def _key(name: str, text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError(f"{name} has {len(key)} bytes, not {KEY_BYTES}")
    return key


def _write(path: Path, contents: _Contents, *, replace: bool = True) -> None:
    """The whole new file or the old one, never a half: temporary name, fsync, rename, fsync of the folder."""
    data = {
        "format": FORMAT,
        "current": contents.current,
        "epochs": {str(number): base64.b64encode(key).decode() for number, key in sorted(contents.epochs.items())},
        "secret": base64.b64encode(contents.secret).decode(),
    }
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(json.dumps(data, indent=1).encode() + b"\n")
            file.flush()
            os.fsync(fd)
        if replace:
            os.rename(temporary, path)
        else:
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
