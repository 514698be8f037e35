"""Stopping play, and proposing that it may go on."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audit.access import Rule, rule
from audit.perform import Denied
from audit.record import record_read
from cases import protection
from cases.caseless import get_player
from cases.forms import LiftForm, StopForm
from cases.permissions import WORK, may
from cases.queries import get_case
from compliance.people.models import Restriction
from compliance.people.requests import signed_in
from compliance.people.restrictions import in_force
from compliance.proposals.services import propose


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def stop_play(request: HttpRequest, number: str) -> HttpResponse:
    """Says what stops and what stays, then stops it: one page, one button."""
    case, user = _case(request, number)
    form = StopForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        protection.stop_play(case, by=user, reason=form.cleaned_data["reason"])
        messages.success(request, _("Play is stopped. The platform is told now, and refuses play from now on."))
        return redirect("cases:case", number=number)
    _looked(user, case)
    running = in_force(case.customer).filter(stops_play=True).exists()
    status = 422 if request.method == "POST" else 200
    return render(request, "cases/stop_play.html", {"case": case, "form": form, "running": running}, status=status)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def stop_player(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """The same page for a player who is reached without a case. It shows their number and what stops, and no more."""
    user = signed_in(request)
    player = get_player(customer_id, user=user)
    form = StopForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        protection.stop_player(player, by=user, reason=form.cleaned_data["reason"])
        messages.success(request, _("Play is stopped. The platform is told now, and refuses play from now on."))
        return redirect("cases:stop-player", customer_id=customer_id)
    record_read(by=user, subject=player.audit_subject, purpose="stop_play", about=player)
    context = {
        "player": player,
        "accounts": player.accounts.select_related("brand").order_by("reference", "pk"),
        "form": form,
        "running": in_force(player).filter(stops_play=True).exists(),
        "stops": protection.stops_of(player),
    }
    return render(request, "cases/stop_player.html", context, status=422 if request.method == "POST" else 200)


@rule(Rule.SIGNED_IN, fresh=True)
@require_http_methods(["GET", "POST"])
def lift_for_player(request: HttpRequest, customer_id: UUID, restriction_id: UUID) -> HttpResponse:
    """Propose it without a case, or with one that this person does not see: both look alike."""
    user = signed_in(request)
    player = get_player(customer_id, user=user)
    row = get_object_or_404(protection.stops_of(player), pk=restriction_id)
    form = LiftForm(request.POST or None)
    back = reverse("cases:stop-player", args=[customer_id])
    if request.method == "POST" and form.is_valid():
        return _proposed(request, row, form, back)
    record_read(by=user, subject=player.audit_subject, purpose="stop_play", about=player)
    account = player.accounts.order_by("reference", "pk").first()
    context = {"account": account, "back": back, **_lifting(form, row)}
    return render(request, "cases/lift.html", context, status=422 if request.method == "POST" else 200)


@rule(Rule.SIGNED_IN, fresh=True)
@require_http_methods(["GET", "POST"])
def lift(request: HttpRequest, number: str, restriction_id: UUID) -> HttpResponse:
    """Propose that the player may play again. A second person decides."""
    case, user = _case(request, number)
    row = get_object_or_404(Restriction, pk=restriction_id, customer_id=case.customer_id, lifted_at=None)
    if not protection.is_ours(row):
        raise Http404("lifted by the kind of case that set it")
    form = LiftForm(request.POST or None)
    back = reverse("cases:case", args=[number])
    if request.method == "POST" and form.is_valid():
        return _proposed(request, row, form, back)
    _looked(user, case)
    context = {"case": case, "account": case.account, "back": back, **_lifting(form, row)}
    return render(request, "cases/lift.html", context, status=422 if request.method == "POST" else 200)


def _proposed(request: HttpRequest, row: Restriction, form: LiftForm, back: str) -> HttpResponse:
    data = form.cleaned_data
    propose(protection.LIFT, row, by=signed_in(request), reason=data["reason"], note=data["note"])
    messages.success(request, _("Proposed. Play stays stopped until a second person confirms."))
    return redirect(back)


def _lifting(form: LiftForm, row: Restriction) -> dict[str, Any]:
    return {"form": form, "row": row, "early": protection.too_early(row, now=timezone.now())}


def _case(request: HttpRequest, number: str) -> tuple[Any, Any]:
    user = signed_in(request)
    case = get_case(number, user=user)
    if not may(user, WORK, case):
        raise Denied("no_right")
    return case, user


def _looked(user: Any, case: Any) -> None:
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
