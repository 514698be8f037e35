"""Looks at hostile files through `documents.sandbox`: one limited process per file, fed and answered over pipes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from threading import BoundedSemaphore, Timer
from typing import Any

from django.conf import settings

from documents.refusals import NotReady

SECONDS = 30
_LONGEST_ANSWER = 32 * 1024 * 1024  # bytes: a picture in grey has 6 million
_MODULES = {
    "image/jpeg": "documents.sandbox.images",
    "image/png": "documents.sandbox.images",
    "image/heic": "documents.sandbox.heifs",
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
    """`reason` is a code, empty when it passed; `facts` are `{name: {"value": ..., "confidence": percent}}`.

    `text` is what the file itself says, `picture` a PGM for whoever reads print; both empty when there is nothing.
    """

    verdict: Verdict
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    picture: bytes = b""


def inspect(media_type: str, chunks: Iterator[bytes], *, legible: bool = False) -> Findings:
    """What the file is and whether anything speaks against showing it. Never raises for what is in the file."""
    answer, picture = _asked({"act": "inspect", "media_type": media_type, "legible": legible}, chunks)
    return Findings(Verdict(answer["verdict"]), answer["reason"], answer["facts"], answer.get("text", ""), picture)


def render(media_type: str, chunks: Iterator[bytes], *, page: int, mark: str, full: bool = False) -> bytes:
    """One page as JPEG with `mark` drawn into it; `full`: with twice the pixels. Raises CannotRender."""
    request = {"act": "render", "media_type": media_type, "page": page, "mark": mark, "full": full}
    answer, data = _asked(request, chunks)
    if not data:
        raise CannotRender(answer.get("reason", "damaged"))
    return data


def printed_text(picture: bytes, *options: str) -> str:
    """What tesseract (settings.TESSERACT) reads in a PGM; empty when it reads nothing, or takes too much."""
    command = ["documents.sandbox.text", settings.TESSERACT, "stdin", "stdout", *options]
    return (_run(command, iter([picture])) or b"").decode("utf-8", "replace")


def _asked(request: dict[str, Any], chunks: Iterator[bytes]) -> tuple[dict[str, Any], bytes]:
    """Run the program for this type on the file. A process that died or was killed means: unscannable."""
    head = json.dumps(request).encode()
    output = _run([_MODULES[request["media_type"]]], chain([len(head).to_bytes(4, "big") + head], chunks)) or b""
    length = int.from_bytes(output[:4], "big")
    if not 0 < length <= len(output) - 4:
        return {"verdict": Verdict.UNSCANNABLE, "reason": "takes_too_much", "facts": {}}, b""
    return json.loads(output[4 : 4 + length]), output[4 + length :]


def _run(module: list[str], chunks: Iterator[bytes]) -> bytes | None:
    """What the program answers to these bytes; None when it died or was killed."""
    with _places:
        process = subprocess.Popen(
            [sys.executable, "-E", "-s", "-m", *module],
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
            output = _exchanged(process, chunks)
        finally:
            watchdog.cancel()
            process.kill()
            process.wait()
    return output if process.returncode == 0 else None


def _exchanged(process: "subprocess.Popen[bytes]", chunks: Iterator[bytes]) -> bytes:
    assert process.stdin is not None and process.stdout is not None
    # The program reads all of it before it answers; one that died early is told by its exit code.
    with suppress(BrokenPipeError), process.stdin as pipe:
        for chunk in chunks:
            pipe.write(chunk)
    with process.stdout as output:
        data = output.read(_LONGEST_ANSWER)
    if len(data) == _LONGEST_ANSWER:
        process.kill()
    process.wait()
    return data
