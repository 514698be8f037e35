"""What members of staff choose for themselves."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from compliance.people.models import User


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """How pages look and sound for this user, in every browser."""

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=[(name, name) for name in sorted(available_timezones())]
    )
    theme = forms.ChoiceField(
        label=_("Theme"),
        required=False,
        widget=forms.RadioSelect,
        choices=[("", _("As the device")), ("light", _("Light")), ("dark", _("Dark"))],
    )
    keys_on = forms.BooleanField(label=_("Single-key shortcuts"), required=False)

    class Meta:
        model = User
        fields = ("language", "time_zone", "theme", "keys_on")

    def _post_clean(self) -> None:
        """The form only reads: `set_preferences` changes the user, and records it."""

    def chosen(self) -> dict[str, Any]:
        return dict(self.cleaned_data)
