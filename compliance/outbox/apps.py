from importlib import import_module

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "compliance.outbox"
    label = "outbox"

    def ready(self) -> None:
        import_module("compliance.outbox.actions")
