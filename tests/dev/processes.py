"""What runs on a data folder, seen from outside: through /proc."""

import contextlib
from pathlib import Path


def processes_in(folder):
    """Ids of the processes that work in `folder` or were told of it, oldest first."""
    return sorted(
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _belongs(entry, folder)
    )


def processes_of_group(leader):
    """Ids of the living processes in the process group of `leader`."""
    return sorted(
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _group(entry) == leader
    )


def _group(entry):
    with contextlib.suppress(OSError):
        state, _, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        return None if state == "Z" else int(group)
    return None


def _belongs(entry, folder):
    with contextlib.suppress(OSError):
        if (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        variables = (entry / "environ").read_bytes().split(b"\0")
        if f"MIZAN_DATA_DIR={folder}".encode() in variables:
            return True
        return (entry / "cwd").resolve().is_relative_to(folder)
    return False
