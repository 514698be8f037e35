"""What people type when they handle a case, one or many."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cases import priority, snooze
from cases.corrections.services import BECAUSE as CORRECTED_BECAUSE
from cases.marks.models import PlayerMark
from cases.marks.services import LIFT_REASONS
from cases.models import PRIORITIES
from cases.relations.merging import BECAUSE as MERGED_BECAUSE
from cases.relations.models import Link
from cases.restricting import RESTRICTED_BECAUSE

REASON = {"required": _("Choose a reason.")}
MORNING = time(9, 0)
RETURNS: list[Any] = [
    ("1", _("tomorrow morning")),
    ("3", _("in three days")),
    ("7", _("in a week")),
    ("14", _("in two weeks")),
    ("at", _("at the time below")),
]


class SnoozeForm(forms.Form):
    """When it comes back: on the morning of a day, or at a moment, both in the zone of whoever asks."""

    returns = forms.ChoiceField(
        label=_("Comes back"),
        choices=RETURNS,
        initial="1",
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )
    at = forms.DateTimeField(
        label=_("Time"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("In your own time zone"),
    )
    because = forms.ChoiceField(
        label=_("Reason"), choices=list(snooze.REASONS.items()), widget=forms.RadioSelect, error_messages=REASON
    )
    on_answer = forms.BooleanField(label=_("Earlier, when the player answers"), required=False, initial=True)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("returns") == "at" and not data.get("at") and "at" not in self.errors:
            self.add_error("at", _("Say when it comes back."))
        return data

    def asked(self) -> dict[str, Any]:
        data = self.cleaned_data
        until = data["at"] if data["returns"] == "at" else _morning(int(data["returns"]))
        return {"until": until, "because": data["because"], "wakes_on": snooze.PLAYER if data["on_answer"] else ""}


def _morning(days: int) -> datetime:
    day = timezone.localdate() + timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, MORNING))


class PriorityForm(forms.Form):
    level = forms.TypedChoiceField(label=_("Priority"), choices=PRIORITIES, coerce=int)
    because = forms.ChoiceField(
        label=_("Why lower"),
        required=False,
        choices=[("", "…"), *priority.LOWERED_BECAUSE.items()],
        help_text=_("Needed for cases whose priority becomes lower."),
    )


class RestrictForm(forms.Form):
    people = forms.MultipleChoiceField(
        label=_("Who may see it, beside you"), required=False, widget=forms.CheckboxSelectMultiple
    )
    because = forms.ChoiceField(
        label=_("Reason"), choices=list(RESTRICTED_BECAUSE.items()), widget=forms.RadioSelect, error_messages=REASON
    )

    def __init__(self, *args: Any, people: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["people"].choices = [(str(person.pk), person.name) for person in people]  # type: ignore[attr-defined]


class MarkForm(forms.Form):
    """Of the player, not of the case."""

    kind = forms.ChoiceField(
        label=_("Reason"), choices=PlayerMark.Kind.choices, widget=forms.RadioSelect, error_messages=REASON
    )
    people = forms.MultipleChoiceField(
        label=_("Who may see them, beside you"),
        help_text=_("Choose a colleague who decides too: lifting the mark takes two."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, people: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["people"].choices = [(str(person.pk), person.name) for person in people]  # type: ignore[attr-defined]


class LiftMarkForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Reason"), choices=list(LIFT_REASONS.items()), widget=forms.RadioSelect, error_messages=REASON
    )


class LinkForm(forms.Form):
    other = forms.CharField(label=_("Tracking number"), max_length=30)
    kind = forms.ChoiceField(label=pgettext_lazy("link", "How they belong together"), choices=Link.Kind.choices)


class MergeForm(forms.Form):
    because = forms.ChoiceField(
        label=_("Reason"), choices=list(MERGED_BECAUSE.items()), widget=forms.RadioSelect, error_messages=REASON
    )


class CorrectionForm(forms.Form):
    because = forms.ChoiceField(
        label=_("What is wrong"),
        choices=list(CORRECTED_BECAUSE.items()),
        widget=forms.RadioSelect,
        error_messages=REASON,
    )
    text = forms.CharField(
        label=_("What should stand there"),
        required=False,
        max_length=4000,
        help_text=_("Leave it empty to strike the text through only. Read by: the next reviewer and the auditor."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    number = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
