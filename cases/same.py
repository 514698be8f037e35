"""Linking two players as one person, and undoing it: heavy acts, two persons each. Registered with the proposals."""

import hashlib
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from audit.perform import Denied
from audit.record import record_refusal
from cases import kinds
from cases.models import Case
from cases.permissions import DECIDE, VIEW, WORK
from compliance.people.models import Customer
from compliance.people.sameness import services
from compliance.people.sameness.models import Link
from compliance.policy import Need
from compliance.proposals import acts
from compliance.proposals.queries import require_second_person
from compliance.rulebook.queries import policy_of

JOIN, PART, DISMISS = "sameness.join", "sameness.part", "dismiss"
NAMES: dict[str, Any] = {
    "national_id": _("national id number"),
    "email": _("e-mail"),
    "phone": _("phone"),
    "device": _("device"),
    "payment_instrument": _("payment method"),
    "document": _("the same file"),
    "name_birth": _("name and date of birth"),
}
REASONS: dict[str, Any] = {
    "same_papers": _("The papers show one person"),
    "player_said": _("The player said so"),
    "relative": _("A relative or somebody of the same household"),
    "mistaken": _("It was a mistake"),
}


def words(agrees_in: list[str]) -> str:
    return ", ".join(str(NAMES.get(what, what)) for what in agrees_in)


def both_allowed(link: Link, user: Any, permission: str) -> bool:
    """Whoever decides on a pair may do so on both: one of the two alone tells nobody of the other."""
    allowed = Case.objects.allowed_to(user, permission)
    return all(allowed.filter(customer_id=pk).exists() for pk in (link.first_id, link.second_id))


def _load(pk: Any) -> Link:
    rows = Link.objects.select_for_update(of=("self",)).select_related("first__licensee", "second__licensee")
    return rows.get(pk=pk)


def _digest(link: Link) -> bytes:
    return hashlib.sha256(b"same/1" + repr((link.state, sorted(link.agrees_in))).encode()).digest()


def _need(act: str) -> Any:
    def need(link: Link, **inputs: Any) -> Need:
        return policy_of(link.first.licensee, on=link.first.licensee.today()).need_two(act)

    return need


def join(link: Link, *, by: Any, reason: str, proposal: str | None = None, maker: str | None = None) -> Link:
    require_second_person(JOIN, link, proposal=proposal)
    return services.join(link, by=by, reason=reason, proposal=proposal or "", maker=maker or "")


def part(link: Link, *, by: Any, reason: str, proposal: str | None = None, maker: str | None = None) -> Link:
    require_second_person(PART, link, proposal=proposal)
    return services.part(link, by=by, reason=reason, proposal=proposal or "", maker=maker or "")


def dismiss(link: Link, *, by: Any, reason: str) -> Link:
    """Whoever decides on both says that they are two persons. Links nobody and lets nobody go."""
    if not both_allowed(link, by, DECIDE):
        record_refusal("sameness.dismiss", by=by, about=link, reason="no_right")
        raise Denied("no_right")
    return services.dismiss(link, by=by, reason=reason)


def reference_of(customer: Customer) -> str:
    return str(customer.accounts.order_by("created_at").values_list("reference", flat=True).first() or "")


def _facts(link: Link) -> list[tuple[Any, Any]]:
    players = f"{reference_of(link.first)} · {reference_of(link.second)}"
    return [(_("Players"), players), (_("They agree in"), words(link.agrees_in))]


def _visible(user: Any) -> Any:
    mine = Case.objects.allowed_to(user, DECIDE).values("customer_id")
    return Link.objects.filter(first__in=mine, second__in=mine).values_list("pk", flat=True)


def _page(link: Link, user: Any) -> str:
    """Of the newest case that this person sees: another's number would tell that there is one."""
    seen = Case.objects.visible_to(user).filter(customer_id=link.first_id, kind__in=kinds.everyday())
    newest = seen.order_by("-opened_at").first()
    return reverse("cases:same", kwargs={"number": newest.number}) if newest else reverse("proposals:list")


def _act(name: str, run: Any, title: Any, consequence: Any) -> acts.Act:
    return acts.Act(
        name=name,
        title=title,
        run=run,
        load=_load,
        digest=_digest,
        may_propose=lambda link, user: both_allowed(link, user, WORK),
        may_confirm=lambda link, user: both_allowed(link, user, DECIDE),
        sees=lambda link, user: both_allowed(link, user, VIEW),
        visible=_visible,
        need=_need(name),
        facts=_facts,
        reason_text=lambda code: REASONS.get(code, code),
        consequence=lambda link, **inputs: consequence,
        subject_url=lambda link: reverse("proposals:list"),
        url_for=_page,
    )


acts.register(
    _act(
        JOIN,
        join,
        _("Link two players as one person"),
        _("What restricts one of them restricts the other, now and later. Both are marked as having a second account."),
    ),
    _act(
        PART,
        part,
        _("Undo the link of two players"),
        _("They are two persons again. Nothing that was stopped is allowed by it: that is lifted on its own."),
    ),
)
