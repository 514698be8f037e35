"""What a provider of wrapping keys must do, and how it says that it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from audit.sealer import Unavailable

KEY_BYTES = 32


class KeyUnavailable(Unavailable):
    """A key cannot be had now: the provider is out of reach, or the key file is missing, damaged or another one's.

    Pages and API answer 503. The text is for the operator and goes to the server's log.
    """


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key sealed under epoch `epoch` of a provider. `blob` is in the provider's own form."""

    epoch: int
    blob: bytes


class Provider(Protocol):
    """Every method raises KeyUnavailable when the provider cannot do it; none ever guesses."""

    name: str

    def wrap(self, key: bytes, *, aad: bytes) -> Wrapped: ...
    def unwrap(self, wrapped: Wrapped, *, aad: bytes) -> bytes: ...
    def rewrap(self, wrapped: Wrapped, *, aad: bytes) -> Wrapped: ...
    def rewrap_many(self, rows: Sequence[tuple[Wrapped, bytes]]) -> list[Wrapped]:
        """`rewrap` of each (wrapped, aad), in as few calls as the provider allows."""
        ...

    def derive(self, purpose: str) -> bytes:
        """32 bytes for `purpose`, always the same, from the installation secret."""
        ...

    def epoch(self) -> int:
        """The epoch that wraps now."""
        ...

    def epochs(self) -> list[int]:
        """Those that still unwrap."""
        ...

    def rotate(self) -> int:
        """Start a new epoch, which wraps from now on, and return its number; older ones still unwrap."""
        ...

    def destroy_epoch(self, epoch: int) -> datetime:
        """Forget an epoch for good and return when that is final. What is still wrapped under it is lost.

        ValueError for the current one.
        """
        ...

    def health(self) -> list[str]:
        """What is wrong, each with its fix, in words for the operator; empty when all is well."""
        ...

    def exists(self) -> bool:
        """Whether the installation's keys were made already."""
        ...

    def create(self) -> None:
        """Make the keys of a new installation; FileExistsError when there are some."""
        ...

    def place(self) -> str:
        """Where the keys are, in words for the operator."""
        ...
