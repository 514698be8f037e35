from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("quality", "0001_initial")]

    operations = [
        migrations.AddConstraint(
            model_name="secondlook",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["drawn", "agreed", "disagreed", "settled"])), name="second_look_state"
            ),
        ),
    ]
