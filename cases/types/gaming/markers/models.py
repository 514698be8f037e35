"""What is counted of signs of harm, and what the product did by itself because of it: health data, of the same
compartment as interactions.
"""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef, System
from audit.perform import StateField, Stateful, StatefulQuerySet
from cases.marks.models import Named, PlayerMark
from cases.permissions import WORK, granted
from cases.types.gaming.models import KIND, GamingRequest
from compliance.people.conflicts.queries import declared_by
from compliance.people.models import Customer, Restriction, User
from compliance.people.permissions import has_right

READ_CARE = "gaming.read_interaction"
LASTING = frozenset({"limit"})  # acts that nobody can end yet: no policy of ours calls for them


class Due(models.Model):
    """A player of whom something new is known. The row goes in the transaction that counts them; `asked` makes whoever
    adds to it wait for that, so that nothing new is passed over.
    """

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, primary_key=True, related_name="+")
    due_at = models.DateTimeField()
    asked = models.PositiveIntegerField(default=1)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["due_at"], name="markers_due_by_time")]


class Score(models.Model):
    """How a player stands at the newest thing known of them (`as_of`): the sum of the weights of the markers that hold.

    `policy` names the version that it was counted by, `reckoned_sealed` holds every line of the sum under the player's
    key. A digest of other records: thrown away, it can be counted again.
    """

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, primary_key=True, related_name="+")
    value = models.PositiveIntegerField()
    policy = models.CharField(max_length=80)
    as_of = models.DateTimeField()
    counted_at = models.DateTimeField()
    reckoned_sealed = models.BinaryField()

    class Meta:
        default_permissions = ()

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))


class State(models.TextChoices):
    ASKED = "asked", _("To be done")
    DONE = "done", _("Done")
    WAITING = "waiting", _("Waits for a person's look")
    REVIEWED = "reviewed", _("Looked at")
    DROPPED = "dropped", _("Not needed")


class Why(models.TextChoices):
    """Why an act was not needed any more."""

    KEPT_OUT = "kept_out", _("The player is kept out of play")
    CLOSED = "closed", _("The account is stopped for good")
    CALLED = "called", _("A person contacts the player")
    NO_ACCOUNT = "no_account", _("The player has no account any more")
    ERASED = "erased", _("The player was erased")
    NOTHING = "nothing", _("There was nothing to lower")


class Outcome(models.TextChoices):
    RIGHT = "right", _("Right: it stays")
    MORE = "more", _("More is needed: I did it")
    NOT_RIGHT = "not_right", _("Not right: I propose to end it")


def is_system(action: Any, user: Any) -> bool:
    return isinstance(user, System)


def may_review(action: Any, user: Any) -> bool:
    return CareAction.objects.visible_to(user).filter(pk=action.pk).exists()


class CareActionQuerySet(StatefulQuerySet["CareAction"]):
    def visible_to(self, user: Any) -> "CareActionQuerySet":
        """For responsible-gaming officers of a team that works on play protection at the player's licensee; none of
        players whom they know, of cases that they do not see, nor of marked players whose mark does not name them.
        """
        if isinstance(user, System) or not getattr(user, "is_active", False) or not has_right(user, READ_CARE):
            return self.none()
        queues: Any = granted(user, WORK, GamingRequest._meta.get_field("queue").related_model).filter(kind=KIND)
        known = declared_by(user).values("customer_id")
        living = self.filter(customer__erased_at=None)
        mine = living.filter(customer__licensee__in=queues.values("licensee")).exclude(customer__in=known)
        seen = GamingRequest.objects.visible_to(user).order_by()
        marked = PlayerMark.objects.standing().exclude(pk__in=Named.objects.filter(user_id=user.pk).values("mark"))
        without_case = Q(case=None) & ~Q(customer__in=marked.values("customer"))
        return mine.filter(without_case | Q(case__in=seen.values("pk")))


class CareAction(Stateful):
    """Something that the product did by itself because of a score. asked -> done, or where it is strong
    asked -> waiting -> reviewed; asked -> dropped where it is not needed (`why`). Nothing here ends what it began:
    that takes two persons, as everywhere. `due_at` is when it is tried, `attempts` how often it could not be done.

    `reckoned_sealed` is the sum that it rested on; `case` where it can be followed; `restriction` what it laid down;
    `limits_sealed` the limits that it imposed, each with its arithmetic (limiting.py).
    """

    State = State
    Outcome = Outcome
    audit_prefix = "markers"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    act = models.CharField(max_length=20)
    state = StateField(default=State.ASKED, choices=State.choices, protected=True)
    rule = models.CharField(max_length=60)
    score = models.PositiveIntegerField()
    policy = models.CharField(max_length=80)
    reckoned_sealed = models.BinaryField()
    asked_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    why = models.CharField(max_length=12, choices=Why, blank=True)
    done_at = models.DateTimeField(null=True)
    review_due_at = models.DateTimeField(null=True)
    case = models.ForeignKey(GamingRequest, null=True, on_delete=models.PROTECT, related_name="+")
    restriction = models.ForeignKey(Restriction, null=True, on_delete=models.PROTECT, related_name="+")
    limits_sealed = models.BinaryField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    note_sealed = models.BinaryField(null=True)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar[Any] = CareActionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        base_manager_name = "objects"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="care_action_state_known"),
            models.UniqueConstraint(
                fields=["customer", "act"],
                condition=Q(state__in=[State.ASKED, State.WAITING]),
                name="care_action_one_open",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.REVIEWED)
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False) & ~Q(outcome=""),
                name="care_action_reviewed_by_a_person",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state=State.ASKED), name="care_action_asked"),
            models.Index(fields=["review_due_at"], condition=Q(state=State.WAITING), name="care_action_waiting"),
            models.Index(fields=["customer", "act", "-asked_at"], name="care_action_of_player"),
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))

    def is_late(self, at: datetime) -> bool:
        """Whether a person should have looked at it by this moment."""
        return self.state == State.WAITING and self.review_due_at is not None and self.review_due_at < at

    @transition("state", source=State.ASKED, target=State.DONE, permission=is_system)
    def finish(self, *, by: Acts, at: Any, case: Any = None) -> None:
        """It was done, and nobody has to look at it."""
        self.done_at, self.case = at, case

    @transition("state", source=State.ASKED, target=State.DROPPED, permission=is_system)
    def drop(self, *, by: Acts, at: Any, why: str) -> None:
        """It is not needed, or would be out of place, and was not done."""
        self.done_at, self.why = at, why

    @transition("state", source=State.ASKED, target=State.WAITING, permission=is_system)
    def await_review(
        self, *, by: Acts, at: Any, due_at: Any, case: Any = None, restriction: Any = None, limits: bytes | None = None
    ) -> None:
        """It was done; a person has to look at it."""
        self.done_at, self.review_due_at, self.case, self.restriction = at, due_at, case, restriction
        self.limits_sealed = limits

    @transition("state", source=State.WAITING, target=State.REVIEWED, permission=may_review)
    def review(self, *, by: Acts, at: Any, outcome: str, note_sealed: bytes | None = None) -> None:
        """A person looked at it. It stays as it is whatever they say: ending it is an act of its own."""
        self.outcome, self.note_sealed, self.reviewed_at = outcome, note_sealed, at
        self.reviewed_by = by  # type: ignore[assignment]
