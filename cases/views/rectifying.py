"""Correcting what a player declared: what stands there, what should, and the paper that shows it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases import rectifying
from cases.forms import RectifyForm
from cases.permissions import DECIDE, WORK, may
from cases.queries import get_case
from cases.services import require
from compliance.people.permissions import REVEAL
from compliance.people.permissions import require as require_right
from compliance.people.requests import signed_in
from compliance.people.services import reveal
from compliance.proposals.models import is_another_person, is_the_maker
from compliance.proposals.sealed import note_of
from compliance.proposals.services import propose


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def rectify(request: HttpRequest, number: str) -> HttpResponse:
    """Propose a correction, or look at the one that waits: old and new side by side."""
    user = signed_in(request)
    case = get_case(number, user=user)
    if not rectifying.is_offered(case):
        raise Http404("not in this kind of case")
    require(WORK, case, by=user, action="people.correct")
    require_right(user, REVEAL, action="people.correct", about=case.customer)
    form = RectifyForm(request.POST or None, case=case)
    if request.method == "POST" and form.is_valid():
        try:
            propose(rectifying.ACT, form.paper, by=user, **form.asked())
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            messages.success(request, _("Submitted. Another person has to confirm it; until then nothing changes."))
            return redirect("cases:rectify", number=number)
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=number)
    # The date of birth stands here in full, so that two of them can be compared.
    reveal(case.customer, "birth_date", by=user, purpose="case", matter=number)
    context = {"case": case, "form": form, "done": rectifying.done(case.customer, user), **_waiting(case, user)}
    return render(request, "cases/rectify.html", context, status=422 if request.method == "POST" else 200)


def _waiting(case: Any, user: Any) -> dict[str, Any]:
    proposal = rectifying.waiting(case)
    if proposal is None:
        return {"declared": rectifying.declared(case.customer)}
    rows, paper = rectifying.side_by_side(case, proposal)
    decides = may(user, DECIDE, case) and is_another_person(proposal, user)
    return {
        "proposal": proposal,
        "rows": rows,
        "paper": paper,
        "paper_title": rectifying.title_of(paper) if paper else "",
        "reason": rectifying.REASONS.get(proposal.reason, proposal.reason),
        "note": note_of(proposal) if decides or is_the_maker(proposal, user) else "",
        "decides": decides,
    }
