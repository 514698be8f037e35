"""Exclusions: a person kept out of play, what tells that person when they come back, and what outlives a restore.

The database itself refuses whatever would end one early (migrations/0002_nobody_alone.py); times are by its clock.
"""

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
from audit.perform import StateField, Stateful, StatefulQuerySet
from compliance.people.exclusions.clock import can_be_trusted
from compliance.people.models import Customer, Licensee, Person, Restriction, User


class State(models.TextChoices):
    ACTIVE = "active", _("In force")
    PERSISTING = "persisting", _("In force after its term")
    RETURN_REQUESTED = "return_requested", _("Return asked for")
    COOLING = "cooling", _("Time to reflect")
    ENDED = "ended", _("Ended")
    ANNULLED = "annulled", _("Annulled")


LIVE = (State.ACTIVE, State.PERSISTING, State.RETURN_REQUESTED, State.COOLING)


class Kind(models.TextChoices):
    TIME_OUT = "time_out", _("Time-out")
    SELF_EXCLUSION = "self_exclusion", _("Self-exclusion")


class AskedBy(models.TextChoices):
    SELF = "self", _("The player")
    THIRD_PARTY = "third_party", _("Somebody else")
    OPERATOR = "operator", _("The operator")
    REGISTER = "register", _("A national register")


def is_system(subject: Any, user: Any) -> bool:
    return isinstance(user, System)


def is_staff(subject: Any, user: Any) -> bool:
    """A member of staff. Which one, and whether two agreed, is asked above and by the database."""
    return isinstance(user, User) and user.is_active


def speaks_for_the_player(subject: Any, user: Any) -> bool:
    """The player through the platform or their link, or staff who wrote down what they said; asked above."""
    return bool(user.is_active) and not isinstance(user, System)


class ExclusionQuerySet(StatefulQuerySet["Exclusion"]):
    def live(self) -> "ExclusionQuerySet":
        return self.filter(state__in=LIVE)

    def of(self, person_id: Any) -> "ExclusionQuerySet":
        return self.live().filter(person_id=person_id)


class Exclusion(Stateful):
    """active -> persisting -> return_requested -> cooling -> ended; fixed terms may end by themselves; or annulled.

    `term_ends_at`: the end that was chosen (None: without an end). `ends_at`: when it ends if nobody asks (None:
    never). `return_from`: from when the player may ask to return (None: never).
    """

    audit_prefix: ClassVar[str] = "exclusion"
    State = State

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="exclusions")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="exclusions")
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    restriction = models.OneToOneField(Restriction, on_delete=models.PROTECT, related_name="exclusion")
    kind = models.CharField(max_length=20, choices=Kind)
    asked_by = models.CharField(max_length=20, choices=AskedBy)
    scope = models.CharField(max_length=10, choices=[("group", _("group")), ("licensee", _("licensee"))])
    state = StateField(default=State.ACTIVE, choices=State.choices, protected=True)
    starts_at = models.DateTimeField()
    term_ends_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    return_from = models.DateTimeField(null=True)
    policy_version = models.CharField(max_length=40)
    matter = models.CharField(max_length=24, blank=True, help_text=_("The tracking number it was asked for under"))
    carried_from = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="carried")
    return_asked_at = models.DateTimeField(null=True)
    return_channel = models.CharField(max_length=20, blank=True)
    cooling_ends_at = models.DateTimeField(null=True)
    confirm_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar = ExclusionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        base_manager_name = "objects"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    state__in=["active", "persisting", "return_requested", "cooling", "ended", "annulled"],
                ),
                name="exclusion_state",
            ),
            models.CheckConstraint(
                condition=Q(term_ends_at=None) | Q(term_ends_at__gt=models.F("starts_at")),
                name="exclusion_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=models.F("term_ends_at")),
                name="exclusion_lasts_its_term",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["person"],
                condition=Q(state__in=["active", "persisting", "return_requested", "cooling"]),
                name="exclusion_live_by_person",
            ),
            models.Index(fields=["ends_at"], condition=Q(state__in=["active", "persisting"]), name="exclusion_by_end"),
        ]

    @property
    def audit_subject(self) -> SubjectRef | None:
        return SubjectRef("customer", str(self.customer_id)) if self.customer_id else None

    @property
    def audit_matter(self) -> str | None:
        return self.matter or None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    def _past(self, **when: Any) -> bool:
        return Exclusion.objects.filter(
            pk=self.pk, **{f"{name}__lte": moment for name, moment in when.items()}
        ).exists()

    def unmet(self, move: str) -> list[str]:
        """Why not yet, in words. By the clock of the database, which asks the same once more."""
        if move == "persist" and not self._past(term_ends_at=Now()):
            return [str(_("Its term still runs."))]
        if move == "end":
            return self._why_it_does_not_end()
        if move == "ask_return" and not self._past(return_from=Now()):
            return [str(_("A return cannot be asked for yet."))]
        if move == "confirm_return" and not self._past(cooling_ends_at=Now()):
            return [str(_("The time to reflect still runs."))]
        if move == "confirm_return" and self._past(confirm_until=Now()):
            return [str(_("The time to confirm is over. The player may ask again."))]
        if move == "lapse_return" and not self._past(confirm_until=Now()):
            return [str(_("The player may still confirm."))]
        return []

    def _why_it_does_not_end(self) -> list[str]:
        if not self._past(ends_at=Now()):
            return [str(_("It still runs."))]
        return (
            [] if can_be_trusted() else [str(_("The clock made a leap. Nothing ends before a person vouched for it."))]
        )

    @transition("state", source=State.ACTIVE, target=State.PERSISTING, permission=is_system)
    def persist(self, *, by: Acts) -> None:
        """The term is over, and it does not end by itself."""

    @transition("state", source=[State.ACTIVE, State.PERSISTING], target=State.ENDED, permission=is_system)
    def end(self, *, by: Acts, at: datetime) -> None:
        """The policy lets it end by itself."""
        self.ended_at = at

    @transition(
        "state",
        source=[State.ACTIVE, State.PERSISTING],
        target=State.RETURN_REQUESTED,
        permission=speaks_for_the_player,
    )
    def ask_return(self, *, by: Acts, channel: str, at: datetime) -> None:
        """The player wants to play again."""
        self.return_asked_at, self.return_channel = at, channel

    @transition("state", source=State.RETURN_REQUESTED, target=State.COOLING, permission=is_staff)
    def accept_return(self, *, by: Acts, cooling_ends_at: datetime, confirm_until: datetime | None) -> None:
        """Two officers agree; the time to reflect runs."""
        self.cooling_ends_at, self.confirm_until = cooling_ends_at, confirm_until

    def _still_out(self) -> None:
        self.return_asked_at = self.cooling_ends_at = self.confirm_until = None
        self.return_channel = ""

    @transition("state", source=State.RETURN_REQUESTED, target=State.ACTIVE, permission=is_staff)
    def refuse_return(self, *, by: Acts) -> None:
        self._still_out()

    @transition(
        "state",
        source=[State.RETURN_REQUESTED, State.COOLING],
        target=State.ACTIVE,
        permission=speaks_for_the_player,
    )
    def take_back_return(self, *, by: Acts) -> None:
        """The player thought better of it."""
        self._still_out()

    @transition("state", source=State.COOLING, target=State.ACTIVE, permission=is_system)
    def lapse_return(self, *, by: Acts) -> None:
        """Nobody confirmed in time."""
        self._still_out()

    @transition("state", source=State.COOLING, target=State.ENDED, permission=speaks_for_the_player)
    def confirm_return(self, *, by: Acts, at: datetime) -> None:
        self.ended_at = at

    @transition("state", source=list(LIVE), target=State.ANNULLED, permission=is_staff)
    def annul(self, *, by: Acts, at: datetime) -> None:
        """It was set on the wrong person."""
        self.ended_at = at


class DuplicateState(models.TextChoices):
    OPEN = "open", _("To look at")
    CLEARED = "cleared", _("Somebody else")
    CONFIRMED = "confirmed", _("The same person")
    OVER = "over", _("Over")


class Duplicate(Stateful):
    """A player who resembles a person who is kept out: play is stopped until two persons say that it is another.

    A pair that was cleared and comes to agree in more is a new row.

    `by` names what agrees: national_id, email, phone, name_birth, device, payment_instrument, document.
    """

    audit_prefix: ClassVar[str] = "duplicate"
    State = DuplicateState

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="resembled_by")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="resembles")
    restriction = models.OneToOneField(Restriction, on_delete=models.PROTECT, related_name="duplicate")
    by = ArrayField(models.CharField(max_length=20))
    state = StateField(default=DuplicateState.OPEN, choices=DuplicateState.choices, protected=True)
    found_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        base_manager_name = "objects"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["open", "cleared", "confirmed", "over"]), name="duplicate_state"
            ),
            models.UniqueConstraint(
                fields=["person", "customer"],
                condition=Q(state__in=["open", "confirmed"]),
                name="duplicate_once_per_pair",
            ),
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))

    @transition("state", source=DuplicateState.OPEN, target=DuplicateState.CLEARED, permission=is_staff)
    def clear(self, *, by: Acts, at: datetime) -> None:
        """Two persons looked: it is somebody else."""
        self.decided_at = at

    @transition("state", source=DuplicateState.OPEN, target=DuplicateState.CONFIRMED, permission=is_staff)
    def confirm(self, *, by: Acts, at: datetime) -> None:
        """It is the person who is kept out."""
        self.decided_at = at

    @transition(
        "state",
        source=[DuplicateState.OPEN, DuplicateState.CONFIRMED],
        target=DuplicateState.OVER,
        permission=is_system,
    )
    def lapse(self, *, by: Acts, at: datetime) -> None:
        """Nobody is kept out any more whom it resembled."""
        self.decided_at = at


class Suppressed(models.Model):
    """A keyed digest by which an excluded person is known again: it stays when their data and their key are gone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="suppressed")
    what = models.CharField(max_length=20)
    digest = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "what", "digest"], name="suppressed_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["digest"], name="suppressed_by_digest")]


class LedgerEntry(models.Model):
    """What happened to an exclusion, as the file beside the keys remembers it too: ids, times, keyed digests."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    exclusion_id = models.UUIDField()
    what = models.CharField(max_length=20)
    body = models.JSONField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()


class ClockMark(models.Model):
    """When this installation last looked at the clock; one row. A leap since then ends nothing."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="clock_mark_is_one")]
