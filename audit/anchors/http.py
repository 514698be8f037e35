"""One POST to an anchor: bounded in time and size, no redirects, no exceptions but CannotAnchor."""

import urllib.error
import urllib.request
from typing import NamedTuple

from audit.anchors import CannotAnchor

TIMEOUT = 20.0  # seconds
LARGEST = 256 * 1024  # bytes of an answer; a time stamp with its certificates has about 6,000


class Answer(NamedTuple):
    status: int
    kind: str
    body: bytes


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def post(url: str, body: bytes, kind: str) -> Answer:
    """Send `body` of the media type `kind`; any status is an answer."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind}, method="POST")
    try:
        with _opener.open(request, timeout=TIMEOUT) as response:
            return _answer(response.status, response)
    except urllib.error.HTTPError as refused:
        with refused:
            return _answer(refused.code, refused)
    except OSError as error:
        raise CannotAnchor(f"{url} does not answer: {error}") from None


def _answer(status: int, response: object) -> Answer:
    body = response.read(LARGEST + 1)  # type: ignore[attr-defined]
    if len(body) > LARGEST:
        raise CannotAnchor(f"an answer of more than {LARGEST} bytes")
    return Answer(status, response.headers.get("Content-Type", ""), body)  # type: ignore[attr-defined]
