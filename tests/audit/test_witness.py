"""The small witness: it cosigns what continues, answers everything else with the status of the specification."""

import base64

import pytest

from audit.anchors import Held, WrongProof
from audit.anchors.placing import checkpoint_of
from audit.anchors.witness import Witness as Client
from audit.checkpoints import Signer
from audit.verifier.verify import Key
from audit.verifier.witness import Refused, Witness
from tests.audit.test_checkpoints import Tree


class Log:
    """A log with its key, and what it asks of a witness."""

    def __init__(self, folder):
        self.signer, self.tree = Signer.create(folder, "main", "log.example/main"), Tree()

    def grow(self, count):
        return self.signer.sign(*self.tree.grow(count), self.tree.prove)

    def request(self, old, note):
        size = checkpoint_of(note).size
        steps = self.tree.prove(old, size) if 0 < old < size else []
        return "\n".join([f"old {old}", *(base64.b64encode(step).decode() for step in steps), "", note]).encode()


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "log")


@pytest.fixture
def witness(log, tmp_path):
    return Witness(tmp_path / "witness", "auditor.example/w", [Key(str(log.signer.verifier))])


def refusal(witness, request):
    with pytest.raises(Refused) as refused:
        witness.add(request)
    return refused.value.status, str(refused.value)


def test_it_cosigns_each_checkpoint_that_continues_and_the_same_again(log, witness):
    first = log.grow(5)
    witness.add(log.request(0, first))
    second = log.grow(300)
    line = witness.add(log.request(5, second))
    assert witness.add(log.request(305, second)).startswith("— auditor.example/w ".encode())
    client = Client("http://nowhere", witness.vkey)
    client.check(Held("main", second, checkpoint_of(second)), line)
    with pytest.raises(WrongProof):
        client.check(Held("main", first, checkpoint_of(first)), line)


def test_it_remembers_over_a_start_and_says_where_it_stands(log, witness, tmp_path):
    witness.add(log.request(0, log.grow(5)))
    note = log.grow(5)
    again = Witness(tmp_path / "witness", "auditor.example/w", [Key(str(log.signer.verifier))])
    assert again.vkey == witness.vkey
    assert refusal(again, log.request(0, note)) == (409, "5\n")
    again.add(log.request(5, note))


def test_it_signs_no_second_history_not_even_with_the_logs_own_key(log, witness, tmp_path):
    witness.add(log.request(0, log.grow(10)))
    (tmp_path / "log" / "main.state").write_text('{"size": 0, "root": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}')
    log.tree = Tree()  # everything rewritten, the signer's memory too
    assert refusal(witness, log.request(10, log.grow(10)))[0] == 409
    assert refusal(witness, log.request(10, log.grow(5)))[0] == 422


def test_requests_in_another_form_are_refused(log, witness, tmp_path):
    note = log.grow(5)
    good = log.request(0, note)
    for bad in (b"", note.encode(), good[1:], b"old 01\n\n" + note.encode(), b"old 0\nxx\n\n" + note.encode(), b"\xff"):
        assert refusal(witness, bad)[0] == 400
    assert refusal(witness, log.request(9, note))[0] == 400
    assert refusal(witness, good.replace(b"log.example", b"dog.example"))[0] == 404
    assert refusal(witness, good.replace(note.encode(), note.replace("\n5\n", "\n6\n").encode()))[0] == 403
    assert refusal(witness, log.request(1, note))[0] == 409
    witness.add(good)
    assert refusal(witness, good.replace(b"old 0\n", b"old 5\n" + base64.b64encode(bytes(32)) + b"\n"))[0] == 422
