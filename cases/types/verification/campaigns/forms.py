"""What people choose for a campaign."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.cards import without_cards
from audit.forms import DayBox
from cases.types.verification.campaigns.choosing import Choice, levels_of
from cases.types.verification.campaigns.services import MOST_A_DAY
from cases.types.verification.campaigns.words import REASONS
from compliance.people.models import Licensee, Risk


class CampaignForm(forms.Form):
    """Whom, to which level, how many a day. Sent with `look`, it only says whom it would reach."""

    title = forms.CharField(label=_("Name"), max_length=80, help_text=_("Staff read it in the list of campaigns"))
    licensee = forms.ModelChoiceField(label=_("Licensee"), queryset=Licensee.objects.none(), to_field_name="slug")
    levels = forms.MultipleChoiceField(
        label=_("Levels"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("None ticked: all")
    )
    risks = forms.MultipleChoiceField(
        label=_("Risk"),
        required=False,
        choices=Risk.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all"),
    )
    verified_before = forms.DateField(
        label=_("Last verified before"),
        required=False,
        widget=DayBox(),
        help_text=_("Players who were verified in a former system count as before"),
    )
    papers_until = forms.DateField(
        label=_("A paper is good until, at the latest"),
        required=False,
        widget=DayBox(),
        help_text=_("Empty: any paper"),
    )
    level = forms.ChoiceField(
        label=_("To which level"), required=False, help_text=_("Never below the level that a player has")
    )
    per_day = forms.IntegerField(label=_("A day, at most"), min_value=1, max_value=MOST_A_DAY, initial=50)
    reason = forms.ChoiceField(label=_("Reason"), choices=list(REASONS.items()))

    def __init__(self, *args: Any, licensees: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = list(licensees.order_by("name"))
        self.fields["licensee"].queryset = licensees  # type: ignore[attr-defined]
        self.fields["licensee"].initial = found[0].slug if found else None
        levels = list(dict.fromkeys(level for one in found for level in levels_of(one)))
        self.fields["levels"].choices = [(name, name) for name in levels]  # type: ignore[attr-defined]
        own = [("", _("The one that each has")), *((name, name) for name in levels)]
        self.fields["level"].choices = own  # type: ignore[attr-defined]

    def clean_title(self) -> str:
        return without_cards(str(self.cleaned_data["title"]))

    def choice(self) -> Choice:
        given = self.cleaned_data
        days = {name: given[name] for name in ("verified_before", "papers_until")}
        return Choice(tuple(given["levels"]), tuple(given["risks"]), **days)
