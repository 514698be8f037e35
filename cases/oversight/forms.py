"""What auditors ask: a day, a period, who."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.forms import LAST_DAY, DayBox
from cases import kinds
from cases.oversight.population import Asked
from compliance.people.models import User


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, validators=[LAST_DAY], widget=DayBox())


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


class HandOverForm(forms.Form):
    """Which cases go to whom. Ticked are the numbers; the people are those of the lead's teams."""

    numbers = forms.MultipleChoiceField(
        label=_("Cases"), error_messages={"required": _("Select at least one case.")}, choices=()
    )
    to = forms.ChoiceField(label=_("Give to"), required=False)

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._people = {str(one.pk): one for one in people}
        choices = [("", _("nobody: back to the queue")), *((pk, one.name) for pk, one in self._people.items())]
        self.fields["to"].choices = choices  # type: ignore[attr-defined]
        # What is not in the lead's list is left out where the numbers are used.
        self.fields["numbers"].valid_value = lambda value: True  # type: ignore[attr-defined]

    def clean_to(self) -> User | None:
        return self._people.get(self.cleaned_data["to"])


class GivingForm(forms.Form):
    """Whether a queue gives its free cases out by itself, and how many a person gets at most."""

    gives_out = forms.BooleanField(label=_("Free cases go to who is on shift"), required=False)
    most_each = forms.IntegerField(label=_("Then a person gets no more"), min_value=1, max_value=500)


class DayForm(forms.Form):
    on = _day(_("Day"))
