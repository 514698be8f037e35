"""What people type about a verification."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.forms import DayBox
from audit.perform import ConditionsNotMet
from cases.mail.writing import own_line
from cases.models import Queue
from cases.permissions import WORK, granted
from cases.types.verification.endings import FUNDS, FUNDS_BECAUSE, FUNDS_WORDS, reasons
from cases.types.verification.models import Because
from cases.types.verification.services import LONGEST_ADDITION
from compliance.people.models import Brand, Licensee
from compliance.rulebook.queries import policy_of

APPLICATION, NEW_FACT, WITHDRAWAL = Because.APPLICATION, Because.NEW_FACT, Because.WITHDRAWAL


class AdditionForm(forms.Form):
    """A line of staff's own at the end of what a player is asked for, and what of the message was shown before."""

    line = forms.CharField(
        label=_("Add a line of your own"),
        required=False,
        help_text=_("At most 200 characters, at the end of the message. Read by: the player."),
    )

    def clean_line(self) -> str:
        try:
            return own_line(self.cleaned_data["line"], longest=LONGEST_ADDITION)
        except ConditionsNotMet as unmet:
            raise forms.ValidationError(unmet.reasons) from None

    def was_read(self, missing: Iterable[str]) -> bool:
        """Whether the message was shown as it would go: what was ticked or typed since is to be read first."""
        now = self.digest(missing, self.cleaned_data["line"])
        return "show" not in self.data and self.data.get("shown", now) == now

    @staticmethod
    def digest(missing: Iterable[str], line: str) -> str:
        return hashlib.sha256("|".join([*sorted(missing), line]).encode()).hexdigest()


class OfABrand(forms.Form):
    """What every way to open a verification asks. Brands and levels are those that the person's queues reach."""

    brand = forms.ModelChoiceField(label=_("Brand"), queryset=Brand.objects.none(), empty_label=None)
    reference = forms.CharField(label=_("Player number"), max_length=64, help_text=_("As the platform shows it"))
    level = forms.ChoiceField(label=_("Level"))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = granted(user, WORK, Queue).filter(kind="verification").values("licensee")
        brands = Brand.objects.filter(licensee__in=mine).select_related("licensee").order_by("name")
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        levels = levels_of({brand.licensee for brand in brands})
        self.fields["level"].choices = list(levels.items())  # type: ignore[attr-defined]


def levels_of(licensees: Iterable[Licensee]) -> dict[str, str]:
    """The levels that ask for something, in words. The policy of the player's own licensee says whether it has one."""
    found: dict[str, str] = {}
    for licensee in licensees:
        levels = policy_of(licensee, on=licensee.today()).verification.levels
        found |= {code: f"{code}: {level.title}" for code, level in levels.items() if level.required}
    return dict(sorted(found.items()))


class OpenForm(OfABrand):
    """A verification for a new player, as an agent types it while the player is on the line."""

    full_name = forms.CharField(label=_("Full name"), max_length=200, help_text=_("As on the document"))
    birth_date = forms.DateField(
        label=_("Date of birth"),
        widget=DayBox(),
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
    field_order = (
        *("brand", "reference", "full_name", "birth_date", "nationality", "national_id", "address"),
        *("email", "phone", "language", "level"),
    )

    def clean_nationality(self) -> str:
        return str(self.cleaned_data["nationality"]).upper()


class KnownForm(OfABrand):
    """A verification for a player who has an account, and what led to it."""

    because = forms.ChoiceField(
        label=_("Why"), choices=[(one.value, one.label) for one in (APPLICATION, NEW_FACT, WITHDRAWAL)]
    )
    came_up_now = forms.BooleanField(
        label=_("It came up with the withdrawal itself"),
        required=False,
        help_text=_("A withdrawal asks for nothing that could have been asked for before."),
    )


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


class FundsForm(forms.Form):
    """Where the balance of a closed account goes, as somebody who saw it on the platform proposes it."""

    decision = forms.ChoiceField(label=_("What becomes of the money"))
    reason = forms.ChoiceField(label=_("Reason"), choices=list(FUNDS_BECAUSE.items()))
    amount = forms.CharField(
        label=_("Balance"), max_length=16, help_text=_("As the platform shows it, such as 1250.50")
    )
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3, help_text=_("Such as TRY"))
    note = forms.CharField(
        label=_("Note for the second person"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, outcome: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["decision"].choices = [(code, FUNDS_WORDS[code]) for code in FUNDS.get(outcome, ())]  # type: ignore[attr-defined]

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()
