"""Amounts that players reached, and which players are to be added up."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from cases.models import Case
from compliance.people.models import Account, Customer


class Look(models.Model):
    """That a player moved money which nobody added up yet: written in the transaction that counts it, gone when it is.

    Only ever added and removed, and without a constraint on the customer: whoever counts waits for nobody.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    since = models.DateTimeField(help_text=_("When the first of these transactions happened"))
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["due_at"], name="amounts_look_by_due")]


class Crossing(models.Model):
    """An amount of the policy that a player reached: once for each level and version of the policy.

    `crossed_at` is the transaction's own time, `knowable_at` when what had reached us by then amounted to it. What was
    asked for, when and until when stands with the requirements of `case`. `total` is in minor units of `currency`.
    `by_withdrawal`: a withdrawal reached it, and the player is not known to have paid in or played since.
    """

    class Became(models.TextChoices):
        WAITS = "waits", _("Not asked for yet")
        OPENED = "opened", _("A verification was opened")
        RAISED = "raised", _("The open verification asks for more")
        COVERED = "covered", _("The open verification asks for it")
        REACHED = "reached", _("The player has the level")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="crossings")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    level = models.CharField(max_length=10)
    policy_version = models.CharField(max_length=80)
    rule_id = models.CharField(max_length=80)
    leg = models.CharField(max_length=12, help_text=_("What was added up: the kind of the transaction"))
    transaction = models.UUIDField(help_text=_("The transaction that reached it"))
    by_withdrawal = models.BooleanField(default=False)
    total = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    crossed_at = models.DateTimeField()
    knowable_at = models.DateTimeField()
    found_at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=10, choices=Became, default=Became.WAITS)
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="crossings")

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "level", "policy_version"], name="crossing_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=("opened", "raised", "covered"), case__isnull=False)
                | Q(outcome__in=("waits", "reached"), case=None),
                name="crossing_names_its_case",
            ),
            models.CheckConstraint(condition=Q(knowable_at__gte=F("crossed_at")), name="crossing_known_after"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["found_at"], condition=Q(outcome="waits"), name="crossing_not_asked_for")
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))

    @property
    def audit_matter(self) -> str:
        return self.case.number if self.case else ""
