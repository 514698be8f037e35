"""For which licensees a person decides, with a right of that very role: their teams' queues say so.

People know no queues, so those who do answer.
"""

from collections.abc import Callable, Set
from typing import Any

from django.db.models import QuerySet

from audit.actors import System
from compliance.people.models import Licensee, User
from compliance.people.roles import ROLES

Answer = Callable[[User, Set[str]], "QuerySet[Licensee]"]

_answers: list[Answer] = []


def register(answer: Answer) -> None:
    """Have `answer(user, roles)` say for which licensees somebody decides in one of these roles. What nobody answers
    reaches nowhere."""
    _answers.append(answer)


def licensees_of(user: Any, right: str) -> "QuerySet[Licensee]":
    """Where somebody decides in a role that carries `right` itself. A right holds everywhere, so an officer of one team
    who decides in another role of a second one would bring it there."""
    if isinstance(user, System):
        return Licensee.objects.all()
    roles = {role.name for role in ROLES.values() if right in role.permissions}
    found = Licensee.objects.none()
    for answer in _answers:
        found = found | answer(user, roles)
    return found


def decides_for(licensee: Licensee, user: Any, right: str) -> bool:
    return licensees_of(user, right).filter(pk=licensee.pk).exists()
