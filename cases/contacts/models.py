"""Contacts with a player, caller checks, and what was promised or must be looked at: call-backs and care."""

import uuid
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef
from audit.perform import StateField, Stateful
from cases.models import Case
from cases.permissions import WORK, may
from compliance.people.models import User


class OfCase(models.Model):
    """What belongs to a case: its entries stand in the case's timeline, sealed under the player's key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject


class Contact(OfCase):
    """One exchange with the player or somebody who speaks of them."""

    class Channel(models.TextChoices):
        PHONE = "phone", _("Phone")
        CHAT = "chat", _("Chat")
        EMAIL = "email", _("E-mail")
        SOCIAL = "social", _("Social media")
        IN_PERSON = "in_person", _("In person")

    class Direction(models.TextChoices):
        IN = "in", _("They contacted us")
        OUT = "out", _("We contacted them")

    class Category(models.TextChoices):
        VERIFICATION = "verification", _("Verification and documents")
        WITHDRAWAL = "withdrawal", _("Withdrawal")
        DEPOSIT = "deposit", _("Deposit")
        LIMITS = "limits", _("Limits and breaks")
        CLOSE_ACCOUNT = "close_account", _("Wants to close the account")
        COMPLAINT = "complaint", _("Complaint")
        PRIVACY = "privacy", _("Own data")
        TECHNICAL = "technical", _("Technical trouble")
        OTHER = "other", _("Something else")

    class Outcome(models.TextChoices):
        ANSWERED = "answered", _("Answered")
        PASSED_ON = "passed_on", _("Passed on")
        CALL_BACK = "call_back", _("Call-back promised")
        WAITS = "waits", _("Waits for the player")
        EXCLUSION_OFFERED = "exclusion_offered", _("Exclusion offered")
        NO_ANSWER = "no_answer", _("Nobody answered")

    channel = models.CharField(max_length=12, choices=Channel)
    direction = models.CharField(max_length=3, choices=Direction)
    category = models.CharField(max_length=20, choices=Category)
    outcome = models.CharField(max_length=20, choices=Outcome)
    language = models.CharField(max_length=10)
    solved_at_once = models.BooleanField(default=False, help_text=_("Solved at the first contact"))
    summary_sealed = models.BinaryField()
    word_list = models.DateField(help_text=_("The list of words it was read with"))
    contacted_at = models.DateTimeField()
    logged_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["case", "contacted_at"], name="contact_by_case")]


class CallerCheck(OfCase):
    """Questions put to a caller, and whether the answers were right. The answers themselves are not kept."""

    asked = ArrayField(models.CharField(max_length=20))
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    passed = models.BooleanField(null=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(answered_at=None, passed=None) | Q(answered_at__isnull=False, passed__isnull=False),
                name="caller_check_answered_at_and_passed_together",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["case", "started_at"], name="caller_check_by_case")]


def may_work(task: Any, user: Any) -> bool:
    return may(user, WORK, task.case)


class Task(OfCase, Stateful):
    """Something that must be done by a time: it hangs on the case, not on a person, so a handover cannot lose it."""

    audit_prefix = "tasks"

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Done")

    class Kind(models.TextChoices):
        CALL_BACK = "call_back", _("Call back")
        CARE = "care", _("Urgent: words that may mean self-harm")
        CONTACT = "contact", _("Contact the player")

    OUTCOMES: ClassVar = {
        "call_back": [
            ("reached", _("Reached the player")),
            ("not_reached", _("Not reached")),
            ("not_needed", _("No longer needed")),
        ],
        "care": [
            ("spoke", _("Spoke with the player: no danger now")),
            ("helped", _("Emergency services or a helpline were called")),
            ("handed_over", _("Handed to the responsible gaming officer")),
            ("other_meaning", _("The words meant something else")),
        ],
        # Why is in the case, for those who may read it: no word here tells of a player's health.
        "contact": [
            ("reached", _("Reached the player")),
            ("not_reached", _("Not reached")),
            ("not_needed", _("No longer needed")),
        ],
    }

    kind = models.CharField(max_length=12, choices=Kind)
    state = StateField(default=State.OPEN, choices=State.choices, protected=True)
    due_at = models.DateTimeField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", help_text=_("Empty: the product itself")
    )
    contact = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=20, blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=["open", "closed"]), name="task_state"),
            models.CheckConstraint(
                condition=(Q(closed_at=None, closed_by=None, outcome="") & ~Q(state="closed"))
                | (Q(closed_at__isnull=False, closed_by__isnull=False, state="closed") & ~Q(outcome="")),
                name="task_closed_with_outcome",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at", "id"], condition=Q(closed_at=None), name="task_open_by_due"),
            models.Index(fields=["case"], name="task_by_case"),
        ]

    @property
    def outcomes(self) -> list[tuple[str, Any]]:
        return list(self.OUTCOMES[self.kind])

    def unmet(self, transition: str) -> list[str]:
        return []

    @transition("state", source=State.OPEN, target=State.CLOSED, permission=may_work)
    def settle(self, *, by: Acts, outcome: str, at: Any) -> None:
        """It ends with an outcome, never by itself."""
        self.outcome, self.closed_at, self.closed_by_id = outcome, at, getattr(by, "pk", None)
