"""The case page and what is done on it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases import kinds, services, timeline
from cases.forms import NoteForm, UploadForm
from cases.queries import get_case
from compliance.people.requests import signed_in
from compliance.people.services import REVEALABLE, reveal
from compliance.proposals.queries import open_proposal
from documents.services import Refused
from documents.uploads import receives_files


def page_of(request: HttpRequest, case: Any, *, status: int = 200, **extra: Any) -> HttpResponse:
    """The whole case page; each panel is a template of its own."""
    kind = kinds.lookup(case.kind)
    checks = kind.checks(case)
    context = {
        "case": case,
        "kind": kind,
        "checks": checks,
        "met": sum(check.is_met for check in checks),
        "steps": kind.steps(case, signed_in(request)),
        "proposal": open_proposal(case),
        "timeline": timeline.of(case, only=request.GET.get("show", "")),
        "show": request.GET.get("show", ""),
        "groups": timeline.groups(),
        "note_form": NoteForm(),
        "upload_form": UploadForm(offers=kind.offers(case)),
        "facts": kind.facts(case),
        **extra,
    }
    return render(request, "cases/case.html", context, status=status)


@rule(Rule.SIGNED_IN)
@require_GET
def case(request: HttpRequest, number: str) -> HttpResponse:
    matter = get_case(number, user=signed_in(request))
    record_read(by=signed_in(request), subject=matter.audit_subject, purpose="case", about=matter, matter=matter.number)
    return page_of(request, matter)


def _customer(request: HttpRequest, number: str) -> Any:
    return get_case(number, user=signed_in(request)).customer


@rule(Rule.SIGNED_IN)
@require_POST
@receives_files(_customer)
def upload(request: HttpRequest, number: str) -> HttpResponse:
    """A file for one purpose. It was sealed while it arrived; here it gets its row, its entry and its place."""
    matter = get_case(number, user=signed_in(request))
    form = UploadForm(request.POST, offers=kinds.lookup(matter.kind).offers(matter))
    try:
        if not form.is_valid():
            raise ConditionsNotMet([str(error) for errors in form.errors.values() for error in errors])
        chosen = form.cleaned_data
        services.bring(
            matter,
            request.FILES.get("file"),
            purpose=chosen["purpose"],
            document_type=chosen["document_type"],
            by=signed_in(request),
        )
    except Refused as refused:
        return page_of(request, matter, status=422, upload_form=form, upload_errors=[str(refused)])
    except ConditionsNotMet as unmet:
        return page_of(request, matter, status=422, upload_form=form, upload_errors=unmet.reasons)
    messages.success(request, _("The file arrived. It is being checked."))
    return redirect("cases:case", number=number)


@rule(Rule.SIGNED_IN)
@require_POST
def note(request: HttpRequest, number: str) -> HttpResponse:
    matter = get_case(number, user=signed_in(request))
    form = NoteForm(request.POST)
    if not form.is_valid():
        return page_of(request, matter, status=422, note_form=form)
    services.write_note(matter, by=signed_in(request), text=form.cleaned_data["text"])
    messages.success(request, _("Note saved. Only staff see it."))
    return redirect("cases:case", number=number)


@rule(Rule.SIGNED_IN)
@require_POST
def take_over(request: HttpRequest, number: str) -> HttpResponse:
    matter = get_case(number, user=signed_in(request))
    services.assign(matter, to=signed_in(request), by=signed_in(request))
    messages.success(request, _("You are responsible for this case now."))
    return redirect("cases:case", number=number)


@rule(Rule.SIGNED_IN)
@require_POST
def show_field(request: HttpRequest, number: str, field: str) -> HttpResponse:
    """Show one masked field of the player. Who looked, at what and when, is recorded."""
    matter = get_case(number, user=signed_in(request))
    if field not in REVEALABLE:
        return redirect("cases:case", number=number)
    value = reveal(
        matter.customer, field, by=signed_in(request), purpose="case", matter=matter.number, account=matter.account
    )
    return page_of(request, matter, shown={field: value})
