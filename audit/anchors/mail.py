"""The note by e-mail to auditors: their mailbox is out of the operator's reach.

Sent straight through Django's mail backend: `audit` stands below the outbox, and a letter that is lost is seen, because
the next one is sent within the hour and the alarm counts only what was handed over.
"""

from datetime import UTC, datetime
from email.utils import make_msgid

from django.core.mail import EmailMessage

from audit.anchors import CannotAnchor, Held, NotAsked, Proof, Prove

TEXT = """This is a signed checkpoint of the audit log {origin}: it has {size} entries.

Keep this letter. The attachment, handed to verify.py with --checkpoint, shows that nothing before it was rewritten.

{note}"""


class Letters:
    """`to` are the auditors' addresses."""

    form = "receipt"

    def __init__(self, to: list[str]) -> None:
        self._to = to

    def place(self, held: Held, last: int, prove: Prove) -> Proof:
        origin, size = held.checkpoint.origin, held.size
        number = make_msgid(idstring=str(size), domain=origin.partition("/")[0])
        letter = EmailMessage(
            subject=f"Checkpoint {size} of {origin}",
            body=TEXT.format(origin=origin, size=size, note=held.note),
            to=self._to,
            attachments=[(f"checkpoint-{size}", held.note.encode(), "application/octet-stream")],
            headers={"Message-ID": number},
        )
        try:
            if not letter.send():
                raise CannotAnchor("the mail server took no letter")
        except OSError as error:  # every error of smtplib is one
            raise CannotAnchor(f"the mail server did not take the letter: {type(error).__name__}") from None
        return Proof(number.encode(), datetime.now(UTC))

    def check(self, held: Held, proof: bytes) -> None:
        raise NotAsked("the auditors hold the letter: ask them for it")

    def recall(self, log: str, origin: str) -> list[str]:
        return []
