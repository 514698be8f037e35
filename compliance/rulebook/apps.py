from importlib import import_module

from django.apps import AppConfig


class RulebookConfig(AppConfig):
    name = "compliance.rulebook"
    label = "rulebook"

    def ready(self) -> None:
        for name in ("actions", "acts", "counted"):
            import_module(f"{self.name}.{name}")
