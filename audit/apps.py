from importlib import import_module

from django.apps import AppConfig
from django.core import checks

from audit.checks import log_is_protected


class AuditConfig(AppConfig):
    name = "audit"
    label = "audit"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        checks.register(log_is_protected, checks.Tags.database)
