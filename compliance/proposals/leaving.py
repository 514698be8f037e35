"""When a member of staff leaves, nobody waits for what they proposed: it expires now, and the managers hear of it."""

from django.db.models.functions import Now

from audit.actors import Acts
from compliance.people.access import leaving
from compliance.people.models import User
from compliance.proposals.models import Proposal
from compliance.proposals.querysets import ProposalQuerySet


def expire_proposals(user: User, *, by: Acts) -> int:
    """Of this sign-in; the sweep moves and records each (`proposals.expire`). The number goes into the main log, so it
    counts nothing of the AML side.
    """
    running: ProposalQuerySet = Proposal.objects.parked().filter(maker=user, expires_at__gt=Now())
    told = running.of_log("main").count()
    running.update(expires_at=Now())
    return told


leaving.register("proposals", expire_proposals)
