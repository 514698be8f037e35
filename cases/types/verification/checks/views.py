"""Ordering electronic checks from a case."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from audit.access import Rule, rule
from cases.queries import get_case
from cases.types.verification.checks import services
from cases.types.verification.checks.models import Check
from compliance.people.requests import signed_in


@rule(Rule.SIGNED_IN)
@require_POST
def order(request: HttpRequest, number: str, kind: str) -> HttpResponse:
    case = get_case(number, user=signed_in(request))
    services.order(case, kind, by=signed_in(request))
    messages.success(request, _("Ordered. The answer appears here when it is there."))
    return redirect("cases:case", number=number)


@rule(Rule.SIGNED_IN)
@require_POST
def again(request: HttpRequest, number: str, check_id: Any) -> HttpResponse:
    case = get_case(number, user=signed_in(request))
    services.again(get_object_or_404(Check, case_id=case.pk, pk=check_id), by=signed_in(request))
    messages.success(request, _("Ordered. The answer appears here when it is there."))
    return redirect("cases:case", number=number)
