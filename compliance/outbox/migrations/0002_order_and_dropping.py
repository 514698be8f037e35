"""Rows of one subject in their order, and rows that somebody decided not to deliver."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE outbox_position AS bigint; GRANT USAGE ON SEQUENCE outbox_position TO mizan_app;",
            "DROP SEQUENCE outbox_position",
        ),
        migrations.AlterModelOptions(
            name="outboxrow",
            options={
                "default_permissions": (),
                "permissions": [("settle_outboxrow", "Can look at what could not be delivered, retry and drop it")],
            },
        ),
        migrations.AddField(
            model_name="outboxrow",
            name="subject",
            field=models.CharField(blank=True, default="", help_text="What has to be told of in order", max_length=80),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="outboxrow",
            name="position",
            field=models.BigIntegerField(
                db_default=models.Func(
                    models.Value("outbox_position"), function="nextval", output_field=models.BigIntegerField()
                ),
                editable=False,
            ),
        ),
        migrations.AddField(
            model_name="outboxrow",
            name="dropped_at",
            field=models.DateTimeField(
                help_text="When somebody decided that it will not be delivered", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="outboxrow",
            constraint=models.CheckConstraint(
                condition=models.Q(("dropped_at", None), ("failed_at__isnull", False), _connector="OR"),
                name="outbox_dropped_was_parked",
            ),
        ),
        migrations.AddIndex(
            model_name="outboxrow",
            index=models.Index(
                condition=models.Q(("done_at", None), ("dropped_at", None), models.Q(("subject", ""), _negated=True)),
                fields=["subject", "position"],
                name="outbox_in_turn",
            ),
        ),
    ]
