from importlib import import_module

from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "cases.types.verification.risk"
    label = "risk"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.following")
        import_module(f"{self.name}.deciding")
