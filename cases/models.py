"""What every matter has, whatever its kind: Case, Evidence, Message, Note, and the grants on them."""

import uuid
from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import transition
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from audit.actors import Acts, SubjectRef, System
from audit.perform import StateField, Stateful
from cases.permissions import DECIDE, VIEW, WORK, may
from cases.queries import CaseQuerySet
from compliance.people.models import Account, Customer, Licensee, Team, User
from documents.models import Document

PRIORITIES: list[Any] = [
    (0, pgettext_lazy("priority", "Normal")),
    (1, pgettext_lazy("priority", "Raised")),
    (2, pgettext_lazy("priority", "High")),
    (3, pgettext_lazy("priority", "Urgent")),
]
GRANTS: list[Any] = [(VIEW, "See cases"), (WORK, "Work on cases"), (DECIDE, "Decide cases")]


class NumberSeries(models.Model):
    """The last tracking number given per series and year."""

    prefix = models.CharField(max_length=3)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["prefix", "year"], name="number_series_once")]


class Queue(models.Model):
    """Team x licensee x kind: where guardian's grants sit."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="queues")
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)
    gives_out = models.BooleanField(default=False, db_default=False, help_text=_("Free cases go to who is on shift"))
    most_each = models.PositiveSmallIntegerField(default=30, db_default=30, help_text=_("Then a person gets no more"))

    class Meta:
        default_permissions = ()
        permissions = GRANTS
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "licensee", "kind"], name="queue_once")]


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: Any) -> Self:
        """Their own, and those that their teams share."""
        return self.filter(Q(owner_id=user.pk) | Q(team__memberships__user_id=user.pk)).distinct()


class SavedView(models.Model):
    """A list of cases by name: how it is filtered and sorted, never the words somebody searched for."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=400, help_text=_("The query part of the list's address"))
    saved_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar = SavedViewQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "name"], name="saved_view_name_once")]


class Case(Stateful):
    """One matter with one player. Each kind is a proxy with its states; `outcome` says how it ended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=24, unique=True)
    kind = models.CharField(max_length=20, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="cases")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="cases")
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    jurisdiction = models.CharField(max_length=2, help_text=_("The licensee's, pinned at opening"))
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="cases")
    state = StateField(default="open", protected=True)
    outcome = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    waiting_for = models.CharField(max_length=20, blank=True, choices=[("player", _("the player"))])
    priority = models.PositiveSmallIntegerField(default=0, choices=PRIORITIES)
    raised_by = ArrayField(
        models.CharField(max_length=40), default=list, db_default=[], help_text=_("Rules that raised the priority")
    )
    snoozed_until = models.DateTimeField(null=True, help_text=_("Out of the lists of work until then"))
    snoozed_because = models.CharField(max_length=40, blank=True, db_default="")
    wakes_on = models.CharField(max_length=20, blank=True, db_default="", help_text=_("What brings it back earlier"))
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="merged")
    assignee = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="cases")
    restricted = models.BooleanField(default=False)
    policy_version = models.CharField(max_length=40)
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=60, help_text=_("Actor, as kind:id"))
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(
        db_default=Now(), editable=False, help_text=_("When its place in the lists changed; the database keeps it")
    )
    last_contact_at = models.DateTimeField(
        null=True, editable=False, help_text=_("When the player and somebody of the house were last in touch")
    )

    objects: ClassVar = CaseQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        permissions = GRANTS
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="") | (Q(closed_at__isnull=False) & ~Q(outcome="")),
                name="case_closed_at_and_outcome_together",
            ),
            models.CheckConstraint(
                condition=Q(waiting_for="") | Q(closed_at=None), name="case_closed_waits_for_nobody"
            ),
            models.CheckConstraint(
                condition=Q(snoozed_until=None, snoozed_because="", wakes_on="")
                | (Q(snoozed_until__isnull=False) & ~Q(snoozed_because="")),
                name="case_snoozed_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=models.F("id")), name="case_merged_into_another"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-priority", "due_at", "id"], condition=Q(closed_at=None), name="case_open_by_due"),
            models.Index(fields=["queue", "kind", "state"], condition=Q(closed_at=None), name="case_open_by_queue"),
            models.Index(
                fields=["assignee", "due_at", "id"], condition=Q(closed_at=None), name="case_open_by_assignee"
            ),
            models.Index(fields=["opened_at", "id"], condition=Q(closed_at=None), name="case_open_by_age"),
            models.Index(
                Coalesce("last_contact_at", "opened_at"),
                models.F("id"),
                condition=Q(closed_at=None),
                name="case_open_by_contact",
            ),
            models.Index(fields=["customer"], name="case_by_customer"),
            models.Index(fields=["changed_at"], condition=Q(closed_at=None), name="case_open_by_change"),
            models.Index(
                fields=["snoozed_until"], condition=Q(snoozed_until__isnull=False), name="case_snoozed_by_return"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def sleeps(self) -> bool:
        """Snoozed now; a time of return that has passed is no sleep, whether or not a sweep ran."""
        return self.snoozed_until is not None and self.snoozed_until > timezone.now()

    @property
    def audit_matter(self) -> str:
        return self.number

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))


class CaseUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Case, on_delete=models.CASCADE)


class CaseGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Case, on_delete=models.CASCADE)


class QueueUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Queue, on_delete=models.CASCADE)


class QueueGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Queue, on_delete=models.CASCADE)


def may_work(evidence: Any, user: Any) -> bool:
    return may(user, WORK, evidence.case)


def may_decide(evidence: Any, user: Any) -> bool:
    return may(user, DECIDE, evidence.case)


def may_replace(evidence: Any, user: Any) -> bool:
    """The newer file replaces the older one, whoever brought it: staff, the platform or the player."""
    return isinstance(user, System)


def may_move_away(evidence: Any, user: Any) -> bool:
    """Who works on the case; the product in cases that they do not see, which hold the same file."""
    return isinstance(user, System) or may_work(evidence, user)


JUDGEMENTS = ("accept", "ask_again", "reject", "reconsider", "revoke")


class Evidence(Stateful):
    """A document offered for one purpose of a case, and the verdict on it. One document may prove several things."""

    audit_prefix = "evidence"

    class State(models.TextChoices):
        PENDING = "pending", _("To look at")
        ACCEPTED = "accepted", _("Accepted")
        RETURNED = "returned", _("Asked again")
        REJECTED = "rejected", _("Refused")
        SUPERSEDED = "superseded", _("Replaced")
        EXPIRED = "expired", _("Expired")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="evidence")
    purpose = models.CharField(max_length=40)
    document_type = models.CharField(max_length=40, help_text=_("What the file is, such as passport"))
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="evidence")
    state = StateField(default=State.PENDING, choices=State.choices, protected=True)
    reasons = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    told = models.BooleanField(default=False, help_text=_("The player was told of this verdict"))
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    issued_on = models.DateField(null=True, help_text=_("As the paper says"))
    valid_until = models.DateField(null=True, help_text=_("As the paper says: its last good day"))
    good_until = models.DateField(null=True, help_text=_("The last day on which it proves anything"))

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["good_until"], condition=Q(state="accepted"), name="evidence_by_good_until")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "accepted", "returned", "rejected", "superseded", "expired"]),
                name="evidence_state",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["returned", "rejected"]) | ~Q(reasons=[]), name="evidence_refused_with_reason"
            ),
            models.UniqueConstraint(
                fields=["case", "purpose"], condition=Q(state__in=["pending", "accepted"]), name="evidence_one_current"
            ),
        ]

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject

    @property
    def licensee_id(self) -> Any:
        return self.case.licensee_id

    def unmet(self, move: str) -> list[str]:
        if move == "accept" and self.document.state != "ready":
            return [str(_("The file is still being checked. It can be accepted once the check is done."))]
        if move in JUDGEMENTS and self.case.closed_at is not None:
            return [str(_("This case is finished. Its files are judged as they are."))]
        if move == "reconsider" and self.told:
            return [str(_("The player was already told. Wait for the new file, or ask an officer."))]
        if move == "expire" and not self._is_out_of_date():
            return [str(_("This is still good."))]
        if move == "reconsider" and self._has_successor():
            return [str(_("A newer file took its place. Judge that one."))]
        return []

    def _has_successor(self) -> bool:
        current = Evidence.objects.filter(case_id=self.case_id, purpose=self.purpose, state__in=("pending", "accepted"))
        return current.exclude(pk=self.pk).exists()

    def _is_out_of_date(self) -> bool:
        today = self.case.licensee.today()
        return self.good_until is not None and self.good_until < today

    def _decide(self, by: Any, reasons: list[str], at: Any) -> None:
        self.reasons, self.decided_by_id, self.decided_at = reasons, getattr(by, "pk", None), at
        self.told = False
        self.issued_on = self.valid_until = self.good_until = None

    @transition("state", source=State.PENDING, target=State.ACCEPTED, permission=may_work)
    def accept(
        self, *, by: Acts, at: Any, issued_on: Any = None, valid_until: Any = None, good_until: Any = None
    ) -> None:
        self._decide(by, [], at)
        self.issued_on, self.valid_until, self.good_until = issued_on, valid_until, good_until

    @transition("state", source=State.PENDING, target=State.RETURNED, permission=may_work)
    def ask_again(self, *, by: Acts, reasons: list[str], at: Any) -> None:
        self._decide(by, reasons, at)

    @transition("state", source=State.PENDING, target=State.REJECTED, permission=may_work)
    def reject(self, *, by: Acts, reasons: list[str], at: Any) -> None:
        self._decide(by, reasons, at)

    @transition("state", source=State.ACCEPTED, target=State.PENDING, permission=may_decide)
    def revoke(self, *, by: Acts) -> None:
        """An officer takes the acceptance back: it has to be judged anew."""
        self._decide(None, [], None)

    @transition("state", source=[State.RETURNED, State.REJECTED], target=State.PENDING, permission=may_work)
    def reconsider(self, *, by: Acts) -> None:
        """Take a verdict back that the player was not told of yet."""
        self._decide(None, [], None)

    @transition("state", source=[State.PENDING, State.RETURNED], target=State.SUPERSEDED, permission=may_replace)
    def supersede(self, *, by: Acts) -> None:
        """A newer file for the same purpose took its place."""

    @transition(
        "state",
        source=[State.PENDING, State.ACCEPTED, State.RETURNED, State.REJECTED, State.EXPIRED],
        target=State.SUPERSEDED,
        permission=may_move_away,
    )
    def move_away(self, *, by: Acts) -> None:
        """The file is another player's: it proves nothing here, also in a case that is finished."""
        self.issued_on = self.valid_until = self.good_until = None

    @transition("state", source=State.ACCEPTED, target=State.EXPIRED, permission=may_replace)
    def expire(self, *, by: Acts, reasons: list[str]) -> None:
        """What it proves is out of date. The player is asked for another one, if the case goes on."""
        self.reasons, self.told = reasons, False


class Message(models.Model):
    """What the player is told, word for word, sealed. An outbox row sends it after the commit."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="messages")
    code = models.CharField(max_length=40)
    language = models.CharField(max_length=10)
    text_sealed = models.BinaryField()
    written_at = models.DateTimeField()
    written_by = models.CharField(max_length=60)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject


class Note(models.Model):
    """What staff tell each other about a case. It never leaves the house."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    text_sealed = models.BinaryField()
    written_at = models.DateTimeField()
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject
