"""An electronic check: a question to a register, a bank or a vendor, and what they said."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef, System
from audit.perform import StateField, Stateful
from cases.models import Case
from cases.permissions import WORK, may


def is_system(check: Any, user: Any) -> bool:
    return isinstance(user, System)


def may_work(check: Any, user: Any) -> bool:
    return may(user, WORK, check.case)


class Kind(models.TextChoices):
    POPULATION_REGISTER = "population_register", _("Population register")
    VERIFICATION_TRANSFER = "verification_transfer", _("Transfer from the player’s own bank account")
    IDV = "idv", _("Identity check by a vendor")
    OCCUPATION = "occupation", _("Occupation")
    BANK_CONTRACT = "bank_contract", _("Contract of the player with a bank")


class Result(models.TextChoices):
    MATCH = "match", _("Confirmed")
    DIFFERS = "differs", _("Does not fit")
    UNCLEAR = "unclear", _("Unclear")


class Check(Stateful):
    """One question. What nobody answered, and what could not be asked, proves nothing: checks fail closed."""

    audit_prefix = "checks"

    class State(models.TextChoices):
        ASKED = "asked", _("Asked")
        ANSWERED = "answered", _("Answered")
        FAILED = "failed", _("Could not be asked")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="checks")
    kind = models.CharField(max_length=30, choices=Kind)
    state = StateField(default=State.ASKED, choices=State.choices, protected=True)
    result = models.CharField(max_length=10, blank=True, choices=Result)
    codes = models.JSONField(default=list)
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=60, help_text=_("Actor, as kind:id"))
    said_at = models.DateTimeField(null=True, help_text=_("The source’s own time of its newest answer"))
    error = models.CharField(max_length=40, blank=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=["asked", "answered", "failed"]), name="check_state"),
            models.CheckConstraint(
                condition=Q(state="answered", said_at__isnull=False) & ~Q(result="")
                | ~Q(state="answered") & Q(result="", said_at=None),
                name="check_answered_as_a_whole",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["case", "kind", "-asked_at"], name="check_newest")]

    def __str__(self) -> str:
        return str(Kind(self.kind).label)

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject

    @transition(
        "state", source=[State.ASKED, State.FAILED, State.ANSWERED], target=State.ANSWERED, permission=is_system
    )
    def answer(self, *, by: Acts, result: str, codes: list[str], said_at: datetime) -> None:
        """They said something; a newer answer takes the place of an older one."""
        self.result, self.codes, self.said_at, self.error = result, codes, said_at, ""

    @transition("state", source=State.ASKED, target=State.FAILED, permission=is_system)
    def fail(self, *, by: Acts, error: str) -> None:
        """Nobody could be asked. It proves nothing."""
        self.error = error

    @transition("state", source=State.FAILED, target=State.ASKED, permission=may_work)
    def ask_again(self, *, by: Acts) -> None:
        self.error, self.asked_at = "", timezone.now()
