"""Several runs of the suite at once share it out: whoever comes to a module first takes it.

Each run has a cluster, a data folder and processes of its own, so nothing but the work is shared. `.ci/run` starts them
with MIZAN_TEST_SHARE, the name of an empty folder where each claim is a file.
"""

import os
from functools import cache
from pathlib import Path

FOLDER = os.environ.get("MIZAN_TEST_SHARE")


@cache
def mine(module: str) -> bool:
    """Whether this run was the first to ask for the module."""
    claim = Path(FOLDER) / module.replace(os.sep, "+")
    try:
        os.close(os.open(claim, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def pytest_collection_modifyitems(items):
    """What forks comes before any browser is started here: its loop and its connections do not survive a fork.

    Shared out, modules with slow tests come next: no run begins the longest one when the others have nothing left.
    """

    def of(marker):
        return {item.nodeid.split("::")[0] for item in items if item.get_closest_marker(marker)}

    forks, slow = of("forks"), of("slow") if FOLDER else set()
    items.sort(key=lambda item: (item.nodeid.split("::")[0] not in forks, item.nodeid.split("::")[0] not in slow))


def pytest_runtest_protocol(item, nextitem):
    """True: the other run sees to this test."""
    if not FOLDER or mine(item.nodeid.split("::")[0]):
        return None
    # What the last test of ours left standing for this one, the next of ours may have no use for.
    item.session._setupstate.teardown_exact(nextitem)
    return True
