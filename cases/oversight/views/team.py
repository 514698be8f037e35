"""The team lead's page: load, age, what is late, what waits for a second person, and handing work over."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import rule
from audit.record import record
from cases import assignment, kinds
from cases.lists import NOBODY, ORDERS
from cases.models import Queue
from cases.oversight import leading, team
from cases.oversight.forms import GivingForm, HandOverForm
from cases.paging import BadCursor, page_of
from cases.quality import services as quality
from cases.quality.models import LEAD_TEAM, SecondLook
from compliance import formats
from compliance.people.models import User
from compliance.people.requests import signed_in

QUALITY_DAYS = 90
PAGE = 50


@require_GET
@rule(LEAD_TEAM)
def overview(request: HttpRequest) -> HttpResponse:
    user, now = signed_in(request), timezone.now()
    teams = team.led_by(user)
    cases = team.cases_of(teams, user=user)
    looks = SecondLook.objects.visible_to(user).filter(case__queue__team__in=teams)
    breaches, at_risk, approvals = team.breaches(cases), team.at_risk(cases), team.approvals(cases)
    ages = team.ages(cases, now=now)
    _note(user, teams)
    context = {
        "teams": teams,
        "loads": team.loads(cases, teams, now=now),
        "ages": ages,
        "most": max((count for _words, count in ages), default=0) or 1,
        "breaches": breaches[: team.SHOWN],
        "breached": _up_to(breaches),
        "at_risk": at_risk[: team.SHOWN],
        "risky": _up_to(at_risk),
        "approvals": approvals[: team.SHOWN],
        "waiting": _up_to(approvals),
        "agreement": quality.agreement(looks, since=now - timedelta(days=QUALITY_DAYS)),
        "least": quality.LEAST,
        "days": QUALITY_DAYS,
        "disagreements": list(quality.disagreements(looks)[: team.SHOWN]),
        "counted": formats.COUNTED,
        "queue": reverse("cases:queue"),
        "nobody": NOBODY,
        "queues": [(each, kinds.lookup(each.kind).title, _giving_form(each)) for each in team.queues_of(teams)],
    }
    return render(request, "oversight/team.html", context)


@require_http_methods(["GET", "POST"])
@rule(LEAD_TEAM)
def person(request: HttpRequest, who: str) -> HttpResponse:
    """What one person of the team has, most urgent first, and handing it over. `who`: their id, or "nobody"."""
    user = signed_in(request)
    teams = team.led_by(user)
    cases = team.cases_of(teams, user=user)
    one = None if who == NOBODY else get_object_or_404(User, pk=_id(who))
    theirs = cases.filter(assignee=one)
    if one is not None and not one.memberships.filter(team__in=teams).exists() and not theirs.exists():
        raise Http404("nobody of this team")
    form = HandOverForm(request.POST or None, people=[each for each in team.takers(teams) if each != one])
    if request.method == "POST" and form.is_valid():
        moved = leading.hand_over(theirs, form.cleaned_data["numbers"], to=form.cleaned_data["to"], by=user)
        _tell(request, moved)
        return redirect("cases:team-person", who=who)
    order, query = ORDERS["due"], request.GET
    try:
        page = page_of(
            theirs.for_list(), order, size=PAGE, after=query.get("after", ""), before=query.get("before", "")
        )
    except BadCursor:
        return redirect("cases:team-person", who=who)
    _note(user, teams)
    context = {
        "one": one,
        "who": who,
        "rows": page.rows,
        "form": form,
        "newer_url": f"?before={page.newer}" if page.newer else "",
        "older_url": f"?after={page.older}" if page.older else "",
        "total": theirs.up_to(formats.COUNTED),
    }
    return render(request, "oversight/person.html", context, status=422 if form.errors else 200)


@require_POST
@rule(LEAD_TEAM)
def giving(request: HttpRequest, queue_id: UUID) -> HttpResponse:
    """Let a queue give its cases out by itself, or let people take the next one; of one's own teams only."""
    user = signed_in(request)
    queue = get_object_or_404(team.queues_of(team.led_by(user)), pk=queue_id)
    form = GivingForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a number from 1 to 500."))
    else:
        assignment.set_assignment(queue, by=user, **form.cleaned_data)
        messages.success(request, _("Saved."))
    return redirect(f"{reverse('cases:team')}#giving")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404("nobody") from None


def _giving_form(queue: Queue) -> GivingForm:
    said = {"gives_out": queue.gives_out, "most_each": queue.most_each}
    return GivingForm(initial=said, auto_id=f"{queue.pk}_%s")


def _up_to(rows: Any) -> int:
    """How many, counted no further than pages say."""
    found: int = rows.order_by().values("pk")[: formats.COUNTED + 1].count()
    return found


def _tell(request: HttpRequest, moved: leading.Moved) -> None:
    if count := len(moved.done):
        words = ngettext("%(count)s case handed over.", "%(count)s cases handed over.", count)
        messages.success(request, words % {"count": formats.number(count)})
    for number, why in moved.refused:
        messages.error(request, _("%(number)s stays: %(why)s") % {"number": number, "why": why})


def _note(user: Any, teams: Any) -> None:
    with transaction.atomic():
        record("quality.view_team", by=user, about=user, details={"teams": [each.slug for each in teams]})
