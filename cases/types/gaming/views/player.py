"""The player's own pages of a break: choose, see what follows, be out. Three screens, and nothing that asks to stay.

Who visits came through the link that the operator's platform made (limits/player.py).
"""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases.types.gaming import services
from cases.types.gaming.limits.player import Player
from cases.types.gaming.limits.views.player import visited
from cases.types.gaming.offers import effect_of, offer_of, offers_of, stops_today
from compliance.people.models import Account


@visited
@require_GET
def choose(request: HttpRequest, account: Account) -> HttpResponse:
    """Screen one: what there is. None is recommended, none chosen beforehand."""
    record_read(by=Player(account.pk), subject=account.audit_subject, purpose="own_break", about=account)
    return _choose(request, account)


def _choose(request: HttpRequest, account: Account, problem: str = "") -> HttpResponse:
    context = {
        "account": account,
        "offers": offers_of(account.licensee),
        "stops": stops_today(account.licensee),
        "running": services.running(account),
        "problem": problem,
    }
    return render(request, "gaming/break.html", context, status=422 if problem else 200)


@visited
@require_http_methods(["GET", "POST"])
def effect(request: HttpRequest, account: Account) -> HttpResponse:
    """Screen two: what follows, before the button."""
    if request.method == "GET":
        return redirect("cases:my-break")
    try:
        offer = offer_of(account.licensee, request.POST.get("offer", ""))
        _start, terms = effect_of(account.licensee, offer)
    except ConditionsNotMet:
        return _choose(request, account, _("Choose how long."))
    context = {"account": account, "offer": offer, "terms": terms, "stops": stops_today(account.licensee)}
    return render(request, "gaming/break_effect.html", context)


@visited
@require_POST
def start(request: HttpRequest, account: Account) -> HttpResponse:
    """The act. A second click is the same request."""
    try:
        offer = offer_of(account.licensee, request.POST.get("offer", ""))
        exclusion, _case = services.keep_out(
            account, kind=offer.kind, period=offer.period, via="online", by=Player(account.pk)
        )
    except ConditionsNotMet as unmet:
        return _choose(request, account, " ".join(unmet.reasons))
    return redirect("cases:my-break-receipt", exclusion_id=exclusion.pk)


@visited
@require_GET
def receipt(request: HttpRequest, account: Account, exclusion_id: UUID) -> HttpResponse:
    """Screen three: it holds."""
    exclusion = services.of_here(account).filter(pk=exclusion_id).select_related("licensee", "restriction").first()
    if exclusion is None:
        return redirect("cases:my-break")
    return render(request, "gaming/break_receipt.html", {"account": account, "exclusion": exclusion})
