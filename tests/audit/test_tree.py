"""The tree: the reference vectors, and proofs of every size against a tree computed straight from the RFC's
definition.
"""

import os
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from audit import tiles, tree
from audit.verifier import verify as outside

VECTORS = Path(__file__).parents[1] / "vectors" / "audit"
LEAVES = [sha256(str(number).encode()).digest() for number in range(70_000)]


@cache
def defined_root(low, high):
    """MTH of RFC 6962, 2.1, word for word."""
    if high == low:
        return sha256(b"").digest()
    if high - low == 1:
        return sha256(b"\x00" + LEAVES[low]).digest()
    split = 1
    while split * 2 < high - low:
        split *= 2
    return sha256(b"\x01" + defined_root(low, low + split) + defined_root(low + split, high)).digest()


@pytest.fixture(scope="module")
def nodes():
    stored = tiles.Edge().append(LEAVES)
    return tiles.Nodes(lambda level, index: stored[level, index])


def test_the_reference_tree():
    lines = [line for line in (VECTORS / "tree.txt").read_text().splitlines() if line[0] != "#"]
    leaves = [bytes.fromhex(line.partition(":")[2]) for line in lines if line.startswith("leaf")]
    roots = [bytes.fromhex(line.partition(":")[2]) for line in lines if line.startswith("root")]
    for size, expected in enumerate(roots):
        edge = tiles.Edge()
        edge.append(leaves[:size])
        assert edge.root() == expected


def test_the_reference_proofs():
    lines = [line for line in (VECTORS / "tree.txt").read_text().splitlines() if line[0] != "#"]
    leaves = [bytes.fromhex(line.partition(":")[2]) for line in lines if line.startswith("leaf")]
    roots = [bytes.fromhex(line.partition(":")[2]) for line in lines if line.startswith("root")]
    stored = tiles.Edge().append(leaves)
    node = tiles.Nodes(lambda level, index: stored[level, index])
    vectors = [line for line in (VECTORS / "proofs.txt").read_text().splitlines() if line[0] != "#"]
    assert len(vectors) == 9
    for line in vectors:
        head, _, hashes = line.partition(":")
        kind, start, size = head.split()[0], *map(int, head.split()[1:])
        proof = [bytes.fromhex(step) for step in hashes.split()]
        assert getattr(tree, kind)(node, start, size) == proof, line
        for checked in (tree, outside):
            if kind == "inclusion":
                assert checked.included(tree.leaf_hash(leaves[start]), start, size, proof, roots[size]), line
            else:
                assert checked.consistent(start, size, roots[start], roots[size], proof), line


def test_every_proof_of_every_small_tree(nodes):
    for size in range(1, 40):
        root = defined_root(0, size)
        assert tree.root(nodes, size) == root
        for index in range(size):
            proof = tree.inclusion(nodes, index, size)
            leaf = tree.leaf_hash(LEAVES[index])
            assert tree.included(leaf, index, size, proof, root)
            assert outside.included(leaf, index, size, proof, root)
            old = index + 1
            proof = tree.consistency(nodes, old, size)
            assert tree.consistent(old, size, defined_root(0, old), root, proof)
            assert outside.consistent(old, size, defined_root(0, old), root, proof)


sizes = some.integers(1, len(LEAVES))


@settings(max_examples=60, deadline=None)
@given(size=sizes, share=some.floats(0, 1, exclude_max=True))
def test_proofs_of_large_trees(nodes, size, share):
    index = int(share * size)
    root = defined_root(0, size)
    proof = tree.inclusion(nodes, index, size)
    assert tree.included(tree.leaf_hash(LEAVES[index]), index, size, proof, root)
    proof = tree.consistency(nodes, index + 1, size)
    assert tree.consistent(index + 1, size, defined_root(0, index + 1), root, proof)


@pytest.mark.parametrize("verified", [tree, outside])
@settings(max_examples=60, deadline=None)
@given(size=some.integers(2, 2000), share=some.floats(0, 1, exclude_max=True), wrong=some.data())
def test_a_wrong_proof_shows_nothing(nodes, verified, size, share, wrong):
    index = int(share * size)
    root, leaf = defined_root(0, size), tree.leaf_hash(LEAVES[index])
    proof = tree.inclusion(nodes, index, size)
    at = wrong.draw(some.integers(0, len(proof) - 1))
    changed = [*proof[:at], os.urandom(32), *proof[at + 1 :]]
    for bad in (changed, proof[:-1], [*proof, root]):
        assert not verified.included(leaf, index, size, bad, root)
    assert not verified.included(leaf, index + 1, size, proof, root)
    assert not verified.included(leaf, size, size, proof, root)
    assert not verified.included(tree.leaf_hash(b"another"), index, size, proof, root)

    old = index + 1
    if old < size:
        old_root, proof = defined_root(0, old), tree.consistency(nodes, old, size)
        for bad in ([os.urandom(32), *proof[1:]], proof[:-1], [*proof, root]):
            assert not verified.consistent(old, size, old_root, root, bad)
        assert not verified.consistent(old, size, os.urandom(32), root, proof)
        assert not verified.consistent(size, old, root, old_root, proof)


def test_an_empty_tree_proves_nothing():
    assert not tree.consistent(0, 5, tree.EMPTY, os.urandom(32), [])
    assert not outside.consistent(0, 5, tree.EMPTY, os.urandom(32), [])
    with pytest.raises(tree.NoSuchProof):
        tree.consistency(lambda level, index: b"", 0, 5)
    with pytest.raises(tree.NoSuchProof):
        tree.inclusion(lambda level, index: b"", 5, 5)


@settings(max_examples=40, deadline=None)
@given(steps=some.lists(some.sampled_from([1, 2, 3, 100, 255, 256, 257, 600]), max_size=8))
def test_a_tree_may_grow_in_any_steps_and_be_opened_again_between_them(steps):
    stored, edge = {}, tiles.Edge()
    for step in steps:
        stored |= edge.append(LEAVES[edge.size : edge.size + step])
        begun = [level for level in range(tiles.levels(edge.size)) if tiles.width(edge.size, level)]
        edge = tiles.Edge(edge.size, {level: stored[level, edge.size >> 8 * level + 8] for level in begun})
    assert edge.root() == defined_root(0, edge.size)
    for level, index, width in tiles.tiles_of(edge.size):
        assert len(stored.pop((level, index))) == width * tiles.HASH
    assert stored == {}


def test_a_missing_tile_is_named():
    nodes = tiles.Nodes(lambda level, index: b"")
    with pytest.raises(tiles.MissingTile, match="tile 0/1"):
        nodes(0, 300)
    with pytest.raises(tiles.MissingTile):
        tiles.Edge(5, {})


@pytest.mark.parametrize(
    ("level", "index", "width", "name"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (1, 7, 255, "tile/1/007.p/255"),
        ("entries", 1000, 3, "tile/entries/x001/000.p/3"),
    ],
)
def test_tiles_are_named_as_the_specification_says(level, index, width, name):
    assert tiles.path(level, index, width) == name
    assert outside.tile_path(level, index, width) == name
