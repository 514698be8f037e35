"""What an act on many cases needs to know."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.assignment import workers_of
from cases.bulk.heavy import heavy_acts
from cases.bulk.models import Batch
from cases.handling_forms import PriorityForm, SnoozeForm
from cases.models import Queue
from cases.tags.models import Tag
from compliance.people.models import User


class AssignForm(forms.Form):
    to = forms.ModelChoiceField(
        label=_("To whom"), queryset=User.objects.none(), error_messages={"required": _("Choose one.")}
    )

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = User.objects.none()
        for queue in Queue.objects.filter(cases__in=batch.rows.values("case")).distinct():
            found = found | workers_of(queue)
        self.fields["to"].queryset = found.distinct().order_by("name", "email")  # type: ignore[attr-defined]


class PlainForm(forms.Form):
    """Nothing has to be known."""

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class TagForm(forms.Form):
    tag = forms.ModelChoiceField(
        label=_("Tag"), queryset=Tag.objects.none(), error_messages={"required": _("Choose a tag.")}
    )

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        licensees = batch.rows.order_by().values("case__licensee")
        found = Tag.objects.filter(licensee__in=licensees)
        if batch.act == "tag":
            found = found.filter(retired_at=None)
        self.fields["tag"].queryset = found.order_by("name")  # type: ignore[attr-defined]


class LevelForm(PriorityForm):
    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class SleepForm(SnoozeForm):
    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_("Internal note"),
        max_length=4000,
        help_text=_("Written on every case. Read by: the next reviewer and the auditor."),
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Write the note first.")},
    )

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class ProposeForm(forms.Form):
    """Why, the same for all: each case gets a proposal of its own."""

    reason = forms.ChoiceField(label=_("Reason"), error_messages={"required": _("Choose a reason.")})
    text = forms.CharField(
        label=_("Note for the second person"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asks = heavy_acts()[batch.act].asks
        self.fields["reason"].choices = asks.reasons() if asks else ()  # type: ignore[attr-defined]


FORMS: dict[str, Any] = {
    "assign": AssignForm,
    "release": PlainForm,
    "watch": PlainForm,
    "unwatch": PlainForm,
    "priority": LevelForm,
    "snooze": SleepForm,
    "tag": TagForm,
    "untag": TagForm,
    "note": NoteForm,
}


def form_of(act: str) -> Any:
    return FORMS.get(act, ProposeForm)


def inputs_of(form: Any) -> dict[str, Any]:
    """What the act is to be run with."""
    return form.asked() if isinstance(form, SnoozeForm) else dict(form.cleaned_data)
