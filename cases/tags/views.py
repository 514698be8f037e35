"""The list of tags of a licensee."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.access import Rule, rule
from cases.models import Case
from cases.permissions import DECIDE
from cases.tags import services
from cases.tags.models import Tag
from compliance.people.requests import signed_in


@rule(Rule.SIGNED_IN)
@require_GET
def tags(request: HttpRequest) -> HttpResponse:
    """Everybody sees the words; who decides cases of the licensee keeps the list."""
    user = signed_in(request)
    licensees = list(services.licensees_of(user))
    keeps = set(services.licensees_of(user, DECIDE).values_list("pk", flat=True))
    seen = Q(tagged__case__in=Case.objects.visible_to(user).order_by().values("pk"))
    used = Count("tagged", filter=seen)  # a number must not tell of a hidden case
    rows = Tag.objects.filter(licensee__in=licensees).annotate(used=used).order_by("retired_at", "name")
    lists = [
        {"licensee": each, "keeps": each.pk in keeps, "tags": [row for row in rows if row.licensee_id == each.pk]}
        for each in licensees
    ]
    return render(request, "tags/list.html", {"lists": lists, "longest": services.LONGEST})


@rule(Rule.SIGNED_IN)
@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """`licensee` (its slug) and `name`."""
    user = signed_in(request)
    licensee = get_object_or_404(services.licensees_of(user), slug=request.POST.get("licensee", ""))
    try:
        services.make(licensee, request.POST.get("name", ""), by=user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Tag added."))
    return redirect("cases:tags")


@rule(Rule.SIGNED_IN)
@require_POST
def change(request: HttpRequest, tag_id: UUID) -> HttpResponse:
    """Retire a tag, or offer it again (`again`)."""
    user = signed_in(request)
    tag = get_object_or_404(Tag.objects.filter(licensee__in=services.licensees_of(user)), pk=tag_id)
    (services.offer if request.POST.get("again") else services.retire)(tag, by=user)
    return redirect("cases:tags")
