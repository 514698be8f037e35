"""What people of the compartment type about an investigation."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.forms import DayBox
from cases.types.monitoring.acts import LIFT_REASONS, REASONS
from cases.types.monitoring.models import Hypothesis, Outcome
from compliance.people.models import Customer

FREEZE_REASONS = [
    ("funds_may_leave", _("The money may leave before anybody decides")),
    ("authority_asked", _("An authority asked for it")),
    ("report_follows", _("A report follows")),
]


class LookIntoForm(forms.Form):
    """Where a lead names nobody, the person says whom it is about."""

    reference = forms.CharField(
        label=_("Player number"), max_length=64, required=False, help_text=_("As the platform shows it")
    )


class OpenForm(forms.Form):
    reference = forms.CharField(label=_("Player number"), max_length=64, help_text=_("As the platform shows it"))
    since = forms.DateField(
        label=_("Suspected since"),
        widget=DayBox(),
        help_text=_("When somebody here first suspected. Statutory periods run from this day."),
    )


class SinceForm(forms.Form):
    since = forms.DateField(label=_("Suspected since"), widget=DayBox())


class NoteForm(forms.Form):
    text = forms.CharField(label=_("Note"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))


class JudgeForm(forms.Form):
    verdict = forms.ChoiceField(label=_("Verdict"), choices=Hypothesis.Verdict.choices)
    words = forms.CharField(label=_("What it rests on"), max_length=2000, required=False)


class FileForm(forms.Form):
    file = forms.FileField(label=_("File"))


class FreezeForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=FREEZE_REASONS)


class LiftForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=list(LIFT_REASONS.items()))
    note = forms.CharField(
        label=_("Note for the second person"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )


class EndForm(forms.Form):
    """How it ends. The words are kept for ever: auditors ask first why something was not reported."""

    why = forms.ChoiceField(label=_("Outcome and reason"))
    words = forms.CharField(
        label=_("Why, in your own words"),
        max_length=4000,
        help_text=_("What was looked at, what was found, and why nothing more is done. Only the compartment reads it."),
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["why"].choices = [  # type: ignore[attr-defined]
            (Outcome(outcome).label, [(f"{outcome}/{code}", words) for code, words in reasons.items()])
            for outcome, reasons in REASONS.items()
        ]

    @property
    def outcome(self) -> str:
        return str(self.cleaned_data["why"]).partition("/")[0]

    @property
    def reason(self) -> str:
        return str(self.cleaned_data["why"]).partition("/")[2]


class MergeForm(forms.Form):
    number = forms.CharField(label=_("Number of the other"), max_length=20)


def first_moment(customer: Customer, form: forms.Form) -> datetime:
    """The first moment of the day typed, in the licensee's zone: in doubt a duty falls earlier."""
    since = form.cleaned_data["since"]
    licensee = customer.licensee
    starts: datetime = licensee.day_starts(since)
    return min(starts, timezone.now()) if since <= licensee.today() else starts
