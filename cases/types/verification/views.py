"""The pages of a verification."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases import same
from cases.models import Case
from cases.permissions import DECIDE, WORK
from cases.queries import get_case
from cases.texts import purpose_title
from cases.types.verification import endings, funds, requirements, rules, services
from cases.types.verification.forms import AdditionForm, DecisionForm, FundsForm, KnownForm, OpenForm
from cases.types.verification.models import Verification
from compliance.people.conflicts.queries import require_stranger
from compliance.people.models import Account
from compliance.people.requests import signed_in, version_shown
from compliance.people.sameness.models import Link
from compliance.people.sameness.services import links_of
from compliance.people.services import open_account, register_customer
from compliance.proposals.models import Proposal
from compliance.proposals.services import propose


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Open a verification for a player we do not know yet."""
    return _new(request, OpenForm(request.POST or None, user=signed_in(request)), _open)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def known(request: HttpRequest) -> HttpResponse:
    """Open a verification for a player who has an account."""
    return _new(request, KnownForm(request.POST or None, user=signed_in(request)), _open_for_known)


def _new(request: HttpRequest, form: forms.Form, act: Callable[..., Any]) -> HttpResponse:
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                case = act(form.cleaned_data, by=signed_in(request))
            except ValidationError as error:
                _add_errors(form, error)
            except ConditionsNotMet as unmet:
                form.add_error(None, unmet.reasons)
            else:
                messages.success(
                    request, _("Verification opened. Tell the player this number: %(number)s") % {"number": case.number}
                )
                return redirect("cases:case", number=case.number)
    return render(request, "verification/new.html", {"form": form, "known": form.__class__ is KnownForm}, status=status)


def _open_for_known(data: dict[str, Any], *, by: Any) -> Any:
    accounts = Account.objects.filter(brand=data["brand"], reference=data["reference"], released_at=None)
    account = accounts.select_related("licensee", "customer", "brand").first()
    if account is None:
        raise ValidationError({"reference": _("There is no player with this number here. Check the number.")})
    require_stranger(by, account.audit_subject, action="verification.open", about=account)
    knowable_at = timezone.now() if data["came_up_now"] else None
    facts = {"because": data["because"], "knowable_at": knowable_at, "crossed_at": knowable_at}
    return services.open(account, level=data["level"], by=by, **facts)


@transaction.atomic
def _open(data: dict[str, Any], *, by: Any) -> Any:
    brand = data["brand"]
    customer = register_customer(
        licensee=brand.licensee,
        full_name=data["full_name"],
        birth_date=data["birth_date"],
        nationality=data["nationality"],
        national_id=data["national_id"] or None,
        address=data["address"],
        by=by,
    )
    account = open_account(
        customer=customer,
        brand=brand,
        reference=data["reference"],
        email=data["email"],
        phone=data["phone"] or None,
        language=data["language"],
        time_zone=brand.licensee.time_zone,
        by=by,
    )
    # The account of somebody under age came with a case of its own.
    running = Verification.objects.open().filter(customer=customer).first()
    return running or services.open(account, level=data["level"], by=by)


def _add_errors(form: Any, error: ValidationError) -> None:
    if hasattr(error, "error_dict"):
        for field, problems in error.message_dict.items():
            form.add_error(field if field in form.fields else None, problems)
    else:
        form.add_error(None, error)


@rule(Rule.SIGNED_IN)
@require_POST
def start(request: HttpRequest, number: str) -> HttpResponse:
    case = services.review(get_case(number, user=signed_in(request)), by=signed_in(request))
    first = case.evidence.filter(state="pending", document__state="ready").order_by("created_at").first()
    if first:
        return redirect("cases:review", number=number, evidence_id=first.pk)
    return redirect("cases:case", number=number)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, number: str) -> HttpResponse:
    """Check before sending: everything the player will read, then one button that sends it once.

    What no file was brought for is asked for as well when it is ticked; without any verdict to tell of, all of it is.
    """
    case = get_case(number, user=signed_in(request))
    said = request.POST if request.method == "POST" else request.GET
    form = AdditionForm(request.POST if request.method == "POST" else None)
    ticked = said.getlist("missing")
    if request.method == "POST" and form.is_valid() and form.was_read(ticked):
        line = form.cleaned_data["line"]
        services.ask(case, by=signed_in(request), version=version_shown(request), missing=ticked, line=line)
        messages.success(request, _("Sent to the player. The case waits until the files arrive."))
        return redirect("cases:case", number=number)
    returned, lacking = rules.asked_again(case), requirements.lacking(case)
    if case.state != "in_review" or not (returned or lacking):
        return redirect("cases:case", number=number)
    chosen = ticked if "chosen" in said or returned else [one.purpose for one in lacking]
    asked = [one for one in lacking if one.purpose in chosen]
    line = form.cleaned_data.get("line", "") if form.is_bound else ""
    context = {
        "case": case,
        "count": len(returned) + len(asked),
        "letter": rules.letter(case, due=rules.answer_due(case, timezone.now()), lacking=asked, line=line),
        "lacking": [(one.purpose, purpose_title(one.purpose), one in asked) for one in lacking],
        "form": form,
        "shown": AdditionForm.digest([one.purpose for one in asked], line),
    }
    return render(request, "verification/ask.html", context, status=422 if form.errors else 200)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, number: str, act: str) -> HttpResponse:
    """A heavy act: what will happen and how many persons it needs, before the button."""
    if act not in endings.TITLES:
        raise Http404("no such act")
    case = get_case(number, user=signed_in(request))
    need = services.needs_two(case, f"verification.{act}")
    form = DecisionForm(request.POST or None, act=act, initial={"seen": rules.evidence_digest(case).hex()})
    missing = case.unmet(act)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _decided(request, case, act, need, form.cleaned_data)
            except ConditionsNotMet as unmet:
                form.add_error(None, unmet.reasons)
    context = {
        "case": case,
        "act": act,
        "need": need,
        "form": form,
        "missing": missing,
        "title": endings.TITLES[act],
        "consequence": endings.CONSEQUENCES[act],
        "stops_at_once": act in endings.PROTECTIVE,
        "script": endings.script(case, act),
    }
    return render(request, "verification/decide.html", context, status=status)


def _decided(request: HttpRequest, case: Any, act: str, need: Any, data: dict[str, Any]) -> HttpResponse:
    facts = {name: data[name] for name in ("reason", "note", "seen")}
    services.submit(case, act, by=signed_in(request), **facts)
    if act in endings.PROTECTIVE:
        messages.success(request, _("The account is stopped. Another person has to confirm that the case ends."))
    elif need.two:
        messages.success(request, _("Submitted. Another person has to confirm it; until then nothing changes."))
    else:
        messages.success(request, _("Done."))
    return redirect("cases:case", number=case.number)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def settle_funds(request: HttpRequest, number: str) -> HttpResponse:
    """Propose what becomes of the balance of a closed account; another person confirms it."""
    case = get_case(number, user=signed_in(request))
    form = FundsForm(request.POST or None, outcome=case.outcome)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _propose_funds(case, form.cleaned_data, by=signed_in(request))
            except ValidationError as error:
                _add_errors(form, error)
            except ConditionsNotMet as unmet:
                form.add_error(None, unmet.reasons)
            else:
                messages.success(request, _("Submitted. Another person has to confirm it; until then nothing changes."))
                return redirect("cases:case", number=number)
    context = {"case": case, "form": form, "missing": funds.unmet(case), "need": funds.need(case)}
    return render(request, "verification/funds.html", context, status=status)


def _propose_funds(case: Any, data: dict[str, Any], *, by: Any) -> None:
    propose(
        funds.ACT,
        case,
        by=by,
        reason=data["reason"],
        note=data["note"],
        decision=data["decision"],
        amount=funds.minor_units(data["amount"], data["currency"]),
        currency=data["currency"],
        as_of=timezone.now().isoformat(),
    )


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def same_person(request: HttpRequest, number: str) -> HttpResponse:
    """Players who agree with this one in something. Linking and parting are proposed, dismissing is done at once."""
    user = signed_in(request)
    case = get_case(number, user=user)
    if request.method == "POST":
        link = get_object_or_404(links_of(case.customer), pk=request.POST.get("link") or None)
        _decide_link(request, link, request.POST.get("act", ""), request.POST.get("reason", ""))
        return redirect("cases:same", number=number)
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
    rows = [_link_row(link, case, user) for link in links_of(case.customer)]
    return render(request, "verification/same.html", {"case": case, "rows": rows, "reasons": same.REASONS.items()})


def _decide_link(request: HttpRequest, link: Link, act: str, reason: str) -> None:
    if reason not in same.REASONS or act not in (same.JOIN, same.PART, same.DISMISS):
        raise ConditionsNotMet([_("Choose what to do, and a reason.")])
    if act == same.DISMISS:
        same.dismiss(link, by=signed_in(request), reason=reason)
        messages.success(request, _("Done."))
    else:
        propose(act, link, by=signed_in(request), reason=reason)
        messages.success(request, _("Submitted. Another person has to confirm it; until then nothing changes."))


def _link_row(link: Link, case: Any, user: Any) -> dict[str, Any]:
    other = link.other(case.customer)
    seen = Case.objects.visible_to(user).filter(customer=other).order_by("-opened_at").first()
    known = [(same.JOIN, _("They are one person"))]
    if link.state == Link.State.LINKED:
        known = [(same.PART, _("Undo the link"))]
    elif link.state == Link.State.FOUND and same.both_allowed(link, user, DECIDE):
        known.append((same.DISMISS, _("They are two persons")))
    return {
        "link": link,
        "words": same.words(link.agrees_in),
        "number": seen.number if seen else "",
        "reference": same.reference_of(other) if seen else "",
        "proposed": Proposal.objects.parked().filter(subject_id=link.pk).exists(),
        "acts": known if same.both_allowed(link, user, WORK) else [],
    }
