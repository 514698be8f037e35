"""The API's keys, for administrators: whose they are, what they may do, until when, and when each was used last."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import rule, when_sent
from audit.perform import ConditionsNotMet
from audit.record import ObjectRef, record, record_refusal
from compliance.people.requests import signed_in
from compliance.platform import services
from compliance.platform.apikeys import asking
from compliance.platform.apikeys.forms import NewKeyForm, ReplaceForm
from compliance.platform.apikeys.letters import RIGHT, confirmed_by
from compliance.platform.models import ApiKey, KeyRequest
from compliance.proposals.models import State
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.views import LOOKS

MOST = 500


@require_GET
@rule(RIGHT)
def every_key(request: HttpRequest) -> HttpResponse:
    """What still works stands first, what ends next at the top."""
    works = Q(revoked_at=None, expires_at__gt=Now(), owner__is_active=True)
    keys = ApiKey.objects.select_related("owner", "licensee").annotate(works=Case(When(works, then=1), default=0))
    ends = Case(When(works=1, then=F("expires_at")))
    rows = list(keys.order_by("-works", ends.asc(nulls_last=True), "-expires_at", "prefix")[:MOST])
    with transaction.atomic():
        details = {"rows": len(rows)}
        record("platform.list_keys", by=signed_in(request), about=ObjectRef("list", "keys"), details=details)
    return render(request, "apikeys/keys.html", {"rows": rows, "waiting": asking.waiting()[:MOST]})


@require_http_methods(["GET", "POST"])
@rule(RIGHT, fresh=True)
def new(request: HttpRequest) -> HttpResponse:
    form = NewKeyForm(request.POST or None, issuer=signed_in(request))
    if request.method == "POST" and form.is_valid():
        try:
            return _issued_or_asked(request, form)
        except ConditionsNotMet as unmet:
            form.add_error(None, ValidationError(unmet.reasons))
    return render(request, "apikeys/new.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@rule(RIGHT)
def one_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = _key(key_id)
    with transaction.atomic():
        record("platform.list_keys", by=signed_in(request), about=key, details={"rows": 1})
    return _page(request, key, ReplaceForm(former=key))


@require_POST
@rule(RIGHT, fresh=True)
def replace(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """A new secret for the same use; the former works on for the hours that were chosen."""
    former, user = _key(key_id), signed_in(request)
    form = ReplaceForm(request.POST, former=former)
    own = former.human_id == user.human_id
    if own:
        record_refusal("platform.rotate_key", by=user, about=former, reason="same_person")
    if own or not form.is_valid():
        return _page(request, former, form, status=422)
    try:
        return _replaced_or_asked(request, former, form)
    except ConditionsNotMet as unmet:
        form.add_error(None, ValidationError(unmet.reasons))
        return _page(request, former, form, status=422)


@require_http_methods(["GET", "POST"])
@rule(RIGHT, fresh=when_sent)
def asked(request: HttpRequest, asked_id: UUID) -> HttpResponse:
    """How a request for a key stands; once confirmed, the secret, for whoever asked."""
    rows = KeyRequest.objects.select_related("owner", "licensee", "asked_by", "former", "key")
    found, refused = get_object_or_404(rows, pk=asked_id), []
    if request.method == "POST":
        try:
            key, secret = asking.take(found, by=signed_in(request))
        except ConditionsNotMet as unmet:
            refused = unmet.reasons
        else:
            former = _key(key.replaces.pk) if found.former_id else None
            return render(request, "apikeys/secret.html", {"key": key, "secret": secret, "former": former})
    with transaction.atomic():
        record("platform.list_keys", by=signed_in(request), about=found, details={"rows": 1})
    return _asked_page(request, found, refused)


@require_POST
@rule(RIGHT, fresh=True)
def revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = services.revoke_key(_key(key_id), by=signed_in(request))
    messages.success(request, _("The key is refused from now on."))
    return redirect("platform:keys:key", key.pk)


def _issued_or_asked(request: HttpRequest, form: NewKeyForm) -> HttpResponse:
    user = signed_in(request)
    try:
        key, secret = asking.issue(**form.facts(), by=user)
    except SecondPersonNeeded:
        return _now_waits(request, asking.ask(**form.facts(), **form.why(), by=user))
    return render(request, "apikeys/secret.html", {"key": key, "secret": secret})


def _replaced_or_asked(request: HttpRequest, former: ApiKey, form: ReplaceForm) -> HttpResponse:
    user = signed_in(request)
    try:
        key, secret = asking.replace(former, **form.facts(), by=user)
    except SecondPersonNeeded:
        return _now_waits(request, asking.ask_to_replace(former, **form.facts(), by=user))
    return render(request, "apikeys/secret.html", {"key": key, "secret": secret, "former": _key(former.pk)})


def _now_waits(request: HttpRequest, found: KeyRequest) -> HttpResponse:
    messages.success(request, _("Proposed. You can have the secret shown once another administrator confirmed it."))
    return redirect("platform:keys:asked", found.pk)


def _asked_page(request: HttpRequest, found: KeyRequest, refused: list[str]) -> HttpResponse:
    proposal, user = asking.proposal_of(found), signed_in(request)
    ready = asking.is_ready(found, proposal)
    context = {
        "asked": found,
        "facts": asking.facts_of(found),
        "proposal": proposal,
        "state": LOOKS.get(State(proposal.state), proposal.state) if proposal else "",
        "decides": proposal is not None and asking.may_see_proposal(found, user),
        "ready": ready and asking.may_take(found, user),
        "theirs": ready and not asking.may_take(found, user),
        "refused": refused,
    }
    return render(request, "apikeys/asked.html", context, status=422 if refused else 200)


def _page(request: HttpRequest, key: ApiKey, form: ReplaceForm, status: int = 200) -> HttpResponse:
    """Nobody gets the secret of a key that counts as themselves, neither at first nor when it is replaced."""
    replaceable, own = key.is_active and key.replaced_by is None, key.human_id == signed_in(request).human_id
    waits = asking.waiting().filter(former=key).first() if replaceable else None
    context = {"key": key, "form": form, "may_replace": replaceable and not own and waits is None, "waits": waits}
    context |= {"own": replaceable and own, "need": asking.need_of(key.licensee, key.scopes)}
    context |= {"confirmed_by": confirmed_by(key)}
    return render(request, "apikeys/key.html", context, status=status)


def _key(key_id: UUID) -> ApiKey:
    rows = ApiKey.objects.select_related("owner", "licensee", "created_by", "replaced_by", "replaces")
    found: ApiKey = get_object_or_404(rows, pk=key_id)
    return found
