"""Forms of signing in, and of looking after staff. They only read: the acts change, and record."""

from datetime import datetime, time
from typing import Any

from allauth.account.forms import ResetPasswordForm
from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actors import system
from audit.forms import DayBox
from audit.record import ObjectRef, record
from compliance.outbox.services import post
from compliance.people.access.letters import RESET
from compliance.people.models import Team
from compliance.people.roles import ROLES


class AskForLink(ResetPasswordForm):  # type: ignore[misc]  # allauth has no types
    """Asks for a link. What follows is the same for a known and an unknown address, and takes as long: a row, an entry.

    A worker writes the letter, if there is anybody to write to (letters.py).
    """

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        user = next(iter(self.users), None)
        with transaction.atomic():
            # The entry names nobody either: whoever may read the log learns no more than the page says.
            record("access.ask_link", by=system(), about=ObjectRef("route", "account_reset_password"))
            post(RESET, payload={"user_id": user.pk if user else None})
        return str(self.cleaned_data["email"])


class NewPersonForm(forms.Form):
    """Somebody who starts to work here. They set their password with a link."""

    name = forms.CharField(label=_("Name"), max_length=120)
    email = forms.EmailField(label=_("E-mail"), help_text=_("They sign in with it, and get a link to set a password."))
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)


class GiveRoleForm(forms.Form):
    """A role in a team, until a day or until it is taken."""

    role = forms.ChoiceField(label=_("Role"))
    team = forms.ModelChoiceField(label=_("Team"), queryset=Team.objects.order_by("name"), empty_label=None)
    until = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=DayBox(),
        help_text=_("Empty: until somebody takes it. An auditor of the AML side always has one."),
    )

    def __init__(self, *args: Any, givable: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(name, ROLES[name].display_name) for name in givable]  # type: ignore[attr-defined]

    def clean_until(self) -> datetime | None:
        """The end of that day in the viewer's zone."""
        day = self.cleaned_data["until"]
        return timezone.make_aware(datetime.combine(day, time.max)) if day else None
