"""A case that waits for the player knows since when and until when."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("verification", "0002_states_in_the_database")]
    operations = [
        migrations.AddField(
            model_name="verificationfacts",
            name="asked_at",
            field=models.DateTimeField(help_text="When the player was last asked for something", null=True),
        ),
        migrations.AddField(
            model_name="verificationfacts",
            name="answer_due_at",
            field=models.DateTimeField(help_text="When a case that waits lapses", null=True),
        ),
        migrations.AddIndex(
            model_name="verificationfacts",
            index=models.Index(
                condition=models.Q(("answer_due_at__isnull", False)),
                fields=["answer_due_at"],
                name="verification_by_answer_due",
            ),
        ),
    ]
