"""A heavy act that waits for a second person."""

import uuid
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import SubjectRef, System
from audit.perform import StateField, Stateful
from audit.selections import Selection
from compliance.people.models import Human, Licensee, User
from compliance.proposals.querysets import ProposalQuerySet


class ExportRequest(models.Model):
    """An export of the log that is too large for one person, as it was asked for. It never changes: what was decided on
    it is its proposal ("audit.export"). Kinds and fields are those of audit.selections.Selection.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10)
    of = models.CharField(max_length=100, blank=True)
    log = models.CharField(max_length=10, default="main")
    since = models.JSONField(default=list)
    from_on = models.DateField(null=True)
    to_on = models.DateField(null=True)
    recipient = models.CharField(max_length=64, blank=True)
    entries = models.BigIntegerField(help_text=_("Counted when it was asked for"))
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[models.Manager["ExportRequest"]] = models.Manager()

    class Meta:
        default_permissions = ()

    @property
    def audit_log(self) -> str:
        return self.log

    @property
    def selection(self) -> Selection:
        return Selection(
            self.kind, self.of or None, self.log, self.since, self.from_on, self.to_on, self.recipient or None
        )


class State(models.TextChoices):
    PARKED = "parked", _("Waiting for approval")
    PERFORMED = "performed", _("Performed")
    RETURNED = "returned", _("Sent back")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    VOIDED = "voided", _("Void: the evidence changed")
    EXPIRED = "expired", _("Expired")


def is_another_person(proposal: Any, user: Any) -> bool:
    """By human: a second sign-in or an API key of the maker is still the maker; the system is nobody."""
    return user.human_id is not None and user.human_id != proposal.maker_human_id


def is_the_maker(proposal: Any, user: Any) -> bool:
    return user.human_id is not None and user.human_id == proposal.maker_human_id


def is_system(proposal: Any, user: Any) -> bool:
    return isinstance(user, System)


class Proposal(Stateful):
    """parked -> performed / returned / withdrawn / voided / expired. Nothing outside changes before `performed`.

    Who counts for four eyes is the human (`maker_human`, `checker_human`), never the sign-in. `evidence_digest` is of
    what the maker saw; `seen` is the same item by item. `inputs` holds ids and codes; free text is in the `..._sealed`
    fields, under the key of `key_kind` and `key_id`.
    """

    audit_prefix: ClassVar[str] = "proposals"
    State = State

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    act = models.CharField(max_length=80)
    log = models.CharField(max_length=10, default="main", help_text=_("In whose log it stands: main or aml"))
    subject_kind = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    matter = models.CharField(max_length=40, blank=True, help_text=_("Tracking number"))
    licensee = models.ForeignKey(Licensee, null=True, on_delete=models.PROTECT, related_name="+")
    key_kind = models.CharField(max_length=20)
    key_id = models.CharField(max_length=40)
    inputs = models.JSONField(default=dict)
    inputs_sealed = models.BinaryField(null=True)
    reason = models.CharField(max_length=60, blank=True)
    note_sealed = models.BinaryField(null=True)
    rule = models.CharField(max_length=120, blank=True, help_text=_("The rule of the policy that asks for two persons"))
    policy = models.CharField(max_length=40, blank=True)
    evidence_digest = models.BinaryField(max_length=64)
    seen = models.JSONField(default=dict)
    state = StateField(default=State.PARKED, choices=State, protected=True)
    maker = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    maker_human = models.ForeignKey(Human, on_delete=models.PROTECT, related_name="+")
    maker_actor = models.CharField(max_length=80, help_text=_("The sign-in or the API key that proposed it"))
    named_checker = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    checker = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    checker_human = models.ForeignKey(Human, null=True, on_delete=models.PROTECT, related_name="+")
    answer_sealed = models.BinaryField(null=True, help_text=_("What the second person wrote when sending it back"))
    changes = models.JSONField(default=dict, help_text=_("What made it void: item, as it was seen and as it is"))
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True, help_text=_("When managers were told that nobody decided"))

    objects: ClassVar = ProposalQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["act", "subject_id"],
                condition=Q(state=State.PARKED),
                name="proposal_one_open_per_subject_and_act",
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="proposal_state_known"),
            models.CheckConstraint(condition=Q(log__in=["main", "aml"]), name="proposal_log_known"),
            models.CheckConstraint(
                condition=Q(checker_human=None) | ~Q(checker_human=F("maker_human")),
                name="proposal_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(checker=None, checker_human=None) | Q(checker__isnull=False, checker_human__isnull=False),
                name="proposal_checker_and_human_together",
            ),
            models.CheckConstraint(
                condition=(Q(state=State.PERFORMED) | Q(state=State.RETURNED)) & Q(checker_human__isnull=False)
                | ~Q(state=State.PERFORMED) & ~Q(state=State.RETURNED) & Q(checker_human=None),
                name="proposal_decided_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(state=State.PARKED, decided_at=None)
                | (~Q(state=State.PARKED) & Q(decided_at__isnull=False)),
                name="proposal_decided_at_when_not_parked",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["subject_id", "created_at"], name="proposal_by_subject"),
            models.Index(fields=["expires_at"], condition=Q(state=State.PARKED), name="proposal_parked_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.matter or self.subject_id}"

    @property
    def audit_log(self) -> str:
        return self.log

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef(self.key_kind, self.key_id)

    @property
    def audit_matter(self) -> str | None:
        return self.matter or None

    @transition("state", source=State.PARKED, target=State.PERFORMED, permission=is_another_person)
    def confirm(self, *, checker: User, checker_human: UUID, at: datetime) -> None:
        """The second person agrees; the act runs in the same transaction."""
        self.checker, self.checker_human_id, self.decided_at = checker, checker_human, at

    @transition("state", source=State.PARKED, target=State.RETURNED, permission=is_another_person)
    def send_back(self, *, checker: User, checker_human: UUID, answer_sealed: bytes, at: datetime) -> None:
        """The second person does not agree, and says why."""
        self.checker, self.checker_human_id, self.decided_at = checker, checker_human, at
        self.answer_sealed = answer_sealed

    @transition("state", source=State.PARKED, target=State.WITHDRAWN, permission=is_the_maker)
    def withdraw(self, *, at: datetime) -> None:
        self.decided_at = at

    @transition("state", source=State.PARKED, target=State.VOIDED, permission=is_system)
    def void(self, *, changes: dict[str, list[str | None]], at: datetime) -> None:
        """What the maker saw is not what there is."""
        self.changes, self.decided_at = changes, at

    @transition("state", source=State.PARKED, target=State.EXPIRED, permission=is_system)
    def expire(self, *, at: datetime) -> None:
        """Nobody decided in time. It escalates (queries.expired_for) and changes nothing."""
        self.decided_at = at
