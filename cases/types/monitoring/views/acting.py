"""What the compartment does: each button of an investigation's page is one act."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from cases.types.monitoring import acts, basket, freezes, merging, requests, services, worklist
from cases.types.monitoring.forms import (
    EndForm,
    FileForm,
    FreezeForm,
    JudgeForm,
    LiftForm,
    MergeForm,
    NoteForm,
    SinceForm,
    first_moment,
)
from cases.types.monitoring.models import Exhibit, Freeze, Investigation
from cases.types.monitoring.views.files import takes_a_file
from cases.types.monitoring.views.pages import of_the_compartment, page_of
from compliance.people.models import User
from compliance.people.requests import signed_in
from compliance.proposals.services import propose

Acting = Callable[[Investigation, User, HttpRequest], Any]


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@takes_a_file
@require_POST
def put_file_in(request: HttpRequest, number: str) -> HttpResponse:
    return _acted(request, number, "put-file-in")


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_POST
def act(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """One of ACTS. What is missing is said on the page, and nothing typed is lost."""
    return _acted(request, number, verb)


def _acted(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    me = signed_in(request)
    found = worklist.get(number, user=me)
    if verb not in ACTS:
        raise Http404("no such act")
    try:
        ACTS[verb](found, me, request)
    except ConditionsNotMet as unmet:
        fresh = worklist.get(number, user=me)
        context = page_of(fresh, me) | {"unmet": unmet.reasons, "typed": request.POST.dict()}
        return render(request, "monitoring/investigation.html", context, status=422)
    return redirect("cases:aml-investigation", found.number)


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, number: str) -> HttpResponse:
    """Propose how it ends: a second person of the compartment confirms."""
    me = signed_in(request)
    found = worklist.get(number, user=me)
    form = EndForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = {"outcome": form.outcome, "words": form.cleaned_data["words"]}
        try:
            propose(acts.END, found, by=me, reason=form.reason, **given)
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            messages.success(request, _("Submitted. Another person has to confirm it; until then nothing changes."))
            return redirect("cases:aml-investigation", number)
    return render(request, "monitoring/end.html", {"found": found, "form": form}, status=422 if form.errors else 200)


@rule(Rule.SIGNED_IN, fresh=of_the_compartment)
@require_http_methods(["GET", "POST"])
def lift(request: HttpRequest, number: str, freeze_id: UUID) -> HttpResponse:
    """Propose that withdrawals go on: a second person confirms."""
    me = signed_in(request)
    found = worklist.get(number, user=me)
    freeze = get_object_or_404(Freeze, pk=freeze_id, investigation__in=services.whole(found))
    form = LiftForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            propose(acts.LIFT, freeze, by=me, reason=form.cleaned_data["reason"], note=form.cleaned_data["note"])
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            messages.success(request, _("Submitted. Another person has to confirm it; until then nothing changes."))
            return redirect("cases:aml-investigation", number)
    context = {"found": found, "freeze": freeze, "form": form}
    return render(request, "monitoring/lift.html", context, status=422 if form.errors else 200)


def _filled(form: Any) -> Any:
    """The form, when it is in order; else ConditionsNotMet with what is wrong, field by field."""
    if not form.is_valid():
        wrong = [f"{form.fields[name].label}: {text}" for name, texts in form.errors.items() for text in texts]
        raise ConditionsNotMet(wrong)
    return form


def _judge(found: Investigation, me: User, request: HttpRequest) -> Any:
    given = _filled(JudgeForm(request.POST)).cleaned_data
    code = request.POST.get("code", "")
    return services.judge(found, code, verdict=given["verdict"], words=given["words"], by=me)


def _since(found: Investigation, me: User, request: HttpRequest) -> Any:
    form = _filled(SinceForm(request.POST))
    return services.suspect(found, at=first_moment(found.customer, form), by=me)


@transaction.atomic
def _put_in(found: Investigation, me: User, request: HttpRequest) -> Any:
    """One or several, all of them or none."""
    for what in request.POST.getlist("what")[: basket.MOST_OFFERED] or [""]:
        kind, _dash, source_id = what.partition("/")
        basket.put_in(found, kind, _uuid(source_id), by=me)


def _put_file_in(found: Investigation, me: User, request: HttpRequest) -> Any:
    file = _filled(FileForm(request.POST, request.FILES)).cleaned_data["file"]
    return basket.put_file_in(found, name=file.name, data=file.read(), by=me)


def _take_out(found: Investigation, me: User, request: HttpRequest) -> Any:
    ids = services.whole(found)
    row = get_object_or_404(Exhibit, pk=_uuid(request.POST.get("exhibit", "")), investigation__in=ids)
    return basket.take_out(row, by=me)


def _second(found: Investigation, me: User, request: HttpRequest) -> Any:
    ids = services.whole(found)
    freeze = get_object_or_404(Freeze, pk=_uuid(request.POST.get("freeze", "")), investigation__in=ids)
    return freezes.second(freeze, by=me)


def _merge(found: Investigation, me: User, request: HttpRequest) -> Any:
    number = _filled(MergeForm(request.POST)).cleaned_data["number"].strip().upper()
    other = Investigation.objects.visible_to(me).filter(number=number).first()
    if other is None:
        raise ConditionsNotMet([_("There is no investigation of this number.")])
    return merging.merge(found, into=other, by=me)


def _freeze(found: Investigation, me: User, request: HttpRequest) -> Any:
    return freezes.place(found, by=me, reason=_filled(FreezeForm(request.POST)).cleaned_data["reason"])


def _back(found: Investigation, me: User, request: HttpRequest) -> Any:
    return services.return_to_analyst(found, by=me, note=_filled(NoteForm(request.POST)).cleaned_data["text"])


def _note(found: Investigation, me: User, request: HttpRequest) -> Any:
    return services.write(found, _filled(NoteForm(request.POST)).cleaned_data["text"], by=me)


def _assign(found: Investigation, me: User, request: HttpRequest) -> Any:
    return services.assign(found, to=me, by=me)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ConditionsNotMet([_("Choose one.")]) from None


ACTS: Mapping[str, Acting] = {
    "take-up": lambda found, me, request: services.take_up(found, by=me),
    "take-over": _assign,
    "wait": lambda found, me, request: services.wait(found, by=me),
    "resume": lambda found, me, request: services.resume(found, by=me),
    "hand-over": lambda found, me, request: services.hand_over(found, by=me),
    "return": _back,
    "reopen": lambda found, me, request: services.reopen(found, by=me),
    "since": _since,
    "urgent": lambda found, me, request: services.mark_urgent(found, urgent=True, by=me),
    "not-urgent": lambda found, me, request: services.mark_urgent(found, urgent=False, by=me),
    "judge": _judge,
    "note": _note,
    "put-in": _put_in,
    "put-file-in": _put_file_in,
    "take-out": _take_out,
    "ask": lambda found, me, request: requests.ask(found, by=me),
    "freeze": _freeze,
    "second": _second,
    "merge": _merge,
    "unmerge": lambda found, me, request: merging.unmerge(found, by=me),
}
