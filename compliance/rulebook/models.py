"""What an operator chose on top of the law, as sets that never change once they are decided."""

import secrets
import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_fsm import transition

from audit.perform import StateField, Stateful, StatefulQuerySet
from compliance.people.models import Licensee, User
from compliance.people.permissions import has_right
from compliance.people.reach import decides_for

VIEW, CHANGE = "rulebook.view_rules", "rulebook.change_rules"
CODE_BYTES = 4


class State(models.TextChoices):
    DRAFT = "draft", gettext_lazy("Draft")
    APPROVED = "approved", gettext_lazy("Approved")
    WITHDRAWN = "withdrawn", gettext_lazy("Withdrawn")


def may_change(rule_set: Any, user: Any) -> bool:
    """Who decides on cases of a licensee in a role that changes rules may change its rules; of no other licensee's."""
    return has_right(user, CHANGE) and decides_for(rule_set.licensee, user, CHANGE)


def new_code() -> str:
    return secrets.token_hex(CODE_BYTES)


class RuleSet(Stateful):
    """All of a licensee's own values from one day on: draft -> approved (two persons) or withdrawn.

    `values` maps a key of `changes.changeable` to its value as JSON, and is whole: what a set does not name is as the
    law's files say. `code` stands in the version that a case pins ("GB-2026-06-30~1f3a9c2e"), so an approved set stays
    for ever; the database refuses its change. `base` is the version of the files on which it was drafted.
    """

    audit_prefix: ClassVar[str] = "rulebook"
    State = State

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=2 * CODE_BYTES, unique=True, default=new_code, editable=False)
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="rule_sets")
    state = StateField(default=State.DRAFT, choices=State, protected=True)
    effective_from = models.DateField(help_text=gettext_lazy("The licensee's day"))
    values = models.JSONField()
    base = models.CharField(max_length=40)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_at = models.DateTimeField(null=True)

    objects: ClassVar = StatefulQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [
            ("view_rules", "Can see the rules in force and where they come from"),
            ("change_rules", "Can draft, propose and confirm changes of the rules"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="rule_set_state_known"),
            models.CheckConstraint(
                condition=Q(state=State.DRAFT, decided_at=None) | ~Q(state=State.DRAFT) & Q(decided_at__isnull=False),
                name="rule_set_decided_at_once_decided",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["licensee", "effective_from"], condition=Q(state=State.APPROVED), name="rule_set_in_force"
            )
        ]

    def __str__(self) -> str:
        return self.code

    def unmet(self, transition: str) -> list[str]:
        """A day that has begun is past: cases were opened on it under other rules."""
        if transition == "approve" and self.effective_from <= self.licensee.today():
            return [str(_("The first day has come already. Draft it again for a later day."))]
        return []

    @transition(field=state, source=State.DRAFT, target=State.APPROVED, permission=may_change)
    def approve(self) -> None:
        self.decided_at = timezone.now()

    @transition(field=state, source=State.DRAFT, target=State.WITHDRAWN, permission=may_change)
    def withdraw(self) -> None:
        self.decided_at = timezone.now()
