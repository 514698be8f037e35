"""What somebody says who has a row dropped."""

from django import forms
from django.utils.translation import gettext_lazy as _


class DropForm(forms.Form):
    note = forms.CharField(
        label=_("Why it is not needed"),
        help_text=_("Goes into the log. Nothing follows the act any more: see to it in another way first."),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
