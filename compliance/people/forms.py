"""What members of staff choose for themselves."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from compliance.people.keymap import KEYS, changed
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


class KeysForm(forms.Form):
    """One field for each single key: the key of one's own, or nothing."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for place, (key, words) in enumerate(KEYS.items()):
            box = forms.TextInput(attrs={"maxlength": 1, "size": 2, "autocapitalize": "off", "autocomplete": "off"})
            self.fields[f"key{place}"] = forms.CharField(
                label=str(words), required=False, max_length=1, initial=user.keys.get(key, key), widget=box
            )

    def clean(self) -> dict[str, Any]:
        wanted = {key: self.cleaned_data.get(f"key{place}", key) for place, key in enumerate(KEYS)}
        try:
            self.cleaned_data["keys"] = changed(wanted)
        except ValidationError as wrong:
            for key, texts in wrong.message_dict.items():
                self.add_error(f"key{list(KEYS).index(key)}", texts)
        return self.cleaned_data
