from importlib import import_module

from django.apps import AppConfig


class QualityConfig(AppConfig):
    name = "cases.quality"
    label = "quality"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
