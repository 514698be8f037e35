"""Transactions as platforms report them: waiting, kept, and the state of each customer that rules are asked of.

Money is integer minor units of a currency; sums never cross currencies. No personal data but ids, countries and keyed
digests: the holder's name of a payment instrument is sealed once, on the instrument.
"""

import uuid
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from cases.patterns.kinds import Instrument, Kind, Shared
from compliance.people.models import Account, Customer, Licensee


def _of(model: type[models.Model]) -> Any:
    # No constraint in the database: millions of rows would each ask for a row that is never deleted, and whoever
    # writes them has just read it.
    return models.ForeignKey(model, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)


class TransactionFacts(models.Model):
    """What is known of one transaction. `id` is made of licensee and source id: the same one twice is one row.

    `instrument`, `device` and `network` are keyed digests within the licensee, equal where the thing is the same.
    `holder_match` says how alike the holder's and the customer's names are, in percent. `income` is what the customer
    declared a year, in minor units of `currency`. `facts` are `kinds.Fact`.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    at = models.DateTimeField(help_text=_("When it happened"))
    licensee = _of(Licensee)
    customer = _of(Customer)
    account = _of(Account)
    source_id = models.CharField(max_length=64, help_text=_("The platform's own number of it"))
    kind = models.CharField(max_length=12, choices=Kind)
    amount = models.BigIntegerField(help_text=_("Minor units"))
    currency = models.CharField(max_length=3)
    instrument = models.UUIDField(null=True)
    instrument_kind = models.CharField(max_length=8, choices=Instrument, blank=True)
    instrument_country = models.CharField(max_length=2, blank=True)
    holder_match = models.SmallIntegerField(null=True)
    device = models.UUIDField(null=True)
    network = models.UUIDField(null=True)
    ip_country = models.CharField(max_length=2, blank=True)
    proxy = models.BooleanField(default=False)
    counterparty = models.UUIDField(null=True, help_text=_("The other player's customer id"))
    covered = models.SmallIntegerField(null=True, help_text=_("Share of outcomes the bet covers with others, percent"))
    income = models.BigIntegerField(null=True)
    nationality = models.CharField(max_length=2, blank=True)
    risk = models.CharField(max_length=10, blank=True)
    facts = models.SmallIntegerField(default=0)
    label = models.CharField(max_length=24, blank=True, help_text=_("Which typology a generator put it in"))

    class Meta:
        abstract = True

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))


class Waiting(TransactionFacts):
    """Accepted and not counted yet: written in the transaction that answers the platform, gone when it is counted.

    Whoever counts it holds its row lock, so a worker that dies gives it back at once. What fails alone is set back,
    and after `counting.MOST_ATTEMPTS` tries parked: nothing is lost, nothing else waits for it.
    """

    audit_log = "aml"

    position = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, editable=False)
    accepted_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    parked_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=120, blank=True, help_text=_("The kind of error, never its text"))

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["position"], condition=Q(parked_at=None), name="waiting_to_be_counted"),
        ]


class Source(models.Model):
    """Which source ids were ever accepted, and a digest of what they said: the reason why nothing counts twice."""

    id = models.UUIDField(primary_key=True, editable=False)
    digest = models.UUIDField()

    class Meta:
        default_permissions = ()


class Transaction(TransactionFacts):
    """A counted transaction. Partitioned by the month of `at`; the table is made by SQL (migration 0002).

    `nth` counts the customer's transactions in the order in which they were counted: what was known at a flag is
    every row up to its number. `shared_*` say how many customers were known to use the thing when this customer used
    it first, else 0.
    """

    nth = models.IntegerField()
    shared_device = models.SmallIntegerField(default=0)
    shared_instrument = models.SmallIntegerField(default=0)
    shared_network = models.SmallIntegerField(default=0)
    accepted_at = models.DateTimeField(null=True, help_text=_("When the platform's report came"))
    counted_at = models.DateTimeField(db_default=Now())

    class Meta:
        managed = False
        db_table = "transactions_transaction"
        default_permissions = ()


class CustomerState(models.Model):
    """What rules ask about one customer: hourly buckets for 48 hours, daily buckets for 400 days, what was used before.

    A digest of the raw rows and never the truth: it can be thrown away and made again. `series` names which buckets
    it holds; another set of live rules makes it anew. `last_at` and `last_id` are the newest transaction counted.
    """

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, primary_key=True, related_name="+")
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    counted = models.IntegerField(default=0)
    last_at = models.DateTimeField(null=True)
    last_id = models.UUIDField(null=True)
    series = models.CharField(max_length=32, blank=True)
    data = models.BinaryField(default=b"")

    class Meta:
        default_permissions = ()


class PaymentInstrument(models.Model):
    """A card, account or wallet that a customer used. `key` is the same for everybody who uses it at the licensee."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    key = models.UUIDField()
    kind = models.CharField(max_length=8, choices=Instrument, blank=True)
    country = models.CharField(max_length=2, blank=True)
    tail = models.CharField(max_length=4, blank=True, help_text=_("Its last four characters"))
    holder_sealed = models.BinaryField(null=True)
    holder_match = models.SmallIntegerField(null=True)
    first_seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "key"], name="payment_instrument_once_per_customer")
        ]
        indexes: ClassVar = [models.Index(fields=["key"], name="payment_instrument_by_key")]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))


class Use(models.Model):
    """That a customer used a device, instrument or network: how linked players are found."""

    key = models.UUIDField()
    kind = models.CharField(max_length=10, choices=Shared)
    customer = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False
    )
    first_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["key", "customer"], name="use_once_per_customer")]
        indexes: ClassVar = [models.Index(fields=["customer"], name="use_by_customer")]


class Users(models.Model):
    """How many customers used a thing. Its row lock makes two workers that meet the same new thing count 1, then 2."""

    key = models.UUIDField(primary_key=True, editable=False)
    count = models.IntegerField()

    class Meta:
        default_permissions = ()


class Import(models.Model):
    """A file that is being taken in, so that it can go on where it stopped. `digest` names file and mapping."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=120)
    rows_done = models.BigIntegerField(default=0, help_text=_("Rows of the file read and settled"))
    accepted = models.BigIntegerField(default=0)
    known = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    columns = ArrayField(models.CharField(max_length=80), default=list)

    audit_log = "aml"

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["licensee", "digest"], name="import_once_per_file")]
