"""Keys with a wide scope are asked for; another administrator confirms them."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0009_customers_by_birth'),
        ('platform', '0004_manage_keys'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='KeyRequest',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(help_text='What uses it', max_length=80)),
                ('scopes', models.JSONField(default=list)),
                ('expires_at', models.DateTimeField(null=True)),
                ('overlap', models.DurationField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('former', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='platform.apikey')),
                ('key', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='request', to='platform.apikey')),
                ('licensee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.licensee')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('expires_at__isnull', False), ('former', None), ('overlap', None)), models.Q(('expires_at', None), ('former__isnull', False), ('overlap__isnull', False)), _connector='OR'), name='key_request_new_or_replacement')],
            },
        ),
    ]
