"""Second looks: the list, the blind page, the end of a disagreement."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import rule
from audit.record import record_read
from cases import kinds, queues, texts
from cases.forms import ConflictForm
from cases.models import Evidence
from cases.quality import services
from cases.quality.forms import LookForm, SettleForm
from cases.quality.models import LEAD_TEAM, LOOK_AGAIN, SecondLook
from compliance.people.requests import signed_in
from documents.services import RENDITION_HEADERS, rendition

SHOWN = 50


@require_GET
@rule(LOOK_AGAIN)
def looks(request: HttpRequest) -> HttpResponse:
    """What one has in hand, how many wait, and what came of one's own."""
    user = signed_in(request)
    done = SecondLook.objects.visible_to(user).filter(reviewer__human=user.human_id, judged_at__isnull=False)
    context = {
        "held": SecondLook.objects.held_by(user).select_related("case").first(),
        "waiting": services.waiting_for(user).count(),
        "done": done.select_related("case").order_by("-judged_at")[:SHOWN],
    }
    return render(request, "quality/looks.html", context)


@require_POST
@rule(LOOK_AGAIN)
def take(request: HttpRequest) -> HttpResponse:
    look = services.take(by=signed_in(request))
    if look is None:
        messages.info(request, _("No case waits for your second look."))
        return redirect("cases:looks")
    return redirect("cases:look", look_id=look.pk)


@require_http_methods(["GET", "POST"])
@rule(LOOK_AGAIN)
def look(request: HttpRequest, look_id: UUID) -> HttpResponse:
    """The files and what the player declared, nothing of what anybody found; then one's own verdict."""
    user = signed_in(request)
    held = services.get_held(look_id, user=user)
    kind = kinds.lookup(held.case.kind)
    form = LookForm(request.POST or None, outcomes=kind.judged())
    if request.method == "POST" and form.is_valid():
        done = services.judge(held, by=user, **form.cleaned_data)
        agreed = done.state == SecondLook.State.AGREED
        messages.success(
            request,
            _("Thank you. You found the same.") if agreed else _("Thank you. The first decision was another one."),
        )
        return redirect("cases:looks")
    matter = kind.model.objects.select_related("customer", "account").get(pk=held.case_id)
    with transaction.atomic():
        record_read(by=user, subject=matter.audit_subject, purpose="second_look", about=held, matter=matter.number)
    context = {"look": held, "case": matter, "facts": kind.facts(matter), "files": _files(held), "form": form}
    return render(request, "quality/look.html", context, status=422 if form.errors else 200)


def _files(held: SecondLook) -> list[dict[str, Any]]:
    """The files that counted when the case closed: [{title, paper, pages, none}]. What became of them stays unsaid."""
    rows = Evidence.objects.filter(case=held.case_id).exclude(state__in=("superseded", "returned"))
    files = []
    for evidence in rows.select_related("document").order_by("purpose", "created_at"):
        ready = evidence.document.state == "ready"
        title = texts.purpose_title(evidence.purpose)
        pages = [
            {
                "src": reverse("cases:look-image", args=[held.pk, evidence.pk, page]),
                "alt": _("%(title)s, page %(page)s") % {"title": title, "page": page},
            }
            for page in range(1, evidence.document.pages + 1)
        ]
        paper = texts.document_name(evidence.document_type)
        none = "" if ready else _("This file is not there any more.")
        files.append({"title": title, "paper": paper, "pages": pages if ready else [], "none": none})
    return files


@require_GET
@rule(LOOK_AGAIN)
def image(request: HttpRequest, look_id: UUID, evidence_id: UUID, page: int) -> HttpResponse:
    """One page of a file, with the viewer in it, for who holds the look."""
    user = signed_in(request)
    held = services.get_held(look_id, user=user)
    evidence = get_object_or_404(Evidence.objects.select_related("document"), pk=evidence_id, case_id=held.case_id)
    if evidence.document.state != "ready":
        raise Http404("no picture")
    picture = rendition(evidence.document, by=user, purpose="second_look", page=page, matter=held.case.number)
    return HttpResponse(picture.data, content_type=picture.media_type, headers=RENDITION_HEADERS)


@require_POST
@rule(LOOK_AGAIN)
def give_back(request: HttpRequest, look_id: UUID) -> HttpResponse:
    services.give_back(services.get_held(look_id, user=signed_in(request)), by=signed_in(request))
    messages.success(request, _("Given back. Somebody else will look."))
    return redirect("cases:looks")


@require_http_methods(["GET", "POST"])
@rule(LOOK_AGAIN)
def conflict(request: HttpRequest, look_id: UUID) -> HttpResponse:
    """Whoever knows the player says so: they see nothing of that player any more, and somebody else looks."""
    user = signed_in(request)
    held = services.get_held(look_id, user=user)
    form = ConflictForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        queues.declare_conflict(user, held.case.customer, by=user, relation=form.cleaned_data["relation"])
        messages.success(request, _("Thank you. You will not see this player any more; somebody else goes on."))
        return redirect("cases:looks")
    with transaction.atomic():
        record_read(
            by=user, subject=held.case.audit_subject, purpose="second_look", about=held, matter=held.case.number
        )
    context = {"case": held.case, "look": held, "form": form}
    return render(request, "cases/conflict.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@rule(LEAD_TEAM)
def settle(request: HttpRequest, look_id: UUID) -> HttpResponse:
    """Both verdicts side by side, and what the team learns."""
    user = signed_in(request)
    found = SecondLook.objects.visible_to(user).select_related("case__account", "reviewer")
    row = get_object_or_404(found.filter(judged_at__isnull=False), pk=look_id)
    form = SettleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.settle(row, by=user, **form.cleaned_data)
        messages.success(request, _("Settled. It stands in the log of the case."))
        return redirect("cases:team")
    with transaction.atomic():
        record_read(by=user, subject=row.case.audit_subject, purpose="second_look", about=row, matter=row.case.number)
    outcomes = dict(kinds.lookup(row.case.kind).judged())
    context = {
        "look": row,
        "case": row.case,
        "note": services.note_of(row),
        "first": outcomes.get(row.first_outcome, row.first_outcome),
        "second": outcomes.get(row.outcome, row.outcome),
        "form": form if row.state == SecondLook.State.DISAGREED else None,
    }
    return render(request, "quality/settle.html", context, status=422 if form.errors else 200)
