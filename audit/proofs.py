"""Proofs as text. That one entry is in the signed log (C2SP tlog-proof), something to hand to a court, with the entry:

    c2sp.org/tlog-proof@v1
    index <n>
    <hash, base64>          the inclusion proof, one hash a line
                            an empty line
    <signed checkpoint>

That the log continues a checkpoint which somebody kept (C2SP tlog-witness):

    old <size>
    <hash, base64>          the consistency proof, one hash a line
                            an empty line
    <signed checkpoint>     the newest
"""

import base64

from django.db import connections

from audit import queries
from audit.checkpoints import Checkpoint, Verifier
from audit.database import tile_fetcher
from audit.tiles import Nodes
from audit.tree import consistency, inclusion

HEAD = "c2sp.org/tlog-proof@v1"


class NotSignedYet(LookupError):
    """No checkpoint covers this entry yet: it was written a moment ago, or the sequencer stands still."""


def proof(log: str, seq: int) -> tuple[str, int]:
    """The proof file of the entry `seq` and the size of the tree that it is proved against. Raises NotSignedYet."""
    note, size = _signed(log, seq + 1)
    with connections["default"].cursor() as cursor:
        hashes = inclusion(Nodes(tile_fetcher(cursor, log)), seq, size)
    return _text([HEAD, f"index {seq}"], hashes, note), size


def continues(log: str, old: int) -> tuple[str, int]:
    """The proof file that the newest checkpoint continues the one of `old` entries, and its size.

    Raises NotSignedYet before anything is signed, NoSuchProof when `old` is not between 1 and what is.
    """
    note, size = _signed(log, 1)
    with connections["default"].cursor() as cursor:
        hashes = consistency(Nodes(tile_fetcher(cursor, log)), old, size)
    return _text([f"old {old}"], hashes, note), size


def _signed(log: str, least: int) -> tuple[str, int]:
    """The newest checkpoint and its size, which is `least` or more."""
    now = queries.standing(log)
    if not now.note or not now.vkey or least > now.signed_size:
        raise NotSignedYet(NotSignedYet.__doc__)
    return now.note, Checkpoint.parse(Verifier.parse(now.vkey).open(now.note)).size


def _text(head: list[str], hashes: list[bytes], note: str) -> str:
    return "\n".join([*head, *(base64.b64encode(step).decode() for step in hashes), "", note])
