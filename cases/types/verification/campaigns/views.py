"""Campaigns: the list, choosing whom, how far one is and what came of it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.access import rule, when_sent
from audit.perform import ConditionsNotMet, WrongState
from audit.record import query_digest, record
from cases.types.verification.campaigns import services, words
from cases.types.verification.campaigns.choosing import Choice, askable, chosen, nameable
from cases.types.verification.campaigns.forms import CampaignForm
from cases.types.verification.campaigns.models import RUN, Campaign, Member
from cases.types.verification.models import Outcome, Verification
from compliance.people.models import Licensee, User
from compliance.people.reach import licensees_of
from compliance.people.requests import signed_in
from compliance.proposals.models import Proposal
from compliance.proposals.queries import open_proposal

SHOWN, SAMPLE, PAGE = 50, 10, 50
State = Campaign.State
MOVES = {"pause": services.pause, "resume": services.resume, "stop": services.stop}
DONE = {
    "pause": gettext_lazy("Paused. What was opened stays open."),
    "resume": gettext_lazy("It goes on."),
    "stop": gettext_lazy("Stopped. What was opened stays open."),
}


@rule(RUN)
@require_safe
def campaigns(request: HttpRequest) -> HttpResponse:
    rows = Campaign.objects.visible_to(signed_in(request)).select_related("licensee")
    found = [(one, services.results(one)) for one in rows.order_by("-made_at")[:SHOWN]]
    return render(request, "campaigns/list.html", {"rows": [(one, _reached(one, counts)) for one, counts in found]})


def _reached(campaign: Campaign, counts: dict[str, int]) -> int:
    return campaign.total - counts.get(Member.Result.WAITS, 0)


@rule(RUN, fresh=when_sent)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Choose; with `look` say whom it would reach; without, fix the players and start or propose it."""
    user = signed_in(request)
    licensees = licensees_of(user, RUN)
    form = CampaignForm(request.POST or None, licensees=licensees)
    context: dict[str, Any] = {"form": form}
    if request.method == "GET" or not form.is_valid():
        return render(request, "campaigns/new.html", context, status=200 if request.method == "GET" else 422)
    given = form.cleaned_data
    if "look" in request.POST:
        return render(request, "campaigns/new.html", context | _foreseen(form, given["licensee"], user))
    facts = {name: given[name] for name in ("title", "per_day", "level")}
    try:
        with transaction.atomic():
            made = services.draft(given["licensee"], form.choice(), by=user, **facts)
            done = services.submit(made, by=user, reason=given["reason"])
    except ConditionsNotMet as unmet:
        for words_of in unmet.reasons:
            form.add_error(None, words_of)
        return render(request, "campaigns/new.html", context, status=422)
    waits = isinstance(done, Proposal)
    messages.success(request, _("Proposed. A second person confirms it.") if waits else _("Started."))
    return redirect("cases:campaign", campaign_id=made.pk)


def _foreseen(form: CampaignForm, licensee: Licensee, user: User) -> dict[str, Any]:
    """How many, and the first of those whom this person may be shown."""
    choice: Choice = form.choice()
    found = services.foreseen(licensee, choice, form.cleaned_data["per_day"])
    rows = nameable(askable(chosen(licensee, choice)), user)
    sample = list(rows.prefetch_related("accounts")[:SAMPLE])
    _looked(licensee, len(sample), repr(choice), by=user)
    return {"found": found, "sample": [(one, _reference(one)) for one in sample]}


def _reference(customer: Any) -> str:
    return next((account.reference for account in customer.accounts.all() if account.released_at is None), "")


def _looked(licensee: Licensee, rows: int, query: str, *, by: User) -> None:
    details = {"rows": rows, "query": query_digest(query), "licensee": licensee.slug}
    with transaction.atomic():
        record("campaigns.list", by=by, about=licensee, details=details)


@rule(RUN)
@require_safe
def campaign(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """How far it is, what came of it, and the cases of it that this person sees."""
    user = signed_in(request)
    one = _get(user, campaign_id)
    counts, ended = services.results(one), services.endings(one, seen_by=user)
    cases = Verification.objects.visible_to(user).filter(campaign_member__campaign=one).select_related("account")
    page = Paginator(cases.order_by("-opened_at", "pk"), PAGE).get_page(request.GET.get("page"))
    _looked(one.licensee, len(page.object_list), str(one.pk), by=user)
    context = {
        "campaign": one,
        "said": words.said(one),
        "reached": _reached(one, counts),
        "today": services.sent_today(one),
        "counts": [(label, counts.get(value, 0)) for value, label in Member.Result.choices if counts.get(value)],
        "ended": [(label, ended[value]) for value, label in _endings() if ended.get(value)],
        "page": page,
        "newer_url": f"?page={page.previous_page_number()}" if page.has_previous() else "",
        "older_url": f"?page={page.next_page_number()}" if page.has_next() else "",
        "proposal": open_proposal(one),
        "moves": [name for name, state in MOVES_AT if one.state == state],
    }
    return render(request, "campaigns/campaign.html", context)


MOVES_AT = (("pause", State.RUNNING), ("resume", State.PAUSED))


def _endings() -> list[tuple[str, Any]]:
    return [("", _("Open")), *Outcome.choices]


@rule(RUN, fresh=True)
@require_POST
def move(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """`move`: pause, resume or stop."""
    user = signed_in(request)
    one = _get(user, campaign_id)
    name = request.POST.get("move", "")
    if name not in MOVES:
        raise WrongState(_("move: choose pause, resume or stop."))
    MOVES[name](one, by=user)
    messages.success(request, str(DONE[name]))
    return redirect("cases:campaign", campaign_id=campaign_id)


def _get(user: User, campaign_id: UUID) -> Campaign:
    found: Campaign = get_object_or_404(
        Campaign.objects.visible_to(user).select_related("licensee", "made_by"), pk=campaign_id
    )
    return found
