"""Letters that arrive by e-mail, their files until the vault has them, and what became of messages that left."""

import uuid
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import INSTALLATION, Acts, SubjectRef, System
from audit.perform import StateField, Stateful
from cases.mail.permissions import licensees_of
from cases.models import Case, Message
from compliance.people.models import Customer, Licensee, User
from documents.models import Document


def may_sort(letter: Any, user: Any) -> bool:
    """Whoever works on cases of the licensee sorts its mail; the product puts to a case what is beyond doubt."""
    return isinstance(user, System) or licensees_of(user).filter(pk=letter.licensee_id).exists()


class Letter(Stateful):
    """One e-mail that arrived. Its content is sealed: under the player's key once it is known whose it is, until then
    under the installation's.

    `why` says why it belongs to no case by itself; `suggested` is the case that it may belong to.
    """

    audit_prefix = "mail"

    class State(models.TextChoices):
        UNMATCHED = "unmatched", _("Belongs to no case yet")
        MATCHED = "matched", _("Put to a case")
        DISCARDED = "discarded", _("Set aside")

    class Kind(models.TextChoices):
        PERSON = "person", _("Written by a person")
        AUTO = "auto", _("Automatic answer")
        BOUNCE = "bounce", _("Returned by a mail server")
        LOOP = "loop", _("Our own mail")

    class Why(models.TextChoices):
        NO_NUMBER = "no_number", _("It names no tracking number")
        TYPING_ERROR = "typing_error", _("Its tracking number has a typing error")
        UNKNOWN_NUMBER = "unknown_number", _("No case has its tracking number")
        SENDER_DIFFERS = "sender_differs", _("The sender’s address is not the player’s")
        NOT_GENUINE = "not_genuine", _("The sender’s address may be forged")
        MOVED = "moved", _("It was put to the wrong case")

    class Reason(models.TextChoices):
        SPAM = "spam", _("Advertising or fraud")
        NOT_FOR_US = "not_for_us", _("Not for us")
        ANSWERED = "answered", _("Answered without a case")
        DUPLICATE = "duplicate", _("It came twice")
        AUTOMATIC = "automatic", _("Automatic answer")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    digest = models.BinaryField(help_text=_("SHA-256 of its Message-ID, or of all of it without one"))
    kind = models.CharField(max_length=8, choices=Kind)
    state = StateField(default=State.UNMATCHED, choices=State.choices, protected=True)
    why = models.CharField(max_length=20, choices=Why, blank=True)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    urgent = models.BooleanField(default=False, help_text=_("Its words may mean self-harm"))
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="letters")
    suggested = models.ForeignKey(Case, null=True, on_delete=models.SET_NULL, related_name="+")
    content_sealed = models.BinaryField()
    size = models.PositiveIntegerField(help_text=_("Bytes as it arrived"))
    flaws = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    arrived_at = models.DateTimeField()
    sorted_at = models.DateTimeField(null=True)
    emptied_at = models.DateTimeField(null=True)

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["licensee", "digest"], name="letter_once"),
            models.CheckConstraint(condition=Q(state__in=["unmatched", "matched", "discarded"]), name="letter_state"),
            models.CheckConstraint(
                condition=Q(state="matched", case__isnull=False, customer__isnull=False)
                | (~Q(state="matched") & Q(case=None, customer=None)),
                name="letter_matched_has_a_case",
            ),
            models.CheckConstraint(
                condition=(Q(state="discarded") & ~Q(reason="")) | (~Q(state="discarded") & Q(reason="")),
                name="letter_discarded_with_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["licensee", "-urgent", "arrived_at"], condition=Q(state="unmatched"), name="letter_to_sort"
            ),
            models.Index(fields=["state", "arrived_at"], condition=Q(emptied_at=None), name="letter_to_empty"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def audit_matter(self) -> str | None:
        return self.case.number if self.case else None

    @property
    def audit_subject(self) -> SubjectRef:
        """Whose key seals it."""
        return SubjectRef("customer", str(self.customer_id)) if self.customer_id else INSTALLATION

    @transition("state", source=State.UNMATCHED, target=State.MATCHED, permission=may_sort)
    def match(self, *, by: Acts, case: Case, content: bytes, at: Any) -> None:
        self.case, self.customer_id, self.content_sealed, self.sorted_at = case, case.customer_id, content, at

    @transition("state", source=State.UNMATCHED, target=State.DISCARDED, permission=may_sort)
    def discard(self, *, by: Acts, reason: str, at: Any) -> None:
        self.reason, self.sorted_at = reason, at

    @transition("state", source=State.DISCARDED, target=State.UNMATCHED, permission=may_sort)
    def restore(self, *, by: Acts) -> None:
        self.reason, self.sorted_at = "", None

    @transition("state", source=State.MATCHED, target=State.UNMATCHED, permission=may_sort)
    def move_away(self, *, by: Acts, content: bytes) -> None:
        """It was put to the wrong case: back to where nobody took it for anybody's."""
        self.case = self.customer = self.suggested = self.sorted_at = None
        self.content_sealed, self.why = content, self.Why.MOVED


class LetterFile(models.Model):
    """A file of a letter. Its bytes wait here, sealed as the letter is, until the vault has taken or refused them."""

    class State(models.TextChoices):
        HELD = "held", _("Waits")
        RECEIVED = "received", _("Kept")
        REFUSED = "refused", _("Not taken")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, related_name="files")
    place = models.PositiveSmallIntegerField()
    media_type = models.CharField(max_length=100, help_text=_("As the letter says"))
    size = models.PositiveIntegerField()
    standing = models.CharField(max_length=8, choices=State, default=State.HELD)
    refusal = models.CharField(max_length=40, blank=True)
    document = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    name_sealed = models.BinaryField()
    data_sealed = models.BinaryField(null=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["letter", "place"], name="letter_file_place_once"),
            models.CheckConstraint(
                condition=Q(standing="held", document=None)
                | Q(standing="received", document__isnull=False, data_sealed=None)
                | Q(standing="refused", document=None, data_sealed=None),
                name="letter_file_bytes_only_while_held",
            ),
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return self.letter.audit_subject

    @property
    def audit_matter(self) -> str | None:
        return self.letter.audit_matter


class Delivery(models.Model):
    """What became of a message on its way to the player."""

    class Result(models.TextChoices):
        SENT = "sent", _("Sent")
        NO_ADDRESS = "no_address", _("No e-mail address is known")
        DOUBTFUL = "doubtful", _("Not known whether it was sent")
        REFUSED = "refused", _("Refused by the mail server")
        BOUNCED = "bounced", _("Returned by the mail server")
        SETTLED = "settled", _("Settled by hand")

    TROUBLED = ("no_address", "doubtful", "refused", "bounced")

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.CASCADE, related_name="delivery")
    result = models.CharField(max_length=12, choices=Result)
    status = models.CharField(max_length=12, blank=True, help_text=_("The mail server’s code, such as 5.1.1"))
    at = models.DateTimeField()
    settled_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()


class Attempt(models.Model):
    """One try to hand a message to the mail server. Written at once on a connection of its own, so that it outlives
    whatever happens next: a try that never told how it ended is a message of which nobody knows.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message_id = models.UUIDField(db_index=True)  # no foreign key: another connection has not seen the message yet
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=12, blank=True)

    class Meta:
        default_permissions = ()


class Poll(models.Model):
    """How the last visit to a mailbox went. `trying` is the mail in hand: one that kills its worker is put aside."""

    name = models.CharField(primary_key=True, max_length=60)
    polled_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=80, blank=True)
    trying = models.CharField(max_length=120, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    parked = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
