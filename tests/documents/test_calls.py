"""The filter of system calls: threads may start, processes may not, whoever asks."""

import platform
import subprocess
import sys

import pytest

from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="no filter for this processor")
PROGRAM = """
import ctypes, os, subprocess, sys, threading
from documents.sandbox.calls import refuse_processes
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)
print(refuse_processes(libc))
done = threading.Thread(target=lambda: print("a thread"))
done.start()
done.join()
for make in (os.fork, lambda: os.posix_spawn("/bin/true", ["true"], {}), lambda: subprocess.run(["/bin/true"])):
    try:
        print("a process", make())
    except OSError as error:
        print(type(error).__name__)
"""


def test_threads_start_and_processes_do_not():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.split("\n")[:-1] == ["True", "a thread", *["PermissionError"] * 3], done.stderr
