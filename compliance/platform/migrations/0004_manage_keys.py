"""Administrators look after keys in the product; a key names the one that replaced it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("platform", "0003_api_version")]
    operations = [
        migrations.AlterModelOptions(
            name="apikey",
            options={
                "default_permissions": (),
                "permissions": [("manage_key", "Can issue, replace and revoke API keys")],
            },
        ),
        migrations.AddField(
            model_name="apikey",
            name="replaced_by",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replaces",
                to="platform.apikey",
            ),
        ),
    ]
