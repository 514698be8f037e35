"""One call to a receiver: 15 seconds in all, to a checked address, no redirect followed, no more than a kilobyte read.

A receiver may hang, drip, redirect, or send without end: none of it takes more of us than this.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Final

from django.core.exceptions import ValidationError

from compliance.platform.webhooks.addresses import Refused, Target, addresses_of, target_of

TIME_OUT: Final = 15.0  # seconds for everything: finding, connecting, sending, reading
READ_AT_MOST: Final = 1024  # bytes of what a receiver says
READ_WITHIN: Final = 2.0  # seconds for that, once it has answered
LONGEST_WAIT: Final = 86_400  # seconds that a receiver may ask us to stay away


@dataclass(frozen=True, slots=True)
class Outcome:
    """`error` is "" for an answer of 2xx. `retry_after` is in seconds, None where the receiver asked for nothing."""

    status: int | None
    error: str
    reply: bytes
    milliseconds: int
    retry_after: int | None = None

    @property
    def delivered(self) -> bool:
        return not self.error


class _Deadline:
    """Ends a connection when its time is over, however slowly the other side keeps it busy."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self.passed = False
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    @property
    def left(self) -> float:
        return max(0.01, self._ends - time.monotonic())

    def watch(self, opened: socket.socket) -> socket.socket:
        self._socket = opened
        if self.passed:
            self._end()
        return opened

    def _end(self) -> None:
        self.passed = True
        if self._socket is not None:
            with contextlib.suppress(OSError, ValueError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def cancel(self) -> None:
        self._timer.cancel()


def post(url: str, headers: Mapping[str, str], body: bytes, *, within: float = TIME_OUT) -> Outcome:
    """Send and say how it went. Raises nothing: whatever a receiver does is an outcome."""
    began = time.monotonic()
    deadline = _Deadline(within)
    try:
        status, reply, retry_after = _call(target_of(url), headers, body, deadline)
    except (Refused, ValidationError) as error:
        return _outcome(began, getattr(error, "code", "") or "bad_address")
    except ssl.SSLError as error:
        return _outcome(began, "timeout" if deadline.passed or isinstance(error, TimeoutError) else "tls")
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = deadline.passed or isinstance(error, TimeoutError)
        return _outcome(began, "timeout" if late else _kind(error))
    finally:
        deadline.cancel()
    return _outcome(began, _error_of(status), status, reply, retry_after)


def _call(
    target: Target, headers: Mapping[str, str], body: bytes, deadline: _Deadline
) -> tuple[int, bytes, int | None]:
    connection = http.client.HTTPConnection(target.host, target.port)
    opened = connection.sock = _connected(target, deadline)
    try:
        connection.request(
            "POST",
            target.path,
            body=body,
            headers={**headers, "Host": target.host_header, "Connection": "close", "Accept-Encoding": "identity"},
        )
        answer = connection.getresponse()
        if deadline.passed:  # headers that we cut short look like headers that ended
            raise TimeoutError
        return answer.status, _beginning(answer, opened, deadline), _seconds(answer.headers.get("Retry-After"))
    finally:
        connection.close()


def _beginning(answer: http.client.HTTPResponse, opened: socket.socket, deadline: _Deadline) -> bytes:
    """What it says, for the log. The status has decided already, so nobody waits long for it."""
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        opened.settimeout(min(deadline.left, READ_WITHIN))
        return answer.read1(READ_AT_MOST)
    return b""


def _connected(target: Target, deadline: _Deadline) -> socket.socket:
    """A connection to the first address that answers; each of them was checked, and none is looked up again."""
    refused: OSError = OSError("no address")
    for address in addresses_of(target):
        try:
            opened = socket.create_connection((address, target.port), timeout=deadline.left)
        except OSError as error:
            refused = error
            continue
        deadline.watch(opened)
        if not target.secure:
            return opened
        try:
            # The handshake afterwards: the deadline must hold the socket that can end it.
            wrapped = _tls().wrap_socket(opened, server_hostname=target.host, do_handshake_on_connect=False)
            deadline.watch(wrapped)
            wrapped.do_handshake()
            return wrapped
        except BaseException:
            opened.close()
            raise
    raise refused


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _outcome(
    began: float, error: str, status: int | None = None, reply: bytes = b"", retry_after: int | None = None
) -> Outcome:
    return Outcome(status, error, reply, int((time.monotonic() - began) * 1000), retry_after)


def _error_of(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return "redirect"
    return "gone" if status == 410 else "refused"


def _kind(error: Exception) -> str:
    return "not_http" if isinstance(error, http.client.HTTPException | ValueError) else "connection"


def _seconds(header: str | None) -> int | None:
    """Retry-After: seconds, or a date; nothing for what cannot be read."""
    if not header:
        return None
    header = header.strip()
    if header.isascii() and header.isdigit():
        return min(int(header[:9]), LONGEST_WAIT)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return min(max(0, int(parsedate_to_datetime(header).timestamp() - time.time())), LONGEST_WAIT)
    return None
