"""Files on their way: pictures of pages, the original for who needs it and says why, and files that come in pieces."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet, Denied
from audit.record import record_refusal
from cases import resumable, texts
from cases.forms import OriginalForm
from cases.models import Evidence
from cases.permissions import WORK, may
from cases.queries import get_case
from cases.views.review import evidence_of, pages_of
from compliance.people.requests import signed_in
from documents import links, releasing
from documents.services import RENDITION_HEADERS, NotReady, name_of, rendition
from documents.serving import original as answered

# What a picture of a page is for, as the log names it: to look at, to look closer than the window shows, for paper.
PURPOSES = {"": "review", "full": "review_full", "print": "print"}


def _found(request: HttpRequest, number: str, evidence_id: Any) -> tuple[Any, Evidence]:
    matter = get_case(number, user=signed_in(request))
    return matter, evidence_of(matter, evidence_id)


def _linked(request: HttpRequest, route: str, evidence: Evidence, look: str = "", **at: Any) -> HttpResponse:
    """To the address that expires."""
    place = {"number": evidence.case.number, "evidence_id": evidence.pk, **at}
    link = links.link_to(_thing(route, evidence, look=look, **at), viewer=signed_in(request))
    address = reverse(f"cases:{route}", kwargs=place | {"link": link})
    return redirect(f"{address}?look={look}" if look else address)


def _thing(route: str, evidence: Evidence, look: str = "", **at: Any) -> str:
    return ":".join([route, str(evidence.pk), *map(str, at.values()), *filter(None, [look])])


def _look(request: HttpRequest) -> str:
    look = request.GET.get("look", "")
    if look not in PURPOSES:
        raise Http404("no such look")
    return look


def _open(request: HttpRequest, link: str, route: str, evidence: Evidence, **at: Any) -> None:
    if not links.holds(link, _thing(route, evidence, **at), viewer=signed_in(request)):
        raise Http404("the link is over, or another person's")


@rule(Rule.SIGNED_IN)
@require_GET
def image(request: HttpRequest, number: str, evidence_id: Any, page: int = 1) -> HttpResponse:
    """The door to a picture of one page. `look` says what for: each is a read of its own in the log."""
    matter, evidence = _found(request, number, evidence_id)
    look, user = _look(request), signed_in(request)
    if look == "print" and not releasing.may_print(evidence.document, by=user, matter=matter.number):
        record_refusal("documents.print", by=user, about=evidence.document, matter=number, reason="no_reason")
        raise Denied("no_reason")
    return _linked(request, "picture", evidence, look=look, page=page)


@rule(Rule.SIGNED_IN)
@require_GET
def picture(request: HttpRequest, number: str, evidence_id: Any, page: int, link: str) -> HttpResponse:
    """A re-encoded, watermarked picture of one page. The original never reaches a browser this way.

    Each is drawn anew, so there is no part of it to ask for.
    """
    matter, evidence = _found(request, number, evidence_id)
    look, user = _look(request), signed_in(request)
    _open(request, link, "picture", evidence, look=look, page=page)
    purpose, full = PURPOSES[look], look == "full"
    try:
        drawn = rendition(evidence.document, by=user, purpose=purpose, page=page, matter=matter.number, full=full)
    except NotReady:
        raise Http404("not ready") from None
    headers = RENDITION_HEADERS | {"Accept-Ranges": "none"}
    return HttpResponse(drawn.data, content_type=drawn.media_type, headers=headers)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def print_file(request: HttpRequest, number: str, evidence_id: Any) -> HttpResponse:
    """Why watermarked pages are needed on paper; then the pages. The picture on the review page is not printed."""
    matter, evidence = _found(request, number, evidence_id)
    if not may(signed_in(request), WORK, matter):
        record_refusal(
            "documents.print", by=signed_in(request), about=evidence.document, matter=number, reason="no_right"
        )
        raise Denied("no_right")
    form = OriginalForm(request.POST if request.method == "POST" else None)
    context = {"case": matter, "evidence": evidence, "title": texts.purpose_title(evidence.purpose), "form": form}
    if request.method == "POST" and form.is_valid():
        try:
            releasing.release_print(evidence.document, by=signed_in(request), matter=number, **form.cleaned_data)
        except ConditionsNotMet as unmet:
            form.add_error("note", unmet.reasons)
        except NotReady:
            raise Http404("not ready") from None
        else:
            return render(request, "cases/printed.html", context | {"pages": pages_of(matter, evidence)})
    return render(request, "cases/print.html", context, status=422 if request.method == "POST" else 200)


@rule(Rule.SIGNED_IN, fresh=True)
@require_http_methods(["GET", "POST"])
def original(request: HttpRequest, number: str, evidence_id: Any) -> HttpResponse:
    """Why the original is needed, asked of somebody who has the right and showed a moment ago who they are."""
    matter, evidence = _found(request, number, evidence_id)
    releasing.require_right(evidence.document, by=signed_in(request), matter=matter.number)
    form = OriginalForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            releasing.release(evidence.document, by=signed_in(request), matter=matter.number, **form.cleaned_data)
        except ConditionsNotMet as unmet:
            form.add_error("note", unmet.reasons)
        except NotReady:
            raise Http404("not ready") from None
        else:
            return _linked(request, "take-original", evidence)
    context = {
        "case": matter,
        "evidence": evidence,
        "title": texts.purpose_title(evidence.purpose),
        "document": evidence.document,
        "name": name_of(evidence.document),
        "form": form,
    }
    return render(request, "cases/original.html", context, status=422 if request.method == "POST" else 200)


@rule(Rule.SIGNED_IN)
@require_GET
def take_original(request: HttpRequest, number: str, evidence_id: Any, link: str) -> HttpResponseBase:
    """The file byte for byte, to be saved and never shown; or the range asked for."""
    matter, evidence = _found(request, number, evidence_id)
    user = signed_in(request)
    releasing.require_right(evidence.document, by=user, matter=matter.number)
    _open(request, link, "take-original", evidence)
    try:
        return answered(evidence.document, by=user, purpose="original", matter=matter.number, headers=request.headers)
    except NotReady:
        raise Http404("not ready") from None


@rule(Rule.SIGNED_IN)
@require_http_methods(["OPTIONS", "POST"])
def begin_upload(request: HttpRequest, number: str) -> HttpResponse:
    """A file that comes in pieces (tus 1.0). The form on the case page does without it."""
    matter = get_case(number, user=signed_in(request))
    if request.method == "OPTIONS":
        return resumable.capabilities()
    address = partial(_address, "cases:continue-upload", number)
    return resumable.create(request, matter, by=signed_in(request), address=address)


def _address(route: str, number: str, upload_id: UUID) -> str:
    return reverse(route, kwargs={"number": number, "upload_id": upload_id})


@rule(Rule.SIGNED_IN)
@require_http_methods(["HEAD", "PATCH", "DELETE"])
def continue_upload(request: HttpRequest, number: str, upload_id: UUID) -> HttpResponse:
    matter = get_case(number, user=signed_in(request))
    response = resumable.answer(request, matter, upload_id, by=signed_in(request))
    if request.method == "PATCH" and "Upload-Result" in response:
        messages.success(request, _("The file arrived. It is being checked."))
    return response
