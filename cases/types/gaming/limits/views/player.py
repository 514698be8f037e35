"""The player's own pages of limits. Who visits came through a link that the operator's platform made for them."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet, WrongState
from audit.record import record_read
from cases.types.gaming.limits import ledger, services, showing
from cases.types.gaming.limits.forms import PlayerForm
from cases.types.gaming.limits.models import LimitChange
from cases.types.gaming.limits.player import COOKIE, PATH, VISIT_SECONDS, Player, opened, visit_token, visiting
from compliance.people.models import Account


def visited(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view gets the account of who visits, in their language and zone. Without a visit nothing is shown."""

    @rule(Rule.PUBLIC)
    @never_cache
    @wraps(view)
    def inner(request: HttpRequest, **at: Any) -> HttpResponse:
        account = visiting(request.COOKIES.get(COOKIE, ""))
        if account is None:
            return render(request, "limits/over.html", status=403)
        with translation.override(_language(request, account)), timezone.override(ZoneInfo(account.time_zone)):
            return view(request, account, **at)

    return inner


def _language(request: HttpRequest, account: Account) -> str:
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, account.language)
    return chosen if chosen in dict(settings.LANGUAGES) else "en"


@rule(Rule.PUBLIC)
@never_cache
@require_GET
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Opens the link, once: the address holds nothing any more when the page is there."""
    account = opened(token)
    if account is None:
        return render(request, "limits/over.html", status=403)
    answer = redirect("cases:my-limits")
    answer.set_cookie(
        COOKIE,
        visit_token(account),
        max_age=VISIT_SECONDS,
        path=PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer


@visited
@require_GET
def limits(request: HttpRequest, account: Account) -> HttpResponse:
    record_read(by=Player(account.pk), subject=account.audit_subject, purpose="own_limits", about=account)
    return render(request, "limits/mine.html", _page(account, PlayerForm(currency=showing.currency_of(account))))


@visited
@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest, account: Account) -> HttpResponse:
    """What would follow, before the button: at once, or not before a moment and only when the player confirms then."""
    if request.method == "GET":
        return redirect("cases:my-limits")
    form = PlayerForm(request.POST, currency=showing.currency_of(account))
    if form.is_valid():
        try:
            change = services.foresee(account, by=Player(account.pk), **form.asked())
        except ConditionsNotMet as unmet:
            form.add_error(None, [reason.partition(": ")[2] or reason for reason in unmet.reasons])
        else:
            context = {"account": account, "form": form, "change": change, "terms": showing.terms_words(change)}
            return render(request, "limits/effect.html", context)
    return render(request, "limits/mine.html", _page(account, form), status=422)


@visited
@require_POST
def ask(request: HttpRequest, account: Account) -> HttpResponse:
    form = PlayerForm(request.POST, currency=showing.currency_of(account))
    if form.is_valid():
        try:
            change = services.ask(account, by=Player(account.pk), **form.asked())
        except ConditionsNotMet as unmet:
            form.add_error(None, [reason.partition(": ")[2] or reason for reason in unmet.reasons])
        else:
            return redirect("cases:my-limits-receipt", receipt=change.receipt)
    return render(request, "limits/mine.html", _page(account, form), status=422)


@visited
@require_GET
def receipt(request: HttpRequest, account: Account, receipt: str) -> HttpResponse:
    change = _change(account, receipt)
    context = {"account": account, "change": change, "terms": showing.terms_words(change)}
    return render(request, "limits/receipt.html", context)


@visited
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, account: Account, receipt: str) -> HttpResponse:
    """Asks once more, says what changes; the button makes the raise hold."""
    change, problem = _change(account, receipt), ""
    if request.method == "POST":
        try:
            services.confirm(change, by=Player(account.pk))
            return redirect("cases:my-limits-receipt", receipt=receipt)
        except (ConditionsNotMet, WrongState) as refused:
            problem = str(refused)
    context = {"account": account, "change": change, "terms": showing.terms_words(change), "problem": problem}
    return render(request, "limits/confirm.html", context, status=422 if problem else 200)


@visited
@require_POST
def withdraw(request: HttpRequest, account: Account, receipt: str) -> HttpResponse:
    with transaction.atomic():
        change = services.withdraw(_change(account, receipt), by=Player(account.pk))
    return redirect("cases:my-limits-receipt", receipt=change.receipt)


def _page(account: Account, form: PlayerForm) -> dict[str, Any]:
    at = ledger.clock()
    waiting = [
        {"change": one, "terms": showing.terms_words(one), "ready": showing.can_confirm(one, at)}
        for one in showing.waiting(account)
    ]
    return {"account": account, "lines": showing.lines(account), "waiting": waiting, "form": form}


def _change(account: Account, receipt: str) -> LimitChange:
    rows = LimitChange.objects.filter(account=account, receipt=receipt, imposed=False)
    found: LimitChange | None = rows.select_related("account__licensee", "account__customer").first()
    if found is None:
        raise Http404("no such limit")
    return found
