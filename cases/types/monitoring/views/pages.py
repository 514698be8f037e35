"""What the compartment looks at. For everybody else these addresses lead nowhere: 404, and no entry."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.presenters import present
from audit.queries import of_matter
from audit.record import ObjectRef, record
from cases.oversight.forms import PeriodForm
from cases.oversight.population import Asked
from cases.types.monitoring import basket, delays, leads, merging, requests, services, worklist
from cases.types.monitoring.forms import (
    FileForm,
    FreezeForm,
    JudgeForm,
    LookIntoForm,
    MergeForm,
    NoteForm,
    OpenForm,
    SinceForm,
    first_moment,
)
from cases.types.monitoring.hypotheses import HYPOTHESES
from cases.types.monitoring.models import Exhibit, Investigation, Note
from cases.types.monitoring.permissions import DECIDE, INVESTIGATE, may, require
from cases.types.monitoring.rules.models import CHANGE
from cases.types.monitoring.sealing import TEXT, WORDS, opened
from compliance.people.models import Account
from compliance.people.requests import signed_in
from compliance.proposals.models import Proposal


def of_the_compartment(request: HttpRequest) -> bool:
    """Its people confirm who they are when their sign-in is hours old; everybody else gets 404 at once."""
    return may(request.user, INVESTIGATE)


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_GET
def work(request: HttpRequest) -> HttpResponse:
    """What waits: leads that lead nowhere yet, freezes to look at, investigations."""
    me = signed_in(request)
    require(me)
    view, words = request.GET.get("view", "open"), request.GET.get("q", "")[:100]
    view = view if view in worklist.VIEWS else "open"
    context = {
        "rows": worklist.listed(view, words, by=me),
        "view": view,
        "views": worklist.VIEWS,
        "words": words,
        "leads": leads.waiting(me) if not words else [],
        "freezes": worklist.freezes_to_second(me),
    }
    return render(request, "monitoring/work.html", context)


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_GET
def delay_list(request: HttpRequest) -> HttpResponse:
    """How long the compartment took in a period: from an investigation, a suspicion, a freeze to what answers it."""
    me = signed_in(request)
    require(me)
    form = PeriodForm(request.GET)
    if not form.is_valid():
        return render(request, "monitoring/delays.html", {"form": form}, status=422)
    rows = delays.spread(Asked(**form.cleaned_data), by=me)
    return render(request, "monitoring/delays.html", {"form": form, "rows": rows})


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_http_methods(["GET", "POST"])
def lead(request: HttpRequest, kind: str, source_id: UUID) -> HttpResponse:
    """One lead, read (an entry) and taken up."""
    me = signed_in(request)
    source = leads.sources().get(kind)
    if source is None or not of_the_compartment(request) or not me.has_perm(source.reads):
        raise Http404("no such page")
    try:
        found = source.load(source_id)
    except ObjectDoesNotExist:
        raise Http404("no such lead") from None
    if found.customer is not None and not may(me, INVESTIGATE, found.customer.pk):
        raise Http404("no such lead")
    form = LookIntoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            investigation = services.look_into(
                kind, source_id, by=me, customer=worklist.player_of(form.cleaned_data["reference"])
            )
        except ConditionsNotMet as unmet:
            form.add_error("reference", unmet.reasons)
        else:
            return redirect("cases:aml-investigation", investigation.number)
    with transaction.atomic():
        details = {"lead": kind, "lead_id": str(source_id)}
        record("monitoring.read_lead", by=me, about=ObjectRef("lead", str(source_id)), details=details, log="aml")
    context = {
        "lead": found,
        "source": source,
        "said": source.words(source_id),
        "detail": source.detail(source_id),
        "may_snooze": me.has_perm(CHANGE),
        "accounts": _accounts([found.customer.pk]) if found.customer else [],
        "form": form,
    }
    return render(request, "monitoring/lead.html", context, status=422 if form.errors else 200)


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Begin without a lead."""
    me = signed_in(request)
    require(me)
    form = OpenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        customer = worklist.player_of(form.cleaned_data["reference"])
        if customer is None or not may(me, INVESTIGATE, customer.pk):
            form.add_error("reference", services.nobody())
        else:
            try:
                found = services.open_for(customer, by=me, suspicion_at=first_moment(customer, form))
            except ConditionsNotMet as unmet:
                form.add_error("since", unmet.reasons)
            else:
                return redirect("cases:aml-investigation", found.number)
    return render(request, "monitoring/new.html", {"form": form}, status=422 if form.errors else 200)


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_GET
def investigation(request: HttpRequest, number: str) -> HttpResponse:
    me = signed_in(request)
    found = worklist.get(number, user=me)
    with transaction.atomic():
        worklist.look(found, by=me)
    return render(request, "monitoring/investigation.html", page_of(found, me))


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_GET
def exhibit(request: HttpRequest, number: str, exhibit_id: UUID) -> HttpResponseBase:
    """A file of the basket, taken away."""
    me = signed_in(request)
    found = worklist.get(number, user=me)
    row = get_object_or_404(Exhibit, pk=exhibit_id, investigation__in=services.whole(found), kind="file")
    data = basket.take_file(row, by=me)
    answer = FileResponse(iter([data]), as_attachment=True, filename=basket.title_of(row))
    answer["Content-Type"] = "application/octet-stream"
    return answer


def page_of(found: Investigation, me: Any) -> dict[str, Any]:
    """Everything that the page of an investigation shows."""
    ids = services.whole(found)
    notes = Note.objects.filter(investigation__in=ids).select_related("written_by").order_by("-written_at")
    judged = {row.code: row for row in found.hypotheses.select_related("judged_by")}
    return {
        "found": found,
        "is_over": found.state in ("closed", "merged"),
        "may_decide": may(me, DECIDE, found.customer_id),
        "accounts": _accounts(services.players_of(found)),
        "leads": [_lead(row) for row in basket.leads_of(found)],
        "may_snooze": me.has_perm(CHANGE),
        "merged": Investigation.objects.filter(merged_into=found),
        "hypotheses": [
            {"code": code, "title": title, "row": judged.get(code), "said": _said(judged.get(code))}
            for code, title in HYPOTHESES.items()
        ],
        "judge": JudgeForm(),
        "basket": basket.contents(found),
        "offered": basket.offered(found),
        "offered_transactions": basket.offered_transactions(found),
        "asked": requests.asked(found),
        "freezes": merging.freezes_of(found),
        "freeze_form": FreezeForm(),
        "since_form": SinceForm(),
        "note_form": NoteForm(),
        "file_form": FileForm(),
        "merge_form": MergeForm(),
        "notes": [(note, opened(TEXT, note.text_sealed, note.pk)) for note in notes[:100]],
        "history": present(of_matter(found.number, log="aml"))[:200],
        "proposals": Proposal.objects.of_log("aml").parked().filter(subject_id__in=_subjects(found)),
        "ended_with": services.words_of(found),
    }


def _subjects(found: Investigation) -> list[UUID]:
    return [found.pk, *(freeze.pk for freeze in merging.freezes_of(found))]


def _lead(row: Any) -> dict[str, Any]:
    source = leads.lookup(row.kind)
    found = {"row": row, "lead": source.load(row.source_id), "title": source.title, "said": source.words(row.source_id)}
    return found | {"detail": source.detail(row.source_id)}


def _said(row: Any) -> str:
    return opened(WORDS, row.words_sealed, row.pk) if row is not None else ""


def _accounts(customer_ids: list[Any]) -> Any:
    rows = Account.objects.filter(customer__in=customer_ids, released_at=None)
    return rows.select_related("brand", "customer").order_by("created_at")
