"""The bell, the list of notices, and what each person chooses."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import Rule, rule
from cases.notices import choosing, services
from cases.notices.forms import PreferencesForm, TeamForm
from cases.notices.hours import NORMAL_HOURS
from cases.notices.models import TeamNotices
from compliance.formats import COUNTED
from compliance.people.access.sessions import session_ends
from compliance.people.requests import signed_in

SHOWN = 200


@rule(Rule.SIGNED_IN)
@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """Numbers of cases and kinds of events; what they are about is on the case."""
    rows = services.list_of(signed_in(request), limit=SHOWN)
    unread = [row for row in rows if row.read_at is None]
    read = [row for row in rows if row.read_at is not None]
    return render(request, "notices/list.html", {"unread": unread, "read": read})


@rule(Rule.SIGNED_IN)
@require_GET
def bell(request: HttpRequest) -> HttpResponse:
    """The bell alone, for the page that asks again every minute; whoever comes by its address gets the list."""
    if not request.headers.get("HX-Request"):
        return redirect("cases:notices")
    context = {"count": services.unread_count(signed_in(request), up_to=COUNTED), "ends": session_ends(request)}
    return render(request, "notices/_bell.html", context)


@rule(Rule.SIGNED_IN)
@require_POST
def mark(request: HttpRequest) -> HttpResponse:
    """Mark one, several or all as read; or those just marked as unread again."""
    read = request.POST.get("as") != "unread"
    ids = None if request.POST.get("all") else [each for text in request.POST.getlist("id") if (each := _uuid(text))]
    count = services.mark(signed_in(request), ids, read=read)
    said = ngettext("%(count)d marked as read.", "%(count)d marked as read.", count)
    if not read:
        said = ngettext("%(count)d is unread again.", "%(count)d are unread again.", count)
    messages.success(request, said % {"count": count} if count else _("Nothing was chosen."))
    return redirect("cases:notices")


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """The matrix. "Back to the defaults" forgets what was chosen."""
    user = signed_in(request)
    if request.method == "POST" and "defaults" in request.POST:
        choosing.choose(user, choosing.defaults_of(user), NORMAL_HOURS)
        messages.success(request, _("Back to the defaults."))
        return redirect("cases:notice-settings")
    form = PreferencesForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        choosing.choose(user, *form.chosen())
        messages.success(request, _("Saved. It follows you to every browser."))
        return redirect("cases:notice-settings")
    context = {"form": form, "teams": choosing.teams_led_by(user)}
    return render(request, "notices/settings.html", context, status=422 if form.errors else 200)


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def team_settings(request: HttpRequest, team: str) -> HttpResponse:
    """What a team is told of as long as its people choose nothing; for its managers."""
    user = signed_in(request)
    led = next((each for each in choosing.teams_led_by(user) if each.slug == team), None)
    if led is None:
        raise Http404("no such team")
    form = TeamForm(request.POST or None, row=TeamNotices.objects.filter(pk=led.pk).first())
    if request.method == "POST" and form.is_valid():
        choices, fixed = form.chosen()
        choosing.set_defaults(led, choices, fixed=fixed, by=user)
        messages.success(request, _("Saved for the team. What people chose themselves stays, but for what you fixed."))
        return redirect("cases:team-notices", team=team)
    return render(request, "notices/team.html", {"form": form, "team": led}, status=422 if form.errors else 200)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
