"""What is said in a second look, and when a disagreement is settled."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.quality.models import SecondLook


class LookForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("How would you have ended this case?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose an outcome.")},
    )
    note = forms.CharField(
        label=_("Why"),
        required=False,
        max_length=2000,
        help_text=_("Read by the team lead, and nobody else."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, outcomes: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = outcomes  # type: ignore[attr-defined]


class SettleForm(forms.Form):
    conclusion = forms.ChoiceField(
        label=_("What does the team learn?"),
        choices=SecondLook.Conclusion.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say which verdict was right.")},
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=2000,
        help_text=_("Kept in the log of the case."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
