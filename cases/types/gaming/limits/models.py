"""A limit and its change, and the money and time that count against it. Amounts are integers in the currency's minor
unit, or seconds for time of play; they are never added across currencies, so an account has one.
"""

import secrets
import uuid
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef, System
from audit.perform import ConditionsNotMet, StateField, Stateful, StatefulQuerySet
from cases.models import Case
from cases.permissions import WORK, is_key
from cases.types.gaming.limits.player import Player
from compliance.people.models import Account

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
TOO_EARLY = _("The waiting time is not over.")
TOO_LATE = _("The time to confirm is over. Ask again.")
NOT_MET = _("What the law asks for before this raise was not recorded yet.")


def new_receipt() -> str:
    """What a player quotes: no letter or digit that looks like another."""
    return "LIM-" + "".join(secrets.choice(ALPHABET) for _place in range(8))


class Measure(models.TextChoices):
    DEPOSIT = "deposit", _("Deposits")
    LOSS = "loss", _("Losses")
    WAGER = "wager", _("Stakes")
    SESSION = "session", _("Time of play")


class Span(models.TextChoices):
    DAY = "day", _("Day")
    WEEK = "week", _("Week")
    MONTH = "month", _("Month")


class Window(models.TextChoices):
    FIXED = "fixed", _("from the moment it was set")
    ROLLING = "rolling", _("ending now")
    CALENDAR = "calendar", _("of the calendar")


class Kind(models.TextChoices):
    """What happened to an account's money or time."""

    DEPOSIT = "deposit", _("Deposit")
    WITHDRAWAL = "withdrawal", _("Withdrawal")
    WITHDRAWAL_CANCELLED = "withdrawal_cancelled", _("Withdrawal taken back")
    BET = "bet", _("Stake")
    BET_VOID = "bet_void", _("Stake given back")
    WIN = "win", _("Win")
    SESSION = "session", _("Time of play")


class Act(models.TextChoices):
    DEPOSIT = "deposit", _("Deposit")
    WAGER = "wager", _("Stake")


class Ledger(models.Model):
    """One row for each account with limits or money: whoever changes what a check counts locks it first."""

    account = models.OneToOneField(Account, primary_key=True, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3, blank=True, help_text=_("Empty until the first amount"))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()


class MoneyEvent(models.Model):
    """Something that happened, as the platform reports it. The database refuses its change and its removal."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind)
    amount = models.BigIntegerField(help_text=_("Minor units, or seconds"))
    happened_at = models.DateTimeField(help_text=_("Of time of play: its end"))
    source_id = models.CharField(max_length=80)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "source_id"], name="money_event_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="money_event_is_something"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="money_event_kind_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "kind", "happened_at"], include=["amount"], name="money_event_sums")
        ]


class Reservation(models.Model):
    """Room that a check set aside for an amount on its way, until it is reported, given back, or its time is over."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    act = models.CharField(max_length=10, choices=Act)
    amount = models.BigIntegerField()
    source_id = models.CharField(max_length=80)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "source_id"], name="reservation_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="reservation_of_something"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["account"], condition=Q(settled_at=None, released_at=None), name="reservation_by_account"
            )
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.account.customer_id))


class State(models.TextChoices):
    REQUESTED = "requested", _("Asked for")
    WAITING = "waiting", _("Waiting")
    CONFIRMABLE = "confirmable", _("Waits for the player's confirmation")
    EFFECTIVE = "effective", _("In force")
    SUPERSEDED = "superseded", _("Replaced")
    LAPSED = "lapsed", _("Lapsed")
    CANCELLED = "cancelled", _("Cancelled")
    BLOCKED = "blocked", _("Blocked")


PENDING = (State.REQUESTED, State.WAITING, State.CONFIRMABLE)


def is_player(change: Any, user: Any) -> bool:
    """The player, or the platform's key, which speaks for its licensee's players."""
    if isinstance(user, Player):
        return bool(user.account_id == change.account_id)
    return bool(is_key(user) and user.licensee_id == change.account.licensee_id)


def may_reduce(change: Any, user: Any) -> bool:
    """Staff who work on a case of this player."""
    if isinstance(user, Player | System) or is_key(user):
        return False
    return bool(Case.objects.allowed_to(user, WORK).filter(customer_id=change.account.customer_id).exists())


def is_system(change: Any, user: Any) -> bool:
    return isinstance(user, System)


def lowers(change: Any, user: Any) -> bool:
    """A player their own; what is imposed staff, or the product by a rule."""
    if change.imposed:
        return isinstance(user, System) or may_reduce(change, user)
    return is_player(change, user)


def replaces(change: Any, user: Any) -> bool:
    return isinstance(user, System) or lowers(change, user)


def protects(change: Any, user: Any) -> bool:
    """Whoever may stop a raise: the player who changed their mind, staff, the product."""
    return isinstance(user, System) or is_player(change, user) or may_reduce(change, user)


class LimitChange(Stateful):
    """What was asked for and what became of it. One that is effective is the limit in force.

    Everything decided at the request (amount, moments, policy version) is fixed by the database from then on.
    `amount` None: no limit any more. `imposed`: by staff or by a rule, beside the player's own; the lower one counts.
    """

    State = State
    audit_prefix = "limits"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    receipt = models.CharField(max_length=12, unique=True, default=new_receipt, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    state = StateField(default=State.REQUESTED, choices=State.choices, protected=True)
    imposed = models.BooleanField(default=False)
    measure = models.CharField(max_length=10, choices=Measure)
    span = models.CharField(max_length=10, choices=Span)
    window = models.CharField(max_length=10, choices=Window)
    basis = models.CharField(max_length=5, help_text=_("gross or net; net only of deposits and losses"))
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True, help_text=_("Empty for time of play"))
    zone = models.CharField(max_length=64)
    anchor_at = models.DateTimeField(help_text=_("From which fixed spans are counted"))
    raises = models.BooleanField()
    step = models.PositiveSmallIntegerField(default=0, help_text=_("How many raises of the measure took effect before"))
    requires = models.CharField(max_length=20, blank=True)
    requirement_met_at = models.DateTimeField(null=True)
    requested_at = models.DateTimeField()
    confirmable_at = models.DateTimeField(null=True)
    lapses_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    effective_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    policy_version = models.CharField(max_length=80)
    rule = models.CharField(max_length=60, blank=True, help_text=_("Which rule decided the wait"))

    objects: ClassVar[Any] = StatefulQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        base_manager_name = "objects"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="limit_state_known"),
            models.UniqueConstraint(
                fields=["account", "imposed", "measure", "span"],
                condition=Q(state=State.EFFECTIVE),
                name="limit_one_in_force",
            ),
            models.UniqueConstraint(
                fields=["account", "measure", "span"],
                condition=Q(state__in=PENDING, raises=True),
                name="limit_one_raise_pending",
            ),
            # No raise without the player's own confirmation after the wait, whoever writes.
            models.CheckConstraint(
                condition=Q(raises=False)
                | Q(effective_at=None)
                | Q(
                    confirmed_at__isnull=False,  # what is unknown would pass a CHECK
                    confirmed_at__gte=F("confirmable_at"),
                    effective_at__gte=F("confirmed_at"),
                    imposed=False,
                ),
                name="limit_raise_was_confirmed",
            ),
            models.CheckConstraint(
                condition=Q(raises=False)
                | Q(
                    confirmable_at__isnull=False,
                    lapses_at__isnull=False,
                    confirmable_at__gt=F("requested_at"),
                    lapses_at__gt=F("confirmable_at"),
                ),
                name="limit_raise_waits",
            ),
            models.CheckConstraint(condition=Q(amount=None) | Q(amount__gte=0), name="limit_not_negative"),
            models.CheckConstraint(condition=Q(raises=True) | Q(amount__isnull=False), name="limit_removed_by_raise"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["confirmable_at"], condition=Q(state=State.WAITING), name="limit_by_confirmable"),
            models.Index(fields=["lapses_at"], condition=Q(state=State.CONFIRMABLE), name="limit_by_lapse"),
        ]

    def __str__(self) -> str:
        return self.receipt

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.account.customer_id))

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @transition("state", source=State.REQUESTED, target=State.WAITING, permission=is_player)
    def wait(self, *, by: Acts) -> None:
        """A raise begins to wait."""

    @transition("state", source=State.REQUESTED, target=State.EFFECTIVE, permission=lowers)
    def take_effect(self, *, by: Acts, at: Any) -> None:
        """A lowering, or a first limit: at once."""
        if self.raises:
            raise ConditionsNotMet([str(TOO_EARLY)])
        self.effective_at = at

    @transition("state", source=State.WAITING, target=State.CONFIRMABLE, permission=is_system)
    def open(self, *, by: Acts, at: Any) -> None:
        """The wait is over; nothing changes until the player confirms."""
        if at < self.confirmable_at:
            raise ConditionsNotMet([str(TOO_EARLY)])

    @transition("state", source=State.CONFIRMABLE, target=State.EFFECTIVE, permission=is_player)
    def confirm(self, *, by: Acts, at: Any) -> None:
        """The player wants it still, after the wait."""
        if at < self.confirmable_at:
            raise ConditionsNotMet([str(TOO_EARLY)])
        if at >= self.lapses_at:
            raise ConditionsNotMet([str(TOO_LATE)])
        if self.requires and self.requirement_met_at is None:
            raise ConditionsNotMet([str(NOT_MET)])
        self.confirmed_at = self.effective_at = at

    @transition("state", source=[State.WAITING, State.CONFIRMABLE], target=State.LAPSED, permission=is_system)
    def lapse(self, *, by: Acts, at: Any) -> None:
        """Nobody confirmed: the limit stays."""
        if at < self.lapses_at:
            raise ConditionsNotMet([str(_("The player may still confirm."))])
        self.ended_at = at

    @transition("state", source=list(PENDING), target=State.CANCELLED, permission=protects)
    def cancel(self, *, by: Acts, at: Any) -> None:
        """The player changed their mind, or a lowering or an exclusion came."""
        self.ended_at = at

    @transition("state", source=list(PENDING), target=State.BLOCKED, permission=may_reduce)
    def block(self, *, by: Acts, at: Any) -> None:
        """Staff stop a raise."""
        self.ended_at = at

    @transition("state", source=[*PENDING, State.EFFECTIVE], target=State.SUPERSEDED, permission=replaces)
    def supersede(self, *, by: Acts, at: Any) -> None:
        """Another one took its place."""
        self.ended_at = at
