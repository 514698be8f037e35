import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0009_customers_by_birth"),
        ("sameness", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Carried",
            fields=[
                (
                    "restriction",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="carried",
                        serialize=False,
                        to="people.restriction",
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="copies", to="people.restriction"
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
    ]
