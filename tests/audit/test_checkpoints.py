"""Notes and checkpoints, by two implementations: ours inside the product and the verifier's."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as some

from audit.checkpoints import BadNote, Checkpoint, KeyProblem, Signer, SignerRefuses, Verifier, memory
from audit.tiles import Edge, Nodes
from audit.tree import consistency
from audit.verifier import verify as outside

VECTORS = Path(__file__).parents[1] / "vectors" / "audit"


def lines_of(name):
    return [line for line in (VECTORS / name).read_text().splitlines() if not line.startswith("#")]


def test_the_published_note_opens():
    key, _, *note = lines_of("note.txt")
    vkey, text = key.removeprefix("key: "), "\n".join(note) + "\n"
    assert Verifier.parse(vkey).open(text) == outside.Key(vkey).open(text.encode(), "note")
    assert str(Verifier.parse(vkey)) == vkey


@pytest.mark.parametrize("line", lines_of("ed25519.txt"))
def test_signatures_of_the_rfc(line):
    expected, rest = line.split(": ")
    key, message, signature = (bytes.fromhex(part) for part in rest.split(" "))
    assert outside.ed25519_verifies(key, message, signature) == (expected == "works")


@settings(max_examples=15, deadline=None)
@given(message=some.binary(max_size=200), place=some.integers(0, 63), bit=some.integers(0, 7))
def test_the_verifiers_own_ed25519_agrees_with_the_library(message, place, bit):
    private = Ed25519PrivateKey.generate()
    public, signature = private.public_key().public_bytes_raw(), bytearray(private.sign(message))
    assert outside.ed25519_verifies(public, message, bytes(signature))
    signature[place] ^= 1 << bit
    assert not outside.ed25519_verifies(public, message, bytes(signature))


class Tree:
    """A growing tree with its proofs, as the sequencer has it."""

    def __init__(self):
        self.edge, self.stored = Edge(), {}

    def grow(self, count):
        self.stored |= self.edge.append(os.urandom(8) for _ in range(count))
        return self.edge.size, self.edge.root()

    def prove(self, old, new):
        return consistency(Nodes(lambda level, index: self.stored[level, index]), old, new)


@pytest.fixture
def signer(tmp_path):
    return Signer.create(tmp_path / "keys", "main", "log.example/main")


def test_a_signed_checkpoint_opens_with_its_key_only(signer, tmp_path):
    tree = Tree()
    note = signer.sign(*tree.grow(5), tree.prove)
    opened = Checkpoint.parse(signer.verifier.open(note))
    assert (opened.origin, opened.size, opened.root) == ("log.example/main", 5, tree.edge.root())
    assert outside.Key(str(signer.verifier)).checkpoint(note.encode(), "checkpoint") == (5, tree.edge.root())

    stranger = Signer.create(tmp_path / "other", "main", "log.example/main").verifier
    with pytest.raises(BadNote):
        stranger.open(note)
    with pytest.raises(outside.Tampered):
        outside.Key(str(stranger)).checkpoint(note.encode(), "checkpoint")


def test_every_changed_byte_of_a_note_is_refused_by_both(signer):
    tree = Tree()
    note = signer.sign(*tree.grow(5), tree.prove).encode()
    key = outside.Key(str(signer.verifier))
    for place in range(len(note)):
        changed = note[:place] + bytes([note[place] ^ 1]) + note[place + 1 :]
        with pytest.raises(outside.Tampered):
            key.checkpoint(changed, "checkpoint")
        with pytest.raises((BadNote, UnicodeDecodeError)):
            Checkpoint.parse(signer.verifier.open(changed.decode()))
    for extra in (note + b"\n", note + b"\xe2\x80\x94 someone AAAA\n", b"\n" + note, note[:-1]):
        with pytest.raises(outside.Tampered):
            key.checkpoint(extra, "checkpoint")


def test_the_signer_remembers_before_it_answers(signer, tmp_path):
    tree = Tree()
    signer.sign(*tree.grow(300), tree.prove)
    assert memory(tmp_path / "keys", "main") == (300, tree.edge.root())


def test_it_signs_what_grows_and_the_same_again(signer):
    tree = Tree()
    for count in (1, 2, 253, 1, 700):
        size, root = tree.grow(count)
        assert signer.sign(size, root, tree.prove) == signer.sign(size, root, tree.prove)


def test_it_refuses_a_smaller_tree(signer):
    tree, restored = Tree(), Tree()
    signer.sign(*tree.grow(10), tree.prove)
    with pytest.raises(SignerRefuses, match="older backup was restored"):
        signer.sign(*restored.grow(9), restored.prove)


@pytest.mark.parametrize("size", [10, 11, 500])
def test_it_refuses_another_history(signer, size):
    tree, other = Tree(), Tree()
    signer.sign(*tree.grow(10), tree.prove)
    with pytest.raises(SignerRefuses, match="does not continue"):
        signer.sign(*other.grow(size), other.prove)


def test_a_refusal_leaves_its_memory_as_it_was(signer, tmp_path):
    tree, other = Tree(), Tree()
    signer.sign(*tree.grow(10), tree.prove)
    before = memory(tmp_path / "keys", "main")
    with pytest.raises(SignerRefuses):
        signer.sign(*other.grow(50), other.prove)
    assert memory(tmp_path / "keys", "main") == before


def test_keys_are_private_and_never_overwritten(signer, tmp_path):
    file = tmp_path / "keys" / "main.key"
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyProblem, match="exists already"):
        Signer.create(tmp_path / "keys", "main", "log.example/main")
    assert Signer(tmp_path / "keys", "main").verifier == signer.verifier


def test_a_key_that_others_can_read_is_refused_with_the_fix(signer, tmp_path):
    file = tmp_path / "keys" / "main.key"
    file.chmod(0o640)
    with pytest.raises(KeyProblem, match=f"chmod 600 {file}"):
        Signer(tmp_path / "keys", "main")


@pytest.mark.parametrize("lost", ["main.key", "main.state"])
def test_a_lost_file_is_named(signer, tmp_path, lost):
    (tmp_path / "keys" / lost).unlink()
    with pytest.raises(KeyProblem, match=lost):
        Signer(tmp_path / "keys", "main")


def test_a_damaged_key_is_refused(signer, tmp_path):
    file = tmp_path / "keys" / "main.key"
    *start, data = file.read_text().split("+", 4)
    file.write_text("+".join([*start, data[:10] + ("A" if data[10] != "A" else "B") + data[11:]]))
    with pytest.raises(KeyProblem):
        Signer(tmp_path / "keys", "main")


def test_an_origin_that_a_note_cannot_name_is_refused(tmp_path):
    with pytest.raises(KeyProblem, match="AUDIT_ORIGIN"):
        Signer.create(tmp_path, "main", "two words")
