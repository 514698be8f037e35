"""Two players who may be one person, and what a player is known by beside name and contacts."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef
from audit.perform import StateField, Stateful
from compliance.people.models import Customer, Restriction, User


class Trait(models.Model):
    """A device or payment instrument that the platform saw with a player, as a keyed digest: nothing can be read."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="traits")
    what = models.CharField(max_length=20)
    digest_index = models.BinaryField(null=True)
    seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "what", "digest_index"], name="trait_once")
        ]
        indexes: ClassVar = [models.Index(fields=["what", "digest_index"], name="trait_by_digest")]


def is_a_person(link: Any, user: Any) -> bool:
    """Which of the staff, and that two agree, is asked above: by the act that is proposed."""
    return isinstance(user, User)


class Link(Stateful):
    """Two customers of one licensee who agree in something. `first` has the smaller id, so a pair stands once."""

    audit_prefix = "sameness"

    class State(models.TextChoices):
        FOUND = "found", _("May be the same person")
        LINKED = "linked", _("The same person")
        DISMISSED = "dismissed", _("Two persons")
        PARTED = "parted", _("Two persons after all")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    first = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    agrees_in = ArrayField(models.CharField(max_length=20), help_text=_("What is the same: national_id, device, …"))
    state = StateField(default=State.FOUND, choices=State.choices, protected=True)
    found_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        base_manager_name = "objects"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["first", "second"], name="sameness_pair_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="sameness_in_order"),
            models.CheckConstraint(
                condition=Q(state__in=["found", "linked", "dismissed", "parted"]), name="sameness_state"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["second"], name="sameness_by_second")]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.first_id))

    def other(self, customer: Customer) -> Customer:
        return self.second if self.first_id == customer.pk else self.first

    @transition(
        "state", source=[State.FOUND, State.DISMISSED, State.PARTED], target=State.LINKED, permission=is_a_person
    )
    def join(self, *, by: Acts, at: datetime) -> None:
        """They are one person: what keeps one out keeps the other out."""
        self.decided_at = at

    @transition("state", source=State.FOUND, target=State.DISMISSED, permission=is_a_person)
    def dismiss(self, *, by: Acts, at: datetime) -> None:
        """They agree in something and are two persons."""
        self.decided_at = at

    @transition("state", source=State.LINKED, target=State.PARTED, permission=is_a_person)
    def part(self, *, by: Acts, at: datetime) -> None:
        """The link was a mistake. Nothing that was stopped is allowed by it."""
        self.decided_at = at


class Carried(models.Model):
    """Which restriction a carried one copies. While the two players are linked, it ends with its origin."""

    restriction = models.OneToOneField(Restriction, primary_key=True, on_delete=models.PROTECT, related_name="carried")
    origin = models.ForeignKey(Restriction, on_delete=models.PROTECT, related_name="copies")

    class Meta:
        default_permissions = ()
