"""Where sealed files lie. One small interface; Django's own storages are not crash-safe and are not used for documents.

A put is a temporary file in the folder of its final name, then fsync, rename, fsync of the folder. The row is
written after that, so there is never a row without its file; a file without a row is an orphan, which the sweep
sets aside a day later and removes a month after that.
"""

import contextlib
import errno
import os
import secrets
import weakref
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.core.files.storage import Storage as DjangoStorage
from django.utils.module_loading import import_string


class Missing(Exception):
    """There is no file for this document."""


class Put(Protocol):
    """One file on its way in. `write` and `commit` raise OSError, after which only `discard` makes sense."""

    def write(self, data: memoryview) -> None: ...
    def commit(self) -> None: ...
    def discard(self) -> None: ...


class StoredFile(Protocol):
    """An open file; close it after use."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes: ...
    def close(self) -> None: ...


class Storage(Protocol):
    """Where sealed files lie. What the disk or the store refuses is an OSError; no such file is Missing.

    Times are seconds since 1970; what each does is told at LocalStorage.
    """

    def begin(self, document: UUID) -> Put: ...
    def open(self, document: UUID) -> StoredFile: ...
    def delete(self, document: UUID) -> bool: ...
    def remove_abandoned(self, *, before: float) -> int: ...
    def documents(self, *, before: float) -> Iterator[UUID]: ...
    def set_aside(self, document: UUID) -> None: ...
    def bring_back(self, document: UUID) -> None: ...
    def remove_aside(self, document: UUID) -> None: ...
    def aside(self, *, before: float) -> list[UUID]: ...


class LocalPut:
    """Nothing stands under the final name before `commit`; what was not committed goes with the object."""

    def __init__(self, final: Path) -> None:
        self._final = final
        self._temporary = final.with_name(f".{final.stem}.{secrets.token_hex(4)}.part")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(self._temporary, flags, 0o600)
        self._forget = weakref.finalize(self, _close_and_remove, self._fd, self._temporary)

    def write(self, data: memoryview) -> None:
        while data:
            data = data[os.write(self._fd, data) :]

    def commit(self) -> None:
        # A failed fsync is never tried again: the kernel may have dropped the pages and would call the second one a
        # success.
        os.fsync(self._fd)
        os.rename(self._temporary, self._final)
        self._forget.detach()
        os.close(self._fd)
        try:
            _fsync_folder(self._final.parent)
        except OSError:
            self._final.unlink(missing_ok=True)
            raise

    def discard(self) -> None:
        self._forget()


class LocalFile:
    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            # A link in the vault was laid by somebody else: the file itself is not there.
            if error.errno in (errno.ENOENT, errno.ELOOP):
                raise Missing(path.name) from None
            raise
        self.size = os.fstat(self._fd).st_size
        self._close = weakref.finalize(self, os.close, self._fd)

    def read_at(self, offset: int, length: int) -> bytes:
        return os.pread(self._fd, length, offset)

    def close(self) -> None:
        self._close()


class LocalStorage:
    """A folder tree, 0700: `<two hex digits>/<document id>.kvlt`, and `orphans/<document id>.kvlt`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def from_settings(cls) -> "LocalStorage":
        return cls(settings.VAULT_DIR)

    def begin(self, document: UUID) -> LocalPut:
        final = self._path(document)
        if not final.parent.is_dir():
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            final.parent.mkdir(mode=0o700, exist_ok=True)
            _fsync_folder(self.root)
        return LocalPut(final)

    def open(self, document: UUID) -> LocalFile:
        return LocalFile(self._path(document))

    def delete(self, document: UUID) -> bool:
        """Remove the file; False when there was none."""
        path = self._path(document)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        _fsync_folder(path.parent)
        return True

    def remove_abandoned(self, *, before: float) -> int:
        """Remove temporary files last written before the time `before` (seconds since 1970): their writer died."""
        abandoned = [path for path in self.root.glob("??/.*.part") if _age(path) < before]
        for path in abandoned:
            path.unlink(missing_ok=True)
        return len(abandoned)

    def documents(self, *, before: float) -> Iterator[UUID]:
        """Ids of the files last written before `before`."""
        return (UUID(path.stem) for path in self.root.glob("??/*.kvlt") if _age(path) < before)

    def set_aside(self, document: UUID) -> None:
        """Move the file among the orphans, where its time starts anew. Raises FileNotFoundError."""
        path, aside = self._path(document), self._aside(document)
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        os.utime(path)
        os.rename(path, aside)
        _fsync_folder(aside.parent)
        _fsync_folder(path.parent)

    def bring_back(self, document: UUID) -> None:
        """Undo `set_aside`. Raises FileNotFoundError."""
        path, aside = self._path(document), self._aside(document)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        os.rename(aside, path)
        _fsync_folder(path.parent)
        _fsync_folder(aside.parent)

    def remove_aside(self, document: UUID) -> None:
        self._aside(document).unlink(missing_ok=True)

    def aside(self, *, before: float) -> list[UUID]:
        """Ids of the files set aside before the time `before`."""
        return [UUID(path.stem) for path in self.root.glob("orphans/*.kvlt") if _age(path) < before]

    def _aside(self, document: UUID) -> Path:
        return self.root / "orphans" / f"{document}.kvlt"

    def _path(self, document: UUID) -> Path:
        return self.root / document.hex[:2] / f"{document}.kvlt"


@cache
def storage() -> Storage:
    """The one storage of this process. `settings.VAULT_STORAGE` names its class."""
    made: Storage = import_string(settings.VAULT_STORAGE).from_settings()
    return made


class NoDefaultStorage(DjangoStorage):
    """Stands where Django would keep uploads: files live in the vault, nothing else may write one."""

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("Files are kept by documents.services.receive, in the vault.")

    _open = _save = delete = exists = listdir = size = url = path = _refuse


def _fsync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _close_and_remove(fd: int, path: Path) -> None:
    with contextlib.suppress(OSError):
        os.close(fd)
    path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        # Finished or removed since the folder was listed.
        return float("inf")
