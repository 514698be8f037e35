"""What players and staff type about limits. The amount is an empty box: no list of amounts, nothing recommended."""

import re
from decimal import Decimal
from typing import Any, Final

from babel.numbers import get_currency_precision
from django import forms
from django.utils.translation import gettext_lazy as _

from cases.types.gaming.limits.models import Measure, Span
from cases.types.gaming.limits.services import BLOCK_REASONS, REDUCE_REASONS

# 50.000, 1.000.000 and 50,000: thousands to some, decimals to others.
DOUBTFUL: Final = re.compile(r"\d+([.,]\d{3})+")
WITH_A_COMMA: Final = re.compile(r"(\d+|\d{1,3}(\.\d{3})+),\d{1,2}")
IN_DOUBT: Final = _("Write thousands without a point or comma, and cents with two digits: 50000 or 50000.00.")


class AmountField(forms.DecimalField):
    """An amount as people write it: 50, 50.00, 50,00, 1.000,50. A lone point or comma before three digits is refused:
    it may stand between thousands or before decimals, and nobody guesses what a limit was meant to be.
    """

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        return super().to_python(_with_a_point(value) if isinstance(value, str) else value)


def _with_a_point(text: str) -> str:
    text = text.strip()
    if DOUBTFUL.fullmatch(text):
        raise forms.ValidationError(IN_DOUBT, code="in_doubt")
    if not WITH_A_COMMA.fullmatch(text):
        return text
    whole, _comma, rest = text.rpartition(",")
    return f"{whole.replace('.', '')}.{rest}"


class AmountForm(forms.Form):
    """A limit as somebody types it: money in the main unit, time of play in hours and minutes."""

    measure = forms.ChoiceField(label=_("What"), choices=Measure.choices)
    span = forms.ChoiceField(label=_("Each"), choices=Span.choices)
    amount = AmountField(
        label=_("Amount"),
        min_value=0,
        max_digits=14,
        decimal_places=3,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"invalid": _("Write a number, such as 50 or 50.00.")},
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        if not currency:
            self.fields["currency"] = forms.RegexField(
                r"^[A-Za-z]{3}$",
                label=_("Currency"),
                required=False,
                error_messages={"invalid": _("Three letters, such as EUR.")},
            )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        data["currency"] = (
            "" if data.get("measure") == Measure.SESSION else self.currency or str(data.get("currency") or "").upper()
        )
        if data.get("amount") is None:
            return data
        if data.get("measure") == Measure.SESSION:
            data["amount"] = int(data["amount"] * 60)
        elif not data["currency"]:
            self.add_error("currency", _("Name the currency, such as EUR."))
        else:
            data["amount"] = self._minor(data["amount"], data["currency"])
        return data

    def _minor(self, amount: Decimal, currency: str) -> int:
        minor = amount.scaleb(get_currency_precision(currency))
        if minor != minor.to_integral_value():
            self.add_error("amount", _("More decimals than the currency has."))
        return int(minor)

    def asked(self) -> dict[str, Any]:
        """What the services take."""
        return {name: self.cleaned_data[name] for name in ("measure", "span", "amount", "currency")}


class PlayerForm(AmountForm):
    """`remove`: no limit any more; then no amount is typed."""

    remove = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def full_clean(self) -> None:
        if self.is_bound:
            self.fields["amount"].required = not self.data.get("remove")
        super().full_clean()

    def asked(self) -> dict[str, Any]:
        asked = super().asked()
        return asked | {"amount": None} if self.cleaned_data.get("remove") else asked


class ReduceForm(AmountForm):
    reason = forms.ChoiceField(label=_("Reason"), choices=list(REDUCE_REASONS.items()))


class BlockForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=list(BLOCK_REASONS.items()))
