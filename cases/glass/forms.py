"""What is typed to open a case by exception, and to review that."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.glass.services import BECAUSE, LEAST_WORDS


class OpenForm(forms.Form):
    number = forms.CharField(label=_("Tracking number"), max_length=30)
    because = forms.ChoiceField(
        label=_("Why now"),
        choices=list(BECAUSE.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason.")},
    )
    note = forms.CharField(
        label=_("In a sentence"),
        min_length=LEAST_WORDS,
        max_length=1000,
        help_text=_("Read by: your supervisor, at once, and the auditor."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": _("Say in a sentence why it cannot wait."),
            "min_length": _("Say in a sentence why it cannot wait."),
        },
    )
    minutes = forms.TypedChoiceField(label=_("For how long"), coerce=int)

    def __init__(self, *args: Any, longest: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        spans = sorted({minutes for minutes in (15, 30, 60) if minutes < longest} | {longest})
        choices = [(minutes, _("%(n)d minutes") % {"n": minutes}) for minutes in spans]
        self.fields["minutes"].choices = choices  # type: ignore[attr-defined]


class ReviewForm(forms.Form):
    justified = forms.ChoiceField(
        label=_("Was it justified?"),
        choices=[("yes", _("Yes")), ("no", _("No: what is left of the time ends now"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=1000,
        help_text=_("Needed when it was not. Read by: the auditor."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("justified") == "no" and not data.get("note", "").strip():
            self.add_error("note", _("Say what was wrong with it."))
        return data
