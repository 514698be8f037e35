"""Who acts, and about whom: ids and kinds only. The log knows nobody."""

from dataclasses import dataclass
from typing import Protocol, cast
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is staff, key, player, system or anonymous; `id` is that one's own id."""

    kind: str
    id: str

    def __str__(self) -> str:
        """As columns keep it: "staff:<id>"."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class SubjectRef:
    """Whose key seals what is written: a customer, a member of staff, or the installation itself."""

    kind: str
    id: str


INSTALLATION = SubjectRef("installation", "00000000-0000-0000-0000-000000000000")


class Acts(Protocol):
    """What `by=` must offer: a user, the principal of an API key, or `system()`."""

    @property
    def is_active(self) -> bool: ...

    @property
    def audit_actor(self) -> Actor: ...

    @property
    def human_id(self) -> UUID | None: ...


@dataclass(frozen=True, slots=True)
class System:
    """The product itself: sweeps, timers, inspections. It may do what needs no judgement and can never be a second
    person.
    """

    is_active: bool = True
    human_id: UUID | None = None
    audit_actor: Actor = Actor("system", "system")


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Somebody who did not sign in. It may do nothing; the log needs a name for whom it refused."""

    is_active: bool = False
    human_id: UUID | None = None
    audit_actor: Actor = Actor("anonymous", "anonymous")


def system() -> System:
    return System()


def who(user: object) -> Acts:
    """The actor behind `request.user`: itself, or `Anonymous` for somebody who did not sign in."""
    return cast(Acts, user) if hasattr(user, "audit_actor") else Anonymous()
