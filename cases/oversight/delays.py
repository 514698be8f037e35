"""How long it took from a trigger to the act that answers it, from the log: both are entries.

To measure another delay: `register(Delay(...))` in a module that your AppConfig.ready imports.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery, TextField
from django.db.models.functions import Cast
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from cases.models import Case
from compliance.people.models import Account

HEAD = ("tracking number", "trigger at", "act at", "seconds", "player")


@dataclass(frozen=True, slots=True)
class Delay:
    """From `trigger` to the first of `acts` after it, on the same case, or the same thing where `same` says object."""

    name: str
    title: str | Promise
    trigger: str
    acts: tuple[str, ...]
    same: str = "matter"  # matter | object


@dataclass(frozen=True, slots=True)
class Taken:
    """One trigger and its answer, None while it waits. `player` is an id; without `number` it was of no case."""

    number: str
    triggered_at: datetime
    acted_at: datetime | None
    player: str = ""

    @property
    def seconds(self) -> int | None:
        return None if self.acted_at is None else int((self.acted_at - self.triggered_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the delays of a period spread; None where nothing was answered."""

    answered: int
    waiting: int
    median: timedelta | None
    p90: timedelta | None
    p99: timedelta | None
    longest: timedelta | None


_delays: dict[str, Delay] = {}


def register(*delays: Delay) -> None:
    for delay in delays:
        if delay.name in _delays:
            raise ValueError(f"The delay {delay.name} is registered twice")
        _delays[delay.name] = delay


def delays() -> Mapping[str, Delay]:
    return dict(_delays)


def taken(delay: Delay, starts: datetime, ends: datetime, *, user: Any) -> Iterator[Taken]:
    """Every trigger of the period on cases that the user may see, oldest first, each with its answer; of what belongs
    to no case, that about players of such cases.
    """
    seen = Case.objects.visible_to(user)
    players = seen.annotate(player=Cast("customer_id", TextField())).values("player")
    theirs = Q(matter__in=seen.values("number")) | Q(matter=None, subject_id__in=players)
    yield from taken_of(delay, starts, ends, log="main", seen=theirs)


def taken_of(delay: Delay, starts: datetime, ends: datetime, *, log: str, seen: Q) -> Iterator[Taken]:
    """Every trigger of the period among the entries of a log that are `seen`, oldest first, each with its answer."""
    done = Entry.objects.filter(log=log, outcome="done")
    same = {"matter": OuterRef("matter")} if delay.same == "matter" else {"object_id": OuterRef("object_id")}
    answers = done.filter(action__in=delay.acts, id__gt=OuterRef("id"), **same)
    triggers = done.filter(action=delay.trigger, at__gte=starts, at__lt=ends).filter(seen)
    rows = triggers.annotate(acted=Subquery(answers.order_by("id").values("at")[:1])).order_by("id")
    for number, triggered_at, acted_at, player in rows.values_list("matter", "at", "acted", "subject_id").iterator():
        yield Taken(number or "", triggered_at, acted_at, player or "")


def players(found: Sequence[Taken], *, user: Any) -> Iterator[str]:
    """Of each, the player by the number that the platform knows: the case's account, else all of their accounts."""
    cases = Case.objects.visible_to(user).filter(number__in={one.number for one in found})
    of_case = dict(cases.order_by().values_list("number", "account__reference"))
    apart = {one.player for one in found if one.player and one.number not in of_case}
    of_player: dict[str, list[str]] = defaultdict(list)
    rows = Account.objects.filter(customer_id__in=apart).order_by("reference")
    for customer_id, reference in rows.values_list("customer_id", "reference"):
        of_player[str(customer_id)].append(reference)
    for one in found:
        yield of_case.get(one.number) or ", ".join(of_player[one.player])


def distribution(found: Sequence[Taken]) -> Distribution:
    seconds = sorted(one.seconds for one in found if one.seconds is not None)

    def share(part: float) -> timedelta | None:
        return timedelta(seconds=seconds[max(0, math.ceil(part * len(seconds)) - 1)]) if seconds else None

    return Distribution(len(seconds), len(found) - len(seconds), share(0.5), share(0.9), share(0.99), share(1.0))


register(
    Delay(
        "file_to_verdict",
        _("From a file to its verdict"),
        "evidence.attach",
        ("evidence.accept", "evidence.ask_again", "evidence.reject", "evidence.supersede"),
        same="object",
    ),
    Delay(
        "proposal_to_decision",
        _("From a proposal to the second person's decision"),
        "proposals.propose",
        ("proposals.confirm", "proposals.send_back"),
        same="object",
    ),
)
