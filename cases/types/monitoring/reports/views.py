"""The pages of reports, inside the compartment: 404 to everybody else."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record
from cases.types.monitoring import worklist
from cases.types.monitoring.permissions import DECIDE, may, require
from cases.types.monitoring.reports import services, statutory, templates
from cases.types.monitoring.reports.forms import ConsentForm, ContentForm, DraftForm, SubmittedForm, WordsForm
from cases.types.monitoring.reports.models import Report
from cases.types.monitoring.reports.profiles import NoProfile, profile_for
from cases.types.monitoring.views.files import takes_a_file
from cases.types.monitoring.views.pages import of_the_compartment
from compliance.people.models import User
from compliance.people.requests import signed_in

Acting = Callable[[Report, User, HttpRequest], Any]


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_POST
def new(request: HttpRequest, number: str) -> HttpResponse:
    """Begin a report of this investigation."""
    me = signed_in(request)
    found = worklist.get(number, user=me)
    try:
        kinds = profile_for(found.licensee.jurisdiction).on(found.licensee.today()).kinds
    except NoProfile as unknown:
        raise ConditionsNotMet([str(unknown)]) from None
    form = DraftForm(request.POST, kinds=kinds)
    kind = form.cleaned_data["kind"] if form.is_valid() else request.POST.get("kind", "")
    report = services.draft(found, kind=kind, by=me)
    return redirect("cases:aml-report", report.pk)


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Look at it, and write on it while it is a draft."""
    me = signed_in(request)
    found = _get(report_id, me)
    form = ContentForm(request.POST or None, report=found)
    unmet: list[str] = []
    if request.method == "POST" and form.is_valid():
        said = form.content()
        if (pattern := request.POST.get("pattern", "")) in templates.PATTERNS:
            said = type(said)(**{**services.shown(said), "narrative": templates.begun(pattern, said.narrative)})
        shown = request.POST.get("version", "")
        try:
            services.write(found, said, by=me, version=int(shown) if shown.isdigit() else None)
        except ConditionsNotMet as refused:
            unmet = refused.reasons
        else:
            return redirect("cases:aml-report", report_id)
    if request.method == "GET":
        with transaction.atomic():
            record("reports.read", by=me, about=found)
    return _page(request, found, me, form=form, unmet=unmet, status=422 if form.errors or unmet else 200)


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_POST
def act(request: HttpRequest, report_id: UUID, verb: str) -> HttpResponse:
    """One of ACTS."""
    return _acted(request, report_id, verb)


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@takes_a_file
@require_POST
def submit(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """It arrived: reference and receipt."""
    return _acted(request, report_id, "submit")


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_POST
def take(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """The document to be filed, for who claimed it."""
    me = signed_in(request)
    found = _get(report_id, me)
    data = services.take(found, by=me)
    suffix = "xml" if services.profile_of(found).format == "goaml" else "zip"
    answer = HttpResponse(data, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="{found.reference}.{suffix}"'
    return answer


def _acted(request: HttpRequest, report_id: UUID, verb: str) -> HttpResponse:
    me = signed_in(request)
    found = _get(report_id, me)
    if verb not in ACTS:
        raise Http404("no such act")
    try:
        done = ACTS[verb](found, me, request)
    except ConditionsNotMet as unmet:
        fresh = _get(report_id, me)
        return _page(request, fresh, me, form=ContentForm(report=fresh), unmet=unmet.reasons, status=422)
    return redirect("cases:aml-report", done.pk)


def _get(report_id: UUID, me: User) -> Report:
    require(me)
    rows = Report.objects.select_related("investigation__customer", "licensee", "claimed_by", "approved_by", "follows")
    found = rows.filter(pk=report_id).first()
    if found is None:
        raise Http404("no such report")
    worklist.get(found.investigation.number, user=me)
    return found


def _page(
    request: HttpRequest, found: Report, me: User, *, form: ContentForm, unmet: list[str], status: int
) -> HttpResponse:
    profile, version = services.profile_of(found), services.version_of(found)
    language = str(get_language() or "en")[:2]
    context = {
        "report": found,
        "title": profile.title.get(language, profile.title["en"]),
        "authority": profile.authority,
        "rules": version,
        "sources": profile.sources,
        "form": form,
        "missing": services.missing_of(found),
        "patterns": [(code, title) for code, (title, _parts) in templates.PATTERNS.items()],
        "may_decide": may(me, DECIDE, found.investigation.customer_id),
        "mine": found.claimed_by is not None and found.claimed_by.human_id == me.human_id,
        "submitted_form": SubmittedForm(),
        "words_form": WordsForm(),
        "consent_form": ConsentForm() if statutory.awaits_consent(found) else None,
        "consent_until": statutory.consent_until(found),
        "moratorium_until": statutory.moratorium_until(found),
        "words": services.words_of(found),
        "said": services.content_of(found),
        "unmet": unmet,
    }
    return render(request, "monitoring/report.html", context, status=status)


def _words(request: HttpRequest) -> str:
    return request.POST.get("words", "")


def _submit(found: Report, me: User, request: HttpRequest) -> Any:
    file = request.FILES.get("file")
    return services.submitted(
        found, reference=request.POST.get("reference", ""), receipt=file.read() if file else b"", by=me
    )


def _consent(found: Report, me: User, request: HttpRequest) -> Any:
    form = ConsentForm(request.POST)
    form.is_valid()
    given = form.cleaned_data
    return statutory.answered(found, consent=given.get("consent", ""), on=given.get("on"), by=me)


ACTS: Mapping[str, Acting] = {
    "hand-over": lambda found, me, request: services.hand_over(found, by=me),
    "rework": lambda found, me, request: services.rework(found, by=me),
    "approve": lambda found, me, request: services.approve(found, by=me),
    "leave": lambda found, me, request: services.leave(found, words=_words(request), by=me),
    "claim": lambda found, me, request: services.claim(found, by=me),
    "submit": _submit,
    "lost": lambda found, me, request: services.lost(found, by=me),
    "did-not-arrive": lambda found, me, request: services.did_not_arrive(found, by=me),
    "accepted": lambda found, me, request: services.accepted(found, by=me),
    "rejected": lambda found, me, request: services.rejected(found, words=_words(request), by=me),
    "consent": _consent,
    "redraft": lambda found, me, request: services.redraft(found, by=me),
    "follow-up": lambda found, me, request: services.follow_up(
        found, kind=request.POST.get("kind", ""), asked=request.POST.get("asked", ""), by=me
    ),
}
