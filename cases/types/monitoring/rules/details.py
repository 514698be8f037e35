"""What a flag rests on, for the people of the AML side: version, settings, compared values, transactions with money."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cases.patterns import words
from cases.types.monitoring.rules.models import Flag
from cases.types.monitoring.transactions.models import Transaction

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Detail:
    """`compared` are (what was asked for, value, whether met); `others` is how many transactions are not shown."""

    flag: Flag
    parameters: Sequence[tuple[str, str]]
    compared: Sequence[tuple[str, str, bool]]
    transactions: Sequence[Transaction]
    others: int


def detail_of(flag_id: UUID) -> Detail:
    """Whoever shows it asked before whether the person may see the flag, and records that it was read."""
    flag = Flag.objects.select_related("rule").get(pk=flag_id)
    currency = flag.values.get("currency", "")
    rows = contributing_to([flag])
    return Detail(
        flag,
        words.parameters(flag.rule.definition, currency),
        words.comparisons(flag.rule.definition, flag.values.get("compared", ()), currency),
        rows,
        len(flag.transactions) + flag.more - len(rows),
    )


def contributing_to(flags: Sequence[Flag]) -> list[Transaction]:
    """Those that the flags name and that are kept, the newest first, at most SHOWN."""
    ids: set[Any] = {one for flag in flags for one in flag.transactions}
    rows = Transaction.objects.filter(customer_id__in={flag.customer_id for flag in flags}, pk__in=ids)
    return list(rows.order_by("-at", "-id")[:SHOWN])
