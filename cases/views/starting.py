"""Somebody calls or writes, and no case is at hand: find the player by what they say, and go on from there."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from audit.access import Rule, rule
from audit.record import ObjectRef, record
from cases import kinds, search
from cases.models import Case
from cases.permissions import WORK
from compliance.people.models import User
from compliance.people.requests import signed_in


@rule(Rule.SIGNED_IN)
@require_GET
def contact(request: HttpRequest) -> HttpResponse:
    """Open cases of the player that one may work on, to log the contact on; without one, what can be opened."""
    user = signed_in(request)
    words = " ".join(request.GET.get("q", "").split())
    workable = Case.objects.allowed_to(user, WORK).open()
    if number := search.number_in(words, user=user):
        can_log = workable.filter(number=number).exists()
        return redirect("cases:contact" if can_log else "cases:case", number=number)
    hits = _looked_for(words, user) if words else search.Hits()
    found = [*hits.exact, *hits.named, *hits.similar]
    here = set(workable.filter(pk__in=[case.pk for case in found]).order_by().values_list("pk", flat=True))
    context = {
        "words": words,
        "mistyped": search.mistyped(words),
        "cases": [case for case in (*hits.exact, *hits.named) if case.pk in here],
        "others": [case for case in (*hits.exact, *hits.named) if case.pk not in here],
        "similar": [(case, case.pk in here) for case in hits.similar],
        "players": hits.players,
        "kinds": kinds.kinds().values(),
    }
    return render(request, "contacts/who.html", context)


def _looked_for(words: str, user: User) -> search.Hits:
    hits = search.everywhere(words, user=user)
    with transaction.atomic():
        details = {"query": words, "rows": len(hits)}
        record("cases.search", by=user, about=ObjectRef("search", ""), details=details)
    return hits
