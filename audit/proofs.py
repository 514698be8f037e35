"""The proof that one entry is in the signed log, as C2SP tlog-proof: something to hand to a court, with the entry.

c2sp.org/tlog-proof@v1
index <n>
<hash, base64>          the inclusion proof, one hash a line
                        an empty line
<signed checkpoint>
"""

import base64
from collections.abc import Iterator

from django.db import connections

from audit import queries
from audit.checkpoints import Checkpoint, Verifier
from audit.database import tile_fetcher
from audit.tiles import Nodes
from audit.tree import inclusion

HEAD = "c2sp.org/tlog-proof@v1"


class NotSignedYet(LookupError):
    """No checkpoint covers this entry yet: it was written a moment ago, or the sequencer stands still."""


def proof(log: str, seq: int) -> tuple[str, int]:
    """The proof file of the entry `seq` and the size of the tree that it is proved against. Raises NotSignedYet."""
    now = queries.standing(log)
    if not now.note or not now.vkey or seq >= now.signed_size:
        raise NotSignedYet(NotSignedYet.__doc__)
    size = Checkpoint.parse(Verifier.parse(now.vkey).open(now.note)).size
    return "".join(_lines(log, seq, size)) + now.note, size


def _lines(log: str, seq: int, size: int) -> Iterator[str]:
    with connections["default"].cursor() as cursor:
        hashes = inclusion(Nodes(tile_fetcher(cursor, log)), seq, size)
    yield f"{HEAD}\nindex {seq}\n"
    for step in hashes:
        yield base64.b64encode(step).decode() + "\n"
    yield "\n"
