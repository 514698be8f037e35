"""Macros: light acts that somebody does again and again, kept under a name."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from compliance.people.models import Team, User


class MacroQuerySet(models.QuerySet["Macro"]):
    def visible_to(self, user: Any) -> Self:
        """Their own, and those that their teams share."""
        return self.filter(Q(owner_id=user.pk) | Q(team__memberships__user_id=user.pk)).distinct()


class Macro(models.Model):
    """`steps` is a list of {"act": one of `services.LIGHT`, and what it needs: ids, codes, numbers of days, words}."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="macros")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="macros")
    name = models.CharField(max_length=40, help_text=_("Of a kind of matter, never of a person"))
    steps = models.JSONField()
    saved_at = models.DateTimeField(auto_now=True)

    objects: ClassVar = MacroQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "name"], name="macro_name_once")]

    def __str__(self) -> str:
        return self.name
