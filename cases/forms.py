"""What people type about a case."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.forms import DayBox
from cases import kinds, numbers, protection, rectifying, texts
from cases.models import Case, Evidence
from cases.services import REVOKED_BECAUSE
from compliance.people.conflicts.models import ConflictOfInterest
from compliance.people.correcting import FIELDS, differing
from documents.releasing import REASONS

# What the chooser of files offers first.
ACCEPTED = ".jpg,.jpeg,.heic,.heif,.png,.pdf,image/jpeg,image/heic,image/heif,image/png,application/pdf"


DAY = DayBox()
DAY_WRONG = _("Write the date as year-month-day, such as 1991-03-14.")


class NumberForm(forms.Form):
    """Names a case. Whoever builds on it gives the label."""

    number = forms.CharField(
        label=_("Tracking number"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
        error_messages={"required": _("Enter the tracking number.")},
    )

    def clean_number(self) -> str:
        try:
            number = numbers.parse(self.cleaned_data["number"])
        except numbers.TypingError:
            raise forms.ValidationError(_("This number has a typing error. Check it digit by digit.")) from None
        if number is None:
            raise forms.ValidationError(_("Enter a tracking number such as KYC-26-004813-9."))
        return number


def paper_choices(case: Any) -> list[tuple[str, str]]:
    """What cases of this kind take, as choices: "purpose:document" and its words."""
    return [
        (f"{purpose}:{paper}", f"{texts.purpose_title(purpose)}: {texts.document_name(paper)}")
        for purpose, paper in kinds.lookup(case.kind).offers(case)
    ]


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
        help_text=_("JPG, HEIC, PNG or PDF, at most 50 MB"),
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


class AlsoForm(forms.Form):
    """What else a file shows that is here already. `offers` are the pairs of purpose and document type left."""

    also = forms.ChoiceField(label=_("It also shows"), error_messages={"required": _("Choose what the file shows.")})

    def __init__(self, *args: Any, offers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["also"].choices = [  # type: ignore[attr-defined]
            (f"{purpose}:{paper}", f"{texts.purpose_title(purpose)}: {texts.document_name(paper)}")
            for purpose, paper in offers
        ]

    def chosen(self) -> dict[str, str]:
        purpose, _colon, paper = self.cleaned_data["also"].partition(":")
        return {"purpose": purpose, "document_type": paper}


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


class ByEyeForm(forms.Form):
    """What stands on the paper, as whoever judges reads it. What is left empty stays as it is."""

    full_name = forms.CharField(label=_("Name"), required=False, max_length=200)
    birth_date = forms.DateField(
        label=_("Date of birth"), required=False, widget=DAY, error_messages={"invalid": DAY_WRONG}
    )
    national_id = forms.CharField(label=_("National id"), required=False, max_length=40)
    forget = forms.BooleanField(label=_("Forget what was written down before"), required=False)

    def said(self) -> dict[str, str]:
        """By field what is to be kept, empty where it is to be forgotten."""
        fields = ("full_name", "birth_date", "national_id")
        typed = {name: str(self.cleaned_data[name] or "").strip() for name in fields}
        return typed if self.cleaned_data["forget"] else {name: value for name, value in typed.items() if value}


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


class OriginalForm(forms.Form):
    """Why the original of a file is needed. The note is for the auditor; it is sealed."""

    reason = forms.ChoiceField(
        label=_("What is it needed for?"),
        choices=list(REASONS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason.")},
    )
    note = forms.CharField(
        label=_("In your own words"),
        required=False,
        max_length=1000,
        help_text=_("Read by: the auditor. Name the letter, the file number or the person who asked."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class StopForm(forms.Form):
    """Why play is stopped: a choice, so that it takes a second and the entry has a code."""

    reason = forms.ChoiceField(
        label=_("Why?"),
        choices=list(protection.STOP_REASONS.items()),
        initial="player_asked",
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason.")},
    )


def _reason_among(reasons: Mapping[str, Any]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("Reason"),
        choices=list(reasons.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason.")},
    )


def _note_for_the_second(missing: Any) -> forms.CharField:
    """What whoever decides reads; `missing` says what to write where nothing is."""
    return forms.CharField(
        label=_("Note for the second person"),
        max_length=2000,
        help_text=_("Read by: the second person and the auditor."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": missing},
    )


class LiftForm(forms.Form):
    """Why the player may play again, for the second person."""

    reason = _reason_among(protection.LIFT_REASONS)
    note = _note_for_the_second(_("Say what was looked into."))


class RectifyForm(forms.Form):
    """What should stand there instead of what the player declared; what is left as it was is not proposed, nor what is
    unknown and left empty. What stands there cannot be emptied.
    """

    full_name = forms.CharField(label=_("Name"), max_length=200, help_text=_("As on the document"))
    birth_date = forms.DateField(label=_("Date of birth"), widget=DAY, error_messages={"invalid": DAY_WRONG})
    nationality = forms.CharField(
        label=_("Nationality"), min_length=2, max_length=2, help_text=_("Two letters, such as TR")
    )
    evidence = forms.ChoiceField(
        label=_("Which file shows it?"), error_messages={"required": _("Choose a file of this case that shows it.")}
    )
    reason = _reason_among(rectifying.REASONS)
    note = _note_for_the_second(_("Say how you know it."))

    def __init__(self, data: Any = None, *, case: Case) -> None:
        stands = {field: getattr(case.customer, field) for field in FIELDS}
        super().__init__(data, initial=stands)
        self.case, self.stands = case, stands
        for field, value in stands.items():
            self.fields[field].required = bool(value)
        self.fields["evidence"].choices = [  # type: ignore[attr-defined]
            ("", "…"),
            *((str(paper.pk), rectifying.title_of(paper)) for paper in rectifying.papers(case)),
        ]

    def clean_nationality(self) -> str:
        return str(self.cleaned_data["nationality"]).upper()

    def clean(self) -> dict[str, Any]:
        """What cannot be is said at its field, before anybody is asked to confirm it."""
        data = super().clean() or {}
        if not self.errors:
            try:
                differing(self.case.customer, self._given(data))
            except forms.ValidationError as wrong:
                self.add_error(None, wrong)
        return data

    @property
    def paper(self) -> Evidence:
        """The file that was chosen, which the proposal is about."""
        return Evidence.objects.get(pk=self.cleaned_data["evidence"], case_id=self.case.pk)

    def asked(self) -> dict[str, Any]:
        """What `propose` is given: only what is another."""
        data = self.cleaned_data
        new = {field: str(value) for field, value in self._given(data).items() if value != self.stands[field]}
        return new | {"reason": data["reason"], "note": data["note"]}

    def _given(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {field: data[field] for field in FIELDS if data[field] or self.stands[field]}


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
        widget=DayBox(),
        error_messages={"invalid": _("Write the date as year-month-day, such as 1991-03-14.")},
    )
    token = forms.UUIDField(widget=forms.HiddenInput)
