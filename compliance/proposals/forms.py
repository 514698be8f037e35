from django import forms
from django.utils.translation import gettext_lazy as _


class SendBackForm(forms.Form):
    note = forms.CharField(
        label=_("What should be done differently"),
        help_text=_("Whoever proposed it reads this. The player does not."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
