"""Looks at hostile files through `documents.sandbox`: one limited process per file, fed and answered over pipes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from threading import BoundedSemaphore, Timer
from typing import Any

from django.conf import settings

from documents.refusals import NotReady

SECONDS = 30
_MODULES = {
    "image/jpeg": "documents.sandbox.images",
    "image/png": "documents.sandbox.images",
    "application/pdf": "documents.sandbox.pdfs",
}
# Each may take a gigabyte: at most this many at once in one process of ours.
_places = BoundedSemaphore(2)


class Verdict(StrEnum):
    PASS = "pass"
    QUARANTINE = "quarantine"
    UNSCANNABLE = "unscannable"


class CannotRender(NotReady):
    """There is no picture of this page: no such page, or the file takes too much. The argument is a reason code."""


@dataclass(frozen=True, slots=True)
class Findings:
    """`reason` is a code, empty when it passed; `facts` are `{name: {"value": ..., "confidence": percent}}`."""

    verdict: Verdict
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def inspect(media_type: str, chunks: Iterator[bytes]) -> Findings:
    """What the file is and whether anything speaks against showing it. Never raises for what is in the file."""
    answer, _ = _asked({"act": "inspect", "media_type": media_type}, chunks)
    return Findings(Verdict(answer["verdict"]), answer["reason"], answer["facts"])


def render(media_type: str, chunks: Iterator[bytes], *, page: int, mark: str) -> bytes:
    """One page as JPEG with `mark` drawn into it. Raises CannotRender."""
    answer, data = _asked({"act": "render", "media_type": media_type, "page": page, "mark": mark}, chunks)
    if not data:
        raise CannotRender(answer.get("reason", "damaged"))
    return data


def _asked(request: dict[str, Any], chunks: Iterator[bytes]) -> tuple[dict[str, Any], bytes]:
    """Run the program for this type on the file. A process that died or was killed means: unscannable."""
    with _places:
        process = subprocess.Popen(
            [sys.executable, "-E", "-s", "-m", _MODULES[request["media_type"]]],
            cwd=settings.BASE_DIR,
            env={"LC_ALL": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A parser's error message may quote the file.
            stderr=subprocess.DEVNULL,
        )
        watchdog = Timer(SECONDS, process.kill)
        watchdog.start()
        try:
            output = _exchanged(process, request, chunks)
        finally:
            watchdog.cancel()
            process.kill()
            process.wait()
    length = int.from_bytes(output[:4], "big")
    if process.returncode != 0 or not 0 < length <= len(output) - 4:
        return {"verdict": Verdict.UNSCANNABLE, "reason": "takes_too_much", "facts": {}}, b""
    return json.loads(output[4 : 4 + length]), output[4 + length :]


def _exchanged(process: "subprocess.Popen[bytes]", request: dict[str, Any], chunks: Iterator[bytes]) -> bytes:
    assert process.stdin is not None and process.stdout is not None
    head = json.dumps(request).encode()
    # The program reads all of it before it answers; one that died early is told by its exit code.
    with suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(len(head).to_bytes(4, "big") + head)
        for chunk in chunks:
            pipe.write(chunk)
    with process.stdout as output:
        data = output.read()
    process.wait()
    return data
