"""An act on many cases: choose, look at what will happen, run, see what came of it."""

import csv
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from cases.bulk import services
from cases.bulk.forms import form_of, inputs_of
from cases.bulk.heavy import Heavy
from cases.bulk.models import Batch, Row
from cases.lists import ORDERS, Asked
from cases.models import Case
from compliance.people.requests import signed_in

PAGE = 100
UNFINISHED = (Batch.Stage.QUEUED, Batch.Stage.RUNNING)


@rule(Rule.SIGNED_IN)
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """`act`, and `case` (tracking numbers) or `scope=all` for all that match the list's address in `list`."""
    user = signed_in(request)
    asked = Asked.read(QueryDict(request.POST.get("list", "").lstrip("?")))
    if request.POST.get("scope") == "all":
        cases = asked.rows(user)
    else:
        numbers = request.POST.getlist("case")[: services.MOST + 1]
        cases = Case.objects.visible_to(user).filter(number__in=numbers)
    try:
        batch = services.ask(
            request.POST.get("act", ""), cases, order=ORDERS[asked.sort], by=user, back=asked.address(q="")
        )
    except services.NotInBulk:
        raise
    except ConditionsNotMet as unmet:
        messages.error(request, " ".join(unmet.reasons))
        return redirect(reverse("cases:queue") + asked.address())
    return redirect("cases:batch", batch_id=batch.pk)


def _mine(request: HttpRequest, batch_id: UUID) -> Batch:
    """Only whoever asked sees it: its rows name cases that others may not see."""
    return get_object_or_404(Batch.objects.select_related("asked_by"), pk=batch_id, asked_by=signed_in(request))


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """The page of a batch in each of its stages. A POST says what the act needs and shows what will happen."""
    asked = _mine(request, batch_id)
    form = form_of(asked.act)(request.POST or None if asked.act != "release" else (request.POST or {}), batch=asked)
    if request.method == "POST" and form.is_valid():
        services.preview(asked, inputs_of(form))
        return redirect("cases:batch", batch_id=batch_id)
    return _page(request, asked, form=form, status=422 if request.method == "POST" else 200)


@rule(Rule.SIGNED_IN)
@require_POST
def run(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    services.start(_mine(request, batch_id), by=signed_in(request))
    return redirect("cases:batch", batch_id=batch_id)


@rule(Rule.SIGNED_IN)
@require_POST
def cancel(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    services.cancel(_mine(request, batch_id), by=signed_in(request))
    messages.success(request, _("Cancelled. What is done stays done."))
    return redirect("cases:batch", batch_id=batch_id)


@rule(Rule.SIGNED_IN)
@require_GET
def progress(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """A fragment that asks for itself again until the batch ended; then it reloads the page."""
    asked = _mine(request, batch_id)
    if not request.headers.get("HX-Request"):
        return redirect("cases:batch", batch_id=batch_id)
    response = render(request, "bulk/_progress.html", _standing(asked))
    if asked.stage not in UNFINISHED:
        response["HX-Refresh"] = "true"
    return response


@rule(Rule.SIGNED_IN, fresh=True)
@require_GET
def result(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """What came of each case, as a file: its number, the result, and why."""
    asked = _mine(request, batch_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="mizan-bulk-{str(asked.pk)[:8]}.csv"'
    response.write("\ufeff")
    out = csv.writer(response)
    out.writerow([_("Tracking number"), _("Result"), _("Why")])
    rows = asked.rows.select_related("case").order_by("position")
    for row in rows.filter(case__in=Case.objects.visible_to(signed_in(request)).order_by().values("pk")):
        out.writerow([row.case.number, Row.Result(row.result).label if row.result else "", row.words])
    return response


def _standing(asked: Batch) -> dict[str, Any]:
    counts = services.results(asked)
    waiting = counts[Row.Result.WILL]
    return {"batch": asked, "reached": asked.total - waiting, "unfinished": asked.stage in UNFINISHED}


def _page(request: HttpRequest, asked: Batch, *, form: Any, status: int) -> HttpResponse:
    """The rows as they stand. A case that the person may no longer see is counted and not shown."""
    counts = services.results(asked)
    seen = Case.objects.visible_to(signed_in(request)).order_by().values("pk")
    rows = asked.rows.filter(case__in=seen).select_related("case__account", "case__assignee")
    first = [Row.Result.REFUSED, Row.Result.WONT, Row.Result.LEFT]
    shown = request.GET.get("show", "")
    if shown in Row.Result.values:
        rows = rows.filter(result=shown)
    page = Paginator(rows.order_by("position"), PAGE).get_page(request.GET.get("page"))
    context = _standing(asked) | {
        "act": services.act_of(asked.act),
        "heavy": isinstance(services.act_of(asked.act), Heavy),
        "form": form,
        "page": page,
        "shown": shown,
        "counts": [(value, label, counts[value]) for value, label in Row.Result.choices if counts[value]],
        "will": counts[Row.Result.WILL],
        "trouble": sum(counts[value] for value in first),
        "at_once": services.AT_ONCE,
        "back": reverse("cases:queue") + asked.back,
    }
    return render(request, "bulk/batch.html", context, status=status)
