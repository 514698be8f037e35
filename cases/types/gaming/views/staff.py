"""Staff's pages for requests about play."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet, WrongState
from cases.models import Queue
from cases.permissions import DECIDE, WORK, granted, may
from cases.queries import get_case
from cases.types.gaming import acts, services
from cases.types.gaming.forms import ADVICE, OUTCOMES, SIGNS, InteractionForm, KeepOutForm, ReasonForm, ReturnForm
from cases.types.gaming.markers import services as markers
from cases.types.gaming.markers import showing
from cases.types.gaming.models import KIND, GamingRequest
from cases.types.gaming.offers import offer_of, offers_of
from compliance.people.exclusions import services as exclusions
from compliance.people.exclusions.carrying import resembling
from compliance.people.exclusions.models import Duplicate
from compliance.people.exclusions.terms import needed
from compliance.people.models import Account, Licensee, User
from compliance.people.requests import signed_in
from compliance.proposals.acts import lookup
from compliance.proposals.services import propose
from compliance.rulebook.queries import policy_at


def _case(request: HttpRequest, number: str) -> GamingRequest:
    case = get_case(number, user=signed_in(request))
    if case.kind != KIND:
        raise Http404("no such request")
    return case  # type: ignore[no-any-return]


def _of_an_exclusion(request: HttpRequest, number: str) -> GamingRequest:
    case = _case(request, number)
    if case.gaming_facts.exclusion_id is None:
        raise Http404("about no exclusion")
    return case


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Keep a player out on their word or somebody else's. Whether the player exists is told to nobody who asks.

    What is offered, and whom a number means, is the licensee's: who works for several says first for which.
    """
    user = signed_in(request)
    licensees = Licensee.objects.filter(pk__in=granted(user, WORK, Queue).values("licensee")).order_by("name")
    licensee = _chosen(request, list(licensees))
    if licensee is None:
        return render(request, "gaming/new_where.html", {"licensees": licensees})
    form = KeepOutForm(request.POST or None, offers=offers_of(licensee))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            accounts = Account.objects.filter(
                licensee=licensee, reference=form.cleaned_data["reference"], released_at=None
            )
            account = accounts.select_related("licensee", "customer", "brand").first()
            if account is None:
                form.add_error("reference", _("There is no player with this number here. Check the number."))
            else:
                try:
                    return _kept_out(request, account, form.cleaned_data)
                except ConditionsNotMet as unmet:
                    form.add_error(None, unmet.reasons)
    context = {"form": form, "licensee": licensee if len(licensees) > 1 else None}
    return render(request, "gaming/new.html", context, status=status)


def _chosen(request: HttpRequest, licensees: list[Licensee]) -> Licensee | None:
    """The only one, or the one that was chosen; None: choose."""
    if not licensees:
        raise Http404("no queue")
    slug = request.GET.get("licensee", "")
    known = {one.slug: one for one in licensees}
    return known.get(slug) or (licensees[0] if len(licensees) == 1 else None)


def _kept_out(request: HttpRequest, account: Account, data: dict[str, Any]) -> HttpResponse:
    offer = offer_of(account.licensee, data["offer"])
    exclusion, case = services.keep_out(
        account,
        kind=offer.kind,
        period=offer.period,
        asked_by=data["asked_by"],
        via=data["via"],
        words=data["words"],
        by=signed_in(request),
    )
    messages.success(request, _("The player is kept out of play now. The platform is told to stop what runs."))
    if case is None:
        return redirect("cases:home")
    return redirect("cases:case", number=case.number)


@rule(Rule.SIGNED_IN)
@require_POST
def review(request: HttpRequest, number: str) -> HttpResponse:
    services.review(_case(request, number), by=signed_in(request))
    return redirect("cases:case", number=number)


@rule(Rule.SIGNED_IN)
@require_POST
def settle(request: HttpRequest, number: str) -> HttpResponse:
    services.settle(_case(request, number), by=signed_in(request))
    messages.success(request, _("Closed. The exclusion stays as it is."))
    return redirect("cases:case", number=number)


@rule("gaming.read_interaction")
@require_http_methods(["GET", "POST"])
def interaction(request: HttpRequest, number: str) -> HttpResponse:
    """What was noticed, advised and agreed. A compartment of its own."""
    case, user = _case(request, number), signed_in(request)
    form = InteractionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.write_interaction(case, by=user, **form.cleaned_data)
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            messages.success(request, _("Noted. Only responsible-gaming officers read it."))
            return redirect("cases:case", number=number)
    earlier = [
        {
            "row": row,
            "note": note,
            "signs": [SIGNS[one] for one in row.signs],
            "advice": [ADVICE[one] for one in row.advice],
            "outcome": OUTCOMES[row.outcome],
        }
        for row, note in services.interactions_of(case, by=user)
    ]
    context = {"case": case, "form": form, "earlier": earlier, "words": services.words_of(case, by=user)}
    context |= _score(case, user)
    return render(request, "gaming/interaction.html", context, status=422 if request.method == "POST" else 200)


def _score(case: GamingRequest, user: User) -> dict[str, Any]:
    """The player's score with every line of its sum; nothing where none was counted."""
    found = markers.score_of(case.customer, by=user)
    if found is None:
        return {}
    score, kept = found
    lines = showing.lines(kept, score.policy)
    return {"score": score, "lines": lines, "total": showing.total(lines)}


PROPOSED = {"accept": acts.ACCEPT, "annul": acts.ANNUL, "marketing": acts.ALLOW}


@rule(Rule.SIGNED_IN, fresh=True)
@require_http_methods(["GET", "POST"])
def propose_act(request: HttpRequest, number: str, act: str) -> HttpResponse:
    """A return accepted, an exclusion of the wrong person annulled, marketing allowed again: a second person decides,
    unless the policy lets one.
    """
    if act not in PROPOSED:
        raise Http404("no such act")
    case, user, name = _of_an_exclusion(request, number), signed_in(request), PROPOSED[act]
    need = lookup(name).need(case.exclusion)
    form = ReasonForm(request.POST or None, reasons=acts.REASONS[name], alone=not need.two)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                done = _submit(name, case, by=user, two=need.two, **form.cleaned_data)
            except (ConditionsNotMet, WrongState) as unmet:
                form.add_error(None, getattr(unmet, "reasons", [str(unmet)]))
            else:
                messages.success(request, done)
                return redirect("cases:case", number=number)
    context = {
        "case": case,
        "form": form,
        "title": acts.TITLES[name],
        "consequence": acts.CONSEQUENCES[name],
        "exclusion": case.exclusion,
        "need": need,
    }
    return render(request, "gaming/propose.html", context, status=status)


def _submit(name: str, case: GamingRequest, *, by: User, two: bool, **facts: Any) -> str:
    if two:
        propose(name, case.exclusion, by=by, **facts)
        return _("Submitted. Another person has to confirm it; until then nothing changes.")
    lookup(name).run(case.exclusion, by=by, **facts)
    return _("Done.")


def _duplicate(case: GamingRequest, duplicate_id: UUID) -> Duplicate:
    rows = resembling(case.exclusion).filter(customer__licensee_id=case.licensee_id)
    return get_object_or_404(rows.select_related("customer__licensee"), pk=duplicate_id)


@rule(Rule.SIGNED_IN, fresh=True)
@require_http_methods(["GET", "POST"])
def duplicate(request: HttpRequest, number: str, duplicate_id: UUID) -> HttpResponse:
    """Somebody resembles the player: propose that it is another person, or say that it is the same."""
    case, user = _of_an_exclusion(request, number), signed_in(request)
    found = _duplicate(case, duplicate_id)
    form = ReasonForm(request.POST or None, reasons=acts.REASONS[acts.CLEAR])
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                propose(acts.CLEAR, found, by=user, **form.cleaned_data)
            except (ConditionsNotMet, WrongState) as unmet:
                form.add_error(None, getattr(unmet, "reasons", [str(unmet)]))
            else:
                messages.success(request, _("Submitted. Another person has to confirm it; until then nothing changes."))
                return redirect("cases:case", number=number)
    context = {
        "case": case,
        "form": form,
        "title": acts.TITLES[acts.CLEAR],
        "need": lookup(acts.CLEAR).need(found),
        "consequence": acts.CONSEQUENCES[acts.CLEAR],
        "agrees": ", ".join(str(acts.AGREES[what]) for what in found.by),
        "same_url": reverse("cases:gaming-same", args=[number, duplicate_id]),
    }
    return render(request, "gaming/propose.html", context, status=status)


@rule(Rule.SIGNED_IN)
@require_POST
def same_person(request: HttpRequest, number: str, duplicate_id: UUID) -> HttpResponse:
    """It protects, so one person is enough."""
    case, user = _of_an_exclusion(request, number), signed_in(request)
    if not may(user, WORK, case):
        raise Http404("no right")
    exclusions.confirm_duplicate(_duplicate(case, duplicate_id), by=user)
    messages.success(request, _("This player is kept out too, for as long."))
    return redirect("cases:case", number=number)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def ask_return(request: HttpRequest, number: str) -> HttpResponse:
    """The player asks to return, by a channel that the policy takes."""
    case, user = _of_an_exclusion(request, number), signed_in(request)
    if not may(user, WORK, case):
        raise Http404("no right")
    channels = [
        one for one in needed(policy_at(case.exclusion.policy_version).exclusions, "return_channels") if one != "online"
    ]
    form = ReturnForm(request.POST or None, channels=channels)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _done, made = services.ask_return(case.exclusion, case.account, by=user, **form.cleaned_data)
            except (ConditionsNotMet, WrongState) as unmet:
                form.add_error(None, getattr(unmet, "reasons", [str(unmet)]))
            else:
                messages.success(request, _("Noted. Nothing changes for the player by asking."))
                return redirect("cases:case", number=made.number if made else number)
    context = {"case": case, "form": form, "exclusion": case.exclusion}
    return render(request, "gaming/return.html", context, status=status)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def refuse(request: HttpRequest, number: str) -> HttpResponse:
    """The player stays out. One person is enough: it protects."""
    case, user = _of_an_exclusion(request, number), signed_in(request)
    if not may(user, DECIDE, case):
        raise Http404("no right")
    if request.method == "POST":
        services.refuse_return(case.exclusion, by=user, reason="not_yet")
        messages.success(request, _("The player stays out of play."))
        return redirect("cases:case", number=number)
    context = {
        "case": case,
        "title": _("Refuse the return"),
        "consequence": _("The player stays out of play and may ask again."),
    }
    return render(request, "gaming/sure.html", context)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def confirm_return(request: HttpRequest, number: str) -> HttpResponse:
    """The player said once more, after the wait, that they want to play."""
    case, user = _of_an_exclusion(request, number), signed_in(request)
    if not may(user, WORK, case):
        raise Http404("no right")
    unmet = case.exclusion.unmet("confirm_return")
    if request.method == "POST" and not unmet:
        services.confirm_return(case.exclusion, by=user)
        messages.success(request, _("The exclusion ended. Marketing stays off until the player asks for it."))
        return redirect("cases:case", number=number)
    context = {
        "case": case,
        "title": _("The player confirms the return"),
        "consequence": _("Play and deposits are allowed again at once."),
        "missing": unmet,
    }
    return render(request, "gaming/sure.html", context, status=422 if request.method == "POST" else 200)
