"""Linking cases, merging two, and undoing it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases import numbers
from cases.handling_forms import LinkForm, MergeForm
from cases.models import Case
from cases.permissions import WORK
from cases.queries import get_case
from cases.relations import merging
from cases.relations.models import Merge
from cases.relations.services import link, links_of, unlink
from cases.services import require
from compliance.people.requests import signed_in


def _back(number: str) -> HttpResponse:
    response = redirect("cases:case", number=number)
    response["Location"] += "#links"
    return response


@rule(Rule.SIGNED_IN)
@require_POST
def add_link(request: HttpRequest, number: str) -> HttpResponse:
    """By the other's number. One that the person may not see is answered as one that is not there."""
    user = signed_in(request)
    case, form = get_case(number, user=user), LinkForm(request.POST)
    require(WORK, case, by=user, action="relations.link")
    other = _seen(request.POST.get("other", ""), user)
    if other is None or not form.is_valid():
        messages.error(request, _("There is no such case, or it is not one you see."))
        return _back(number)
    try:
        link(case, other, form.cleaned_data["kind"], by=user)
    except ConditionsNotMet as unmet:
        messages.error(request, " ".join(unmet.reasons))
    else:
        both = case.restricted == other.restricted
        shown = _("Linked. Both pages show it.") if both else _("Linked. Only the restricted case shows it.")
        messages.success(request, shown)
    return _back(number)


def _seen(words: str, user: Any) -> Case | None:
    try:
        number = numbers.parse(words)
    except numbers.TypingError:
        return None
    return Case.objects.visible_to(user).filter(number=number).first() if number else None


@rule(Rule.SIGNED_IN)
@require_POST
def drop_link(request: HttpRequest, number: str, link_id: UUID) -> HttpResponse:
    user = signed_in(request)
    case = get_case(number, user=user)
    made = next((row["link"] for row in links_of(case, user=user) if row["link"].pk == link_id), None)
    if made is None:
        raise Http404("no such link, or not one that is seen from here")
    unlink(made, by=user, seen_from=case)
    messages.success(request, _("Link removed."))
    return _back(number)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, number: str, into: str) -> HttpResponse:
    """What will happen, what stands against it, and the button."""
    user = signed_in(request)
    source, target = get_case(number, user=user), get_case(into, user=user)
    require(WORK, source, by=user, action="relations.merge")
    form = MergeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            merging.merge(source, target, by=user, because=form.cleaned_data["because"])
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            messages.success(request, _("Merged. Who decides here can undo it."))
            return redirect("cases:case", number=target.number)
    record_read(by=user, subject=source.audit_subject, purpose="case", about=source, matter=source.number)
    context = {"case": source, "into": target, "form": form, "against": merging.unmet(source, target)}
    return render(request, "relations/merge.html", context, status=422 if request.method == "POST" else 200)


@rule(Rule.SIGNED_IN)
@require_POST
def unmerge(request: HttpRequest, number: str) -> HttpResponse:
    """Undo the merge by which this case went into another."""
    source = get_case(number, user=signed_in(request))
    done: Merge | None = merging.merged_into(source)
    if done is None:
        raise Http404("not merged")
    merging.unmerge(done, by=signed_in(request))
    messages.success(request, _("The merge is undone. Both cases go on."))
    return redirect("cases:case", number=number)
