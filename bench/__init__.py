"""The promises that are measured: `python3 dev.py bench NAME [--json] [--quick]`.

To add one: 1. make `bench/NAME.py` with `rows(quick: bool) -> list[Row]`, one row per promise; 2. say in its constant
`DATA` how much data it works on and what the workload is (indexes, writers, sizes); 3. take bounds from the
architecture's table of promises and ratios from one run, medians of interleaved repetitions.
"""

import operator
import os
from dataclasses import asdict, dataclass

from compliance.embedded.postgres import Cluster

OPERATORS = {">=": operator.ge, "<=": operator.le, "==": operator.eq}


@dataclass(frozen=True)
class Row:
    """One promise, measured: `value` `op` `bound`, over `n` repetitions or operations."""

    id: str
    value: float
    op: str
    bound: float
    n: int
    unit: str  # "ratio", "ms", "s", "B", "MB", "1/s", "count"

    @property
    def ok(self) -> bool:
        return bool(OPERATORS[self.op](self.value, self.bound))  # NaN keeps no promise

    def as_dict(self) -> dict[str, object]:
        return asdict(self) | {"ok": self.ok}


def cluster() -> Cluster:
    """The cluster that `dev.py bench` started for this run, with its databases to make and roles to sign in as."""
    return Cluster(os.environ["MIZAN_BENCH_CLUSTER"])
