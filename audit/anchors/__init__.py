"""Anchors: what lies outside the operator's reach and confirms how the log stood.

Only an anchor shows a history that was rewritten and signed anew with the log's own key, or an old backup restored
together with the signer's memory. Each one takes a signed checkpoint and returns a proof:

    file     appends it to a file, best on another host            receipt: the line
    tsa      RFC 3161 time stamp over the note                     proof by itself, with the authority's certificates
    bucket   an object in S3 that nobody can delete until its date receipt: the object and its version
    witness  cosignature of a tlog-witness over HTTP               proof by itself, with the witness's key
    mail     a letter to the auditors                              receipt: the letter's id

To add one: 1. a class with the methods of `Anchor` in a module here; 2. its variables in compliance/settings.py
(AUDIT_ANCHORS); 3. a line above and in docs/how-to/anchor-the-log.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from audit.checkpoints import Checkpoint

Prove = Callable[[int, int], list[bytes]]


class CannotAnchor(Exception):
    """The anchor did not take the checkpoint; the text says why."""


class WrongProof(Exception):
    """The anchor says something else than we, or its proof does not hold."""


class NotAsked(Exception):
    """What the anchor holds cannot be looked at from here; the text says who can."""


@dataclass(frozen=True, slots=True)
class Held:
    """A checkpoint as it is handed over: the signed note and what it says."""

    log: str
    note: str
    checkpoint: Checkpoint

    @property
    def size(self) -> int:
        return self.checkpoint.size


class Proof(NamedTuple):
    """What came back. `at` is the anchor's own clock where it has one; `chain` certificates as PEM."""

    proof: bytes
    at: datetime
    chain: str = ""
    expires_at: datetime | None = None


class Anchor(Protocol):
    """One place outside. `form` is what it gives: a stamp or cosignature proves by itself, a receipt does not."""

    form: str

    def place(self, held: Held, last: int, prove: Prove) -> Proof:
        """Hand the checkpoint over. `last` is the size of the one before (0: none), `prove(old, new)` a consistency
        proof. Raises CannotAnchor."""

    def check(self, held: Held, proof: bytes) -> datetime | None:
        """Whether this proof still holds for this checkpoint; the time that it proves by itself, if it does. Raises
        WrongProof, or NotAsked when that is not ours to see."""

    def recall(self, log: str, origin: str) -> list[str]:
        """The notes that lie there, as far as they can be read again: what the operator's own rows cannot hide.
        Raises CannotAnchor."""


class Configured(NamedTuple):
    name: str
    anchor: Anchor
    logs: Sequence[str]


def configured() -> list[Configured]:
    """The anchors that the settings name; their modules are loaded here, so that nobody needs what they import."""
    found = []
    for name, given in settings.AUDIT_ANCHORS.items():
        made: Callable[..., Any] = import_string(given["ANCHOR"])
        found.append(Configured(name, made(**given["OPTIONS"]), given["LOGS"]))
    return found
