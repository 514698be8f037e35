from django import forms
from django.utils.translation import gettext_lazy as _

from audit.forms import ExportForm
from compliance.proposals.exports import REASONS


class SendBackForm(forms.Form):
    note = forms.CharField(
        label=_("What should be done differently"),
        help_text=_("Whoever proposed it reads this. The player does not."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class AskExportForm(ExportForm):
    """The same as for one person, and why in a word that lists can count."""

    reason = forms.ChoiceField(label=_("Reason"), choices=list(REASONS.items()), widget=forms.Select)  # type: ignore[assignment]
    note = forms.CharField(
        label=_("For whom, and why"),
        help_text=_("The second person reads this, and whoever audits exports."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
