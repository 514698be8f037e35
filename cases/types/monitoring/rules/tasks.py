"""The worker's door to monitoring."""

from datetime import timedelta

from django.utils import timezone

from cases.types.monitoring.rules import backtests, counting
from cases.types.monitoring.transactions.services import COUNT, months
from compliance.outbox.work import task

MOST_AT_ONCE = 20_000  # rows, so that a task ends well before its time limit


@task(COUNT)
def count(**later: object) -> None:
    """Count what waits. Woken by each batch that is accepted, and by a sweep: rows that nobody took are found by it."""
    counting.count_waiting(most=MOST_AT_ONCE)


@task("monitoring.add_months")
def add_months(**later: object) -> None:
    """Make the raw table's next three months ahead of time."""
    today = timezone.now().date()
    months(today + timedelta(days=31 * number) for number in range(4))


@task("monitoring.backtest", time_limit=3600)
def backtest(*, backtest_id: str, **later: object) -> None:
    """Run a back-test that somebody asked for. Twice does nothing: it has a beat, and an end."""
    backtests.run(backtest_id)


@task("monitoring.sweep_backtests")
def sweep_backtests(**later: object) -> None:
    """Go on with back-tests whose worker died."""
    backtests.sweep()
