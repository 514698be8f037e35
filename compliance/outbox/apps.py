from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "compliance.outbox"
    label = "outbox"
