"""What people ask the log for."""

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext_lazy as _

from audit.names import find, names
from audit.queries import Query, is_code
from audit.registry import actions
from audit.selections import Selection

_BOX = {"class": "in"}
LAST_DAY = MaxValueValidator(date(9998, 12, 31))  # the day after must be a day too


class DayBox(forms.DateInput):
    """A day. The browser shows it as its reader writes days, and takes and gives year-month-day in every language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


def _text(label: Any, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=100, widget=forms.TextInput(attrs=_BOX), **options)


def _day(label: Any) -> forms.DateField:
    box = DayBox(attrs=_BOX)
    return forms.DateField(label=label, required=False, validators=[LAST_DAY], widget=box)


class SearchForm(forms.Form):
    """The filters of the page. Its address is the query, so a search can be sent to somebody, and kept."""

    since = _day(_("From (UTC)"))
    until = _day(_("To (UTC)"))
    actor = _text(_("Actor"))
    action = _text(_("Action"))
    object = _text(_("Object type"))
    thing = _text(_("Object"))
    case = _text(_("Case number"))
    customer = _text(_("Customer"))
    outcome = forms.ChoiceField(
        label=_("Result"),
        required=False,
        choices=[("", _("Any")), ("done", _("Done")), ("refused", _("Refused"))],
        widget=forms.Select(attrs=_BOX),
    )
    only = forms.ChoiceField(
        label=_("Only"),
        required=False,
        choices=[("", _("All")), ("reads", _("Looking")), ("changes", _("Changes"))],
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
            object_id=data["thing"].strip() or None,
            outcome=data["outcome"] or None,
            request_id=data["request"].strip() or None,
            only=data["only"] or None,
            from_on=data["since"],
            to_on=data["until"],
        )

    def given(self) -> dict[str, str]:
        """The filters that are set, as they stand in the address."""
        return {name: self.data[name].strip() for name in self.fields if self.data.get(name, "").strip()}

    def by_ids(self) -> dict[str, str] | None:
        """The same with ids instead of the words that name a person; None where words stand for none or for several."""
        found = self.given()
        for name, kind in (("customer", "customer"), ("actor", "staff")):
            if name in found:
                ids = {one for one in find(kind, found[name]) if is_code("subjects", one)}
                if len(ids) != 1:
                    return None
                found[name] = ids.pop()
        asked = {"thing": "object_id", "case": "matter", "request": "request_id", "action": "action"}
        asked["object"] = "object_kind"
        return found if all(is_code(asked[name], found[name]) for name in asked if name in found) else None

    def in_words(self) -> list[tuple[str, str, str]]:
        """(field, label, value) of every filter that is set; a choice by its word, an id by the name it stands for."""
        kinds = {"actor": "staff", "customer": "customer", "thing": "customer"}
        known = names((kinds[name], value) for name, value in self.given().items() if name in kinds)
        said = []
        for name, value in self.given().items():
            choices = dict(getattr(self.fields[name], "choices", ()))
            shown = known.get((kinds.get(name, ""), value)) or choices.get(value, value)
            said.append((name, str(self.fields[name].label), str(shown)))
        return said


class KeepForm(forms.Form):
    """A question to keep: its name, and whether colleagues see it."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(attrs=_BOX))
    shared = forms.BooleanField(label=_("Show it to everybody who reads the log"), required=False)


class RangeForm(forms.Form):
    """From which entry to which."""

    first = forms.IntegerField(label=_("From entry"), min_value=0, widget=forms.NumberInput(attrs=_BOX))
    last = forms.IntegerField(label=_("To entry"), min_value=0, widget=forms.NumberInput(attrs=_BOX))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "first" in data and "last" in data and data["first"] > data["last"]:
            self.add_error("last", _("The end lies before the start."))
        return data


class ContinuesForm(forms.Form):
    """Which checkpoint somebody holds."""

    size = forms.IntegerField(
        label=_("Size of the checkpoint you hold"),
        min_value=1,
        max_value=2**53 - 1,
        widget=forms.NumberInput(attrs=_BOX),
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
