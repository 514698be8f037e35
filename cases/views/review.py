"""Looking at files and judging them."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from cases import kinds, services
from cases.forms import VerdictForm
from cases.models import Evidence
from cases.queries import get_case
from compliance.people.requests import signed_in
from documents.services import RENDITION_HEADERS, CannotRender, NotReady, rendition


def _evidence(matter: Any, evidence_id: Any) -> Evidence:
    return get_object_or_404(Evidence.objects.select_related("document", "case"), case_id=matter.pk, pk=evidence_id)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, number: str, evidence_id: Any) -> HttpResponse:
    """One file beside what the player declared, and the verdict on it."""
    matter = get_case(number, user=signed_in(request))
    evidence = _evidence(matter, evidence_id)
    form = VerdictForm(request.POST or None, evidence=evidence, initial={"version": evidence.version})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _judge(evidence, form.cleaned_data, by=signed_in(request))
                return _onward(request, matter, evidence)
            except ConditionsNotMet as unmet:
                for reason in unmet.reasons:
                    form.add_error(None, reason)
    kind = kinds.lookup(matter.kind)
    checks = kind.checks(matter)
    context = {
        "case": matter,
        "kind": kind,
        "evidence": evidence,
        "document": evidence.document,
        "pages": range(1, evidence.document.pages + 1),
        "checks": [check for check in checks if check.evidence],
        "previous": matter.evidence.filter(purpose=evidence.purpose, created_at__lt=evidence.created_at)
        .order_by("-created_at")
        .first(),
        "facts": kind.facts(matter),
        "form": form,
    }
    return render(request, "cases/review.html", context, status=status)


def _judge(evidence: Evidence, data: dict[str, Any], *, by: Any) -> None:
    version = data["version"]
    if data["verdict"] == "accept":
        services.accept(evidence, by=by, version=version)
    elif data["verdict"] == "ask_again":
        services.ask_again(evidence, by=by, reasons=data["reasons"], version=version)
    else:
        services.reject(evidence, by=by, reasons=data["reasons"], version=version)


def _onward(request: HttpRequest, matter: Any, judged: Evidence) -> HttpResponse:
    """To the next file that waits for a verdict, or back to the case."""
    messages.success(request, _("Verdict saved."))
    following = matter.evidence.filter(state="pending", document__state="ready").order_by("created_at").first()
    if following:
        return redirect("cases:review", number=matter.number, evidence_id=following.pk)
    return redirect("cases:case", number=matter.number)


@rule(Rule.SIGNED_IN)
@require_POST
def reconsider(request: HttpRequest, number: str, evidence_id: Any) -> HttpResponse:
    """Take back a verdict that the player was not told of."""
    matter = get_case(number, user=signed_in(request))
    services.reconsider(_evidence(matter, evidence_id), by=signed_in(request))
    messages.success(request, _("Verdict taken back."))
    return redirect("cases:review", number=number, evidence_id=evidence_id)


@rule(Rule.SIGNED_IN)
@require_GET
def image(request: HttpRequest, number: str, evidence_id: Any, page: int = 1) -> HttpResponse:
    """A re-encoded, watermarked picture of one page. The original never reaches a browser this way."""
    matter = get_case(number, user=signed_in(request))
    evidence = _evidence(matter, evidence_id)
    try:
        picture = rendition(evidence.document, by=signed_in(request), purpose="review", page=page, matter=matter.number)
    except (NotReady, CannotRender):
        raise Http404("not ready") from None
    return HttpResponse(picture.data, content_type=picture.media_type, headers=RENDITION_HEADERS)
