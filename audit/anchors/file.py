"""A file that only grows, best on another host or on a medium that can be written once.

One JSON object a line: {at, log, note}. Reading it again shows whether what lies there is still what we hold.
"""

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from audit.anchors import CannotAnchor, Held, Proof, Prove, WrongProof
from audit.canonical import dumps, timestamp


class AppendOnlyFile:
    form = "receipt"

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def place(self, held: Held, last: int, prove: Prove) -> Proof:
        now = datetime.now(UTC)
        line = dumps({"at": timestamp(now), "log": held.log, "note": held.note}) + b"\n"
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if os.write(descriptor, line) != len(line):
                    raise CannotAnchor(f"{self._path} took only a part of the line")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise CannotAnchor(f"{self._path} cannot be written: {error.strerror}") from None
        return Proof(line, now)

    def check(self, held: Held, proof: bytes) -> None:
        try:
            with self._path.open("rb") as lines:
                if any(line == proof for line in lines) and json.loads(proof)["note"] == held.note:
                    return
        except (OSError, ValueError, KeyError) as error:
            raise WrongProof(f"{self._path} cannot be read: {error}") from None
        raise WrongProof(f"{self._path} does not hold this checkpoint")

    def recall(self, log: str, origin: str) -> list[str]:
        if not self._path.exists():
            return []
        try:
            with self._path.open("rb") as lines:
                said = [json.loads(line) for line in lines]
            return [str(line["note"]) for line in said if line["log"] == log]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CannotAnchor(f"{self._path} cannot be read: {error}") from None
