"""What two persons decide: a return, an annulment, and that somebody is not whom they resemble.

Each is parked with what it rests on; changed evidence voids it. The database asks for the same two persons once more
(compliance/people/exclusions/migrations/0002_nobody_alone.py), so no other path leads there.
"""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.perform import ConditionsNotMet, Denied
from audit.record import record_refusal
from cases.permissions import DECIDE, VIEW, WORK, granted
from cases.types.gaming import services
from cases.types.gaming.models import GamingRequest
from cases.types.gaming.registers.services import has_let_go
from compliance import formats
from compliance.people import restrictions
from compliance.people.exclusions import services as exclusions
from compliance.people.exclusions.models import LIVE, AskedBy, Duplicate, Exclusion
from compliance.people.exclusions.terms import needed, value
from compliance.people.models import Customer, Licensee
from compliance.policy import Policy
from compliance.policy.schema import Need
from compliance.proposals import acts
from compliance.proposals.queries import require_second_person
from compliance.rulebook.queries import policy_at, policy_of

ACCEPT, ANNUL, CLEAR = "gaming.accept_return", "gaming.annul", "gaming.clear_duplicate"
ALLOW = "gaming.allow_marketing"
Words = str | Promise

REASONS: dict[str, dict[str, Words]] = {
    ACCEPT: {
        "player_asked": _("The player asked, and nothing speaks against it"),
    },
    ANNUL: {
        "wrong_person": _("Another person was meant; the evidence is in the case"),
    },
    CLEAR: {
        "another_person": _("It is another person; the papers show it"),
    },
    # Nobody but the player can want it: there is no other reason.
    ALLOW: {
        "asked_in_writing": _("The player asked for it in writing"),
        "asked_by_phone": _("The player asked for it by phone, and was checked"),
        "asked_online": _("The player asked for it on the site"),
    },
}
TITLES: dict[str, Words] = {
    ACCEPT: _("Accept the return"),
    ANNUL: _("Annul the exclusion"),
    CLEAR: _("Clear the player"),
    ALLOW: _("Allow marketing again"),
}
CONSEQUENCES: dict[str, Words] = {
    ACCEPT: _("The time to reflect begins. Nothing is allowed before the player confirms after it."),
    ANNUL: _("Play, deposits and marketing are allowed again at once. Only for the wrong person."),
    CLEAR: _("Play and deposits are allowed again at once."),
    ALLOW: _("Marketing is allowed again at once. Only when the player asks for it without being asked."),
}


def accept_return(
    exclusion: Exclusion, *, by: Any, reason: str, proposal: str | None = None, maker: str | None = None
) -> Exclusion:
    """Runs when a second officer confirms. Where a register decides, it must have let the player go."""
    require_second_person(ACCEPT, exclusion, proposal=proposal)
    if unmet := unmet_return(exclusion):
        raise ConditionsNotMet(unmet)
    policy = policy_at(exclusion.policy_version)
    done = exclusions.accept_return(exclusion, policy=policy, by=by, **_about(proposal, maker))
    services.decided(done, by=by)
    return done


def annul(
    exclusion: Exclusion, *, by: Any, reason: str, proposal: str | None = None, maker: str | None = None
) -> Exclusion:
    require_second_person(ANNUL, exclusion, proposal=proposal)
    return exclusions.annul(exclusion, by=by, reason=reason, **_about(proposal, maker))


def clear_duplicate(
    duplicate: Duplicate, *, by: Any, reason: str, proposal: str | None = None, maker: str | None = None
) -> Duplicate:
    require_second_person(CLEAR, duplicate, proposal=proposal)
    return exclusions.clear_duplicate(duplicate, by=by, reason=reason, **_about(proposal, maker))


@transaction.atomic
def allow_marketing(
    exclusion: Exclusion, *, by: Any, reason: str, proposal: str | None = None, maker: str | None = None
) -> Exclusion:
    """The player wants marketing again, after the exclusion ended and where the rule lets them ask."""
    require_second_person(ALLOW, exclusion, proposal=proposal)
    fresh = _exclusion(exclusion.pk)
    if not may(fresh, by, DECIDE):
        record_refusal("people.lift_restriction", by=by, about=fresh, reason="no_right")
        raise Denied("no_right")
    if reason not in REASONS[ALLOW]:
        raise ConditionsNotMet([str(_("Choose a reason."))])
    if unmet := unmet_marketing(fresh):
        raise ConditionsNotMet(unmet)
    for row in exclusions.marketing_off(fresh).order_by("starts_at", "pk"):
        restrictions.lift(row, by=by, reason=reason, matter=fresh.matter or None, **_about(proposal, maker))
    return fresh


def unmet_marketing(exclusion: Exclusion) -> list[str]:
    """Why marketing stays off, in words. Silence of a rule keeps it off."""
    if Exclusion.objects.of(exclusion.person_id).exists():
        return [str(_("The player is kept out of play."))]
    if not exclusions.marketing_off(exclusion).exists():
        return [str(_("Marketing is not off because of an exclusion."))]
    versions = [policy_at(exclusion.policy_version), *map(_today, _licensees(exclusion))]
    if any(value(one.exclusions, "marketing_after") != "opt_in" for one in versions):
        return [str(_("The rules here let nobody receive marketing after an exclusion, or say nothing of it."))]
    return []


def _licensees(exclusion: Exclusion) -> Any:
    """Those whose marketing would reach the player again."""
    reached = restrictions.accounts_reached(exclusion.restriction).filter(released_at=None)
    return Licensee.objects.filter(pk__in=reached.values("licensee_id")).order_by("pk")


def _today(licensee: Licensee) -> Policy:
    return policy_of(licensee, on=licensee.today())


def _need_of_marketing(exclusion: Exclusion, **inputs: Any) -> Need:
    how = "third_party" if exclusion.asked_by == AskedBy.THIRD_PARTY else "for_a_term"
    how = "without_end" if exclusion.term_ends_at is None else how
    return _today(exclusion.licensee).need_two(ALLOW, exclusion=how)


def _about(proposal: str | None, maker: str | None) -> dict[str, str]:
    return {name: said for name, said in (("proposal", proposal), ("maker", maker)) if said}


def unmet_return(exclusion: Exclusion) -> list[str]:
    if exclusion.state != Exclusion.State.RETURN_REQUESTED:
        return [str(_("The player has not asked to return."))]
    rules = policy_at(exclusion.policy_version).exclusions
    if needed(rules, "ends") == "by_register" and not has_let_go(exclusion):
        return [str(_("The register decides: forward the request, and ask the register again when it answered."))]
    return []


# ------------------------------------------------------------------------------------------ what a second person sees
def _cases(user: Any, permission: str) -> Any:
    return GamingRequest.objects.allowed_to(user, permission)


def _customers(user: Any, permission: str) -> Any:
    return _cases(user, permission).order_by().values("customer_id")


def may(subject: Any, user: Any, permission: str) -> bool:
    """Through any request about play of this player's; a player stopped as a duplicate has the queue's own grant."""
    if isinstance(subject, Duplicate):
        return _may_on_licensee(subject.customer, user, permission)
    customers = Customer.objects.filter(person_id=subject.person_id).values("pk")
    return bool(_cases(user, permission).filter(customer_id__in=customers).exists())


def _may_on_licensee(customer: Customer, user: Any, permission: str) -> bool:
    model: Any = GamingRequest._meta.get_field("queue").related_model
    return bool(granted_on(user, permission, model).filter(licensee_id=customer.licensee_id, kind="gaming").exists())


def granted_on(user: Any, permission: str, model: Any) -> Any:
    return granted(user, permission, model) if user.is_active else model.objects.none()


def _exclusion(pk: UUID) -> Exclusion:
    rows = Exclusion.objects.select_for_update(of=("self",)).select_related("customer__licensee", "licensee")
    return rows.get(pk=pk)


def _duplicate(pk: UUID) -> Duplicate:
    rows = Duplicate.objects.select_for_update(of=("self",)).select_related("customer__licensee", "restriction")
    return rows.get(pk=pk)


def _digest(subject: Any) -> bytes:
    names = ["pk", "state", "return_asked_at", "restriction_id", "customer_id", "ends_at"]
    if isinstance(subject, Duplicate):
        names.append("by")
    return hashlib.sha256(repr([str(getattr(subject, name, "")) for name in names]).encode()).digest()


def _facts(subject: Any) -> list[tuple[Words, Words]]:
    if isinstance(subject, Duplicate):
        return [(_("Agrees"), formats.listed([str(AGREES[what]) for what in subject.by]))]
    rows: list[tuple[Words, Words]] = [
        (_("Kind"), subject.get_kind_display()),
        (_("Since"), formats.full_moment(subject.starts_at)),
    ]
    if subject.term_ends_at:
        rows.append((_("Term"), formats.full_moment(subject.term_ends_at)))
    if subject.return_asked_at:
        rows.append((_("Return asked for"), formats.full_moment(subject.return_asked_at)))
    return rows


AGREES: dict[str, Words] = {
    "national_id": _("National id"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "name_birth": _("Name and date of birth"),
    "device": _("Device"),
    "payment_instrument": _("Payment method"),
    "document": _("The same file"),
}


def _need(act: str) -> Callable[..., Need]:
    def need(subject: Any, **inputs: Any) -> Need:
        """Two, whatever a policy says: no rule of an operator makes one person enough for this."""
        version = getattr(subject, "policy_version", "")
        return Need(True, str(_("Ending a protection early is decided by two persons.")), f"OP.{act.upper()}", version)

    return need


def _visible_exclusions(user: Any) -> Any:
    people = Customer.objects.filter(pk__in=_customers(user, DECIDE)).values("person_id")
    return Exclusion.objects.filter(person_id__in=people).values_list("pk", flat=True)


def _visible_duplicates(user: Any) -> Any:
    model: Any = GamingRequest._meta.get_field("queue").related_model
    licensees = granted_on(user, DECIDE, model).filter(kind="gaming").values("licensee_id")
    return Duplicate.objects.filter(customer__licensee_id__in=licensees).values_list("pk", flat=True)


def _url(subject: Any, user: Any) -> str:
    customers = [subject.customer_id]
    case = _cases(user, VIEW).filter(customer_id__in=customers).order_by("-opened_at", "pk").first()
    return reverse("cases:case", args=[case.number]) if case else reverse("proposals:list")


def _unmet_annul(exclusion: Exclusion) -> list[str]:
    return [] if exclusion.state in LIVE else [str(_("It ended already."))]


def _unmet_clear(duplicate: Duplicate) -> list[str]:
    return [] if duplicate.state == "open" else [str(_("This was decided already."))]


def _act(
    name: str,
    run: Callable[..., Any],
    load: Callable[[UUID], Any],
    unmet: Callable[[Any], list[str]],
    visible: Any,
    need: Callable[..., Need] | None = None,
) -> acts.Act:
    return acts.Act(
        name=name,
        title=TITLES[name],
        run=run,
        load=load,
        digest=_digest,
        may_propose=lambda subject, user: may(subject, user, WORK),
        may_confirm=lambda subject, user: may(subject, user, DECIDE),
        sees=lambda subject, user: may(subject, user, VIEW),
        visible=visible,
        need=need or _need(name),
        unmet=unmet,
        facts=_facts,
        reason_text=lambda code: REASONS[name].get(code, code),
        consequence=lambda subject: CONSEQUENCES[name],
        subject_url=lambda subject: reverse("proposals:list"),
        url_for=_url,
    )


acts.register(
    _act(ACCEPT, accept_return, _exclusion, unmet_return, _visible_exclusions),
    _act(ANNUL, annul, _exclusion, _unmet_annul, _visible_exclusions),
    _act(CLEAR, clear_duplicate, _duplicate, _unmet_clear, _visible_duplicates),
    _act(ALLOW, allow_marketing, _exclusion, unmet_marketing, _visible_exclusions, _need_of_marketing),
)
