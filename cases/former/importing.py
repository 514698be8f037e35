"""Open cases of a former system from a file (compliance.rows): one a row, by the number that they had there.

Columns by our names: number, reference (of the player's account, who is here already), opened_on, and where known note;
beside them those of the kind (Kind.taken_columns), such as the level of a verification. Work begins anew here: a file
carries no verdicts. What was due counts from the day on which the case was opened there.
"""

from collections.abc import Iterable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.cards import without_cards
from audit.record import record
from cases import timeline
from cases.former.models import FormerNumber
from cases.kinds import Kind
from cases.models import Case
from compliance.keys.services import open_sealed, seal
from compliance.people.models import Account, Licensee
from compliance.rows import Columns, Intake, Taken

BLOCK: Final = 25  # few: the rows of their customers are held until a block is done
NOTE: Final = "former.note"
NEEDED: Final = ("number", "reference", "opened_on")


def take_in(licensee: Licensee, kind: Kind, path: Path, *, by: Acts, dry_run: bool = False, **how: Any) -> Taken:
    """Take a file in, or go on with it. `how` is that of Intake.run. Raises FileRefused."""
    columns = Columns("number", NEEDED, (*NEEDED, "note", *kind.taken_columns), _beyond)
    take = partial(_take, licensee, kind, by=by)
    done = Intake(path, columns, partial(_here, licensee), take, BLOCK).run(dry_run=dry_run, **how)
    if not dry_run:
        with transaction.atomic():
            counts = {"kind": kind.name, "rows": done.rows, "opened": done.taken, "refused": done.refused}
            record("former.import", by=by, about=licensee, details=counts)
    return done


def _here(licensee: Licensee, found: list[str]) -> set[str]:
    rows = FormerNumber.objects.filter(licensee=licensee, number__in=found)
    return set(rows.values_list("number", flat=True))


def _take(licensee: Licensee, kind: Kind, given: dict[str, str], *, by: Acts) -> None:
    account = Account.objects.filter(licensee=licensee, reference=given["reference"], released_at=None).first()
    if account is None:
        raise ValidationError({"reference": _("There is no such account. Take the players in first.")})
    number, opened_on = given["number"], _day(given["opened_on"])
    if opened_on > licensee.today():
        raise ValidationError({"opened_on": _("This day lies in the future.")})
    assert kind.take_over is not None
    case = kind.take_over(account, {name: given.get(name, "") for name in kind.taken_columns}, opened_on, by=by)
    former = FormerNumber(case=case, licensee=licensee, number=number, opened_on=opened_on)
    note = without_cards(given["note"]) if "note" in given else None
    if note is not None:
        former.note_sealed = seal(case.audit_subject, NOTE, note.encode(), aad=case.pk.bytes)
    former.full_clean(exclude=["case", "licensee"])
    former.save(force_insert=True)
    details = {"number": number, "opened_on": opened_on}
    record("former.take_over", by=by, about=former, details=details, note=note)


def _notes(case: Case, ids: Iterable[UUID]) -> dict[str, tuple[str, str]]:
    rows: Any = FormerNumber.objects.filter(case=case, pk__in=list(ids)).exclude(note_sealed=None)
    said = [
        (row, open_sealed(case.audit_subject, NOTE, bytes(row.note_sealed), aad=row.pk.bytes).decode()) for row in rows
    ]
    return {str(row.pk): (words, "") for row, words in said}


timeline.speaks("former.take_over", _notes)


def _beyond(names: str) -> str:
    return _("Not known here: %(names)s. Take it out of the file, or put it into the column note.") % {"names": names}


def _day(said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise ValidationError({"opened_on": _("Enter a date such as 1990-12-31.")}) from None
