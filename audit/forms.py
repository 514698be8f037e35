"""What people ask the log for."""

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext_lazy as _

from audit.names import find
from audit.queries import Query
from audit.registry import actions

_BOX = {"class": "in"}
_LAST_DAY = MaxValueValidator(date(9998, 12, 31))  # the day after must be a day too


def _text(label: Any, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=100, widget=forms.TextInput(attrs=_BOX), **options)


def _day(label: Any) -> forms.DateField:
    box = forms.DateInput(attrs={**_BOX, "type": "date"})
    return forms.DateField(label=label, required=False, validators=[_LAST_DAY], widget=box)


class SearchForm(forms.Form):
    """The filters of the page. Its address is the query, so a search can be sent to somebody."""

    since = _day(_("From (UTC)"))
    until = _day(_("To (UTC)"))
    actor = _text(_("Actor"))
    action = _text(_("Action"))
    object = _text(_("Object type"))
    case = _text(_("Case number"))
    customer = _text(_("Customer"))
    outcome = forms.ChoiceField(
        label=_("Result"),
        required=False,
        choices=[("", _("Any")), ("done", _("Done")), ("refused", _("Refused"))],
        widget=forms.Select(attrs=_BOX),
    )
    request = _text(_("Request"))
    log = forms.ChoiceField(label=_("Log"), required=False, widget=forms.Select(attrs=_BOX))

    def __init__(self, *args: Any, logs: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["log"].choices = [(log, log) for log in logs]  # type: ignore[attr-defined]
        if len(logs) == 1:
            del self.fields["log"]
        self.fields["action"].widget.attrs["list"] = "actions"
        self.known_actions = sorted(actions())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["since"] > data["until"]:
            self.add_error("until", _("The end lies before the start."))
        return data

    def query(self) -> Query:
        data = self.cleaned_data
        return Query(
            log=data.get("log") or "main",
            matter=data["case"].strip() or None,
            subjects=find("customer", data["customer"].strip()) if data["customer"].strip() else (),
            actors=find("staff", data["actor"].strip()) if data["actor"].strip() else (),
            action=data["action"].strip() or None,
            object_kind=data["object"].strip().lower() or None,
            outcome=data["outcome"] or None,
            request_id=data["request"].strip() or None,
            from_on=data["since"],
            to_on=data["until"],
        )


class ExportForm(forms.Form):
    """One case, or one customer, and why."""

    case = forms.CharField(label=_("Case number"), required=False, max_length=40, widget=forms.TextInput(attrs=_BOX))
    customer = forms.CharField(label=_("Customer"), required=False, max_length=64, widget=forms.TextInput(attrs=_BOX))
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Read by whoever audits exports. The export becomes an entry of the log, with this reason sealed."),
        max_length=500,
        widget=forms.Textarea(attrs={**_BOX, "rows": 3}),
    )
    since = forms.IntegerField(
        label=_("Size of the checkpoint you hold"),
        help_text=_(
            "From an earlier export: its second line. The bundle then proves that nothing before it was rewritten."
        ),
        required=False,
        min_value=1,
        widget=forms.NumberInput(attrs=_BOX),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("case")) == bool(data.get("customer")):
            self.add_error("case", _("Give a case number or a customer, one of the two."))
        return data
