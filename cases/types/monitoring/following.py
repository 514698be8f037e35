"""What follows from a new flag beside its lead: a letter where it is critical, a hold where its rule says so."""

from collections.abc import Sequence

from cases.types.monitoring import freezes, reminders
from cases.types.monitoring.rules import flags
from cases.types.monitoring.rules.models import Flag, Severity


def follow(new: Sequence[Flag]) -> None:
    """In the transaction that raises them: nothing of it is lost, nothing happens twice."""
    for flag in new:
        if flag.rule.definition.get("holds_withdrawals"):
            freezes.plan(flag)
    if any(flag.severity == Severity.CRITICAL for flag in new):
        reminders.remind_reporting_officers(within=reminders.SOON)


flags.hear(follow)
