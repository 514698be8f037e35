"""Every component on one page, with values as long and as foreign as real ones. The tests' page, not the product's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from django import forms
from django.template import engines
from django.utils import translation

from compliance import look

ROWS = [
    ("KYC-26-004779-8", "Second upload: the first photo was blurred", "Gökçe T.", "in_review", -16.7, 72, False),
    ("KYC-26-004813-9", "Surname differs from the account by 1 letter", "Işıl Y.", "in_review", 2.1, 24, False),
    ("KYC-26-004801-7", "Payment method in another name", "Çağrı Ö.", "proposed", 20, 48, False),
    ("KYC-26-004840-4", "Proof of income came in, not read", "خالد م.", "open", 50, 2, False),
    ("KYC-26-004790-5", "Address document 4 months old; at most 3", "Алексей П.", "waiting", 30, 48, True),
]


class Sample(forms.Form):
    number = forms.CharField(label="Tracking number", help_text="As on the letter")
    verdict = forms.ChoiceField(
        label="Verdict", choices=[("a", "Accept"), ("b", "Ask again")], widget=forms.RadioSelect
    )
    kinds = forms.MultipleChoiceField(choices=[("1", "Card"), ("2", "Passport")], widget=forms.CheckboxSelectMultiple)
    note = forms.CharField(widget=forms.Textarea, required=False)
    level = forms.ChoiceField(choices=[("L1", "L1"), ("L2", "L2")])
    sure = forms.BooleanField(label="The player agreed")
    file = forms.FileField(required=False, help_text="JPG, PNG or PDF")


def context(now):
    def later(hours):
        return now + timedelta(hours=hours)

    return {
        "now": now,
        "user": SimpleNamespace(is_authenticated=True, name="Ayşe K.", theme="", keys_on=True),
        "shell": {
            "demo": True,
            "search_url": "/search/",
            "sections": [
                {"title": "", "items": [{"url": "/", "label": "My work", "count": 12}]},
                {"title": "Queues", "items": [{"url": "/", "label": "Verification", "count": 1204, "current": True}]},
            ],
        },
        "number": "KYC-26-004813-9",
        "state": "in_review",
        "facts": [
            {"label": "Due", "due": later(2), "since": later(-24), "why_url": "#why"},
            {"label": "Risk", "value": "medium", "why_url": "#why"},
            {"label": "Responsible", "value": "Ayşe K."},
            {"label": "Player", "value": look.ltr("P-88213")},
        ],
        "present": ["Elif S."],
        "actions": [{"label": "Snooze", "url": "/snooze/"}],
        "primary": {"label": "Review the documents", "url": "/review/", "style": "primary", "key": "Enter"},
        "history": [
            {"at": later(-1), "icon": "eye", "title": "Identity, front, opened", "who": "Ayşe K."},
            {
                "at": later(-1),
                "icon": "note",
                "kind": "note",
                "title": "Note",
                "who": "Mehmet D.",
                "said": "m/n: Yıldırım?",
            },
            {
                "at": later(-2),
                "icon": "send",
                "kind": "sent",
                "title": "Message",
                "said": "وصلتنا رسالتك +90 532",
                "lang": "ar",
            },
        ],
        "states": list(look.STATES),
        "buttons": [
            {"label": "Propose", "url": "/", "style": "", "method": "post"},
            {"label": "Send to the player", "url": "/", "style": "out", "icon": "send"},
            {"label": "Freeze the account", "url": "/", "style": "heavy"},
            {"label": "Never mind", "url": "/", "style": "quiet"},
        ],
        "form": Sample({"number": "KYC-26-00481", "level": "L9"}),
        "rows": [
            {
                "number": n,
                "why": why,
                "who": who,
                "state": state,
                "due": later(due),
                "since": later(-age),
                "paused": paused,
            }
            for n, why, who, state, due, age, paused in ROWS
        ],
    }


def page_from(source, language="en", **given):
    """A template's text as HTML in a language."""
    with translation.override(language):
        return engines["django"].from_string(source).render(given)


def page_of_parts(language, now=None):
    """Every component as one page of HTML in a language."""
    return page_from((Path(__file__).parent / "parts.html").read_text(), language, **context(now or datetime.now(UTC)))
