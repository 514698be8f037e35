"""What an administrator says about an endpoint."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.forms import DayBox
from compliance.people.models import Licensee
from compliance.platform.webhooks import catalogue


class EndpointForm(forms.Form):
    name = forms.CharField(label=_("Name"), help_text=_("What gets the events"), max_length=80)
    url = forms.CharField(
        label=_("Address"),
        help_text=_("Such as https://platform.example.com/webhooks"),
        max_length=500,
        widget=forms.URLInput(attrs={"dir": "ltr", "autocomplete": "off"}),
    )
    types = forms.MultipleChoiceField(
        label=_("Events"), help_text=_("Choose none to get all"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = [name for name in catalogue.types() if name != catalogue.TEST]
        self.fields["types"].choices = [(name, name) for name in sorted(names)]  # type: ignore[attr-defined]


class NewEndpointForm(EndpointForm):
    licensee = forms.ModelChoiceField(label=_("Licensee"), queryset=Licensee.objects.order_by("name"))
    field_order = ("licensee", "name", "url", "types")


class AgainForm(forms.Form):
    """Days as the reader's zone has them, both included."""

    since = forms.DateField(label=_("From"), widget=DayBox())
    until = forms.DateField(label=_("To"), widget=DayBox())

    def span(self) -> tuple[datetime, datetime]:
        zone = timezone.get_current_timezone()
        since, until = self.cleaned_data["since"], self.cleaned_data["until"]
        return datetime.combine(since, time(), zone), datetime.combine(until + timedelta(days=1), time(), zone)
