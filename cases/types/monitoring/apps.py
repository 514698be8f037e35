from importlib import import_module

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "cases.types.monitoring"
    label = "monitoring"

    def ready(self) -> None:
        for module in ("actions", "acts", "following", "rail"):
            import_module(f"{self.name}.{module}")
