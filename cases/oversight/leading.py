"""Handing work of one person to another, several cases at once: each is an act of its own with its own answer."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from audit.perform import ConditionsNotMet, Denied, StaleVersion
from cases.models import Case
from cases.queries import CaseQuerySet
from cases.services import assign
from compliance.people.models import User


@dataclass(slots=True)
class Moved:
    """What was handed over, and what was not, with the reason in words."""

    done: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def hand_over(cases: CaseQuerySet, numbers: Iterable[str], *, to: User | None, by: User) -> Moved:
    """Give the cases named, of those that `by` leads, to a person or back to the team. One that cannot be stays."""
    moved = Moved()
    for case in Case.objects.filter(pk__in=cases.filter(number__in=set(numbers)).values("pk")).order_by("number"):
        try:
            assign(case, to=to, by=by)
        except (ConditionsNotMet, Denied, StaleVersion) as refused:
            reasons = getattr(refused, "reasons", None) or [str(refused)]
            moved.refused.append((case.number, " ".join(reasons)))
        else:
            moved.done.append(case.number)
    return moved
