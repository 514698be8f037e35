"""What could not be delivered: look, have it tried again, or drop it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import rule
from audit.actors import who
from audit.record import ObjectRef, record
from compliance.outbox import delivery
from compliance.outbox.forms import DropForm
from compliance.outbox.models import OutboxRow

RIGHT = "outbox.settle_outboxrow"
PAGE = 200


@require_GET
@rule(RIGHT)
def parked(request: HttpRequest) -> HttpResponse:
    """The oldest first. Ids and kinds only: what they are about is read where it belongs, by who may."""
    rows = list(OutboxRow.objects.parked().order_by("failed_at", "id")[:PAGE])
    with transaction.atomic():
        record("outbox.list", by=who(request.user), about=ObjectRef("list", "outbox"), details={"rows": len(rows)})
    shown: list[dict[str, Any]] = [{"row": row, "behind": OutboxRow.objects.behind(row).count()} for row in rows]
    return render(request, "outbox/parked.html", {"rows": shown, "waiting": OutboxRow.objects.begun().count()})


@require_POST
@rule(RIGHT)
def retry(request: HttpRequest, row_id: UUID) -> HttpResponse:
    row = get_object_or_404(OutboxRow, pk=row_id)
    if delivery.retry(row, by=who(request.user)):
        messages.success(request, _("It is tried again now."))
    else:
        messages.error(request, _("Somebody saw to it already."))
    return redirect("outbox:parked")


@require_http_methods(["GET", "POST"])
@rule(RIGHT)
def drop(request: HttpRequest, row_id: UUID) -> HttpResponse:
    row = get_object_or_404(OutboxRow.objects.parked(), pk=row_id)
    form = DropForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if delivery.drop(row, by=who(request.user), note=form.cleaned_data["note"]):
            messages.success(request, _("Dropped. The log says who did it and why."))
        return redirect("outbox:parked")
    context = {"row": row, "behind": OutboxRow.objects.behind(row).count(), "form": form}
    return render(request, "outbox/drop.html", context, status=422 if form.errors else 200)
