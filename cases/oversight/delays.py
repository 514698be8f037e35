"""How long it took from a trigger to the act that answers it, from the log: both are entries.

To measure another delay: `register(Delay(...))` in a module that your AppConfig.ready imports.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from cases.models import Case

HEAD = ("tracking number", "trigger at", "act at", "seconds")


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
    """One trigger and its answer, None while it waits."""

    number: str
    triggered_at: datetime
    acted_at: datetime | None

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
    """Every trigger of the period on cases that the user may see, oldest first, each with its answer."""
    same = {"matter": OuterRef("matter")} if delay.same == "matter" else {"object_id": OuterRef("object_id")}
    answers = Entry.objects.filter(log="main", outcome="done", action__in=delay.acts, id__gt=OuterRef("id"), **same)
    triggers = Entry.objects.filter(
        log="main",
        outcome="done",
        action=delay.trigger,
        at__gte=starts,
        at__lt=ends,
        matter__in=Case.objects.visible_to(user).values("number"),
    )
    rows = triggers.annotate(acted=Subquery(answers.order_by("id").values("at")[:1])).order_by("id")
    for number, triggered_at, acted_at in rows.values_list("matter", "at", "acted").iterator():
        yield Taken(number or "", triggered_at, acted_at)


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
