"""Investigations of the AML side, in tables of their own: no row of the engine, of a player or of a queue leads here.

Words are sealed under the installation's key, so that erasing a player does not erase them. Every entry stands in the
AML log; what an entry seals is sealed under the installation's key too (there is no `audit_subject`).
"""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import RETURN_VALUE, transition

from audit.perform import StateField, Stateful, StatefulQuerySet
from cases.types.monitoring.permissions import INVESTIGATE, is_system, may, may_decide, may_work
from compliance.people.conflicts.queries import declared_by
from compliance.people.models import Customer, Human, Licensee, Restriction, User


class State(models.TextChoices):
    TRIAGE = "triage", _("To be looked at")
    INVESTIGATING = "investigating", _("Investigated")
    AWAITING = "awaiting", _("Waits for documents")
    WITH_MLRO = "with_mlro", _("With the reporting officer")
    REPORTING = "reporting", _("Being reported")
    POST_REPORT = "post_report", _("Reported, watched on")
    CLOSED = "closed", _("Closed")
    MERGED = "merged", _("Merged into another")


class Outcome(models.TextChoices):
    UNFOUNDED = "unfounded", _("Unfounded")
    EXPLAINED = "explained", _("Explained")
    MONITORED = "monitored", _("Watched on, not reported")
    REPORTED = "reported", _("Reported")
    RELATIONSHIP_ENDED = "relationship_ended", _("Relationship ended")


OVER = (State.CLOSED, State.MERGED)
MERGEABLE = [state for state in State if state not in OVER]


# UNION, without ALL: a circle could not run for ever.
_OF_KNOWN = """
WITH RECURSIVE of_known (id, merged_into_id) AS (
  SELECT id, merged_into_id FROM monitoring_investigation WHERE customer_id IN ({known})
  UNION
  SELECT above.id, above.merged_into_id
  FROM monitoring_investigation above JOIN of_known ON above.id = of_known.merged_into_id
) SELECT id FROM of_known"""


class InvestigationQuerySet(StatefulQuerySet["Investigation"]):
    def visible_to(self, user: Any) -> "InvestigationQuerySet":
        """None for everybody outside the compartment, and none of players whom the person knows, nor any into which
        one of those was merged, however deep."""
        if not may(user, INVESTIGATE):
            return self.none()
        known, params = declared_by(user).values("customer_id").query.sql_with_params()
        return self.exclude(pk__in=RawSQL(_OF_KNOWN.format(known=known), params))

    def open(self) -> "InvestigationQuerySet":
        return self.exclude(state__in=OVER)


class Investigation(Stateful):
    """triage -> investigating <-> awaiting; investigating -> with_mlro -> reporting -> post_report -> closed.

    `suspicion_at` is when a person began to suspect, beside `flagged_at`, when a rule first fired: statutory periods
    run from the first. `words_sealed` says why it ended as it did, above all why nothing was reported.
    """

    audit_prefix: ClassVar[str] = "monitoring"
    audit_log = "aml"
    State = State
    Outcome = Outcome

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=20, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    state = StateField(default=State.TRIAGE, choices=State, protected=True)
    former_state = models.CharField(max_length=20, blank=True, help_text=_("Where it was when it was merged"))
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="merged")
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    words_sealed = models.BinaryField(null=True)
    assignee = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    suspicion_at = models.DateTimeField(null=True)
    flagged_at = models.DateTimeField(null=True)
    urgent = models.BooleanField(default=False, help_text=_("Delay would do harm"))
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=80)
    closed_at = models.DateTimeField(null=True)

    objects: ClassVar = InvestigationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        base_manager_name = "objects"
        permissions: ClassVar = [
            ("investigate", "Can work on investigations of the AML side"),
            ("decide", "Can decide on investigations and reports of the AML side"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="investigation_state_known"),
            models.UniqueConstraint(
                fields=["customer"], condition=~Q(state__in=["closed", "merged"]), name="investigation_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False) | ~Q(state="merged") & Q(merged_into=None),
                name="investigation_merged_into_another",
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")), name="investigation_not_into_itself"
            ),
            models.CheckConstraint(
                condition=(Q(state="closed", closed_at__isnull=False) & ~Q(outcome=""))
                | (~Q(state="closed") & Q(closed_at=None, outcome="")),
                name="investigation_closed_with_an_outcome",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["customer", "-opened_at"], name="investigation_by_customer")]

    def __str__(self) -> str:
        return self.number

    @property
    def audit_matter(self) -> str:
        return self.number

    @transition("state", source=State.TRIAGE, target=State.INVESTIGATING, permission=may_work)
    def take_up(self, *, assignee: User) -> None:
        self.assignee = assignee

    @transition("state", source=State.INVESTIGATING, target=State.AWAITING, permission=may_work)
    def wait(self) -> None:
        """Documents were asked for."""

    @transition("state", source=State.AWAITING, target=State.INVESTIGATING, permission=may_work)
    def resume(self) -> None:
        """They came, or nobody waits for them any more."""

    @transition("state", source=State.INVESTIGATING, target=State.WITH_MLRO, permission=may_work)
    def hand_over(self) -> None:
        """The analyst is done: the reporting officer decides."""

    @transition("state", source=State.WITH_MLRO, target=State.INVESTIGATING, permission=may_decide)
    def return_to_analyst(self) -> None:
        """More is to be found out."""

    @transition("state", source=State.WITH_MLRO, target=State.REPORTING, permission=may_decide)
    def report(self) -> None:
        """The reporting officer decided that it is reported."""

    @transition("state", source=State.REPORTING, target=State.POST_REPORT, permission=may_decide)
    def watch_on(self) -> None:
        """The authority has the report."""

    @transition("state", source=[State.WITH_MLRO, State.POST_REPORT], target=State.CLOSED, permission=may_decide)
    def close(self, *, outcome: str, reason: str, words_sealed: bytes, at: datetime) -> None:
        self.outcome, self.reason, self.words_sealed, self.closed_at = outcome, reason, words_sealed, at

    @transition("state", source=State.CLOSED, target=State.TRIAGE, permission=may_decide)
    def reopen(self) -> None:
        """Something new is known. How it ended before is in the log."""
        self.outcome, self.reason, self.words_sealed, self.closed_at = "", "", None, None

    @transition("state", source=MERGEABLE, target=State.MERGED, permission=may_work)
    def merge(self, *, into: "Investigation") -> None:
        self.former_state, self.merged_into = self.state, into

    @transition("state", source=State.MERGED, target=RETURN_VALUE(*MERGEABLE), permission=may_work)
    def unmerge(self) -> str:
        """Back to where it was."""
        former, self.former_state, self.merged_into = self.former_state, "", None
        return former


class OfAnInvestigation(models.Model):
    """A row that belongs to one investigation and is written in its log."""

    audit_log = "aml"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True
        default_permissions = ()

    @property
    def audit_matter(self) -> str:
        return str(self.investigation.number)  # type: ignore[attr-defined]  # every child has one


class Lead(OfAnInvestigation):
    """What an investigation began with or was told on the way: a suspicion report, a flag. Each leads to one only.

    By id, without a relation: nothing on the other side knows of it.
    """

    class Kind(models.TextChoices):
        SUSPICION = "suspicion", _("Suspicion report")
        FLAG = "flag", _("Flag")

    investigation = models.ForeignKey(Investigation, on_delete=models.PROTECT, related_name="leads")
    kind = models.CharField(max_length=10, choices=Kind)
    source_id = models.UUIDField()
    attached_at = models.DateTimeField(db_default=Now())

    class Meta(OfAnInvestigation.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "source_id"], name="lead_once")]


class Hypothesis(OfAnInvestigation):
    """One explanation of what was seen, and how far it was looked into."""

    class Verdict(models.TextChoices):
        OPEN = "open", _("Not looked into yet")
        LIKELY = "likely", _("Speaks for it")
        RULED_OUT = "ruled_out", _("Ruled out")

    investigation = models.ForeignKey(Investigation, on_delete=models.PROTECT, related_name="hypotheses")
    code = models.CharField(max_length=40)
    verdict = models.CharField(max_length=10, choices=Verdict, default=Verdict.OPEN)
    words_sealed = models.BinaryField(null=True)
    judged_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    judged_at = models.DateTimeField(null=True)

    class Meta(OfAnInvestigation.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["investigation", "code"], name="hypothesis_once")]


class Exhibit(OfAnInvestigation):
    """Something in the evidence basket, with the SHA-256 of what it was when it was put there.

    A file of ours is kept sealed here; anything else is named by kind and id.
    """

    class Kind(models.TextChoices):
        FILE = "file", _("File")
        DOCUMENT = "document", _("Document of the player")
        SUSPICION = "suspicion", _("Suspicion report")
        FLAG = "flag", _("Flag")
        TRANSACTION = "transaction", _("Transaction")

    investigation = models.ForeignKey(Investigation, on_delete=models.PROTECT, related_name="exhibits")
    kind = models.CharField(max_length=12, choices=Kind)
    source_id = models.UUIDField(null=True)
    digest = models.CharField(max_length=64)
    title_sealed = models.BinaryField()
    data_sealed = models.BinaryField(null=True)
    size = models.PositiveIntegerField(default=0, help_text=_("Bytes of a file"))
    put_in_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    put_in_at = models.DateTimeField(db_default=Now())
    taken_out_at = models.DateTimeField(null=True)
    taken_out_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta(OfAnInvestigation.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["investigation", "digest"], condition=Q(taken_out_at=None), name="exhibit_once"
            ),
            models.CheckConstraint(
                condition=Q(taken_out_at=None, taken_out_by=None)
                | Q(taken_out_at__isnull=False, taken_out_by__isnull=False),
                name="exhibit_taken_out_at_and_by_together",
            ),
        ]


class Note(OfAnInvestigation):
    """What people of the compartment tell each other about it."""

    investigation = models.ForeignKey(Investigation, on_delete=models.PROTECT, related_name="notes")
    text_sealed = models.BinaryField()
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(db_default=Now())


class Request(OfAnInvestigation):
    """Documents were asked for through an ordinary matter, which knows nothing of the investigation."""

    investigation = models.ForeignKey(Investigation, on_delete=models.PROTECT, related_name="requests")
    case_id = models.UUIDField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now())


class FreezeState(models.TextChoices):
    PLACED = "placed", _("Waits for a second person")
    OVERDUE = "overdue", _("No second look in time")
    SECONDED = "seconded", _("Seen by two")
    LIFTED = "lifted", _("Lifted")


def is_another(freeze: Any, user: Any) -> bool:
    """By human: a second sign-in is the same person."""
    return may_work(freeze, user) and user.human_id != freeze.placed_human_id


class Freeze(Stateful):
    """placed -> seconded; placed -> overdue -> seconded when nobody looked in time; any of them -> lifted by two.

    What stops the money is an ordinary restriction, made as the routine makes them (`routine.hold`); this row alone
    knows that it is none. Without `placed_by` a rule asked for it (`PlannedFreeze`): any person is the second.
    """

    audit_prefix: ClassVar[str] = "freezes"
    audit_log = "aml"
    State = FreezeState

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    investigation = models.ForeignKey(Investigation, on_delete=models.PROTECT, related_name="freezes")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    restriction = models.ForeignKey(Restriction, on_delete=models.PROTECT, related_name="+")
    state = StateField(default=FreezeState.PLACED, choices=FreezeState, protected=True)
    placed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    placed_human = models.ForeignKey(Human, null=True, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    second_by = models.DateTimeField(help_text=_("Until when somebody else has to look at it"))
    seconded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    seconded_human = models.ForeignKey(Human, null=True, on_delete=models.PROTECT, related_name="+")
    seconded_at = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        base_manager_name = "objects"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=FreezeState.values), name="freeze_state_known"),
            models.UniqueConstraint(fields=["customer"], condition=Q(lifted_at=None), name="freeze_one_at_a_time"),
            models.CheckConstraint(
                condition=Q(seconded_human=None) | ~Q(seconded_human=F("placed_human")), name="freeze_two_persons"
            ),
            models.CheckConstraint(
                condition=Q(state="lifted", lifted_at__isnull=False) | ~Q(state="lifted") & Q(lifted_at=None),
                name="freeze_lifted_at_when_lifted",
            ),
            models.CheckConstraint(
                condition=Q(placed_by=None, placed_human=None) | Q(placed_by__isnull=False, placed_human__isnull=False),
                name="freeze_placed_by_a_human_or_a_rule",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["second_by"], condition=Q(state="placed"), name="freeze_by_time")]

    @property
    def audit_matter(self) -> str:
        return self.investigation.number

    @transition(
        "state",
        source=[FreezeState.PLACED, FreezeState.OVERDUE],
        target=FreezeState.SECONDED,
        permission=is_another,
    )
    def second(self, *, by: User, at: datetime) -> None:
        """Somebody else of the compartment looked at it and agrees."""
        self.seconded_by, self.seconded_human_id, self.seconded_at = by, by.human_id, at

    @transition("state", source=FreezeState.PLACED, target=FreezeState.OVERDUE, permission=is_system)
    def escalate(self) -> None:
        """Time ran out. Nothing is released; the reporting officers are told."""

    @transition(
        "state",
        source=[FreezeState.PLACED, FreezeState.OVERDUE, FreezeState.SECONDED],
        target=FreezeState.LIFTED,
        permission=may_decide,
    )
    def lift(self, *, at: datetime) -> None:
        """Two persons agreed (freezes.LIFT)."""
        self.lifted_at = at


class PlannedFreeze(models.Model):
    """A new flag of a rule whose version holds withdrawals. `routine.draw` plans one hold more for it, at a moment as
    chance has them, and the delivery of a hold asks here first (`freezes.hold_planned`).
    """

    audit_log = "aml"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    flag_id = models.UUIDField(unique=True)
    asked_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["asked_at"], condition=Q(done_at=None), name="planned_freeze_open")]


class RoutineHold(models.Model):
    """When a hold ends that chance put on a player, or that was frozen and lifted. Frozen money has no such row."""

    audit_log = "aml"

    restriction = models.OneToOneField(Restriction, on_delete=models.PROTECT, primary_key=True, related_name="+")
    ends_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["ends_at"], name="routine_hold_by_end")]
