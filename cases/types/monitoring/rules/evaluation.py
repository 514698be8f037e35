"""How well rules find what a generator labelled: precision and recall by typology, over all rules or those named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cases.patterns.closures import Compiled
from cases.types.monitoring.rules import columns
from cases.types.monitoring.rules.loading import table_of
from cases.types.monitoring.transactions.generating import TYPOLOGIES
from cases.types.monitoring.transactions.models import Transaction
from compliance.people.models import Licensee

PAGE = """# How well the shipped rules find what was planted

Written by `manage.py rules evaluate --licensee SLUG --write docs/reference/monitoring-rules.md`; do not edit. The
history is invented (`manage.py transactions generate`, seeded, every second player follows a typology): {rows}
transactions of {customers} players. It says how a rule does on the pattern that it was written for, with the parameters
it ships with. It says nothing about real players: patterns there are rarer, less clean and of kinds nobody thought of.
Set your own parameters and look at the share of flags for nothing on each rule's page.

*Recall*: of the players who follow the typology, the share that its rule flags. *Precision*: of the players whom the
rule flags, the share who follow any typology (one who follows another one is suspicious too); *for nothing* are those
who follow none. The first of three players on one device shares it with nobody yet, so of each three two can be found.

| typology | rule | players | found | recall | flagged | for nothing | precision |
|---|---|---|---|---|---|---|---|
{lines}
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One typology and the rule that ought to notice it, in customers. `other` were flagged and carry another label:
    they are suspicious too, and no false alarm."""

    label: str
    code: str
    labelled: int
    found: int
    flagged: int
    other: int

    @property
    def recall(self) -> float:
        return self.found / self.labelled if self.labelled else 1.0

    @property
    def precision(self) -> float:
        """Of those flagged, the share with any label."""
        return (self.found + self.other) / self.flagged if self.flagged else 1.0


def evaluate(licensee: Licensee, definitions: Mapping[str, Mapping[str, Any]], *, until: datetime) -> list[Measured]:
    """Each typology against its rule of `definitions` (by code)."""
    labels: dict[str, set[UUID]] = {}
    rows = Transaction.objects.filter(licensee=licensee, at__lt=until).exclude(label="")
    for label, customer in rows.values_list("label", "customer_id").distinct():
        labels.setdefault(label, set()).add(customer)
    anyone = set().union(*labels.values()) if labels else set()
    wanted = {label: code for label, (code, _play) in TYPOLOGIES.items() if code in definitions}
    flagged = flagged_by(licensee, {code: definitions[code] for code in wanted.values()}, until=until)
    return [_measured(label, code, labels.get(label, set()), flagged[code], anyone) for label, code in wanted.items()]


def _measured(label: str, code: str, mine: set[UUID], flagged: set[UUID], anyone: set[UUID]) -> Measured:
    return Measured(label, code, len(mine), len(mine & flagged), len(flagged), len((flagged & anyone) - mine))


def flagged_by(
    licensee: Licensee, definitions: Mapping[str, Mapping[str, Any]], *, until: datetime
) -> dict[str, set[UUID]]:
    """The customers that each rule flags, by its code."""
    names = _raw(definitions.values())
    table, read = table_of(licensee, until=until, names=names)
    found: dict[str, set[UUID]] = {}
    for code, definition in definitions.items():
        places = columns.hits(Compiled(definition), table)
        found[code] = {UUID(bytes=bytes(one)) for one in set(read["customer"][places].tolist())}
    return found


def _raw(definitions: Iterable[Mapping[str, Any]]) -> set[str]:
    return set().union(*(columns.raw_columns(one) for one in definitions))


def size_of(licensee: Licensee) -> tuple[int, int]:
    """How many transactions and customers were looked at."""
    rows = Transaction.objects.filter(licensee=licensee)
    return rows.count(), rows.values("customer_id").distinct().count()


def as_page(measured: Iterable[Measured], size: tuple[int, int]) -> str:
    """The page docs/reference/monitoring-rules.md, in Markdown."""
    lines = [
        f"| {one.label} | {one.code} | {one.labelled} | {one.found} | {one.recall:.2f} | {one.flagged} "
        f"| {one.flagged - one.found - one.other} | {one.precision:.2f} |"
        for one in measured
    ]
    return PAGE.format(rows=f"{size[0]:,}", customers=f"{size[1]:,}", lines="\n".join(lines))
