"""A signal that comes while one waits for it is heard, whenever it comes."""

import signal
import subprocess
import sys
import time

import pytest

from audit.stopping import Stop
from compliance.embedded.environment import ROOT
from tests.waiting import PATIENCE

ROUNDS = 4000
PROGRAM = f"""
import random, signal, threading
from audit.stopping import Stop
chance, stop = random.Random(1), None
signal.signal(signal.SIGALRM, lambda *_: stop.set())
for _ in range({ROUNDS}):
    stop = {{kind}}()
    signal.setitimer(signal.ITIMER_REAL, 1e-6 + chance.random() * 2e-4)
    while not stop.is_set():
        stop.wait(1e-5)
print("heard all")
"""


def heard(kind, within):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{kind}", kind)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=within,
    )
    return done.stdout.strip() == "heard all"


def test_no_signal_is_lost_and_none_hangs():
    assert heard("Stop", within=PATIENCE)


def test_an_event_would_hang():
    """Else the test above could not fail."""
    with pytest.raises(subprocess.TimeoutExpired):
        heard("threading.Event", within=5)


def test_once_set_it_stays_set():
    stop = Stop()
    assert (stop.is_set(), stop.wait(0.01)) == (False, False)
    stop.set()
    began = time.monotonic()
    assert [stop.wait(5), stop.is_set(), stop.wait(5), stop.is_set()] == [True] * 4
    assert time.monotonic() - began < 5
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
