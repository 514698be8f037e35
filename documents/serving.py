"""The original as an answer to a request: whole, or the range that was asked for (RFC 9110, section 14)."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from audit.actors import Acts
from documents.models import Document, State
from documents.refusals import NotReady
from documents.services import RENDITION_HEADERS, name_of, open_document, open_range

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class Outside(ValueError):
    """The range lies outside of the file."""


def original(
    document: Document, *, by: Acts, purpose: str, headers: Mapping[str, str], matter: str | None = None
) -> HttpResponseBase:
    """The original, byte for byte, to be saved and never shown. `headers` are the request's: Range and If-Range.

    Raises NotReady before the first byte; what fails later ends the connection, and the length tells that it is short.
    The read is recorded.
    """
    tag = f'"{bytes(document.ciphertext_digest).hex()[:32]}"'
    wanted = headers.get("Range", "")
    if headers.get("If-Range", tag) != tag:
        # The part that the asker holds is of something else (RFC 9110, 13.1.5; a date never matches).
        wanted = ""
    if document.state != State.READY:
        raise NotReady(f"the document is {document.state}")
    told = RENDITION_HEADERS | {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name_of(document), safe='')}",
        "ETag": tag,
    }
    try:
        part = asked(wanted, document.size)
    except Outside:
        return HttpResponse(status=416, headers=told | {"Content-Range": f"bytes */{document.size}"})
    if part is None:
        chunks = open_document(document, by=by, purpose=purpose, matter=matter)
        return _streamed(document, chunks, document.size, 200, told)
    start, stop = part
    chunks = open_range(document, start, stop, by=by, purpose=purpose, matter=matter)
    told["Content-Range"] = f"bytes {start}-{stop - 1}/{document.size}"
    return _streamed(document, chunks, stop - start, 206, told)


def asked(header: str, size: int) -> tuple[int, int] | None:
    """Start and stop of the one range asked for, None when the whole is wanted. Raises Outside.

    Several ranges, and what is no range, are answered with the whole, as RFC 9110 allows.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        start, stop = max(size - int(match[2]), 0), size
        if start == size:
            raise Outside
        return start, stop
    start = int(match[1])
    stop = min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < start:
        return None
    if start >= size:
        raise Outside
    return start, stop


def _streamed(
    document: Document, chunks: Iterator[bytes], length: int, status: int, headers: dict[str, str]
) -> StreamingHttpResponse:
    response = StreamingHttpResponse(chunks, status=status, content_type=document.media_type, headers=headers)
    response["Content-Length"] = str(length)
    return response
