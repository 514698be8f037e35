"""The panel of filters beside a list: every value that narrows it, also those that no row shows at the moment."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.lists import CONTACT, DUE, NOBODY, OPENED, PRIORITY_NAMES, RISKS, Asked, no_contact
from cases.models import Queue
from cases.permissions import VIEW, granted
from cases.tags.models import Tag
from compliance.look import STATES
from compliance.people.models import Licensee, User

OPEN_STATES: Final = ("open", "in_review", "waiting")  # of a case of any kind
ORDER_NAMES: Final[dict[str, str | Promise]] = {
    "due": _("Most urgent first"),
    "-due": _("Least urgent first"),
    "-risk": _("Highest risk first"),
    "risk": _("Lowest risk first"),
    "age": _("Oldest first"),
    "-age": _("Newest first"),
    "player": _("By player"),
    "-player": _("By player, from the end"),
    "state": _("By state"),
    "-state": _("By state, from the end"),
    "contact": _("Longest without contact first"),
    "-contact": _("Last contact first"),
    "by": _("By who is responsible"),
    "-by": _("By who is responsible, from the end"),
}

Choices = Iterable[tuple[Any, Any]]


class NarrowForm(forms.Form):
    """Its fields are named as those of `Asked`: what it sends is the list's address."""

    state = forms.ChoiceField(label=_("State"))
    by = forms.ChoiceField(label=_("Responsible"))
    due = forms.ChoiceField(label=_("Due"))
    opened = forms.ChoiceField(label=_("Opened"))
    contact = forms.ChoiceField(label=_("No contact"))
    risk = forms.ChoiceField(label=_("Risk"))
    priority = forms.ChoiceField(label=_("Priority"))
    language = forms.ChoiceField(label=_("Language"))
    tag = forms.ChoiceField(label=_("Tag"))
    licensee = forms.ChoiceField(label=_("Licensee"))
    sort = forms.ChoiceField(label=_("Order"), choices=ORDER_NAMES.items())

    def __init__(self, asked: Asked, *, user: User) -> None:
        super().__init__(initial={name: getattr(asked, name) for name in self.base_fields}, auto_id="narrow_%s")
        for name, choices in _choices(user).items():
            every = [("", _("any")), *choices]
            now = getattr(asked, name)
            if now and now not in {str(value) for value, _word in every}:  # of an address that somebody sent
                every.append((now, next(chip["value"] for chip in asked.chips(user) if chip["name"] == name)))
            self.fields[name].choices = every  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.widget.attrs["class"] = "in"


def _choices(user: User) -> dict[str, Choices]:
    queues = granted(user, VIEW, Queue)
    teams, licensees = queues.values("team"), queues.values("licensee")
    people = User.objects.filter(memberships__team__in=teams, is_active=True).distinct().order_by("name", "pk")
    return {
        "state": [(name, STATES[name].word) for name in OPEN_STATES],
        "by": [(NOBODY, _("nobody yet")), *((str(pk), name) for pk, name in people.values_list("pk", "name"))],
        "due": [(name, words) for name, (words, _rows) in DUE.items()],
        "opened": [(name, words) for name, (words, _rows) in OPENED.items()],
        "contact": [(days, no_contact(days)) for days in CONTACT],
        "risk": RISKS.items(),
        "priority": PRIORITY_NAMES.items(),
        "language": settings.LANGUAGES,
        "tag": [
            (str(pk), name)
            for pk, name in Tag.objects.filter(licensee__in=licensees).order_by("name").values_list("pk", "name")
        ],
        "licensee": [
            (str(pk), name)
            for pk, name in Licensee.objects.filter(pk__in=licensees).order_by("name").values_list("pk", "name")
        ],
    }
