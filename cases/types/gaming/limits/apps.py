from importlib import import_module

from django.apps import AppConfig


class LimitsConfig(AppConfig):
    name = "cases.types.gaming.limits"
    label = "limits"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.names")
        import_module(f"{self.name}.delays")
