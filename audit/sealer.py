"""Who seals for the log: the class that `settings.AUDIT_SEALER` names. The log itself holds no key."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from audit.actors import SubjectRef


class Unavailable(Exception):
    """The keys are out of reach for now; pages answer 503. The key package's own error inherits from it."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed document. `kid` names the key (public), `alg` the form of `ciphertext` (with nonce and tag)."""

    kid: str
    alg: str
    ciphertext: bytes


class Sealer(Protocol):
    """Seals one document per entry under a key derived from the subject's key and the entry's id; signs for the writer.

    `aad` comes from the log (`log|entry id|subject`); the sealer adds its `kid` to it. `using` is the connection
    alias on which the subject's key is looked up, and created when it does not exist yet: "default" inside the
    caller's transaction, "log" for what must survive a rollback. Raises the key package's own errors (key provider
    out of reach, subject shredded).
    """

    def seal(
        self, subject: SubjectRef, entry_id: UUID, aad: bytes, plaintext: bytes, *, using: str = "default"
    ) -> Sealed: ...

    def open(
        self, subject: SubjectRef, entry_id: UUID, aad: bytes, sealed: Sealed, *, using: str = "default"
    ) -> bytes: ...

    def entry_key(self, subject: SubjectRef, entry_id: UUID, kid: str) -> bytes | None:
        """The key that opens this one entry and no other, to hand out with an export; None when destroyed."""
        ...

    def mac(self, data: bytes) -> bytes:
        """32 bytes: HMAC-SHA-256 under the writer's key, which never is in the database. No query."""
        ...

    def writer(self) -> Callable[[bytes], bytes]:
        """`mac` with the key at hand, for many entries at once; not to be kept."""
        ...


@cache
def sealer() -> Sealer:
    """The one sealer of this process."""
    made: Sealer = import_string(settings.AUDIT_SEALER)()
    return made
