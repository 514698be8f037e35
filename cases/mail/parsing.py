"""Reads one e-mail as it came: hostile until shown otherwise. Bytes in, plain facts out; no database, no network.

Python's `email` with the `compat32` policy: it never raises on a broken header, which the newer ones do.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from html.parser import HTMLParser
from typing import Any

LARGEST = 25 * 1024 * 1024  # bytes of a letter; of a larger one only the head is read
HEAD = 64 * 1024
LONGEST_TEXT = 20_000
LONGEST_SUBJECT = 200
MOST_PARTS = 100
MOST_FILES = 20
TEXT_BYTES = 400_000  # of a text part that are decoded
SMALL_PICTURE = 15_000  # bytes under which a picture inside the text is a signature's decoration
# Codecs that are slow on purpose or mean something else.
_REFUSED_CODECS = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
_KEPT_UNSEEN = "\u200c\u200d"  # they join and part letters in Persian, Arabic and emoji
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_ASIDE = re.compile(r'"[^"]*"|\([^()]*\)')  # what a sender may have put into a header of our server
OURS = "X-Mizan-Mail"


@dataclass(frozen=True, slots=True)
class File:
    name: str
    declared: str
    data: bytes


@dataclass(slots=True)
class Parsed:
    """What a letter says. `kind` is person, auto, bounce or loop; `returned` are Message-IDs that a bounce is about."""

    message_id: str = ""
    answers: list[str] = field(default_factory=list)
    sender: str = ""
    sender_name: str = ""
    subject: str = ""
    text: str = ""
    files: list[File] = field(default_factory=list)
    kind: str = "person"
    flaws: list[str] = field(default_factory=list)
    genuine: bool = False
    returned: list[str] = field(default_factory=list)
    status: str = ""

    def flaw(self, code: str) -> None:
        if code not in self.flaws:
            self.flaws.append(code)


def parse(raw: bytes, *, cut: bool = False, ours: tuple[str, ...] = (), authority: str = "") -> Parsed:
    """Read a letter. `cut`: only its head came. `ours`: our own addresses, lower case. `authority`: the host whose
    Authentication-Results header is believed; empty: nobody says that the sender is genuine."""
    message, parsed = message_from_bytes(raw), Parsed()
    parsed.message_id = next(iter(_ids(message, "Message-ID")), "")
    parsed.answers = [*_ids(message, "In-Reply-To"), *reversed(_ids(message, "References"))]
    parsed.subject = _line(_header(message, "Subject"), LONGEST_SUBJECT)
    parsed.sender_name, parsed.sender = _sender(message)
    parsed.genuine = _genuine(message, authority)
    parsed.kind = _kind(message, parsed, ours)
    if not parsed.sender:
        parsed.flaw("no_sender")
    if cut:
        parsed.flaw("too_large")
    else:
        _read_parts(message, parsed)
    if parsed.kind == "bounce":
        _read_report(message, raw, parsed)
    return parsed


def clean(text: str, longest: int) -> str:
    """Without what is not seen: controls, marks that turn the direction of writing, halves of characters, NUL."""
    seen = "".join(c for c in text.replace("\r\n", "\n") if c.isprintable() or c in "\n\t" or c in _KEPT_UNSEEN)
    return seen[:longest]


def _line(text: str, longest: int) -> str:
    return clean(" ".join(text.split()), longest)


# ---------------------------------------------------------------------------------------------------- headers
def _header(message: "Message[Any, Any]", name: str) -> str:
    """The header in words; as it stands where its coding is broken."""
    raw = message.get(name)
    if raw is None:
        return ""
    try:
        return str(make_header(decode_header(raw)))
    except (LookupError, UnicodeError, ValueError):
        return str(raw)


def _ids(message: "Message[Any, Any]", name: str) -> list[str]:
    return _MESSAGE_ID.findall(_header(message, name)[:4000])


def _sender(message: "Message[Any, Any]") -> tuple[str, str]:
    """Name and address of the one sender; ("", "") where there is none, or more than one."""
    heads = [str(value) for value in message.get_all("From", [])]
    if len(heads) != 1 or len(heads[0]) > 2000:
        return "", ""
    try:
        found = getaddresses([heads[0]])
    except (ValueError, IndexError):
        return "", ""
    if len(found) != 1 or "@" not in found[0][1]:
        return "", ""
    name, address = found[0]
    try:
        name = str(make_header(decode_header(name)))
    except (LookupError, UnicodeError, ValueError):
        name = ""
    return _line(name, 120), _line(address, 254).lower()


def _kind(message: "Message[Any, Any]", parsed: Parsed, ours: tuple[str, ...]) -> str:
    """Bounces and automatic answers by RFC 3834, RFC 6522 and what servers really send. That a list passed it on says
    nothing of who wrote it: a player's address may be one."""
    nobody = _header(message, "Return-Path").strip() == "<>"
    if message.get_content_type() == "multipart/report":
        # Of the reports only that of a delivery is a bounce, and only from a server, as far as that can be told:
        # receipts of reading and complaints are not, and anybody can write a report.
        server = nobody or parsed.genuine or parsed.sender.partition("@")[0] == "mailer-daemon"
        return "bounce" if server and _report_type(message) == "delivery-status" else "auto"
    if parsed.sender in ours or message.get(OURS) is not None:
        return "loop"
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    marked = any(message.get(name) is not None for name in ("X-Autoreply", "X-Autorespond"))
    answered = _header(message, "Precedence").strip().lower() == "auto_reply"
    return "auto" if nobody or marked or answered or submitted not in ("", "no") else "person"


def _report_type(message: "Message[Any, Any]") -> str:
    try:
        said = message.get_param("report-type", "")
    except (LookupError, UnicodeError, ValueError, TypeError):
        return ""
    return said.lower() if isinstance(said, str) else ""


def _genuine(message: "Message[Any, Any]", authority: str) -> bool:
    """Whether the mail server that we believe says that the sender's domain stands for this letter (RFC 8601)."""
    if not authority:
        return False
    for value in message.get_all("Authentication-Results", [])[:10]:
        said = " ".join(_ASIDE.sub(" ", str(value)[:4000]).split()).lower()
        if said.partition(";")[0].strip().split(" ")[0] == authority.lower():
            return re.search(r";\s*dmarc\s*=\s*pass\b", said) is not None
    return False  # our server adds it to everything: what lacks it did not come through


# ------------------------------------------------------------------------------------------------------ parts
def _leaves(message: "Message[Any, Any]") -> Iterator["Message[Any, Any]"]:
    """The parts that hold something, a letter inside the letter as one; at most MOST_PARTS."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        inside = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inside, list):
            waiting = [*inside, *waiting]
        else:
            yield part


def _read_parts(message: "Message[Any, Any]", parsed: Parsed) -> None:
    plain: list[str] = []
    marked_up: list[str] = []
    for part in _leaves(message):
        kind, name = part.get_content_type(), _file_name(part)
        if "pgp-encrypted" in kind or "pkcs7-mime" in kind:
            parsed.flaw("encrypted")
        if kind in ("text/plain", "text/html") and not name and part.get_content_disposition() != "attachment":
            (plain if kind == "text/plain" else marked_up).append(_text(part))
        elif not kind.startswith(("message/delivery-status", "text/rfc822-headers")):
            _take_file(part, kind, name, parsed)
    text = "\n\n".join(part for part in plain if part.strip())
    if not text.strip() and marked_up:
        text = "\n\n".join(_without_marks(part) for part in marked_up)
        parsed.flaw("html_only")
    if len(text) > LONGEST_TEXT:
        parsed.flaw("shortened")
    if message.defects:
        parsed.flaw("broken")
    parsed.text = clean(text, LONGEST_TEXT).strip()


def _take_file(part: "Message[Any, Any]", kind: str, name: str, parsed: Parsed) -> None:
    data = _bytes(part)
    inside_text = part.get("Content-ID") is not None and part.get_content_disposition() != "attachment"
    if kind.startswith("image/") and inside_text and len(data) < SMALL_PICTURE:
        return parsed.flaw("decoration")
    if not data:
        return None
    if len(parsed.files) == MOST_FILES:
        return parsed.flaw("too_many_files")
    return parsed.files.append(File(name or "file", _line(kind, 100), data))


def _file_name(part: "Message[Any, Any]") -> str:
    try:
        name = part.get_filename() or ""
        name = str(make_header(decode_header(name)))
    except (LookupError, UnicodeError, ValueError, TypeError):
        name = "file"
    return _line(name.replace("\\", "/").rpartition("/")[2], 120)


def _bytes(part: "Message[Any, Any]") -> bytes:
    inside = part.get_payload()
    if isinstance(inside, list):  # a letter inside the letter
        return b"".join(each.as_bytes() for each in inside[:1] if isinstance(each, Message))
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _text(part: "Message[Any, Any]") -> str:
    data = _bytes(part)[:TEXT_BYTES]
    charset = str(part.get_content_charset() or "utf-8")
    try:
        known = codecs.lookup(charset).name
        if known in _REFUSED_CODECS:
            known = "utf-8"
        return data.decode(known, "replace")
    except (LookupError, UnicodeError, ValueError):
        return data.decode("utf-8", "replace")


class _Words(HTMLParser):
    """The words of a page, without what is not meant to be read."""

    SILENT = frozenset({"script", "style", "head", "title", "template"})
    BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "table", "blockquote"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._silent += tag in self.SILENT
        if tag in self.BREAKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in self.SILENT))
        if tag == "p":
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(" ".join(data.split()) if data.strip() else " ")


def _without_marks(page: str) -> str:
    reader = _Words()
    try:
        reader.feed(page)
        reader.close()
    except (AssertionError, ValueError):  # what was read up to there
        pass
    return re.sub(r"\n{3,}", "\n\n", "".join(reader.words))


# ---------------------------------------------------------------------------------------------------- bounces
def _read_report(message: "Message[Any, Any]", raw: bytes, parsed: Parsed) -> None:
    """Which letters came back, and the server's code. A delay is no return."""
    report = raw.decode("ascii", "replace")
    parsed.returned = list(dict.fromkeys(_MESSAGE_ID.findall(report[:LARGEST])))[:500]
    status = re.search(r"^Status:\s*([245]\.\d{1,3}\.\d{1,3})", report, re.MULTILINE | re.IGNORECASE)
    action = re.search(r"^Action:\s*(\w+)", report, re.MULTILINE | re.IGNORECASE)
    parsed.status = status[1] if status else ""
    if (action and action[1].lower() != "failed") or parsed.status.startswith(("2", "4")):
        parsed.kind, parsed.returned = "auto", []
