"""Sessions of staff, sign-ins for emergencies, and since when and until when somebody has a role."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from compliance.people.models import Membership, User

BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
FROM_DIRECTORY = "directory:sign_in"  # in Tenure.given_by: a group over there gives the role, and takes it
SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad")),
    *(("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux")),
)


class End(models.TextChoices):
    """Why a session is over."""

    SIGNED_OUT = "signed_out", _("Signed out")
    IDLE = "idle", _("Not used for too long")
    WHOLE = "whole", _("Its time was over")
    REVOKED = "revoked", _("Ended from another session")
    CLOSED = "closed", _("The sign-in was closed")
    CHANGED = "changed", _("Rights were taken")


class SessionQuerySet(models.QuerySet["Session"]):
    def open(self) -> "SessionQuerySet":
        """Neither ended nor past one of its limits, by the database's clock."""
        not_since = models.ExpressionWrapper(Now() - models.F("idle"), output_field=models.DateTimeField())
        return self.filter(ended_at=None, ends_at__gt=Now(), seen_at__gt=not_since)


class Session(models.Model):
    """One signed-in browser. Its limits are those of the roles that its user had when it began or roles last changed.

    The cookie's session names this row by id; a row that ended, or is missing, opens nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now(), help_text=_("To the half minute"))
    ends_at = models.DateTimeField()
    idle = models.DurationField(help_text=_("How long it lasts without being used"))
    needs_factor = models.BooleanField(default=False, help_text=_("Leads nowhere until a second factor is set up"))
    second_elsewhere = models.BooleanField(
        default=False, db_default=False, help_text=_("The operator's directory asked for the second factor")
    )
    factors = models.CharField(max_length=60)
    address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_for = models.CharField(max_length=12, blank=True, choices=End)

    objects: ClassVar = SessionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_for="") | (Q(ended_at__isnull=False) & ~Q(ended_for="")),
                name="session_ended_at_and_why_together",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("started_at")), name="session_ends_after_start"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-seen_at"], condition=Q(ended_at=None), name="session_open_by_user")
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("staff", str(self.user_id))

    @property
    def browser_words(self) -> str:
        """Such as "Firefox, Windows": enough to know one's own again. The first that fits: Edge also says Chrome."""
        known = next((name for sign, name in BROWSERS if sign in self.browser), "")
        system = next((name for sign, name in SYSTEMS if sign in self.browser), "")
        return ", ".join(part for part in (known, system) if part) or self.browser[:40]


class Emergency(models.Model):
    """Marks a sign-in for emergencies: it lies in the safe, needs no second factor, and every use is an alarm."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="emergency")
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()


class Identity(models.Model):
    """Who somebody is in the operator's directory, by the id that it never gives to anybody else."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)
    made_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_of_one_user"),
            models.UniqueConstraint(fields=["user", "issuer"], name="identity_once_per_issuer"),
        ]


class Attempts(models.Model):
    """How often in a row a password or a code was wrong. Too often locks both until a new password is set by link."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="attempts")
    failed = models.PositiveIntegerField(default=0)
    locked_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()


class Tenure(models.Model):
    """Since when somebody has a role and from whom, until when, and who last looked whether they still need it."""

    membership = models.OneToOneField(Membership, on_delete=models.CASCADE, related_name="tenure")
    since = models.DateTimeField(db_default=Now(), editable=False)
    given_by = models.CharField(max_length=60, help_text=_("Actor, as kind:id"))
    until = models.DateTimeField(null=True, help_text=_("Then the role ends by itself"))
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [
            ("grant_aml", "Can give and take roles of the AML side"),
            ("view_staff", "Can see who has which role"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(reviewed_at=None, reviewed_by=None)
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
                name="tenure_reviewed_at_and_by_together",
            ),
            models.CheckConstraint(condition=Q(until=None) | Q(until__gt=models.F("since")), name="tenure_ends_later"),
        ]
        indexes: ClassVar = [models.Index(fields=["until"], condition=Q(until__isnull=False), name="tenure_by_end")]

    @property
    def from_directory(self) -> bool:
        return self.given_by == FROM_DIRECTORY
