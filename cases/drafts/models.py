"""Words that somebody is typing. Nobody else sees them; they are no record until they are saved as what they are."""

import uuid
from typing import ClassVar

from django.db import models

from cases.models import Case
from compliance.people.models import User


class Draft(models.Model):
    """One text per person, case and place, sealed under the player's key; without a case, under the writer's own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    case = models.ForeignKey(Case, null=True, on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=20)
    text_sealed = models.BinaryField()
    saved_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "case", "place"], nulls_distinct=False, name="draft_once_per_place_or_none"
            )
        ]


class ClosedForm(models.Model):
    """A form whose text was saved as what it is: what its page still sends is late. Forgotten with old drafts."""

    token = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    closed_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
