from importlib import import_module

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "cases.types.monitoring.reports"
    label = "reports"

    def ready(self) -> None:
        for module in ("actions", "services"):
            import_module(f"{self.name}.{module}")
