"""tus 1.0 (tus.io): a file for a case, sent in pieces that survive a broken connection. For pages and for the API.

Core protocol with the extensions creation, expiration, checksum and termination. `Upload-Metadata` says what the file
is and what for: filename, filetype, purpose, document_type. Errors are problem documents. What is special here: a
file that is not taken answers 422 (413 where there is no room for it) at whichever request shows it, and the header
`Upload-Result` names the evidence once the last byte came. A request that is repeated after that changes nothing.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import http_date
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.perform import ConditionsNotMet
from cases import kinds, services
from compliance.platform.problems import problem
from documents import resumable
from documents.models import PartialUpload
from documents.refusals import Refused
from documents.resumable import Over, WrongChecksum, WrongOffset
from documents.uploads import LARGEST, SealedUpload

VERSION = "1.0.0"
ALGORITHMS = ("sha1", "sha256")  # sha1 because the protocol names it for everybody
PIECE_TYPE = "application/offset+octet-stream"
_NO_ROOM = frozenset({"too_large", "too_many_files", "too_many_uploads"})
_CHECKSUM_MISMATCH = 460  # tus, checksum extension

Address = Callable[[UUID], str]


def capabilities() -> HttpResponse:
    return _answer(
        204,
        {
            "Tus-Version": VERSION,
            "Tus-Extension": "creation,expiration,checksum,termination",
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
            "Tus-Max-Size": str(LARGEST),
        },
    )


def create(request: HttpRequest, case: Any, *, by: Acts, address: Address) -> HttpResponse:
    """Make room for a file of this case; `address` tells where its pieces go."""
    if wrong := _wrong_version(request):
        return wrong
    try:
        takes = services.require_to_bring(case, by=by)
    except ConditionsNotMet as unmet:
        return problem(request, 422, detail=" ".join(map(str, unmet.reasons)))
    try:
        said, size = _metadata(request), int(request.headers.get("Upload-Length", ""))
    except ValueError:
        return problem(request, 400, detail=_("Upload-Length and Upload-Metadata are needed."))
    target = {name: said.get(name, "") for name in ("purpose", "document_type")}
    if tuple(target.values()) not in kinds.lookup(takes.kind).offers(takes) or takes.closed_at is not None:
        return problem(request, 422, detail=_("This case does not ask for that."))
    try:
        upload = resumable.begin(
            customer=case.customer,
            name=said.get("filename", ""),
            declared=said.get("filetype", ""),
            size=size,
            matter=case.number,
            target=target,
            by=by,
        )
    except Refused as refused:
        return _refused(request, refused)
    return _answer(201, _standing(upload) | {"Location": address(upload.pk)})


def answer(request: HttpRequest, case: Any, upload_id: UUID, *, by: Acts) -> HttpResponse:
    """HEAD tells how far it is, PATCH adds a piece, DELETE gives it up. Only its sender finds it."""
    if wrong := _wrong_version(request):
        return wrong
    upload = resumable.find(upload_id, matter=case.number, by=by)
    if upload is None:
        raise Http404("no such upload")
    try:
        services.require_to_bring(case, by=by)
        if request.method == "PATCH":
            return _patched(request, case, upload, by=by)
        if request.method == "DELETE":
            resumable.abandon(upload, by=by)
            return _answer(204, {})
        return _finished(request, case, upload, by=by, status=200)
    except Refused as refused:
        return _refused(request, refused)
    except ConditionsNotMet as unmet:
        return problem(request, 422, detail=" ".join(map(str, unmet.reasons)))


def _patched(request: HttpRequest, case: Any, upload: PartialUpload, *, by: Acts) -> HttpResponse:
    if request.content_type != PIECE_TYPE:
        return problem(request, 415, detail=PIECE_TYPE)
    try:
        offset, length = int(request.headers.get("Upload-Offset", "")), int(request.headers.get("Content-Length", ""))
        checksum = _checksum(request)
    except ValueError:
        return problem(request, 400, detail=_("Upload-Offset, Content-Length or Upload-Checksum cannot be read."))
    if upload.has_ended and (offset, length) == (upload.size, 0):
        return _finished(request, case, upload, by=by, status=204)
    # A piece that its sender signed is kept as a whole or not at all, as one with a checksum is.
    checksum = checksum or getattr(request, "signed_digest", None)
    try:
        upload = resumable.append(upload, request, offset=offset, length=length, checksum=checksum)
    except WrongOffset as wrong:
        detail = _("The upload stands at another byte.")
        return problem(request, 409, code="wrong_offset", detail=detail, headers=_told(wrong.offset))
    except WrongChecksum:
        detail = _("The bytes that came are not those that were sent. Send them again.")
        return problem(request, _CHECKSUM_MISMATCH, code="checksum_mismatch", detail=detail, headers=_told(offset))
    except Over:
        return problem(request, 410, code="upload_over", detail=_("This upload has expired. Begin a new one."))
    return _finished(request, case, upload, by=by, status=204)


def _finished(request: HttpRequest, case: Any, upload: PartialUpload, *, by: Acts, status: int) -> HttpResponse:
    """How it stands; when the last byte is there, the file is handed in first."""

    def bring(whole: SealedUpload) -> UUID:
        try:
            evidence_id: UUID = services.bring(case, whole, by=by, **upload.target).pk
            return evidence_id
        finally:
            whole.close()

    if upload.offset == upload.size or upload.refusal:
        upload = resumable.complete(upload, bring)
    return _answer(status, _standing(upload))


def _standing(upload: PartialUpload) -> dict[str, str]:
    told = {
        "Upload-Offset": str(upload.offset),
        "Upload-Length": str(upload.size),
        "Upload-Expires": http_date(upload.expires_at.timestamp()),
    }
    return told | ({"Upload-Result": str(upload.result)} if upload.result else {})


def _answer(status: int, headers: dict[str, str]) -> HttpResponse:
    return HttpResponse(status=status, headers={"Tus-Resumable": VERSION, "Cache-Control": "no-store"} | headers)


def _told(offset: int) -> dict[str, str]:
    return {"Tus-Resumable": VERSION, "Upload-Offset": str(offset)}


def _refused(request: HttpRequest, refused: Refused) -> HttpResponse:
    status = 503 if refused.text == "busy" else 413 if refused.text in _NO_ROOM else 422
    return problem(request, status, code=refused.code, detail=refused.message, headers={"Tus-Resumable": VERSION})


def _wrong_version(request: HttpRequest) -> HttpResponse | None:
    if request.headers.get("Tus-Resumable") == VERSION:
        return None
    return problem(request, 412, detail=f"Tus-Resumable: {VERSION}", headers={"Tus-Version": VERSION})


def _metadata(request: HttpRequest) -> dict[str, str]:
    """Keys and what they say. Raises ValueError."""
    said = {}
    for pair in filter(None, request.headers.get("Upload-Metadata", "").split(",")):
        key, _space, value = pair.strip().partition(" ")
        said[key] = base64.b64decode(value, validate=True).decode()
    return said


def _checksum(request: HttpRequest) -> tuple[str, bytes] | None:
    """Raises ValueError for one that cannot be read, or an algorithm that is not known."""
    if (said := request.headers.get("Upload-Checksum")) is None:
        return None
    algorithm, _space, value = said.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise ValueError(algorithm)
    try:
        return algorithm, base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError(value) from error
