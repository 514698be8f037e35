"""Waiting for what other processes do."""

import time


def wait_until(condition, within=60.0):
    """Poll until `condition` holds; fail when it does not in `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
