"""Looking at files and judging them."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases import kinds, services, texts
from cases.forms import RevokeForm, VerdictForm
from cases.models import Evidence
from cases.permissions import DECIDE, WORK, may
from cases.queries import get_case
from cases.views.bar import bar_of
from compliance.look import size, when
from compliance.people.requests import signed_in
from compliance.people.services import REVEALABLE, reveal
from compliance.proposals.queries import open_proposal
from documents.services import RENDITION_HEADERS, NotReady, rendition
from documents.wording import hints, malware_caption, why_not_shown

NOT_ON_PAPER = ("phone", "email")  # declared, and on no document that could be compared
TAKEN_BACK = (Evidence.State.RETURNED, Evidence.State.REJECTED)


def _evidence(matter: Any, evidence_id: Any) -> Evidence:
    return get_object_or_404(Evidence.objects.select_related("document", "case"), case_id=matter.pk, pk=evidence_id)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, number: str, evidence_id: Any) -> HttpResponse:
    """One file beside what the player declared, and the verdict on it. A POST with `show` only shows a masked field."""
    matter = get_case(number, user=signed_in(request))
    evidence = _evidence(matter, evidence_id)
    if request.POST.get("show") in REVEALABLE:
        field = request.POST["show"]
        value = reveal(
            matter.customer, field, by=signed_in(request), purpose="case", matter=number, account=matter.account
        )
        return _page(request, matter, evidence, _kept(request, evidence), shown=field, revealed=value)
    form = VerdictForm(request.POST or None, evidence=evidence, initial={"version": evidence.version})
    if request.method == "GET":
        return _page(request, matter, evidence, form)
    if form.is_valid():
        try:
            _judge(evidence, form.cleaned_data, by=signed_in(request))
            return _onward(request, matter)
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
    return _page(request, matter, evidence, form, status=422)


def _page(
    request: HttpRequest, matter: Any, evidence: Evidence, form: VerdictForm, *, status: int = 200, **extra: Any
) -> HttpResponse:
    user = signed_in(request)
    record_read(by=user, subject=matter.audit_subject, purpose="case", about=matter, matter=matter.number)
    kind = kinds.lookup(matter.kind)
    files = [check for check in kind.checks(matter) if check.evidence]
    older = matter.evidence.filter(purpose=evidence.purpose, created_at__lt=evidence.created_at)
    previous = older.order_by("-created_at").first()
    may_work = may(user, WORK, matter)
    context = {
        "case": matter,
        "bar": bar_of(matter, proposed=open_proposal(matter) is not None),
        "step": _step([check.evidence.pk for check in files], evidence),
        "back": {"label": _("Back to the case"), "url": reverse("cases:case", kwargs={"number": matter.number})},
        "evidence": evidence,
        "document": evidence.document,
        "title": texts.purpose_title(evidence.purpose),
        "paper": texts.document_name(evidence.document_type),
        "pages": _pages(matter, evidence) if evidence.document.state == "ready" else [],
        "captions": _captions(evidence.document),
        "none": why_not_shown(evidence.document),
        "hints": hints(evidence.document),
        "checks": files,
        "previous": previous,
        "previous_tools": "cases/_previous.html" if previous else "",
        "facts": [fact for fact in kind.facts(matter) if fact.field not in NOT_ON_PAPER],
        "form": form,
        "may_judge": may_work and evidence.state == Evidence.State.PENDING,
        "revoke_form": _revoke_form(user, matter, evidence, extra.pop("revoke_form", None)),
        "may_take_back": may_work and evidence.state in TAKEN_BACK and not evidence.told,
        "asked": [(reason, kind.told(matter, evidence.purpose, reason.code)) for reason in form.asked],
        "neutral": kind.told(matter, evidence.purpose, form.final[0].code) if form.final else "",
        "given": [texts.reason(code).title for code in evidence.reasons],
        **extra,
    }
    return render(request, "cases/review.html", context, status=status)


def _step(files: list[Any], evidence: Evidence) -> str:
    """Which of the files this is; an older version is none of them."""
    if evidence.pk not in files:
        return _("Document review")
    return _("Document review %(n)s/%(all)s") % {"n": files.index(evidence.pk) + 1, "all": len(files)}


def _pages(matter: Any, evidence: Evidence) -> list[dict[str, str]]:
    """Address and words of each page, as components/_viewer.html takes them."""
    count = evidence.document.pages
    place = {"number": matter.number, "evidence_id": evidence.pk}
    return [
        {
            "src": reverse("cases:image", kwargs=place | {"page": page}),
            "alt": ngettext("The file the player sent", "The file the player sent, page %(page)s of %(count)s", count)
            % {"page": page, "count": count},
        }
        for page in range(1, count + 1)
    ]


def _captions(document: Any) -> list[Any]:
    return [
        format_html("{} · {}", document.media_type, size(document.size)),
        format_html("{} {}", _("Arrived:"), when(document.received_at)),
        malware_caption(document),
        _("Looking at it is recorded."),
    ]


def _kept(request: HttpRequest, evidence: Evidence) -> VerdictForm:
    """The verdict as far as it was chosen, not judged."""
    chosen = {"verdict": request.POST.get("verdict", ""), "reasons": request.POST.getlist("reasons")}
    return VerdictForm(evidence=evidence, initial=chosen | {"version": request.POST.get("version", evidence.version)})


def _judge(evidence: Evidence, data: dict[str, Any], *, by: Any) -> None:
    version = data["version"]
    if data["verdict"] == "accept":
        services.accept(evidence, by=by, version=version, issued_on=data["issued_on"], valid_until=data["valid_until"])
    elif data["verdict"] == "ask_again":
        services.ask_again(evidence, by=by, reasons=data["reasons"], version=version)
    else:
        services.reject(evidence, by=by, reasons=data["reasons"], version=version)


def _onward(request: HttpRequest, matter: Any) -> HttpResponse:
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


def _revoke_form(user: Any, matter: Any, evidence: Evidence, typed: RevokeForm | None) -> RevokeForm | None:
    """For officers, while the case goes on."""
    if evidence.state != Evidence.State.ACCEPTED or matter.closed_at is not None or not may(user, DECIDE, matter):
        return None
    return typed or RevokeForm(initial={"version": evidence.version})


@rule(Rule.SIGNED_IN)
@require_POST
def revoke(request: HttpRequest, number: str, evidence_id: Any) -> HttpResponse:
    """Take an acceptance back. What was proposed on it is void."""
    matter = get_case(number, user=signed_in(request))
    evidence = _evidence(matter, evidence_id)
    form = RevokeForm(request.POST)
    if not form.is_valid():
        verdict = VerdictForm(evidence=evidence, initial={"version": evidence.version})
        return _page(request, matter, evidence, verdict, status=422, revoke_form=form)
    services.revoke(evidence, by=signed_in(request), **form.cleaned_data)
    messages.success(request, _("The acceptance is taken back. Judge the file again."))
    return redirect("cases:review", number=number, evidence_id=evidence_id)


@rule(Rule.SIGNED_IN)
@require_GET
def image(request: HttpRequest, number: str, evidence_id: Any, page: int = 1) -> HttpResponse:
    """A re-encoded, watermarked picture of one page. The original never reaches a browser this way."""
    matter = get_case(number, user=signed_in(request))
    evidence = _evidence(matter, evidence_id)
    try:
        picture = rendition(evidence.document, by=signed_in(request), purpose="review", page=page, matter=matter.number)
    except NotReady:
        raise Http404("not ready") from None
    return HttpResponse(picture.data, content_type=picture.media_type, headers=RENDITION_HEADERS)
