"""The Celery application. The broker is a hint; what must not be lost is a row in the database."""

import os
from pathlib import Path

from celery import Celery
from celery.signals import worker_init
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

from compliance import collecting, validated

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "compliance.settings")

TRANSPORT_ALIASES["folder"] = "compliance.outbox.broker:Transport"

app = Celery("mizan")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()  # for every thread of the web server, not only the one that imports this


@worker_init.connect
def refuse_what_is_broken(**about: object) -> None:
    validated.or_refuse()
    collecting.loaded()


for folder in ("data_folder_in", "control_folder"):
    if path := settings.CELERY_BROKER_TRANSPORT_OPTIONS.get(folder):
        Path(str(path)).mkdir(mode=0o700, parents=True, exist_ok=True)
