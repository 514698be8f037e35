"""What a person says of an act that the product did by itself."""

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.types.gaming.markers.models import Outcome


class ReviewForm(forms.Form):
    outcome = forms.ChoiceField(label=_("Was it right?"), choices=Outcome.choices, widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Why"),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
        required=False,
        help_text=_("Needed when it was not right. Only responsible-gaming officers read it."),
    )
