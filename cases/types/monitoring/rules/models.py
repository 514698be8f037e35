"""Rules as versioned data, and the flags that they raise."""

import uuid
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef
from audit.perform import StateField, Stateful, StatefulQuerySet
from compliance.people.models import Customer, Licensee, User

VIEW, CHANGE = "monitoring_rules.view_rules", "monitoring_rules.change_rules"


class State(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SHADOW = "shadow", _("In the shadow")
    LIVE = "live", _("Live")
    RETIRED = "retired", _("Retired")


class Severity(models.TextChoices):
    LOW = "low", _("low")
    MEDIUM = "medium", _("medium")
    HIGH = "high", _("high")
    CRITICAL = "critical", _("critical")


def may_change(rule: Any, user: Any) -> bool:
    """People of the AML side only: neither the product nor an API key writes rules."""
    asked = getattr(user, "has_perm", None)
    return bool(user.is_active and user.human_id is not None and asked and asked(CHANGE))


class RuleQuerySet(StatefulQuerySet["Rule"]):
    def running(self) -> "RuleQuerySet":
        """Those that every transaction is asked against: live ones raise flags, shadows only count."""
        return self.filter(state__in=[State.LIVE, State.SHADOW])


class Rule(Stateful):
    """One version of a rule: draft -> shadow -> live -> retired; draft / shadow / live -> retired.

    `definition` is what `expressions.check` accepts and never changes after the version was made: a change is another
    version. At most one version of a code is live and one in the shadow. Going live needs two persons.
    """

    audit_prefix: ClassVar[str] = "monitoring_rules"
    audit_log = "aml"
    State = State

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=40, help_text=_("What its versions share, such as R01"))
    number = models.PositiveIntegerField(help_text=_("Of the version"))
    title = models.CharField(max_length=120)
    severity = models.CharField(max_length=8, choices=Severity)
    definition = models.JSONField()
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of the canonical definition"))
    state = StateField(default=State.DRAFT, choices=State, protected=True)
    shipped = models.BooleanField(default=False)
    made_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    live_from = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    objects: ClassVar = RuleQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        base_manager_name = "objects"
        permissions: ClassVar = [
            ("view_rules", "Can see the monitoring rules"),
            ("change_rules", "Can write, propose and confirm monitoring rules"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "number"], name="monitoring_rule_version_once"),
            models.UniqueConstraint(fields=["code"], condition=Q(state="live"), name="monitoring_rule_one_live"),
            models.UniqueConstraint(fields=["code"], condition=Q(state="shadow"), name="monitoring_rule_one_shadow"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="monitoring_rule_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.number}"

    @transition("state", source=State.DRAFT, target=State.SHADOW, permission=may_change)
    def shadow(self, *, by: Acts) -> None:
        """Asked of every transaction, and only counted: nobody is flagged."""

    @transition("state", source=[State.DRAFT, State.SHADOW], target=State.LIVE, permission=may_change)
    def activate(self, *, by: Acts, at: Any) -> None:
        """From the next transaction on it raises flags."""
        self.live_from = at

    @transition("state", source=[State.DRAFT, State.SHADOW, State.LIVE], target=State.RETIRED, permission=may_change)
    def retire(self, *, by: Acts, at: Any) -> None:
        """Asked no more. Its flags stay."""
        self.retired_at = at


class FlagFacts(models.Model):
    """Why a rule fired, with all that is needed to see it fire again (`replay.replay`).

    `values` are the numbers that were compared, by their place in the expression; `sentence` says it in English.
    `transactions` are those that contributed, at most 500, `more` how many others. `seen` is how many of the
    customer's transactions were counted then. Firing again adds to it: `hits`, `last_hit_at`, `transactions`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=40, help_text=_("Of the rule"))
    parameters = models.JSONField()
    values = models.JSONField()
    sentence = models.TextField()
    transactions = ArrayField(models.UUIDField())
    more = models.IntegerField(default=0)
    trigger = models.UUIDField(help_text=_("The transaction at which it fired"))
    trigger_at = models.DateTimeField(help_text=_("When that transaction happened"))
    trigger_kind = models.CharField(max_length=12)
    seen = models.IntegerField()
    hits = models.IntegerField(default=1)
    last_hit = models.UUIDField()
    last_hit_at = models.DateTimeField()
    quiet_until = models.DateTimeField(help_text=_("End of the cool-down, by the time of transactions"))
    flagged_at = models.DateTimeField(help_text=_("When the product saw it"))

    audit_log = "aml"

    class Meta:
        abstract = True

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))


class FlagQuerySet(models.QuerySet["Flag"]):
    def open(self) -> "FlagQuerySet":
        return self.filter(closed_at=None)


class Flag(FlagFacts):
    """What a live rule found. One open flag per customer and rule.

    Investigations close flags (`flags.close`), with how the matter ended: that is what the share of false positives
    of a rule is counted from.
    """

    severity = models.CharField(max_length=8, choices=Severity)
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, blank=True, help_text=_("How the investigation ended"))

    objects: ClassVar = FlagQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer", "code"], condition=Q(closed_at=None), name="flag_one_open_per_customer_and_rule"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="") | (Q(closed_at__isnull=False) & ~Q(outcome="")),
                name="flag_closed_with_an_outcome",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["customer", "code", "-flagged_at"], name="flag_by_customer"),
            models.Index(fields=["rule", "flagged_at"], name="flag_by_rule"),
            models.Index(fields=["flagged_at"], condition=Q(closed_at=None), name="flag_open_by_age"),
        ]


class ShadowFlag(FlagFacts):
    """What a rule in the shadow would have flagged. Nobody works on it; it goes when its version is retired."""

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["customer", "code", "-flagged_at"], name="shadow_flag_by_customer"),
            models.Index(fields=["rule", "flagged_at"], name="shadow_flag_by_rule"),
        ]


class Snooze(models.Model):
    """Flags of one rule about one customer wait until a day, for a reason that somebody stands for."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=40)
    reason = models.CharField(max_length=60)
    note_sealed = models.BinaryField(null=True)
    until = models.DateTimeField()
    hits = models.IntegerField(default=0, help_text=_("How often the rule would have fired meanwhile"))
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    audit_log = "aml"

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "code"], condition=Q(ended_at=None), name="snooze_one_open")
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))


class BackTest(models.Model):
    """A rule tried on what has happened: asked for, run in the background, with its progress and its findings."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="+")
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    from_on = models.DateField()
    to_on = models.DateField()
    grid = models.JSONField(default=dict, help_text=_("Parameters and the values to try"))
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now())
    progress = models.PositiveSmallIntegerField(default=0, help_text=_("Percent"))
    beat_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True)
    findings = models.JSONField(default=dict)

    audit_log = "aml"

    class Meta:
        default_permissions = ()
