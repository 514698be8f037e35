"""A file that is here already proves something else as well: offered for a second purpose, which is judged apart.

In the case where it lies, or in the one that the same player has open now. Nothing is uploaded again, and the bytes are
kept once.
"""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet
from cases import kinds
from cases.models import Case, Evidence
from cases.permissions import WORK, may
from cases.services import attach, require
from compliance.people.models import User
from documents.models import Document

USABLE = ("received", "ready")


def case_for(case: Case, *, by: User) -> Any:
    """The case that takes a file of this one: itself while it is open, else the open one of the same kind and player.

    None where there is none in which the person may work.
    """
    if case.closed_at is None and case.merged_into_id is None:
        return case if may(by, WORK, case) else None
    rows = kinds.lookup(case.kind).model.objects.allowed_to(by, WORK).open().filter(customer_id=case.customer_id)
    return rows.select_related("customer", "account", "licensee").order_by("-opened_at").first()


def choices(evidence: Evidence, to: Case) -> list[tuple[str, str]]:
    """The pairs of purpose and document type for which the file can be offered in this case besides."""
    if refusal_of(evidence):
        return []
    taken = to.evidence.exclude(state="superseded")
    here = set(taken.filter(document=evidence.document_id).values_list("purpose", flat=True))
    # What is accepted needs nothing more, and no file is pushed aside before anybody judged it.
    here |= set(taken.filter(state__in=("accepted", "pending")).values_list("purpose", flat=True))
    return [(purpose, paper) for purpose, paper in kinds.lookup(to.kind).offers(to) if purpose not in here]


def refusal_of(evidence: Evidence) -> str:
    """Why the file can prove nothing else; "" when it can. What was refused for good anywhere proves nothing."""
    if evidence.document.state not in USABLE:
        return _("This file cannot be used: it did not pass its check, or is not there any more.")
    if Evidence.objects.filter(document=evidence.document_id, state="rejected").exists():
        return _("This file was refused for good. It proves nothing else either.")
    return ""


@transaction.atomic
def use_also(evidence: Evidence, to: Case, *, purpose: str, document_type: str, by: User) -> Evidence:
    """Offer the file for one more purpose. Raises Denied, ConditionsNotMet with what stands against it."""
    require(WORK, to, by=by, action="evidence.attach")
    to = kinds.lookup(to.kind).model.objects.select_for_update(of=("self",)).get(pk=to.pk)
    # A file that is destroyed or moved at this moment waits, or is seen.
    document = Document.objects.select_for_update(of=("self",)).get(pk=evidence.document_id)
    evidence = Evidence.objects.select_related("document").get(pk=evidence.pk)
    if why := refusal_of(evidence):
        raise ConditionsNotMet([why])
    if (purpose, document_type) not in choices(evidence, to):
        raise ConditionsNotMet([_("This file cannot be offered for that: it is offered already, or nothing is open.")])
    return attach(to, document, purpose=purpose, document_type=document_type, by=by, also=evidence.purpose)
