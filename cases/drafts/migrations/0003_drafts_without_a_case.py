"""A draft may belong to no case: what somebody types there is sealed under their own key."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0005_conflicts_stand_with_people"),
        ("drafts", "0002_closed_forms"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="draft",
            name="case",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="cases.case"
            ),
        ),
        migrations.AddConstraint(
            model_name="draft",
            constraint=models.UniqueConstraint(
                fields=("user", "case", "place"), name="draft_once_per_place_or_none", nulls_distinct=False
            ),
        ),
        migrations.RemoveConstraint(model_name="draft", name="draft_once_per_place"),
    ]
