"""What staff type about a request. Amounts and periods are the policy's; words are the player's own."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.forms import DayBox
from cases.types.gaming.offers import Offer
from compliance.people.exclusions.models import AskedBy

SIGNS: dict[str, Any] = {
    "losses": _("Losses that hurt"),
    "distress": _("Distress"),
    "time": _("Time that got out of hand"),
    "borrowing": _("Borrowed money"),
    "family": _("Trouble at home"),
    "self_harm": _("Words of self-harm"),
    "none_seen": _("Nothing was noticed"),
}
ADVICE: dict[str, Any] = {
    "limits": _("Limits"),
    "break": _("A break"),
    "exclusion": _("Self-exclusion"),
    "register": _("The national register"),
    "blocking_software": _("Blocking software"),
    "help_line": _("A help line"),
    "none_given": _("No advice was given"),
}
OUTCOMES: dict[str, Any] = {
    "accepted": _("The player takes it up"),
    "thinking": _("The player thinks about it"),
    "refused": _("The player does not want it"),
    "not_reached": _("The player was not reached"),
}
HELPED = (("", _("Not known")), ("yes", _("It helped")), ("no", _("It did not help")))


class KeepOutForm(forms.Form):
    """A player kept out on their word, or on that of somebody else. No caller check: stopping play never waits."""

    reference = forms.CharField(label=_("Player number"), max_length=64, help_text=_("As the platform shows it"))
    offer = forms.ChoiceField(label=_("How long"), widget=forms.RadioSelect)
    asked_by = forms.ChoiceField(
        label=_("Who asks"),
        choices=[(AskedBy.SELF, AskedBy.SELF.label), (AskedBy.THIRD_PARTY, AskedBy.THIRD_PARTY.label)],
    )
    via = forms.ChoiceField(
        label=_("How it came"),
        choices=[("phone", _("Phone")), ("written", _("In writing")), ("in_person", _("In person"))],
    )
    words = forms.CharField(
        label=_("The exact words"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("As they were said. Only responsible-gaming officers read them."),
    )

    def __init__(self, *args: Any, offers: list[Offer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["offer"].choices = [(offer.code, offer.words) for offer in offers]  # type: ignore[attr-defined]


class InteractionForm(forms.Form):
    signs = forms.MultipleChoiceField(
        label=_("What was noticed"), choices=list(SIGNS.items()), widget=forms.CheckboxSelectMultiple
    )
    advice = forms.MultipleChoiceField(
        label=_("What was advised"), choices=list(ADVICE.items()), widget=forms.CheckboxSelectMultiple
    )
    outcome = forms.ChoiceField(label=_("How it ended"), choices=list(OUTCOMES.items()))
    follow_up_on = forms.DateField(label=_("Follow up on"), required=False, widget=DayBox())
    helped = forms.ChoiceField(label=_("Did an earlier one help?"), choices=HELPED, required=False)
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))

    def clean_helped(self) -> bool | None:
        return {"yes": True, "no": False}.get(self.cleaned_data["helped"])


class ReasonForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"))
    note = forms.CharField(
        label=_("Note for the second person"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, reasons: dict[str, Any], alone: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if alone:
            del self.fields["note"]
        self.fields["reason"].choices = list(reasons.items())  # type: ignore[attr-defined]


class ReturnForm(forms.Form):
    """The player asks to return. The channel is the one that the policy asks for."""

    channel = forms.ChoiceField(label=_("How it came"))
    words = forms.CharField(label=_("The exact words"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, channels: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channel"].choices = [(one, CHANNELS[one]) for one in channels]  # type: ignore[attr-defined]


CHANNELS: dict[str, Any] = {
    "phone": _("Phone"),
    "in_person": _("In person"),
    "written": _("In writing"),
    "online": _("Online"),
}
