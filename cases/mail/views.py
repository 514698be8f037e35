"""The inbox of mail that belongs to no case, a letter, and messages that did not arrive."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet, Denied
from audit.record import ObjectRef, record, record_read
from cases import texts
from cases.drafts import services as drafts
from cases.forms import paper_choices
from cases.mail import deliveries, files, letters, writing
from cases.mail.forms import DiscardForm, MatchForm, MessageForm, OfferForm
from cases.mail.models import Delivery, Letter, LetterFile, Poll
from cases.mail.permissions import licensees_of
from cases.permissions import WORK, may
from cases.queries import get_case
from cases.services import attach
from compliance.people.contacts import mask
from compliance.people.models import User
from compliance.people.requests import signed_in

SHOWN = 200


def _letters(user: User) -> Any:
    """Those of the licensees whose cases this person works on; 403 for who works on none."""
    licensees = licensees_of(user)
    if not licensees.exists():
        raise Denied("no_right")
    readable = Q(kind__in=(Letter.Kind.PERSON, Letter.Kind.AUTO)) | Q(urgent=True)
    return Letter.objects.filter(readable, licensee__in=licensees)


@rule(Rule.SIGNED_IN)
@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """What belongs to no case yet, urgent first; or what was set aside. Looking is an entry."""
    user, show = signed_in(request), request.GET.get("show", "")
    state = "discarded" if show == "discarded" else "unmatched"
    found = _letters(user).filter(state=state, emptied_at=None).select_related("suggested", "licensee")
    rows = list(found.order_by("-urgent", "-arrived_at" if show else "arrived_at", "id")[:SHOWN])
    with transaction.atomic():
        record("mail.list", by=user, about=ObjectRef("list", "letters"), details={"rows": len(rows)})
    shown = [{"letter": row, "said": letters.content_of(row), "files": row.files.count()} for row in rows]
    for one in shown:
        one["sender"] = mask("email", one["said"].sender)
    boxes = Poll.objects.filter(name__in=licensees_of(user).values("slug")).order_by("name")
    return render(request, "mail/inbox.html", {"rows": shown, "show": state, "boxes": boxes})


def _letter(request: HttpRequest, letter_id: UUID) -> Letter:
    """The letter, for who may sort it; one that lies with a case is that case's, and leads there."""
    rows = _letters(signed_in(request)).select_related("licensee", "case__account", "suggested", "customer")
    return get_object_or_404(rows, pk=letter_id)  # type: ignore[no-any-return]


@rule(Rule.SIGNED_IN)
@require_GET
def letter(request: HttpRequest, letter_id: UUID) -> HttpResponse:
    return _page(request, _letter(request, letter_id))


def _page(request: HttpRequest, row: Letter, *, status: int = 200, **extra: Any) -> HttpResponse:
    user = signed_in(request)
    case = get_case(row.case.number, user=user) if row.case else None  # 404 to strangers of the case
    with transaction.atomic():
        record("mail.read", by=user, about=row)
    suggested = row.suggested if row.suggested and may(user, WORK, row.suggested) else None
    offers = paper_choices(case) if case else []
    shown = [
        {
            "file": file,
            "name": files.name_of(file),
            "offer": OfferForm(choices=offers, auto_id=f"offer-{file.place}-%s") if _is_free(file, user) else None,
        }
        for file in row.files.select_related("letter", "document").order_by("place")
    ]
    context = {
        "letter": row,
        "said": letters.content_of(row),
        "files": shown,
        "suggested": suggested,
        "flaws": [FLAWS[flaw] for flaw in row.flaws if flaw in FLAWS],
        "match_form": MatchForm(initial={"number": suggested.number if suggested else ""}),
        "discard_form": DiscardForm(initial={"version": row.version}, urgent=row.urgent),
        **extra,
    }
    return render(request, "mail/letter.html", context, status=status)


def _is_free(file: LetterFile, user: User) -> bool:
    """Whether it lies in the vault and proves nothing yet."""
    case = file.letter.case
    return bool(
        file.document
        and file.document.state != "destroyed"
        and case
        and not case.closed_at
        and may(user, WORK, case)
        and not file.document.evidence.exists()
    )


FLAWS = {
    "too_large": gettext_lazy("It was too large: only its head was read, and no file was taken."),
    "shortened": gettext_lazy("Its text was too long and was shortened."),
    "encrypted": gettext_lazy("It is encrypted and cannot be read here."),
    "too_many_files": gettext_lazy("It had more files than are taken."),
    "broken": gettext_lazy("It was not written as e-mail should be; something may be missing."),
    "no_sender": gettext_lazy("It does not say who sent it."),
}


@rule(Rule.SIGNED_IN)
@require_POST
def match(request: HttpRequest, letter_id: UUID) -> HttpResponse:
    """Put it to a case. Where the sender is not known as the player, the person says that they made sure."""
    row, form = _letter(request, letter_id), MatchForm(request.POST)
    if not form.is_valid():
        return _page(request, row, status=422, match_form=form)
    user = signed_in(request)
    try:
        case = get_case(form.cleaned_data["number"], user=user)
        letters.match(row, case, by=user, checked=form.cleaned_data["checked"])
    except Http404:
        form.add_error("number", _("You see no case with this number."))
        return _page(request, row, status=422, match_form=form)
    except ConditionsNotMet as unmet:
        form.add_error("checked", unmet.reasons)
        return _page(request, row, status=422, match_form=form)
    messages.success(request, _("The letter stands in the case now."))
    return redirect("cases:case", number=case.number)


@rule(Rule.SIGNED_IN)
@require_POST
def discard(request: HttpRequest, letter_id: UUID) -> HttpResponse:
    row = _letter(request, letter_id)
    form = DiscardForm(request.POST, urgent=row.urgent)
    if not form.is_valid():
        return _page(request, row, status=422, discard_form=form)
    letters.discard(row, by=signed_in(request), **form.cleaned_data)
    undo = reverse("cases:letter", args=[row.pk])
    messages.success(
        request, format_html('{} <a href="{}">{}</a>', _("Set aside. It is kept 30 days."), undo, _("Take it back"))
    )
    return redirect("cases:mail")


@rule(Rule.SIGNED_IN)
@require_POST
def restore(request: HttpRequest, letter_id: UUID) -> HttpResponse:
    letters.restore(_letter(request, letter_id), by=signed_in(request))
    messages.success(request, _("It is back among those that belong to no case yet."))
    return redirect("cases:letter", letter_id=letter_id)


@rule(Rule.SIGNED_IN)
@require_POST
def move_away(request: HttpRequest, letter_id: UUID) -> HttpResponse:
    """Off the wrong case: back to the inbox."""
    row = _letter(request, letter_id)
    if row.case is None:
        raise Http404("it lies with no case")
    get_case(row.case.number, user=signed_in(request))
    try:
        letters.move_away(row, by=signed_in(request))
    except ConditionsNotMet as unmet:
        return _page(request, row, status=422, unmet=unmet.reasons)
    messages.success(request, _("It is off the case and belongs to no case now."))
    return redirect("cases:letter", letter_id=letter_id)


@rule(Rule.SIGNED_IN)
@require_POST
def offer(request: HttpRequest, letter_id: UUID, file_id: UUID) -> HttpResponse:
    """A file of the letter proves something: from now on it is judged like any other."""
    row, user = _letter(request, letter_id), signed_in(request)
    if row.case is None:
        raise Http404("it lies with no case")
    case = get_case(row.case.number, user=user)
    file = get_object_or_404(row.files.select_related("document", "letter__case"), pk=file_id)
    form = OfferForm(request.POST, choices=paper_choices(case))
    if file.document is None or not _is_free(file, user) or not form.is_valid():
        return _page(request, row, status=422, unmet=[_("Choose what the file shows.")])
    purpose, _colon, paper = form.cleaned_data["shows"].partition(":")
    try:
        attach(case, file.document, purpose=purpose, document_type=paper, by=user)
    except ConditionsNotMet as unmet:
        return _page(request, row, status=422, unmet=unmet.reasons)
    messages.success(request, _("The file stands in the case now."))
    return redirect("cases:case", number=case.number)


# ---------------------------------------------------------------------------------------------------- writing
@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, number: str) -> HttpResponse:
    """First what the player will read, word for word; then, on its own button, send it."""
    user = signed_in(request)
    case = get_case(number, user=user)
    if not may(user, WORK, case):
        raise Denied("no_right")
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
    form = MessageForm(request.POST or None, initial={"line": drafts.text_of(case, "message", user=user)})
    letter = None
    if request.method == "POST" and form.is_valid():
        code, line = form.cleaned_data["code"], form.cleaned_data["line"]
        try:
            letter = writing.compose(case, code, line)
            if request.POST.get("act") == "send":
                writing.send(case, code, line, by=user, token=form.cleaned_data["token"])
                token = drafts.token_of(request.POST.get("draft_form"))
                drafts.close(case, "message", by=user, token=token)
                messages.success(request, _("The message is on its way to the player."))
                return redirect("cases:case", number=number)
        except ConditionsNotMet as unmet:
            form.add_error("line", unmet.reasons)
    context = {
        "case": case,
        "message_form": form,
        "letter": letter,
        "subject": texts.subject(letter.code, letter.language, number=case.number) if letter else "",
        "edit": request.POST.get("act") == "edit" or letter is None,
        "draft_form": drafts.token_of(request.POST.get("draft_form")),
    }
    return render(request, "mail/write.html", context, status=422 if form.errors else 200)


# ---------------------------------------------------------------------------------------------------- deliveries
@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def trouble(request: HttpRequest, number: str, message_id: UUID) -> HttpResponse:
    """A message that may not have arrived: send it again, or say that the player knows."""
    user = signed_in(request)
    case = get_case(number, user=user)
    if not may(user, WORK, case):
        raise Denied("no_right")
    rows = Delivery.objects.select_related("message__case")
    row = get_object_or_404(rows, pk=message_id, message__case_id=case.pk)
    if request.method == "POST":
        if request.POST.get("act") == "again":
            deliveries.send_again(row, by=user)
            messages.success(request, _("It is sent again, under the same mark: mail programs show it once."))
        else:
            deliveries.settle(row, by=user)
            messages.success(request, _("Settled."))
        return redirect("cases:case", number=number)
    return render(request, "mail/trouble.html", {"case": case, "delivery": row})
