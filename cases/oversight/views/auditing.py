"""What auditors ask for first: who was where in a period, a file as of a day, delays. Looking is recorded."""

from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from audit.access import rule, when_sent
from audit.record import ObjectRef, query_digest, record, record_read
from cases.models import Case
from cases.oversight import delays, population
from cases.oversight.asof import end_of, file_of
from cases.oversight.forms import DayForm, PeriodForm, PopulationForm
from compliance.people.models import Customer, Risk
from compliance.people.requests import signed_in
from compliance.sheets import TakeForm, csv_response

SHOWN = 200  # rows on a page; the file has all


@require_http_methods(["GET", "POST"])
@rule("audit.view_entry", fresh=when_sent)
def population_list(request: HttpRequest) -> HttpResponseBase:
    """Cases of a period with their state, outcome and level at its end. A POST takes the whole list as a file."""
    user, form = signed_in(request), PopulationForm(request.GET)
    if not form.is_valid():
        return render(request, "oversight/population.html", {"form": form}, status=422)
    asked, take = form.asked(), TakeForm(request.POST or None)
    if request.method == "POST" and take.is_valid():
        found = take.most_alone(population.population(asked, user=user))
        if not take.errors:
            _note("cases.take_list", request, "population", rows=len(found), note=take.cleaned_data["reason"])
            rows = (population.line(member, asked) for member in found)
            return csv_response(f"population-{asked.first}-{asked.last}.csv", population.HEAD, rows)
    shown = list(islice(population.population(asked, user=user), SHOWN + 1))
    _note("cases.list", request, "population", rows=min(len(shown), SHOWN))
    context = {"form": form, "asked": asked, "rows": shown[:SHOWN], "more": len(shown) > SHOWN, "take": take}
    return render(request, "oversight/population.html", context, status=422 if take.errors else 200)


@require_http_methods(["GET", "POST"])
@rule("audit.view_entry", fresh=when_sent)
def delay_list(request: HttpRequest) -> HttpResponseBase:
    """How long it took from a trigger to the act, as a distribution; a POST with `of` takes each of one as a file."""
    user, form = signed_in(request), PeriodForm(request.GET)
    if not form.is_valid():
        return render(request, "oversight/delays.html", {"form": form}, status=422)
    asked = population.Asked(**form.cleaned_data)
    known, take = delays.delays(), TakeForm(request.POST or None)
    if request.method == "POST" and take.is_valid() and (delay := known.get(request.POST.get("of", ""))):
        found = take.most_alone(delays.taken(delay, asked.starts, asked.ends, user=user))
        if not take.errors:
            _note("cases.take_list", request, "delays", rows=len(found), note=take.cleaned_data["reason"])
            told = zip(found, delays.players(found, user=user), strict=True)
            rows = ((one.number, one.triggered_at, one.acted_at, one.seconds, player) for one, player in told)
            return csv_response(f"{delay.name}-{asked.first}-{asked.last}.csv", delays.HEAD, rows)
    shown = [
        (delay, delays.distribution(list(delays.taken(delay, asked.starts, asked.ends, user=user))))
        for delay in known.values()
    ]
    _note("cases.list", request, "delays", rows=len(shown))
    context = {"form": form, "rows": shown, "asked": asked, "take": take, "known": known.values()}
    return render(request, "oversight/delays.html", context, status=422 if take.errors else 200)


@require_GET
@rule("audit.view_entry")
def file_then(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """A player's file as it was at the end of a day of the licensee, for who may see a case of that player."""
    user = signed_in(request)
    if not Case.objects.visible_to(user).filter(customer_id=customer_id).exists():
        raise Http404("no such customer")
    customer = get_object_or_404(Customer.objects.select_related("licensee"), pk=customer_id)
    form = DayForm(request.GET if "on" in request.GET else {"on": timezone.localdate().isoformat()})
    context: dict[str, Any] = {"form": form, "customer": customer}
    if form.is_valid():
        day = form.cleaned_data["on"]
        record_read(by=user, subject=customer.audit_subject, purpose="as_of", about=customer, mark=f"as_of:{day}")
        then = file_of(customer, end_of(day, customer.licensee), user=user)
        context |= {"then": then, "day": day, "risk": dict(Risk.choices).get(then.risk, then.risk)}
    return render(request, "oversight/file.html", context, status=200 if form.is_valid() else 422)


def _note(action: str, request: HttpRequest, what: str, *, rows: int = 0, note: str | None = None) -> None:
    digest = query_digest(f"{what}|{request.GET.urlencode()}")
    with transaction.atomic():
        about = ObjectRef("list", digest)
        record(action, by=signed_in(request), about=about, note=note, details={"query": digest, "rows": rows})
