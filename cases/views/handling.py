"""How a case is handled: whose it is, how urgent, until when it sleeps, its tags, who follows it, who may see it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases import priority, restricting, services, snooze, undoing
from cases.assignment import candidates
from cases.handling_forms import RestrictForm, SnoozeForm
from cases.models import Case
from cases.permissions import DECIDE, VIEW, WORK, may
from cases.presence import services as presence
from cases.queries import get_case
from cases.relations import services as relations
from cases.tags import services as tags
from cases.tags.models import Tag
from cases.views import marking
from compliance.people.requests import signed_in, version_shown

TAGGING = (
    ("put", tags.put, "tag", gettext_lazy("Tagged: %(tag)s")),
    ("off", tags.take_off, "untag", gettext_lazy("Tag taken off: %(tag)s")),
)


def _back(number: str) -> HttpResponse:
    response = redirect("cases:case", number=number)
    response["Location"] += "#decision"
    return response


@rule(Rule.SIGNED_IN)
@require_POST
def assign(request: HttpRequest, number: str) -> HttpResponse:
    """Give the case to a colleague, or back to the team (`to` empty)."""
    user, case = signed_in(request), get_case(number, user=signed_in(request))
    wanted = request.POST.get("to", "")
    to = next((one for one in candidates(case) if str(one.pk) == wanted), None)
    if wanted and to is None:
        messages.error(request, _("This person may not work on this case."))
        return _back(number)
    before = str(case.assignee_id or "")
    try:
        services.assign(case, to=to, by=user, version=version_shown(request))
    except ConditionsNotMet as unmet:
        messages.error(request, " ".join(unmet.reasons))
    else:
        said = _("Responsible now: %(name)s") % {"name": to.name if to else _("nobody yet")}
        messages.success(request, said, extra_tags=undoing.offer("assign", case, by=user, to=before))
    return _back(number)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def sleep(request: HttpRequest, number: str) -> HttpResponse:
    """Until when, and why."""
    user = signed_in(request)
    case = get_case(number, user=user)
    form = SnoozeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            case = snooze.snooze(case, by=user, version=version_shown(request), **form.asked())
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            undo_it = undoing.offer("snooze", case, by=user)
            messages.success(request, _("Snoozed. It comes back by itself."), extra_tags=undo_it)
            if case.snoozed_until and case.due_at <= case.snoozed_until:
                messages.warning(request, _("It is due before it comes back: the clock goes on."))
            return redirect("cases:case", number=number)
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
    status = 422 if request.method == "POST" else 200
    return render(request, "cases/snooze.html", {"case": case, "form": form}, status=status)


@rule(Rule.SIGNED_IN)
@require_POST
def wake(request: HttpRequest, number: str) -> HttpResponse:
    user = signed_in(request)
    case = get_case(number, user=user)
    until = case.snoozed_until.isoformat() if case.sleeps else ""
    before = {"until": until, "because": case.snoozed_because, "wakes_on": case.wakes_on}
    snooze.wake(case, by=user)
    undo_it = undoing.offer("wake", case, by=user, **before) if until else ""
    messages.success(request, _("The case is back."), extra_tags=undo_it)
    return _back(number)


@rule(Rule.SIGNED_IN)
@require_POST
def set_priority(request: HttpRequest, number: str) -> HttpResponse:
    case, wanted = get_case(number, user=signed_in(request)), request.POST.get("level", "")
    level = int(wanted) if wanted.isdigit() and len(wanted) < 3 else -1
    because = request.POST.get("because", "")
    try:
        priority.set_priority(case, level, by=signed_in(request), because=because, version=version_shown(request))
    except ConditionsNotMet as unmet:
        messages.error(request, " ".join(unmet.reasons))
    else:
        messages.success(request, _("Saved."))
    return _back(number)


@rule(Rule.SIGNED_IN)
@require_POST
def tag(request: HttpRequest, number: str) -> HttpResponse:
    """Put a tag on (`put`), or take it off (`off`)."""
    user = signed_in(request)
    case = get_case(number, user=user)
    for field, act, name, said in TAGGING:
        chosen = _tag_of(case, request.POST.get(field, ""))
        if chosen is not None:
            try:
                act(case, chosen, by=user)
            except ConditionsNotMet as unmet:
                messages.error(request, " ".join(unmet.reasons))
            else:
                undo_it = undoing.offer(name, case, by=user, tag=str(chosen.pk))
                messages.success(request, said % {"tag": chosen.name}, extra_tags=undo_it)
            return _back(number)
    services.require(WORK, case, by=signed_in(request), action="tags.put")
    messages.error(request, _("Choose a tag."))
    return _back(number)


def _tag_of(case: Any, wanted: str) -> Tag | None:
    try:
        return Tag.objects.filter(licensee_id=case.licensee_id, pk=UUID(wanted)).first()
    except ValueError:
        return None


@rule(Rule.SIGNED_IN)
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """`what`: the token of the message that offered it."""
    token = request.POST.get("what", "")
    try:
        undoing.undo(token, by=signed_in(request))
    except ConditionsNotMet as unmet:
        messages.error(request, " ".join(unmet.reasons))
    else:
        messages.success(request, _("Undone."))
    number = undoing.number_of(token)
    return redirect("cases:case", number=number) if number else redirect("cases:queue")


@rule(Rule.SIGNED_IN)
@require_POST
def watch(request: HttpRequest, number: str) -> HttpResponse:
    """Follow the case, or no longer (`stop`)."""
    case = get_case(number, user=signed_in(request))
    (relations.unwatch if request.POST.get("stop") else relations.watch)(case, by=signed_in(request))
    return _back(number)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def restrict(request: HttpRequest, number: str) -> HttpResponse:
    """Who sees the case from now on; or open it again (`open`). And the same of all the player's cases (marks)."""
    user = signed_in(request)
    case = get_case(number, user=user)
    services.require(DECIDE, case, by=user, action="cases.restrict")
    people = [person for person in candidates(case) if person.human_id != user.human_id]
    form = RestrictForm(request.POST or None, people=people)
    if request.method == "POST" and request.POST.get("open"):
        try:
            opened = restricting.unrestrict(case, by=user)
        except ConditionsNotMet as unmet:
            messages.error(request, " ".join(map(str, unmet.reasons)))
            return redirect("cases:restrict", number=number)
        if opened.restricted:
            messages.success(request, _("Those whom the player’s mark names see the case now."))
            return redirect("cases:case", number=number) if may(user, VIEW, opened) else redirect("cases:home")
        messages.success(request, _("The team sees the case again."))
        return redirect("cases:case", number=number)
    if request.method == "POST" and request.POST.get("player"):
        return marking.answer(request, case, people)
    if request.method == "POST" and form.is_valid():
        chosen = [person for person in people if str(person.pk) in form.cleaned_data["people"]]
        try:
            restricting.restrict(case, to=chosen, by=user, because=form.cleaned_data["because"])
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            messages.success(request, _("Restricted. For everybody else the case does not exist."))
            return redirect("cases:case", number=number)
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
    status = 422 if request.method == "POST" else 200
    shown = {"case": case, "form": form, **marking.facts(case, people, user=user)}
    return render(request, "cases/restrict.html", shown, status=status)


@rule(Rule.SIGNED_IN)
@require_GET
def present(request: HttpRequest, number: str) -> HttpResponse:
    """A fragment that the page asks for every few seconds: who else looks at the case."""
    user = signed_in(request)
    case = get_object_or_404(Case.objects.visible_to(user), number=number)
    if not request.headers.get("HX-Request"):
        return redirect("cases:case", number=number)
    presence.look(case, by=user)
    return render(request, "cases/_present.html", {"number": number, "present": presence.others(case, user=user)})
