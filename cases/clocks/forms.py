"""What a person says of a clock."""

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.clocks.holding import REASONS


class HoldForm(forms.Form):
    because = forms.ChoiceField(
        label=_("Why it pauses"),
        choices=list(REASONS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason.")},
    )
