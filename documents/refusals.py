"""Why a file is not taken, in words for the person who sent it (GOV.UK's file upload errors: one message per cause)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from audit.perform import ConditionsNotMet

TEXTS: dict[str, Any] = {
    "no_file": _("Choose a file."),
    "wrong_type": _("The file must be a JPEG, a HEIC, a PNG or a PDF."),
    "wrong_name": _("The file's name or declared type does not fit its content. Send the file as it was made."),
    "too_large": _("The file must be smaller than 50 MB."),
    "too_large_request": _("The files sent at once must be smaller than 100 MB together. Send them one by one."),
    "too_many_pixels": _("The picture is too large. It must have fewer than 120 megapixels."),
    "empty": _("The file is empty."),
    "truncated": _("The file is not complete. Send it again from the device where it was made."),
    "password_protected": _("The file is protected with a password. Remove the password and send it again."),
    "bad_name": _("The file's name has characters that are not allowed. Rename the file and send it again."),
    "same_file": _("This file was handed in before. Send another one."),
    "too_many_files": _("No more files can be kept for this player. Staff can tell which of them are not needed."),
    "too_many_uploads": _("Too many of your files are still on their way. Finish or cancel one of them first."),
    "not_wanted": _("This file is not asked for any more."),
    "busy": _("The file could not be stored. Nothing of it was kept. Try again in a few minutes."),
}

# What the API and the log call it, where two texts share a code.
_CODES = {"wrong_name": "wrong_type", "too_many_pixels": "too_large", "too_large_request": "too_large"}


class Refused(ConditionsNotMet):
    """The file is not taken, nothing of it is left. `code` is for programs, `message` for who sent it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.code = _CODES.get(text, text)
        self.message = str(TEXTS[text])
        super().__init__([self.message])


class NotReady(Exception):
    """It cannot be shown: only a document that passed its inspection is, and only while its file is what it was."""
