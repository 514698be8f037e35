"""Reports to the authority, each an object with states of its own. Words and files are sealed, entries stand in the AML
log only.
"""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.perform import StateField, Stateful
from cases.types.monitoring.models import Investigation
from cases.types.monitoring.permissions import is_system, may_decide, may_work
from compliance.people.models import Human, Licensee, User


class State(models.TextChoices):
    DRAFT = "draft", _("Draft")
    WITH_MLRO = "with_mlro", _("With the reporting officer")
    APPROVED = "approved", _("Approved, to be filed")
    SUBMITTING = "submitting", _("Being filed")
    UNCERTAIN = "uncertain", _("Uncertain whether it arrived")
    SUBMITTED = "submitted", _("Filed")
    ACCEPTED = "accepted", _("Accepted")
    RETURNED = "returned", _("Rejected by the authority")
    NOT_FILED = "not_filed", _("Not filed")


class Consent(models.TextChoices):
    GIVEN = "given", _("The authority consents")
    REFUSED = "refused", _("The authority refuses")
    NONE = "none", _("It did not answer in time")


ARRIVED = (State.SUBMITTED, State.ACCEPTED)


def may_approve(report: Any, user: Any) -> bool:
    """The reporting officer, and not whoever handed it over, under any sign-in."""
    return may_decide(report.investigation, user) and user.human_id != report.handed_over_human_id


def may_draft(report: Any, user: Any) -> bool:
    return may_work(report.investigation, user)


def may_file(report: Any, user: Any) -> bool:
    return may_decide(report.investigation, user)


class Report(Stateful):
    """draft -> with_mlro -> approved -> submitting -> submitted -> accepted / returned; returned -> draft.

    with_mlro -> draft (more is needed) or not_filed; submitting -> uncertain -> submitted / approved. What is filed is
    made once, when it is approved: `document_sealed`. `due_at` stays as it is when a report is rejected and filed anew.
    """

    audit_prefix: ClassVar[str] = "reports"
    audit_log = "aml"
    State = State

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=40, unique=True, help_text=_("Ours, as the authority reads it"))
    investigation = models.ForeignKey(Investigation, on_delete=models.PROTECT, related_name="reports")
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    follows = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="followed_by")
    profile = models.CharField(max_length=20)
    profile_version = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    state = StateField(default=State.DRAFT, choices=State, protected=True)
    content_sealed = models.BinaryField()
    suspicion_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    drafted_at = models.DateTimeField(db_default=Now())
    handed_over_human = models.ForeignKey(Human, null=True, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_human = models.ForeignKey(Human, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    document_sealed = models.BinaryField(null=True)
    document_digest = models.CharField(max_length=64, blank=True)
    schema_digest = models.CharField(max_length=64, blank=True, help_text=_("Of the schema it was checked against"))
    claimed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    claimed_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    authority_reference = models.CharField(max_length=80, blank=True)
    rejected_reference = models.CharField(max_length=80, blank=True, help_text=_("Of the filing that was rejected"))
    receipt_sealed = models.BinaryField(null=True)
    receipt_digest = models.CharField(max_length=64, blank=True)
    answered_at = models.DateTimeField(null=True)
    words_sealed = models.BinaryField(null=True, help_text=_("Why it was rejected, or not filed"))
    consent = models.CharField(max_length=8, choices=Consent, blank=True, help_text=_("Where consent was asked for"))
    consent_on = models.DateField(null=True, help_text=_("The licensee's day on which the answer came"))

    class Meta:
        default_permissions = ()
        base_manager_name = "objects"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="report_state_known"),
            models.CheckConstraint(
                condition=Q(approved_human=None) | ~Q(approved_human=F("handed_over_human")), name="report_two_persons"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "submitting", "uncertain", "submitted", "accepted"])
                | (Q(document_sealed__isnull=False) & ~Q(document_digest="")),
                name="report_approved_has_a_document",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["submitted", "accepted"])
                | (Q(submitted_at__isnull=False) & ~Q(authority_reference="")),
                name="report_filed_has_a_reference",
            ),
            models.CheckConstraint(
                condition=Q(consent="", consent_on=None) | ~Q(consent="") & Q(consent_on__isnull=False),
                name="report_consent_with_its_day",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "due_at"], name="report_by_due_time")]

    def __str__(self) -> str:
        return self.reference

    @property
    def audit_matter(self) -> str:
        return self.investigation.number

    @transition("state", source=State.DRAFT, target=State.WITH_MLRO, permission=may_draft)
    def hand_over(self, *, by: User) -> None:
        self.handed_over_human_id = by.human_id

    @transition("state", source=State.WITH_MLRO, target=State.DRAFT, permission=may_file)
    def rework(self) -> None:
        """More is needed."""
        self.handed_over_human = None

    @transition("state", source=State.WITH_MLRO, target=State.APPROVED, permission=may_approve)
    def approve(self, *, by: User, at: datetime, document: bytes, digest: str, schema_digest: str) -> None:
        """What will be filed is made and fixed here."""
        self.approved_by, self.approved_human_id, self.approved_at = by, by.human_id, at
        self.document_sealed, self.document_digest, self.schema_digest = document, digest, schema_digest

    @transition("state", source=State.WITH_MLRO, target=State.NOT_FILED, permission=may_approve)
    def leave(self, *, words_sealed: bytes) -> None:
        """Decided not to report. The reasons are kept."""
        self.words_sealed = words_sealed

    @transition("state", source=State.APPROVED, target=State.SUBMITTING, permission=may_file)
    def claim(self, *, by: User, at: datetime) -> None:
        """One person files it now. Nobody else gets the document until it is known what became of it."""
        self.claimed_by, self.claimed_at = by, at

    @transition(
        "state",
        source=State.SUBMITTING,
        target=State.UNCERTAIN,
        permission=lambda report, user: is_system(report, user) or may_file(report, user),
    )
    def lose(self) -> None:
        """No answer. It is not filed again by itself: somebody finds out."""

    @transition("state", source=[State.SUBMITTING, State.UNCERTAIN], target=State.SUBMITTED, permission=may_file)
    def submit(self, *, reference: str, at: datetime, receipt: bytes, digest: str) -> None:
        self.authority_reference, self.submitted_at = reference, at
        self.receipt_sealed, self.receipt_digest = receipt, digest

    @transition("state", source=State.UNCERTAIN, target=State.APPROVED, permission=may_file)
    def release(self) -> None:
        """It surely did not arrive: it can be filed."""
        self.claimed_by, self.claimed_at = None, None

    @transition("state", source=State.SUBMITTED, target=State.ACCEPTED, permission=may_file)
    def accept(self, *, at: datetime) -> None:
        self.answered_at = at

    @transition("state", source=State.SUBMITTED, target=State.RETURNED, permission=may_file)
    def reject(self, *, at: datetime, words_sealed: bytes) -> None:
        """The authority did not take it."""
        self.answered_at, self.words_sealed = at, words_sealed
        self.rejected_reference = self.authority_reference

    @transition("state", source=State.RETURNED, target=State.DRAFT, permission=may_draft)
    def redraft(self) -> None:
        """To be filed anew, under the due time of the first."""
        self.handed_over_human, self.approved_by, self.approved_human, self.approved_at = None, None, None, None
        self.document_sealed, self.document_digest, self.authority_reference = None, "", ""
        self.claimed_by, self.claimed_at, self.submitted_at, self.answered_at = None, None, None, None
        self.receipt_sealed, self.receipt_digest = None, ""


class Schema(models.Model):
    """An authority's own XSD as the operator supplied it. The newest of a profile counts."""

    audit_log = "aml"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    profile = models.CharField(max_length=20)
    data = models.BinaryField()
    digest = models.CharField(max_length=64)
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["profile", "digest"], name="schema_once")]


class Told(models.Model):
    """That a statutory time comes near, or is over, was said: once of each, again when it moves."""

    audit_log = "aml"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject_id = models.UUIDField(help_text=_("Of the report, or of the investigation that has none"))
    what = models.CharField(max_length=12)
    stage = models.CharField(max_length=4)
    due_at = models.DateTimeField()
    told_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject_id", "what", "stage", "due_at"], name="told_once")
        ]
