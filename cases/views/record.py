"""The record of what was decided on a case, as one page to print: who, why, by which policy, on what, what was said.

To be held against the log: each decision names the digest of the evidence that its entry carries.
"""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from audit.access import Rule, rule
from audit.record import record_read
from cases import kinds, rectifying, texts, timeline
from cases.models import Case
from cases.queries import get_case
from cases.services import message_text
from compliance.people.requests import signed_in
from compliance.proposals import acts
from compliance.proposals.models import Proposal
from documents.services import digest_of

DECIDED = ("performed", "returned", "voided", "expired", "withdrawn")


@rule(Rule.SIGNED_IN)
@require_GET
def decision_record(request: HttpRequest, number: str) -> HttpResponse:
    """For who sees the case. That it was read is recorded apart from looking at the case."""
    user = signed_in(request)
    case = get_case(number, user=user)
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number, mark="record")
    context = {
        "case": case,
        "kind": kinds.lookup(case.kind),
        "decisions": list(_decisions(case)),
        "files": list(_files(case)),
        "letters": [(letter, message_text(letter)) for letter in case.messages.order_by("written_at", "pk")],
        "entries": timeline.every(case, user=user, only="decisions"),
        "printed_at": timezone.now(),
        "printed_by": user.name,
    }
    return render(request, "cases/record.html", context)


def _decisions(case: Case) -> Iterator[dict[str, Any]]:
    """What was proposed on this case or on a file of it (a correction of what was declared) and ended, oldest first."""
    subjects = [case.pk, *case.evidence.values_list("pk", flat=True)]
    rows = Proposal.objects.of_log("main").filter(subject_id__in=subjects, state__in=DECIDED)
    corrected = rectifying.corrected(case)
    for row in rows.select_related("maker", "checker").order_by("created_at"):
        act = acts.acts().get(row.act)
        yield {
            "row": row,
            "title": act.title if act else row.act,
            "reason": act.reason_text(row.reason) if act and row.reason else row.reason,
            "corrected": corrected.get(str(row.pk), ()),
            "digest": bytes(row.evidence_digest).hex(),
        }


def _files(case: Case) -> Iterator[dict[str, Any]]:
    for evidence in case.evidence.select_related("document__customer", "decided_by").order_by("created_at", "pk"):
        yield {
            "evidence": evidence,
            "title": texts.purpose_title(evidence.purpose),
            "paper": texts.document_name(evidence.document_type),
            "digest": digest_of(evidence.document),
        }
