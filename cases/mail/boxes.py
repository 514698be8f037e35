"""The mailboxes that are read, as MAILBOXES names them: licensee=address of the box."""

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.conf import settings
from django.core import checks

SCHEMES = ("maildir", "imap", "imap+tls", "imaps")


class BoxBroken(ValueError):
    """An entry of MAILBOXES that says no mailbox. Names the entry by its licensee and the fix; never the password."""


@dataclass(frozen=True, slots=True)
class Box:
    """`address` is where players write to: the Reply-To of what leaves, and how our own mail is known."""

    licensee: str
    url: SplitResult
    address: str

    @property
    def user(self) -> str:
        return unquote(self.url.username or "")

    @property
    def password(self) -> str:
        return unquote(self.url.password or "")


def boxes() -> list[Box]:
    found = [_read(entry) for entry in settings.MAILBOXES]
    names = [box.licensee for box in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BoxBroken(
            f"MAILBOXES, {twice}: it is named twice. A licensee has one mailbox; let the others forward to it."
        )
    return found


def _read(entry: str) -> Box:
    licensee, _equals, address = entry.partition("=")
    url = urlsplit(address)
    if not licensee or url.scheme not in SCHEMES or (url.scheme == "maildir" and not url.path):
        fix = f"Write licensee=imaps://user:password@host/INBOX?address=help@brand.example ({', '.join(SCHEMES)})."
        raise BoxBroken(f"MAILBOXES, {licensee or 'first entry'}: this is no mailbox. {fix}")
    if url.scheme == "imap" and settings.IN_PRODUCTION:
        raise BoxBroken(
            f"MAILBOXES, {licensee}: imap:// sends the password in the clear. Write imaps:// or imap+tls://."
        )
    written_to = parse_qs(url.query).get("address", [""])[-1].lower()
    return Box(licensee, url, written_to)


def address_of(licensee_slug: str) -> str:
    """Where players of the licensee write to; "" without a mailbox."""
    return next((box.address for box in boxes() if box.licensee == licensee_slug), "")


@checks.register
def check_mailboxes(app_configs: object = None, **kwargs: object) -> list[checks.CheckMessage]:
    """mail.E001: a mailbox that cannot be read stops the start."""
    try:
        boxes()
    except ValueError as broken:  # urlsplit too
        return [checks.Error(str(broken), id="mail.E001")]
    return []
