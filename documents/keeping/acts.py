"""The two acts here that two persons decide: erasing a customer, lifting a hold."""

import hashlib
import json
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance.people.models import Customer
from compliance.people.permissions import has_right
from compliance.policy.schema import Need
from compliance.proposals import acts
from compliance.rulebook.queries import policy_of
from documents.keeping import erasure, holds
from documents.keeping.models import LegalHold
from documents.keeping.standing import erased_words, is_erased, may_be_shredded, standing_of
from documents.models import Document

ERASE, HOLD = "keeping.erase_customer", holds.HOLD

REASONS: dict[str, str | Promise] = {
    "erasure_request": _("The player asked for erasure"),
    "period_over": _("The period is over"),
    "no_longer_needed": _("The hold is no longer needed"),
}


def _need(act: str, customer: Customer) -> Need:
    licensee = customer.licensee
    return policy_of(licensee, on=licensee.today()).need_two(act)


# ------------------------------------------------------------------------------------------------ erasing a customer
def _load_customer(pk: Any) -> Customer:
    found: Customer = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=pk)
    return found


def _seen(customer: Customer) -> dict[str, str]:
    """What the decision rests on. The day itself is not in it: waiting changes nothing but what is due."""
    standing = standing_of(customer).as_dict()
    return {name: str(standing[name]) for name in ("outcome", "ended_on", "last_record_on", "rule", "policy")}


def _unmet(customer: Customer, **inputs: Any) -> list[str]:
    return [erased_words()] if is_erased(customer) else may_be_shredded(standing_of(customer))


def _facts(customer: Customer) -> list[tuple[str | Promise, str | Promise]]:
    standing = standing_of(customer)
    return [
        (_("Player"), str(customer.pk)),
        (_("Licensee"), customer.licensee.name),
        (_("Relationship ended on"), str(standing.ended_on or "")),
        (_("Last record"), str(standing.last_on)),
        (_("Kept until"), str(standing.kept_until or "")),
        (_("Rule"), f"{standing.rule} ({standing.policy})"),
        (_("Documents"), str(Document.objects.filter(customer=customer).count())),
    ]


def _digest(seen: dict[str, str]) -> bytes:
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).digest()


def _visible_customers(user: Any) -> Any:
    rows = Customer.objects.all() if has_right(user, ERASE) else Customer.objects.none()
    return rows.values_list("pk", flat=True)


# --------------------------------------------------------------------------------------------------- lifting a hold
def _load_hold(pk: Any) -> LegalHold:
    found: LegalHold = LegalHold.objects.select_for_update(of=("self",)).select_related("customer__licensee").get(pk=pk)
    return found


def _hold_seen(hold: LegalHold) -> dict[str, str]:
    return {"reason": hold.reason, "lifted_at": str(hold.lifted_at)}


def _visible_holds(user: Any) -> Any:
    rows = LegalHold.objects.all() if has_right(user, HOLD) else LegalHold.objects.none()
    return rows.values_list("pk", flat=True)


def _list_url(subject: Any) -> str:
    return reverse("proposals:list")


def _reason(code: str) -> str | Promise:
    return REASONS.get(code, code)


acts.register(
    acts.Act(
        name=erasure.SHRED,
        title=_("Erase the player's data"),
        run=erasure.shred,
        load=_load_customer,
        digest=lambda customer: _digest(_seen(customer)),
        seen=_seen,
        may_propose=lambda customer, user: has_right(user, ERASE),
        may_confirm=lambda customer, user: has_right(user, ERASE),
        visible=_visible_customers,
        need=lambda customer, **inputs: _need(erasure.SHRED, customer),
        unmet=_unmet,
        facts=_facts,
        reason_text=_reason,
        consequence=lambda customer, **inputs: _(
            "The key is destroyed. Every file, message and note of this player becomes unreadable for ever."
        ),
        subject_url=_list_url,
    ),
    acts.Act(
        name=holds.LIFT,
        title=_("Lift the legal hold"),
        run=holds.lift_hold,
        load=_load_hold,
        digest=lambda hold: _digest(_hold_seen(hold)),
        seen=_hold_seen,
        may_propose=lambda hold, user: has_right(user, HOLD),
        may_confirm=lambda hold, user: has_right(user, HOLD),
        visible=_visible_holds,
        need=lambda hold, **inputs: _need(holds.LIFT, hold.customer),
        facts=lambda hold: [(_("Player"), str(hold.customer_id)), (_("Reason"), hold.reason)],
        reason_text=_reason,
        consequence=lambda hold, **inputs: _("The player's records may be erased once their period is over."),
        subject_url=_list_url,
    ),
)
