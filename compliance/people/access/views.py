"""Who works here: adding, roles, sessions, closing; what each role can do; the review of rights. No player data."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import Rule, rule
from audit.record import ObjectRef, record
from compliance.outbox.services import post
from compliance.people import staff
from compliance.people.access import factors, portrait, rights, sessions
from compliance.people.access.forms import GiveRoleForm, NewPersonForm
from compliance.people.access.letters import RESET
from compliance.people.access.models import FROM_DIRECTORY, End, Tenure
from compliance.people.models import Membership, User
from compliance.people.permissions import MANAGE_STAFF
from compliance.people.requests import signed_in
from compliance.people.roles import ROLES
from compliance.sheets import csv_response

VIEW_STAFF = "access.view_staff"
SHOWN = 500
HEAD = ("e-mail", "name", "team", "role", "since", "given by", "until", "reviewed at", "reviewed by", "last seen")


def _takes_a_file(request: HttpRequest) -> bool:
    return request.GET.get("as") == "csv"


@require_GET
@rule(VIEW_STAFF, fresh=_takes_a_file)
def people(request: HttpRequest) -> HttpResponseBase:
    """Everybody with a sign-in, and their roles; `as=csv` is the same with each role on a line of its own, and each key
    and named case."""
    if _takes_a_file(request):
        return _as_csv(request)
    memberships = Membership.objects.select_related("team", "tenure").order_by("team__name", "role")
    rows = User.objects.annotate(seen=Max("sessions__seen_at")).order_by("-is_active", "name")
    rows = rows.prefetch_related(Prefetch("memberships", memberships))[:SHOWN]
    shown = [{"user": user, "roles": [(ROLES.get(one.role), one) for one in user.memberships.all()]} for user in rows]
    with transaction.atomic():
        about = ObjectRef("list", "staff")
        record("access.list_staff", by=signed_in(request), about=about, details={"rows": len(shown)})
    context = {"rows": shown, "may_add": request.user.has_perm(MANAGE_STAFF), "to_review": _review_count(request)}
    return render(request, "staff/people.html", context)


@require_http_methods(["GET", "POST"])
@rule(MANAGE_STAFF, fresh=True)
def add(request: HttpRequest) -> HttpResponse:
    """A new sign-in. The person gets a link to set a password; until then nobody signs in with it."""
    form = NewPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                user = staff.create_user(by=signed_in(request), **form.cleaned_data)
                post(RESET, payload={"user_id": user.pk})
        except ValidationError as wrong:
            form.add_error(None, wrong)
        else:
            messages.success(request, _("Added. A link to set a password is on its way."))
            return redirect("staff:person", user.pk)
    return render(request, "staff/add.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@rule(VIEW_STAFF)
def person(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """What somebody can do: roles, rights in words and the pages they open, sessions. Looking is an entry."""
    user = get_object_or_404(User, pk=user_id)
    with transaction.atomic():
        record("access.view_staff", by=signed_in(request), about=user)
    return _person(request, user, GiveRoleForm(givable=_givable(request, user)))


@require_POST
@rule(VIEW_STAFF, fresh=True)
def give(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Give a role. Who may give which is asked by the act: the AML side's are the reporting officer's."""
    user = get_object_or_404(User, pk=user_id, is_active=True)
    form = GiveRoleForm(request.POST, givable=_givable(request, user))
    if form.is_valid():
        given = form.cleaned_data
        try:
            staff.join(user, given["team"], given["role"], by=signed_in(request), until=given["until"])
        except ValidationError as wrong:
            form.add_error(None, wrong)
        else:
            messages.success(request, _("Given."))
            return redirect("staff:person", user.pk)
    return _person(request, user, form, status=422)


@require_POST
@rule(VIEW_STAFF, fresh=True)
def take(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """Take a role."""
    membership = _membership(membership_id)
    comes_back = Tenure.objects.filter(membership=membership, given_by=FROM_DIRECTORY).exists()
    staff.leave(membership.user, membership.team, membership.role, by=signed_in(request))
    messages.success(request, _("Taken."))
    if comes_back:
        told = _("The directory gave this role. Take the person out of the group there, or they get it back.")
        messages.info(request, told)
    if request.POST.get("from") == "review":
        return redirect("staff:review")
    return redirect("staff:person", membership.user_id)


@require_POST
@rule(MANAGE_STAFF, fresh=True)
def close(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Close a sign-in with all that hangs on it. Not one's own."""
    user = get_object_or_404(User, pk=user_id)
    if user.human_id == signed_in(request).human_id:
        messages.error(request, _("Somebody else closes yours."))
    else:
        staff.deactivate_user(user, by=signed_in(request))
        messages.success(request, _("Closed. Sessions and keys of this sign-in work no more."))
    return redirect("staff:person", user.pk)


@require_POST
@rule(MANAGE_STAFF, fresh=True)
def reopen(request: HttpRequest, user_id: UUID) -> HttpResponse:
    user = get_object_or_404(User, pk=user_id)
    staff.reactivate_user(user, by=signed_in(request))
    messages.success(request, _("Open again, without any role."))
    return redirect("staff:person", user.pk)


@require_POST
@rule(MANAGE_STAFF, fresh=True)
def end_sessions(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """End every session of somebody, such as after a lost phone."""
    user = get_object_or_404(User, pk=user_id)
    sessions.end_all(user, by=signed_in(request), why=End.REVOKED)
    messages.success(request, _("All sessions of this sign-in are over."))
    return redirect("staff:person", user.pk)


@require_GET
@rule(Rule.SIGNED_IN)
def roles(request: HttpRequest) -> HttpResponse:
    """Every role, in its own words."""
    return render(request, "staff/roles.html", {"roles": list(ROLES.values())})


@require_GET
@rule(Rule.SIGNED_IN)
def role(request: HttpRequest, name: str) -> HttpResponse:
    """What this role can do, made from the code: rights, pages, limits, what it is kept apart from."""
    if name not in ROLES:
        raise Http404("no such role")
    members = None
    if request.user.has_perm(VIEW_STAFF):
        members = Membership.objects.filter(role=name).select_related("user", "team").order_by("user__name")
    return render(request, "staff/role.html", {"portrait": portrait.of_role(ROLES[name]), "members": members})


@require_GET
@rule(VIEW_STAFF)
def review(request: HttpRequest) -> HttpResponse:
    """Roles that nobody looked at for long, each to be kept or taken."""
    user = signed_in(request)
    rows = [{"one": one, "role": ROLES.get(one.role), "may": _may_give(user, one)} for one in rights.to_review(by=user)]
    context = {"rows": rows, "findings": rights.findings(), "held": rights.held()}
    return render(request, "staff/review.html", context)


@require_POST
@rule(VIEW_STAFF, fresh=True)
def keep(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """Somebody still needs this role."""
    rights.keep(_membership(membership_id), by=signed_in(request))
    messages.success(request, _("Noted."))
    return redirect("staff:review")


def _person(request: HttpRequest, user: User, form: GiveRoleForm, *, status: int = 200) -> HttpResponse:
    me = signed_in(request)
    memberships = user.memberships.select_related("team", "tenure").order_by("team__name", "role")
    context = {
        "person": user,
        "roles": [{"one": one, "role": ROLES.get(one.role), "may": _may_give(me, one)} for one in memberships],
        "rights": portrait.of_person(user),
        "sessions": sessions.of(user),
        "has_factor": factors.has_one(user),
        "is_emergency": hasattr(user, "emergency"),
        "form": form if user.is_active and form.fields["role"].choices else None,  # type: ignore[attr-defined]
        "may_manage": me.has_perm(MANAGE_STAFF) and me.human_id != user.human_id,
        "myself": me.human_id == user.human_id,
    }
    return render(request, "staff/person.html", context, status=status)


def _givable(request: HttpRequest, user: User) -> list[str]:
    """Names of the roles that the viewer may give to this person; the act asks again."""
    me = signed_in(request)
    if me.human_id == user.human_id:
        return []
    everyday, aml = me.has_perm(MANAGE_STAFF), me.has_perm(rights.GRANT_AML)
    return [name for name, known in ROLES.items() if name != "integration" and (aml if known.aml else everyday)]


def _may_give(me: User, membership: Membership) -> bool:
    known = ROLES.get(membership.role)
    right = rights.GRANT_AML if known and known.aml else MANAGE_STAFF
    return me.has_perm(right) and me.human_id != membership.user.human_id


def _membership(membership_id: UUID) -> Any:
    return get_object_or_404(Membership.objects.select_related("user", "team"), pk=membership_id)


def _review_count(request: HttpRequest) -> int:
    return int(rights.to_review(by=signed_in(request)).count())


def _as_csv(request: HttpRequest) -> HttpResponseBase:
    rows = Membership.objects.select_related("user", "team", "tenure__reviewed_by")
    rows = rows.annotate(seen=Max("user__sessions__seen_at")).order_by("user__email", "team__slug", "role")
    lines = [_line(one) for one in rows] + [_held_line(one) for one in rights.held()]
    with transaction.atomic():
        about = ObjectRef("list", "staff")
        record("access.export_review", by=signed_in(request), about=about, details={"rows": len(lines)})
    return csv_response(f"roles-{timezone.localdate()}.csv", HEAD, lines)


def _held_line(one: rights.Held) -> tuple[object, ...]:
    """What somebody holds beside their roles, under the same head: nobody reviews it by itself."""
    with override("en"):  # a file for auditors reads the same whoever takes it
        role = f"{one.kind} {one.what}"
    given = (one.since, one.given_by, one.until, None, None)
    return (one.user.email, one.user.name, one.where, role, *given, one.seen)


def _line(one: Any) -> tuple[object, ...]:
    tenure = getattr(one, "tenure", None)
    given = (tenure.since, tenure.given_by, tenure.until, tenure.reviewed_at) if tenure else (None,) * 4
    reviewer = tenure.reviewed_by.email if tenure and tenure.reviewed_by else None
    return (one.user.email, one.user.name, one.team.slug, one.role, *given, reviewer, one.seen)
