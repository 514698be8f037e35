"""The platform's side: whether what it counted is here, and what it may call."""

from datetime import date
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.module_loading import import_string
from django.views.decorators.http import require_GET, require_http_methods

from audit.access import Rule, rule, when_sent
from audit.actors import who
from audit.record import ObjectRef, record
from compliance.people.models import Licensee
from compliance.platform import counts, versions
from compliance.platform.describing.pages import subjects_of
from compliance.platform.models import DailyCount
from compliance.sheets import TakeForm, csv_response

PAGE = 100
HEAD = ("licensee", "day", "what", "theirs", "ours", "missing here", "not theirs", "reported at")


@require_http_methods(["GET", "POST"])
@rule("audit.view_entry", fresh=when_sent)
def daily_counts(request: HttpRequest) -> HttpResponseBase:
    """Reported days, the newest first, of one licensee where the address names one; `differing=1` leaves out what
    agrees. A POST takes all of them as a file.
    """
    rows, take = _asked(request.GET), TakeForm(request.POST or None)
    if request.method == "POST" and take.is_valid():
        taken = take.most_alone(rows.iterator(chunk_size=500))
        if not take.errors:
            _record("platform.take_counts", request, len(taken), note=take.cleaned_data["reason"])
            return csv_response(f"daily-counts-{timezone.localdate()}.csv", HEAD, map(_line, taken))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    found = list(page)
    _record("platform.list_counts", request, len(found))
    licensee = request.GET.get("licensee", "")
    titles = {name: thing.title for name, thing in counts.things().items()}
    context = {
        "rows": [{"row": row, "title": titles.get(row.thing, row.thing)} for row in found],
        "differing": bool(request.GET.get("differing")),
        "all_days": not request.GET.get("differing"),
        "silent": [(licensee, days) for licensee in _licensees() if (days := _silent(licensee))],
        "licensees": [
            {"name": one.name, "url": _address(request.GET, licensee=one.slug), "shown": licensee == one.slug}
            for one in _licensees()
        ],
        "every_licensee": _address(request.GET, licensee=""),
        "every_shown": not licensee,
        "every_day": _address(request.GET, differing=""),
        "only_differing": _address(request.GET, differing="1"),
        "total": page.paginator.count,
        "newer_url": _address(request.GET, page=page.number - 1) if page.has_previous() else "",
        "older_url": _address(request.GET, page=page.number + 1) if page.has_next() else "",
        "take": take,
    }
    return render(request, "platform/counts.html", context, status=422 if take.errors else 200)


@require_GET
@rule(Rule.SIGNED_IN)
def api(request: HttpRequest) -> HttpResponseBase:
    """The description of the API to read, and to try with a key of a test licensee. Nothing here is about a player."""
    shown = {"subjects": _subjects(), "version": versions.newest(), "document_url": reverse("api:openapi-json")}
    return render(request, "platform/api.html", shown)


@cache
def _subjects() -> list[dict[str, Any]]:
    """The same for everybody as long as this process lives; in English, as the API is."""
    with translation.override("en"):
        return subjects_of(import_string("compliance.api.api").get_openapi_schema())


def _asked(query: QueryDict) -> QuerySet[DailyCount]:
    rows = DailyCount.objects.select_related("licensee").order_by("-day", "licensee__slug", "thing")
    if slug := query.get("licensee"):
        rows = rows.filter(licensee__slug=slug)
    if query.get("differing"):
        rows = rows.exclude(theirs=F("ours"), missing=[], extra=[])
    return rows


def _address(query: QueryDict, **changed: object) -> str:
    """This page's address with some of its query changed; pages are counted anew when anything else is."""
    kept = {name: query[name] for name in ("licensee", "differing") if query.get(name)}
    return f"?{urlencode({name: value for name, value in (kept | changed).items() if value})}"


def _record(action: str, request: HttpRequest, rows: int, *, note: str | None = None) -> None:
    with transaction.atomic():
        about = ObjectRef("list", "daily_counts")
        record(action, by=who(request.user), about=about, note=note, details={"rows": rows})


def _licensees() -> list[Licensee]:
    return list(Licensee.objects.order_by("name")[:50])


def _silent(licensee: Licensee) -> list[date]:
    return counts.missing_days(licensee)


def _line(row: Any) -> tuple[object, ...]:
    names = ("; ".join(row.missing), "; ".join(row.extra))
    return (row.licensee.slug, row.day, row.thing, row.theirs, row.ours, *names, row.reported_at)
