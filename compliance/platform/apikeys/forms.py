"""What an administrator says about a key."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from audit.forms import DayBox
from compliance.people.models import Licensee, User
from compliance.platform.apikeys.asking import CHOSEN
from compliance.platform.models import ApiKey
from compliance.platform.scopes import Scope
from compliance.platform.services import LONGEST_OVERLAP
from compliance.policy.staff import staff_rules

LONGEST_LIFE = 400  # days: a year, and some weeks to replace it in
SIGNS = _("Its requests have to be signed")
SIGNING = _("Who finds the key on its way here cannot use it. The platform has to be able to sign: see the docs.")
OVERLAPS = (1, 24, 72, LONGEST_OVERLAP // timedelta(hours=1))


class NewKeyForm(forms.Form):
    licensee = forms.ModelChoiceField(
        label=_("Licensee"), queryset=Licensee.objects.order_by("name"), help_text=_("The key sees this one only")
    )
    owner = forms.ModelChoiceField(
        label=_("Owner"),
        queryset=User.objects.none(),
        help_text=_("For two-person decisions the key counts as this person"),
    )
    name = forms.CharField(label=_("Name"), help_text=_("What uses it"), max_length=80)
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[(scope.value, scope.value) for scope in Scope if scope != Scope.PING],
        widget=forms.CheckboxSelectMultiple,
    )
    signs = forms.BooleanField(label=SIGNS, help_text=SIGNING, required=False)
    last_day = forms.DateField(label=_("Last day"), widget=DayBox())
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[("", "–"), *CHOSEN.items()],
        help_text=_("Where a second administrator confirms"),
        required=False,
    )
    note = forms.CharField(
        label=_("For the second administrator"), max_length=500, required=False, widget=forms.Textarea({"rows": 3})
    )

    def __init__(self, *args: Any, issuer: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self._issuer = issuer
        people = User.objects.filter(is_active=True, memberships__isnull=False)
        self.fields["owner"].queryset = people.distinct().order_by("name", "email")  # type: ignore[attr-defined]
        wide = {"scopes": ", ".join(staff_rules(on=timezone.localdate()).keys.wide_scopes)}
        hint = _("A second administrator confirms: %(scopes)s. staff:write reaches all staff, of every licensee.")
        self.fields["scopes"].help_text = hint % wide

    def facts(self) -> dict[str, Any]:
        """As `asking.issue` takes them."""
        said = {name: self.cleaned_data[name] for name in ("licensee", "owner", "name", "scopes", "signs")}
        return said | {"expires_at": self.cleaned_data["last_day"]}

    def why(self) -> dict[str, Any]:
        """What `asking.ask` takes besides."""
        return {name: self.cleaned_data[name] for name in ("reason", "note")}

    def clean_owner(self) -> User:
        """Whoever holds a secret and answers for it alone would be asked by nobody: also under another sign-in."""
        owner: User = self.cleaned_data["owner"]
        if owner.human_id == self._issuer.human_id:
            raise ValidationError(_("Somebody else has to answer for the key."))
        return owner

    def clean_last_day(self) -> datetime:
        """The end of the day, in the reader's zone."""
        day, today = self.cleaned_data["last_day"], timezone.localdate()
        if not today < day <= today + timedelta(days=LONGEST_LIFE):
            raise ValidationError(_("Choose a day within the next %(days)d days.") % {"days": LONGEST_LIFE})
        return datetime.combine(day + timedelta(days=1), time(), timezone.get_current_timezone())


class ReplaceForm(forms.Form):
    hours = forms.TypedChoiceField(label=_("The former key still works for"), coerce=int, initial=24)
    signs = forms.BooleanField(label=SIGNS, help_text=SIGNING, required=False)

    def __init__(self, *args: Any, former: ApiKey, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["signs"].initial = former.signs
        named = [(hours, ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}) for hours in OVERLAPS]
        self.fields["hours"].choices = named  # type: ignore[attr-defined]

    def facts(self) -> dict[str, Any]:
        """As `asking.replace` takes them."""
        return {"overlap": timedelta(hours=self.cleaned_data["hours"]), "signs": self.cleaned_data["signs"]}
