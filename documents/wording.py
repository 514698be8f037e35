"""What was measured of a document, in words for staff. Facts, never a verdict: judging is a person's work."""

from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.look import day, percent
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


# What stands out in a picture, by the name of its measure (documents.sandbox.quality).
_FAULTS = {
    "small": gettext_lazy("Few pixels"),
    "blurred": gettext_lazy("Blurred"),
    "glare": gettext_lazy("Glare"),
    "dark": gettext_lazy("Too dark"),
    "bright": gettext_lazy("Burnt out"),
    "flat": gettext_lazy("Little contrast"),
    "tilted": gettext_lazy("Tilted"),
    "sideways": gettext_lazy("Lies on its side"),
    "noisy": gettext_lazy("Grainy"),
    "cut": gettext_lazy("An edge is cut off"),
    "screen_photo": gettext_lazy("May be a photograph of a screen"),
    "screenshot": gettext_lazy("May be a screenshot"),
}
_WORTH_SAYING = 50  # percent
_CHECKS = {
    "number": gettext_lazy("document number"),
    "birth": gettext_lazy("date of birth"),
    "expiry": gettext_lazy("expiry date"),
    "personal_number": gettext_lazy("personal number"),
    "composite": gettext_lazy("whole zone"),
}


def hints(document: Document) -> list[str]:
    """What was measured and is worth a look, each with how sure it is. Nothing of it judges the paper."""
    lines = [_sure(str(_FAULTS[name]), document.facts[name]) for name in value(document, "faults") or []]
    if value(document, "upside_down"):
        lines.append(_sure(_("Stands on its head"), document.facts["upside_down"]))
    if value(document, "mrz"):
        failed = [str(_CHECKS[name]) for name in value(document, "mrz_failed") or []]
        zone = _("Machine-readable zone (%(form)s): its check digits hold.")
        if failed:
            zone = _("Machine-readable zone (%(form)s): check digits do not hold for %(parts)s.")
        lines.append(zone % {"form": value(document, "mrz"), "parts": ", ".join(failed)})
    for name, words in (("expires_on", _("Valid until %(day)s")), ("issued_on", _("Issued on %(day)s"))):
        # A guess is worth nobody's look.
        if value(document, name) and document.facts[name]["confidence"] >= _WORTH_SAYING:
            lines.append(_sure(words % {"day": _day(document, name)}, document.facts[name]))
    if value(document, "text") == "not_read":
        lines.append(_("Its print was not read: no text recognition is set up."))
    return lines


def why_not_shown(document: Document) -> str:
    """Why there is no picture of it, and what to do; empty when there is one."""
    if document.state == State.READY:
        return ""
    if document.state == State.RECEIVED:
        return _("The file is being checked. Look again in a few seconds.")
    if document.reason == "card_data":
        return _("Card data was found on this file, so it was destroyed. Ask the player for one without it.")
    if document.reason == "password_protected":
        return _("The file is protected with a password. Ask the player for one without it.")
    if document.reason == "not_readable_here":
        return _("HEIC cannot be opened safely on this installation. Ask the player for a JPEG.")
    return _("This file cannot be shown. Ask the player for another one.")


def _sure(what: str, fact: dict[str, Any]) -> str:
    return _("%(what)s (%(percent)s sure)") % {"what": what, "percent": percent(fact["confidence"] / 100)}


def _day(document: Document, name: str) -> str:
    return day(date.fromisoformat(value(document, name)))
