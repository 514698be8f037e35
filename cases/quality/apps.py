from importlib import import_module

from django.apps import AppConfig


class QualityConfig(AppConfig):
    name = "cases.quality"
    label = "quality"

    def ready(self) -> None:
        for name in ("actions", "previews"):
            import_module(f"{self.name}.{name}")
