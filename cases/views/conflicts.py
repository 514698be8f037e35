"""A member of staff says that they know a player: from then on they see nothing of that player."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audit.access import Rule, rule
from audit.record import record_read
from cases import queues
from cases.forms import ConflictForm
from cases.queries import get_case
from compliance.people.requests import signed_in


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def declare(request: HttpRequest, number: str) -> HttpResponse:
    """For oneself only, and for good: an administrator ends it from the machine."""
    user = signed_in(request)
    case = get_case(number, user=user)
    form = ConflictForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        queues.declare_conflict(user, case.customer, by=user, relation=form.cleaned_data["relation"])
        messages.success(request, _("Thank you. You will not see this player any more; somebody else goes on."))
        return redirect("cases:queue")
    with transaction.atomic():
        record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
    status = 422 if request.method == "POST" else 200
    return render(request, "cases/conflict.html", {"case": case, "form": form}, status=status)
