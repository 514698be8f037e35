"""The single keys of the desk, and how each person changes or switches off single ones (WCAG 2.1.4)."""

from collections.abc import Mapping
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

KEYS: Final[Mapping[str, str | Promise]] = {
    "/": gettext_lazy("Search"),
    "j": gettext_lazy("Next row"),
    "k": gettext_lazy("Previous row"),
    "x": gettext_lazy("Select the row"),
    "n": gettext_lazy("Take the next case"),
    "f": gettext_lazy("Search in this list"),
    "g": gettext_lazy("Begin of “go to”"),
    ".": gettext_lazy("Copy the tracking number"),
    "?": gettext_lazy("Show the keyboard keys"),
    "o": gettext_lazy("Note"),
    "c": gettext_lazy("Contact"),
    "m": gettext_lazy("Message"),
    "d": gettext_lazy("Decision"),
    "1": gettext_lazy("Accept"),
    "2": gettext_lazy("Ask again"),
    "3": gettext_lazy("Refuse"),
    "+": gettext_lazy("Document: larger"),
    "-": gettext_lazy("Document: smaller"),
    "0": gettext_lazy("Document: fit"),
    "r": gettext_lazy("Document: rotate"),
}
NEVER: Final = "iı"  # in one place of the keyboard or the other, depending on the language


def changed(wanted: Mapping[str, str]) -> dict[str, str]:
    """What of {key: key of one's own} differs, "" being off. ValidationError by key for what cannot be."""
    wrong: dict[str, str] = {}
    own = {key: wanted.get(key, key).strip().lower() for key in KEYS}
    for key, mine in own.items():
        if not mine:
            continue
        if len(mine) > 1 or not mine.isprintable():
            wrong[key] = _("One letter, figure or sign; nothing switches it off.")
        elif mine in NEVER:
            wrong[key] = _("Another letter: this one is elsewhere on each keyboard.")
        elif list(own.values()).count(mine) > 1:
            wrong[key] = _("Two keys cannot be the same: %(key)s.") % {"key": mine}
    if wrong:
        raise ValidationError(wrong)
    return {key: mine for key, mine in own.items() if mine != key}
