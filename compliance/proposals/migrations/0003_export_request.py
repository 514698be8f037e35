import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [
        ("proposals", "0002_what_made_it_void"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="ExportRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=10)),
                ("of", models.CharField(blank=True, max_length=100)),
                ("log", models.CharField(default="main", max_length=10)),
                ("since", models.JSONField(default=list)),
                ("from_on", models.DateField(null=True)),
                ("to_on", models.DateField(null=True)),
                ("recipient", models.CharField(blank=True, max_length=64)),
                ("entries", models.BigIntegerField(help_text="Counted when it was asked for")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
    ]
