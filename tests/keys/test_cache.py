"""Unwrapped keys are kept for five minutes at most, and no longer than their row: in every process."""

import json

from audit.actors import system
from compliance.keys.services import seal, shred_subject
from tests.waiting import PATIENCE

READER = """
import json, sys
from audit.actors import SubjectRef
from compliance.keys import services
subject, sealed = SubjectRef("customer", sys.stdin.readline().strip()), bytes.fromhex(sys.stdin.readline().strip())
for _ in range(2):
    try:
        told = services.open_sealed(subject, "note", sealed).decode()
    except services.Shredded:
        told = "shredded"
    print(json.dumps([told, len(services._unwrapped)]), flush=True)
    sys.stdin.readline()
"""


def test_a_shred_empties_the_cache_of_a_process_that_is_told_nothing(house, a_subject):
    sealed = seal(a_subject, "note", b"hello")
    reader = house.program(READER)
    print(a_subject.id, sealed.hex(), sep="\n", file=reader.stdin, flush=True)
    assert json.loads(reader.stdout.readline()) == ["hello", 1]
    shred_subject(a_subject, by=system(), reason="erasure")
    print(file=reader.stdin, flush=True)
    assert json.loads(reader.stdout.readline()) == ["shredded", 0]
    reader.communicate("\n", timeout=PATIENCE)
    assert reader.returncode == 0
