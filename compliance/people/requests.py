"""Who is behind a request."""

from django.http import HttpRequest

from audit.perform import Denied
from compliance.people.models import User


def signed_in(request: HttpRequest) -> User:
    """The member of staff who signed in. The route's rule asked for one; without one nothing goes on."""
    if not isinstance(request.user, User):
        raise Denied("not_signed_in")
    return request.user
