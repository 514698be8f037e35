"""Where a file belongs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.forms import NumberForm


class MoveForm(NumberForm):
    shows = forms.ChoiceField(label=_("What is it?"))
    sure = forms.BooleanField(
        label=_("I looked at the file: it belongs to that player"),
        error_messages={"required": _("Look at the file first, and say so.")},
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].label = _("Tracking number of the right player’s case")
        self.fields["shows"].choices = choices  # type: ignore[attr-defined]
