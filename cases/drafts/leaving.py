"""When a member of staff leaves, what they were typing goes: nobody else can read it, and it was never said."""

from audit.actors import Acts
from cases.drafts.models import Draft
from compliance.people.access import leaving
from compliance.people.models import User


def forget_drafts(user: User, *, by: Acts) -> int:
    count, _by_model = Draft.objects.filter(user=user).delete()
    return count


leaving.register("drafts", forget_drafts)
