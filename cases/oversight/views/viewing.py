"""What somebody else sees: their menu with its counts, and their rights. No content, no player; never the AML side."""

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from audit.access import rule
from audit.record import record
from cases.shell import sections_of
from compliance.people.access import portrait
from compliance.people.models import User
from compliance.people.permissions import on_the_aml_side
from compliance.people.requests import signed_in


@require_GET
@rule("access.view_staff")
def view_as(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """The viewer keeps their own rights: nothing can be opened or done from here. Looking is an entry."""
    person = get_object_or_404(User, pk=user_id)
    with transaction.atomic():
        record("access.view_as", by=signed_in(request), about=person)
    shown = person.is_active and not on_the_aml_side(person)
    context = {"person": person, "apart": person.is_active and not shown}
    if shown:
        context |= {"sections": sections_of(person), "rights": portrait.of_person(person)}
    return render(request, "staff/view_as.html", context)
