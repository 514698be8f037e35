"""What a person says of an act that the product did by itself."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.types.gaming.markers.models import Outcome


class ReviewForm(forms.Form):
    """`ends`: whether there is a way to end what was done. Without one nobody is asked to propose it."""

    outcome = forms.ChoiceField(label=_("Was it right?"), choices=Outcome.choices, widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Why"),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
        required=False,
        help_text=_("Needed when it was not right. Only responsible-gaming officers read it."),
    )

    def __init__(self, *args: Any, ends: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(code, words) for code, words in Outcome.choices if ends or code != Outcome.NOT_RIGHT]
        cast("forms.ChoiceField", self.fields["outcome"]).choices = choices
