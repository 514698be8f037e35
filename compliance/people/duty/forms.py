"""What people say about being here and being away."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from compliance.people.models import User


class AwayForm(forms.Form):
    """From when until when, and who stands in: a colleague of one of the person's teams."""

    starts_at = forms.DateTimeField(label=_("Away from"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    ends_at = forms.DateTimeField(label=_("Back at"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    deputy = forms.ModelChoiceField(
        label=_("Who stands in"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("nobody"),
        help_text=_(
            "They see your cases as theirs and decide what was submitted to you by name, with their own rights."
        ),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = User.objects.filter(is_active=True, memberships__team__memberships__user__human_id=user.human_id)
        found = others.exclude(human_id=user.human_id).distinct().order_by("name", "email")
        self.fields["deputy"].queryset = found  # type: ignore[attr-defined]
