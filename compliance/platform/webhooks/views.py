"""Where events go, for administrators: endpoints, what became of each delivery, and the events there are."""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import rule
from audit.perform import ConditionsNotMet
from audit.record import ObjectRef, record
from compliance.people.requests import signed_in
from compliance.platform.webhooks import catalogue, services
from compliance.platform.webhooks.forms import AgainForm, EndpointForm, NewEndpointForm
from compliance.platform.webhooks.models import Delivery, Endpoint

RIGHT = "webhooks.manage_endpoint"
PAGE = 50
STATES: dict[str, Q] = {
    "": Q(),
    "open": Q(done_at=None, given_up_at=None),
    "given_up": Q(given_up_at__isnull=False),
    "delivered": Q(done_at__isnull=False),
}


@require_GET
@rule(RIGHT)
def endpoints(request: HttpRequest) -> HttpResponse:
    waiting = Count("deliveries", filter=Q(deliveries__done_at=None, deliveries__given_up_at=None))
    rows = list(
        Endpoint.objects.select_related("licensee").annotate(waiting=waiting).order_by("licensee__name", "name")
    )
    with transaction.atomic():
        about = ObjectRef("list", "endpoints")
        record("webhooks.list", by=signed_in(request), about=about, details={"rows": len(rows)})
    return render(request, "webhooks/endpoints.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@rule(RIGHT, fresh=True)
def new(request: HttpRequest) -> HttpResponse:
    form = NewEndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = signed_in(request)
        try:
            endpoint, secret = services.add_endpoint(created_by=user, by=user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return render(request, "webhooks/secret.html", {"endpoint": endpoint, "secret": secret, "first": True})
    return render(request, "webhooks/new.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@rule(RIGHT)
def endpoint(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """The endpoint and what became of its deliveries, the newest first."""
    return _page(request, _endpoint(endpoint_id), AgainForm())


def _page(request: HttpRequest, found: Endpoint, form: AgainForm) -> HttpResponse:
    wanted = request.GET.get("state", "")
    rows = found.deliveries.filter(STATES.get(wanted, Q())).select_related("event")
    rows = rows.order_by("-created_at", "-id").annotate(calls=Count("attempts"))
    page = _number(request.GET.get("page"))
    shown = list(rows[page * PAGE : (page + 1) * PAGE + 1])
    query = f"?state={wanted}&page=" if wanted in STATES and wanted else "?page="
    with transaction.atomic():
        record("webhooks.list", by=signed_in(request), about=found, details={"rows": len(shown[:PAGE])})
    context = {
        "endpoint": found,
        "rows": shown[:PAGE],
        "state": wanted,
        "any_state": wanted not in STATES or not wanted,
        "form": form,
        "older_url": f"{query}{page + 1}" if len(shown) > PAGE else "",
        "newer_url": f"{query}{page - 1}" if page else "",
        "both_sign": len(services.secrets_of(found)) > 1,
    }
    return render(request, "webhooks/endpoint.html", context, status=422 if form.errors else 200)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0


@require_http_methods(["GET", "POST"])
@rule(RIGHT, fresh=True)
def change(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    found = _endpoint(endpoint_id)
    form = EndpointForm(request.POST or None, initial={"name": found.name, "url": found.url, "types": found.types})
    if request.method == "POST" and form.is_valid():
        try:
            services.change_endpoint(found, by=signed_in(request), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("platform:webhooks:endpoint", endpoint_id)
    return render(
        request, "webhooks/change.html", {"endpoint": found, "form": form}, status=422 if form.errors else 200
    )


@require_POST
@rule(RIGHT, fresh=True)
def exchange(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    found, secret = services.exchange_secret(_endpoint(endpoint_id), by=signed_in(request))
    return render(request, "webhooks/secret.html", {"endpoint": found, "secret": secret})


@require_POST
@rule(RIGHT, fresh=True)
def switch(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """On when it is off, off when it is on: the button says which, and sends it."""
    act = services.enable if request.POST.get("to") == "on" else services.disable
    act(_endpoint(endpoint_id), by=signed_in(request))
    return redirect("platform:webhooks:endpoint", endpoint_id)


@require_POST
@rule(RIGHT)
def send_test(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    try:
        services.send_test(_endpoint(endpoint_id), by=signed_in(request))
    except ConditionsNotMet as unmet:
        messages.error(request, " ".join(unmet.reasons))
    else:
        messages.success(request, _("A test event is on its way. Load the page again in a moment."))
    return redirect("platform:webhooks:endpoint", endpoint_id)


@require_POST
@rule(RIGHT)
def resend_failed(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    found, form = _endpoint(endpoint_id), AgainForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    since, until = form.span()
    _say(request, services.resend_failed(found, since=since, until=until, by=signed_in(request)))
    return redirect("platform:webhooks:endpoint", endpoint_id)


@require_GET
@rule(RIGHT)
def delivery(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Each call of one delivery, with the beginning of what the receiver said."""
    rows = Delivery.objects.select_related("event__licensee", "endpoint")
    found = get_object_or_404(rows, pk=delivery_id)
    calls: list[dict[str, Any]] = [
        {"call": call, "reply": services.reply_text(call)} for call in found.attempts.order_by("-made_at")[:PAGE]
    ]
    with transaction.atomic():
        details = {"delivery": str(found.pk)}
        record("webhooks.read_delivery", by=signed_in(request), about=found.endpoint, details=details)
    return render(request, "webhooks/delivery.html", {"delivery": found, "calls": calls})


@require_POST
@rule(RIGHT)
def resend(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    found = get_object_or_404(Delivery.objects.select_related("endpoint"), pk=delivery_id)
    _say(request, services.resend(found, by=signed_in(request)))
    return redirect("platform:webhooks:endpoint", found.endpoint_id)


@require_GET
@rule(RIGHT)
def events(request: HttpRequest) -> HttpResponse:
    """The events there are, with schema and sample, as receivers need them."""
    rows = [
        {"event": one, "schema": _pretty(catalogue.envelope(one)), "sample": _pretty(one.sample)}
        for _name, one in sorted(catalogue.types().items())
    ]
    return render(request, "webhooks/events.html", {"rows": rows})


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _say(request: HttpRequest, count: int) -> None:
    if count:
        text = ngettext("%(n)d delivery is sent again now.", "%(n)d deliveries are sent again now.", count)
        messages.success(request, text % {"n": count})
    else:
        messages.error(request, _("There is nothing to send again."))


def _endpoint(endpoint_id: UUID) -> Endpoint:
    return get_object_or_404(Endpoint.objects.select_related("licensee"), pk=endpoint_id)
