"""What is typed about looking."""

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.looking.services import BECAUSE


class WhyForm(forms.Form):
    because = forms.ChoiceField(
        label=_("Reason"),
        choices=list(BECAUSE.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason.")},
    )
    note = forms.CharField(
        label=_("In a few words"),
        required=False,
        max_length=500,
        help_text=_("Needed for “something else”. Read by: the auditor."),
    )


class SettleForm(forms.Form):
    in_order = forms.ChoiceField(
        label=_("What did you find?"),
        choices=[("yes", _("It is explained")), ("no", _("It was not in order"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )
    note = forms.CharField(
        label=_("In a few words"),
        max_length=1000,
        help_text=_("Read by: the auditor."),
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say what you found.")},
    )


class PlayerForm(forms.Form):
    number = forms.CharField(label=_("Tracking or player number"), max_length=64)
