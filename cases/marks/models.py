"""A player whose cases are for few: who said so, who may see them, and which cases are closed by it."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef
from audit.perform import StateField, Stateful, StatefulQuerySet
from cases.models import Case
from cases.permissions import DECIDE
from compliance.people.models import Customer, User


class MarkQuerySet(StatefulQuerySet["PlayerMark"]):
    def standing(self) -> Self:
        return self.filter(state=PlayerMark.State.SET)

    def decided_by(self, user: Any) -> Self:
        """Those that name this person, of players of whom they may decide a case."""
        theirs = Case.objects.allowed_to(user, DECIDE)
        own: Any = getattr(user, "pk", None)
        named = Named.objects.filter(user_id=own)
        return self.filter(pk__in=named.values("mark"), customer__in=theirs.values("customer"))


def may_lift(mark: Any, user: Any) -> bool:
    return bool(PlayerMark.objects.decided_by(user).filter(pk=mark.pk).exists())


class PlayerMark(Stateful):
    """set -> lifted. One at a time of each player."""

    audit_prefix = "marks"

    class State(models.TextChoices):
        SET = "set", _("Set")
        LIFTED = "lifted", _("Lifted")

    class Kind(models.TextChoices):
        WELL_KNOWN = "well_known", _("The player is well known")
        WORKS_HERE = "works_here", _("The player works here")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="marks")
    kind = models.CharField(max_length=12, choices=Kind)
    state = StateField(default=State.SET, choices=State, protected=True)
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    objects: ClassVar = MarkQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=["set", "lifted"]), name="mark_state"),
            models.UniqueConstraint(fields=["customer"], condition=Q(state="set"), name="one_mark_stands"),
            models.CheckConstraint(
                condition=Q(state="set", lifted_at=None) | Q(state="lifted", lifted_at__isnull=False),
                name="mark_lifted_has_its_moment",
            ),
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return self.customer.audit_subject

    @transition("state", source=State.SET, target=State.LIFTED, permission=may_lift)
    def lift(self, *, by: Acts, at: Any) -> None:
        """The player's cases are the team's again."""
        self.lifted_at = at


class Named(models.Model):
    """Somebody who may see the player's cases, each with the rights of their own roles."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mark = models.ForeignKey(PlayerMark, on_delete=models.CASCADE, related_name="named")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager["Named"]] = models.Manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["mark", "user"], name="named_once")]


class ClosedCase(models.Model):
    """A case that is restricted because of a mark, and because of nothing else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mark = models.ForeignKey(PlayerMark, on_delete=models.CASCADE, related_name="closed")
    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="closed_by_mark")

    objects: ClassVar[models.Manager["ClosedCase"]] = models.Manager()

    class Meta:
        default_permissions = ()
