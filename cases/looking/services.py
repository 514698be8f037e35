"""Saying why, settling what stood out, and who looked at a player."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Collate, Now
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit import queries
from audit.cards import without_cards
from audit.models import Entry
from audit.perform import ConditionsNotMet, perform
from audit.record import record
from cases import kinds
from cases.looking.models import Fact, Reason
from cases.models import Case
from compliance.keys.services import open_sealed, seal
from compliance.people.conflicts.queries import declared_by
from compliance.people.models import Account, Customer, Membership, User
from compliance.people.permissions import on_the_aml_side
from compliance.people.roles import ROLES
from compliance.policy.staff import staff_rules

NOTE = "looking.note"
GIVING: Final = ("people.join_team", "people.leave_team")
BECAUSE: Final[Mapping[str, str | Promise]] = {
    "contact": _("The player wrote or called"),
    "colleague": _("A colleague asked me to look"),
    "related": _("It matters for a case of mine"),
    "lead": _("I look after the work of the team"),
    "complaint": _("A complaint, or a question of an authority"),
    "other": _("Something else"),
}


@transaction.atomic
def say_why(case: Case, *, by: User, because: str, note: str) -> Reason:
    """From now on, for some hours, pages show this player to this person. Raises ConditionsNotMet."""
    if because not in BECAUSE:
        raise ConditionsNotMet([str(_("Choose a reason."))])
    if because == "other" and not note.strip():
        raise ConditionsNotMet([str(_("Say in a few words what it is."))])
    until = timezone.now() + timedelta(hours=staff_rules(on=timezone.localdate()).looking.reason_hours)
    reason = Reason.objects.create(user=by, customer_id=case.customer_id, because=because, until=until)
    record("looking.say_why", by=by, about=case, reason=because, note=note.strip() or None, details={"until": until})
    return reason


def forget_reasons() -> int:
    """Rows that hold no more; what was said stands in the log. Twice does nothing."""
    deleted, _by_model = Reason.objects.filter(until__lt=Now()).delete()
    return deleted


def settle(fact: Fact, *, by: User, in_order: bool, note: str) -> Fact:
    """What a supervisor found. Raises Denied (recorded) for themselves and for strangers."""
    if not note.strip():
        raise ConditionsNotMet([str(_("Say what you found."))])
    text = without_cards(note.strip())
    sealed = seal(fact.audit_subject, NOTE, text.encode(), aad=fact.pk.bytes)
    move = fact.explain if in_order else fact.object
    return perform(move, by=by, note=text, sealed=sealed, at=timezone.now())  # type: ignore[no-any-return]


def note_of(fact: Fact) -> str:
    if not fact.note_sealed:
        return ""
    return open_sealed(fact.audit_subject, NOTE, bytes(fact.note_sealed), aad=fact.pk.bytes).decode()


# ------------------------------------------------------------------------------------------------- who looked
@dataclass(frozen=True, slots=True)
class Looker:
    """Somebody of staff, or an API key, who looked at a player."""

    kind: str
    id: str
    name: str
    action: str
    times: int
    first_at: datetime
    last_at: datetime


HEAD = ("who", "kind", "id", "act", "times", "first", "last")


def customers_of(number: str, *, user: Any) -> list[Customer]:
    """The players with this tracking or player number, as far as this person may ask about them and does not know them.

    Who may read the log, and privacy officers, ask about anybody; others about players whose cases they see.
    """
    typed = number.strip().lstrip("#")
    if not typed:
        return []
    wide = user.has_perm("audit.view_entry") or user.memberships.filter(role="privacy_officer").exists()
    cases = Case.objects.filter(kind__in=kinds.everyday()) if wide else Case.objects.visible_to(user)
    ids = set(cases.filter(number=typed.upper()).values_list("customer_id", flat=True))
    accounts = Account.objects.filter(reference__iexact=typed)
    accounts = accounts if wide else accounts.filter(customer__in=cases.values("customer"))
    ids |= set(accounts.values_list("customer_id", flat=True))
    known = declared_by(user).values("customer")
    return list(Customer.objects.filter(pk__in=ids).exclude(pk__in=known).order_by("pk")[:10])


def lookers(customer: Customer, *, user: Any) -> list[Looker]:
    """Who looked at this player, the latest first, by the index of the log's subjects. Raises audit.queries.TooSlow.

    Only who is on the AML side sees who of it looked: that somebody of it does must not be seen from outside.
    """
    found = queries.readers(queries.Query(subjects=[str(customer.pk)], only="reads"))
    people = {str(one.pk): one for one in User.objects.filter(pk__in=[r.actor_id for r in found if _is_staff(r)])}
    hidden = set() if on_the_aml_side(user) else aml_people()
    return [
        Looker(
            row.actor_kind,
            row.actor_id,
            people[row.actor_id].name if row.actor_id in people else row.actor_kind,
            row.action,
            row.times,
            row.first_at,
            row.last_at,
        )
        for row in found
        if row.actor_id not in hidden
    ]


def _is_staff(row: queries.Reader) -> bool:
    return row.actor_kind == "staff"


def aml_people() -> set[str]:
    """Ids of sign-ins of whoever has, or ever had, a role of the AML side: what they read while they had it stays."""
    roles = {role.name for role in ROLES.values() if role.aml}
    now = set(Membership.objects.filter(role__in=roles).values_list("user_id", flat=True))
    humans = User.objects.filter(pk__in=now | _had_one_of(roles)).values("human_id")
    return {str(one) for one in User.objects.filter(human_id__in=humans).values_list("pk", flat=True)}


def _had_one_of(roles: AbstractSet[str]) -> set[UUID]:
    """By the log: a membership that ended leaves no row. In the collation of the log's index on acts."""
    given = Entry.objects.annotate(act=Collate("action", "C")).filter(act__in=GIVING, object_kind="user")
    return {UUID(entry.object_id) for entry in given if entry.facts.get("data", {}).get("role") in roles}
