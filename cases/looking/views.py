"""Pages: saying why one looks, what stands out, who looked at a player."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import Rule, rule, when_sent
from audit.perform import ConditionsNotMet
from audit.queries import TooSlow
from audit.record import ObjectRef, record
from cases.glass.models import REVIEW_OPENINGS
from cases.looking import services
from cases.looking.forms import PlayerForm, SettleForm, WhyForm
from cases.looking.models import Fact
from cases.models import Case
from compliance.people.models import Customer
from compliance.people.requests import signed_in
from compliance.sheets import TakeForm, csv_response

SHOWN = 50
SEE_LOOKERS = "looking.see_lookers"


@require_POST
@rule(Rule.SIGNED_IN)
def say_why(request: HttpRequest, number: str) -> HttpResponse:
    """Then back to the page that asked."""
    user = signed_in(request)
    case = get_object_or_404(Case.objects.visible_to(user), number=number)
    form = WhyForm(request.POST)
    if form.is_valid():
        try:
            services.say_why(case, by=user, **form.cleaned_data)
        except ConditionsNotMet as unmet:
            form.add_error("note", unmet.reasons)
        else:
            return redirect(_next(request, number))
    return render(request, "428.html", {"form": form, "number": number, "next": _next(request, number)}, status=422)


def _next(request: HttpRequest, number: str) -> str:
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
        return wanted
    return reverse("cases:case", kwargs={"number": number})


@require_GET
@rule(REVIEW_OPENINGS)
def looking(request: HttpRequest) -> HttpResponse:
    """What stands out, to be asked about, and what came of it lately."""
    return _remarks(request)


def _remarks(request: HttpRequest, *, wrong: Any = None, form: SettleForm | None = None) -> HttpResponse:
    user = signed_in(request)
    rows = Fact.objects.visible_to(user).select_related("user", "settled_by").prefetch_related("customer__accounts")
    waiting = list(rows.filter(state=Fact.State.OPEN).order_by("noticed_at")[:SHOWN])
    done = list(rows.exclude(state=Fact.State.OPEN).order_by("-settled_at")[:SHOWN])
    with transaction.atomic():
        details = {"rows": len(waiting) + len(done)}
        record("looking.list", by=user, about=ObjectRef("list", "looking"), details=details)
    shown = [(one, form if form and one.pk == wrong else SettleForm(auto_id=f"{one.pk}_%s")) for one in waiting]
    context = {"waiting": shown, "done": [(one, services.note_of(one)) for one in done], "form": form}
    return render(request, "looking/remarks.html", context, status=422 if form else 200)


@require_POST
@rule(REVIEW_OPENINGS)
def settle(request: HttpRequest, fact_id: UUID) -> HttpResponse:
    """What a supervisor found when they asked."""
    user = signed_in(request)
    fact = get_object_or_404(Fact.objects.visible_to(user), pk=fact_id)
    form = SettleForm(request.POST, auto_id=f"{fact.pk}_%s")
    if not form.is_valid():
        return _remarks(request, wrong=fact.pk, form=form)
    services.settle(fact, by=user, in_order=form.cleaned_data["in_order"] == "yes", note=form.cleaned_data["note"])
    messages.success(request, _("Noted."))
    return redirect("cases:looking")


@require_http_methods(["GET", "POST"])
@rule(SEE_LOOKERS, fresh=when_sent)
def lookers(request: HttpRequest) -> HttpResponseBase:
    """Who looked at one player: by person and act, how often and when. A POST takes it as a file, with its reason."""
    user, form = signed_in(request), PlayerForm(request.GET if "number" in request.GET else None)
    take = TakeForm(request.POST or None)
    found: list[tuple[Customer, list[services.Looker]]] = []
    slow = False
    if form.is_valid():
        try:
            customers = services.customers_of(form.cleaned_data["number"], user=user)
            found = [(customer, services.lookers(customer, user=user)) for customer in customers]
        except TooSlow:
            slow = True
        if not found and not slow:
            form.add_error("number", _("There is no player with this number whom you may ask about."))
    if request.method == "POST" and take.is_valid() and found:
        rows = take.most_alone(row for _customer, rows in found for row in rows)
        if not take.errors:
            _note("looking.export", request, found, note=take.cleaned_data["reason"])
            return csv_response("who-looked.csv", services.HEAD, (_line(row) for row in rows))
    _note("looking.search", request, found)
    context = {"form": form, "found": found, "take": take, "slow": slow}
    return render(request, "looking/lookers.html", context, status=422 if form.errors or take.errors else 200)


def _line(row: services.Looker) -> tuple[object, ...]:
    return (row.name, row.kind, row.id, row.action, row.times, row.first_at, row.last_at)


def _note(action: str, request: HttpRequest, found: Any, *, note: str | None = None) -> None:
    """One entry for each player: it is about them."""
    with transaction.atomic():
        for customer, rows in found:
            record(action, by=signed_in(request), about=customer, note=note, details={"rows": len(rows)})
