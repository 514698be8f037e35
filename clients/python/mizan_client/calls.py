"""How the client calls: one address, one key, another try where that helps, and a problem where it does not."""

import http.client
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mizan_client.signing import halves, signed

TRY_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
JSON = "application/json"


class Problem(Exception):
    """What the API refused (RFC 9457). `code` is stable; `request_id` is what support asks for."""

    def __init__(self, status: int, document: Mapping[str, Any], retry_after: float | None = None) -> None:
        super().__init__(f"{status} {document.get('code', '')}: {document.get('detail', '')}")
        self.status = status
        self.code = str(document.get("code", ""))
        self.request_id = str(document.get("request_id", ""))
        self.errors: Sequence[Mapping[str, str]] = document.get("errors", ())
        self.retry_after = retry_after


class _GoesNowhereElse(urllib.request.HTTPRedirectHandler):
    """A redirect is a refusal: followed, it would hand the key to whatever address it names."""

    def redirect_request(self, *_args: Any, **_facts: Any) -> None:
        return None


_opener = urllib.request.build_opener(_GoesNowhereElse)


class Calls:
    """`tries` is how often a request is sent at most; `time_out` in seconds is for each of them.

    A `key` with a full stop in it signs its requests, each try anew.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str,
        tries: int = 4,
        time_out: float = 10.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._key, self._secret = halves(key)
        self._tries, self._time_out, self._sleep = tries, time_out, sleep

    def _all(self, path: str, filters: Mapping[str, str | int]) -> Iterator[Any]:
        query: dict[str, str | int] = {"limit": 100, **filters}
        while True:
            page = self._get(path, query)
            yield from page["items"]
            if page["next"] is None:
                return
            query["after"] = page["next"]

    def _get(self, path: str, query: Mapping[str, str | int | list[str]] | None = None) -> Any:
        asked = f"?{urllib.parse.urlencode(query, doseq=True)}" if query else ""
        return self._json(self._send("GET", path + asked))

    def _post(self, path: str, facts: Mapping[str, Any] | None, idempotency_key: str) -> Any:
        body = json.dumps(facts).encode() if facts is not None else None
        return self._json(self._send("POST", path, body, {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}))

    def _json(self, body: bytes) -> Any:
        """None where there is no body."""
        return json.loads(body) if body else None

    def _send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        for turn in range(1, self._tries + 1):
            try:
                return self._once(method, path, body, headers or {})
            except Problem as problem:
                if turn == self._tries or not _worth_another(problem):
                    raise
                wait = problem.retry_after
            except OSError:
                if turn == self._tries:
                    raise
                wait = None
            self._sleep(wait if wait is not None else random.uniform(0.5, 1.0) * 0.25 * 2**turn)
        raise AssertionError("a client tries at least once")

    def _once(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        sent = {"Authorization": f"Bearer {self._key}", "Accept": JSON, "Content-Type": JSON, **headers}
        if body is None:
            del sent["Content-Type"]
        address = f"{self._url}/api/v1{path}"
        if self._secret:
            sent |= signed(self._key, self._secret, method, address, sent, body)
        request = urllib.request.Request(address, data=body, headers=sent, method=method)
        try:
            with _opener.open(request, timeout=self._time_out) as answer:
                found: bytes = answer.read()
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise Problem(error.code, _document(error.read()), _seconds(error.headers.get("Retry-After"))) from None
        except http.client.HTTPException as error:  # cut off in the middle: a network error like any other
            raise ConnectionError(f"The answer was cut off: {error!r}") from error


def part(text: str) -> str:
    """One part of an address, whatever stands in it."""
    return urllib.parse.quote(text, safe="")


def _worth_another(problem: Problem) -> bool:
    """409 only while the first of two equal requests is still running: any other conflict stays one."""
    return problem.status in TRY_AGAIN and (problem.status != 409 or problem.code == "idempotency_in_progress")


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(header: str | None) -> float | None:
    return min(float(header), 60.0) if header and header.isascii() and header.isdigit() else None
