from importlib import import_module

from django.apps import AppConfig


class VerificationConfig(AppConfig):
    name = "cases.types.verification"
    label = "verification"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.kind")
        import_module(f"{self.name}.arrivals")
        import_module(f"{self.name}.delays")
        import_module(f"{self.name}.previews")
