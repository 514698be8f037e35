from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0002_reading_and_scrub")]

    operations = [
        migrations.AddField(
            model_name="document",
            name="number_tail_index",
            field=models.BinaryField(help_text="Of the last four of the paper's own number", null=True),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(("number_tail_index__isnull", False)),
                fields=["number_tail_index"],
                name="document_number_tail",
            ),
        ),
    ]
