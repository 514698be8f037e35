"""What is typed while the player is on the line: choices first, one line of words."""

from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from cases.contacts.callers import QUESTIONS
from cases.contacts.models import CallerCheck, Contact, Task


class ContactForm(forms.Form):
    channel = forms.ChoiceField(label=_("Channel"), choices=Contact.Channel.choices, initial="phone")
    direction = forms.ChoiceField(label=_("Direction"), choices=Contact.Direction.choices, initial="in")
    category = forms.ChoiceField(label=_("Subject"), choices=Contact.Category.choices)
    outcome = forms.ChoiceField(label=_("Outcome"), choices=Contact.Outcome.choices)
    language = forms.ChoiceField(label=_("Language"))
    summary = forms.CharField(
        label=_("What was said?"),
        max_length=4000,
        help_text=_("Read by: the next colleague and the auditor."),
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Write in a line what it was about.")},
    )
    call_back_at = forms.DateTimeField(
        label=_("Call-back promised for"),
        required=False,
        help_text=_("In your time zone. It becomes due for whoever has the case then."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        error_messages={"invalid": _("Write day and time, such as 2026-12-01 14:30.")},
    )
    happened_at = forms.DateTimeField(
        label=_("When, if it was earlier"),
        required=False,
        help_text=_("In your time zone. Empty: just now."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        error_messages={"invalid": _("Write day and time, such as 2026-12-01 14:30.")},
    )
    solved_at_once = forms.BooleanField(label=_("Solved at the first contact"), required=False)
    token = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args: Any, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        spoken = dict(settings.LANGUAGES)
        choices = [(language, spoken.get(language, language)), *((c, n) for c, n in spoken.items() if c != language)]
        self.fields["language"].choices = choices  # type: ignore[attr-defined]


class AnswersForm(forms.Form):
    """One field for each question that was drawn. What is typed is compared and not kept."""

    def __init__(self, *args: Any, check: CallerCheck, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for fact in check.asked:
            self.fields[fact] = forms.CharField(
                label=str(QUESTIONS[fact]),
                max_length=254,
                required=False,
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )


class SettleForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("What came of it?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what came of it.")},
    )

    def __init__(self, *args: Any, task: Task, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = task.outcomes  # type: ignore[attr-defined]
