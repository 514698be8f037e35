"""Files of a case: handed in, listed, taken. Part of `Mizan`."""

import mimetypes
import urllib.parse
import uuid
from collections.abc import Iterator

from mizan_client.calls import Calls, part
from mizan_client.types import EvidenceOut, FileOut


class Files(Calls):
    def documents(self, number: str) -> list[FileOut]:
        """Every file of a case with what became of it."""
        found: list[FileOut] = self._get(f"/cases/{part(number)}/documents")["items"]
        return found

    def document(self, number: str, document: str) -> FileOut:
        found: FileOut = self._get(f"/cases/{part(number)}/documents/{part(document)}")
        return found

    def evidence(self, number: str, **filters: str | int) -> Iterator[EvidenceOut]:
        """Every file with its verdict and why, as the player was told, the newest first. `filters`: purpose, status."""
        return self._all(f"/cases/{part(number)}/evidence", filters)

    def one_evidence(self, number: str, evidence: str) -> EvidenceOut:
        found: EvidenceOut = self._get(f"/cases/{part(number)}/evidence/{part(evidence)}")
        return found

    def hand_in(
        self, number: str, content: bytes, *, name: str, purpose: str, document_type: str, idempotency_key: str = ""
    ) -> FileOut:
        """A JPEG, HEIC, PNG or PDF of at most 50 MiB for one thing that the case asks for.

        Each call asks anew, so what was refused for want of room can be handed in later. Give the client a longer
        `time_out` for large files; over connections that break, use tus (docs/reference/api.md) and any client of it.
        """
        mark = uuid.uuid4().hex
        fields = {"purpose": purpose, "document_type": document_type}
        body = _multipart(mark, fields, name, content)
        # The mark is as random as a key has to be, and the same in each try of this call.
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}", "Idempotency-Key": idempotency_key or mark}
        found: FileOut = self._json(self._send("POST", f"/cases/{part(number)}/documents", body, headers))
        return found

    def original(self, number: str, document: str, *, reason: str) -> bytes:
        """The file byte for byte. `reason`: authority, dispute, examination, player_asked or audit; it is logged."""
        query = urllib.parse.urlencode({"reason": reason})
        return self._send("GET", f"/cases/{part(number)}/documents/{part(document)}/original?{query}")


def _multipart(mark: str, fields: dict[str, str], name: str, content: bytes) -> bytes:
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()
    ]
    named = name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{named}"\r\nContent-Type: {kind}\r\n\r\n'
    )
    return "".join([*parts, head]).encode() + content + f"\r\n--{mark}--\r\n".encode()
