"""Pages of a player's risk: the arithmetic, facts by hand, an officer's decision, what is due."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import ObjectRef, query_digest, record, record_read
from cases.models import Case, Evidence
from cases.permissions import DECIDE, WORK, may
from cases.queries import get_case
from cases.types.verification.risk import deciding, rating, services
from cases.types.verification.risk.forms import CountryForm, FactForm, OverrideForm
from cases.types.verification.risk.models import Assessment, Override, Profile
from compliance.people.models import RiskFact
from compliance.people.requests import signed_in
from compliance.people.risk import holding
from compliance.policy.risk_model import RiskModel, risk_model
from compliance.proposals.models import Proposal
from compliance.proposals.services import propose

SHOWN = 50
AHEAD = timedelta(days=60)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def risk(request: HttpRequest, number: str) -> HttpResponse:
    """The level and how it came about; a POST enters a fact that somebody found out, or a country."""
    case = get_case(number, user=signed_in(request))
    if request.method == "GET":
        return _page(request, case)
    of_country = "way" in request.POST
    name, kind, enter = (
        ("country_form", CountryForm, services.enter_country) if of_country else ("fact_form", FactForm, services.enter)
    )
    form: Any = kind(request.POST, today=case.licensee.today())
    if not form.is_valid():
        return _page(request, case, status=422, **{name: form})
    try:
        enter(case, by=signed_in(request), **form.cleaned_data)
    except ValidationError as error:
        for field, problems in error.message_dict.items():
            form.add_error(field, problems)
        return _page(request, case, status=422, **{name: form})
    said = _("The country is kept.") if of_country else _("Kept. The risk was reckoned anew.")
    messages.success(request, said)
    return redirect("cases:risk", number=number)


def _page(request: HttpRequest, case: Any, *, status: int = 200, **forms: Any) -> HttpResponse:
    user, customer, today = signed_in(request), case.customer, case.licensee.today()
    record_read(by=user, subject=case.audit_subject, purpose="risk", about=case, matter=case.number)
    found = rating.rating_of(customer, on=today)
    model, where = risk_model(today), rating.countries_of(customer, on=today)
    profile = Profile.objects.select_related("assessment").filter(customer=customer).first()
    context = {
        "case": case,
        "found": found,
        "lines": rating.lines([vars_of(part) for part in found.parts], model=found.model, of=where),
        "countries": [(rating.country_words(way, country), codes) for way, country, codes in where],
        "levels": model.levels,
        "profile": profile,
        "override": services.current_override(customer),
        "facts": [(_title(model, fact.code), fact) for fact in holding(customer, on=today)],
        "history": Assessment.objects.filter(customer=customer).order_by("-assessed_at")[:SHOWN],
        "overrides": Override.objects.filter(customer=customer).select_related("made_by").order_by("-made_at")[:SHOWN],
        "proposal": Proposal.objects.parked().filter(act=services.ACT, subject_id=customer.pk).first(),
        "may_work": may(user, WORK, case),
        "may_decide": may(user, DECIDE, case),
        "basis": rating.basis_on(today),
        "fact_form": FactForm(today=today),
        "country_form": CountryForm(today=today),
        "override_form": OverrideForm(initial={"until": today + timedelta(days=90)}),
        "own": services.OURS,
        **forms,
    }
    return render(request, "risk/risk.html", context, status=status)


def _title(model: RiskModel, code: str) -> Any:
    way, colon, country = code.partition(":")
    return rating.country_words(way, country) if colon else model.factor(code).title


def vars_of(part: Any) -> dict[str, Any]:
    return {"code": part.code, "rule": part.rule, "points": part.points, "at_least": part.at_least}


@rule(Rule.SIGNED_IN)
@require_POST
def end_fact(request: HttpRequest, number: str, fact_id: Any) -> HttpResponse:
    case = get_case(number, user=signed_in(request))
    services.end_fact(case, fact_id, by=signed_in(request), reason="does_not_hold")
    messages.success(request, _("The fact ended. The risk was reckoned anew."))
    return redirect("cases:risk", number=number)


@rule(Rule.SIGNED_IN)
@require_POST
def override(request: HttpRequest, number: str) -> HttpResponse:
    """Set the level, or propose it where it is lowered."""
    case = get_case(number, user=signed_in(request))
    form = OverrideForm(request.POST)
    if not form.is_valid():
        return _page(request, case, override_form=form, status=422)
    given = form.cleaned_data
    inputs = {"level": given["level"], "until": given["until"].isoformat()}
    try:
        if deciding.need(case.customer, **inputs).two:
            sealed = {"note": given["note"]} if given["note"] else {}
            propose(services.ACT, case.customer, by=signed_in(request), reason=given["reason"], **inputs, **sealed)
            messages.success(request, _("Submitted. Another person has to confirm it; until then nothing changes."))
        else:
            services.set_level(case, by=signed_in(request), reason=given["reason"], note=given["note"], **inputs)
            messages.success(request, _("Done."))
    except ConditionsNotMet as unmet:
        form.add_error(None, unmet.reasons)
        return _page(request, case, override_form=form, status=422)
    return redirect("cases:risk", number=number)


@rule(Rule.SIGNED_IN)
@require_GET
def due(request: HttpRequest) -> HttpResponse:
    """Reviews and papers that come due, of players whose cases this person sees."""
    user, today = signed_in(request), timezone.localdate()
    customers = Case.objects.visible_to(user).values("customer_id")
    reviews = Profile.objects.filter(customer__in=customers, review_on__lte=today + AHEAD, customer__erased_at=None)
    papers = Evidence.objects.filter(
        case__in=Case.objects.visible_to(user).values("pk"), state="accepted", good_until__lte=today + AHEAD
    )
    rows = list(reviews.select_related("customer", "assessment").order_by("review_on")[:SHOWN])
    files = list(papers.select_related("case__account").order_by("good_until")[:SHOWN])
    about = ObjectRef("list", "reviews")
    details = {"query": query_digest("reviews"), "rows": len(rows) + len(files)}
    with transaction.atomic():
        record("cases.list", by=user, about=about, details=details)
    newest = _newest([row.customer_id for row in rows], user)
    context = {"reviews": [(row, newest.get(row.customer_id)) for row in rows], "papers": files, "today": today}
    return render(request, "risk/due.html", context)


def _newest(customers: list[Any], user: Any) -> dict[Any, Any]:
    """The newest case of each that the person sees."""
    cases = Case.objects.visible_to(user).filter(customer_id__in=customers).select_related("account")
    return {case.customer_id: case for case in cases.order_by("opened_at")}


@rule(Rule.SIGNED_IN)
@require_GET
def inside(request: HttpRequest, customer_id: Any) -> HttpResponse:
    """The whole risk, for the people of the compartment; for everybody else there is no such page."""
    customer, found = services.look_inside(customer_id, by=signed_in(request))
    outside = rating.rating_of(customer, on=customer.licensee.today())
    held = RiskFact.objects.filter(pk__in=holding(customer, on=customer.licensee.today(), inside=True).values("pk"))
    model = risk_model(customer.licensee.today())
    context = {
        "customer": customer,
        "found": found,
        "outside": outside,
        "lines": rating.lines([vars_of(part) for part in found.parts], model=found.model),
        "facts": [(_title(model, fact.code), fact) for fact in held.order_by("known_on", "recorded_at")],
    }
    return render(request, "risk/inside.html", context)
