"""What auditors ask: a day, a period, who."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.forms import LAST_DAY
from cases import kinds
from cases.oversight.population import Asked


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, validators=[LAST_DAY], widget=forms.DateInput(attrs={"type": "date"}))


class PeriodForm(forms.Form):
    first = _day(_("First day (UTC)"))
    last = _day(_("Last day (UTC)"))

    def __init__(self, data: Any, *args: Any, **kwargs: Any) -> None:
        """Without days in the address: the last thirty."""
        given = data.copy()
        today = timezone.now().date()
        given.setdefault("first", (today - timedelta(days=30)).isoformat())
        given.setdefault("last", today.isoformat())
        super().__init__(given, *args, **kwargs)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("first") and data.get("last") and data["first"] > data["last"]:
            self.add_error("last", _("The end lies before the start."))
        return data


class PopulationForm(PeriodForm):
    kind = forms.ChoiceField(label=_("Kind"), required=False)
    state = forms.CharField(label=_("State"), required=False, max_length=20)
    outcome = forms.CharField(label=_("Outcome"), required=False, max_length=20)
    level = forms.CharField(label=_("Level"), required=False, max_length=10)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("All")), *((kind.name, kind.title) for kind in kinds.kinds().values())]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]

    def asked(self) -> Asked:
        return Asked(**self.cleaned_data)


class DayForm(forms.Form):
    on = _day(_("Day"))
