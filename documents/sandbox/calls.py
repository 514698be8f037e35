"""A filter of system calls (Linux's seccomp) for what may start threads and no processes: RLIMIT_NPROC refuses both."""

import ctypes
import errno
import platform
import struct

_SET_SECCOMP, _FILTER = 22, 2
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _FLAGS = 0, 4, 16  # where they stand in what the filter is asked about
_CLONE3 = 435
_CLONE_THREAD = 0x10000
_OTHER_ABI = 0x40000000  # x32: the same calls under other numbers
# The kernel's name of the processor, clone, and what else makes a process.
_MACHINES = {"x86_64": (0xC000003E, 56, (57, 58)), "aarch64": (0xC00000B7, 220, ())}


def refuse_processes(libc: ctypes.CDLL) -> bool:
    """From now on this process can start threads and never a process; False where the system has no such filter.

    It may gain no privileges any more (PR_SET_NO_NEW_PRIVS), which the system asks for first.
    """
    if platform.machine() not in _MACHINES:
        return False
    steps = _steps(*_MACHINES[platform.machine()])
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(code, len(code))
    program = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(held)))
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, program, 0, 0) == 0)


def _steps(architecture: int, clone: int, makers: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """(operation, steps to skip if so, if not, value). clone3 hides its flags in memory: libraries then use clone."""
    refused = _ERROR | errno.EPERM
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_ANSWER, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _OTHER_ABI),
        (_ANSWER, 0, 0, refused),
        (_EQUAL, 0, 1, _CLONE3),
        (_ANSWER, 0, 0, _ERROR | errno.ENOSYS),
    ]
    for maker in makers:
        steps += [(_EQUAL, 0, 1, maker), (_ANSWER, 0, 0, refused)]
    return [
        *steps,
        (_EQUAL, 1, 0, clone),
        (_ANSWER, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _FLAGS),
        (_ANY_BIT, 0, 1, _CLONE_THREAD),
        (_ANSWER, 0, 0, _ALLOW),
        (_ANSWER, 0, 0, refused),
    ]
