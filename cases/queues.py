"""Opening queues and saying who may do what in them."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from guardian.shortcuts import assign_perm

from audit.actors import Acts
from audit.record import record
from cases.kinds import kinds
from cases.models import Case, ConflictOfInterest, Queue
from cases.services import release
from compliance.people.models import Customer, Licensee, Team, User
from compliance.people.roles import ROLES
from compliance.people.services import team_group


@transaction.atomic
def open_queue(team: Team, licensee: Licensee, kind: str, *, by: Acts) -> Queue:
    """A team's queue for one kind at one licensee. Each role of the team gets what it says; twice changes nothing.

    A kind that nobody registered is a ValidationError.
    """
    if kind not in kinds():
        facts = {"kind": kind, "known": ", ".join(sorted(kinds()))}
        raise ValidationError({"kind": _("There is no kind of case %(kind)s. Known: %(known)s.") % facts})
    queue, made = Queue.objects.get_or_create(team=team, licensee=licensee, kind=kind)
    granted = {role.name: role.queue_permissions for role in ROLES.values() if role.queue_permissions}
    for name, permissions in granted.items():
        group = team_group(team, name)
        for permission in permissions:
            assign_perm(permission, group, queue)
    if made:
        details = {"team": team.slug, "licensee": licensee.slug, "kind": kind, "roles": sorted(granted)}
        record("cases.open_queue", by=by, about=queue, details=details)
    return queue


@transaction.atomic
def declare_conflict(
    user: User, customer: Customer, *, by: Acts, relation: str = ConflictOfInterest.Relation.OTHER
) -> ConflictOfInterest:
    """From now on this member of staff, under any sign-in, does not see this player's matters, and has none of them."""
    for case in Case.objects.open().filter(customer=customer, assignee__human=user.human_id).order_by("pk"):
        release(case, by=by)
    conflict, made = ConflictOfInterest.objects.get_or_create(
        user=user, customer=customer, defaults={"relation": relation}
    )
    if made:
        record(
            "cases.declare_conflict",
            by=by,
            about=conflict,
            subject=customer.audit_subject,
            details={"user": str(user.pk), "relation": conflict.relation},
        )
    return conflict
