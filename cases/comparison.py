"""What a paper says of a person beside what they declared: the same, or how different. A help for the eye, no verdict.

Names are compared without case, marks and order of their parts, because a machine-readable zone knows only the letters
from A to Z and puts the surname first: Işıl Yıldırım is YILDIRIM<<ISIL there (compliance.people.alike). The page says
by which fold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from compliance.look import day
from compliance.people import alike
from compliance.people.contacts import mask
from compliance.people.models import Customer
from compliance.people.services import known_of
from documents.by_eye import seen_in
from documents.models import Document, State
from documents.services import reading_of
from documents.wording import value

# The fold of the names, as the page states it.
FOLDS: Mapping[str, Any] = {
    "letters": _lazy("Names are compared without case, marks and order: İ, I and ı count as one letter."),
    "digraphs": _lazy("Names are compared as passports write them: ä as ae, ö as oe, ü as ue, ß as ss."),
    "script": _lazy("The names stand in two scripts: they are compared in Latin letters, as passports write them."),
    "sounds": _lazy("The names stand in two scripts, one without short vowels: only their consonants are compared."),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """`shown` is what the page shows of it (masked where the declared value is), `plain` the whole, `words` how it
    compares; `shape` and `tone` as in compliance.look. `by` is the fold under which names were compared.
    """

    shown: str
    plain: str
    words: str
    shape: str
    tone: str = ""
    by: str = ""
    eye: bool = False  # a person read it

    @property
    def fold(self) -> Any:
        """The same in words; "" where nothing was folded."""
        return FOLDS.get(self.by, "")


def of(customer: Customer, document: Document) -> Mapping[str, Compared]:
    """By field what was read on the paper: by a person, else in its zone; empty when nothing was read."""
    said = reading_of(document) if document.state == State.READY else {}
    seen, found = seen_in(said), {}
    zone = " ".join(filter(None, (said.get("given_names"), said.get("surname"))))
    if name := seen.get("full_name", zone):
        found["full_name"] = _name(customer.full_name, name)
    if birth := seen.get("birth_date", said.get("birth_on", "")):
        declared = known_of(customer, "birth_date")
        found["birth_date"] = _exact(mask("birth_date", date.fromisoformat(birth)), birth, declared)
    numbers = [said[key] for key in ("personal_number", "number") if said.get(key)]
    if "national_id" in seen:
        numbers = [seen["national_id"]]
    declared = known_of(customer, "national_id")
    # The number of a paper is no national id: only what a person read as one stands there by itself.
    if numbers and (declared or "national_id" in seen):
        number = declared if declared in numbers else numbers[0]
        found["national_id"] = _exact(mask("national_id", number), number, declared)
    return {field: replace(each, eye=field in seen) for field, each in found.items()}


def expiry(document: Document, *, today: date) -> Compared | None:
    """Until when the paper holds, as it says itself."""
    said = value(document, "expires_on")
    if not said or document.facts["expires_on"]["confidence"] < 50:
        return None
    last = date.fromisoformat(said)
    if last < today:
        return Compared(day(last), day(last), _("Expired"), "late", "bad")
    return Compared(day(last), day(last), _("Still valid"), "done", "plain")


def _name(declared: str, paper: str) -> Compared:
    like = alike.compare(declared, paper)
    if like.kind == "same":
        return Compared(paper, paper, _("Same"), "done", "plain", by=like.fold)
    if like.kind == "possible":
        return Compared(paper, paper, _("May be the same"), "again", "soon", by=like.fold)
    if like.kind == "close":
        words = ngettext("%(n)s letter differs", "%(n)s letters differ", like.apart) % {"n": like.apart}
        return Compared(paper, paper, words, "late", "bad", by=like.fold)
    if like.kind == "part":
        return Compared(paper, paper, _("Part of the name is missing"), "again", "soon", by=like.fold)
    return Compared(paper, paper, _("Another name"), "late", "bad", by=like.fold)


def _exact(shown: str, plain: str, declared: str) -> Compared:
    if not declared:
        return Compared(shown, plain, _("Only on the paper"), "again", "soon")
    if plain == declared:
        return Compared(shown, plain, _("Same"), "done", "plain")
    return Compared(shown, plain, _("Differs"), "late", "bad")


def dates_on(document: Document) -> dict[str, Any]:
    """What was read of the paper's dates, surely enough to be proposed; a person confirms or corrects it."""
    names = {"issued_on": "issued_on", "valid_until": "expires_on"}
    facts = {field: document.facts.get(name, {}) for field, name in names.items()}
    return {field: fact["value"] for field, fact in facts.items() if fact.get("confidence", 0) >= 50}
