"""Who works here and who plays: staff (Human, User, Team, Membership) and players (Person, Customer, Account).

`Person` is one player across the operator's group and holds no personal data; `Customer` is that person at one
licensee; `Account` is the customer at one brand. Times are UTC.
"""

import uuid
from datetime import date, datetime, time
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, Group, PermissionsMixin
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actors import Actor, SubjectRef
from compliance.people.queries import CustomerQuerySet


class Licensee(models.Model):
    """A legal entity that holds a gaming licence: it files reports, keeps records and answers to one regulator."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    jurisdiction = models.CharField(max_length=2, help_text=_("ISO 3166-1 code of the licence, such as TR or GB"))
    time_zone = models.CharField(
        max_length=64, default="UTC", help_text=_("Its day is the day of deadlines and windows")
    )
    is_test = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text=_("Invented players only; set when it is made, for ever"),
    )

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def day_of(self, moment: datetime) -> date:
        """The licensee's day: the one that policies, deadlines and windows go by."""
        return timezone.localdate(moment, self.zone)

    def today(self) -> date:
        return self.day_of(timezone.now())

    def day_starts(self, day: date) -> datetime:
        """The first moment of a day of the licensee's; that of the next day is the first after this one."""
        return datetime.combine(day, time(), self.zone)


class Brand(models.Model):
    """A site under which a licensee offers play."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="brands")
    name = models.CharField(max_length=120)
    slug = models.SlugField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["licensee", "slug"], name="brand_once_per_licensee")]

    def __str__(self) -> str:
        return self.name


class Human(models.Model):
    """A member of staff. Two sign-ins of one human are one person for four eyes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """A sign-in for a new human, or for the `human` given. The e-mail is stored in lower case."""
        if not email:
            raise ValueError("email: enter an e-mail address.")
        extra.setdefault("human", None)
        if extra["human"] is None:
            extra["human"] = Human.objects.create()
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A sign-in of a member of staff. There are no superusers in daily work and no Django admin."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    human = models.ForeignKey(Human, on_delete=models.PROTECT, related_name="sign_ins")
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")
    theme = models.CharField(
        max_length=5, blank=True, choices=[("", _("As the device")), ("light", _("Light")), ("dark", _("Dark"))]
    )
    keys_on = models.BooleanField(default=True, help_text=_("Single-key shortcuts"))
    keys = models.JSONField(
        default=dict, db_default={}, blank=True, help_text=_("Single keys of one's own where they differ; empty is off")
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        permissions: ClassVar = [("manage_staff", "Can add and remove staff and give them roles")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower"),
            # A superuser would pass every check of rights. Nobody needs one: there is no Django admin.
            models.CheckConstraint(condition=Q(is_superuser=False), name="user_is_no_superuser"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def audit_actor(self) -> Actor:
        return Actor("staff", str(self.pk))

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("staff", str(self.pk))


class Team(models.Model):
    """People who share queues. Rights on a queue go to the group of a team and role, never to one person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user in a team under a role of `roles.ROLES`. It mirrors membership in `group`, which has the rights."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20)
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "team", "role"], name="membership_once")]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("staff", str(self.user_id))


class Person(models.Model):
    """One player across the group. No personal data: links, and later the suppression index."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)


class Risk(models.TextChoices):
    LOW = "low", _("low")
    MEDIUM = "medium", _("medium")
    HIGH = "high", _("high")


class Customer(models.Model):
    """A person at one licensee: identity, risk, documents, key, retention.

    `national_id_sealed` is sealed under the customer's key; `national_id_index` is a keyed digest for equality search.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="customers")
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="customers")
    full_name = models.CharField(max_length=200, help_text=_("As on the document"))
    name_fold = models.CharField(max_length=200, db_index=True, editable=False)
    name_latin = models.CharField(
        max_length=800, blank=True, default="", editable=False, help_text=_("Of a name in another script; else empty")
    )
    birth_date = models.DateField(null=True)
    nationality = models.CharField(max_length=2, blank=True)
    address = models.CharField(max_length=400, blank=True)
    national_id_sealed = models.BinaryField(null=True)
    national_id_index = models.BinaryField(null=True)
    national_id_tail_index = models.BinaryField(null=True, help_text=_("Of its last four characters"))
    risk = models.CharField(max_length=10, choices=Risk, default=Risk.MEDIUM)
    level = models.CharField(max_length=20, default="L0", help_text=_("Verification level reached"))
    created_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, help_text=_("From then on the row is an id that nothing hangs on anew"))

    objects: ClassVar = CustomerQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [("reveal_customer", "Can see what is masked of a customer")]
        constraints: ClassVar = [
            # Who was erased may come back as another customer.
            models.UniqueConstraint(
                fields=["person", "licensee"], condition=Q(erased_at=None), name="customer_once_per_licensee"
            ),
            # The same number from another country is another person.
            models.UniqueConstraint(
                fields=["licensee", "nationality", "national_id_index"], name="customer_national_id_once"
            ),
            models.CheckConstraint(
                condition=Q(national_id_sealed=None, national_id_index=None)
                | Q(national_id_sealed__isnull=False, national_id_index__isnull=False),
                name="customer_national_id_sealed_and_indexed_together",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["licensee", "national_id_index"], name="customer_national_id"),
            models.Index(fields=["licensee", "birth_date"], name="customer_by_birth"),
            # Names that hold, or resemble, what was typed.
            GinIndex(OpClass("name_fold", name="gin_trgm_ops"), name="customer_name_alike"),
            GinIndex(
                OpClass("name_latin", name="gin_trgm_ops"), condition=~Q(name_latin=""), name="customer_latin_alike"
            ),
            models.Index(
                fields=["national_id_tail_index"],
                condition=Q(national_id_tail_index__isnull=False),
                name="customer_national_id_tail",
            ),
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.pk))


class Account(models.Model):
    """A customer at one brand. `reference` is the operator's id, unique within the licensee. Contacts are sealed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="accounts")
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="accounts")
    reference = models.CharField(max_length=64)
    email_sealed = models.BinaryField(null=True)
    email_index = models.BinaryField(null=True, db_index=True)
    phone_sealed = models.BinaryField(null=True)
    phone_index = models.BinaryField(null=True, db_index=True)
    language = models.CharField(max_length=10, default="tr")
    time_zone = models.CharField(max_length=64, default="Europe/Istanbul")
    created_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(
        null=True,
        help_text=_("When the player was erased: the gate still knows the reference, a new account may take it"),
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["licensee", "reference"], condition=Q(released_at=None), name="account_reference_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(Upper("reference"), name="account_reference_any_case"),
            models.Index(fields=["licensee", "reference"], name="account_by_reference"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))


class Restriction(models.Model):
    """What a person may not do now, and the code the world may see. Set by any kind of case; asked by the gate.

    Exactly one of `person`, `customer`, `account` says how far it reaches. Only `cover_code` leaves the house.
    """

    EFFECTS = ("sign_in", "deposit", "play", "withdraw", "marketing")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="restrictions")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="restrictions")
    account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="restrictions")
    stops_sign_in = models.BooleanField(default=False)
    stops_deposit = models.BooleanField(default=False)
    stops_play = models.BooleanField(default=False)
    stops_withdraw = models.BooleanField(default=False)
    stops_marketing = models.BooleanField(default=False)
    cover_code = models.CharField(max_length=40)
    source = models.CharField(max_length=40, help_text=_("Kind of case that set it"))
    starts_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, customer=None, account=None)
                | Q(person=None, customer__isnull=False, account=None)
                | Q(person=None, customer=None, account__isnull=False),
                name="restriction_reaches_one",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="restriction_lifted_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=models.F("starts_at")), name="restriction_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(stops_sign_in=True)
                | Q(stops_deposit=True)
                | Q(stops_play=True)
                | Q(stops_withdraw=True)
                | Q(stops_marketing=True),
                name="restriction_stops_something",
            ),
        ]

    @property
    def audit_subject(self) -> SubjectRef | None:
        """The customer it reaches. A person has none: they may be a customer of several licensees."""
        customer_id = self.account.customer_id if self.account else self.customer_id
        return SubjectRef("customer", str(customer_id)) if customer_id else None


class RiskFact(models.Model):
    """Something learned that raises or explains risk. Kinds of case ask for facts, never for each other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="risk_facts")
    code = models.CharField(max_length=60)
    source = models.CharField(max_length=40)
    known_on = models.DateField()
    until = models.DateField(null=True)
    recorded_at = models.DateTimeField(auto_now_add=True)
    details_sealed = models.BinaryField(null=True)
    log = models.CharField(
        max_length=4, default="main", db_default="main", help_text=_("Whose fact it is: aml counts in the compartment")
    )
    ended_at = models.DateTimeField(null=True, help_text=_("When somebody said that it does not hold"))

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(log__in=["main", "aml"]), name="risk_fact_of_a_known_log")
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))

    @property
    def audit_log(self) -> str:
        return self.log
