"""What people type about a verification."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.models import Queue
from cases.permissions import WORK, granted
from cases.types.verification.endings import reasons
from compliance.people.models import Brand


class OpenForm(forms.Form):
    """A verification for a new player, as an agent types it while the player is on the line."""

    brand = forms.ModelChoiceField(label=_("Brand"), queryset=Brand.objects.none(), empty_label=None)
    reference = forms.CharField(label=_("Player number"), max_length=64, help_text=_("As the platform shows it"))
    full_name = forms.CharField(label=_("Full name"), max_length=200, help_text=_("As on the document"))
    birth_date = forms.DateField(
        label=_("Date of birth"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": _("Write the date as year-month-day, such as 1991-03-14.")},
    )
    nationality = forms.CharField(
        label=_("Nationality"), min_length=2, max_length=2, initial="TR", help_text=_("Two letters, such as TR")
    )
    national_id = forms.CharField(label=_("National id number"), max_length=20, required=False)
    address = forms.CharField(label=_("Address"), max_length=400, required=False)
    email = forms.EmailField(label=_("E-mail"))
    phone = forms.CharField(label=_("Phone"), max_length=30, required=False)
    language = forms.ChoiceField(
        label=_("Language of the player"), choices=[("tr", _("Turkish")), ("en", _("English"))]
    )
    level = forms.ChoiceField(
        label=_("Level"), choices=[("L1", _("L1: identity")), ("L2", _("L2: identity and address"))], initial="L1"
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = granted(user, WORK, Queue).filter(kind="verification").values("licensee")
        self.fields["brand"].queryset = (  # type: ignore[attr-defined]
            Brand.objects.filter(licensee__in=mine).select_related("licensee").order_by("name")
        )

    def clean_nationality(self) -> str:
        return str(self.cleaned_data["nationality"]).upper()


class DecisionForm(forms.Form):
    """A decision asked for. Reasons are codes of the catalogue; the note is for the second person and is sealed."""

    reason = forms.ChoiceField(label=_("Reason"), widget=forms.Select(attrs={"data-start": True}))
    note = forms.CharField(
        label=_("Note for the second person"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, act: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = reasons(act)  # type: ignore[attr-defined]
