"""Signing in with a passkey alone."""

from typing import Any

from allauth.mfa.webauthn.forms import LoginWebAuthnForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from audit.actors import Anonymous
from audit.record import ObjectRef, record_refusal
from compliance.people.models import User

NOT_KNOWN = _("This passkey opens no sign-in here. Choose another one, or sign in with your password.")


class PasskeyForm(LoginWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """allauth's, which calls a passkey an incorrect code and tells nobody of one that was refused."""

    def clean_credential(self) -> Any:
        """The authenticator. Raises ValidationError for what was signed by no key of ours, after an entry of it.

        That entry names nobody: whose key it says it is comes from whoever sent it. The right key of a closed sign-in
        is named, and answered alike.
        """
        try:
            authenticator = super().clean_credential()
        except ValidationError:
            raise _refused(ObjectRef("user", "unknown"), "unknown_passkey") from None
        if not authenticator.user.is_active:
            raise _refused(authenticator.user, "inactive")
        return authenticator


def _refused(about: User | ObjectRef, reason: str) -> ValidationError:
    record_refusal("people.fail_sign_in", by=Anonymous(), about=about, reason=reason)
    return ValidationError(NOT_KNOWN, code="unknown_passkey")
