"""The case page and what is done on it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases import kinds, services, timeline, undoing
from cases.begun import begun
from cases.drafts import services as drafts
from cases.forms import NoteForm, UploadForm
from cases.glass import services as exceptions
from cases.permissions import DECIDE, WORK, may
from cases.queries import get_case
from cases.views.bar import actions_of, bar_of, rare_of
from compliance.people.access.once import once
from compliance.people.requests import signed_in
from compliance.people.services import REVEALABLE, reveal
from compliance.proposals import acts
from compliance.proposals.queries import open_proposal
from documents.services import Refused
from documents.uploads import receives_files


def page_of(request: HttpRequest, case: Any, *, status: int = 200, **extra: Any) -> HttpResponse:
    """The whole case page; each panel is a template of its own."""
    kind, user = kinds.lookup(case.kind), signed_in(request)
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
    checks, proposal = kind.checks(case), once(user, ("open_proposal", case.pk), lambda: open_proposal(case))
    steps = kind.steps(case, user)
    primary, actions = actions_of(steps)
    offers, item = kind.offers(case), request.GET.get("item", "")
    asked = {name: request.GET.get(name, "") for name in ("axis", "before")}
    history = timeline.page_of(case, user=user, only=request.GET.get("show", ""), **asked)
    context = {
        "case": case,
        "kind": kind,
        "bar": bar_of(case, proposed=proposal is not None),
        "primary": primary,
        "actions": actions,
        "more": [*rare_of(steps), _record(case), _conflict(case), *_lookers(case, user)],
        "checks": checks,
        "begun": begun(case, checks),
        "being_checked": any(check.evidence and check.evidence.document.state == "received" for check in checks),
        "met": sum(check.is_met for check in checks),
        "unmet": sum(not check.is_met for check in checks),
        "may_work": may(user, WORK, case),
        "proposal": proposal,
        "proposal_title": acts.lookup(proposal.act).title if proposal else "",
        "may_see_proposal": proposal and (may(user, DECIDE, case) or proposal.maker_human_id == user.human_id),
        "timeline": history.items,
        "older": history.older,
        "before": request.GET.get("before", ""),
        "show": request.GET.get("show", ""),
        "axis": request.GET.get("axis", ""),
        "groups": timeline.groups(),
        "note_form": NoteForm(initial={"text": drafts.text_of(case, "note", user=user)}),
        "upload_form": UploadForm(offers=offers, item=item, initial={"shows": _first_open(checks, offers)}),
        "facts": kind.facts(case),
        **extra,
    }
    return render(request, "cases/case.html", context, status=status)


def _record(case: Any) -> dict[str, Any]:
    return {"label": _("Decision record, to print"), "url": reverse("cases:record", kwargs={"number": case.number})}


def _conflict(case: Any) -> dict[str, Any]:
    """For everybody who sees the case: whoever knows the player should not."""
    return {"label": _("I know this player"), "url": reverse("cases:conflict", kwargs={"number": case.number})}


def _lookers(case: Any, user: Any) -> list[dict[str, Any]]:
    """For whom the question is an office."""
    if not user.has_perm("looking.see_lookers"):
        return []
    return [{"label": _("Who looked at a player"), "url": f"{reverse('cases:lookers')}?number={case.number}"}]


def _first_open(checks: Any, offers: list[tuple[str, str]]) -> str:
    """What the next file most likely shows: the first item that is still missing."""
    missing = [check.purpose for check in checks if check.status == "missing"]
    return next((f"{purpose}:{paper}" for purpose, paper in offers if purpose in missing[:1]), "")


@rule(Rule.SIGNED_IN)
@require_GET
def case(request: HttpRequest, number: str) -> HttpResponse:
    """Who may ask for a restricted case is led to where they ask; for everybody else it is not there."""
    user = signed_in(request)
    try:
        matter = get_case(number, user=user)
    except Http404:
        if exceptions.askable(user).filter(number=number).exists():
            return redirect(f"{reverse('cases:open-by-exception')}?{urlencode({'number': number})}")
        raise
    return page_of(request, matter)


def _customer(request: HttpRequest, number: str) -> Any:
    return get_case(number, user=signed_in(request)).customer


@rule(Rule.SIGNED_IN)
@require_POST
@receives_files(_customer)
def upload(request: HttpRequest, number: str) -> HttpResponse:
    """A file for one purpose. It was sealed while it arrived; here it gets its row, its entry and its place."""
    matter = get_case(number, user=signed_in(request))
    offers = kinds.lookup(matter.kind).offers(matter)
    form = UploadForm(request.POST, offers=offers, item=request.GET.get("item", ""))
    if form.is_valid():
        try:
            _bring(matter, request.FILES.get("file"), form.cleaned_data, by=signed_in(request))
        except Refused as refused:
            form.add_error("file", str(refused))
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            messages.success(request, _("The file arrived. It is being checked."))
            return redirect("cases:case", number=number)
    return page_of(request, matter, status=422, upload_form=form)


def _bring(matter: Any, file: Any, chosen: dict[str, Any], *, by: Any) -> None:
    services.bring(matter, file, purpose=chosen["purpose"], document_type=chosen["document_type"], by=by)


@rule(Rule.SIGNED_IN)
@require_POST
def note(request: HttpRequest, number: str) -> HttpResponse:
    matter = get_case(number, user=signed_in(request))
    form = NoteForm(request.POST)
    if not form.is_valid():
        return page_of(request, matter, status=422, note_form=form)
    services.write_note(matter, by=signed_in(request), text=form.cleaned_data["text"])
    token = drafts.token_of(request.POST.get("draft_form"))
    drafts.close(matter, "note", by=signed_in(request), token=token)
    messages.success(request, _("Note saved. Only staff see it."))
    return redirect("cases:case", number=number)


@rule(Rule.SIGNED_IN)
@require_POST
def take_over(request: HttpRequest, number: str) -> HttpResponse:
    user = signed_in(request)
    matter = get_case(number, user=user)
    before = str(matter.assignee_id or "")
    services.assign(matter, to=user, by=user)
    undo_it = undoing.offer("assign", matter, by=user, to=before)
    messages.success(request, _("You are responsible for this case now."), extra_tags=undo_it)
    return redirect("cases:case", number=number)


@rule(Rule.SIGNED_IN)
@require_POST
def show_field(request: HttpRequest, number: str, field: str) -> HttpResponse:
    """Show one masked field of the player. Who looked, at what and when, is recorded."""
    matter = get_case(number, user=signed_in(request))
    if field not in REVEALABLE:
        return redirect("cases:case", number=number)
    value = reveal(
        matter.customer, field, by=signed_in(request), purpose="case", matter=matter.number, account=matter.account
    )
    return page_of(request, matter, shown=field, revealed=value)
