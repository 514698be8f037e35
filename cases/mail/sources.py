"""Where letters wait: a maildir folder or an IMAP mailbox. What was taken in is removed there: it lies sealed here."""

import imaplib
import mailbox
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from cases.mail.boxes import Box
from cases.mail.parsing import HEAD, LARGEST

PARKED = "Parked"
TIMEOUT = 30  # seconds for each answer of the server


class SourceAway(OSError):
    """The mailbox cannot be reached or refuses us. Its letters wait there."""


class Source(Protocol):
    """`keys` are those of waiting letters, oldest first. `read` gives one, only its head when it is too large."""

    def keys(self, *, parked: bool) -> Iterator[str]: ...
    def read(self, key: str) -> tuple[bytes, int]: ...
    def done(self, key: str) -> None: ...
    def park(self, key: str) -> None: ...


@contextmanager
def open_source(box: Box) -> Iterator[Source]:
    if box.url.scheme == "maildir":
        yield Maildir(Path(box.url.path))
        return
    with closing(Imap(box)) as source:
        yield source


class Maildir:
    def __init__(self, folder: Path) -> None:
        if not (folder / "new").is_dir():
            raise SourceAway(f"{folder.name} is no maildir folder")
        self._box = mailbox.Maildir(folder, create=False)
        self._from = self._box

    def keys(self, *, parked: bool) -> Iterator[str]:
        self._from = self._parked() if parked else self._box
        folder = Path(self._from._path)
        found = (
            (path.stat().st_mtime, path.name, key)
            for key in self._from.iterkeys()
            for path in [self._path(folder, key)]
        )
        return iter([key for _at, _name, key in sorted(found)])

    def read(self, key: str) -> tuple[bytes, int]:
        file = self._path(Path(self._from._path), key)
        size = file.stat().st_size
        with file.open("rb") as letter:
            return letter.read(HEAD if size > LARGEST else LARGEST), size

    def done(self, key: str) -> None:
        self._from.remove(key)

    def park(self, key: str) -> None:
        if self._from is self._box:
            source = self._path(Path(self._box._path), key)
            source.rename(Path(self._parked()._path) / "new" / source.name.partition(":")[0])

    def _parked(self) -> "mailbox.Maildir":
        return self._box.get_folder(PARKED) if PARKED in self._box.list_folders() else self._box.add_folder(PARKED)

    def _path(self, folder: Path, key: str) -> Path:
        return folder / str(self._from._lookup(key))  # type: ignore[attr-defined]


class Imap:
    """IMAP4rev1 (RFC 3501) with nothing but what every server has."""

    def __init__(self, box: Box) -> None:
        host, folder = box.url.hostname or "localhost", box.url.path.strip("/") or "INBOX"
        safe = ssl.create_default_context()
        self._server: imaplib.IMAP4 | None = None
        try:
            if box.url.scheme == "imaps":
                self._server = imaplib.IMAP4_SSL(host, box.url.port or 993, ssl_context=safe, timeout=TIMEOUT)
            else:
                self._server = imaplib.IMAP4(host, box.url.port or 143, timeout=TIMEOUT)
                if box.url.scheme == "imap+tls":
                    self._server.starttls(ssl_context=safe)
            self._server.login(box.user, box.password)
        except (imaplib.IMAP4.error, OSError) as error:
            self.close()
            # Never the server's words: they may repeat what we sent.
            raise SourceAway(type(error).__name__) from None
        self._inbox = folder
        self._open = ""

    def close(self) -> None:
        if self._server is not None:
            try:
                self._server.logout()
            except (imaplib.IMAP4.error, OSError):
                self._server.shutdown()

    def keys(self, *, parked: bool) -> Iterator[str]:
        self._select(PARKED if parked else self._inbox)
        found = self._asked("SEARCH", "UNDELETED")[0]
        return iter(found.decode("ascii").split() if isinstance(found, bytes) else [])

    def read(self, key: str) -> tuple[bytes, int]:
        size = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(_plain(self._asked("FETCH", key, "(RFC822.SIZE)"))))
        if size is None:
            raise SourceAway("the server does not tell the size")
        large = int(size[1]) > LARGEST
        part = f"(BODY.PEEK[]<0.{HEAD}>)" if large else "(BODY.PEEK[])"
        letter = next((each[1] for each in self._asked("FETCH", key, part) if isinstance(each, tuple)), None)
        if letter is None:
            raise SourceAway("the server does not give the letter")
        return letter, int(size[1])

    def done(self, key: str) -> None:
        self._asked("STORE", key, "+FLAGS.SILENT", r"(\Deleted)")
        self._tell(lambda server: server.expunge())

    def park(self, key: str) -> None:
        if self._open != PARKED:
            self._tell(lambda server: server.create(PARKED), strict=False)  # it may be there already
            self._asked("COPY", key, PARKED)
            self.done(key)

    def _select(self, folder: str) -> None:
        self._open = folder
        self._tell(lambda server: server.select(f'"{folder}"'), strict=folder == self._inbox)

    def _asked(self, command: str, *words: str) -> list[bytes | tuple[bytes, bytes]]:
        return self._tell(lambda server: server.uid(command, *words))

    def _tell(self, ask: Callable[[imaplib.IMAP4], Any], *, strict: bool = True) -> list[Any]:
        assert self._server is not None
        try:
            said, data = ask(self._server)
        except (imaplib.IMAP4.error, OSError) as error:
            raise SourceAway(type(error).__name__) from None
        if said != "OK" and strict:
            raise SourceAway("the server refused a command")
        return [each for each in data if each is not None] if said == "OK" else [b""]


def _plain(data: list[bytes | tuple[bytes, bytes]]) -> Iterator[bytes]:
    for each in data:
        yield each if isinstance(each, bytes) else each[0]
