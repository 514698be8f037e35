"""The platform's side as auditors see it: whether what it counted is here."""

from datetime import date
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from audit.access import rule
from audit.actors import who
from audit.record import ObjectRef, record
from compliance.people.models import Licensee
from compliance.platform import counts
from compliance.platform.models import DailyCount
from compliance.sheets import csv_response

PAGE = 200
HEAD = ("licensee", "day", "what", "theirs", "ours", "missing here", "not theirs", "reported at")


@require_GET
@rule("audit.view_entry")
def daily_counts(request: HttpRequest) -> HttpResponseBase:
    """Every reported day, the newest first; `differing=1` leaves out what agrees, `as=csv` is the same as a file."""
    rows = DailyCount.objects.select_related("licensee").order_by("-day", "licensee__slug", "thing")
    found = [row for row in rows[: PAGE * 10] if row.differs or "differing" not in request.GET][:PAGE]
    with transaction.atomic():
        about = ObjectRef("list", "daily_counts")
        record("platform.list_counts", by=who(request.user), about=about, details={"rows": len(found)})
    if request.GET.get("as") == "csv":
        return csv_response(f"daily-counts-{timezone.localdate()}.csv", HEAD, map(_line, found))
    titles = {name: thing.title for name, thing in counts.things().items()}
    context = {
        "rows": [{"row": row, "title": titles.get(row.thing, row.thing)} for row in found],
        "differing": "differing" in request.GET,
        "all_days": "differing" not in request.GET,
        "silent": [(licensee, days) for licensee in _licensees() if (days := _silent(licensee))],
    }
    return render(request, "platform/counts.html", context)


def _licensees() -> list[Licensee]:
    return list(Licensee.objects.order_by("name")[:50])


def _silent(licensee: Licensee) -> list[date]:
    return counts.missing_days(licensee)


def _line(row: Any) -> tuple[object, ...]:
    names = ("; ".join(row.missing), "; ".join(row.extra))
    return (row.licensee.slug, row.day, row.thing, row.theirs, row.ours, *names, row.reported_at)
