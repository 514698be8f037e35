"""Filing a suspicion, and the AML side's list of them. Nothing here shows a writer what became of a report."""

import uuid
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_GET, require_http_methods

from audit.access import Rule, rule
from cases import numbers
from cases.forms import SuspicionForm
from cases.models import Case
from compliance.people.models import Account, Customer
from compliance.people.requests import signed_in
from compliance.people.suspicions import services as suspicions


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Any member of staff. The answer is a receipt, the same whether somebody was found or not."""
    form = SuspicionForm(request.POST or None, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            report = suspicions.file(
                by=signed_in(request), customer=_customer(form.cleaned_data["about"]), **form.cleaned_data
            )
        except ValidationError as error:
            for field, wrong in error.message_dict.items():
                form.add_error(field, wrong)
        else:
            answer = render(request, "suspicions/receipt.html", {"receipt": report.receipt})
            add_never_cache_headers(answer)
            return answer
    return render(request, "suspicions/new.html", {"form": form}, status=422 if request.method == "POST" else 200)


@rule(Rule.SIGNED_IN)
@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    rows = suspicions.inbox(by=signed_in(request))
    return render(request, "suspicions/inbox.html", {"rows": rows})


@rule(Rule.SIGNED_IN, fresh=lambda request: suspicions.may_read(request.user))
@require_GET
def report(request: HttpRequest, report_id: UUID) -> HttpResponse:
    row = suspicions.read(report_id, by=signed_in(request))
    about, text = suspicions.words_of(row)
    accounts = Account.objects.filter(customer=row.customer).select_related("brand") if row.customer else []
    return render(request, "suspicions/report.html", {"row": row, "about": about, "text": text, "accounts": accounts})


def _initial(request: HttpRequest) -> dict[str, Any]:
    """Filled in from the page one comes from, by the header that every browser sends: no address names the player."""
    came_from = urlsplit(request.headers.get("Referer", "")).path.split("/")
    number = came_from[2] if len(came_from) > 2 and came_from[1] == "cases" else ""
    return {"token": uuid.uuid4(), "noticed_on": timezone.localdate(), "about": number if _number(number) else ""}


def _number(words: str) -> str | None:
    try:
        return numbers.parse(words)
    except numbers.TypingError:
        return None


def _customer(about: str) -> Customer | None:
    """Whom the words name without doubt, whether the writer may see that player or not."""
    words = about.strip()
    if number := _number(words):
        case = Case.objects.filter(number=number).select_related("customer").first()
        return case.customer if case else None
    accounts = list(Account.objects.filter(reference=words, released_at=None).select_related("customer")[:2])
    return accounts[0].customer if len(accounts) == 1 else None
