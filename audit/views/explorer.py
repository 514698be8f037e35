"""The list: search, keep a question, who looked, verify a part now."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit import queries, ranges, saved
from audit.access import rule
from audit.actors import who
from audit.forms import KeepForm, RangeForm, SearchForm
from audit.models import SavedQuery
from audit.names import names
from audit.presenters import present
from audit.queries import PAGE, Query, Row, TooSlow
from audit.record import ObjectRef, query_digest, record
from audit.registry import lookup
from audit.views.chain import chain, logs_of

ELSEWHERE = ("before", "zone")  # what the address holds besides filters


@require_GET
@rule("audit.view_entry")
def entries(request: HttpRequest) -> HttpResponse:
    """The newest entries that fit, 50 a page. The whole state of the page is its address."""
    form = SearchForm(request.GET, logs=logs_of(request))
    rows: list[Row] = []
    slow = False
    if form.is_valid():
        query = form.query()
        try:
            rows = queries.search(query, before=_cursor(request.GET), limit=PAGE + 1)
        except TooSlow:
            slow = True
        _record_search(request, query, found=min(len(rows), PAGE))
    log, given = form.cleaned_data.get("log") or "main", form.given()
    context = {
        "form": form,
        "slow": slow,
        "chips": _chips(request, form),
        "clear_url": request.path,
        "rows": present(rows[:PAGE]),
        "older_url": _older(request, rows),
        "newest_url": f"{request.path}?{_rest(request.GET, 'before')}" if "before" in request.GET else "",
        "export_url": f"{reverse('audit:export')}?{_for_export(given)}",
        "may_export": request.user.has_perm("audit.export_entry"),
        "readers_url": f"{reverse('audit:readers')}?{_rest(given, 'only')}",
        "saved": saved.kept(who(request.user), logs=logs_of(request)),
        "kept_form": KeepForm(),
        "range_form": RangeForm(),
        "given": given,
        "asked": urlencode(given),
        "utc_url": f"{request.path}?{urlencode(given | {'zone': 'utc'})}",
        "own_url": f"{request.path}?{urlencode(given)}",
        "in_utc": request.GET.get("zone") == "utc",
        "most_at_once": ranges.MOST,
        **chain(log),
    }
    with timezone.override(ZoneInfo("UTC") if context["in_utc"] else timezone.get_current_timezone()):
        return render(request, "audit/entries.html", context)


@require_POST
@rule("audit.view_entry")
def keep(request: HttpRequest) -> HttpResponse:
    """Keep the question that the page shows, under a name."""
    form, asked = KeepForm(request.POST), QueryDict(request.POST.get("query", "")[:2000])
    search = SearchForm(asked, logs=logs_of(request))
    back = f"{reverse('audit:entries')}?{_rest(asked, *ELSEWHERE)}"
    if form.is_valid() and search.is_valid() and search.given():
        log = search.cleaned_data.get("log") or "main"
        given, asked_for = form.cleaned_data, search.by_ids()
        if asked_for is None:
            messages.error(
                request,
                _(
                    "A kept question names people and things by their ids alone, so that none outlives them here. Open "
                    "the person or the thing from an entry, and keep that."
                ),
            )
            return redirect(back)
        saved.keep(given["name"], asked_for, shared=given["shared"], log=log, by=who(request.user))
        messages.success(request, _("Kept: %(name)s") % {"name": given["name"]})
        back = f"{reverse('audit:entries')}?{urlencode(asked_for)}"
    else:
        messages.error(request, _("Give it a name, and set at least one filter."))
    return redirect(back)


@require_POST
@rule("audit.view_entry")
def forget(request: HttpRequest, query_id: UUID) -> HttpResponse:
    """Remove a question one keeps."""
    row = SavedQuery.objects.filter(pk=query_id, log__in=logs_of(request)).first()
    if row is None:
        raise Http404("no such query")
    saved.remove(row, by=who(request.user))
    messages.success(request, _("Removed."))
    return redirect("audit:entries")


@require_GET
@rule("audit.view_entry")
def readers(request: HttpRequest) -> HttpResponse:
    """Who looked at a customer, a case or a thing: by person and act, with how often and when. Reads only."""
    form = SearchForm(request.GET, logs=logs_of(request))
    rows: list[dict[str, Any]] = []
    slow = False
    asked = bool({"customer", "case", "thing", "actor"} & form.given().keys()) if form.is_valid() else False
    if asked:
        query = Query(**{**vars(form.query()), "only": "reads"})
        try:
            found = queries.readers(query)
        except TooSlow:
            found, slow = [], True
        _record_search(request, query, found=len(found))
        known = names((row.actor_kind, row.actor_id) for row in found)
        rows = [
            {"row": row, "name": known.get((row.actor_kind, row.actor_id), row.actor_kind), "what": _act(row.action)}
            for row in found
        ]
    context = {"form": form, "rows": rows, "asked_for": asked, "slow": slow, "chips": _chips(request, form)}
    return render(request, "audit/readers.html", context | {"given": form.given(), "clear_url": request.path})


@require_POST
@rule("audit.view_entry")
def check_range(request: HttpRequest) -> HttpResponse:
    """Verify a part of the log now, and say what was found. The run is an entry."""
    form = RangeForm(request.POST)
    log = request.POST.get("log") or "main"
    if log not in logs_of(request):
        raise Http404("no such log")
    if not form.is_valid():
        return render(request, "audit/range.html", {"range_form": form, "log": log}, status=422)
    try:
        report = ranges.check(log, form.cleaned_data["first"], form.cleaned_data["last"])
    except ValueError:
        form.add_error("last", _("Nothing is signed between these two yet."))
        return render(request, "audit/range.html", {"range_form": form, "log": log}, status=422)
    details = {"first": report.first, "last": report.last, "findings": report.counts}
    details["result"] = "ok" if report.ok else "failed"
    with transaction.atomic():
        record("audit.check_range", by=who(request.user), about=ObjectRef("log", log), details=details, log=log)
    context = {"range_form": form, "report": report, "found": report.findings[:100], "log": log}
    return render(request, "audit/range.html", context)


def _record_search(request: HttpRequest, query: Query, *, found: int) -> None:
    """A list is one entry with its query's digest; the query is sealed, and holds no word that somebody typed."""
    digest = query_digest(query.digest_source().decode())
    details = {"digest": digest, "found": found, "query": query.without_words()}
    with transaction.atomic():
        record("audit.search", by=who(request.user), about=ObjectRef("query", digest), details=details, log=query.log)


def _act(action: str) -> str:
    """The sentence of an action without who and what, for a table that has those in columns."""
    sentence = str(lookup(action).sentence) if action in queries.reads() else action
    return sentence.replace("{actor}", "").strip()


def _chips(request: HttpRequest, form: SearchForm) -> list[dict[str, str]]:
    """The filters that are set, each with the address of the list without it."""
    if not form.is_valid():
        return []
    zone = {"zone": "utc"} if request.GET.get("zone") == "utc" else {}
    return [
        {"label": label, "value": value, "remove_url": f"{request.path}?{_rest(form.given() | zone, name)}"}
        for name, label, value in form.in_words()
    ]


def _cursor(query: QueryDict) -> Any:
    return queries.cursor_of(query.get("before", ""))


def _older(request: HttpRequest, rows: list[Row]) -> str:
    if len(rows) <= PAGE:
        return ""
    query = request.GET.copy()
    query["before"] = str(rows[PAGE - 1].event_id)
    return f"{request.path}?{query.urlencode()}"


def _rest(query: Mapping[str, Any], *without: str) -> str:
    """The address's query without what is named, and without what is empty."""
    return urlencode({name: value for name, value in query.items() if value and name not in without})


def _for_export(query: Mapping[str, str]) -> str:
    renamed = {"case": "case", "customer": "customer", "since": "first_day", "until": "last_day", "log": "log"}
    kept = {renamed[name]: value for name, value in query.items() if name in renamed}
    if kept.get("case") or kept.get("customer"):
        kept = {name: value for name, value in kept.items() if name in ("case", "customer", "log")}
    return urlencode(kept)
