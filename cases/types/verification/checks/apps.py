from importlib import import_module

from django.apps import AppConfig


class ChecksConfig(AppConfig):
    name = "cases.types.verification.checks"
    label = "checks"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.services")
        import_module(f"{self.name}.answers")
        import_module(f"{self.name}.delays")
