"""Who is behind a request, and which version of a record their page showed."""

from django.http import HttpRequest

from audit.perform import Denied
from compliance.people.models import User


def signed_in(request: HttpRequest) -> User:
    """The member of staff who signed in. The route's rule asked for one; without one nothing goes on."""
    if not isinstance(request.user, User):
        raise Denied("not_signed_in")
    return request.user


def version_shown(request: HttpRequest) -> int | None:
    """What the form's `version` field says; None when it says nothing."""
    text = request.POST.get("version", "")
    return int(text) if text.isdigit() else None
