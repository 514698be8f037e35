"""Logging a contact, checking a caller, and the list of what is due."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet, Denied
from audit.record import ObjectRef, record, record_read
from cases.contacts import callers, services
from cases.contacts.disclosure import may_be_said
from cases.contacts.forms import AnswersForm, ContactForm, SettleForm
from cases.contacts.models import CallerCheck, Task
from cases.drafts import services as drafts
from cases.permissions import WORK, may
from cases.queries import get_case
from compliance.people.requests import signed_in


def _case(request: HttpRequest, number: str) -> Any:
    """The case, for who may work on it. Its page is a reading of the player's matter."""
    user = signed_in(request)
    case = get_case(number, user=user)
    if not may(user, WORK, case):
        raise Denied("no_right")
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
    return case


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def log(request: HttpRequest, number: str) -> HttpResponse:
    """Keep a contact. What follows from it is said at once: care, an exclusion to offer, the promise."""
    case = _case(request, number)
    form = ContactForm(request.POST or None, language=case.account.language)
    if request.method == "POST" and form.is_valid():
        try:
            logged = services.log_contact(case, by=signed_in(request), **form.cleaned_data)
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            token = drafts.token_of(request.POST.get("draft_form"))
            drafts.close(case, "contact", by=signed_in(request), token=token)
            _tell(request, logged)
            if logged.offer_exclusion:
                return redirect("cases:offer-exclusion", number=number)
            return redirect("cases:case", number=number)
    status = 422 if request.method == "POST" else 200
    return render(request, "contacts/new.html", {"case": case, "contact_form": form}, status=status)


def _tell(request: HttpRequest, logged: services.Logged) -> None:
    messages.success(request, _("Contact logged."))
    if logged.care:
        text = _("Words in it may mean self-harm. An urgent task was opened: look at it now, stop play if in doubt.")
        messages.error(request, text)


@rule(Rule.SIGNED_IN)
@require_GET
def offer_exclusion(request: HttpRequest, number: str) -> HttpResponse:
    """A player who wants to close the account and speaks of losses is offered an exclusion, which lasts."""
    return render(request, "contacts/offer.html", {"case": _case(request, number)})


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def start_check(request: HttpRequest, number: str) -> HttpResponse:
    case = _case(request, number)
    unmet: list[str] = []
    if request.method == "POST":
        try:
            check = callers.start(case, by=signed_in(request))
        except ConditionsNotMet as error:
            unmet = error.reasons
        else:
            return redirect("cases:caller", number=number, check_id=check.pk)
    return render(request, "contacts/start.html", {"case": case, "unmet": unmet}, status=422 if unmet else 200)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def caller(request: HttpRequest, number: str, check_id: UUID) -> HttpResponse:
    """The questions; after the answers, what may be said."""
    case, user = _case(request, number), signed_in(request)
    check = get_object_or_404(CallerCheck, pk=check_id, case_id=case.pk, started_by=user)
    form = AnswersForm(request.POST or None, check=check)
    if request.method == "POST" and form.is_valid() and check.answered_at is None:
        callers.answer(check, form.cleaned_data, by=user)
        return redirect("cases:caller", number=number, check_id=check.pk)
    passed = callers.may_disclose(case, user)
    said = may_be_said(case) if passed else []
    return render(request, "contacts/caller.html", {"case": case, "check": check, "form": form, "said": said})


@rule(Rule.SIGNED_IN)
@require_GET
def due(request: HttpRequest) -> HttpResponse:
    """What was promised and what asks for care, on all cases this person may work on, whoever promised it."""
    user = signed_in(request)
    rows = list(services.open_tasks(user)[:200])
    with transaction.atomic():
        record("tasks.list", by=user, about=ObjectRef("list", "tasks"), details={"rows": len(rows)})
    return render(request, "contacts/due.html", {"rows": rows, "now": timezone.now()})


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def settle(request: HttpRequest, number: str, task_id: UUID) -> HttpResponse:
    case = _case(request, number)
    task = get_object_or_404(Task.objects.select_related("case", "made_by"), pk=task_id, case_id=case.pk)
    form = SettleForm(request.POST or None, task=task)
    if request.method == "POST" and form.is_valid():
        services.settle(task, by=signed_in(request), outcome=form.cleaned_data["outcome"])
        messages.success(request, _("Settled."))
        return redirect("cases:due")
    status = 422 if request.method == "POST" else 200
    return render(request, "contacts/settle.html", {"case": case, "task": task, "form": form}, status=status)
