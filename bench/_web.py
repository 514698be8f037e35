"""The product's web server on the bench's database, and people who use it over HTTP."""

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client

from compliance.embedded.environment import ROOT

WORKERS, THREADS = 2, 8


@contextmanager
def server(workers: int = WORKERS) -> Iterator[tuple[int, int]]:
    """(port, process id) of gunicorn with `workers`, as in deploy/systemd/mizan-web.service."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "gunicorn", "compliance.wsgi:application", "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--workers", str(workers), "--threads", str(THREADS), "--keep-alive", "60"),
        # On a busy machine a worker may need half a minute to begin, which gunicorn would take for a dead one.
        *("--preload", "--timeout", "180", "--no-control-socket", "--log-level", "warning"),
    ]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"BASE_URL": f"http://127.0.0.1:{port}"})
    try:
        deadline = time.monotonic() + 180
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the web server did not start")
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


class Person:
    """Somebody signed in, on one kept connection. Not for several threads at once."""

    def __init__(self, port: int, user: Any) -> None:
        client = Client()
        client.force_login(user)
        self._cookies = {name: morsel.value for name, morsel in client.cookies.items()}
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=180)

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        return self._ask("GET", path, headers=headers)

    def post(self, path: str, fields: dict[str, Any]) -> tuple[int, bytes]:
        body = urlencode(fields | {"csrfmiddlewaretoken": self._token()}, doseq=True).encode()
        return self._ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def upload(self, path: str, fields: dict[str, str], name: str, data: bytes) -> tuple[int, bytes]:
        mark = "mizan-bench"
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in (fields | {"csrfmiddlewaretoken": self._token()}).items()
        ]
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = "".join(parts).encode() + f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + data
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        return self._ask("POST", path, body + f"\r\n--{mark}--\r\n".encode(), headers)

    def _token(self) -> str:
        """The form's token: any value of the cookie's form fits it."""
        if settings.CSRF_COOKIE_NAME not in self._cookies:
            _status, page = self.get("/profile/")
            found = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)
            if found is None:
                raise RuntimeError(f"no form: {page[:200]!r}")
            return found[1].decode()
        return self._cookies[settings.CSRF_COOKIE_NAME]

    def _ask(self, method: str, path: str, body: bytes | None = None, headers: Any = None) -> tuple[int, bytes]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        origin = f"http://127.0.0.1:{self._port}"
        told = {"Cookie": cookies, "Referer": f"{origin}/", "Origin": origin} | (headers or {})
        try:
            self._connection.request(method, path, body, told)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):  # an idle connection that the server closed
            self._connection.close()
            self._connection.request(method, path, body, told)
            answer = self._connection.getresponse()
        text = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _equals, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer.status, text
