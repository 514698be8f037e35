"""The key file: the provider of a single machine."""

import base64
import binascii
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from compliance.keys.providers.interface import KEY_BYTES, KeyUnavailable, Wrapped

FORMAT = "mizan-keys/1"
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Contents:
    """What the file holds. `epochs` are the wrapping keys by number, `current` the one that wraps now."""

    current: int
    epochs: dict[int, bytes]
    secret: bytes
    ciphers: dict[int, AESGCM] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ciphers", {number: AESGCM(key) for number, key in self.epochs.items()})

    def wrap(self, key: bytes, aad: bytes) -> Wrapped:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return Wrapped(self.current, nonce + self.ciphers[self.current].encrypt(nonce, key, _bound(self.current, aad)))

    def unwrap(self, wrapped: Wrapped, aad: bytes) -> bytes:
        """Raises KeyError for an epoch that is not here, InvalidTag or ValueError for what does not open."""
        nonce, sealed = wrapped.blob[:_NONCE_BYTES], wrapped.blob[_NONCE_BYTES:]
        return self.ciphers[wrapped.epoch].decrypt(nonce, sealed, _bound(wrapped.epoch, aad))


class LocalKeyFile:
    """A JSON file, mode 0600, in a folder of mode 0700. It is read again when it changed on disk."""

    name = "file"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, int, int], Contents] | None = None

    @classmethod
    def from_settings(cls) -> "LocalKeyFile":
        return cls(settings.KEY_FILE)

    def wrap(self, key: bytes, *, aad: bytes) -> Wrapped:
        return self.contents().wrap(key, aad)

    def unwrap(self, wrapped: Wrapped, *, aad: bytes) -> bytes:
        return self._opened(self.contents(), wrapped, aad)

    def rewrap(self, wrapped: Wrapped, *, aad: bytes) -> Wrapped:
        return self.rewrap_many([(wrapped, aad)])[0]

    def rewrap_many(self, rows: Sequence[tuple[Wrapped, bytes]]) -> list[Wrapped]:
        contents = self.contents()
        return [contents.wrap(self._opened(contents, wrapped, aad), aad) for wrapped, aad in rows]

    def _opened(self, contents: Contents, wrapped: Wrapped, aad: bytes) -> bytes:
        try:
            return contents.unwrap(wrapped, aad)
        except KeyError:
            raise KeyUnavailable(
                f"The key file {self.path} has no epoch {wrapped.epoch}. Restore the one that belongs to this database."
            ) from None
        except (InvalidTag, ValueError):
            raise KeyUnavailable(
                f"The key file {self.path} does not open this key: it belongs to another installation, or the row was "
                "changed. Restore the key file that belongs to this database."
            ) from None

    def derive(self, purpose: str) -> bytes:
        # HKDF-Expand of one block (RFC 5869): the secret is uniformly random already.
        return hmac.digest(self.contents().secret, b"mizan/1|" + purpose.encode() + b"\x01", hashlib.sha256)

    def rotate(self) -> int:
        with self._locked():
            contents = _read(self.path)
            epoch = max(contents.epochs) + 1
            epochs = contents.epochs | {epoch: secrets.token_bytes(KEY_BYTES)}
            _write(self.path, Contents(epoch, epochs, contents.secret))
        return epoch

    def destroy_epoch(self, epoch: int) -> datetime:
        with self._locked():
            contents = _read(self.path)
            if epoch == contents.current:
                raise ValueError("epoch: this is the current one. Rotate first.")
            epochs = {number: key for number, key in contents.epochs.items() if number != epoch}
            _write(self.path, Contents(contents.current, epochs, contents.secret))
        return datetime.now(UTC)

    def health(self) -> list[str]:
        try:
            _read(self.path)
        except KeyUnavailable as error:
            return [str(error)]
        return []

    def create(self) -> None:
        """Write a new file with new keys; FileExistsError when there is one."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        contents = Contents(1, {1: secrets.token_bytes(KEY_BYTES)}, secrets.token_bytes(KEY_BYTES))
        _write(self.path, contents, replace=False)

    def restore(self, raw: bytes) -> None:
        """Write what an escrow kept as a new file; FileExistsError when there is one, ValueError when it is none."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(self.path, parsed(raw), replace=False)

    def raw(self) -> bytes:
        """The file's content as an escrow keeps it."""
        return _dumped(self.contents())

    def exists(self) -> bool:
        return self.path.exists()

    def place(self) -> str:
        return str(self.path)

    def epoch(self) -> int:
        return self.contents().current

    def epochs(self) -> list[int]:
        return sorted(self.contents().epochs)

    def contents(self) -> Contents:
        """What is in the file now; KeyUnavailable, naming the file and the fix, when it cannot be had."""
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


def _bound(epoch: int, aad: bytes) -> bytes:
    return f"kek|{epoch}|".encode() + aad


def _missing(path: Path, error: OSError) -> KeyUnavailable:
    return KeyUnavailable(
        f"The key file {path} cannot be read ({error.strerror}). A new installation makes it with "
        "`manage.py keys ensure`; an old one needs its backup of the file, without which no sealed data can be read."
    )


def _read(path: Path) -> Contents:
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
        return parsed(raw)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise KeyUnavailable(f"The key file {path} is damaged ({error}). Restore it from its backup.") from None


def parsed(raw: bytes) -> Contents:
    """The content of a key file; ValueError and its kin when it is none."""
    data = json.loads(raw)
    if data["format"] != FORMAT:
        raise ValueError(f"format is {data['format']!r}, not {FORMAT!r}")
    epochs = {int(number): _key(f"epoch {number}", text) for number, text in data["epochs"].items()}
    current = data["current"]
    if current not in epochs:
        raise ValueError(f"epoch {current} is current but not there")
    return Contents(current, epochs, _key("secret", data["secret"]))


def _key(name: str, text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError(f"{name} has {len(key)} bytes, not {KEY_BYTES}")
    return key


def _dumped(contents: Contents) -> bytes:
    data = {
        "format": FORMAT,
        "current": contents.current,
        "epochs": {str(number): base64.b64encode(key).decode() for number, key in sorted(contents.epochs.items())},
        "secret": base64.b64encode(contents.secret).decode(),
    }
    return json.dumps(data, indent=1).encode() + b"\n"


def _write(path: Path, contents: Contents, *, replace: bool = True) -> None:
    """The whole new file or the old one, never a half: temporary name, fsync, rename, fsync of the folder."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(_dumped(contents))
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
