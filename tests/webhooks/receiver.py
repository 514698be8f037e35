"""A platform's own web server, as good or bad as a test wants it."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """`answers` are given one after the other, the last one for ever: a status, or a function of the handler."""

    def __init__(self, *answers):
        self.answers = list(answers) or [200]
        self.got = []  # (path, headers, body), at
        self.at = []
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with receiver._lock:
                    receiver.got.append((self.path, dict(self.headers), body))
                    receiver.at.append(time.monotonic())
                    answer = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                with contextlib.suppress(OSError):
                    if callable(answer):
                        answer(self)
                    else:
                        self.send_response(answer)
                        self.send_header("Content-Length", "2")
                        self.end_headers()
                        self.wfile.write(b"ok")

            do_GET = do_POST

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.stop = threading.Event()
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/hooks?token=abc"

    def close(self):
        self.stop.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def says(status, **headers):
    """An answer with headers, Retry_After for Retry-After."""

    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def hangs(seconds):
    return lambda handler: time.sleep(seconds)


def drips(handler):
    """A header that never ends, a byte at a time: no single read ever times out."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _byte in range(600):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def a_gigabyte(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**9))
    handler.end_headers()
    block = b"x" * 65_536
    for handler.sent in range(10**9 // len(block)):
        handler.wfile.write(block)
