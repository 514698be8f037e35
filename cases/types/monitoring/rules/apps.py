from importlib import import_module

from django.apps import AppConfig


class MonitoringRulesConfig(AppConfig):
    name = "cases.types.monitoring.rules"
    label = "monitoring_rules"

    def ready(self) -> None:
        for module in ("actions", "acts", "counting", "leaving", "rail"):
            import_module(f"{self.name}.{module}")
