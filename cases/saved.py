"""Views of the queue that somebody saved, for themselves or for their team."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.actors import SubjectRef
from audit.record import record
from cases.lists import Asked
from cases.models import SavedView
from compliance.people.models import Team, User


@transaction.atomic
def save_view(name: str, asked: Asked, *, by: User, team: Team | None = None) -> SavedView:
    """Keep a list under a name; the same name again replaces it. Words that were searched for are not kept.

    A name that is empty or too long, or a team that is not theirs, is a ValidationError.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= 40:
        raise ValidationError({"name": _("Give the view a name of at most 40 letters.")})
    if team is not None and not team.memberships.filter(user=by).exists():
        raise ValidationError({"team": _("You can share with your own teams only.")})
    query = asked.address(q="")
    view, _made = SavedView.objects.update_or_create(owner=by, name=name, defaults={"query": query, "team": team})
    details = {"name": name, "query": query, "team": team.slug if team else ""}
    record("cases.save_view", by=by, about=view, subject=_of(by), details=details)
    return view


@transaction.atomic
def drop_view(view: SavedView, *, by: User) -> None:
    """Remove one of their own."""
    record("cases.drop_view", by=by, about=view, subject=_of(by), details={"name": view.name})
    view.delete()


def _of(user: User) -> SubjectRef:
    return SubjectRef("staff", str(user.pk))
