"""The Merkle tree of RFC 6962 (hashes, proofs) as pure functions; RFC 9162, 2.1 says the same more clearly.

`level` 0 is the leaves; `node(level, index)` is the hash over the 2^level leaves from index * 2^level on, which must
all exist. A proof is a list of 32-byte hashes in the order of the RFC.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

Node = Callable[[int, int], bytes]

EMPTY = sha256(b"").digest()


class NoSuchProof(ValueError):
    """The proof asked for does not exist: index or size lie outside the tree."""


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over these leaves (or complete subtrees of one size, of which only the last may be smaller)."""
    if not hashes:
        return EMPTY
    row = list(hashes)
    while len(row) > 1:
        odd = [row.pop()] if len(row) % 2 else []
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)] + odd
    return row[0]


def root(node: Node, size: int) -> bytes:
    """The root of the first `size` leaves."""
    return _subtree(node, 0, size) if size else EMPTY


def inclusion(node: Node, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962, 2.1.1: that leaf `index` is in the tree of `size`."""
    if not 0 <= index < size:
        raise NoSuchProof(f"no leaf {index} in a tree of {size}")
    low, high, proof = 0, size, []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_subtree(node, middle, high))
            high = middle
        else:
            proof.append(_subtree(node, low, middle))
            low = middle
    return proof[::-1]


def consistency(node: Node, old: int, new: int) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962, 2.1.2: that the tree of `new` only adds to the tree of `old`."""
    if not 0 < old <= new:
        raise NoSuchProof(f"no proof from {old} to {new}")
    low, high, whole, proof = 0, new, True, []
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_subtree(node, middle, high))
            high = middle
        else:
            proof.append(_subtree(node, low, middle))
            low, whole = middle, False
    if not whole:
        proof.append(_subtree(node, low, high))
    return proof[::-1]


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether `proof` leads from the leaf's hash to the root `expected` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(step, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    return last == 0 and found == expected


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `new` starts with the tree of `old` (RFC 9162, 2.1.4.2). An old size of
    0 proves nothing.
    """
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, step)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _subtree(node: Node, low: int, high: int) -> bytes:
    """The hash over leaves low..high-1, where `low` is a multiple of the power of two that holds them."""
    parts = []
    while low < high:
        level = (high - low).bit_length() - 1
        parts.append(node(level, low >> level))
        low += 1 << level
    found = parts.pop()
    while parts:
        found = node_hash(parts.pop(), found)
    return found
