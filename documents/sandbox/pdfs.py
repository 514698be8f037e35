"""`python -m documents.sandbox.pdfs`: inspect one PDF or draw a page of it."""

import io
from collections.abc import Iterator
from typing import Any

import pikepdf
import pypdfium2

from documents.sandbox import quality
from documents.sandbox.box import LONGEST_SIDE, LONGEST_TEXT, Answer, Unscannable, fact, longest_of, serve
from documents.sandbox.watermark import as_pgm, finished, on_white

PAGES = 300
OBJECTS = 200_000
_PAGES_READ = 20
_STRINGS = 2000
_SHORTEST_SHEET = 800  # points: at most 216 dots per inch, or 432 for who looks closer
_WORTH_READING = 40  # characters; fewer are a stamp on a scan

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
        return {}, render(data, request["page"], request["mark"], longest=longest_of(request))
    return inspect(data, legible=bool(request.get("legible")))


def inspect(data: bytes, *, legible: bool) -> Answer:
    """What it is and what it says. With `legible`, a page without text of its own comes as a picture too."""
    try:
        with pikepdf.open(io.BytesIO(data), attempt_recovery=False, suppress_warnings=True) as pdf:
            pages, encrypted = len(pdf.pages), pdf.is_encrypted
            if pages > PAGES:
                raise Unscannable("too_many_pages")
            strings: list[str] = []
            active = sorted(set(_active(pdf, strings)))
    except pikepdf.PasswordError:
        raise Unscannable("password_protected") from None
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, IndexError, RuntimeError, RecursionError):
        raise Unscannable("damaged") from None
    if not pages:
        raise Unscannable("damaged")
    text, first = _read(data)
    facts = {"pages": fact(pages), "encrypted": fact(encrypted), "active_content": fact(active)}
    if active:
        return {"verdict": "quarantine", "reason": "active_content", "facts": facts, "text": ""}, b""
    picture = b""
    if len(text.strip()) < _WORTH_READING:
        facts |= quality.facts(on_white(first), size=first.size, form="PDF", camera=False)
        picture = as_pgm(quality.legible(on_white(first))) if legible else b""
    said = "\n".join([text, *strings])[:LONGEST_TEXT]
    return {"verdict": "pass", "reason": "", "facts": facts, "text": said}, picture


def _read(data: bytes) -> tuple[str, Any]:
    """The text of the first pages, and the first page as a picture."""
    first = _drawn(data, 1, longest=LONGEST_SIDE)
    try:
        with pypdfium2.PdfDocument(data) as document:
            pages = (document[number].get_textpage() for number in range(min(len(document), _PAGES_READ)))
            return "\n".join(page.get_text_bounded()[:LONGEST_TEXT] for page in pages)[:LONGEST_TEXT], first
    except pypdfium2.PdfiumError:
        raise Unscannable("damaged") from None


def _active(pdf: pikepdf.Pdf, strings: list[str]) -> Iterator[str]:
    """What in the file could act. Every object is asked, wherever it hangs; `strings` gets what they say."""
    for number, thing in enumerate(pdf.objects):
        if number > OBJECTS:
            raise Unscannable("takes_too_much")
        yield from _within(thing, strings, depth=0)


def _within(thing: Any, strings: list[str], depth: int) -> Iterator[str]:
    if depth > 20:
        raise Unscannable("takes_too_much")
    if isinstance(thing, pikepdf.Array):
        for item in thing:
            # What is an object of its own is asked by itself.
            if isinstance(item, (pikepdf.Array, pikepdf.Dictionary)) and not item.is_indirect:
                yield from _within(item, strings, depth + 1)
        return
    if not isinstance(thing, (pikepdf.Dictionary, pikepdf.Stream)):
        return
    for key, value in thing.items():
        if isinstance(value, pikepdf.String) and len(strings) < _STRINGS:
            strings.append(str(value)[:1000])
        if key in _KEYS:
            yield _KEYS[key]
        for name, known in (("/S", _ACTIONS), ("/Type", _TYPES), ("/Subtype", _SUBTYPES)):
            if key == name and isinstance(value, pikepdf.Name) and str(value) in known:
                yield known[str(value)]
        if isinstance(value, (pikepdf.Array, pikepdf.Dictionary)) and not value.is_indirect:
            yield from _within(value, strings, depth + 1)


def render(data: bytes, page: int, mark: str, *, longest: int) -> bytes:
    return finished(_drawn(data, page, longest=longest), mark, longest=longest)


def _drawn(data: bytes, page: int, *, longest: int) -> Any:
    """A page (from 1) as a picture whose longest side has `longest` pixels; of one smaller than A4, fewer."""
    try:
        with pypdfium2.PdfDocument(data) as document:
            if not 1 <= page <= len(document):
                raise Unscannable("no_such_page")
            sheet = document[page - 1]
            scale = longest / max(*sheet.get_size(), _SHORTEST_SHEET)
            return sheet.render(scale=scale, may_draw_forms=False).to_pil().copy()
    except pypdfium2.PdfiumError:
        raise Unscannable("damaged") from None


if __name__ == "__main__":
    serve(work)
