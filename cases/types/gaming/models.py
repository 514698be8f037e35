"""Requests about play: to be kept out, to be let back. What is asked is done first; the case follows."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef, System
from cases.contacts.models import Task
from cases.models import Case
from cases.permissions import WORK, may
from cases.queries import CaseQuerySet
from compliance.people.exclusions.models import AskedBy, Exclusion
from compliance.people.models import Account, Customer, Restriction, User

KIND = "gaming"
MARKETING = "marketing"
NOT_NOTED = _("Nobody noted yet what was seen, said and agreed with the player.")


def may_work(case: Any, user: Any) -> bool:
    return may(user, WORK, case)


def may_work_or_system(case: Any, user: Any) -> bool:
    return isinstance(user, System) or may(user, WORK, case)


class State(models.TextChoices):
    OPEN = "open", _("New")
    IN_REVIEW = "in_review", _("In review")
    CLOSED = "closed", _("Finished")


class Outcome(models.TextChoices):
    KEPT_OUT = "kept_out", _("Kept out of play")
    LET_BACK = "let_back", _("May play again")
    STAYED_OUT = "stayed_out", _("Stays out of play")
    ANNULLED = "annulled", _("Annulled")
    CARED_FOR = "cared_for", _("Talked with the player")
    WRITTEN_TO = "written_to", _("Written to, no talk was needed")


class GamingQuerySet(CaseQuerySet):
    """Only rows of this kind."""


class GamingManager(models.Manager.from_queryset(GamingQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(kind=KIND)


class GamingRequest(Case):
    """open -> in_review -> closed. The exclusion itself is a record of the person and was in force before this.

    Where a player is to be talked to (`Asks.CARE`), there is none.
    """

    State = State
    Outcome = Outcome
    audit_prefix = KIND

    objects: ClassVar[Any] = GamingManager()

    class Meta:
        proxy = True
        default_permissions = ()
        base_manager_name = "objects"

    @property
    def exclusion(self) -> Exclusion:
        """As it stands now, whatever this copy of the case remembers. DoesNotExist where the case is about none."""
        rows = Exclusion.objects.select_related("licensee", "restriction", "person")
        return rows.get(requests=self.pk)

    def unmet(self, move: str) -> list[str]:
        if move != "settle":
            return []
        facts = self.gaming_facts
        if facts.asks == Asks.CARE:
            return [str(NOT_NOTED)] if self._asks_for_a_talk() and not self.interactions.exists() else []
        exclusion, missing = self.exclusion, []
        if StopOrder.objects.open().filter(restriction_id=exclusion.restriction_id).exists():
            missing.append(str(_("The platform did not confirm yet that the player is stopped.")))
        if facts.asks == Asks.RETURN and exclusion.state in ("return_requested", "cooling"):
            missing.append(str(_("The return is not decided or not confirmed yet.")))
        if facts.asks == Asks.SELF_EXCLUSION and not self.interactions.exists():
            missing.append(str(NOT_NOTED))
        return missing

    def _asks_for_a_talk(self) -> bool:
        """Whether somebody ever had to speak with the player; a case that only holds letters asks for none."""
        spoken = (Task.Kind.CONTACT, Task.Kind.CARE)
        return Task.objects.filter(case_id=self.pk, kind__in=spoken).exists()

    @transition("state", source=State.OPEN, target=State.IN_REVIEW, permission=may_work)
    def review(self, *, by: Acts) -> None:
        """Somebody starts to look after the player. Who starts is responsible, if nobody was."""
        self.assignee_id = self.assignee_id or by.pk  # type: ignore[attr-defined]

    @transition("state", source=[State.OPEN, State.IN_REVIEW], target=State.CLOSED, permission=may_work_or_system)
    def settle(self, *, by: Acts, outcome: str, reason: str, at: datetime) -> None:
        """The platform confirmed, and who was to be talked to was."""
        self.outcome, self.reason, self.closed_at, self.waiting_for = outcome, reason, at, ""


class Asks(models.TextChoices):
    TIME_OUT = "time_out", _("Time-out")
    SELF_EXCLUSION = "self_exclusion", _("Self-exclusion")
    RETURN = "return", _("Return to play")
    CARE = "care", _("Talk with the player")


class GamingFacts(models.Model):
    """What only a request about play has. `words_sealed`: what was said, word for word, under the player's key.

    `exclusion` is None where somebody is to talk with the player; `rule` is then the rule that asks for it, and
    `reckoning` the amounts it compared, in minor units.
    """

    case = models.OneToOneField(Case, on_delete=models.PROTECT, primary_key=True, related_name="gaming_facts")
    exclusion = models.ForeignKey(Exclusion, null=True, on_delete=models.PROTECT, related_name="requests")
    asks = models.CharField(max_length=20, choices=Asks)
    asked_by = models.CharField(max_length=20, choices=AskedBy)
    via = models.CharField(max_length=20, help_text=_("How it came: online, api, phone, written, in_person"))
    words_sealed = models.BinaryField(null=True)
    rule = models.CharField(max_length=60, blank=True)
    reckoning = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(asks="care", exclusion=None) & ~Q(rule="")
                | ~Q(asks="care") & Q(exclusion__isnull=False, rule=""),
                name="gaming_facts_care_names_its_rule",
            )
        ]


class Interaction(models.Model):
    """What was noticed, advised and agreed with a player: health data, read by responsible-gaming officers only."""

    SIGNS = ("losses", "distress", "time", "borrowing", "family", "self_harm", "none_seen")
    ADVICE = ("limits", "break", "exclusion", "register", "blocking_software", "help_line", "none_given")
    OUTCOMES = ("accepted", "thinking", "refused", "not_reached")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="interactions")
    signs = ArrayField(models.CharField(max_length=20))
    advice = ArrayField(models.CharField(max_length=20))
    outcome = models.CharField(max_length=20)
    follow_up_on = models.DateField(null=True)
    helped = models.BooleanField(null=True, help_text=_("Whether an earlier one helped, as far as one can say"))
    note_sealed = models.BinaryField(null=True)
    written_at = models.DateTimeField(db_default=Now())
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("read_interaction", "Can read and write what was noticed of a player's health")]

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject


class StopOrderQuerySet(models.QuerySet["StopOrder"]):
    def open(self) -> "StopOrderQuerySet":
        return self.filter(confirmed_at=None)


class StopOrder(models.Model):
    """What the platform has to end for one account, told again and again until it has confirmed every part.

    `parts`: sessions, scheduled_deposits, bonuses, open_bets, marketing. `done`: those it confirmed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    restriction = models.ForeignKey(Restriction, on_delete=models.PROTECT, related_name="stop_orders")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="stop_orders")
    parts = ArrayField(models.CharField(max_length=20))
    done = ArrayField(models.CharField(max_length=20), default=list)
    made_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(help_text=_("Until when the platform must have confirmed"))
    marketing_due_at = models.DateTimeField(null=True, help_text=_("The same for marketing; empty: as the rest"))
    sent = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(help_text=_("When it is told again"))
    confirmed_at = models.DateTimeField(null=True)

    objects: ClassVar = StopOrderQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["restriction", "account"], name="stop_order_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], condition=Q(confirmed_at=None), name="stop_order_open_by_next")
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return self.account.audit_subject

    @property
    def left(self) -> list[str]:
        return [part for part in self.parts if part not in self.done]

    def late(self, at: datetime) -> list[str]:
        """The parts that should have been confirmed by this moment. Marketing may have a time of its own."""
        due = {MARKETING: self.marketing_due_at or self.due_at}
        return [part for part in self.left if due.get(part, self.due_at) < at]


class RegisterCheck(models.Model):
    """What a national register said of a player last, and until when that counts.

    `restriction` is the closed door: from now on where they are listed, else from the moment the answer is too old.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="register_checks")
    register = models.CharField(max_length=12)
    answer = models.CharField(max_length=10, choices=[("clear", _("not listed")), ("listed", _("listed"))])
    asked_at = models.DateTimeField()
    good_until = models.DateTimeField()
    restriction = models.OneToOneField(Restriction, on_delete=models.PROTECT, related_name="register_check")
    reference = models.CharField(max_length=60, blank=True, help_text=_("The register's own, if it gives one"))

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "register"], name="register_check_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["good_until"], name="register_check_by_age")]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))
