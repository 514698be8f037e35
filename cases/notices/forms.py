"""What a person wants to be told of."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.notices.choosing import choices_of, fixed_for, hours_of
from cases.notices.hours import DAYS
from cases.notices.kinds import KINDS
from cases.notices.models import TeamNotices
from compliance.people.models import User

DAY_NAMES = {
    "mon": _("Monday"),
    "tue": _("Tuesday"),
    "wed": _("Wednesday"),
    "thu": _("Thursday"),
    "fri": _("Friday"),
    "sat": _("Saturday"),
    "sun": _("Sunday"),
}
TIME = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
WRONG = {"invalid": _("Write the time as hours and minutes, such as 09:00."), "required": _("Enter a time.")}


class PreferencesForm(forms.Form):
    """A matrix: one row for each kind, one box for the page and one for e-mail; then days and hours for e-mail."""

    days = forms.MultipleChoiceField(
        label=_("E-mails may come on"),
        choices=[(day, DAY_NAMES[day]) for day in DAYS],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one day.")},
    )
    begins = forms.TimeField(label=_("from"), widget=TIME, error_messages=WRONG)
    ends = forms.TimeField(label=_("to"), widget=TIME, error_messages=WRONG)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        hours = hours_of(user)
        kwargs.setdefault("initial", {"days": hours["days"], "begins": hours["from"], "ends": hours["to"]})
        super().__init__(*args, **kwargs)
        self._fixed = fixed_for(user)
        _add_boxes(self, choices_of(user), self._fixed)

    def rows(self) -> list[tuple[Any, Any, Any, bool]]:
        """Kind, box for the page, box for e-mail, whether they are fixed."""
        return _rows(self, self._fixed)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("begins") and data.get("ends") and data["ends"] <= data["begins"]:
            self.add_error("ends", _("The end must be after the beginning."))
        return data

    def chosen(self) -> tuple[dict[str, tuple[bool, bool]], dict[str, Any]]:
        data, choices = self.cleaned_data, _choices(self.cleaned_data)
        hours = {"days": data["days"], "from": f"{data['begins']:%H:%M}", "to": f"{data['ends']:%H:%M}"}
        return choices, hours


class TeamForm(forms.Form):
    """The same matrix for a team, and a box for each kind that nobody in it may change."""

    def __init__(self, *args: Any, row: TeamNotices | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = row.choices if row else {}
        self._fixed = {name for name, kind in KINDS.items() if kind.fixed}
        _add_boxes(self, {name: own.get(name, (kind.page, kind.mail)) for name, kind in KINDS.items()}, self._fixed)
        for name in KINDS:
            on = name in self._fixed or bool(row and name in row.fixed)
            self.fields[f"{name}_fixed"] = forms.BooleanField(required=False, initial=on, disabled=name in self._fixed)

    def rows(self) -> list[tuple[Any, Any, Any, bool, Any]]:
        """As in PreferencesForm, and the box that fixes it."""
        boxes = [self[f"{name}_fixed"] for name in KINDS]
        return [(*row, box) for row, box in zip(_rows(self, self._fixed), boxes, strict=True)]

    def chosen(self) -> tuple[dict[str, tuple[bool, bool]], list[str]]:
        return _choices(self.cleaned_data), [name for name in KINDS if self.cleaned_data[f"{name}_fixed"]]


def _add_boxes(form: forms.Form, choices: Mapping[str, Any], fixed: Collection[str]) -> None:
    for name, (page, mail) in choices.items():
        for way, on in (("page", page), ("mail", mail)):
            form.fields[f"{name}_{way}"] = forms.BooleanField(required=False, initial=on, disabled=name in fixed)


def _rows(form: forms.Form, fixed: Collection[str]) -> list[tuple[Any, Any, Any, bool]]:
    return [(kind, form[f"{name}_page"], form[f"{name}_mail"], name in fixed) for name, kind in KINDS.items()]


def _choices(data: Mapping[str, Any]) -> dict[str, tuple[bool, bool]]:
    return {name: (data[f"{name}_page"], data[f"{name}_mail"]) for name in KINDS}
