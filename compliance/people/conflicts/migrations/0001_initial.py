"""The table is the one that `cases` made; cases.0004 gives it its new name."""

import uuid
from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [
        ("people", "0003_names_alike"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="ConflictOfInterest",
                    fields=[
                        (
                            "id",
                            models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                        ),
                        (
                            "relation",
                            models.CharField(
                                choices=[
                                    ("myself", "It is myself"),
                                    ("family", "Family"),
                                    ("friend", "Friend or acquaintance"),
                                    ("business", "Business or money"),
                                    ("other", "Something else"),
                                ],
                                default="other",
                                max_length=10,
                            ),
                        ),
                        ("declared_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="conflicts",
                                to="people.customer",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="conflicts",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "default_permissions": (),
                        "constraints": [models.UniqueConstraint(fields=("user", "customer"), name="conflict_once")],
                    },
                ),
            ],
        ),
    ]
