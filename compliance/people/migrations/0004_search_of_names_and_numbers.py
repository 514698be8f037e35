import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0003_names_alike")]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="name_latin",
            field=models.CharField(
                blank=True,
                default="",
                editable=False,
                help_text="Of a name in another script; else empty",
                max_length=800,
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="national_id_tail_index",
            field=models.BinaryField(help_text="Of its last four characters", null=True),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("name_latin", name="gin_trgm_ops"),
                condition=models.Q(("name_latin", ""), _negated=True),
                name="customer_latin_alike",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("national_id_tail_index__isnull", False)),
                fields=["national_id_tail_index"],
                name="customer_national_id_tail",
            ),
        ),
    ]
