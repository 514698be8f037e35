"""The audit pages: search, one entry, export. Looking is recorded; nothing here changes anything."""

import tempfile
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from audit import queries
from audit.access import rule
from audit.actors import who
from audit.canonical import base64url
from audit.export import CannotExport, NeedsTwo
from audit.export import export as write_export
from audit.forms import ExportForm, SearchForm
from audit.presenters import present
from audit.queries import PAGE, NoSuchEntry, Query, Row, Standing
from audit.record import ObjectRef, query_digest, record
from audit.tree import leaf_hash

ASKED = ("case", "customer", "first_day", "last_day", "everything", "since", "recipient", "log")


@require_GET
@rule("audit.view_entry")
def entries(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET, logs=_logs(request))
    rows: list[Row] = []
    if form.is_valid():
        query = form.query()
        rows = queries.search(query, before=_cursor(request.GET), limit=PAGE + 1)
        _record_search(request, query, found=min(len(rows), PAGE))
    log = form.cleaned_data.get("log") or "main" if form.is_bound and form.is_valid() else "main"
    context = {
        "form": form,
        "rows": present(rows[:PAGE]),
        "older_url": _older(request, rows),
        "newest_url": request.path + "?" + _without_cursor(request.GET) if "before" in request.GET else "",
        "export_url": f"{reverse('audit:export')}?{_for_export(request.GET)}",
        "may_export": request.user.has_perm("audit.export_entry"),
        **_chain(log),
    }
    return render(request, "audit/entries.html", context)


@require_GET
@rule("audit.view_entry")
def entry(request: HttpRequest, log: str, seq: int) -> HttpResponse:
    if log not in _logs(request):
        raise Http404("no such log")
    try:
        row = queries.entry(log, seq)
    except (NoSuchEntry, OverflowError):
        raise Http404("no such entry") from None
    with transaction.atomic():
        record(
            "audit.view", by=who(request.user), about=ObjectRef("entry", f"{log}/{seq}"), details={"seq": seq}, log=log
        )
    context = {
        "shown": present([row])[0],
        "hash": base64url(leaf_hash(bytes(row.entry))),
        "linked": [shown for shown in present(queries.same_request(row)) if shown["row"].event_id != row.event_id],
        **_chain(log),
    }
    return render(request, "audit/entry.html", context)


@require_http_methods(["GET", "POST"])
@rule("audit.export_entry")
def export(request: HttpRequest) -> HttpResponseBase:
    """What one person may take out; more is refused here, with the way to the page where it is asked for."""
    form = ExportForm(request.POST or None, initial=request.GET.dict(), logs=_logs(request))
    propose_url = ""
    if request.method == "POST" and form.is_valid():
        selection, reason = form.selection(), form.cleaned_data["reason"]
        out = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        try:
            write_export(selection, out, by=who(request.user), reason=reason, alone=settings.AUDIT_EXPORT_ALONE)
        except CannotExport as refused:
            out.close()
            form.add_error(None, str(refused))
            if isinstance(refused, NeedsTwo):
                propose_url = f"{reverse(settings.AUDIT_PROPOSE_EXPORT)}?{_asked_again(request.POST)}"
        else:
            out.seek(0)
            name = f"mizan-log-{selection.title or selection.log}.zip"
            return FileResponse(out, as_attachment=True, filename=name, content_type="application/zip")
    context = {"form": form, "propose_url": propose_url}
    return render(request, "audit/export.html", context, status=422 if form.errors else 200)


def _asked_again(given: QueryDict) -> str:
    """What was asked for, for the address of the page that proposes it; the reason is written there anew."""
    return urlencode({name: value for name, value in given.items() if name in ASKED and value})


def _logs(request: HttpRequest) -> list[str]:
    """The AML side has a log of its own; for everybody else it does not exist."""
    return ["main", "aml"] if request.user.has_perm("audit.view_aml_entry") else ["main"]


def _record_search(request: HttpRequest, query: Query, *, found: int) -> None:
    """A list is one entry with its query's digest; the query itself may hold names and is sealed."""
    digest = query_digest(query.digest_source().decode())
    details = {"digest": digest, "found": found, "query": query.normal_form()}
    with transaction.atomic():
        record("audit.search", by=who(request.user), about=ObjectRef("query", digest), details=details, log=query.log)


def _chain(log: str) -> dict[str, Any]:
    """How far the log is signed and was verified, for the strip above the list."""
    now: Standing = queries.standing(log)
    run = queries.last_verification(log)
    verified = int(run.facts["data"]["size"]) if run and run.facts["data"]["result"] == "ok" else 0
    return {
        "standing": now,
        "run": run,
        "failed": bool(run and run.facts["data"]["result"] != "ok"),
        "verified": verified,
        "since": max(now.size - verified, 0),
        "share": round(600 * verified / now.size) if now.size else 0,
        "log": log,
    }


def _cursor(query: QueryDict) -> Any:
    return queries.cursor_of(query.get("before", ""))


def _older(request: HttpRequest, rows: list[Row]) -> str:
    if len(rows) <= PAGE:
        return ""
    query = request.GET.copy()
    query["before"] = str(rows[PAGE - 1].event_id)
    return f"{request.path}?{query.urlencode()}"


def _without_cursor(query: QueryDict) -> str:
    rest = query.copy()
    rest.pop("before", None)
    return rest.urlencode()


def _for_export(query: QueryDict) -> str:
    kept = QueryDict(mutable=True)
    for name in ("case", "customer"):
        if query.get(name):
            kept[name] = str(query[name])
    return kept.urlencode()
