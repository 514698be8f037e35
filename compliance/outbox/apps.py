from importlib import import_module

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "compliance.outbox"
    label = "outbox"

    def ready(self) -> None:
        import_module("compliance.celery")  # without it, whoever wakes a task would speak to Celery's default broker
        import_module("compliance.outbox.actions")
