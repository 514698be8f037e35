"""The original as an answer to a request: whole, or the range that was asked for (RFC 9110, section 14)."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from audit.actors import Acts
from documents.models import Document
from documents.services import RENDITION_HEADERS, name_of, open_document, open_range

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def original(
    document: Document, *, by: Acts, purpose: str, matter: str | None = None, wanted: str = ""
) -> HttpResponseBase:
    """The original, byte for byte, to be saved and never shown. `wanted` is the request's Range header.

    Raises NotReady before the first byte; what fails later ends the connection, and the length tells that it is short.
    The read is recorded.
    """
    headers = RENDITION_HEADERS | {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name_of(document), safe='')}",
        "ETag": f'"{bytes(document.ciphertext_digest).hex()[:32]}"',
    }
    part = asked(wanted, document.size)
    if part == ():
        return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{document.size}"})
    if part is None:
        chunks = open_document(document, by=by, purpose=purpose, matter=matter)
        return _streamed(document, chunks, document.size, 200, headers)
    start, stop = part
    chunks = open_range(document, start, stop, by=by, purpose=purpose, matter=matter)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{document.size}"
    return _streamed(document, chunks, stop - start, 206, headers)


def asked(header: str, size: int) -> tuple[int, int] | tuple[()] | None:
    """Start and stop of the one range asked for; () when it lies outside of the file, None when the whole is wanted.

    Several ranges, and what is no range, are answered with the whole, as RFC 9110 allows.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        return (size - length, size) if length else ()
    start = int(match[1])
    stop = min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < start:
        return None
    return (start, stop) if start < size else ()


def _streamed(
    document: Document, chunks: Iterator[bytes], length: int, status: int, headers: dict[str, str]
) -> StreamingHttpResponse:
    response = StreamingHttpResponse(chunks, status=status, content_type=document.media_type, headers=headers)
    response["Content-Length"] = str(length)
    return response
