"""What is typed to save a macro."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from cases import snooze
from cases.macros.services import LONGEST_NAME, LONGEST_NOTE, Step
from cases.mail.writing import LONGEST_LINE
from cases.tags.models import Tag
from cases.tags.services import licensees_of
from compliance.people.models import Team, User


class MacroForm(forms.Form):
    """What is left empty is no part of it."""

    name = forms.CharField(
        label=_("Name"), max_length=LONGEST_NAME, error_messages={"required": _("Give the macro a name.")}
    )
    team = forms.ModelChoiceField(Team.objects.none(), label=_("For"), required=False, empty_label=_("me only"))
    note = forms.CharField(
        label=_("Write a note"),
        required=False,
        max_length=LONGEST_NOTE,
        help_text=_("Read by: staff. Nothing about one player: it is written on every case."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    tag = forms.ModelChoiceField(Tag.objects.none(), label=_("Put a tag on"), required=False, empty_label="…")
    message = forms.CharField(
        label=_("Prepare a message to the player"),
        required=False,
        max_length=LONGEST_LINE,
        help_text=_("It is not sent: it stands in the composer, to be read and changed first."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    language = forms.ChoiceField(label=_("Language of the message"), choices=settings.LANGUAGES)
    days = forms.IntegerField(
        label=_("Snooze for so many days"), required=False, min_value=1, max_value=snooze.LONGEST.days
    )
    because = forms.ChoiceField(
        label=_("Reason to snooze"), required=False, choices=[("", "…"), *snooze.REASONS.items()]
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        kwargs["auto_id"] = "macro_%s"
        super().__init__(*args, **{"initial": {"language": user.language}} | kwargs)
        teams: Any = self.fields["team"]
        teams.queryset = Team.objects.filter(memberships__user=user).distinct()
        tags: Any = self.fields["tag"]
        tags.queryset = Tag.objects.filter(licensee__in=licensees_of(user), retired_at=None).order_by("name")

    def steps(self) -> list[Step]:
        """What was chosen, as `services.save` takes it."""
        data = self.cleaned_data
        found: list[Step] = []
        if data["note"]:
            found.append({"act": "note", "text": data["note"]})
        if data["tag"]:
            found.append({"act": "tag", "tag": str(data["tag"].pk)})
        if data["message"]:
            found.append({"act": "message", "text": data["message"], "language": data["language"]})
        if data["days"] or data["because"]:
            found.append({"act": "snooze", "days": data["days"], "because": data["because"]})
        return found
