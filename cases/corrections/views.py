"""Striking something through, with what should stand there."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases.corrections import services
from cases.handling_forms import CorrectionForm
from cases.permissions import WORK
from cases.queries import get_case
from cases.services import require
from compliance.people.requests import signed_in


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, number: str, of: str, of_id: UUID) -> HttpResponse:
    """When somebody corrected it meanwhile, both texts stand side by side and nothing is lost."""
    user = signed_in(request)
    case = get_case(number, user=user)
    require(WORK, case, by=user, action="corrections.correct")
    original = services.original(case, of, of_id)
    if original is None:
        raise Http404("nothing was written there")
    last = services.newest(of, of_id)
    stands = services.text_of(last) if last else original
    form = CorrectionForm(request.POST or None, initial={"text": stands, "number": last.number if last else 0})
    if request.method == "POST" and form.is_valid():
        facts = form.cleaned_data
        try:
            services.correct(case, of, of_id, by=user, **facts)
        except services.Overtaken as overtaken:
            return _overtaken(request, overtaken)
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            messages.success(request, _("Struck through. The original stays readable."))
            response = redirect("cases:case", number=number)
            response["Location"] += "#timeline"
            return response
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
    context = {"case": case, "form": form, "original": original, "last": last, "stands": stands}
    return render(request, "corrections/correct.html", context, status=422 if request.method == "POST" else 200)


def _overtaken(request: HttpRequest, overtaken: services.Overtaken) -> HttpResponse:
    context = {
        "exception": overtaken,
        "mine": overtaken.mine or _("Only strike it through"),
        "theirs": overtaken.theirs or _("Only struck through"),
        "back_url": request.path,
    }
    return render(request, "409.html", context, status=409)
