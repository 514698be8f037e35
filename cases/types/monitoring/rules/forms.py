"""The forms of monitoring rules: writing a version, proposing it, trying it, putting it to sleep."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.forms import DayBox
from cases.patterns import expressions
from cases.types.monitoring.rules.acts import REASONS
from cases.types.monitoring.rules.models import Severity
from compliance.people.models import Licensee


class RuleForm(forms.Form):
    """One version. `parameters` are fields of their own; the expression is for who needs another one."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=120, widget=forms.TextInput(attrs={"class": "in"}))
    severity = forms.ChoiceField(label=gettext_lazy("Severity"), choices=Severity.choices)
    definition = forms.CharField(
        label=gettext_lazy("Rule"),
        help_text=gettext_lazy("JSON over named features. The sentence above says what it means once it is previewed."),
        widget=forms.Textarea(attrs={"class": "in mono", "rows": 16, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, base: dict[str, Any], **options: Any) -> None:
        super().__init__(*args, **options)
        self.base = base
        for name, one in base.get("parameters", {}).items():
            self.fields[f"p_{name}"] = forms.CharField(
                label=f"{one.get('words') or name}", required=False, widget=forms.TextInput(attrs={"class": "in"})
            )
            self.initial.setdefault(f"p_{name}", shown(one))

    def clean(self) -> dict[str, Any]:
        """The definition with the parameters' fields in it: a field that was changed wins over the text."""
        cleaned: dict[str, Any] = super().clean() or {}
        try:
            definition = json.loads(cleaned.get("definition") or "")
        except ValueError as error:
            raise ValidationError({"definition": _("This is no JSON: %(error)s") % {"error": error}}) from None
        if isinstance(definition, dict) and isinstance(definition.get("parameters"), dict):
            for name in self.base.get("parameters", {}):
                field = f"p_{name}"
                if field in self.changed_data and name in definition["parameters"]:
                    definition["parameters"][name]["value"] = self._value(field, definition["parameters"][name])
        try:
            expressions.check(definition)
        except ValidationError as error:
            raise ValidationError({"definition": error.messages}) from None
        cleaned["definition"] = definition
        return cleaned

    def _value(self, field: str, parameter: dict[str, Any]) -> Any:
        text = self.cleaned_data.get(field) or ""
        try:
            return read(text, parameter["type"])
        except ValueError:
            raise ValidationError({field: _("Whole numbers; amounts as EUR 200000, TRY 8000000.")}) from None

    def parameters(self) -> list[Any]:
        return [self[name] for name in self.fields if name.startswith("p_")]


def shown(parameter: dict[str, Any]) -> str:
    """A parameter's value as one types it: amounts are minor units by currency."""
    value = parameter["value"]
    if isinstance(value, dict):
        return ", ".join(f"{currency} {amount}" for currency, amount in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def read(text: str, kind: str) -> Any:
    """The value that was typed. Raises ValueError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if kind == "money":
        pairs = [part.split() for part in parts]
        return {currency.upper(): int(amount) for currency, amount in pairs}
    if kind == "words":
        return [part.upper() if len(part) == 2 else part for part in parts]
    (number,) = parts
    return int(number)


class ProposeForm(forms.Form):
    reason = forms.ChoiceField(label=gettext_lazy("Reason"), choices=list(REASONS.items()))
    note = forms.CharField(
        label=gettext_lazy("Why"), max_length=2000, widget=forms.Textarea(attrs={"class": "in", "rows": 3})
    )


class BackTestForm(forms.Form):
    """`grid` is one parameter and the values to try."""

    licensee = forms.ModelChoiceField(label=gettext_lazy("Licensee"), queryset=Licensee.objects.none())
    from_on = forms.DateField(label=gettext_lazy("From"), widget=DayBox(attrs={"class": "in"}))
    to_on = forms.DateField(label=gettext_lazy("To"), widget=DayBox(attrs={"class": "in"}))
    grid = forms.CharField(
        label=gettext_lazy("Values to try"),
        required=False,
        help_text=gettext_lazy("Such as n=3,4,5 threshold=80,100,120. Amounts are percentages of what they are."),
        widget=forms.TextInput(attrs={"class": "in"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["licensee"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = Licensee.objects.order_by("name")

    def clean_grid(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for part in self.cleaned_data["grid"].split():
            name, _equals, values = part.partition("=")
            try:
                found[name] = [int(value) for value in values.split(",")]
            except ValueError:
                raise ValidationError(_("Write name=1,2,3 in whole numbers.")) from None
        return found


class SnoozeForm(forms.Form):
    until = forms.DateField(label=gettext_lazy("Until"), widget=DayBox(attrs={"class": "in"}))
    note = forms.CharField(
        label=gettext_lazy("Why"), max_length=2000, widget=forms.Textarea(attrs={"class": "in", "rows": 3})
    )
