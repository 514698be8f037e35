"""Nobody decided in time: the managers are told. Nothing is decided by it."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from audit.actors import system
from audit.record import record
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.people.models import Membership, User
from compliance.proposals import acts
from compliance.proposals.models import Proposal

ESCALATE = "proposals.escalate"


def managers_of(proposal: Proposal) -> "QuerySet[User]":
    """The managers of the maker's teams, under any sign-in of the maker; not the maker."""
    teams = Membership.objects.filter(user__human_id=proposal.maker_human_id).values("team")
    managing = Membership.objects.filter(role="manager", team__in=teams).values("user")
    found = User.objects.filter(pk__in=managing, is_active=True).exclude(human_id=proposal.maker_human_id)
    return found.order_by("email")


def deliver(row: OutboxRow) -> None:
    """Write to each manager. It may run twice: who was told is not told again, and each mail carries its own id."""
    with transaction.atomic():
        rows = Proposal.objects.select_for_update(of=("self",))
        proposal = rows.get(pk=row.payload["proposal_id"])
        if proposal.escalated_at is not None:
            return
        managers = list(managers_of(proposal))
        for manager in managers:
            _mail(proposal, manager).send()
        proposal.escalated_at = timezone.now()
        proposal.save(update_fields=["escalated_at"])
        details = {"act": proposal.act, "managers": [str(manager.pk) for manager in managers]}
        record(ESCALATE, by=system(), about=proposal, details=details)


def _mail(proposal: Proposal, manager: User) -> EmailMessage:
    """In the manager's language; no more of the matter than its number."""
    with override(manager.language):
        known = acts.acts().get(proposal.act)
        facts = {"title": known.title if known else proposal.act, "number": proposal.matter}
        subject = _("Expired without a decision: %(title)s %(number)s") % facts
        text = _("Nobody decided this in time, and nothing changed. See that somebody proposes it again.")
        link = settings.BASE_URL + reverse("proposals:list")
    mail = EmailMessage(subject.strip(), f"{text}\n\n{link}", settings.DEFAULT_FROM_EMAIL, [manager.email])
    mail.extra_headers["Message-ID"] = f"<{proposal.pk}.{manager.pk}@{settings.AUDIT_ORIGIN}>"
    return mail


register(ESCALATE, deliver)
