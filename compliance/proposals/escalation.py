"""Nobody decided in time: the managers who may know of the matter are told. Nothing is decided by it."""

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from audit.actors import system
from audit.record import record
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.people.conflicts.queries import stands_between
from compliance.people.models import Membership, User
from compliance.proposals import acts
from compliance.proposals.models import Proposal

ESCALATE = "proposals.escalate"
REPORTING = ("mlro", "deputy_mlro")


def managers_of(proposal: Proposal) -> list[User]:
    """The managers of the maker's teams who see what it is about, under any sign-in of the maker; not the maker.
    Of the AML side: its reporting officers and their deputies, whatever their team.

    Nobody where the act or its subject is gone: then nobody can say who may know of it.
    """
    act = acts.acts().get(proposal.act)
    try:
        with transaction.atomic():
            subject = act.load(proposal.subject_id) if act else None
    except ObjectDoesNotExist:
        return []
    if act is None:
        return []
    now = Q(tenure=None) | Q(tenure__until=None) | Q(tenure__until__gt=Now())
    teams = Membership.objects.filter(user__human_id=proposal.maker_human_id).values("team")
    told = Q(role__in=REPORTING) if proposal.log == "aml" else Q(role="manager", team__in=teams)
    managing = Membership.objects.filter(now, told).values("user")
    found = User.objects.filter(pk__in=managing, is_active=True).exclude(human_id=proposal.maker_human_id)
    return [
        user
        for user in found.order_by("email")
        if act.is_known_to(subject, user) and not stands_between(user, proposal.audit_subject)
    ]


def deliver(row: OutboxRow) -> None:
    """Write to each manager. It may run twice: who was told is not told again, and each mail carries its own id."""
    # Asked before: `load` locks the subject, and whoever holds the proposal's lock waits for no subject.
    managers = managers_of(Proposal.objects.get(pk=row.payload["proposal_id"]))
    with transaction.atomic():
        rows = Proposal.objects.select_for_update(of=("self",))
        proposal = rows.get(pk=row.payload["proposal_id"])
        if proposal.escalated_at is not None:
            return
        for manager in managers:
            _mail(proposal, manager).send()
        proposal.escalated_at = timezone.now()
        proposal.save(update_fields=["escalated_at"])
        details = {"act": proposal.act, "managers": [str(manager.pk) for manager in managers]}
        record(ESCALATE, by=system(), about=proposal, details=details)


def _mail(proposal: Proposal, manager: User) -> EmailMessage:
    """In the manager's language; nothing of the matter: an inbox is not ours, and rights may end before it is read."""
    with override(manager.language):
        subject = _("A proposal expired without a decision")
        text = _("Nobody decided this in time, and nothing changed. See that somebody proposes it again.")
        link = settings.BASE_URL + reverse("proposals:list")
    mail = EmailMessage(subject, f"{text}\n\n{link}", settings.DEFAULT_FROM_EMAIL, [manager.email])
    mail.extra_headers["Message-ID"] = f"<{proposal.pk}.{manager.pk}@{settings.AUDIT_ORIGIN}>"
    return mail


register(ESCALATE, deliver)
