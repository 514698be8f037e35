"""Moving a file off the wrong player: what follows is said before it is done."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet, Denied
from audit.record import record_read
from cases import texts
from cases.forms import paper_choices
from cases.misfiled import services
from cases.misfiled.forms import MoveForm
from cases.models import Evidence
from cases.permissions import WORK, may
from cases.queries import get_case
from compliance.people.requests import signed_in
from documents.services import NotReady


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, number: str, evidence_id: UUID) -> HttpResponse:
    user = signed_in(request)
    case = get_case(number, user=user)
    if not may(user, WORK, case):
        raise Denied("no_right")
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
    rows = Evidence.objects.select_related("document__customer", "case__customer", "case__licensee")
    evidence = get_object_or_404(rows.exclude(state="superseded"), pk=evidence_id, case_id=case.pk)
    choices, here = paper_choices(case), f"{evidence.purpose}:{evidence.document_type}"
    form = MoveForm(request.POST or None, choices=choices, initial={"shows": here})
    if request.method == "POST" and form.is_valid():
        try:
            done = _move(evidence, form.cleaned_data, user=user)
        except Http404:
            form.add_error("number", _("You see no case with this number."))
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        except NotReady:
            form.add_error(None, _("The file cannot be read. It stays where it is; tell whoever runs Mizan."))
        else:
            said = done.why_not and _("It lies with the right player, but is not offered in the case: %(why)s")
            messages.success(request, said % {"why": done.why_not} if said else _("Moved. Both cases say so."))
            return redirect("cases:case", number=number)
    context = {"case": case, "evidence": evidence, "form": form, "seen": services.seen(evidence)}
    context["title"] = texts.purpose_title(evidence.purpose)
    return render(request, "misfiled/move.html", context, status=422 if form.errors else 200)


def _move(evidence: Evidence, chosen: dict[str, Any], *, user: Any) -> services.Moved:
    to = get_case(chosen["number"], user=user)
    purpose, _colon, paper = chosen["shows"].partition(":")
    return services.move(evidence, to, by=user, purpose=purpose, document_type=paper)
