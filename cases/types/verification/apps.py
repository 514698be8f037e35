from django.apps import AppConfig
from django.utils.module_loading import import_module


class VerificationConfig(AppConfig):
    name = "cases.types.verification"
    label = "verification"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.kind")
