"""The pages of a verification."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from cases.queries import get_case
from cases.types.verification import endings, rules, services
from cases.types.verification.forms import DecisionForm, OpenForm
from compliance.people.requests import signed_in
from compliance.people.services import open_account, register_customer


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Open a verification for a player we do not know yet."""
    form = OpenForm(request.POST or None, user=signed_in(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                case = _open(form.cleaned_data, by=signed_in(request))
            except ValidationError as error:
                _add_errors(form, error)
            except ConditionsNotMet as unmet:
                form.add_error(None, unmet.reasons)
            else:
                messages.success(
                    request, _("Verification opened. Tell the player this number: %(number)s") % {"number": case.number}
                )
                return redirect("cases:case", number=case.number)
    return render(request, "verification/new.html", {"form": form}, status=status)


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
    return services.open(account, level=data["level"], by=by)


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
    """Check before sending: everything the player will read, then one button that sends it once."""
    case = get_case(number, user=signed_in(request))
    if request.method == "POST":
        services.ask(case, by=signed_in(request), version=_version(request))
        messages.success(request, _("Sent to the player. The case waits until the files arrive."))
        return redirect("cases:case", number=number)
    returned = rules.asked_again(case)
    if not returned or case.state != "in_review":
        return redirect("cases:case", number=number)
    letter = rules.letter(case, due=rules.answer_due(case, timezone.now()))
    context = {"case": case, "returned": returned, "letter": letter}
    return render(request, "verification/ask.html", context)


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


def _version(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isdigit() else None
