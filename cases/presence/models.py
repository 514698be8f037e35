"""Who looks at a case now: rows that mean nothing after half a minute."""

from typing import ClassVar

from django.db import models

from cases.models import Case
from compliance.people.models import User


class Presence(models.Model):
    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "user"], name="presence_once")]
