"""Opening queues and saying who may do what in them."""

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.record import record
from cases.kinds import kinds
from cases.models import Case, Queue, QueueGroupPermission
from cases.quality.services import give_back_of
from cases.services import release
from compliance.people.conflicts import own
from compliance.people.conflicts.models import ConflictOfInterest
from compliance.people.models import Customer, Licensee, Team, User
from compliance.people.roles import ROLES
from compliance.people.services import team_groups
from compliance.proposals.services import void_conflicted


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
    groups, rights = team_groups(team), _rights_on_queues()
    QueueGroupPermission.objects.bulk_create(
        [
            QueueGroupPermission(group=groups[name], permission_id=rights[permission], content_object=queue)
            for name, permissions in granted.items()
            for permission in permissions
        ],
        ignore_conflicts=True,
    )
    if made:
        details = {"team": team.slug, "licensee": licensee.slug, "kind": kind, "roles": sorted(granted)}
        record("cases.open_queue", by=by, about=queue, details=details)
    return queue


def _rights_on_queues() -> dict[str, int]:
    """The rights that a queue can give, by name."""
    rows = Permission.objects.filter(content_type=ContentType.objects.get_for_model(Queue))
    return dict(rows.values_list("codename", "pk"))


@transaction.atomic
def declare_conflict(
    user: User, customer: Customer, *, by: Acts, relation: str = ConflictOfInterest.Relation.OTHER
) -> ConflictOfInterest:
    """From now on this member of staff, under any sign-in, does not see this player's matters, and has none of them.

    What they proposed about this player and nobody decided yet is void.
    """
    _give_up(user, customer, by=by)
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
    void_conflicted(user, customer.audit_subject)
    return conflict


def _give_up(user: User, customer: Customer, *, by: Acts) -> None:
    for case in Case.objects.open().filter(customer=customer, assignee__human=user.human_id).order_by("pk"):
        release(case, by=by)
    give_back_of(customer, user, by=by)


def _give_up_own(user: User, customer: Customer) -> None:
    """Somebody of the staff was found to be this player."""
    _give_up(user, customer, by=system())
    void_conflicted(user, customer.audit_subject)


own.register(_give_up_own)
