"""The rules in force, where each comes from, and the way to change what may be changed."""

from datetime import date, timedelta
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.access import rule
from audit.perform import ConditionsNotMet, WrongState
from compliance.people.models import Licensee, User
from compliance.people.reach import decides_for, licensees_of
from compliance.policy import Policy, policy_for
from compliance.policy.book import book
from compliance.proposals import acts
from compliance.proposals.queries import open_proposal
from compliance.rulebook import labels, previews, services
from compliance.rulebook.changes import NotAllowed, changeable
from compliance.rulebook.forms import ChangeForm, ProposeForm
from compliance.rulebook.models import CHANGE, VIEW, RuleSet, State
from compliance.rulebook.queries import get_set, policy_of

MOST_SETS = 50


@rule(VIEW)
@require_safe
def rules(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Every rule in force for one licensee today, its source, and what was changed or will be."""
    licensees = list(Licensee.objects.order_by("name"))
    licensee = get_object_or_404(Licensee, slug=slug) if slug else next(iter(licensees), None)
    context: dict[str, Any] = {
        "chips": [{"one": one, "current": one == licensee} for one in licensees],
        "licensee": licensee,
        "may_change": licensee is not None and _may_change(request, licensee),
    }
    if licensee is not None:
        today = licensee.today()
        law, policy = policy_for(licensee.jurisdiction, on=today), policy_of(licensee, on=today)
        sets = RuleSet.objects.filter(licensee=licensee).select_related("made_by").order_by("-created_at")[:MOST_SETS]
        context |= {
            "policy": policy,
            "sections": _sections(law, policy),
            "to_come": _to_come(licensee, today),
            "sets": sets,
        }
    return render(request, "rulebook/rules.html", context)


@rule(CHANGE, fresh=True)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, slug: str) -> HttpResponse:
    """Draft a change for a day to come. Nothing holds before a second person confirmed it."""
    licensee = get_object_or_404(licensees_of(_me(request), CHANGE), slug=slug)
    tomorrow = licensee.today() + timedelta(days=1)
    known = changeable(policy_of(licensee, on=tomorrow))
    form = ChangeForm(request.POST or None, licensee=licensee, known=known, initial={"effective_from": tomorrow})
    if request.method == "POST" and form.is_valid():
        try:
            drafted = services.draft(
                licensee, form.values(), effective_from=form.cleaned_data["effective_from"], by=_me(request)
            )
        except NotAllowed as wrong:
            form.refuse(wrong)
        except ValidationError as wrong:
            form.add_error(None, wrong)
        else:
            return redirect("rulebook:set", drafted.code)
    context = {"form": form, "licensee": licensee}
    return render(request, "rulebook/change.html", context, status=422 if form.errors else 200)


@rule(VIEW)
@require_safe
def rule_set(request: HttpRequest, code: str) -> HttpResponse:
    return _page(request, get_set(code))


@rule(CHANGE, fresh=True)
@require_POST
def propose(request: HttpRequest, code: str) -> HttpResponse:
    found, form = get_set(code), ProposeForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=422, form=form)
    try:
        services.propose_change(found, by=_me(request), **form.cleaned_data)
    except ConditionsNotMet as unmet:
        return _page(request, found, status=422, form=form, unmet=unmet.reasons)
    except WrongState as wrong:
        return _page(request, found, status=409, unmet=[str(wrong)])
    messages.success(request, _("Proposed. It holds from its day on, once another person confirmed it."))
    return redirect("rulebook:set", code)


@rule(CHANGE, fresh=True)
@require_POST
def withdraw(request: HttpRequest, code: str) -> HttpResponse:
    found = get_set(code)
    try:
        services.withdraw(found, by=_me(request))
    except WrongState as wrong:
        return _page(request, found, status=409, unmet=[str(wrong)])
    messages.success(request, _("The draft is withdrawn."))
    return redirect("rulebook:licensee", found.licensee.slug)


def _page(
    request: HttpRequest,
    found: RuleSet,
    *,
    status: int = 200,
    form: ProposeForm | None = None,
    unmet: list[str] | None = None,
) -> HttpResponse:
    proposal = open_proposal(found) if found.state == State.DRAFT else None
    may = found.state == State.DRAFT and _may_change(request, found.licensee)
    context = {
        "set": found,
        "differences": previews.differences(found),
        "proposal": proposal,
        "may_propose": may and proposal is None,
        "form": form or ProposeForm(),
        "unmet": unmet or [],
        "days": previews.LOOKS_BACK.days,
    }
    return render(request, "rulebook/set.html", context, status=status)


def _may_change(request: HttpRequest, licensee: Licensee) -> bool:
    return request.user.has_perm(CHANGE) and decides_for(licensee, _me(request), CHANGE)


def _sections(law: Policy, policy: Policy) -> list[dict[str, Any]]:
    """Rules by section, as people read them. A level holds what the lower ones ask for too: each item is shown once."""
    lawful = {key: one.value for key, one in changeable(law).items()}
    own = {key for key, one in changeable(policy).items() if one.value != lawful[key]}
    found: dict[str, list[dict[str, Any]]] = {}
    shown = set()
    for path, one in policy.rules():
        section, name = _named(path, one)
        if (section, name, one.id) in shown:
            continue
        shown.add((section, name, one.id))
        found.setdefault(section, []).append(
            {
                "title": name,
                "said": labels.said(one),
                "rule": one,
                "source": policy.sources[one.source] if one.modality != "operator_default" else "",
                "modality": labels.MODALITIES[one.modality],
                "confidence": labels.CONFIDENCES[one.confidence],
                "changed": any(key == path or key.startswith(f"evidence.{_purpose(one)}.") for key in own),
            }
        )
    return [{"title": labels.SECTIONS[name], "rules": found[name]} for name in labels.SECTIONS if name in found]


def _purpose(one: Any) -> str:
    return str(getattr(one, "purpose", "-"))


def _named(path: str, one: Any) -> tuple[str, str]:
    if path.startswith("verification.levels"):
        return "evidence", str(labels.PURPOSES[one.purpose])
    if path.startswith("enhanced.required"):
        return "enhanced", str(labels.PURPOSES[one.purpose])
    if path.startswith("four_eyes"):
        act = acts.acts().get(path.split(".", 2)[2])
        return "four_eyes", str(act.title) if act else one.id
    return path.partition(".")[0], labels.title(path)


def _to_come(licensee: Licensee, today: date) -> list[dict[str, Any]]:
    """What begins after today: versions of the law that hold here, and the licensee's own sets."""
    versions = book().by_jurisdiction
    own = versions[licensee.jurisdiction]
    laws = [policy for name in (licensee.jurisdiction, *own[-1].also) for policy in versions[name]]
    found = [
        {"day": law.effective_from, "what": law.version, "note": law.note} for law in laws if law.effective_from > today
    ]
    sets = RuleSet.objects.filter(licensee=licensee, state=State.APPROVED, effective_from__gt=today)
    found += [{"day": one.effective_from, "what": one.code, "note": "", "own": True} for one in sets]
    return sorted(found, key=lambda item: cast(date, item["day"]))


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)
