"""What was measured of a document, in words for staff. Facts, never a verdict: judging is a person's work."""

from typing import Any

from django.utils.translation import gettext as _

from documents.models import Document, State


def value(document: Document, name: str) -> Any:
    """A measured value, None when it was not measured."""
    return document.facts.get(name, {}).get("value")


def malware_caption(document: Document) -> str:
    """Whether the file was scanned, for every page that shows the document."""
    said = value(document, "malware")
    if said == "clean":
        return _("Scanned for malware: nothing found.")
    if said == "found":
        return _("Malware was found in it.")
    if said in ("encrypted", "unscannable"):
        return _("It could not be scanned for malware.")
    if said is None and document.state == State.RECEIVED:
        return _("Not scanned for malware yet.")
    return _("Not scanned for malware: no scanner is set up.")
