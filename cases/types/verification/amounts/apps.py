from importlib import import_module

from django.apps import AppConfig


class AmountsConfig(AppConfig):
    name = "cases.types.verification.amounts"
    label = "amounts"

    def ready(self) -> None:
        for module in ("actions", "following"):
            import_module(f"{self.name}.{module}")
