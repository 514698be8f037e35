"""`python -m documents.sandbox.pdfs`: inspect one PDF or draw a page of it."""

import io
from collections.abc import Iterator
from typing import Any

import pikepdf
import pypdfium2

from documents.sandbox.box import LONGEST_SIDE, Answer, Unscannable, fact, serve
from documents.sandbox.watermark import finished

PAGES = 300
OBJECTS = 200_000

# PDF 32000-1: action types (12.6.4) and structures that run, fetch, send or carry other files.
_ACTIONS = {
    "/JavaScript": "javascript",
    "/Launch": "launch",
    "/ImportData": "import_data",
    "/SubmitForm": "submit_form",
    "/Rendition": "rich_media",
    "/GoToE": "embedded_file",
}
_TYPES = {"/EmbeddedFile": "embedded_file"}
_SUBTYPES = {
    "/RichMedia": "rich_media",
    "/FileAttachment": "embedded_file",
    "/3D": "rich_media",
    "/Screen": "rich_media",
}
_KEYS = {
    "/JS": "javascript",
    "/JavaScript": "javascript",
    "/EmbeddedFiles": "embedded_file",
    "/EF": "embedded_file",
    "/XFA": "xfa",
}


def work(request: dict[str, Any], data: bytes) -> Answer:
    if request["act"] == "render":
        return {}, render(data, request["page"], request["mark"])
    return inspect(data), b""


def inspect(data: bytes) -> dict[str, Any]:
    try:
        with pikepdf.open(io.BytesIO(data), attempt_recovery=False, suppress_warnings=True) as pdf:
            pages, encrypted = len(pdf.pages), pdf.is_encrypted
            if pages > PAGES:
                raise Unscannable("too_many_pages")
            active = sorted(set(_active(pdf)))
    except pikepdf.PasswordError:
        raise Unscannable("password_protected") from None
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, IndexError, RuntimeError, RecursionError):
        raise Unscannable("damaged") from None
    if not pages:
        raise Unscannable("damaged")
    _drawn(data, 1, longest=200)
    facts = {"pages": fact(pages), "encrypted": fact(encrypted), "active_content": fact(active)}
    if active:
        return {"verdict": "quarantine", "reason": "active_content", "facts": facts}
    return {"verdict": "pass", "reason": "", "facts": facts}


def _active(pdf: pikepdf.Pdf) -> Iterator[str]:
    """What in the file could act. Every object is asked, wherever it hangs."""
    for number, thing in enumerate(pdf.objects):
        if number > OBJECTS:
            raise Unscannable("takes_too_much")
        yield from _within(thing, depth=0)


def _within(thing: Any, depth: int) -> Iterator[str]:
    if depth > 20:
        raise Unscannable("takes_too_much")
    if isinstance(thing, pikepdf.Array):
        for item in thing:
            # What is an object of its own is asked by itself.
            if isinstance(item, (pikepdf.Array, pikepdf.Dictionary)) and not item.is_indirect:
                yield from _within(item, depth + 1)
        return
    if not isinstance(thing, (pikepdf.Dictionary, pikepdf.Stream)):
        return
    for key, value in thing.items():
        if key in _KEYS:
            yield _KEYS[key]
        for name, known in (("/S", _ACTIONS), ("/Type", _TYPES), ("/Subtype", _SUBTYPES)):
            if key == name and isinstance(value, pikepdf.Name) and str(value) in known:
                yield known[str(value)]
        if isinstance(value, (pikepdf.Array, pikepdf.Dictionary)) and not value.is_indirect:
            yield from _within(value, depth + 1)


def render(data: bytes, page: int, mark: str) -> bytes:
    return finished(_drawn(data, page, longest=LONGEST_SIDE), mark)


def _drawn(data: bytes, page: int, *, longest: int) -> Any:
    """A page (from 1) as a picture whose longest side has `longest` pixels, at most 216 dots per inch."""
    try:
        with pypdfium2.PdfDocument(data) as document:
            if not 1 <= page <= len(document):
                raise Unscannable("no_such_page")
            sheet = document[page - 1]
            side = max(sheet.get_size())
            return sheet.render(scale=min(longest / max(side, 1), 3.0), may_draw_forms=False).to_pil().copy()
    except pypdfium2.PdfiumError:
        raise Unscannable("damaged") from None


if __name__ == "__main__":
    serve(work)
