"""What happens to a case, told to whoever it concerns: a row in the act's own transaction, delivered after the commit.

The engine knows none of those who listen. To listen: `listen(function)` in a module that your AppConfig.ready()
imports; it gets a Happening, may be called twice for the same one (`id` tells), and decides who may still see the case.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from audit.actors import Acts
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people.models import User

HAPPENED: Final = "cases.happened"
# What is told. A listener that does not know one leaves it alone.
KINDS: Final = (
    "assigned",  # to: whoever has it now
    "woke",  # it came back from being snoozed; to: whose it is
    "raised",  # a rule raised its priority
    "note",
    "message",
    "file",
    "corrected",
    "linked",
    "merged",
    "restricted",
    # For the operator's platform; staff who follow the case hear of the same by what goes with it.
    "opened",
    "asked",  # the player has to bring something
    "refused",  # about: the evidence that the player learns is not good
    "ended",
    "reopened",
)
FOR_THE_PLATFORM: Final = KINDS[-5:]


@dataclass(frozen=True, slots=True)
class Happening:
    """`by` is the actor as kind:id. `to` are sign-ins it concerns beside the case's assignee and watchers; `about` is
    the part of the case that it happened to.
    """

    id: UUID
    case_id: UUID
    what: str
    by: str
    to: tuple[UUID, ...]
    at: datetime
    about: UUID | None = None


Listener = Callable[[Happening], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    _listeners.append(listener)


def tell(case: Any, what: str, *, by: Acts, to: Iterable[User | None] = (), about: Any = None) -> None:
    """Leave word of what happened, in the caller's transaction."""
    if what not in KINDS:
        raise ValueError(f"{what}: name it in cases.happenings.KINDS")
    actor = by.audit_actor
    persons = [str(user.pk) for user in to if user is not None]
    facts = {"case_id": str(case.pk), "what": what, "by": f"{actor.kind}:{actor.id}", "to": persons}
    post(HAPPENED, payload=facts | ({"about": str(about.pk)} if about is not None else {}))


def deliver(row: OutboxRow) -> None:
    """Hand it to everybody who listens."""
    facts = row.payload
    happening = Happening(
        row.pk,
        UUID(facts["case_id"]),
        facts["what"],
        facts["by"],
        tuple(UUID(one) for one in facts["to"]),
        row.created_at,
        UUID(facts["about"]) if "about" in facts else None,
    )
    for listener in _listeners:
        listener(happening)


register(HAPPENED, deliver)
