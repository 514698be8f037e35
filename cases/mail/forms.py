"""What is typed about a letter."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.contacts.models import Task
from cases.forms import NumberForm
from cases.mail.models import Letter
from cases.mail.writing import LONGEST_LINE, pickable


class MatchForm(NumberForm):
    checked = forms.BooleanField(
        label=_("I made sure that the player of this case wrote it"),
        required=False,
    )


class DiscardForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Why does it belong to no case?"),
        choices=[choice for choice in Letter.Reason.choices if choice[0] != Letter.Reason.AUTOMATIC],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason.")},
    )
    outcome = forms.ChoiceField(
        label=_("Outcome"),
        choices=Task.OUTCOMES["care"],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose an outcome.")},
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, urgent: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not urgent:
            del self.fields["outcome"]


class MessageForm(forms.Form):
    """A text of the catalogue and a line of one's own. `token` is drawn with the page: sent twice, it is one."""

    code = forms.ChoiceField(label=_("Text"), error_messages={"required": _("Choose a text.")})
    line = forms.CharField(
        label=_("In your own words"),
        required=False,
        max_length=LONGEST_LINE,
        help_text=_("Read by: the player. Say what is wrong, what to do, and what is fine."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["auto_id"] = "message_%s"
        super().__init__(*args, **kwargs)
        self.fields["code"].choices = pickable()  # type: ignore[attr-defined]


class OfferForm(forms.Form):
    """A file of a letter, offered for one purpose of the case."""

    shows = forms.ChoiceField(label=_("What is it?"), error_messages={"required": _("Choose what the file shows.")})

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shows"].choices = [("", "…"), *choices]  # type: ignore[attr-defined]
