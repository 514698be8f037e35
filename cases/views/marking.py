"""Part of the page on which a case is restricted: the same of all the player's cases, and back (cases.marks)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases.handling_forms import LiftMarkForm, MarkForm, RestrictForm
from cases.marks import services
from cases.models import Case
from compliance.people.models import User
from compliance.people.requests import signed_in
from compliance.proposals.models import Proposal
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import AlreadyProposed, propose


def facts(case: Case, people: list[User], *, user: User) -> dict[str, Any]:
    """The player's mark, if one stands, and what may be done about it."""
    mark = services.standing(case.customer_id)
    if mark is None:
        return {"mark": None, "mark_form": MarkForm(people=people, prefix="mark")}
    waits = Proposal.objects.parked().filter(act=services.LIFT, subject_id=mark.pk).exists()
    named = User.objects.filter(pk__in=mark.named.values("user")).order_by("name", "email")
    lift = {"waits": waits, "need": services.need_of(mark), "lift_form": LiftMarkForm(prefix="lift")}
    return {"mark": mark, "named": named, **lift}


def answer(request: HttpRequest, case: Case, people: list[User]) -> HttpResponse:
    """Mark the player (`player` says mark), or have the mark lifted."""
    user = signed_in(request)
    found = services.standing(case.customer_id)
    lifts = request.POST["player"] == "lift" and found is not None
    asked: dict[str, Any] = {"data": request.POST, "prefix": "lift" if lifts else "mark"}
    form: Any = LiftMarkForm(**asked) if lifts else MarkForm(**asked, people=people)
    if form.is_valid():
        try:
            said = _lift(found, form, by=user) if lifts else _mark(case, form, people, by=user)
        except (ConditionsNotMet, AlreadyProposed) as unmet:
            form.add_error(None, getattr(unmet, "reasons", [str(unmet)]))
        else:
            messages.success(request, said)
            return redirect("cases:restrict", number=case.number)
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
    shown = facts(case, people, user=user) | {"lift_form" if lifts else "mark_form": form}
    shown |= {"case": case, "form": RestrictForm(people=people), "wrong": form}
    return render(request, "cases/restrict.html", shown, status=422)


def _mark(case: Case, form: MarkForm, people: list[User], *, by: User) -> str:
    chosen = [person for person in people if str(person.pk) in form.cleaned_data["people"]]
    services.mark(case, kind=form.cleaned_data["kind"], to=chosen, by=by)
    return _("Marked. For everybody else this player’s cases do not exist.")


def _lift(mark: Any, form: LiftMarkForm, *, by: User) -> str:
    try:
        services.lift(mark, by=by, reason=form.cleaned_data["reason"])
    except SecondPersonNeeded:
        propose(services.LIFT, mark, by=by, reason=form.cleaned_data["reason"])
        return _("Proposed. A colleague who sees these cases decides.")
    return _("Lifted. The team sees the player’s cases again.")
