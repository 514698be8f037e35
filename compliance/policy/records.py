"""The smallest parts of a policy: where a value comes from, words in two languages, periods, thresholds."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NoReturn, Self, TypeVar

from django.utils.translation import get_language
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, model_validator

from compliance.policy.errors import PolicyNotVerified

T = TypeVar("T")

# P: read in the regulator's or the statute's own text. S: on a secondary page. GK: common knowledge. INF: inferred.
Confidence = Literal["P", "S", "GK", "INF"]
Modality = Literal["must", "should", "may", "operator_default"]
Stricter = Literal["greater", "less", "none"]


class Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Section(Frozen):
    """A part of a policy whose rules may be absent. Reading an absent one raises PolicyNotVerified."""

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if value is None and name in type(self).model_fields:
            raise PolicyNotVerified(
                f"{type(self).__name__.lower()}.{name}: nobody verified this for the jurisdiction. "
                "Have counsel confirm it, then add it with its source (docs/reference/policy.md)."
            )
        return value

    def known(self, name: str) -> bool:
        """Whether a rule of this name was verified."""
        return self.__dict__.get(name) is not None


class Words(Frozen):
    """One text for staff, in the languages of the interface. `str()` takes the active one, else English."""

    en: str = Field(min_length=3)
    tr: str = Field(min_length=3)

    def __str__(self) -> str:
        return self.tr if (get_language() or "").startswith("tr") else self.en


class Provenance(Frozen):
    """Where a rule comes from. `source` is a key of [sources]; `stricter_is` says which of two values protects more."""

    id: str = Field(pattern=r"^[A-Z]{2,3}(\.[A-Z0-9_]+)+$")
    modality: Modality
    source: str
    provision: str = ""
    confidence: Confidence
    last_verified: date
    stricter_is: Stricter = "none"
    note: str = ""

    @model_validator(mode="after")
    def _duties_are_verified(self) -> Self:
        if self.modality in ("must", "should") and self.confidence not in ("P", "S"):
            raise ValueError(
                f"a {self.modality} of confidence {self.confidence} is not verified: leave the key out, "
                'or make it an "operator_default"'
            )
        return self


class Rule(Provenance, Generic[T]):
    """One value with its origin, such as the minimum age."""

    value: T


class Period(Frozen):
    """A length of time as the law counts it; which clock it runs on is said by the field that holds it."""

    amount: StrictInt = Field(gt=0)
    unit: Literal["hour", "calendar_day", "working_day", "month", "year"]

    def after(self, day: date) -> date:
        """The first day after the period that begins at the end of `day`: 8 years after 2026-02-28 is 2034-03-01.

        The last day of a month or year is the one of the same number, or the month's last. For hours and working days,
        which need a clock and a calendar, ValueError.
        """
        match self.unit:
            case "calendar_day":
                return day + timedelta(days=self.amount + 1)
            case "month" | "year":
                months = day.year * 12 + day.month - 1 + self.amount * (12 if self.unit == "year" else 1)
                year, month = divmod(months, 12)
                last = min(day.day, monthrange(year, month + 1)[1])
                return date(year, month + 1, last) + timedelta(days=1)
            case _:
                raise ValueError(f"{self}: days cannot be counted in this unit.")

    def __str__(self) -> str:
        return f"{self.amount} {self.unit.replace('_', ' ')}" + ("s" if self.amount != 1 else "")


class Threshold(Frozen):
    """An amount of money that triggers a duty. `over` says what is added up, `window` the period over which."""

    amount: Decimal = Field(gt=0, description="in the currency's main unit, written as a string: 185000.00")
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    op: Literal["at_least", "above"]
    over: Literal["single_or_linked", "net_deposits", "deposits"]
    window: Period | None = None
    rolling: bool = False

    @model_validator(mode="before")
    @classmethod
    def _amount_is_text(cls, data: Any) -> Any:
        # TOML's floats are binary; 0.1 would not be 0.1.
        if isinstance(data, Mapping) and isinstance(data.get("amount"), float):
            raise ValueError('write the amount as a string, such as "150.00"')
        return data

    @model_validator(mode="after")
    def _window_has_days(self) -> Self:
        if self.window is not None and self.window.unit == "working_day":
            raise ValueError("a window is counted in hours, calendar days, months or years")
        return self

    def __str__(self) -> str:
        sign = ">" if self.op == "above" else ">="
        window = f" in {'rolling ' if self.rolling else ''}{self.window}" if self.window else ""
        return f"{self.over.replace('_', ' ')} {sign} {self.amount} {self.currency}{window}"


class Table(dict[str, T]):
    """A dict that refuses changes, so that nobody bends a policy at run time."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("A policy is frozen.")

    __setitem__ = __delitem__ = __ior__ = _refuse
    pop = popitem = clear = update = setdefault = _refuse


FrozenTable = Annotated[dict[str, T], AfterValidator(Table)]
