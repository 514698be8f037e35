"""Waiting for what other processes do."""

import time

# Seconds. Long on purpose: a busy machine is no fault of the product, and only a test that fails waits for all of it.
PATIENCE = 600.0


def wait_until(condition, within=PATIENCE):
    """Poll until `condition` holds; fail when it does not in `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
