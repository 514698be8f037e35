"""What an open list asks for by itself, and the list as a file."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2s
from typing import Any
from urllib.parse import urlencode

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_http_methods

from audit.access import Rule, rule, when_sent
from audit.cards import without_cards
from audit.record import ObjectRef, query_digest, record
from cases.lists import ORDERS, Asked
from cases.models import Case
from cases.presence import services as presence
from compliance.formats import COUNTED
from compliance.people.models import User
from compliance.people.requests import signed_in
from compliance.sheets import TakeForm, csv_response

MOST = 99  # a list that is open says no more than "more than 99"
AS_FAR_BACK = timedelta(days=1)
LATEST = timedelta(seconds=10)  # so long after its moment a change may be committed, and seen
ROWS = 50
KNOWN = 200  # changes of the last seconds that a list need not hear of
HEAD = (
    "tracking number",
    "kind",
    "state",
    "player",
    "licensee",
    "priority",
    "responsible",
    "risk",
    "opened at",
    "due at",
    "snoozed until",
)


def before_reading() -> datetime:
    """For `asks_again`, before the rows are read: the database's clock, that changes go by, some seconds back.

    What was written by then and is committed after the rows were read came since.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now - LATEST


def no_news(asked: Asked, user: User, *, since: datetime) -> list[str]:
    """For `asks_again`, before the rows are read: what changed on any page of the list after `since`, as it is now."""
    return [] if asked.q else [_mark(case) for case in _found(asked, user, since)[:KNOWN]]


def asks_again(asked: Asked, rows: list[Case], *, since: datetime, known: list[str]) -> str:
    """The address that an open list asks; none for one with words in it: searching is done by people, and recorded.

    It names what changed after `since` and before the rows were read, and those of them that were read otherwise.
    """
    shown = ",".join(case.number for case in rows) if "why" in asked.columns else ""
    return _address(
        asked, since, shown, dict.fromkeys([*known, *(_mark(case) for case in rows if _moved(case, since))])
    )


def _found(asked: Asked, user: User, since: datetime) -> Any:
    return asked.changed(user, since=since).with_proposed().only("pk", "changed_at", "snoozed_until").order_by()


def _address(asked: Asked, since: datetime, shown: str, known: Iterable[str]) -> str:
    if asked.q:
        return ""
    told = {"since": since.isoformat(), "on": shown, "known": ",".join(known)}
    return reverse("cases:news") + asked.address() + ("&" if asked.address() != "?" else "") + urlencode(told)


def _moved(case: Any, since: datetime) -> bool:
    """Whether `Asked.changed` may find it; when it was proposed, the row does not say."""
    woke = case.snoozed_until is not None and case.snoozed_until > since
    return bool(case.changed_at > since or woke or case.proposed)


def _mark(case: Any) -> str:
    """Another one as soon as the case moves again, something is proposed on it, or it is back."""
    as_shown = f"{case.pk} {case.changed_at.isoformat()} {case.proposed} {case.sleeps}"
    return blake2s(as_shown.encode(), digest_size=4).hexdigest()


@rule(Rule.SIGNED_IN)
@require_GET
def news(request: HttpRequest) -> HttpResponse:
    """A fragment: how many rows of this list came or changed since, and who looks at those that are shown."""
    user, asked = signed_in(request), Asked.read(request.GET)
    if not request.headers.get("HX-Request") or asked.q:
        return redirect(reverse("cases:queue") + asked.address())
    since = _since(request.GET.get("since", ""))
    numbers = request.GET.get("on", "").split(",")[:ROWS]
    known = request.GET.get("known", "").split(",")[: KNOWN + ROWS]
    rows = list(Case.objects.visible_to(user).filter(number__in=numbers).only("pk", "number"))
    found = _found(asked, user, since)
    shown = ",".join(case.number for case in rows)
    context = {
        "asked": asked,
        "news": sum(_mark(case) not in known for case in found[: MOST + 1 + len(known)]),
        "most": MOST,
        "news_url": _address(asked, since, shown, known),
        "rows": rows,
        "present": presence.here([case.pk for case in rows], user=user),
    }
    return render(request, "cases/_news_answer.html", context)


def _since(given: str) -> datetime:
    """The moment that the page was made; never longer ago than a day, nor in no time zone."""
    now = timezone.now()
    try:
        moment = parse_datetime(given)
    except ValueError:
        moment = None
    return max(moment, now - AS_FAR_BACK) if moment and moment.tzinfo else now


@require_http_methods(["GET", "POST"])
@rule(Rule.SIGNED_IN, fresh=when_sent)
def take_list(request: HttpRequest) -> HttpResponseBase:
    """The list as a file: the rows that its address shows, in their order, by player number and without names."""
    user, asked = signed_in(request), Asked.read(request.GET)
    rows, take = asked.rows(user), TakeForm(request.POST or None)
    if request.method == "POST" and take.is_valid():
        found = take.most_alone(rows.select_related(*_SHOWN).order_by(*ORDERS[asked.sort]).iterator(chunk_size=500))
        if not take.errors:
            note_list(user, "cases.take_list", asked.address(), len(found), note=take.cleaned_data["reason"])
            return csv_response(f"cases-{timezone.localdate()}.csv", HEAD, (_line(case) for case in found))
    total = rows.up_to(COUNTED)
    note_list(user, "cases.list", asked.address(), total)  # a count of whom the words fit tells of them too
    back = reverse("cases:queue") + asked.address()
    chips = asked.chips(user)
    context = {"asked": asked, "chips": chips, "take": take, "total": total, "counted": COUNTED, "back": back}
    return render(request, "cases/take_list.html", context, status=422 if take.errors else 200)


_SHOWN = ("account", "licensee", "assignee", "customer")


def _line(case: Any) -> tuple[object, ...]:
    return (
        case.number,
        case.kind,
        case.state,
        case.account.reference,
        case.licensee.name,
        case.priority,
        case.assignee.name if case.assignee else "",
        case.customer.risk,
        case.opened_at,
        case.due_at,
        case.snoozed_until,
    )


def note_list(user: Any, action: str, query: str, rows: int, *, note: str | None = None) -> None:
    """A list is one entry with the digest of its query: looking is recorded, what was looked for is not repeated."""
    digest = query_digest(without_cards(query))
    with transaction.atomic():
        record(action, by=user, about=ObjectRef("list", digest), note=note, details={"query": digest, "rows": rows})
