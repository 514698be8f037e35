"""What people ask the log for."""

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext_lazy as _

from audit.names import find
from audit.queries import Query
from audit.registry import actions
from audit.selections import Selection

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
        _offer_logs(self, logs)
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
    """What leaves the house, one of four, and why."""

    case = _text(_("Case number"))
    customer = _text(_("Customer"))
    first_day = _day(_("First day (UTC)"))
    last_day = _day(_("Last day (UTC)"))
    everything = forms.BooleanField(label=_("The whole log"), required=False)
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
    recipient = forms.CharField(
        label=_("Public key of who may read the sealed parts"),
        help_text=_(
            "Free text and addresses leave only encrypted to this key, which open_sealed.py makes; two persons decide."
        ),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs=_BOX),
    )
    log = forms.ChoiceField(label=_("Log"), required=False, widget=forms.Select(attrs=_BOX))

    def __init__(self, *args: Any, logs: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_logs(self, logs)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        period = bool(data.get("first_day") or data.get("last_day"))
        if sum([bool(data.get("case")), bool(data.get("customer")), period, bool(data.get("everything"))]) != 1:
            self.add_error("case", _("Say what: a case, a customer, a period or the whole log, one of the four."))
        elif period and not (data.get("first_day") and data.get("last_day")):
            self.add_error("last_day", _("A period has a first and a last day."))
        elif period and data["first_day"] > data["last_day"]:
            self.add_error("last_day", _("The end lies before the start."))
        if data.get("recipient") and (period or data.get("everything")):
            self.add_error("recipient", _("Sealed parts come along with a case or a customer only."))
        return data

    def selection(self) -> Selection:
        data = self.cleaned_data
        of = (data["case"] or data["customer"]).strip() or None
        kind = "case" if data["case"] else "customer" if of else "period" if data["first_day"] else "full"
        return Selection(
            kind,
            of,
            log=data.get("log") or "main",
            since=[data["since"]] if data["since"] else [],
            from_on=data["first_day"],
            to_on=data["last_day"],
            recipient=data["recipient"].strip() or None,
        )


def _offer_logs(form: forms.Form, logs: list[str]) -> None:
    """The AML side's log is offered to those who may see it, and does not exist for anybody else."""
    form.fields["log"].choices = [(log, log) for log in logs]  # type: ignore[attr-defined]
    if len(logs) == 1:
        del form.fields["log"]
