"""What people type about a case."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from cases import protection, texts
from cases.models import ConflictOfInterest, Evidence
from cases.services import REVOKED_BECAUSE

ACCEPTED = ".jpg,.jpeg,.png,.pdf,image/jpeg,image/png,application/pdf"  # what the chooser of files offers first


DAY = forms.DateInput(attrs={"type": "date"})
DAY_WRONG = _("Write the date as year-month-day, such as 1991-03-14.")


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_("Internal note"),
        max_length=4000,
        help_text=_("Read by: the next reviewer and the auditor."),
        widget=forms.Textarea(attrs={"rows": 3, "data-key": "o"}),
        error_messages={"required": _("Write the note first.")},
    )


class UploadForm(forms.Form):
    """What the file is. The file itself was sealed while it arrived: its field is there for its label and its errors.

    `item` is the purpose that was asked for by name; then only documents for it are offered.
    """

    shows = forms.ChoiceField(
        label=_("What is it?"),
        error_messages={"required": _("Choose what the file shows.")},
        widget=forms.Select(attrs={"class": "in"}),
    )

    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("JPG, PNG or PDF, at most 50 MB"),
        widget=forms.FileInput(attrs={"id": "file", "required": True, "accept": ACCEPTED}),
    )

    def __init__(self, *args: Any, offers: list[tuple[str, str]], item: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.item = item if item in {purpose for purpose, _type in offers} else ""
        if self.item:
            self.fields["file"].label = _("File: %(item)s") % {"item": texts.purpose_title(self.item)}
        groups: dict[str, list[tuple[str, str]]] = {}
        for purpose, document_type in offers:
            if self.item not in ("", purpose):
                continue
            title, paper = texts.purpose_title(purpose), texts.document_name(document_type)
            choice = (f"{purpose}:{document_type}", paper if self.item else f"{title}: {paper}")
            groups.setdefault(title, []).append(choice)
        shown: Any = groups[texts.purpose_title(self.item)] if self.item else list(groups.items())
        self.fields["shows"].choices = shown  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["purpose"], _colon, data["document_type"] = data.get("shows", "").partition(":")
        return data


class ConflictForm(forms.Form):
    relation = forms.ChoiceField(
        label=_("How do you know this player?"),
        choices=ConflictOfInterest.Relation,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )


class RevokeForm(forms.Form):
    """Why an acceptance is taken back. The note is for whoever judges next; it is sealed."""

    reason = forms.ChoiceField(label=_("Reason"), choices=[("", "…"), *REVOKED_BECAUSE.items()])
    note = forms.CharField(
        label=_("Internal note"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class VerdictForm(forms.Form):
    """One verdict on one file. All faults are chosen at once."""

    VERDICTS: ClassVar = [("accept", _("Accept")), ("ask_again", _("Ask again")), ("reject", _("Refuse"))]

    verdict = forms.ChoiceField(
        label=_("Verdict for this file"), choices=VERDICTS, error_messages={"required": _("Choose a verdict.")}
    )
    reasons = forms.MultipleChoiceField(label=_("Reasons"), required=False)
    issued_on = forms.DateField(label=_("Issued on"), required=False, widget=DAY, error_messages={"invalid": DAY_WRONG})
    valid_until = forms.DateField(
        label=_("Valid until"),
        required=False,
        widget=DAY,
        help_text=_("As the paper says. From the day after it proves nothing any more."),
        error_messages={"invalid": DAY_WRONG},
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, evidence: Evidence, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = texts.reasons(purpose=evidence.purpose, kind="ask_again")
        self.final = texts.reasons(purpose=evidence.purpose, kind="final")
        self.fields["reasons"].choices = [  # type: ignore[attr-defined]
            (reason.code, str(reason.title)) for reason in (*self.asked, *self.final)
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        verdict, chosen = data.get("verdict"), data.get("reasons", [])
        fitting = {"ask_again": self.asked, "reject": self.final}.get(str(verdict), [])
        codes = {reason.code for reason in fitting}
        data["reasons"] = [code for code in chosen if code in codes]
        if fitting and not data["reasons"]:
            self.add_error("reasons", _("Choose at least one reason."))
        return data


class StopForm(forms.Form):
    """Why play is stopped: a choice, so that it takes a second and the entry has a code."""

    reason = forms.ChoiceField(
        label=_("Why?"),
        choices=list(protection.STOP_REASONS.items()),
        initial="player_asked",
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason.")},
    )


class LiftForm(forms.Form):
    """Why the player may play again, for the second person."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=list(protection.LIFT_REASONS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason.")},
    )
    note = forms.CharField(
        label=_("Note for the second person"),
        max_length=2000,
        help_text=_("Read by: the second person and the auditor."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say what was looked into.")},
    )


class SuspicionForm(forms.Form):
    """What a member of staff suspects. `token` is drawn with the page: a form sent twice is one report."""

    about = forms.CharField(
        label=_("Whom is it about?"),
        max_length=400,
        required=False,
        help_text=_("A tracking number or player number if you have one, or any words that say who."),
    )
    text = forms.CharField(
        label=_("What made you suspicious?"),
        max_length=8000,
        help_text=_("What you saw or heard, in your own words. Read by: the reporting officer, nobody else."),
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Write what made you suspicious.")},
    )
    noticed_on = forms.DateField(
        label=_("When did you notice it?"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": _("Write the date as year-month-day, such as 1991-03-14.")},
    )
    token = forms.UUIDField(widget=forms.HiddenInput)
