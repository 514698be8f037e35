"""What people of the compartment type about a report."""

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from audit.forms import DayBox
from cases.types.monitoring.reports import templates
from cases.types.monitoring.reports.content import PARTS, SUBJECT, Content
from cases.types.monitoring.reports.models import Consent, Report
from cases.types.monitoring.reports.services import content_of, indicators_of, version_of


class ContentForm(forms.Form):
    """Every part of the narrative, the fields that the authority asks for, and its indicators."""

    action = forms.CharField(
        label=_("What was done"), required=False, max_length=8000, widget=forms.Textarea(attrs={"rows": 3})
    )
    asked = forms.CharField(label=_("Reference of the authority’s question"), required=False, max_length=80)

    def __init__(self, *args: Any, report: Report, **kwargs: Any) -> None:
        said = content_of(report)
        kwargs.setdefault("initial", _initial(said))
        super().__init__(*args, **kwargs)
        self._said = said
        version = version_of(report)
        required, asked = set(version.required), {*version.required, *version.optional}
        fields: dict[str, forms.Field] = {}
        for part, label in PARTS.items():
            fields[f"narrative_{part}"] = forms.CharField(
                label=str(label),
                required=False,
                max_length=8000,
                help_text=str(templates.GUIDE[part]),
                widget=forms.Textarea(attrs={"rows": 4}),
            )
        for name, label in SUBJECT.items():
            if f"subject.{name}" in asked or said.subject.get(name):
                fields[f"subject_{name}"] = forms.CharField(label=str(label), required=False, max_length=400)
        if "entity.rentity_id" in required:
            fields["entity_rentity_id"] = forms.CharField(
                label=_("Number of the reporting entity"), required=False, max_length=20
            )
        listed = indicators_of(report)
        if listed:
            language = str(get_language() or "en")[:2]
            fields["indicators"] = forms.MultipleChoiceField(
                label=_("Indicators"),
                required=False,
                choices=[(code, words.get(language, words.get("en", code))) for code, words in listed.items()],
                widget=forms.CheckboxSelectMultiple,
            )
        self.fields = {**fields, **self.fields}

    def content(self) -> Content:
        """What was typed; what the form does not show stays."""
        given = self.cleaned_data

        def part(prefix: str, before: Any) -> dict[str, str]:
            typed = {name.partition("_")[2]: value for name, value in given.items() if name.startswith(f"{prefix}_")}
            return {**before, **typed}

        return Content(
            narrative=part("narrative", self._said.narrative),
            subject=part("subject", self._said.subject),
            entity=part("entity", self._said.entity),
            indicators=tuple(given.get("indicators", self._said.indicators)),
            transactions=self._said.transactions,
            action=given["action"],
            asked=given["asked"],
        )


class DraftForm(forms.Form):
    kind = forms.ChoiceField(label=_("Kind of report"))
    asked = forms.CharField(label=_("Reference of the authority’s question"), required=False, max_length=80)

    def __init__(self, *args: Any, kinds: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind, kind) for kind in kinds]  # type: ignore[attr-defined]


class SubmittedForm(forms.Form):
    reference = forms.CharField(label=_("Reference of the authority"), max_length=80)
    file = forms.FileField(label=_("Receipt"), help_text=_("What the authority's portal gave you"))


class ConsentForm(forms.Form):
    consent = forms.ChoiceField(label=_("What the authority said about consent"), choices=Consent.choices)
    on = forms.DateField(label=_("On which day"), widget=DayBox())


class WordsForm(forms.Form):
    words = forms.CharField(label=_("Reasons"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4}))


def _initial(said: Content) -> dict[str, Any]:
    found: dict[str, Any] = {"action": said.action, "asked": said.asked, "indicators": list(said.indicators)}
    for prefix in ("narrative", "subject", "entity"):
        found |= {f"{prefix}_{name}": value for name, value in getattr(said, prefix).items()}
    return found
