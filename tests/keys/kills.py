"""Kill -9 at every kind of moment: a program that forks a process per round, which ends by SIGKILL at its n-th step.

A step is a call, a return or a call into C within the files that matter: ours of keys and erasures, and Django's
transactions, so that the moments just before and after a commit are among them. No clock decides whether a kill hits.
"""

import json
import random

from tests.waiting import PATIENCE

PROGRAM = """
import json, os, signal, sys, time
from django.db import connections
from django.db.models.functions import Now
from audit import context
from audit.actors import system
from compliance.keys import rotation
from compliance.keys.locks import Busy
from documents.keeping import erasure, runs
from compliance.outbox.delivery import deliver
from compliance.outbox.models import OutboxRow

WATCHED = ("/compliance/keys/", "/documents/keeping/", "/documents/storage.py", "/django/db/transaction.py",
           "/django/db/backends/base/base.py")
rotation.BATCH = 60

def rotate():
    rotation.rotate(by=system())

def destroy():
    rotation.rotate(by=system())
    rotation.destroy_old_epochs(by=system())

def erase():
    erasure.shred_when_due(next(runs._ended()))

def retain():
    runs.run()

def finish():
    # A row that a killed worker had is free again after a while: here at once.
    OutboxRow.objects.filter(done_at=None).update(claimed_at=None, due_at=Now(), lost=0)
    for row in OutboxRow.objects.filter(kind=erasure.FINISH, done_at=None):
        deliver(row.pk)

class Steps:
    def __init__(self, last):
        self.last, self.count = last, 0
    def __call__(self, frame, event, arg):
        code = frame.f_code
        if event in ("call", "return", "c_call") and any(part in code.co_filename for part in WATCHED):
            self.count += 1
            if self.count == self.last:
                os.kill(os.getpid(), signal.SIGKILL)

def child(act, last, out):
    steps = Steps(last)
    for _try in range(100):
        try:
            sys.setprofile(steps)
            with context.use(context.new("test")):
                globals()[act]()
            break
        except Busy:  # the killed one's server process has not noticed yet
            steps.count = 0
            time.sleep(0.05)
    sys.setprofile(None)
    os.write(out, json.dumps(steps.count).encode())

print("ready", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    connections.close_all()
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(read)
        try:
            child(asked["act"], asked["last"], write)
            connections.close_all()
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(3)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        steps = told.read()
    status = os.waitpid(pid, 0)[1]
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    print(json.dumps({"killed": killed, "failed": not killed and status != 0, "steps": int(steps or 0)}), flush=True)
"""


class Killer:
    """Runs acts of PROGRAM in a house, whole or until their n-th step."""

    def __init__(self, house):
        self._process = house.program(PROGRAM)
        assert self._process.stdout.readline() == "ready\n", self._process.stderr.read()

    def whole(self, act):
        """How many steps it took."""
        told = self._ask(act, 0)
        assert not told["killed"] and not told["failed"], self._process.stderr.read()
        return told["steps"]

    def kill(self, act, *, within, stretch=0, of=1):
        """Kill it at a step drawn from a stretch of the first `within`; False when it ended before.

        Whoever asks for each of as many stretches hits it early, in the middle and late, the very last step included.
        """
        last = within * (stretch + 1) // of
        told = self._ask(act, last if stretch + 1 == of > 1 else random.randint(within * stretch // of + 1, last))
        assert not told["failed"], self._process.stderr.read()
        return told["killed"]

    def end(self):
        self._process.communicate(timeout=PATIENCE)

    def _ask(self, act, last):
        print(json.dumps({"act": act, "last": last}), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline() or self._process.stderr.read())
