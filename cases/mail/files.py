"""Files of letters: held sealed with the letter, then taken by the vault as any other file, or refused by it."""

import io
from collections.abc import Sequence

from audit.actors import SubjectRef, system
from audit.cards import without_cards
from audit.record import record
from cases.mail.models import Letter, LetterFile
from cases.mail.parsing import File
from compliance.keys.services import open_sealed, seal
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from documents.services import Refused, kept_or_removed, receive
from documents.uploads import seal_file

KEEP = "mail.keep_files"
NAME, DATA = "mail.file_name", "mail.file"
TRY_AGAIN = "busy"  # the vault could not write now


class VaultBusy(RuntimeError):
    """The vault could not take a file now; the row of the outbox comes back."""


def hold(letter: Letter, found: Sequence[File]) -> None:
    for place, file in enumerate(found):
        row = LetterFile(letter=letter, place=place, media_type=file.declared, size=len(file.data))
        row.name_sealed = _seal(row, NAME, without_cards(file.name).encode("utf-8", "replace"), letter.audit_subject)
        row.data_sealed = _seal(row, DATA, file.data, letter.audit_subject)
        row.save(force_insert=True)


def reseal(letter: Letter, subject: SubjectRef) -> None:
    """Under another key: what is held, and every name. Runs before the letter itself changes hands."""
    for row in letter.files.select_related("letter"):
        row.name_sealed = _seal(row, NAME, name_of(row).encode(), subject)
        if row.data_sealed is not None:
            row.data_sealed = _seal(row, DATA, _open(row, DATA, bytes(row.data_sealed)), subject)
        row.save(update_fields=["name_sealed", "data_sealed"])


def name_of(row: LetterFile) -> str:
    return _open(row, NAME, bytes(row.name_sealed)).decode() if row.name_sealed else ""


def keep(row: OutboxRow) -> None:
    """Hand every held file of a matched letter to the vault. Runs again where it stopped."""
    letter = (
        Letter.objects.select_for_update(of=("self",))
        .select_related("case", "customer")
        .get(pk=row.payload["letter_id"])
    )
    if letter.state != Letter.State.MATCHED:
        return
    for file in letter.files.filter(standing=LetterFile.State.HELD).order_by("place"):
        file.letter = letter
        _keep(file)


def _keep(file: LetterFile) -> None:
    letter = file.letter
    assert letter.customer is not None and letter.case is not None and file.data_sealed is not None
    stream = io.BytesIO(_open(file, DATA, bytes(file.data_sealed)))
    upload = seal_file(customer=letter.customer, name=name_of(file), stream=stream)
    try:
        with kept_or_removed(upload):
            document = receive(customer=letter.customer, upload=upload, by=system(), matter=letter.case.number)
            file.document, file.standing, file.data_sealed = document, LetterFile.State.RECEIVED, None
            file.save(update_fields=["document", "standing", "data_sealed"])
    except Refused as refused:
        if refused.code == TRY_AGAIN:
            raise VaultBusy from refused
        file.standing, file.refusal, file.data_sealed = LetterFile.State.REFUSED, refused.code, None
        file.save(update_fields=["standing", "refusal", "data_sealed"])
        record("mail.refuse_file", by=system(), about=file, details={"code": refused.code})
    finally:
        upload.close()


def _seal(row: LetterFile, purpose: str, data: bytes, subject: SubjectRef) -> bytes:
    return seal(subject, purpose, data, aad=row.pk.bytes)


def _open(row: LetterFile, purpose: str, sealed: bytes) -> bytes:
    return open_sealed(row.audit_subject, purpose, sealed, aad=row.pk.bytes)


register(KEEP, keep)
