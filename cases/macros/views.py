"""Macros: the list of one's own and one's teams', and what one of them will do to a case."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases import undoing
from cases.macros import services
from cases.macros.forms import MacroForm
from cases.macros.models import Macro
from cases.permissions import WORK
from cases.queries import get_case
from cases.services import require
from compliance.people.requests import signed_in, version_shown


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def macros(request: HttpRequest) -> HttpResponse:
    """The list, and a form for one more; the same name again replaces one."""
    user = signed_in(request)
    form = MacroForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            macro = services.save(data["name"], form.steps(), by=user, team=data["team"])
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("Macro saved: %(name)s.") % {"name": macro.name})
            return redirect("cases:macros")
    rows = Macro.objects.visible_to(user).select_related("owner", "team")
    shown = [(row, [light.title for name, light in services.LIGHT.items() if name in _acts(row)]) for row in rows]
    status = 422 if request.method == "POST" else 200
    return render(request, "macros/list.html", {"form": form, "macros": shown}, status=status)


def _acts(macro: Macro) -> set[str]:
    return {step["act"] for step in macro.steps}


@rule(Rule.SIGNED_IN)
@require_POST
def drop(request: HttpRequest, macro_id: UUID) -> HttpResponse:
    user = signed_in(request)
    services.drop(get_object_or_404(Macro, pk=macro_id, owner=user), by=user)
    messages.success(request, _("Macro removed."))
    return redirect("cases:macros")


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def use(request: HttpRequest, number: str, macro_id: UUID) -> HttpResponse:
    """What it will do, in words; then exactly that is done, all of it or nothing."""
    user = signed_in(request)
    case = get_case(number, user=user)
    require(WORK, case, by=user, action="macros.use")
    macro = get_object_or_404(Macro.objects.visible_to(user), pk=macro_id)
    wrong: list[str] = []
    if request.method == "POST":
        shown = request.POST.get("shown", "")
        try:
            did = services.use(macro, case, by=user, version=version_shown(request), shown=shown)
        except ConditionsNotMet as unmet:
            wrong = list(unmet.reasons)
        else:
            undo_it = undoing.offer("macro", case, by=user, **did)
            messages.success(request, _("Done: %(name)s.") % {"name": macro.name}, extra_tags=undo_it)
            return redirect("cases:case", number=number)
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=number)
    try:
        planned = services.plan(macro, case, by=user)
    except ConditionsNotMet as unmet:
        planned, wrong = [], list(unmet.reasons)
    ready = bool(planned) and case.closed_at is None and not any(each.wrong for each in planned)
    context = {"case": case, "macro": macro, "planned": planned, "wrong": wrong, "ready": ready}
    context["shown"] = services.digest_of(macro)
    return render(request, "macros/use.html", context, status=422 if request.method == "POST" else 200)
