import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cases", "0005_conflicts_stand_with_people"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SecondLook",
            fields=[
                ("version", models.PositiveIntegerField(default=0, editable=False)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("drawn", "Waits for a second look"),
                            ("agreed", "Both agree"),
                            ("disagreed", "They disagree"),
                            ("settled", "Settled"),
                        ],
                        default="drawn",
                        max_length=50,
                    ),
                ),
                ("closed_at", models.DateTimeField(help_text="The closing that it looks at")),
                ("first_outcome", models.CharField(max_length=20)),
                ("drawn_at", models.DateTimeField()),
                ("outcome", models.CharField(blank=True, max_length=20)),
                ("note_sealed", models.BinaryField(null=True)),
                ("judged_at", models.DateTimeField(null=True)),
                (
                    "conclusion",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("first", "The first decision was right"),
                            ("second", "The second look is right"),
                            ("both", "Both can be defended: the rule is unclear"),
                        ],
                        max_length=10,
                    ),
                ),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="second_looks", to="cases.case"
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("look_again", "Take second looks at closed cases"),
                    ("lead_team", "See a team's load and settle disagreements"),
                ],
                "default_permissions": (),
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "drawn")), fields=["drawn_at"], name="second_look_waiting"
                    ),
                    models.Index(
                        condition=models.Q(("judged_at__isnull", False)),
                        fields=["judged_at"],
                        name="second_look_judged",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("case", "closed_at"), name="second_look_once_a_closing"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("judged_at", None), ("outcome", ""), ("state", "drawn")),
                            models.Q(
                                models.Q(("state", "drawn"), _negated=True),
                                models.Q(("outcome", ""), _negated=True),
                                ("judged_at__isnull", False),
                                ("reviewer__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="second_look_judged_together",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("settled_at__isnull", False),
                                ("settled_by__isnull", False),
                                ("state", "settled"),
                                models.Q(("conclusion", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("state", "settled"), _negated=True),
                                ("conclusion", ""),
                                ("settled_at", None),
                                ("settled_by", None),
                            ),
                            _connector="OR",
                        ),
                        name="second_look_settled_together",
                    ),
                ],
            },
        ),
    ]
