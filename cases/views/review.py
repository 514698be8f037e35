"""Looking at files and judging them."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases import comparison, kinds, reusing, services, texts
from cases.forms import AlsoForm, ByEyeForm, RevokeForm, VerdictForm
from cases.models import Evidence
from cases.permissions import DECIDE, WORK, may
from cases.queries import get_case
from cases.views.bar import bar_of
from compliance.look import size, when
from compliance.people.requests import signed_in
from compliance.people.services import REVEALABLE, reveal
from compliance.proposals.queries import open_proposal
from documents import by_eye
from documents.refusals import NotReady
from documents.releasing import may_take
from documents.wording import hints, malware_caption, why_not_shown

NOT_ON_PAPER = ("phone", "email")  # declared, and on no document that could be compared
TAKEN_BACK = (Evidence.State.RETURNED, Evidence.State.REJECTED)


def evidence_of(matter: Any, evidence_id: Any) -> Evidence:
    return get_object_or_404(Evidence.objects.select_related("document", "case"), case_id=matter.pk, pk=evidence_id)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, number: str, evidence_id: Any) -> HttpResponse:
    """One file beside what the player declared, and the verdict on it. A POST with `show` only shows a masked field."""
    matter = get_case(number, user=signed_in(request))
    evidence = evidence_of(matter, evidence_id)
    if request.POST.get("show") in REVEALABLE:
        field = request.POST["show"]
        value = reveal(
            matter.customer, field, by=signed_in(request), purpose="case", matter=number, account=matter.account
        )
        return _page(request, matter, evidence, _kept(request, evidence), shown=field, revealed=value)
    if "by_eye" in request.POST:
        return _read_by_eye(request, matter, evidence)
    form = VerdictForm(request.POST or None, evidence=evidence, initial=_proposed(evidence))
    if request.method == "GET":
        return _page(request, matter, evidence, form)
    if form.is_valid():
        try:
            _judge(evidence, form.cleaned_data, by=signed_in(request))
            return _onward(request, matter)
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
    return _page(request, matter, evidence, form, status=422)


def _read_by_eye(request: HttpRequest, matter: Any, evidence: Evidence) -> HttpResponse:
    """Keep what the reader sees on the paper, and compare anew. The verdict as far as it was chosen stays."""
    services.require(WORK, matter, by=signed_in(request), action="documents.read_by_eye")
    form = ByEyeForm(request.POST)
    if not form.is_valid():
        return _page(request, matter, evidence, _kept(request, evidence), status=422)
    try:
        by_eye.keep(evidence.document, form.said(), by=signed_in(request), matter=matter.number)
    except NotReady:
        raise Http404("not ready") from None
    messages.success(request, _("Written down. It is compared below."))
    # No redirect: the choice would be lost. Sent again it changes nothing, and writes no entry.
    evidence = evidence_of(matter, evidence.pk)
    return _page(request, matter, evidence, _kept(request, evidence), eye_form=ByEyeForm())


def _proposed(evidence: Evidence) -> dict[str, Any]:
    """What the form says at first: the dates that were read on the paper."""
    return comparison.dates_on(evidence.document) | {"version": evidence.version}


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
    compared = comparison.of(matter.customer, evidence.document)
    beside = _beside(request, matter, evidence, previous)
    context = {
        "case": matter,
        "bar": bar_of(matter, proposed=open_proposal(matter) is not None),
        "step": _step([check.evidence.pk for check in files], evidence),
        "back": {"label": _("Back to the case"), "url": reverse("cases:case", kwargs={"number": matter.number})},
        "evidence": evidence,
        "document": evidence.document,
        "title": texts.purpose_title(evidence.purpose),
        "paper": texts.document_name(evidence.document_type),
        "pages": pages_of(matter, evidence) if evidence.document.state == "ready" else [],
        "captions": _captions(evidence.document),
        "none": why_not_shown(evidence.document),
        "hints": hints(evidence.document),
        "checks": files,
        "previous": previous,
        "tools": "cases/_tools.html",
        "rows": [
            (fact, compared.get(fact.key or fact.field))
            for fact in kind.facts(matter)
            if fact.field not in NOT_ON_PAPER
        ],
        "compared": bool(compared),
        "by_eye": any(each.eye for each in compared.values()),
        "eye_form": ByEyeForm(request.POST or None) if may_work and evidence.document.state == "ready" else None,
        "name_fold": compared["full_name"].fold if "full_name" in compared else "",
        "expiry": comparison.expiry(evidence.document, today=timezone.localdate()),
        "beside": beside,
        "chosen": f"?{urlencode({'beside': request.GET['beside']})}" if "beside" in request.GET else "",
        "beside_title": texts.purpose_title(beside.purpose) if beside else "",
        "beside_pages": pages_of(matter, beside) if beside else [],
        "beside_captions": _captions(beside.document) if beside else [],
        "beside_reasons": [texts.reason(code).title for code in beside.reasons] if beside else [],
        "others": [(texts.purpose_title(one.purpose), one) for one in _shown(matter) if one.pk != evidence.pk],
        "form": form,
        "may_judge": may_work and evidence.state == Evidence.State.PENDING,
        "revoke_form": _revoke_form(user, matter, evidence, extra.pop("revoke_form", None)),
        "also": _also(user, matter, evidence, extra.pop("also_form", None)) if may_work else None,
        "may_move": may_work and evidence.state != Evidence.State.SUPERSEDED,
        "may_take_back": may_work and evidence.state in TAKEN_BACK and not evidence.told,
        "asked": [(reason, kind.told(matter, evidence.purpose, reason.code)) for reason in form.asked],
        "neutral": kind.told(matter, evidence.purpose, form.final[0].code) if form.final else "",
        "may_take_original": may_take(user) and evidence.document.state == "ready",
        "may_print": may_work and evidence.document.state == "ready",
        "given": [texts.reason(code).title for code in evidence.reasons],
        **extra,
    }
    return render(request, "cases/review.html", context, status=status)


def _shown(matter: Any) -> list[Evidence]:
    """Every file of the case that can be looked at, the newest first."""
    ready = matter.evidence.filter(document__state="ready").select_related("document")
    return [*ready.order_by("-created_at")]


def _beside(request: HttpRequest, matter: Any, evidence: Evidence, previous: Evidence | None) -> Evidence | None:
    """The other file that the reader wants beside this one; unasked, the one that was sent back and this replaces."""
    replaced = previous and previous.reasons and evidence.state == Evidence.State.PENDING
    wanted = request.GET.get("beside", str(previous.pk) if previous and replaced else "")
    return next((one for one in _shown(matter) if str(one.pk) == wanted and one.pk != evidence.pk), None)


def _step(files: list[Any], evidence: Evidence) -> str:
    """Which of the files this is; an older version is none of them."""
    if evidence.pk not in files:
        return _("Document review")
    return _("Document review %(n)s/%(all)s") % {"n": files.index(evidence.pk) + 1, "all": len(files)}


def pages_of(matter: Any, evidence: Evidence) -> list[dict[str, str]]:
    """Address and words of each page, as components/_viewer.html takes them."""
    count = evidence.document.pages
    place = {"number": matter.number, "evidence_id": evidence.pk}
    return [
        {
            "src": (door := reverse("cases:image", kwargs=place | {"page": page})),
            "full": f"{door}?look=full",
            "paper": f"{door}?look=print",
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
    fields = ("verdict", "issued_on", "valid_until", "version")
    chosen = {name: request.POST[name] for name in fields if name in request.POST}
    return VerdictForm(
        evidence=evidence, initial=_proposed(evidence) | chosen | {"reasons": request.POST.getlist("reasons")}
    )


def _judge(evidence: Evidence, data: dict[str, Any], *, by: Any) -> None:
    version = data["version"]
    if data["verdict"] == "accept":
        services.accept(evidence, by=by, version=version, issued_on=data["issued_on"], valid_until=data["valid_until"])
    elif data["verdict"] == "ask_again":
        services.ask_again(evidence, by=by, reasons=data["reasons"], version=version)
    else:
        services.reject(evidence, by=by, reasons=data["reasons"], version=version)


def _onward(request: HttpRequest, matter: Any) -> HttpResponse:
    """To the next file that waits for a verdict, then to what the verdicts ask for, or back to the case."""
    messages.success(request, _("Verdict saved."))
    following = matter.evidence.filter(state="pending", document__state="ready").order_by("created_at").first()
    if following:
        return redirect("cases:review", number=matter.number, evidence_id=following.pk)
    steps = kinds.lookup(matter.kind).steps(matter, signed_in(request))
    onward = next((step.url for step in steps if step.primary and not step.post), None)
    return redirect(onward or reverse("cases:case", kwargs={"number": matter.number}))


@rule(Rule.SIGNED_IN)
@require_POST
def reconsider(request: HttpRequest, number: str, evidence_id: Any) -> HttpResponse:
    """Take back a verdict that the player was not told of."""
    matter = get_case(number, user=signed_in(request))
    services.reconsider(evidence_of(matter, evidence_id), by=signed_in(request))
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
    evidence = evidence_of(matter, evidence_id)
    form = RevokeForm(request.POST)
    if not form.is_valid():
        verdict = VerdictForm(evidence=evidence, initial={"version": evidence.version})
        return _page(request, matter, evidence, verdict, status=422, revoke_form=form)
    services.revoke(evidence, by=signed_in(request), **form.cleaned_data)
    messages.success(request, _("The acceptance is taken back. Judge the file again."))
    return redirect("cases:review", number=number, evidence_id=evidence_id)


def _also(user: Any, matter: Any, evidence: Evidence, typed: AlsoForm | None) -> dict[str, Any] | None:
    """What else the file may be offered for, and in which case; None where there is nothing."""
    to = reusing.case_for(matter, by=user)
    offers = reusing.choices(evidence, to) if to else []
    return {"form": typed or AlsoForm(offers=offers), "to": to} if offers or typed else None


@rule(Rule.SIGNED_IN)
@require_POST
def use_also(request: HttpRequest, number: str, evidence_id: Any) -> HttpResponse:
    """Offer a file that is here for one more purpose; then on to its verdict."""
    user = signed_in(request)
    matter = get_case(number, user=user)
    evidence = evidence_of(matter, evidence_id)
    services.require(WORK, matter, by=user, action="evidence.attach")
    to = reusing.case_for(matter, by=user)
    if to is None:
        raise ConditionsNotMet([_("This player has no open case in which the file could be used.")])
    form = AlsoForm(request.POST, offers=reusing.choices(evidence, to))
    if not form.is_valid():
        return _page(request, matter, evidence, _kept(request, evidence), status=422, also_form=form)
    offered = reusing.use_also(evidence, to, by=user, **form.chosen())
    messages.success(request, _("The file is offered for this as well. Judge it for this alone."))
    return redirect("cases:review", number=to.number, evidence_id=offered.pk)
