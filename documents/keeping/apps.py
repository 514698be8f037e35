from importlib import import_module

from django.apps import AppConfig


class KeepingConfig(AppConfig):
    name = "documents.keeping"
    label = "keeping"

    def ready(self) -> None:
        for name in ("actions", "acts", "erasure"):
            import_module(f"{self.name}.{name}")
