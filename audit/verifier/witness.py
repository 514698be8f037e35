#!/usr/bin/env python3
"""A small witness (C2SP tlog-witness) for an auditor's own machine: it cosigns what continues, and remembers.

    python3 -m audit.verifier.witness FOLDER --name auditor.example.com/mizan --log 'ORIGIN+HASH+KEY'
        [--listen HOST:PORT]

FOLDER holds its key (`witness.key`, made at the first start, whose verifier key is printed) and for each log the size
and root last cosigned. `--log` may be given more than once, also for the two keys around a change of key. Needs Python
and `cryptography`. It speaks plain HTTP: put it behind something that ends TLS.

Answers of POST /add-checkpoint: 200 with the cosignature; 400 not in this form; 403 not signed by a key of `--log`;
404 another origin; 409 with the size it has; 422 a proof that does not fit. What it cosigns is on disk before it
answers.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.verifier.verify import Key, Tampered, WrongUse, consistent, from_base64

LARGEST = 64 * 1024  # bytes of a request; a proof has at most 63 lines


class Refused(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Witness:
    """The key, the logs it knows, and what it cosigned of each."""

    def __init__(self, folder: Path, name: str, logs: list[Key]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self.name, self._logs, self._one = folder, name, logs, threading.Lock()
        file = folder / "witness.key"
        if not file.exists():
            _write(file, base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()))
        self._private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(file.read_bytes()))
        data = b"\x04" + self._private.public_key().public_bytes_raw()
        self._hash = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        self.vkey = f"{name}+{self._hash.hex()}+{base64.b64encode(data).decode()}"

    def add(self, body: bytes) -> bytes:
        """The cosignature for a request's checkpoint. Raises Refused."""
        old, proof, note = _request(body)
        text = note.rpartition("\n\n")[0] + "\n"
        origin = text.split("\n", 1)[0]
        size, root = self._checkpoint(origin, note)
        if old > size:
            raise Refused(400, "the old size is larger than the checkpoint")
        with self._one:
            known, known_root = self._seen(origin)
            if old != known or (size == known and root != known_root):
                raise Refused(409, f"{known}\n")
            if size == known and proof:
                raise Refused(422, "a proof between equal sizes is empty")
            if 0 < known < size and not consistent(known, size, known_root, root, proof):
                raise Refused(422, "the proof does not lead from what was cosigned to this checkpoint")
            _write(self._file(origin), json.dumps({"root": root.hex(), "size": size}).encode())
        return self._cosign(text)

    def _checkpoint(self, origin: str, note: str) -> tuple[int, bytes]:
        keys = [key for key in self._logs if key.name == origin]
        if not keys:
            raise Refused(404, "a log that is not witnessed here")
        for key in keys:
            try:
                return key.checkpoint(note.encode(), "checkpoint")
            except Tampered:
                continue
        raise Refused(403, "not signed by a key of this log")

    def _seen(self, origin: str) -> tuple[int, bytes]:
        file = self._file(origin)
        if not file.exists():
            return 0, b""
        said = json.loads(file.read_bytes())
        return int(said["size"]), bytes.fromhex(said["root"])

    def _file(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.json"

    def _cosign(self, text: str) -> bytes:
        now = int(time.time())
        signature = self._private.sign(f"cosignature/v1\ntime {now}\n{text}".encode())
        blob = base64.b64encode(self._hash + struct.pack(">Q", now) + signature).decode()
        return f"\u2014 {self.name} {blob}\n".encode()


def _request(body: bytes) -> tuple[int, list[bytes], str]:
    """(old size, proof, note)."""
    try:
        head, note = body.decode().split("\n\n", 1)
        first, *lines = head.split("\n")
        word, _, number = first.partition(" ")
        if word != "old" or not number.isdigit() or (number[0] == "0" and number != "0") or len(lines) > 63:
            raise ValueError
        return int(number), [from_base64(line) for line in lines], note
    except (ValueError, Tampered):
        raise Refused(400, "not a request of add-checkpoint") from None


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all, and on disk when this returns."""
    fresh = file.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    fresh.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = 20

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            kind = "text/plain; charset=utf-8"
            try:
                if self.path != "/add-checkpoint":
                    raise Refused(404, "only /add-checkpoint is here")
                if not length.isdigit() or int(length) > LARGEST:
                    raise Refused(400, "too long, or without a length")
                status, body = 200, witness.add(self.rfile.read(int(length)))
            except Refused as refused:
                status, body = refused.status, str(refused).encode()
                kind = "text/x.tlog.size" if status == 409 else kind
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, text: str, *values: object) -> None:
            print(text % values, file=sys.stderr)

    return ThreadingHTTPServer((host, port), Handler)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--log", action="append", required=True, metavar="VKEY")
    parser.add_argument("--listen", default="127.0.0.1:8090")
    options = parser.parse_args(arguments)
    try:
        witness = Witness(options.folder, options.name, [Key(vkey) for vkey in options.log])
    except WrongUse as error:
        print(str(error).replace("--vkey", "--log"), file=sys.stderr)
        return 3
    host, _, port = options.listen.rpartition(":")
    print(witness.vkey, flush=True)
    with server(witness, host, int(port)) as running:
        running.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
