"""The limits of a process that reads one hostile file, and how it is asked and answers.

In:  4 bytes length, a JSON request, then the file up to the end of input.   Out: 4 bytes length, a JSON answer,
then bytes.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 20
PIXELS = 120_000_000
LONGEST_SIDE = 2400  # of a rendition, in pixels

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_DIE_WITH_PARENT, _NO_NEW_PRIVILEGES = 1, 38

Answer = tuple[dict[str, Any], bytes]


class Unscannable(Exception):
    """The file cannot be shown to be harmless. The argument is a reason code."""


def fact(value: Any, confidence: int = 100) -> dict[str, Any]:
    """Something measured, and how sure it is, in percent."""
    return {"value": value, "confidence": confidence}


def serve(work: Callable[[dict[str, Any], bytes], Answer]) -> None:
    """Give up what is not needed, read the request, do `work`, write the answer. Errors answer with a reason code."""
    _confine()
    source = sys.stdin.buffer
    request = json.loads(source.read(int.from_bytes(source.read(4), "big")))
    try:
        answer, data = work(request, source.read())
    except Unscannable as reason:
        answer, data = {"verdict": "unscannable", "reason": str(reason), "facts": {}}, b""
    except MemoryError:
        answer, data = {"verdict": "unscannable", "reason": "takes_too_much", "facts": {}}, b""
    head = json.dumps(answer).encode()
    sys.stdout.buffer.write(len(head).to_bytes(4, "big") + head + data)
    sys.stdout.buffer.flush()
    # No clean-up of libraries that may have been corrupted.
    os._exit(0)


def _confine() -> None:
    """No network where the system lets us; no files, no children, bounded memory and time always."""
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux":
        libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        libc.unshare(_NEW_USER | _NEW_NETWORK)
    os.chdir("/")
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY),
    ):
        resource.setrlimit(limit, (value, value))
