"""The limits of a process that reads one hostile file, and how it is asked and answers.

In:  4 bytes length, a JSON request, then the file up to the end of input.   Out: 4 bytes length, a JSON answer,
then bytes.
"""

import ctypes
import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Any

from documents.sandbox.calls import refuse_processes

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 20
PIXELS = 120_000_000
LONGEST_SIDE = 2400  # of a rendition, and of a picture that is read, in pixels
FULL_SIDE = 4800  # of a rendition for who looks closer: a telephone's photograph is shown with all it has
_BEHIND = 10  # niceness of what nobody waits for: hostile files take time from each other, not from people
LONGEST_TEXT = 200_000  # characters of a file's own text that are looked at

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_DIE_WITH_PARENT, _NO_NEW_PRIVILEGES = 1, 38
# Numbers of Linux's landlock(7), the same on every processor.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _PATH_BENEATH = 444, 445, 446, 1
_EXECUTE, _READ_FILE, _READ_FOLDER, _TCP = 1 << 0, 1 << 2, 1 << 3, 3
_FOLDERS = (sys.prefix, sys.base_prefix, "/usr/lib", "/lib", "/usr/share/fonts", "/dev/urandom")
# What another program than Python needs to start: itself, the loader and libraries, its data.
_PROGRAM_FOLDERS = ("/usr/lib", "/lib", "/lib64", "/usr/share", "/etc/ld.so.cache", "/dev/urandom", "/dev/null")

Answer = tuple[dict[str, Any], bytes]


class Unscannable(Exception):
    """The file cannot be shown to be harmless. The argument is a reason code."""


def fact(value: Any, confidence: int = 100) -> dict[str, Any]:
    """Something measured, and how sure it is, in percent."""
    return {"value": value, "confidence": confidence}


def longest_of(request: dict[str, Any]) -> int:
    """How many pixels the longest side of a rendition may have."""
    return FULL_SIDE if request.get("full") else LONGEST_SIDE


def serve(work: Callable[[dict[str, Any], bytes], Answer], *, threads: bool = False) -> None:
    """Give up what is not needed, read the request, do `work`, write the answer. Errors answer with a reason code.

    `threads`: the library behind `work` starts some of its own. Processes it may start none either way: where the
    system cannot tell the two apart, `work` is not done.
    """
    confined = _confine(_FOLDERS, rights=_READ_FILE | _READ_FOLDER, threads=threads)
    source = sys.stdin.buffer
    request = json.loads(source.read(int.from_bytes(source.read(4), "big")))
    if request["act"] == "inspect":
        os.nice(_BEHIND)  # nobody looks at a page that waits for it
    try:
        content = source.read()
        if not confined:
            raise Unscannable("not_readable_here")
        answer, data = work(request, content)
    except Unscannable as reason:
        answer, data = {"verdict": "unscannable", "reason": str(reason), "facts": {}}, b""
    except MemoryError:
        answer, data = {"verdict": "unscannable", "reason": "takes_too_much", "facts": {}}, b""
    head = json.dumps(answer).encode()
    sys.stdout.buffer.write(len(head).to_bytes(4, "big") + head + data)
    sys.stdout.buffer.flush()
    # No clean-up of libraries that may have been corrupted.
    os._exit(0)


def become(program: str, *arguments: str) -> None:
    """Go on as another program under the same limits. It has one thread and our pipes."""
    os.nice(_BEHIND)
    _confine((*_PROGRAM_FOLDERS, program), rights=_READ_FILE | _READ_FOLDER | _EXECUTE)
    os.execve(program, [program, *arguments], {"LC_ALL": "C.UTF-8", "OMP_THREAD_LIMIT": "1"})


def _close_the_file_system(libc: ctypes.CDLL, paths: Iterable[str], rights: int) -> None:
    """Landlock (Linux 5.13): only these folders and files can be read or started, nothing written.

    From Linux 6.7 on it also refuses TCP, for systems that give no network namespace to plain users.
    """
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    if version < 1:
        return
    files = (1 << {1: 13, 2: 14}.get(version, 15)) - 1
    handled = struct.pack("=QQ", files, _TCP) if version >= 4 else struct.pack("=Q", files)
    rules = libc.syscall(_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), ctypes.c_uint(0))
    for path in set(paths):
        try:
            parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        beneath = struct.pack("=Qi", rights if os.path.isdir(path) else rights & ~_READ_FOLDER, parent)
        libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, beneath, ctypes.c_uint(0))
        os.close(parent)
    libc.syscall(_RESTRICT_SELF, rules, ctypes.c_uint(0))
    os.close(rules)


def _confine(paths: Iterable[str], *, rights: int, threads: bool = False) -> bool:
    """No network, no other files, no children where the system lets us; bounded memory and time always.

    False where `threads` are needed and the system cannot refuse processes apart from them.
    """
    only_threads = False
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        libc.unshare(_NEW_USER | _NEW_NETWORK)
        _close_the_file_system(libc, paths, rights)
        only_threads = threads and refuse_processes(libc)
    os.chdir("/")
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        *(() if only_threads else ((resource.RLIMIT_NPROC, 0),)),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY),
    ):
        resource.setrlimit(limit, (value, value))
    return only_threads or not threads
