"""What people type about a player's risk."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.forms import DayBox
from cases.types.verification.risk import rating
from cases.types.verification.risk.deciding import REASONS
from compliance.people.models import Risk
from compliance.policy.country_ways import WAYS
from compliance.policy.risk_model import risk_model


def _day(**options: Any) -> forms.DateField:
    return forms.DateField(widget=DayBox(), **options)


class FactForm(forms.Form):
    """A fact that somebody found out."""

    code = forms.ChoiceField(label=_("Fact"))
    known_on = _day(label=_("Known since"))
    until = _day(label=_("Holds until"), required=False, help_text=_("Empty: until somebody ends it"))

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = risk_model(today).enterable()
        self.fields["code"].choices = [(code, str(factor.title)) for code, factor in known.items()]  # type: ignore[attr-defined]
        self.fields["known_on"].initial = today


class CountryForm(forms.Form):
    """A country that the player has to do with, beside the nationality."""

    way = forms.ChoiceField(label=_("Connection"), choices=[(way, rating.WAY_WORDS[way]) for way in WAYS[1:]])
    country = forms.CharField(
        label=_("Country"),
        min_length=2,
        max_length=2,
        help_text=_("Two letters, such as TR"),
        error_messages={"required": _("Enter the two letters of a country, such as TR or GB.")},
    )
    known_on = _day(label=_("Known since"))

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = "country_%s"  # the page has another form with a day
        self.fields["known_on"].initial = today


class OverrideForm(forms.Form):
    """A level over the arithmetic, with its reason and last day."""

    level = forms.ChoiceField(label=_("Level"), choices=Risk.choices)
    reason = forms.ChoiceField(label=_("Reason"), choices=list(REASONS.items()))
    until = _day(label=_("Last day"))
    note = forms.CharField(label=_("Note"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
