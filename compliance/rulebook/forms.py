"""The form of a change: one field per value, the day, and why."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.forms import DayBox
from compliance.people.models import Licensee
from compliance.policy.records import Period, Threshold
from compliance.rulebook import labels
from compliance.rulebook.acts import REASONS
from compliance.rulebook.changes import Changeable, NotAllowed
from compliance.rulebook.queries import in_force

MOST = 10_000  # of any unit: more is a slip of the keyboard


class ChangeForm(forms.Form):
    """Fields are named by key. What is left as it is in the files is no change."""

    effective_from = forms.DateField(
        label=gettext_lazy("From"),
        help_text=gettext_lazy("A day to come. Cases opened before keep the rules they were opened under."),
        widget=DayBox(),
    )

    def __init__(self, *args: Any, licensee: Licensee, known: Mapping[str, Changeable], **options: Any) -> None:
        super().__init__(*args, **options)
        self.licensee, self.known = licensee, known
        for key, one in known.items():
            self.fields[key] = _field(one)

    def values(self) -> dict[str, Any]:
        """By key, as the rules take them: what the person changed, on top of the licensee's set of that day."""
        chosen = in_force(self.licensee, on=self.cleaned_data["effective_from"])
        changed = {
            key: _value(self.known[key], self.cleaned_data[key]) for key in self.changed_data if key in self.known
        }
        return (chosen.values if chosen else {}) | changed

    def refuse(self, wrong: NotAllowed) -> None:
        if wrong.code == "weaker" and wrong.rule is not None:
            text = _("The law asks for more: %(rule)s.") % {"rule": f"{wrong.rule.id}, {labels.said(wrong.rule)}"}
        else:
            text = _("This rule does not take that value.")
        self.add_error(wrong.key, text)

    def sections(self) -> list[tuple[Any, list[Any]]]:
        """The fields by section, in the order of the files."""
        found: dict[str, list[Any]] = {}
        for key in self.known:
            found.setdefault(key.partition(".")[0], []).append(self[key])
        return [(labels.SECTIONS[name], fields) for name, fields in found.items()]


class ProposeForm(forms.Form):
    reason = forms.ChoiceField(label=gettext_lazy("Reason"), choices=list(REASONS.items()))
    note = forms.CharField(
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("The second person reads this, and whoever asks later why the rule changed."),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def _field(one: Changeable) -> forms.Field:
    field: forms.Field
    match one.value:
        case Threshold():
            field = forms.DecimalField(min_value=Decimal("0.01"), max_digits=14, decimal_places=2)
            field.initial = one.value.amount
        case Period():
            field = forms.IntegerField(min_value=1, max_value=MOST)
            field.initial = one.value.amount
        case _:
            field = forms.IntegerField(min_value=0, max_value=MOST)
            field.initial = one.value
    field.label, field.help_text = labels.title(one.key), _hint(one)
    return field


def _hint(one: Changeable) -> str:
    """Where the value comes from, and in what it is counted."""
    parts = [f"{labels.MODALITIES[one.rule.modality]} ({one.rule.id})"]
    match one.value:
        case Threshold():
            parts.append(labels.words_of(one.value))
        case Period():
            parts.append(_unit(one.value))
    return " · ".join(parts)


def _unit(period: Period) -> str:
    match period.unit:
        case "hour":
            return _("in hours")
        case "calendar_day":
            return _("in days")
        case "working_day":
            return _("in working days")
        case "month":
            return _("in months")
    return _("in years")


def _value(one: Changeable, entered: Any) -> Any:
    match one.value:
        case Threshold():
            return one.value.model_copy(update={"amount": entered})
        case Period():
            return one.value.model_copy(update={"amount": entered})
    return entered
