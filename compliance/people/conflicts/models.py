"""A member of staff and a player who know each other."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from compliance.people.models import Customer, User


class ConflictOfInterest(models.Model):
    """A member of staff who must not see or touch this player's matters: a relative, a friend, themselves."""

    class Relation(models.TextChoices):
        MYSELF = "myself", _("It is myself")
        FAMILY = "family", _("Family")
        FRIEND = "friend", _("Friend or acquaintance")
        BUSINESS = "business", _("Business or money")
        OTHER = "other", _("Something else")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="conflicts")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="conflicts")
    relation = models.CharField(max_length=10, choices=Relation, default=Relation.OTHER)
    declared_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "customer"], name="conflict_once")]
