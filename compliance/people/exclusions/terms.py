"""When an exclusion ends and when a return may be asked for, by the policy. Pure: knows no database.

In doubt a relaxation falls later: days, months and years end with the last of their days in the licensee's zone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet
from compliance import formats
from compliance.people.models import Licensee
from compliance.policy.records import Period
from compliance.policy.schema import Exclusions

TIME_OUT, SELF_EXCLUSION = "time_out", "self_exclusion"


@dataclass(frozen=True, slots=True)
class Terms:
    """See Exclusion for what each means; None: without an end, never by itself, never."""

    term_ends_at: datetime | None
    ends_at: datetime | None
    return_from: datetime | None


def after(start: datetime, period: Period, licensee: Licensee) -> datetime:
    """The end of a period that begins at `start`."""
    if period.unit == "hour":
        return start + timedelta(hours=period.amount)
    return licensee.day_starts(period.after(licensee.day_of(start)))


def needed(rules: Exclusions, name: str) -> Any:
    """The value of a rule. Raises PolicyNotVerified where nobody verified it."""
    return getattr(rules, name).value


def value(rules: Exclusions, name: str) -> Any:
    """The value of a rule, or None where nobody verified or chose one."""
    return getattr(rules, name).value if rules.known(name) else None


def stopped_by(rules: Exclusions) -> tuple[str, ...]:
    """What an exclusion stops: never withdrawals where what is there can be withdrawn (`withdrawals`)."""
    stops: tuple[str, ...] = needed(rules, "stops")
    return tuple(one for one in stops if one != "withdraw") if value(rules, "withdrawals") else stops


def terms_of(
    rules: Exclusions,
    *,
    kind: str,
    period: Period | None,
    third_party: bool,
    running: bool,
    licensee: Licensee,
    start: datetime,
) -> Terms:
    """The terms of what is asked for now; ConditionsNotMet says what the policy offers instead.

    `period` None: without an end. `running`: a self-exclusion is in force already, and this one lengthens it.
    """
    if kind == TIME_OUT:
        return _time_out(rules, period, licensee, start)
    if kind != SELF_EXCLUSION:
        raise ConditionsNotMet([_("kind: choose time_out or self_exclusion.")])
    if period is None:
        return _without_end(rules, third_party, licensee, start)
    end = after(start, period, licensee)
    _within_bounds(rules, end, third_party, running, licensee, start)
    alone = {"by_itself": end, "on_request": _persisting(rules, end, licensee)}.get(needed(rules, "ends"))
    return Terms(end, alone, _return_from(rules, end, third_party, licensee, start))


def _time_out(rules: Exclusions, period: Period | None, licensee: Licensee, start: datetime) -> Terms:
    offered = needed(rules, "time_outs")
    longest = value(rules, "time_out_longest")
    if period is None:
        raise ConditionsNotMet([_("period: a time-out has an end. Offered: %(these)s.") % {"these": _listed(offered)}])
    end = after(start, period, licensee)
    if period not in offered and (longest is None or end > after(start, longest, licensee)):
        facts = {"these": _listed(offered)}
        raise ConditionsNotMet([_("period: too long for a time-out. Offered: %(these)s. Or exclude.") % facts])
    if end <= start:
        raise ConditionsNotMet([_("period: the end must be after the start.")])
    return Terms(end, end, None)


def _without_end(rules: Exclusions, third_party: bool, licensee: Licensee, start: datetime) -> Terms:
    if not value(rules, "open_ended"):
        raise ConditionsNotMet(
            [_("period: say how long. Offered: %(these)s.") % {"these": _listed(needed(rules, "terms"))}]
        )
    early = start if value(rules, "early_return") else None
    names = ["open_least", "least_third_party"] if third_party else ["open_least"]
    waits = [after(start, known, licensee) for name in names if (known := value(rules, name))]
    return Terms(None, None, early or (max(waits) if waits else start))


def _within_bounds(
    rules: Exclusions, end: datetime, third_party: bool, running: bool, licensee: Licensee, start: datetime
) -> None:
    least = value(rules, "least_third_party" if third_party else "least") or value(rules, "least")
    if running and (longer := value(rules, "extend_least")):
        least = longer
    if end <= start or (least and end < after(start, least, licensee)):
        raise ConditionsNotMet([_("period: at least %(least)s.") % {"least": words_of(least) if least else ""}])
    longest = value(rules, "longest_first")
    if longest and end > after(start, longest, licensee):
        facts = {"longest": words_of(longest)}
        raise ConditionsNotMet([_("period: at most %(longest)s at first; it can be lengthened.") % facts])


def _persisting(rules: Exclusions, end: datetime, licensee: Licensee) -> datetime | None:
    """Counted from the end of the term: the later reading."""
    longest = value(rules, "persists")
    return after(end - timedelta(microseconds=1), longest, licensee) if longest else None


def _return_from(
    rules: Exclusions, end: datetime, third_party: bool, licensee: Licensee, start: datetime
) -> datetime | None:
    if value(rules, "early_return"):
        return start
    if needed(rules, "ends") != "by_itself":
        return end
    leave = value(rules, "leave_after")
    early = after(start, leave, licensee) if leave else None
    return early if early and early < end else None


def reflecting(
    rules: Exclusions,
    *,
    without_end: bool,
    third_party: bool,
    licensee: Licensee,
    asked_at: datetime,
    accepted_at: datetime,
) -> tuple[datetime, datetime | None]:
    """From when the player may confirm a return that is accepted now, and until when (None: no limit).

    The wait runs from the later of request and decision; of several that apply the longest counts.
    """
    names = ["reflection", *(["reflection_open"] if without_end else [])]
    names += ["reflection_third_party"] if third_party else []
    waits = [after(accepted_at, known, licensee) for name in names if (known := value(rules, name))]
    if first := value(rules, "confirm_from"):
        waits.append(after(asked_at, first, licensee))
    last = value(rules, "confirm_until")
    earliest = max(waits, default=accepted_at)
    until = after(asked_at, last, licensee) if last else None
    # A decision that came late takes nobody's window away.
    return earliest, max(until, earliest + timedelta(days=1)) if until else None


def _listed(periods: tuple[Period, ...]) -> str:
    return ", ".join(map(words_of, periods))


def words_of(period: Period) -> str:
    return formats.duration(period.amount, period.unit.removeprefix("calendar_"))
