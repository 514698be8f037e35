"""One entry: its words, what changed, what the same request did, and its proof to take along."""

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit import proofs, queries
from audit.access import rule
from audit.actors import who
from audit.canonical import base64url
from audit.forms import ContinuesForm
from audit.presenters import present
from audit.queries import NoSuchEntry, Row
from audit.record import ObjectRef, record
from audit.tree import NoSuchProof, leaf_hash
from audit.views.chain import chain, logs_of


@require_GET
@rule("audit.view_entry")
def entry(request: HttpRequest, log: str, seq: int) -> HttpResponse:
    row = _row(request, log, seq)
    with transaction.atomic():
        record(
            "audit.view", by=who(request.user), about=ObjectRef("entry", f"{log}/{seq}"), details={"seq": seq}, log=log
        )
    context = {
        "shown": present([row])[0],
        "hash": base64url(leaf_hash(bytes(row.entry))),
        "linked": [shown for shown in present(queries.same_request(row)) if shown["row"].event_id != row.event_id],
        "may_export": request.user.has_perm("audit.export_entry"),
        **chain(log),
    }
    return render(request, "audit/entry.html", context)


@require_GET
@rule("audit.export_entry")
def proof(request: HttpRequest, log: str, seq: int) -> HttpResponse:
    """The inclusion proof of one entry, as a `.tlog-proof` file."""
    _row(request, log, seq)
    try:
        text, size = proofs.proof(log, seq)
    except proofs.NotSignedYet:
        raise Http404("not signed yet") from None
    _record_proof(request, log, seq, size)
    return _file(text.encode(), f"mizan-{log}-{seq}.tlog-proof", "text/plain; charset=utf-8")


@require_GET
@rule("audit.export_entry")
def continues(request: HttpRequest, log: str) -> HttpResponse:
    """The proof that the log continues the checkpoint of `size` which somebody kept, as a `.continues` file."""
    form = ContinuesForm(request.GET)
    if log not in logs_of(request) or not form.is_valid():
        raise Http404("no such log or checkpoint")
    size = form.cleaned_data["size"]
    try:
        text, _size = proofs.continues(log, size)
    except (proofs.NotSignedYet, NoSuchProof):
        raise Http404("not signed yet") from None
    return _file(text.encode(), f"mizan-{log}-{size}.continues", "text/plain; charset=utf-8")


@require_GET
@rule("audit.export_entry")
def data(request: HttpRequest, log: str, seq: int) -> HttpResponse:
    """The entry's canonical bytes: what the proof is about."""
    row = _row(request, log, seq)
    _record_proof(request, log, seq, 0)
    return _file(bytes(row.entry), f"mizan-{log}-{seq}.json", "application/json")


def _record_proof(request: HttpRequest, log: str, seq: int, size: int) -> None:
    about = ObjectRef("entry", f"{log}/{seq}")
    with transaction.atomic():
        record("audit.prove", by=who(request.user), about=about, details={"seq": seq, "size": size}, log=log)


def _row(request: HttpRequest, log: str, seq: int) -> Row:
    if log not in logs_of(request):
        raise Http404("no such log")
    try:
        return queries.entry(log, seq)
    except (NoSuchEntry, OverflowError):
        raise Http404("no such entry") from None


def _file(data: bytes, name: str, kind: str) -> HttpResponse:
    return HttpResponse(data, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
