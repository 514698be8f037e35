"""An I/O error, a full disk or kill -9 at any system call of a put: the whole file or none, and never a plain byte."""

import re
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pytest
from django.conf import settings

from documents.storage import LocalStorage
from documents.vault import KEY, RangeReader
from tests.documents.put_program import CANARY, DOCUMENT, HEADER, LICENSEE, PLAIN
from tests.required import needs

STRACE = shutil.which("strace")
pytestmark = [
    pytest.mark.slow,
    needs("strace", there=STRACE, package="strace"),
]
MUST_REFUSE = {"openat", "write", "fsync", "rename"}
FAULTS = {"EIO": "error=EIO", "ENOSPC": "error=ENOSPC", "kill -9": "signal=SIGKILL"}


def traced(root, *options):
    """Run one put under strace, which looks at nothing but the vault; return it and the calls that it saw."""
    folder = root / DOCUMENT.hex[:2]
    watched = [root, folder, folder / f".{DOCUMENT}.known.part", folder / f"{DOCUMENT}.kvlt"]
    log = root.with_suffix(".trace")
    paths = [option for path in watched for option in ("-P", path)]
    command = [STRACE, "-qq", "-f", "-o", log, *paths, *options]
    program = [sys.executable, "-m", "tests.documents.put_program", root]
    done = subprocess.run([*command, *program], cwd=settings.BASE_DIR, capture_output=True, text=True)
    calls = re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE) if log.exists() else []
    return done, calls


def whole(root):
    """Whether the file is there; what is there opens and says what was put."""
    path = root / DOCUMENT.hex[:2] / f"{DOCUMENT}.kvlt"
    if not path.exists():
        return False
    file = LocalStorage(root).open(DOCUMENT)
    reader = RangeReader(file, key=bytes(KEY), header=HEADER, licensee=LICENSEE)
    assert b"".join(reader.read(0, reader.size)) == PLAIN
    file.close()
    return True


@pytest.mark.parametrize("fault", FAULTS)
def test_at_every_system_call_the_whole_file_or_none(tmp_path, fault):
    calm = tmp_path / "calm"
    calm.mkdir(mode=0o700)
    done, calls = traced(calm)
    assert done.stdout == "stored\n" and whole(calm), done.stderr
    assert {"openat", "write", "fsync", "rename", "close"} <= set(calls), calls
    seen = Counter()
    for name in calls:
        seen[name] += 1
        root = tmp_path / f"{name}-{seen[name]}"
        root.mkdir(mode=0o700)
        done, _calls = traced(root, "-e", f"inject={name}:{FAULTS[fault]}:when={seen[name]}")
        told = done.stdout.split()[:1]
        at = f"{fault} at {name} number {seen[name]}"
        if fault == "kill -9":
            assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), at
            assert told == [], at
        else:
            # Making a folder that is there, and closing what is durable, may fail without harm.
            allowed = [["refused"]] if name in MUST_REFUSE else [["refused"], ["stored"]]
            assert told in allowed, at
        if told == ["stored"]:
            assert whole(root), at
        left = [path for path in root.rglob("*") if path.is_file()]
        assert all(CANARY not in path.read_bytes() for path in left), at
        assert {path.suffix for path in left} <= {".kvlt", ".part"}, at
        whole(root)
        assert fault == "kill -9" or not [path for path in left if path.suffix == ".part"], at
