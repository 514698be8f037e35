"""Limits of a case's player: what holds, what was asked for, what became of it. Staff reduce; they never raise."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases.permissions import WORK, may
from cases.queries import get_case
from cases.types.gaming.limits import ledger, rules, services, showing
from cases.types.gaming.limits.forms import BlockForm, ReduceForm
from cases.types.gaming.limits.models import LimitChange
from compliance.people.requests import signed_in
from compliance.rulebook.queries import policy_of

SHOWN = 50  # of the history


@rule(Rule.SIGNED_IN)
@require_GET
def limits(request: HttpRequest, number: str) -> HttpResponse:
    case = get_case(number, user=signed_in(request))
    return _page(request, case, ReduceForm(currency=showing.currency_of(case.account)))


@rule(Rule.SIGNED_IN)
@require_POST
def reduce(request: HttpRequest, number: str) -> HttpResponse:
    case = get_case(number, user=signed_in(request))
    form = ReduceForm(request.POST, currency=showing.currency_of(case.account))
    if form.is_valid():
        try:
            services.reduce(case, by=signed_in(request), **form.asked(), reason=form.cleaned_data["reason"])
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            messages.success(request, _("The limit holds now. The lower one of the player's and ours counts."))
            return redirect("cases:limits", number=number)
    return _page(request, case, form, status=422)


@rule(Rule.SIGNED_IN)
@require_POST
def block(request: HttpRequest, number: str, receipt: str) -> HttpResponse:
    case = get_case(number, user=signed_in(request))
    form = BlockForm(request.POST)
    if not form.is_valid():
        raise ConditionsNotMet([_("Choose a reason.")])
    services.block(case, _change(case, receipt), by=signed_in(request), reason=form.cleaned_data["reason"])
    messages.success(request, _("The raise is blocked. The limit stays as it is."))
    return redirect("cases:limits", number=number)


@rule(Rule.SIGNED_IN)
@require_POST
def reviewed(request: HttpRequest, number: str, receipt: str) -> HttpResponse:
    case = get_case(number, user=signed_in(request))
    services.meet_requirement(_change(case, receipt), by=signed_in(request))
    messages.success(request, _("Recorded. The player may confirm when the wait is over."))
    return redirect("cases:limits", number=number)


def _page(request: HttpRequest, case: Any, form: ReduceForm, status: int = 200) -> HttpResponse:
    user, account = signed_in(request), case.account
    record_read(by=user, subject=case.audit_subject, purpose="limits", about=case, matter=case.number)
    at = ledger.clock()
    day = case.licensee.day_of(at)
    policy = policy_of(case.licensee, on=day)
    rows = LimitChange.objects.filter(account=account).select_related("account__licensee", "account__customer")
    history = [(row, showing.terms_words(row)) for row in rows.order_by("-requested_at", "-id")[:SHOWN]]
    contact = {rule for row, _terms in history if row.state == "effective" and not row.imposed
               if (rule := rules.contact_due(policy, account, row, on=day))}  # fmt: skip
    context = {
        "case": case,
        "lines": showing.lines(account),
        "waiting": [(one, showing.terms_words(one), showing.can_confirm(one, at)) for one in showing.waiting(account)],
        "history": history,
        "contact": sorted(contact),
        "form": form,
        "block_form": BlockForm(),
        "may_work": may(user, WORK, case),
    }
    return render(request, "limits/staff.html", context, status=status)


def _change(case: Any, receipt: str) -> LimitChange:
    rows = LimitChange.objects.filter(account=case.account, receipt=receipt)
    found: LimitChange | None = rows.select_related("account__licensee", "account__customer").first()
    if found is None:
        raise Http404("no such limit")
    return found
