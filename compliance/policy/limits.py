"""What a policy says of player limits. Amounts are in the currency's main unit, written as strings."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, StrictInt, model_validator

from compliance.policy.records import Frozen, FrozenTable, Period, Rule, Section, Table

MEASURES = ("deposit", "loss", "wager", "session")
SPANS = ("day", "week", "month")
WINDOWS = ("fixed", "rolling", "calendar")
BASES = ("gross", "net")
REQUIREMENTS = ("test", "history_review")
Measure = Literal[MEASURES]  # type: ignore[valid-type]
Span = Literal[SPANS]  # type: ignore[valid-type]
Window = Literal[WINDOWS]  # type: ignore[valid-type]
Basis = Literal[BASES]  # type: ignore[valid-type]
Requirement = Literal[REQUIREMENTS]  # type: ignore[valid-type]


class Ceiling(Frozen):
    """An amount of a measure in a span. `below_age`: for players younger than this, in years; None: for all."""

    measure: Measure
    span: Span
    window: Window = "calendar"
    basis: Basis = "gross"
    amount: Decimal = Field(gt=0, description="in the currency's main unit, written as a string: 1000.00")
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    below_age: StrictInt | None = Field(default=None, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _amount_is_text(cls, data: Any) -> Any:
        # TOML's floats are binary; 0.1 would not be 0.1.
        if isinstance(data, Mapping) and isinstance(data.get("amount"), float):
            raise ValueError('write the amount as a string, such as "1000.00"')
        return data

    def __str__(self) -> str:
        young = f" below {self.below_age}" if self.below_age else ""
        return f"{self.basis} {self.measure} {self.amount} {self.currency} a {self.window} {self.span}{young}"


class RaiseStep(Frozen):
    """The first, second, ... raise of a measure: what it asks for, how long it waits, how long none follows it."""

    requires: Requirement
    wait: Period
    then_none_for: Period | None = None

    def __str__(self) -> str:
        after = f", then none for {self.then_none_for}" if self.then_none_for else ""
        return f"{self.requires} and {self.wait}{after}"


class Limits(Section):
    """Limits that players set, what a raise has to pass, and what the law caps. A lowering never waits."""

    measures: Rule[tuple[Measure, ...]] | None = None
    spans: Rule[tuple[Span, ...]] | None = None
    windows: FrozenTable[Rule[tuple[Window, ...]]] = Table()
    deposit_basis: Rule[Basis] | None = None
    mandatory: Rule[tuple[Measure, ...]] | None = None
    caps: Rule[tuple[Ceiling, ...]] | None = None
    defaults: Rule[tuple[Ceiling, ...]] | None = None
    contact_over: Rule[tuple[Ceiling, ...]] | None = None
    raise_wait: Rule[Period] | None = None
    raise_after_span: Rule[bool] | None = None
    raise_steps: Rule[tuple[RaiseStep, ...]] | None = None
    confirm_within: Rule[Period] | None = None
    reservation: Rule[Period] | None = None
