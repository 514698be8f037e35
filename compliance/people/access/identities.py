"""What goes when whom the directory knows as a sign-in is forgotten: all that they could have set up by it."""

from allauth.mfa.models import Authenticator
from django.db import transaction

from audit.actors import Acts
from audit.record import record
from compliance.people.access import sessions
from compliance.people.access.models import End, Identity
from compliance.people.models import User


@transaction.atomic
def forget(user: User, *, by: Acts) -> bool:
    """The directory opens nothing here any more, and the owner starts anew. False when it knew nobody.

    Password and factors go too: whoever rules the directory may have set them, and would come back with them.
    """
    user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)  # a sign-in under way waits, or we for it
    gone, _by_model = Identity.objects.filter(user=user).delete()
    if gone:
        sessions.end_all(user, by=by, why=End.CHANGED)
        factors, _by_model = Authenticator.objects.filter(user=user).delete()
        user.set_unusable_password()
        user.save(update_fields=["password"])
        record("access.forget_in_directory", by=by, about=user, details={"factors": factors})
    return bool(gone)
